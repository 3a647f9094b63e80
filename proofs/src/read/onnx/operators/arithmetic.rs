//! Elementwise arithmetic with NumPy broadcasting: sums, products with constants, normalisation, and what does nothing.

use crate::arith::{Interval, lowering};
use crate::error::ReadError;
use crate::read::onnx::call::Call;
use crate::read::onnx::shape::{at, broadcast, broadcast_places};
use crate::read::onnx::tensor::{Elements, Tensor};
use crate::read::onnx::values::Value;

type Result<T> = std::result::Result<T, ReadError>;

/// `a + b`.
pub(crate) fn add<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    match integers(call, &a, &b, i64::checked_add)? {
        Some(folded) => Ok(folded),
        None => call.combine(&[(&a, None), (&b, None)]),
    }
}

/// `a - b`.
pub(crate) fn sub<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    match integers(call, &a, &b, i64::checked_sub)? {
        Some(folded) => Ok(folded),
        None => call.difference(&a, &b),
    }
}

/// `a b`, one of them constant.
pub(crate) fn mul<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    if let Some(folded) = integers(call, &a, &b, i64::checked_mul)? {
        return Ok(folded);
    }
    match (&a, &b) {
        (value, Value::Constant(factor)) | (Value::Constant(factor), value) => call.combine(&[(value, Some(factor))]),
        _ => Err(call.refuse("a constant factor", "two computed values")),
    }
}

/// `a / b` for a constant `b`.
pub(crate) fn div<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    if let Some(folded) = integers(call, &a, &b, i64::checked_div)? {
        return Ok(folded);
    }
    let Value::Constant(divisor) = b else { return Err(call.refuse("a constant divisor", "a computed value")) };
    let one = Interval::point(1.0);
    let reciprocals: Option<Vec<_>> = call.reals(&divisor)?.iter().map(|d| lowering::divide(one, *d)).collect();
    let reciprocals = reciprocals.ok_or_else(|| call.refuse("a divisor without zeros", "a zero"))?;
    call.combine(&[(&a, Some(&Tensor { shape: divisor.shape, elements: Elements::Real(reciprocals) }))])
}

/// `-a`.
pub(crate) fn neg<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let zero = Value::Constant(Tensor::scalar(Interval::point(0.0)));
    call.difference(&zero, call.input(0)?)
}

/// The sum of all operands.
pub(crate) fn sum<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    weighted_sum(call, None)
}

/// The mean of all operands.
pub(crate) fn mean<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let share = Tensor::scalar(lowering::one_over(call.inputs.len()));
    weighted_sum(call, Some(&share))
}

fn weighted_sum<'a>(call: &mut Call<'_, 'a>, factor: Option<&Tensor<'_>>) -> Result<Value<'a>> {
    call.input(0)?;
    let terms = (0..call.inputs.len()).map(|i| Ok((call.input(i)?, factor))).collect::<Result<Vec<_>>>()?;
    call.combine(&terms)
}

/// `(x - mean) / sqrt(variance + epsilon) * scale + shift` for each channel, as a factor and an offset.
pub(crate) fn batch_normalization<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let epsilon = call.float("epsilon", 1e-5)?;
    call.float("momentum", 0.9)?;
    require_inference(call, None)?;
    let is_spatial = call.flag("spatial", true)?;
    call.require(is_spatial, "statistics for each channel", "attribute spatial = 0")?;
    let x = call.input(0)?;
    let mut statistics = Vec::new();
    for index in 1..=4 {
        let tensor = call.constant(index)?;
        let expected = format!("shape [{}] as input {index}", at(x.shape(), 1));
        call.require(tensor.shape == [at(x.shape(), 1)], expected, format!("{:?}", tensor.shape))?;
        statistics.push(call.reals(tensor)?);
    }
    let [scale, shift, mean, variance] = statistics.as_slice() else { return Err(call.refuse("5 inputs", "others")) };
    let factor = |(scale, variance): (&Interval, &Interval)| {
        lowering::divide(*scale, lowering::add(*variance, epsilon).square_root()?)
    };
    let factors: Option<Vec<Interval>> = scale.iter().zip(variance).map(factor).collect();
    let factors = factors.ok_or_else(|| call.refuse("variance + epsilon above zero", "less"))?;
    let offset =
        |((f, mean), shift): ((&Interval, &Interval), &Interval)| lowering::add(*shift, -lowering::multiply(*f, *mean));
    let offsets = factors.iter().zip(mean).zip(shift).map(offset).collect();
    let mut shape = vec![factors.len()];
    shape.resize(x.shape().len().saturating_sub(1), 1);
    let factors = Tensor { shape: shape.clone(), elements: Elements::Real(factors) };
    let offsets = Value::Constant(Tensor { shape, elements: Elements::Real(offsets) });
    call.combine(&[(x, Some(&factors)), (&offsets, None)])
}

/// Dropout at inference, which is the identity.
pub(crate) fn dropout<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.float("ratio", 0.5)?;
    call.integer("seed")?;
    require_inference(call, Some(2))?;
    identity(call)
}

/// The same value.
pub(crate) fn identity<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.unchecked(0).ok_or_else(|| call.refuse("input 0", "none"))?;
    Ok(value.clone())
}

/// Refuses an operator in training mode, as an attribute or operand says it.
fn require_inference(call: &mut Call<'_, '_>, operand: Option<usize>) -> Result<()> {
    let is_training = call.flag("training_mode", false)?;
    let is_test = if call.opset < 7 { call.flag("is_test", false)? } else { true };
    let operand = operand.map_or(Ok(None), |index| call.list(index))?;
    let is_inference = is_test && !is_training && operand.is_none_or(|flags| flags == [0]);
    call.require(is_inference, "inference mode", "training mode")
}

/// Two operands, the second shaped as NumPy broadcasts it: before operator set 7 its dimensions were matched from
/// `axis` on, or had to be equal.
fn operands<'a>(call: &mut Call<'_, 'a>) -> Result<(Value<'a>, Value<'a>)> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if call.opset >= 7 {
        return Ok((a.clone(), b.clone()));
    }
    let (rank, ones) = (a.shape().len(), b.shape().len());
    let behind = rank.checked_sub(ones).ok_or_else(|| call.refuse(format!("at most {rank} dimensions"), "more"))?;
    let axis = match call.integer("axis")? {
        Some(axis) => call.axis(axis, rank)?,
        None => behind,
    };
    let mut shape = b.shape().to_vec();
    shape.resize(rank.saturating_sub(axis).max(ones), 1);
    let is_broadcast = call.flag("broadcast", false)?;
    let fits =
        if is_broadcast { broadcast(a.shape(), &shape).is_some_and(|s| s == a.shape()) } else { a.shape() == shape };
    call.require(fits, format!("a second operand that fits {:?}", a.shape()), format!("{:?}", b.shape()))?;
    Ok((a.clone(), b.reshaped(shape)))
}

/// The result for two constants of integers, such as parts of a shape.
fn integers<'a>(
    call: &Call<'_, 'a>,
    a: &Value<'a>,
    b: &Value<'a>,
    operation: impl Fn(i64, i64) -> Option<i64>,
) -> Result<Option<Value<'a>>> {
    let (Value::Constant(a), Value::Constant(b)) = (a, b) else { return Ok(None) };
    let (Some(x), Some(y)) = (a.integers(), b.integers()) else { return Ok(None) };
    let shape = broadcast(&a.shape, &b.shape).ok_or_else(|| call.refuse("shapes that broadcast", "others"))?;
    let size = call.size(&shape)?;
    let (x_places, y_places) = (broadcast_places(&a.shape, &shape), broadcast_places(&b.shape, &shape));
    let number = |numbers: &[i64], places: &Option<Vec<Option<usize>>>, i: usize| {
        numbers.get(places.as_ref().map_or(Some(i), |p| p.get(i).copied().flatten())?).copied()
    };
    let result = (0..size).map(|i| operation(number(x, &x_places, i)?, number(y, &y_places, i)?));
    let integers: Option<Vec<i64>> = result.collect();
    let integers = integers.ok_or_else(|| call.refuse("integers of 64 bits", "an overflow or a division by zero"))?;
    Ok(Some(Value::Constant(Tensor { shape, elements: Elements::Integer(integers) })))
}
