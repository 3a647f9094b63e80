//! What readers compute from the numbers in a file: sums, products and quotients that stay exact where binary64
//! can hold them, and enclosures turned into weights.

use std::cmp::Ordering;

use super::Interval;
use bartizan_proof::arith::{UNIT, count, max_or_nan};

/// Results at least this large have rounding errors that are themselves binary64 numbers.
const ERRORS_REPRESENTABLE: f64 = 1e-250;

/// Numbers whose difference is a smaller share of the larger one than this, an execution in binary32 might confuse.
const CONFUSED: f64 = 1e-5;

/// The most roundings that a weight may carry.
const MOST_ROUNDINGS: u32 = 1024;

/// `a + b`, exact where the sum of two numbers is a binary64 number (Knuth's two-sum), else rounded outward.
pub(crate) fn add(a: Interval, b: Interval) -> Interval {
    let (x, y) = (a.lo, b.lo);
    let sum = x + y;
    let virtual_y = sum - x;
    let error = (x - (sum - virtual_y)) + (y - virtual_y);
    if a.is_point() && b.is_point() && error == 0.0 { Interval::point(sum) } else { a + b }
}

/// An upper bound on the sum of two numbers that are not negative.
pub(crate) fn add_sizes(a: f64, b: f64) -> f64 {
    if b == 0.0 { a } else { (a + b).next_up() }
}

/// Whether a number lies between two powers of two, so far from the ends of the binary32 range that nothing overflows or
/// vanishes when an execution multiplies by it.
pub(crate) fn is_moderate(x: Interval) -> bool {
    let (least, most) = (2f64.powi(-40), 2f64.powi(40));
    (x.lo >= least && x.hi <= most) || (-x.lo <= most && -x.hi >= least)
}

/// `a b`, exact where the product of two numbers is a binary64 number, else rounded outward.
pub(crate) fn multiply(a: Interval, b: Interval) -> Interval {
    let product = a.lo * b.lo;
    let is_exact = product.abs() > ERRORS_REPRESENTABLE && a.lo.mul_add(b.lo, -product) == 0.0;
    if a.is_point() && b.is_point() && is_exact { Interval::point(product) } else { a * b }
}

/// `a / b`, exact where the quotient of two numbers is a binary64 number, else rounded outward; `None` when `b`
/// contains zero.
pub(crate) fn divide(a: Interval, b: Interval) -> Option<Interval> {
    let quotient = a.lo / b.lo;
    let is_exact = a.lo.abs() > ERRORS_REPRESENTABLE && quotient.mul_add(b.lo, -a.lo) == 0.0;
    if a.is_point() && b.is_point() && is_exact { Some(Interval::point(quotient)) } else { a.divided_by(b) }
}

/// `n` as an exact number; everything when it does not fit 32 bits.
pub(crate) fn whole(n: usize) -> Interval {
    Some(Interval::point(count(n))).filter(|n| n.is_finite()).unwrap_or(Interval::EVERYTHING)
}

/// `1 / n`; everything when `n` is zero or does not fit 32 bits.
pub(crate) fn one_over(n: usize) -> Interval {
    divide(Interval::point(1.0), Interval::point(count(n))).filter(|i| i.lo > 0.0).unwrap_or(Interval::EVERYTHING)
}

/// How two enclosed numbers compare; `None` where an execution in binary32 might see it otherwise: where they are nearly
/// but not exactly equal.
pub(crate) fn order(a: Interval, b: Interval) -> Option<Ordering> {
    if a.is_point() && a == b {
        return Some(Ordering::Equal);
    }
    let margin = CONFUSED * max_or_nan(a.magnitude(), b.magnitude());
    match (a.hi + margin < b.lo, b.hi + margin < a.lo) {
        (true, _) => Some(Ordering::Less),
        (_, true) => Some(Ordering::Greater),
        _ => None,
    }
}

/// The integer in a direction (such as [`f64::floor`]) of an enclosed number; `None` where an execution in binary32 might
/// come to another one: where the number is nearly but not exactly an integer.
pub(crate) fn to_whole(x: Interval, direction: fn(f64) -> f64) -> Option<Interval> {
    let margin = CONFUSED * max_or_nan(x.magnitude(), 1.0);
    let ends = if x.is_point() && x.lo.fract() == 0.0 { [x.lo; 2] } else { [x.lo - margin, x.hi + margin] };
    let [lo, hi] = ends.map(direction);
    (lo == hi).then_some(Interval::point(lo))
}

/// Integers up to here are binary64 numbers.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The integer that an enclosure is, if it is one of at most `2^53`.
#[allow(clippy::as_conversions)] // of a whole number within the range
pub(crate) fn integer(x: Interval) -> Option<i64> {
    let is_exact = x.is_point() && x.lo.fract() == 0.0 && x.lo.abs() <= EXACT;
    is_exact.then_some(x.lo as i64)
}

/// Numbers near the given enclosures, and a count `k` such that every enclosed number is its stored weight times
/// `1 + d` with `|d| <= k u`, `u = 2^-53`. `None` when an enclosure is too wide for that, relative to its size.
pub(crate) fn weights(enclosures: &[Interval]) -> Option<(Vec<f64>, usize)> {
    let mut roundings = 0;
    for enclosure in enclosures.iter().filter(|e| !e.is_point()) {
        let w = enclosure.middle();
        let error = max_or_nan(enclosure.hi - w, w - enclosure.lo).next_up();
        let covers = |k: &u32| (f64::from(*k) * UNIT * w.abs()).next_down() >= error;
        roundings = (roundings..=MOST_ROUNDINGS).find(covers)?;
    }
    Some((enclosures.iter().map(|e| e.middle()).collect(), usize::try_from(roundings).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(x: f64) -> Interval {
        Interval::point(x)
    }

    #[test]
    fn what_binary64_holds_stays_exact() {
        let alpha = point(f64::from(0.01f32));
        assert!(add(point(1.0), -alpha).is_point());
        assert_eq!(add(point(1.0), point(-1.0)), point(0.0));
        assert_eq!(multiply(alpha, alpha), point(alpha.lo * alpha.lo));
        assert_eq!(multiply(alpha, point(0.0)), point(0.0));
        assert_eq!(divide(point(6.0), point(3.0)), Some(point(2.0)));
        assert_eq!(one_over(8), point(0.125));
    }

    #[test]
    fn what_it_does_not_hold_is_enclosed() {
        let sum = add(point(1.0), point(1e-30));
        assert!(sum.lo <= 1.0 && sum.hi > 1.0);
        let product = multiply(point(0.1), point(0.1));
        assert!(product.lo < product.hi);
        assert!(multiply(point(1e-200), point(1e-200)).hi > 0.0);
        let third = one_over(3);
        assert!(third.lo < 1.0 / 3.0 && third.hi > 1.0 / 3.0);
        assert_eq!(divide(point(1.0), point(0.0)), None);
        assert_eq!(one_over(0), Interval::EVERYTHING);
    }

    #[test]
    fn what_executions_might_see_otherwise_is_not_decided() {
        let third = one_over(3);
        assert_eq!(order(third, point(0.25)), Some(Ordering::Greater));
        assert_eq!(order(point(-1.0), third), Some(Ordering::Less));
        assert_eq!(order(point(7.0), point(7.0)), Some(Ordering::Equal));
        assert_eq!(order(third, third), None);
        assert_eq!(order(point(1.0), point(1.0 + 1e-7)), None);
        assert_eq!(to_whole(point(2.5), f64::floor), Some(point(2.0)));
        assert_eq!(to_whole(point(-2.5), f64::ceil), Some(point(-2.0)));
        assert_eq!(to_whole(point(3.0), f64::floor), Some(point(3.0)));
        assert_eq!(to_whole(point(2.999_999_9), f64::floor), None);
        assert_eq!(to_whole(Interval { lo: 2.999_999_9, hi: 3.000_000_1 }, f64::ceil), None);
        assert_eq!(to_whole(Interval::EVERYTHING, f64::floor), None);
        assert_eq!(integer(point(-3.0)), Some(-3));
        assert_eq!(integer(point(1e300)), None);
        assert_eq!(integer(third), None);
    }

    #[test]
    fn infinities_and_overflow_are_never_exact() {
        assert!(!add(point(f64::MAX), point(f64::MAX)).is_finite());
        assert!(!multiply(point(f64::MAX), point(2.0)).is_finite());
        assert!(!add(point(f64::INFINITY), point(1.0)).is_finite());
    }

    #[test]
    fn weights_count_relative_roundings() {
        assert_eq!(weights(&[point(0.5), point(0.0)]), Some((vec![0.5, 0.0], 0)));
        let (stored, roundings) = weights(&[one_over(3), point(7.0)]).unwrap();
        assert!((stored[0] - 1.0 / 3.0).abs() < 1e-16 && (1..=4).contains(&roundings));
        assert!(f64::from(u32::try_from(roundings).unwrap()) * UNIT * stored[0] >= one_over(3).hi - stored[0]);
        assert_eq!(weights(&[Interval { lo: -1e-20, hi: 1e-20 }]), None);
        assert_eq!(weights(&[Interval { lo: 1.0, hi: 1.1 }]), None);
        assert_eq!(weights(&[Interval::EVERYTHING]), None);
    }
}
