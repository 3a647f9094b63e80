//! Constants, shapes and conversions, all computed while reading.

use super::{Call, Elements, Field, Interval, Result, Value, ZERO, lowering, type_name};

/// A constant in any of the forms that hold numbers.
pub(super) fn constant<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let single = |numbers: Vec<_>| Value { shape: vec![numbers.len()], elements: Elements::Single(numbers.into()) };
    let forms = [
        call.tensor("value")?,
        call.any_float("value_float")?.map(Value::scalar),
        call.attribute("value_floats", (6, "floats"), Field::fixed)?.map(single),
        call.integer("value_int")?.map(|n| Value::list(vec![n]).reshaped(Vec::new())),
        call.integers("value_ints")?.map(Value::list),
    ];
    call.demand(forms.into_iter().flatten().next(), "a value", "none")
}

/// One number repeated in a given shape.
pub(super) fn constant_of_shape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let shape = call.shape(0)?;
    let value = call.tensor("value")?.unwrap_or_else(|| Value::scalar(ZERO));
    let is_one = value.shape.iter().all(|n| *n == 1);
    call.require(is_one, "one number as attribute value", format!("shape {:?}", value.shape))?;
    call.stretch(&value.reshaped(Vec::new()), &shape)
}

/// The dimensions from `start` to `end` of a value, for a batch of one.
pub(super) fn shape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let shape = &call.input(0)?.shape;
    let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX);
    let mut limit = |name, default| -> Result<i64> {
        let limit = call.integer(name)?.unwrap_or(default);
        Ok(if limit < 0 { limit.saturating_add(rank) } else { limit })
    };
    let range = limit("start", 0)?..limit("end", rank)?;
    let dimensions = shape.iter().zip(0..).filter(|(_, axis)| range.contains(axis));
    Ok(Value::list(dimensions.filter_map(|(n, _)| i64::try_from(*n).ok()).collect()))
}

/// Integers up to here are binary32 numbers.
const EXACT: u32 = 1 << 24;

/// Conversions between the float types, which real arithmetic does not see, among integers and truth values, and of
/// constant integers to floats and back.
pub(super) fn cast<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let to = call.integer("to")?.unwrap_or(0);
    take_narrowing(call)?;
    let value = call.input(0)?;
    let narrow = |integers: &[i64]| integers.iter().map(|i| i32::try_from(*i).ok()).collect::<Option<Vec<i32>>>();
    match (value.integers().map(narrow), to) {
        (None, 1) if value.node().is_some() => call.round(value),
        (None, 1 | 11) | (Some(_), 7) | (Some(Some(_)), 6) => {
            if matches!(value.elements, Elements::Real(_)) {
                call.only_real("converts constants");
            }
            Ok(value.clone())
        }
        (None, 6 | 7) if value.node().is_none() => whole(call, value, to),
        (Some(_), 9) => {
            let truths = value.integers().into_iter().flatten().map(|n| i64::from(*n != 0)).collect();
            Ok(Value { shape: value.shape.clone(), elements: Elements::Integer(truths) })
        }
        (Some(Some(integers)), 1 | 11) => {
            if integers.iter().any(|i| i.unsigned_abs() > EXACT) {
                call.only_real("converts integers beyond 2^24");
            }
            let numbers = integers.into_iter().map(|i| Interval::point(i.into())).collect();
            Ok(Value::real(value.shape.clone(), numbers))
        }
        (Some(None), 1 | 6 | 11) => Err(call.refuse("integers of 32 bits", "larger ones")),
        _ => {
            let expected = "a conversion to FLOAT or DOUBLE, or of constants to INT32, INT64 or BOOL";
            Err(call.refuse(expected, type_name(to)))
        }
    }
}

/// Takes what concerns only conversions to types of 8 bits.
fn take_narrowing(call: &mut Call<'_, '_>) -> Result<()> {
    call.flag("saturate", true)?;
    call.text("round_mode", "up")?;
    Ok(())
}

/// Constant floats as integers, rounded towards zero.
fn whole<'a>(call: &Call<'_, 'a>, value: &Value<'a>, to: i64) -> Result<Value<'a>> {
    let range = if to == 6 { i64::from(i32::MIN)..=i32::MAX.into() } else { i64::MIN..=i64::MAX };
    let whole = |x: &Interval| lowering::integer(lowering::to_whole(*x, f64::trunc)?).filter(|n| range.contains(n));
    let integers = call.reals(value)?.iter().map(whole).collect();
    let integers = call.demand(integers, "integers of the type, or numbers not near one", "others")?;
    Ok(Value { shape: value.shape.clone(), elements: Elements::Integer(integers) })
}

/// `CastLike`: the type of the second operand, which only says whether it is one of floats.
pub(super) fn cast_like<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    take_narrowing(call)?;
    let (value, model) = (call.input(0)?, call.input(1)?);
    match (value.integers(), model.integers()) {
        (None, None) if value.node().is_some() => call.round(value),
        (None, None) if matches!(value.elements, Elements::Single(_)) => Ok(value.clone()),
        (Some(integers), None) if integers.iter().all(|i| i.unsigned_abs() <= EXACT.into()) => {
            let numbers = integers.iter().filter_map(|i| Some(Interval::point(i32::try_from(*i).ok()?.into())));
            Ok(Value::real(value.shape.clone(), numbers.collect()))
        }
        _ => Err(call.refuse("a conversion to floats, of floats or of integers up to 2^24", value.kind())),
    }
}
