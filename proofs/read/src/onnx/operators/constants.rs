//! Constants, shapes and conversions, all computed while reading.

use super::{Call, Elements, Interval, Result, Tensor, Value, type_name};

/// A constant in any of the forms that hold numbers.
pub(super) fn constant<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let real = |number: f32| Interval::point(f64::from(number));
    let mut tensor = call.tensor("value")?;
    tensor = tensor.or(call.any_float("value_float")?.map(|number| Tensor::scalar(real(number))));
    let floats = call.floats("value_floats")?;
    tensor = tensor.or(floats.map(|n| Tensor::real(vec![n.len()], n.into_iter().map(real).collect())));
    let integer = call.integer("value_int")?;
    tensor = tensor.or(integer.map(|n| Tensor { shape: Vec::new(), elements: Elements::Integer(vec![n]) }));
    tensor = tensor.or(call.integers("value_ints")?.map(Tensor::list));
    call.finish()?;
    Ok(Value::Constant(tensor.ok_or_else(|| call.refuse("a value", "none"))?))
}

/// One number repeated in a given shape.
pub(super) fn constant_of_shape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let shape = call.shape(0)?;
    let value = call.tensor("value")?.unwrap_or_else(|| Tensor::scalar(Interval::point(0.0)));
    let is_one = value.shape.iter().product::<usize>() == 1;
    call.require(is_one, "one number as attribute value", format!("shape {:?}", value.shape))?;
    let places = vec![Some(0); call.size(&shape)?];
    call.place(&Value::Constant(value), shape, places)
}

/// The dimensions from `start` to `end` of a value, for a batch of one.
pub(super) fn shape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let shape = call.input(0)?.shape();
    let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX);
    let mut limit = |name, default| -> Result<i64> {
        let limit = call.integer(name)?.unwrap_or(default);
        Ok(if limit < 0 { limit.saturating_add(rank) } else { limit })
    };
    let range = limit("start", 0)?..limit("end", rank)?;
    let dimensions = shape.iter().zip(0..).filter(|(_, axis)| range.contains(axis));
    Ok(Value::Constant(Tensor::list(dimensions.filter_map(|(n, _)| i64::try_from(*n).ok()).collect())))
}

/// Conversions between the float types, which real arithmetic does not see, among integers, and of constant integers
/// to floats.
pub(super) fn cast<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let to = call.integer("to")?.unwrap_or(0);
    let value = call.input(0)?;
    match (value.integers(), to) {
        (None, 1 | 11) | (Some(_), 7) => Ok(value.clone()),
        (Some(integers), 6) if integers.iter().all(|i| i32::try_from(*i).is_ok()) => Ok(value.clone()),
        (Some(integers), 1 | 11) => {
            let exact = integers.iter().map(|i| i32::try_from(*i).ok().map(|i| Interval::point(f64::from(i))));
            let numbers: Option<Vec<Interval>> = exact.collect();
            let numbers = numbers.ok_or_else(|| call.refuse("integers of 32 bits", "larger ones"))?;
            Ok(Value::Constant(Tensor::real(value.shape().to_vec(), numbers)))
        }
        _ => Err(call.refuse("a conversion to FLOAT or DOUBLE, or of integers to INT32 or INT64", type_name(to))),
    }
}
