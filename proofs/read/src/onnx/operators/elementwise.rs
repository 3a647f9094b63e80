//! Functions of single elements with NumPy broadcasting: sums, products with constants, normalisation, what does
//! nothing, and what is piecewise linear by way of ReLU.

use super::{Call, Elements, Interval, ONE, Result, Rounding, Value, ZERO, at, broadcast, lowering};

/// `a + b`, `a - b`, `a b` with a constant factor, `a / b` for a constant `b`.
pub(super) fn arithmetic<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (a, b) = operands(call)?;
    if a.integers().is_some() && b.integers().is_some() {
        return integers(call, &a, &b);
    }
    match (call.operator, a.node(), b.node()) {
        ("Add", ..) => call.combine(&[(&a, None), (&b, None)]),
        ("Sub", ..) => difference(call, &a, &b),
        ("Mul", _, None) => call.combine(&[(&a, Some(&b))]),
        ("Mul", None, _) => call.combine(&[(&b, Some(&a))]),
        ("Div", _, None) => {
            let reciprocals = call.reals(&b)?.iter().map(|d| lowering::divide(ONE, *d)).collect();
            let reciprocals: Vec<Interval> = call.demand(reciprocals, "a divisor without zeros", "a zero")?;
            if !reciprocals.iter().all(|r| lowering::is_moderate(*r)) {
                call.only_real("divides by numbers beyond 2^40 or below 2^-40");
            }
            // An execution may multiply by the reciprocal, which it has rounded.
            let reciprocals = Value::real(b.shape, reciprocals);
            call.rounding(Rounding::Sums(1), |call| call.combine(&[(&a, Some(&reciprocals))]))
        }
        ("Div", ..) => Err(call.refuse("a constant divisor", b.kind())),
        _ => Err(call.refuse("a constant factor", "two computed values")),
    }
}

/// The same for two constants of integers, such as parts of a shape.
fn integers<'a>(call: &mut Call<'_, 'a>, a: &Value<'a>, b: &Value<'a>) -> Result<Value<'a>> {
    let operation: fn(i64, i64) -> Option<i64> = match call.operator {
        "Add" => i64::checked_add,
        "Sub" => i64::checked_sub,
        "Mul" => i64::checked_mul,
        "Max" => |a, b| Some(a.max(b)),
        "Min" => |a, b| Some(a.min(b)),
        _ => i64::checked_div,
    };
    let shape = call.demand(broadcast(&a.shape, &b.shape), "shapes that broadcast", "others")?;
    let (x, y) = (call.stretch(a, &shape)?, call.stretch(b, &shape)?);
    let pairs = x.integers().into_iter().flatten().zip(y.integers().into_iter().flatten());
    let results = pairs.map(|(x, y)| operation(*x, *y)).collect();
    let results = call.demand(results, "integers of 64 bits", "an overflow or a division by zero")?;
    Ok(Value { shape, elements: Elements::Integer(results) })
}

/// Two operands, the second shaped as NumPy broadcasts it: before operator set 7 its dimensions were matched from
/// `axis` on, by default with the last ones, or had to be equal.
pub(super) fn operands<'a>(call: &mut Call<'_, 'a>) -> Result<(Value<'a>, Value<'a>)> {
    let (a, b) = (call.input(0)?, call.input(1)?);
    if call.opset >= 7 {
        return Ok((a.clone(), b.clone()));
    }
    let (rank, mut shape) = (a.shape.len(), b.shape.clone());
    let matched = call.integer("axis")?.map(|axis| call.axis(axis, rank)).transpose()?;
    shape.resize(matched.map_or(shape.len(), |axis| rank - axis), 1);
    let is_broadcast = call.flag("broadcast", false)? && shape.starts_with(&b.shape);
    let fits = if is_broadcast { broadcasts_to(&shape, &a.shape) } else { b.shape == a.shape };
    call.require(fits, format!("a second operand that fits {:?}", a.shape), format!("{:?}", b.shape))?;
    Ok((a.clone(), b.reshaped(shape)))
}

/// Whether broadcasting with a shape gives that shape.
pub(super) fn broadcasts_to(from: &[usize], to: &[usize]) -> bool {
    broadcast(from, to).is_some_and(|common| common == to)
}

fn difference<'a>(call: &mut Call<'_, 'a>, a: &Value<'a>, b: &Value<'a>) -> Result<Value<'a>> {
    call.combine(&[(a, None), (b, Some(&Value::scalar(-ONE)))])
}

/// The sum of all operands, their mean, or minus the only one.
pub(super) fn sum<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (count, factor) = match (call.operator, call.inputs.len()) {
        ("Neg", _) => (1, Some(Value::scalar(-ONE))),
        ("Mean", count) => (count, Some(Value::scalar(lowering::one_over(count)))),
        (_, count) => (count, None),
    };
    let terms = (0..count.max(1)).map(|i| Ok((call.input(i)?, factor.as_ref()))).collect::<Result<Vec<_>>>()?;
    // The mean may be computed with the reciprocal of the count, rounded.
    let extra = usize::from(call.operator == "Mean");
    call.rounding(Rounding::Sums(extra), |call| call.combine(&terms))
}

/// The most roundings with which executions compute the factor of a normalisation and apply it: a sum, a root, a reciprocal,
/// products with the scale and with what it is folded into, and the differences and sums around them.
const FACTOR_ROUNDINGS: usize = 8;

/// Numbers of a normalisation up to this size cannot make an execution overflow.
const MODERATE: f64 = 1_099_511_627_776.0;

/// `(x - mean) / sqrt(variance + epsilon) * scale + shift` for each channel, as a factor and an offset.
pub(super) fn batch_normalization<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let epsilon = call.float("epsilon", 1e-5)?;
    call.float("momentum", 0.9)?;
    require_inference(call)?;
    let is_spatial = call.flag("spatial", true)?;
    call.require(is_spatial, "statistics for each channel", "attribute spatial = 0")?;
    let x = call.input(0)?;
    let channels = at(&x.shape, 1);
    let by_channel = [vec![channels], vec![1; x.shape.len().saturating_sub(2)]].concat();
    let statistic = |index| -> Result<Value<'a>> {
        let value = call.input(index)?;
        let expected = format!("shape [{channels}] as input {index}");
        call.require(channels > 0 && value.shape == [channels], expected, format!("{:?}", value.shape))?;
        Ok(value.reshaped(by_channel.clone()))
    };
    let (scale, shift, mean, variance) = (statistic(1)?, statistic(2)?, statistic(3)?, statistic(4)?);
    let deviation = |variance: Interval| lowering::add(variance, epsilon).square_root();
    let inverse = |variance: Interval| lowering::divide(ONE, deviation(variance)?);
    let is_moderate = |value: &Value<'_>| value.reals().into_iter().flatten().all(|x| x.magnitude() <= MODERATE);
    let inverses = call.reals(&variance)?.into_iter().map(|variance| inverse(variance).unwrap_or(ZERO));
    if !(inverses.into_iter().all(lowering::is_moderate) && [&scale, &shift, &mean].into_iter().all(is_moderate)) {
        call.only_real("normalises with numbers beyond 2^40 or below 2^-40");
    }
    let pairs = call.reals(&scale)?.into_iter().zip(call.reals(&variance)?);
    let factors = pairs.map(|(scale, variance)| lowering::divide(scale, deviation(variance)?)).collect();
    let factors: Vec<Interval> = call.demand(factors, "variance + epsilon above zero", "less")?;
    let negated = Value::real(by_channel.clone(), factors.iter().map(|factor| -*factor).collect());
    let factors = Value::real(by_channel, factors);
    let parts = [(x, Some(&factors)), (&shift, None), (&mean, Some(&negated))];
    call.rounding(Rounding::Sums(FACTOR_ROUNDINGS), |call| call.combine(&parts))
}

/// The same value; Dropout at inference is that too.
pub(super) fn identity<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    if call.operator == "Dropout" {
        call.float("ratio", 0.5)?;
        call.integer("seed")?;
        require_inference(call)?;
        let is_inference = call.list(2)?.is_none_or(|flags| flags == [0]);
        call.require(is_inference, "inference mode", "training mode")?;
    }
    call.demand(call.unchecked(0).cloned(), "input 0", "none")
}

/// Refuses an operator that an attribute puts in training mode.
fn require_inference(call: &mut Call<'_, '_>) -> Result<()> {
    let is_training = call.flag("training_mode", false)? || !(call.opset >= 7 || call.flag("is_test", false)?);
    call.require(!is_training, "inference mode", "training mode")
}

/// An activation that ends the graph and keeps the order of the outputs is left out: a Sigmoid, or a Softmax over the
/// last axis of `[1, classes]`.
pub(super) fn activation<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let expected = "a piecewise linear operator, or this one only at the very end";
    call.require(call.is_last, expected, call.operator)?;
    let shape = call.input(0)?.shape.as_slice();
    if call.operator != "Sigmoid" {
        let axis = call.integer("axis")?.unwrap_or(1);
        let is_row = matches!(shape, [1, _]) && call.axis(axis, 2)? == 1;
        call.require(is_row, "the classes of one row as its axis", format!("axis {axis} of {shape:?}"))?;
    }
    call.network.dropped = Some(format!("{} ({})", call.operator, call.name));
    call.input(0).cloned()
}

/// `x` where it is positive, else `slope x`: `slope x + (1 - slope) relu(x)`. The slope is -1 for Abs and alpha for
/// LeakyRelu; those of PRelu broadcast to `x`, before operator set 7 they were one, or one for each channel.
pub(super) fn leaky_relu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let x = call.input(0)?;
    let mut slope = match call.operator {
        "Abs" => Value::scalar(-ONE),
        "LeakyRelu" => Value::scalar(call.float("alpha", 0.01)?),
        _ => call.input(1)?.clone(),
    };
    if call.opset < 7 && slope.shape.len() == 1 {
        slope.shape.resize(x.shape.len().saturating_sub(1).max(1), 1);
    }
    let fits = broadcasts_to(&slope.shape, &x.shape);
    call.require(fits, format!("slopes that broadcast to {:?}", x.shape), format!("{:?}", slope.shape))?;
    let rest = call.reals(&slope)?.iter().map(|slope| lowering::add(ONE, -*slope)).collect();
    let (positive, rest) = (call.relu(x)?, Value::real(slope.shape.clone(), rest));
    let rounding = if call.operator == "Abs" { Rounding::Nothing } else { Rounding::Sums(0) };
    call.rounding(rounding, |call| call.combine(&[(x, Some(&slope)), (&positive, Some(&rest))]))
}

/// The largest or smallest operand.
pub(super) fn extreme<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (first, is_max) = (call.input(0)?.clone(), call.operator == "Max");
    (1..call.inputs.len()).try_fold(first, |found, index| limit(call, &found, call.input(index)?, is_max))
}

/// `max(a, b) = a + relu(b - a)` or `min(a, b) = a - relu(a - b)`, with a constant in the place of `a`.
fn limit<'a>(call: &mut Call<'_, 'a>, a: &Value<'a>, b: &Value<'a>, is_max: bool) -> Result<Value<'a>> {
    if a.integers().is_some() && b.integers().is_some() {
        return integers(call, a, b);
    }
    let (a, b) = if b.node().is_none() { (b, a) } else { (a, b) };
    call.rounding(Rounding::Nothing, |call| {
        let excess = if is_max { difference(call, b, a)? } else { difference(call, a, b)? };
        let excess = call.relu(&excess)?;
        if is_max { call.combine(&[(a, None), (&excess, None)]) } else { difference(call, a, &excess) }
    })
}

/// `min(max(x, low), high)`: limits are attributes before operator set 11, constant operands since. A limit at the end
/// of the binary32 range or beyond, which is the default, is none.
pub(super) fn clip<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let mut clipped = call.input(0)?.clone();
    for (name, index) in [("min", 1), ("max", 2)] {
        let Some(bound) = call.number_or(name, index)? else { continue };
        let is_limit = if index == 1 { bound.lo > f32::MIN.into() } else { bound.hi < f32::MAX.into() };
        if is_limit {
            clipped = limit(call, &clipped, &Value::scalar(bound), index == 1)?;
        }
    }
    Ok(clipped)
}

/// `max(0, min(1, alpha x + beta))`.
pub(super) fn hard_sigmoid<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (alpha, beta) = (call.float("alpha", 0.2)?, call.float("beta", 0.5)?);
    let line = call.combine(&[(call.input(0)?, Some(&Value::scalar(alpha))), (&Value::scalar(beta), None)])?;
    let positive = call.relu(&line)?;
    limit(call, &positive, &Value::scalar(ONE), false)
}

/// `max(0, x)`.
pub(super) fn relu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.relu(call.input(0)?)
}

/// `ThresholdedRelu` at the one threshold where it does not jump, 0.
pub(super) fn thresholded_relu<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let alpha = call.float("alpha", 1.0)?;
    call.require(alpha == ZERO, "alpha 0, elsewhere it jumps", alpha.lo)?;
    call.relu(call.input(0)?)
}

/// `Shrink` with a bias that is the threshold, with others it jumps: `relu(x - bias) - relu(-x - bias)`.
pub(super) fn shrink<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let (bias, threshold) = (call.float("bias", 0.0)?, call.float("lambd", 0.5)?);
    let is_continuous = bias == threshold && bias.lo >= 0.0;
    let found = format!("bias {} and lambd {}", bias.lo, threshold.lo);
    call.require(is_continuous, "a bias equal to lambd and not negative, elsewhere it jumps", found)?;
    let (x, shift) = (call.input(0)?, Value::scalar(-bias));
    let above = call.combine(&[(x, None), (&shift, None)])?;
    let below = call.combine(&[(x, Some(&Value::scalar(-ONE))), (&shift, None)])?;
    let (above, below) = (call.relu(&above)?, call.relu(&below)?);
    call.rounding(Rounding::Nothing, |call| difference(call, &above, &below))
}
