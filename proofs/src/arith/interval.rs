//! Closed intervals of reals with `f64` ends, rounded outward.

use std::ops::{Add, Mul, Neg, Sub};

/// A non-empty closed interval `[lo, hi]`. Every operation returns an interval that contains all exact results.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Interval {
    /// The whole real line.
    pub const EVERYTHING: Interval = Interval { lo: f64::NEG_INFINITY, hi: f64::INFINITY };

    /// The interval that holds just `x`.
    pub fn point(x: f64) -> Self {
        Interval { lo: x, hi: x }
    }

    /// `[lo, hi]`, or `None` when the ends are not ordered (or are NaN).
    pub fn new(lo: f64, hi: f64) -> Option<Self> {
        (lo <= hi).then_some(Interval { lo, hi })
    }

    /// Whether the interval is a single number.
    pub fn is_point(self) -> bool {
        self.lo == self.hi
    }

    /// Whether both ends are finite numbers.
    pub fn is_finite(self) -> bool {
        self.lo.is_finite() && self.hi.is_finite()
    }

    /// The largest absolute value in the interval (exact).
    pub fn magnitude(self) -> f64 {
        super::max_or_nan(self.lo.abs(), self.hi.abs())
    }

    /// A number near the middle; inside the interval, rounding notwithstanding. Of ends that contradict each other, one;
    /// NaN where there is no such number.
    pub fn middle(self) -> f64 {
        match self.lo / 2.0 + self.hi / 2.0 {
            middle if middle < self.lo => self.lo,
            middle if middle > self.hi => self.hi,
            middle => middle,
        }
    }

    /// Division by an interval that does not contain zero; `None` otherwise.
    pub fn divided_by(self, by: Interval) -> Option<Interval> {
        if by.lo <= 0.0 && by.hi >= 0.0 {
            return None;
        }
        let ends = [self.lo / by.lo, self.lo / by.hi, self.hi / by.lo, self.hi / by.hi];
        Some(if self == Interval::point(0.0) { self } else { widen(ends) })
    }

    /// Square root of an interval of non-negative numbers; `None` otherwise.
    pub fn square_root(self) -> Option<Interval> {
        (self.lo >= 0.0).then(|| Interval { lo: self.lo.sqrt().next_down().max(0.0), hi: self.hi.sqrt().next_up() })
    }
}

/// The hull of four candidate values, one unit in the last place wider at each end; NaN spoils both ends.
fn widen(ends: [f64; 4]) -> Interval {
    let mut hull = Interval { lo: f64::INFINITY, hi: f64::NEG_INFINITY };
    for e in ends {
        if e.is_nan() {
            return Interval::EVERYTHING;
        }
        hull = Interval { lo: hull.lo.min(e), hi: hull.hi.max(e) };
    }
    Interval { lo: hull.lo.next_down(), hi: hull.hi.next_up() }
}

impl Add for Interval {
    type Output = Interval;
    fn add(self, other: Interval) -> Interval {
        let exact_zero = Interval::point(0.0);
        if other == exact_zero {
            return self;
        }
        if self == exact_zero {
            return other;
        }
        Interval { lo: super::add_down(self.lo, other.lo), hi: super::add_up(self.hi, other.hi) }
    }
}

impl Neg for Interval {
    type Output = Interval;
    fn neg(self) -> Interval {
        Interval { lo: -self.hi, hi: -self.lo }
    }
}

impl Sub for Interval {
    type Output = Interval;
    fn sub(self, other: Interval) -> Interval {
        self + -other
    }
}

impl Mul for Interval {
    type Output = Interval;
    fn mul(self, other: Interval) -> Interval {
        for (factor, unit) in [(self, other), (other, self)] {
            if unit == Interval::point(1.0) {
                return factor;
            }
            if unit == Interval::point(0.0) && factor.is_finite() {
                return unit;
            }
        }
        widen([self.lo * other.lo, self.lo * other.hi, self.hi * other.lo, self.hi * other.hi])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_enclose_the_exact_result() {
        let tenth = Interval { lo: 0.1f64.next_down(), hi: 0.1 };
        let sum = tenth + tenth + tenth;
        assert!(sum.lo < 0.3 && sum.hi > 0.3 && sum.hi - sum.lo < 1e-15);
        let product = tenth * Interval::point(-3.0);
        assert!(product.lo < -0.3 && product.hi > -0.3);
        assert_eq!(Interval::point(2.0) - Interval::point(0.0), Interval::point(2.0));
    }

    #[test]
    fn division_refuses_zero_and_encloses() {
        assert_eq!(Interval::point(1.0).divided_by(Interval { lo: -1.0, hi: 1.0 }), None);
        let third = Interval::point(1.0).divided_by(Interval::point(3.0)).unwrap();
        assert!(third.lo < 1.0 / 3.0 && third.hi > 1.0 / 3.0);
    }

    #[test]
    fn infinities_give_everything_not_nan() {
        let product = Interval::EVERYTHING * Interval { lo: 0.0, hi: 1.0 };
        assert_eq!((product.lo, product.hi), (f64::NEG_INFINITY, f64::INFINITY));
    }

    #[test]
    fn middles_lie_inside_and_contradictions_have_one_too() {
        let smallest = Interval { lo: 5e-324, hi: 5e-324 };
        assert_eq!(smallest.middle(), 5e-324);
        assert_eq!(Interval { lo: -f64::MAX, hi: f64::MAX }.middle(), 0.0);
        assert_eq!(Interval { lo: 1.0, hi: -1.0 }.middle(), 1.0);
        assert!(Interval::EVERYTHING.middle().is_nan());
    }

    #[test]
    fn square_root_encloses() {
        let root = Interval::point(2.0).square_root().unwrap();
        assert!(root.lo < std::f64::consts::SQRT_2 && root.hi > std::f64::consts::SQRT_2);
        assert_eq!(Interval { lo: -1.0, hi: 1.0 }.square_root(), None);
    }
}
