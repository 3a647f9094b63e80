//! Balls of inputs: what remains of a box where the changes of all inputs together are limited.
//!
//! In the coordinates `u = (x - center) / reach` the ball is `||u|| <= 1`, in the L1 or the L2 norm, and a linear function `a . x` is
//! `a . center + g . u` with `g = a * reach`. The bound is the checker's: by weak duality, for any `m >= 0`, the minimum over the box of
//! `g . u + m (||u||^p - 1)`. The checker takes the `m` that proves most, with which the bound is the minimum over box and ball; so that
//! is computed here, at the point where it is taken. Where the box does not cut the ball, it is the dual norm.

mod multiplier;

use bartizan_proof::property::{self, Norm};
use ndarray::Array1;

use self::multiplier::{Step, fill, rate};
use crate::real::Real;

/// What a box's least distance from the center beyond the radius costs, in radii, where the ball clearly misses the box. Nothing is left
/// to bound there; that the cost has an end keeps what is computed from it finite.
const MISSED: f64 = 1e9;

/// By how much that distance must exceed the radius: far more than rounding does in single precision.
const CLEARLY: f64 = 1e-4;

/// The inputs `x` with `|| (x - center) / reach || <= 1`.
#[derive(Clone, Debug)]
pub struct Ball<T> {
    norm: Norm,
    center: Array1<T>,
    /// How far each input alone may go; positive.
    reach: Array1<T>,
}

impl<T: Real> Ball<T> {
    /// Rounds a ball of a property.
    pub fn of(ball: &property::Ball) -> Self {
        let center = ball.center.iter().map(|c| T::of(c.middle())).collect();
        let reach = ball.scale.iter().map(|scale| T::of(ball.radius.hi / scale.lo).max(T::min_positive_value()));
        Ball { norm: ball.norm, center, reach: reach.collect() }
    }

    /// The ball with a share of the radius.
    #[must_use]
    pub fn shrunk(self, share: T) -> Self {
        Ball { reach: self.reach.mapv(|reach| reach * share), ..self }
    }

    /// The norm.
    pub fn norm(&self) -> Norm {
        self.norm
    }

    /// How far each input alone may go from the center.
    pub fn reach(&self) -> &Array1<T> {
        &self.reach
    }

    /// The distance of a point from the center, in radii.
    pub fn distance(&self, point: &[T]) -> T {
        let steps = point.iter().zip(&self.center).zip(&self.reach).map(|((x, c), reach)| (*x - *c) / *reach);
        match self.norm {
            Norm::L1 => steps.map(|step| step.abs()).sum(),
            Norm::L2 => steps.map(|step| step * step).sum::<T>().sqrt(),
        }
    }

    /// Moves a point of a box that holds the center towards the center, into the ball.
    pub fn pull(&self, point: &mut [T]) {
        let distance = self.distance(point);
        if distance > T::one() {
            let centered = point.iter_mut().zip(&self.center);
            centered.for_each(|(x, center)| *x = *center + (*x - *center) / distance);
        }
    }

    /// The minimum of `a . x` over the box and the ball, and where it is taken, which is the gradient of the minimum by `a`. Where the ball
    /// misses the box it is large, and the point that of the box next to the center.
    pub fn least(&self, a: &[T], (lower, upper): (&[T], &[T]), point: &mut [T]) -> T {
        let power = |x: T| if self.norm == Norm::L1 { x } else { x * x };
        let (mut demanded, mut free) = (T::zero(), T::zero());
        let mut steps = Vec::with_capacity(a.len());
        for (input, (x, a)) in point.iter_mut().zip(a).enumerate() {
            let (center, reach) = (self.center[input], self.reach[input]);
            *x = center.max(lower[input]).min(upper[input]);
            let end = if *a < T::zero() { upper[input] } else { lower[input] };
            let near = ((*x - center) / reach).abs();
            let far = if end == *x { near } else { ((end - center) / reach).abs() };
            demanded += power(near);
            if end != *x && *a != T::zero() {
                free += power(near);
                steps.push(Step { input, steepness: (*a * reach).abs(), near, far });
            }
        }
        let spare = T::one() - demanded;
        if spare < -T::of(CLEARLY) {
            return dot(a, point) - spare * T::of(MISSED);
        }
        let mut go = |input: usize, length: T| {
            let end = self.center[input] - a[input].signum() * self.reach[input] * length;
            point[input] = end.max(lower[input]).min(upper[input]);
        };
        match self.norm {
            Norm::L1 => {
                let (before, last) = fill(&mut steps, spare.max(T::zero()));
                steps[..before].iter().for_each(|step| go(step.input, step.far));
                last.into_iter().for_each(|(step, rest)| go(step.input, step.near + rest));
            }
            Norm::L2 => {
                // Relative to the largest, so that squares do not vanish.
                let largest = steps.iter().fold(T::min_positive_value(), |most, step| most.max(step.steepness));
                steps.iter_mut().for_each(|step| step.steepness /= largest);
                let rate = rate(steps.clone(), spare + free);
                steps.iter().for_each(|step| go(step.input, (rate * step.steepness).max(step.near).min(step.far)));
            }
        }
        dot(a, point)
    }
}

fn dot<T: Real>(a: &[T], point: &[T]) -> T {
    a.iter().zip(point).map(|(a, x)| *a * *x).sum()
}

#[cfg(test)]
mod tests;
