//! Piecewise linear functions of single elements and of pairs, by way of ReLU.

use super::arithmetic::broadcasts_to;
use super::{Call, Interval, Result, Tensor, Value, lowering};

/// `max(0, x)`.
pub(super) fn relu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let x = call.input(0)?;
    call.relu(x)
}

/// `|x|`, which is LeakyRelu with slope -1.
pub(super) fn abs<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    leaky(call, &Tensor::scalar(Interval::point(-1.0)))
}

/// `x` where it is positive, else `alpha x`.
pub(super) fn leaky_relu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let alpha = call.float("alpha", 0.01)?;
    leaky(call, &Tensor::scalar(alpha))
}

/// LeakyRelu with slopes that broadcast to `x`; before operator set 7 they were one, or one for each channel.
pub(super) fn prelu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (x, mut slope) = (call.input(0)?, call.constant(1)?.clone());
    if call.opset < 7 && slope.shape.len() == 1 {
        slope.shape.resize(x.shape().len().saturating_sub(1).max(1), 1);
    }
    let expected = || format!("slopes that broadcast to {:?}", x.shape());
    call.require(broadcasts_to(&slope.shape, x.shape()), expected(), format!("{:?}", slope.shape))?;
    leaky(call, &slope)
}

/// `slope x + (1 - slope) relu(x)`.
fn leaky<'a>(call: &mut Call<'_, 'a>, slope: &Tensor<'_>) -> Result<Value<'a>> {
    let x = call.input(0)?;
    let one = Interval::point(1.0);
    let rest = call.reals(slope)?.iter().map(|s| lowering::add(one, -*s)).collect();
    let positive = call.relu(x)?;
    call.combine(&[(x, Some(slope)), (&positive, Some(&Tensor::real(slope.shape.clone(), rest)))])
}

/// The largest operand.
pub(super) fn max<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let first = call.input(0)?.clone();
    (1..call.inputs.len()).try_fold(first, |max, index| larger(call, &max, call.input(index)?))
}

/// The smallest operand.
pub(super) fn min<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let first = call.input(0)?.clone();
    (1..call.inputs.len()).try_fold(first, |min, index| smaller(call, &min, call.input(index)?))
}

/// `max(a, b) = a + relu(b - a)`, with a constant in the place of `a`.
fn larger<'a>(call: &mut Call<'_, 'a>, a: &Value<'a>, b: &Value<'a>) -> Result<Value<'a>> {
    let (a, b) = if matches!(b, Value::Constant(_)) { (b, a) } else { (a, b) };
    let excess = call.difference(b, a)?;
    let excess = call.relu(&excess)?;
    call.combine(&[(a, None), (&excess, None)])
}

/// `min(a, b) = a - relu(a - b)`, with a constant in the place of `a`.
fn smaller<'a>(call: &mut Call<'_, 'a>, a: &Value<'a>, b: &Value<'a>) -> Result<Value<'a>> {
    let (a, b) = if matches!(b, Value::Constant(_)) { (b, a) } else { (a, b) };
    let excess = call.difference(a, b)?;
    let excess = call.relu(&excess)?;
    call.difference(a, &excess)
}

/// `min(max(x, low), high)`. A limit at the end of the binary32 range or beyond, which is the default, is none.
pub(super) fn clip<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let mut clipped = call.input(0)?.clone();
    if let Some(low) = limit(call, "min", 1)?.filter(|low| low.lo > f64::from(f32::MIN)) {
        clipped = larger(call, &clipped, &Value::Constant(Tensor::scalar(low)))?;
    }
    if let Some(high) = limit(call, "max", 2)?.filter(|high| high.hi < f64::from(f32::MAX)) {
        clipped = smaller(call, &clipped, &Value::Constant(Tensor::scalar(high)))?;
    }
    Ok(clipped)
}

/// A limit of Clip: an attribute before operator set 11, a constant operand since.
fn limit(call: &mut Call<'_, '_>, name: &str, index: usize) -> Result<Option<Interval>> {
    let attribute = call.any_float(name)?.map(|limit| vec![Interval::point(f64::from(limit))]);
    let limit = match (attribute, call.unchecked(index)) {
        (None, None) => return Ok(None),
        (Some(attribute), None) => attribute,
        (None, Some(Value::Constant(tensor))) => call.reals(tensor)?,
        _ => return Err(call.refuse(format!("one constant as {name}"), "a computed value or two")),
    };
    match limit.as_slice() {
        [limit] if limit.lo <= limit.hi => Ok(Some(*limit)),
        _ => Err(call.refuse(format!("one number as {name}"), format!("{limit:?}"))),
    }
}

/// `max(0, min(1, alpha x + beta))`.
pub(super) fn hard_sigmoid<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (alpha, beta) = (call.float("alpha", 0.2)?, call.float("beta", 0.5)?);
    let x = call.input(0)?;
    let line = call.combine(&[(x, Some(&Tensor::scalar(alpha))), (&Value::Constant(Tensor::scalar(beta)), None)])?;
    let positive = call.relu(&line)?;
    smaller(call, &positive, &Value::Constant(Tensor::scalar(Interval::point(1.0))))
}
