//! Piecewise linear functions of single elements and of pairs, by way of ReLU.

use crate::arith::{Interval, lowering};
use crate::error::ReadError;
use crate::read::onnx::call::Call;
use crate::read::onnx::model::Attribute;
use crate::read::onnx::tensor::{Elements, Tensor};
use crate::read::onnx::values::Value;

type Result<T> = std::result::Result<T, ReadError>;

/// `max(0, x)`.
pub(crate) fn relu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let x = call.input(0)?;
    call.relu(x)
}

/// `|x| = 2 relu(x) - x`.
pub(crate) fn abs<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    leaky(call, &Tensor::scalar(Interval::point(-1.0)))
}

/// `x` where it is positive, else `alpha x`.
pub(crate) fn leaky_relu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let alpha = call.float("alpha", 0.01)?;
    leaky(call, &Tensor::scalar(alpha))
}

/// LeakyRelu with a slope that is broadcast to `x`; before operator set 7 it was one number or one for each channel.
pub(crate) fn prelu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (x, slope) = (call.input(0)?, call.constant(1)?);
    let mut slope = slope.clone();
    if call.opset < 7 && slope.shape.len() == 1 {
        slope.shape.resize(x.shape().len().saturating_sub(1).max(1), 1);
    }
    let common = crate::read::onnx::shape::broadcast(x.shape(), &slope.shape);
    let fits = common.is_some_and(|common| common == x.shape());
    call.require(fits, format!("a slope that broadcasts to {:?}", x.shape()), format!("{:?}", slope.shape))?;
    leaky(call, &slope)
}

/// `slope x + (1 - slope) relu(x)`.
fn leaky<'a>(call: &mut Call<'_, 'a>, slope: &Tensor<'_>) -> Result<Value<'a>> {
    let x = call.input(0)?;
    let one = Interval::point(1.0);
    let rest = call.reals(slope)?.iter().map(|s| lowering::add(one, -*s)).collect();
    let rest = Tensor { shape: slope.shape.clone(), elements: Elements::Real(rest) };
    let positive = call.relu(x)?;
    call.combine(&[(x, Some(slope)), (&positive, Some(&rest))])
}

/// The largest operand.
pub(crate) fn max<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    fold(call, larger)
}

/// The smallest operand.
pub(crate) fn min<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    fold(call, smaller)
}

fn fold<'a>(
    call: &mut Call<'_, 'a>,
    step: impl Fn(&mut Call<'_, 'a>, &Value<'a>, &Value<'a>) -> Result<Value<'a>>,
) -> Result<Value<'a>> {
    let mut extreme = call.input(0)?.clone();
    for index in 1..call.inputs.len() {
        let next = call.input(index)?;
        extreme = step(call, &extreme, next)?;
    }
    Ok(extreme)
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

/// `min(max(x, low), high)`, the limits given as attributes before operator set 11 and as operands since.
pub(crate) fn clip<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let x = call.input(0)?;
    let low = limit(call, "min", 1)?.filter(|low| low.lo > f64::from(f32::MIN));
    let high = limit(call, "max", 2)?.filter(|high| high.lo < f64::from(f32::MAX));
    let at_least = match low {
        Some(low) => larger(call, &Value::Constant(Tensor::scalar(low)), x)?,
        None => x.clone(),
    };
    match high {
        Some(high) => smaller(call, &Value::Constant(Tensor::scalar(high)), &at_least),
        None => Ok(at_least),
    }
}

/// A limit of Clip. One at the end of the binary32 range or beyond, which is the default, means that there is none.
fn limit(call: &mut Call<'_, '_>, name: &str, index: usize) -> Result<Option<Interval>> {
    let attribute = match call.attribute(name) {
        None => None,
        Some(Attribute::Float(limit)) => Some(Interval::point(f64::from(limit))),
        Some(other) => return Err(call.refuse(format!("a float as attribute {name}"), other.kind())),
    };
    let operand = match call.unchecked(index) {
        None => None,
        Some(Value::Constant(tensor)) => tensor.reals().and_then(|r| if let [limit] = *r { Some(limit) } else { None }),
        Some(Value::Computed { .. }) => None,
    };
    let is_known = operand.is_some() || call.unchecked(index).is_none();
    let limit = attribute.or(operand);
    let is_number = limit.is_none_or(|limit| limit.lo <= limit.hi);
    let expected = format!("one constant number as {name}");
    call.require(is_known && is_number && (attribute.is_none() || operand.is_none()), expected, "something else")?;
    Ok(limit)
}

/// `max(0, min(1, alpha x + beta))`.
pub(crate) fn hard_sigmoid<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let alpha = Tensor::scalar(call.float("alpha", 0.2)?);
    let beta = Value::Constant(Tensor::scalar(call.float("beta", 0.5)?));
    let x = call.input(0)?;
    let line = call.combine(&[(x, Some(&alpha)), (&beta, None)])?;
    let positive = call.relu(&line)?;
    smaller(call, &Value::Constant(Tensor::scalar(Interval::point(1.0))), &positive)
}
