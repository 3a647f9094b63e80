//! Shares of a box's volume, in whole units of `2^-52` and rounded up: sums of them are exact, and the same in any order.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Interval;

/// All of the volume, in units.
pub const WHOLE: u64 = 1 << 52;

/// Where a result is below this, what rounding has taken from it may be too small a number to be seen.
const SMALL: f64 = 1e-200;

/// What is known of the points of a part of a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// No case happens at any of them.
    Certified,
    /// Some one case happens at each of them.
    Violated,
    /// Nothing.
    Left,
}

/// Adds up the volumes of boxes that hold the parts of a region, kind by kind.
#[derive(Debug)]
pub(crate) struct Measure {
    whole: Vec<Interval>,
    certified: AtomicU64,
    violated: AtomicU64,
    left: AtomicU64,
}

impl Measure {
    /// The box of the region, and no part yet.
    pub fn new(whole: Vec<Interval>) -> Self {
        let [certified, violated, left] = [(); 3].map(|()| AtomicU64::new(0));
        Measure { whole, certified, violated, left }
    }

    /// Adds the box of a part; an element that it does not say anything of is that of the region.
    pub fn add(&self, part: Part, element: impl Fn(usize) -> Option<Interval>) {
        let elements = self.whole.iter().enumerate().map(|(i, whole)| (element(i).unwrap_or(*whole), *whole));
        let share = share_up(elements);
        let sum = match part {
            Part::Certified => &self.certified,
            Part::Violated => &self.violated,
            Part::Left => &self.left,
        };
        // The boxes of parts that hidden values tell apart may be the whole region, each of them.
        let add = |sum: u64| Some(sum.saturating_add(share));
        let _ = sum.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Lower bounds on the certified and the violated share, where the parts cover the region.
    ///
    /// Whatever no box of a left and of a violated part holds is certified, and its volume is at least that of the region less that of
    /// these boxes; the same with certified and violated exchanged. That is true where parts overlap and where their
    /// boxes are larger than they are: then less is claimed than could be.
    pub fn shares(&self) -> [u64; 2] {
        let all = [&self.certified, &self.violated, &self.left];
        let [certified, violated, left] = all.map(|sum| sum.load(Ordering::Relaxed));
        let rest = WHOLE.saturating_sub(left);
        [rest.saturating_sub(violated).min(certified), rest.saturating_sub(certified).min(violated)]
    }
}

/// An upper bound, in units, on the share of a box's volume that a part of the box has; pairs of the part's and the box's interval
/// of each element. Elements that do not vary in the box do not count. Exact where the ends are, as those of halves of halves are.
fn share_up(elements: impl Iterator<Item = (Interval, Interval)>) -> u64 {
    let mut share = 1.0;
    for (part, whole) in elements.filter(|(_, whole)| whole.lo < whole.hi) {
        if part.lo >= part.hi {
            return 0;
        }
        let ratio = quotient_up(difference(part).1, difference(whole).0);
        // Not so for NaN.
        share = if ratio < 1.0 { product_up(share, ratio) } else { share };
    }
    units_up(share)
}

/// The share that a number of units stands for, at most [`WHOLE`]; exact.
pub(crate) fn share_of(units: u64) -> f64 {
    f64::from_bits(1f64.to_bits() + units.min(WHOLE)) - 1.0
}

/// A number in `[0, 1]` in units, rounded up.
fn units_up(share: f64) -> u64 {
    // Between 1 and 2 a float is a number of units.
    let sum = 1.0 + share;
    let units = sum.to_bits().saturating_sub(1f64.to_bits());
    if sum - 1.0 < share { units + 1 } else { units }
}

/// Bounds on the length of an interval; equal where it is a float.
fn difference(Interval { lo, hi }: Interval) -> (f64, f64) {
    let length = hi - lo;
    // What rounding has taken (Knuth, The Art of Computer Programming, volume 2, 4.2.2, theorem B).
    let back = length - hi;
    let lost = (hi - (length - back)) - (lo + back);
    if lost == 0.0 { (length, length) } else { (length.next_down(), length.next_up()) }
}

fn quotient_up(a: f64, b: f64) -> f64 {
    let quotient = a / b;
    up(quotient, (-quotient).mul_add(b, a), a)
}

fn product_up(a: f64, b: f64) -> f64 {
    let product = a * b;
    up(product, a.mul_add(b, -product), product)
}

/// A rounded result, one unit in the last place higher unless nothing was lost; `scale` is what the loss compares with.
fn up(result: f64, lost: f64, scale: f64) -> f64 {
    if lost == 0.0 && scale > SMALL { result } else { result.next_up() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(lo: f64, hi: f64) -> Interval {
        Interval { lo, hi }
    }

    fn share(elements: &[(Interval, Interval)]) -> u64 {
        share_up(elements.iter().copied())
    }

    #[test]
    fn halves_of_halves_are_exact() {
        let unit = interval(-0.5, 0.5);
        assert_eq!(share(&[(unit, unit), (interval(0.0, 0.25), unit)]), WHOLE / 4);
        assert_eq!(share(&[(interval(0.375, 0.5), interval(0.125, 3.125))]), WHOLE / 24 + 1);
        let (mut part, mut sum) = (interval(0.1, 0.7), 0);
        for _ in 0..40 {
            part.hi = part.middle();
            sum += share(&[(interval(part.hi, 2.0 * part.hi - part.lo), interval(0.1, 0.7))]);
        }
        assert!((WHOLE - WHOLE / 1_000_000_000..=WHOLE + 80).contains(&sum), "{sum}");
        assert_eq!(share_of(WHOLE / 4), 0.25);
        assert_eq!((share_of(WHOLE), share_of(WHOLE + 5), share_of(0)), (1.0, 1.0, 0.0));
    }

    #[test]
    fn nothing_is_rounded_down() {
        // Thirds of thirds, against exact integers.
        let (third, whole) = (interval(1.0, 2.0), interval(0.0, 3.0));
        let ninth = share(&[(third, whole), (third, whole)]);
        assert!((WHOLE / 9 + 1..=WHOLE / 9 + 3).contains(&ninth), "{ninth}");
        // Parts far below one unit are one unit.
        assert_eq!(share(&[(interval(0.0, 1e-300), interval(0.0, 1.0))]), 1);
        assert_eq!(share(&[(interval(0.0, 5e-324), interval(0.0, 1e308))]), 1);
        // Lengths that are no floats: 1 + 2^-60 of 2 + 2^-60, and an overflow.
        let lo = -(2f64.powi(-60));
        assert!((WHOLE / 2 + 1..=WHOLE / 2 + 2).contains(&share(&[(interval(lo, 1.0), interval(lo, 2.0))])));
        let huge = interval(-f64::MAX, f64::MAX);
        assert_eq!(share(&[(interval(0.0, f64::MAX), huge)]), WHOLE);
    }

    #[test]
    fn parts_without_points_have_no_volume_and_unvarying_elements_do_not_count() {
        let unit = interval(0.0, 1.0);
        assert_eq!(share(&[(interval(0.75, 0.25), unit), (unit, unit)]), 0);
        assert_eq!(share(&[(interval(0.5, 0.5), unit)]), 0);
        let point = interval(3.0, 3.0);
        assert_eq!(share(&[(point, point), (interval(0.0, 0.5), unit)]), WHOLE / 2);
        assert_eq!(share(&[]), WHOLE);
    }
}
