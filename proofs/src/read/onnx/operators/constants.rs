//! Constants, shapes and conversions, all computed while reading.

use crate::arith::Interval;
use crate::error::ReadError;
use crate::read::onnx::call::Call;
use crate::read::onnx::model::Attribute;
use crate::read::onnx::tensor::{Elements, Tensor, type_name};
use crate::read::onnx::values::Value;

type Result<T> = std::result::Result<T, ReadError>;

/// A constant in any of the forms that hold numbers.
pub(crate) fn constant<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let real = |number: f32| Interval::point(f64::from(number));
    let (name, attribute) = call.attributes.pop().ok_or_else(|| call.refuse("a value", "none"))?;
    let tensor = match (name, attribute) {
        ("value", Attribute::Tensor(tensor)) => tensor,
        ("value_float", Attribute::Float(number)) => Tensor::scalar(real(number)),
        ("value_int", Attribute::Integer(number)) => {
            Tensor { shape: Vec::new(), elements: Elements::Integer(vec![number]) }
        }
        ("value_floats", Attribute::Floats(numbers)) => {
            Tensor { shape: vec![numbers.len()], elements: Elements::Real(numbers.into_iter().map(real).collect()) }
        }
        ("value_ints", Attribute::Integers(numbers)) => Tensor::list(numbers),
        (name, attribute) => {
            return Err(call.refuse("a value of numbers", format!("{} as attribute {name}", attribute.kind())));
        }
    };
    Ok(Value::Constant(tensor))
}

/// One number repeated in a given shape.
pub(crate) fn constant_of_shape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let list = call.list(0)?.ok_or_else(|| call.refuse("input 0", "none"))?;
    let shape: Option<Vec<usize>> = list.iter().map(|n| usize::try_from(*n).ok()).collect();
    let shape = shape.ok_or_else(|| call.refuse("a shape", format!("{list:?}")))?;
    let size = call.size(&shape)?;
    call.spend(size)?;
    let value = call.attribute("value");
    let elements = match value {
        None => Elements::Real(vec![Interval::point(0.0); size]),
        Some(Attribute::Tensor(Tensor { elements, .. })) => match elements {
            Elements::Single(numbers) if numbers.len() == 1 => Elements::Single(numbers.repeat(size).into()),
            Elements::Real(numbers) if numbers.len() == 1 => Elements::Real(numbers.repeat(size)),
            Elements::Integer(numbers) if numbers.len() == 1 => Elements::Integer(numbers.repeat(size)),
            _ => return Err(call.refuse("one number as attribute value", "several")),
        },
        Some(other) => return Err(call.refuse("a tensor as attribute value", other.kind())),
    };
    Ok(Value::Constant(Tensor { shape, elements }))
}

/// The dimensions from `start` to `end` of a value, for a batch of one.
pub(crate) fn shape<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let shape = call.input(0)?.shape();
    let rank = i64::try_from(shape.len()).unwrap_or(i64::MAX);
    let mut end = |name, default| -> Result<i64> {
        let end = call.integer(name)?.unwrap_or(default);
        Ok((if end < 0 { end.saturating_add(rank) } else { end }).clamp(0, rank))
    };
    let (start, end) = (end("start", 0)?, end("end", rank)?);
    let numbers = shape.iter().zip(0..).filter(|(_, axis)| (start..end).contains(axis));
    let numbers: Option<Vec<i64>> = numbers.map(|(n, _)| i64::try_from(*n).ok()).collect();
    Ok(Value::Constant(Tensor::list(numbers.ok_or_else(|| call.refuse("dimensions of 64 bits", "others"))?)))
}

/// Conversions between the float types, which real arithmetic does not see, among integers, and of constant integers
/// to floats.
pub(crate) fn cast<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let to = call.integer("to")?.ok_or_else(|| call.refuse("attribute to", "none"))?;
    let value = call.input(0)?;
    let integers = match value {
        Value::Constant(tensor) => tensor.integers(),
        Value::Computed { .. } => None,
    };
    let is_exact = |i: &i64| i32::try_from(*i).ok().map(|i| Interval::point(f64::from(i)));
    match (integers, to) {
        (None, 1 | 11) | (Some(_), 7) => Ok(value.clone()),
        (Some(integers), 1 | 11) => {
            let numbers: Option<Vec<Interval>> = integers.iter().map(is_exact).collect();
            let numbers = numbers.ok_or_else(|| call.refuse("integers of 32 bits", "larger ones"))?;
            Ok(Value::Constant(Tensor { shape: value.shape().to_vec(), elements: Elements::Real(numbers) }))
        }
        _ => Err(call.refuse("a conversion between floats, or of integers to floats or INT64", type_name(to))),
    }
}
