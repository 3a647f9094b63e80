//! Constants, shapes and conversions, all computed while reading.

use super::{Call, Elements, Field, Interval, Result, Value, ZERO, type_name};

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

/// Conversions between the float types, which real arithmetic does not see, among integers, and of constant integers
/// to floats.
pub(super) fn cast<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let to = call.integer("to")?.unwrap_or(0);
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
        (Some(Some(integers)), 1 | 11) => {
            if integers.iter().any(|i| i.unsigned_abs() > EXACT) {
                call.only_real("converts integers beyond 2^24");
            }
            let numbers = integers.into_iter().map(|i| Interval::point(i.into())).collect();
            Ok(Value::real(value.shape.clone(), numbers))
        }
        (Some(None), 1 | 6 | 11) => Err(call.refuse("integers of 32 bits", "larger ones")),
        _ => Err(call.refuse("a conversion to FLOAT or DOUBLE, or of integers to INT32 or INT64", type_name(to))),
    }
}
