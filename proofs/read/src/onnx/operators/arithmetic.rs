//! Elementwise arithmetic with NumPy broadcasting: sums, products with constants, normalisation, and what does nothing.

use super::{Call, Elements, Interval, Result, Tensor, Value, at, broadcast, broadcast_places, lowering};

/// `a + b`.
pub(super) fn add<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    match integers(call, &a, &b, i64::checked_add)? {
        Some(folded) => Ok(folded),
        None => call.combine(&[(&a, None), (&b, None)]),
    }
}

/// `a - b`.
pub(super) fn sub<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    match integers(call, &a, &b, i64::checked_sub)? {
        Some(folded) => Ok(folded),
        None => call.difference(&a, &b),
    }
}

/// `a b`, one of them constant.
pub(super) fn mul<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    match (integers(call, &a, &b, i64::checked_mul)?, &a, &b) {
        (Some(folded), ..) => Ok(folded),
        (None, x, Value::Constant(factor)) | (None, Value::Constant(factor), x) => call.combine(&[(x, Some(factor))]),
        _ => Err(call.refuse("a constant factor", "two computed values")),
    }
}

/// `a / b` for a constant `b`.
pub(super) fn div<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    if let Some(folded) = integers(call, &a, &b, i64::checked_div)? {
        return Ok(folded);
    }
    let Value::Constant(divisor) = b else { return Err(call.refuse("a constant divisor", "a computed value")) };
    let one = Interval::point(1.0);
    let reciprocals: Option<Vec<_>> = call.reals(&divisor)?.iter().map(|d| lowering::divide(one, *d)).collect();
    let reciprocals = reciprocals.ok_or_else(|| call.refuse("a divisor without zeros", "a zero"))?;
    call.combine(&[(&a, Some(&Tensor::real(divisor.shape, reciprocals)))])
}

/// `-a`.
pub(super) fn neg<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let a = call.input(0)?;
    call.combine(&[(a, Some(&Tensor::scalar(Interval::point(-1.0))))])
}

/// The sum of all operands.
pub(super) fn sum<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    weighted_sum(call, None)
}

/// The mean of all operands.
pub(super) fn mean<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let share = Tensor::scalar(lowering::one_over(call.inputs.len()));
    weighted_sum(call, Some(&share))
}

fn weighted_sum<'a>(call: &mut Call<'_, 'a>, factor: Option<&Tensor<'_>>) -> Result<Value<'a>> {
    let terms = (0..call.inputs.len().max(1)).map(|i| Ok((call.input(i)?, factor))).collect::<Result<Vec<_>>>()?;
    call.combine(&terms)
}

/// `(x - mean) / sqrt(variance + epsilon) * scale + shift` for each channel, as a factor and an offset.
pub(super) fn batch_normalization<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let epsilon = call.float("epsilon", 1e-5)?;
    call.float("momentum", 0.9)?;
    require_inference(call, None)?;
    let is_spatial = call.flag("spatial", true)?;
    call.require(is_spatial, "statistics for each channel", "attribute spatial = 0")?;
    let x = call.input(0)?;
    let channels = at(x.shape(), 1);
    let statistic = |index| {
        let tensor = call.constant(index)?;
        let expected = format!("shape [{channels}] as input {index}");
        call.require(channels > 0 && tensor.shape == [channels], expected, format!("{:?}", tensor.shape))?;
        call.reals(tensor)
    };
    let (scale, shift, mean, variance) = (statistic(1)?, statistic(2)?, statistic(3)?, statistic(4)?);
    let deviation = |variance: &Interval| lowering::add(*variance, epsilon).square_root();
    let factors = scale.iter().zip(&variance).map(|(scale, v)| lowering::divide(*scale, deviation(v)?));
    let factors: Option<Vec<Interval>> = factors.collect();
    let factors = factors.ok_or_else(|| call.refuse("variance + epsilon above zero", "less"))?;
    let means = factors.iter().zip(&mean).map(|(factor, mean)| lowering::multiply(*factor, *mean));
    let offsets = shift.iter().zip(means).map(|(shift, mean)| lowering::add(*shift, -mean)).collect();
    let mut shape = vec![1; x.shape().len() - 1];
    shape.splice(..1, [channels]);
    let offsets = Value::Constant(Tensor::real(shape.clone(), offsets));
    call.combine(&[(x, Some(&Tensor::real(shape, factors))), (&offsets, None)])
}

/// Dropout at inference, which is the identity.
pub(super) fn dropout<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.float("ratio", 0.5)?;
    call.integer("seed")?;
    require_inference(call, Some(2))?;
    identity(call)
}

/// The same value.
pub(super) fn identity<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.unchecked(0).cloned().ok_or_else(|| call.refuse("input 0", "none"))
}

/// Refuses an operator in training mode, as an attribute or operand says it.
fn require_inference(call: &mut Call<'_, '_>, operand: Option<usize>) -> Result<()> {
    let is_training = call.flag("training_mode", false)?;
    let is_test = call.opset >= 7 || call.flag("is_test", false)?;
    let operand = operand.map_or(Ok(None), |index| call.list(index))?;
    let is_inference = is_test && !is_training && operand.is_none_or(|flags| flags == [0]);
    call.require(is_inference, "inference mode", "training mode")
}

/// Two operands, the second shaped as NumPy broadcasts it: before operator set 7 its dimensions were matched from
/// `axis` on, by default with the last ones, or had to be equal.
fn operands<'a>(call: &mut Call<'_, 'a>) -> Result<(Value<'a>, Value<'a>)> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if call.opset >= 7 {
        return Ok((a.clone(), b.clone()));
    }
    let (rank, mut shape) = (a.shape().len(), b.shape().to_vec());
    let matched = call.integer("axis")?.map(|axis| call.axis(axis, rank)).transpose()?;
    shape.resize(matched.map_or(shape.len(), |axis| rank - axis), 1);
    let is_broadcast = call.flag("broadcast", false)? && shape.starts_with(b.shape());
    let fits = if is_broadcast { broadcasts_to(&shape, a.shape()) } else { b.shape() == a.shape() };
    call.require(fits, format!("a second operand that fits {:?}", a.shape()), format!("{:?}", b.shape()))?;
    Ok((a.clone(), b.reshaped(shape)))
}

/// Whether broadcasting with a shape gives that shape.
pub(super) fn broadcasts_to(from: &[usize], to: &[usize]) -> bool {
    broadcast(from, to).is_some_and(|common| common == to)
}

/// The result for two constants of integers, such as parts of a shape.
fn integers<'a>(
    call: &mut Call<'_, 'a>,
    a: &Value<'a>,
    b: &Value<'a>,
    operation: impl Fn(i64, i64) -> Option<i64>,
) -> Result<Option<Value<'a>>> {
    if a.integers().is_none() || b.integers().is_none() {
        return Ok(None);
    }
    let shape = broadcast(a.shape(), b.shape()).ok_or_else(|| call.refuse("shapes that broadcast", "others"))?;
    let mut stretched = |value: &Value<'a>| match broadcast_places(value.shape(), &shape) {
        Some(places) => call.place(value, shape.clone(), places),
        None => Ok(value.clone()),
    };
    let (x, y) = (stretched(a)?, stretched(b)?);
    let pairs = x.integers().into_iter().flatten().zip(y.integers().into_iter().flatten());
    let results: Option<Vec<i64>> = pairs.map(|(x, y)| operation(*x, *y)).collect();
    let integers = results.ok_or_else(|| call.refuse("integers of 64 bits", "an overflow or a division by zero"))?;
    Ok(Some(Value::Constant(Tensor { shape, elements: Elements::Integer(integers) })))
}
