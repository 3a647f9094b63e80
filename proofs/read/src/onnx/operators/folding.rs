//! Functions of constants, computed while reading: arithmetic of shapes, masks, and factors that exporters leave as a root
//! or a power.
//!
//! Real arithmetic decides. Where an execution that rounds might decide otherwise, whether one constant is below another
//! or which integer it rounds to, a model is refused.

use std::cmp::Ordering;

use super::elementwise::operands;
use super::{Call, Elements, Interval, ONE, Result, Value, broadcast, lowering};

/// The largest exponent, or reciprocal of one, that is multiplied out.
const LARGEST_EXPONENT: i64 = 16;

/// A constant of the same shape, element by element.
fn map<'a>(call: &mut Call<'_, 'a>, expected: &str, f: impl Fn(Interval) -> Option<Interval>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let numbers = call.reals(value)?;
    call.spend(numbers.len())?;
    let results = numbers.iter().map(|x| f(*x).filter(|y| y.is_finite())).collect();
    Ok(Value::real(value.shape.clone(), call.demand(results, expected, "others")?))
}

/// `Sqrt` and `Reciprocal`, and `Pow` with an exponent that is an integer or 1/2, all of constants.
pub(super) fn power<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.only_real("computes constants from constants");
    let reciprocal = |x| lowering::divide(ONE, x);
    match call.operator {
        "Sqrt" => return map(call, "numbers that are not negative", Interval::square_root),
        "Reciprocal" => return map(call, "numbers other than zero", reciprocal),
        _ => {}
    }
    if call.opset < 7 {
        call.flag("broadcast", false)?;
        call.integer("axis")?;
    }
    let value = call.input(1)?;
    let is_one = value.shape.iter().all(|n| *n == 1);
    let integer = value.integers().and_then(|list| list.first()).copied();
    let number = integer.map_or_else(|| value.number(0), |n| i32::try_from(n).ok().map(|n| Interval::point(n.into())));
    let exponent = call.demand(number.filter(|_| is_one), "one constant exponent", value.kind())?;
    let is_root = exponent.magnitude() == 0.5;
    let whole = if is_root { Some(1) } else { lowering::integer(exponent).map(i64::abs) };
    let whole = whole.filter(|n| *n <= LARGEST_EXPONENT);
    let whole = call.demand(whole, "an exponent that is an integer up to 16 or 0.5", exponent.lo)?;
    map(call, "numbers with such a power", |x| {
        let base = if is_root { x.square_root()? } else { x };
        let product = (0..whole).fold(ONE, |product, _| lowering::multiply(product, base));
        if exponent.lo < 0.0 { reciprocal(product) } else { Some(product) }
    })
}

/// `Floor` and `Ceil` of constants.
pub(super) fn round<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let direction = if call.operator == "Floor" { f64::floor } else { f64::ceil };
    map(call, "numbers that are integers or not near one", |x| lowering::to_whole(x, direction))
}

/// Two constants, broadcast to one shape.
fn pair<'a>(call: &mut Call<'_, 'a>) -> Result<[Value<'a>; 2]> {
    let (a, b) = operands(call)?;
    for value in [&a, &b] {
        call.require(value.node().is_none(), "constants", value.kind())?;
    }
    let shape = call.demand(broadcast(&a.shape, &b.shape), "shapes that broadcast", "others")?;
    Ok([call.stretch(&a, &shape)?, call.stretch(&b, &shape)?])
}

/// `Equal`, `Greater`, `Less`, `GreaterOrEqual` and `LessOrEqual` of constants.
pub(super) fn compare<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let [a, b] = pair(call)?;
    let holds: fn(Ordering) -> bool = match call.operator {
        "Equal" => Ordering::is_eq,
        "Greater" => Ordering::is_gt,
        "Less" => Ordering::is_lt,
        "GreaterOrEqual" => Ordering::is_ge,
        _ => Ordering::is_le,
    };
    let truths: Option<Vec<i64>> = match (a.integers(), b.integers()) {
        (Some(a), Some(b)) => Some(a.iter().zip(b).map(|(a, b)| holds(a.cmp(b)).into()).collect()),
        _ => {
            let pairs = call.reals(&a)?.into_iter().zip(call.reals(&b)?);
            pairs.map(|(a, b)| lowering::order(a, b).map(|order| holds(order).into())).collect()
        }
    };
    let truths = call.demand(truths, "numbers that are equal or not near each other", "others")?;
    Ok(Value { shape: a.shape, elements: Elements::Integer(truths) })
}

/// `And`, `Or`, `Xor` of constants.
pub(super) fn connect<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let [a, b] = pair(call)?;
    let connective: fn(bool, bool) -> bool = match call.operator {
        "And" => |a, b| a && b,
        "Or" => |a, b| a || b,
        _ => |a, b| a != b,
    };
    let lists = call.demand(a.integers().zip(b.integers()), "truth values", "floats")?;
    let truths = lists.0.iter().zip(lists.1).map(|(a, b)| connective(*a != 0, *b != 0).into()).collect();
    Ok(Value { shape: a.shape.clone(), elements: Elements::Integer(truths) })
}

/// `Not` of constants.
pub(super) fn not<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let value = call.input(0)?;
    let truths = call.demand(value.integers(), "constant truth values", value.kind())?;
    let negated = truths.iter().map(|truth| i64::from(*truth == 0)).collect();
    Ok(Value { shape: value.shape.clone(), elements: Elements::Integer(negated) })
}

/// `Mod` of constant integers: with the sign of the divisor, with `fmod` that of the dividend.
pub(super) fn remainder<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let follows_dividend = call.flag("fmod", false)?;
    let [a, b] = pair(call)?;
    let (dividends, divisors) = call.demand(a.integers().zip(b.integers()), "integers", "floats")?;
    let remainder = |(a, b): (&i64, &i64)| {
        let remainder = a.checked_rem(*b)?;
        let is_turned = !follows_dividend && remainder != 0 && (remainder < 0) != (*b < 0);
        Some(if is_turned { remainder + b } else { remainder })
    };
    let remainders = dividends.iter().zip(divisors).map(remainder).collect();
    let remainders = call.demand(remainders, "divisors other than zero", "a zero")?;
    Ok(Value { shape: a.shape.clone(), elements: Elements::Integer(remainders) })
}

/// `Size`: the number of elements, for a batch of one.
pub(super) fn size<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    let size = i64::try_from(call.input(0)?.shape.iter().product::<usize>()).unwrap_or(i64::MAX);
    Ok(Value::list(vec![size]).reshaped(Vec::new()))
}

/// `Range` of integers: from the first before the second in steps of the third.
pub(super) fn range<'a>(call: &mut Call<'_, 'a>) -> Result<Value<'a>> {
    call.integer("stash_type")?;
    let number = |index| {
        let value = call.input(index)?;
        let one = value.integers().and_then(|list| list.first()).filter(|_| value.shape.iter().all(|n| *n == 1));
        call.demand(one.copied(), format!("a constant integer as input {index}"), value.kind())
    };
    let (start, end, step) = (number(0)?, number(1)?, number(2)?);
    call.require(step != 0, "a step that is not 0", step)?;
    let distance = i128::from(end) - i128::from(start);
    let count =
        (distance * i128::from(step.signum()) + i128::from(step.unsigned_abs()) - 1) / i128::from(step.unsigned_abs());
    let count = call.size(&[usize::try_from(count.max(0)).unwrap_or(usize::MAX)])?;
    call.spend(count)?;
    Ok(Value::list(std::iter::successors(Some(start), |place| place.checked_add(step)).take(count).collect()))
}
