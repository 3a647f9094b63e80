//! Linear functions over the intersection of a box and a ball.

use super::{Enclosure, Interval, add_down};
use crate::property::{Ball, Norm};

impl Ball {
    /// Whether all enclosed points certainly lie in the ball.
    pub(crate) fn certainly_contains(&self, point: &[Interval]) -> bool {
        let steps = point.iter().zip(&self.center).zip(&self.scale).map(|((x, center), scale)| *scale * (*x - *center));
        let sizes = steps.map(|step| Interval::point(step.magnitude()));
        let (sum, most) = match self.norm {
            Norm::L1 => (sizes.fold(Interval::point(0.0), |sum, size| sum + size), self.radius),
            Norm::L2 => (sizes.fold(Interval::point(0.0), |sum, size| sum + size * size), self.radius * self.radius),
        };
        sum.hi <= most.lo
    }

    /// A lower bound on `a . x` for `x` in the box and the ball.
    ///
    /// By weak duality, for any `m >= 0` the minimum over the box of `a . x + m (|| s . (x - c) ||^p - r^p)` is one, and it
    /// falls into a one-dimensional problem for each element. `m` is about the best there is, which makes the bound the minimum
    /// itself but for rounding. NaN where nothing is proved.
    pub(crate) fn minimum(&self, a: &[f64], over: &Enclosure) -> f64 {
        // Whatever was computed, it is not negative now, and all that the bound needs.
        self.minimum_with(self.multiplier(a, over).max(0.0), a, over)
    }

    /// [`Ball::minimum`] with a multiplier that is not negative.
    fn minimum_with(&self, multiplier: f64, a: &[f64], over: &Enclosure) -> f64 {
        let multiplier = Interval::point(multiplier);
        let price = if self.norm == Norm::L1 { self.radius } else { self.radius * self.radius } * multiplier;
        let box_and_ball = over.lower.iter().zip(&over.upper).zip(self.center.iter().zip(&self.scale)).zip(a);
        box_and_ball.fold(-price.hi, |sum, (((lower, upper), (center, scale)), a)| {
            let steps = Interval { lo: *lower, hi: *upper } - *center;
            let (a_point, scale) = (Interval::point(*a), Interval::point(scale.lo));
            let least = match self.norm {
                Norm::L1 => least_with_modulus(a_point, (multiplier * scale).lo, steps),
                Norm::L2 => least_with_square(a_point, (multiplier * scale * scale).lo, steps),
            };
            add_down(add_down(sum, least), (a_point * *center).lo)
        })
    }
}

/// A lower bound on `a t + k |t|`, which is smallest at an end of the interval or at 0.
fn least_with_modulus(a: Interval, k: f64, over: Interval) -> f64 {
    let at = |t: f64| (a * Interval::point(t) + Interval::point(k) * Interval::point(t.abs())).lo;
    let ends = super::min_or_nan(at(over.lo), at(over.hi));
    if over.lo <= 0.0 && over.hi >= 0.0 { super::min_or_nan(ends, 0.0) } else { ends }
}

/// A lower bound on `a t + k t^2`: at an end of the interval if the vertex certainly lies beyond it, else at the vertex.
fn least_with_square(a: Interval, k: f64, over: Interval) -> f64 {
    let at = |t: f64| {
        let t = Interval::point(t);
        (a * t + Interval::point(k) * (t * t)).lo
    };
    let Some(vertex) = (-a).divided_by(Interval::point(k) * Interval::point(2.0)).filter(|_| k > 0.0) else {
        return super::min_or_nan(at(over.lo), at(over.hi));
    };
    if vertex.hi < over.lo {
        return at(over.lo);
    }
    if vertex.lo > over.hi {
        return at(over.hi);
    }
    -(a * a).divided_by(Interval::point(k) * Interval::point(4.0)).map_or(f64::NAN, |depth| depth.hi)
}

#[cfg(test)]
mod tests;
