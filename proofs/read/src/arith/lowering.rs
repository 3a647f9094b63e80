//! What readers compute from the numbers in a file: sums, products and quotients that stay exact where binary64
//! can hold them, and enclosures turned into weights.

use super::Interval;
use bartizan_proof::arith::{UNIT, count, max_or_nan};

/// Results at least this large have rounding errors that are themselves binary64 numbers.
const ERRORS_REPRESENTABLE: f64 = 1e-250;

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

/// `1 / n`; everything when `n` is zero or does not fit 32 bits.
pub(crate) fn one_over(n: usize) -> Interval {
    divide(Interval::point(1.0), Interval::point(count(n))).filter(|i| i.lo > 0.0).unwrap_or(Interval::EVERYTHING)
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
