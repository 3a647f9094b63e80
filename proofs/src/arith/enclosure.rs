//! Proved bounds on all elements of a node, and how they pass forward through affine maps and ReLUs.

use super::{INFLATE, Interval, TINY, count, gamma, max_or_nan};

/// Bounds on the elements of one node: element `j` lies in `[lower[j], upper[j]]`.
///
/// An end that arithmetic could not bound is infinite; no end is ever NaN.
#[derive(Clone, Debug)]
pub(crate) struct Enclosure {
    /// Lower ends.
    pub lower: Vec<f64>,
    /// Upper ends.
    pub upper: Vec<f64>,
    /// Bounds on absolute values; for an affine node also on the sum of absolute values of everything that is added
    /// up for the element, so that rounding errors of the node are at most a small multiple of it.
    pub magnitude: Vec<f64>,
    /// A bound on the sum of `magnitude`.
    pub total: f64,
    /// Bounds on how far what an execution computes for the elements may be from real arithmetic on the values of the
    /// node's sources, all of which the bounds above leave room for. Empty for none.
    pub errors: Vec<f64>,
    /// A bound on the sum of absolute values of all that the node and the affine nodes before it read, where executions count.
    pub reach: f64,
}

impl Enclosure {
    /// Encloses the given intervals.
    pub fn of_intervals(intervals: impl Iterator<Item = Interval> + Clone) -> Self {
        let lower: Vec<f64> = intervals.clone().map(|i| i.lo).collect();
        let upper: Vec<f64> = intervals.map(|i| i.hi).collect();
        Self::with_magnitude(magnitudes(&lower, &upper), lower, upper)
    }

    fn with_magnitude(magnitude: Vec<f64>, lower: Vec<f64>, upper: Vec<f64>) -> Self {
        let total = magnitude.iter().sum::<f64>() * INFLATE;
        Enclosure { lower, upper, magnitude, total, errors: Vec::new(), reach: 0.0 }
    }

    /// Makes room for the errors of executions.
    pub fn widen(&mut self, errors: Vec<f64>, reach: f64) {
        self.lower.iter_mut().zip(&errors).for_each(|(l, e)| *l = not_nan((*l - e).next_down(), f64::NEG_INFINITY));
        self.upper.iter_mut().zip(&errors).for_each(|(u, e)| *u = not_nan((*u + e).next_up(), f64::INFINITY));
        self.magnitude.iter_mut().zip(&errors).for_each(|(m, e)| *m = (*m + e).next_up());
        self.total = self.magnitude.iter().sum::<f64>() * INFLATE;
        (self.errors, self.reach) = (errors, reach);
    }

    /// From what interval arithmetic computes for an affine node: midpoints `W c + b`, radii `|W| r`, and magnitudes
    /// `|W| m + |b|`, which bound every partial sum of absolute values that rounding errors of the node scale with.
    pub fn of_balls(center: &[f64], radius: &[f64], mut magnitude: Vec<f64>, summands: usize) -> Self {
        let underflow = TINY * (1.0 + count(summands));
        magnitude.iter_mut().for_each(|m| *m = *m * INFLATE + underflow);
        // Once for the midpoints, once for the radii, which are no larger than the magnitudes.
        let lost = 2.0 * gamma(summands);
        let ends = center.iter().zip(radius).zip(&magnitude).map(|((c, r), m)| {
            let r = (r + (lost * m * INFLATE + underflow)).next_up();
            (not_nan((c - r).next_down(), f64::NEG_INFINITY), not_nan((c + r).next_up(), f64::INFINITY))
        });
        let (lower, upper) = ends.unzip();
        Self::with_magnitude(magnitude, lower, upper)
    }

    /// Encloses `max(0, z)` for the enclosed `z`.
    pub fn relu(&self) -> Self {
        let clamp = |ends: &[f64]| ends.iter().map(|e| e.max(0.0)).collect::<Vec<f64>>();
        let (lower, upper) = (clamp(&self.lower), clamp(&self.upper));
        Self::with_magnitude(upper.clone(), lower, upper)
    }

    /// The interval of one element; everything for an element that does not exist.
    pub fn interval(&self, element: usize) -> Interval {
        match (self.lower.get(element), self.upper.get(element)) {
            (Some(lo), Some(hi)) => Interval { lo: *lo, hi: *hi },
            _ => Interval::EVERYTHING,
        }
    }

    /// The elements that are not certain to be zero. Coefficients on the others do not matter.
    pub fn live(&self) -> Vec<usize> {
        self.magnitude.iter().enumerate().filter_map(|(j, m)| (*m != 0.0).then_some(j)).collect()
    }

    /// Replaces the bounds of an element where the new ones are tighter; NaN is never tighter.
    pub fn tighten(&mut self, element: usize, by: Interval) {
        if let Some(lower) = self.lower.get_mut(element)
            && by.lo > *lower
        {
            *lower = by.lo;
        }
        if let Some(upper) = self.upper.get_mut(element)
            && by.hi < *upper
        {
            *upper = by.hi;
        }
    }

    /// Keeps the tighter ends of two enclosures of the same elements.
    pub fn intersect(&mut self, other: &Enclosure) {
        self.lower.iter_mut().zip(&other.lower).for_each(|(l, other)| *l = l.max(*other));
        self.upper.iter_mut().zip(&other.upper).for_each(|(u, other)| *u = u.min(*other));
    }

    /// Whether the bounds of some element contradict each other.
    pub fn is_empty(&self) -> bool {
        self.lower.iter().zip(&self.upper).any(|(l, u)| l > u)
    }

    /// The intervals of all elements.
    pub fn intervals(&self) -> Vec<Interval> {
        self.lower.iter().zip(&self.upper).map(|(lo, hi)| Interval { lo: *lo, hi: *hi }).collect()
    }
}

fn magnitudes(lower: &[f64], upper: &[f64]) -> Vec<f64> {
    lower.iter().zip(upper).map(|(l, u)| max_or_nan(l.abs(), u.abs())).collect()
}

fn not_nan(x: f64, otherwise: f64) -> f64 {
    if x.is_nan() { otherwise } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Affine, Dense, Execution, Map, Term};

    fn dense(weights: &[f64], inputs: usize, bias: &[f64]) -> Affine {
        let map = Map::Dense(Dense { inputs, weights: weights.to_vec() });
        Affine {
            terms: vec![Term { source: 0, map, roundings: 0 }],
            bias: bias.iter().map(|b| Interval::point(*b)).collect(),
            execution: Execution::PLAIN,
        }
    }

    #[test]
    fn interval_arithmetic_is_tight_and_outward() {
        let affine = dense(&[1.0, -2.0, 0.1, 0.1], 2, &[0.5, 0.0]);
        let box_ = Enclosure::of_intervals([Interval { lo: -1.0, hi: 1.0 }, Interval { lo: 0.0, hi: 3.0 }].into_iter());
        let out = affine.forward(2, |_| (&box_, None)).0;
        assert!(out.lower[0] <= -6.5 && out.lower[0] > -6.5 - 1e-13);
        assert!(out.upper[0] >= 1.5 && out.upper[0] < 1.5 + 1e-13);
        assert!(out.upper[1] >= 0.4 && out.upper[1] < 0.4 + 1e-13);
        assert!(out.magnitude[0] >= 7.5);
    }

    #[test]
    fn overflow_gives_infinite_ends() {
        let affine = dense(&[1e300, 1e300], 2, &[]);
        let box_ = Enclosure::of_intervals([Interval { lo: -1e300, hi: 1e300 }; 2].into_iter());
        let out = affine.forward(1, |_| (&box_, None)).0;
        assert_eq!((out.lower[0], out.upper[0]), (f64::NEG_INFINITY, f64::INFINITY));
        assert_eq!(out.relu().lower[0], 0.0);
    }

    #[test]
    fn tighten_keeps_the_better_end_and_ignores_nan() {
        let mut e = Enclosure::of_intervals([Interval { lo: -1.0, hi: 1.0 }].into_iter());
        e.tighten(0, Interval { lo: f64::NAN, hi: 0.5 });
        e.tighten(0, Interval { lo: -2.0, hi: 0.75 });
        e.tighten(7, Interval { lo: 0.0, hi: 0.0 });
        assert_eq!(e.interval(0), Interval { lo: -1.0, hi: 0.5 });
    }
}
