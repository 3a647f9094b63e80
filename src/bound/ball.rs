//! Balls of inputs: what remains of a box where the changes of all inputs together are limited.
//!
//! In the coordinates `u = (x - center) / reach` the ball is `||u|| <= 1`, in the L1 or the L2 norm, and a linear function `a . x` is
//! `a . center + g . u` with `g = a * reach`. The bound is the checker's: by weak duality, for any `m >= 0`, the minimum over the box of
//! `g . u + m (||u||^p - 1)`, with the `m` that is best for the ball alone, `max |g_i|` for L1 and `||g|| / 2` for L2. Where the box does
//! not cut the ball, that is the dual norm. A multiplier that knew of the box could prove more, but the checker would not take it.

use bartizan_proof::property::{self, Norm};
use ndarray::Array1;

use crate::real::Real;

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

    /// A lower bound of `a . x` over the box and the ball, and the gradient of that bound by `a`: a point `x` with `a . x` equal to the
    /// bound, which lies in the ball and the box unless the box cuts the ball there.
    pub fn least(&self, a: &[T], (lower, upper): (&[T], &[T]), point: &mut [T]) -> T {
        let steepness = |(a, reach): (&T, &T)| *a * *reach;
        match self.norm {
            Norm::L1 => {
                let largest = |best: (usize, T), (i, g): (usize, T)| if g.abs() > best.1.abs() { (i, g) } else { best };
                let steepest = a.iter().zip(&self.reach).map(steepness).enumerate().fold((0, T::zero()), largest);
                let nearest = |_: T| T::zero();
                let (length, sum) = self.minimise(a, (lower, upper), (nearest, |u: T| u.abs()), point);
                let (place, g) = steepest;
                point[place] += self.reach[place] * g.signum() * (length - T::one());
                sum + g.abs() * (length - T::one())
            }
            Norm::L2 => {
                let size = a.iter().zip(&self.reach).map(steepness).map(|g| g * g).sum::<T>().sqrt();
                let share = if size > T::zero() { T::one() / size } else { T::zero() };
                let nearest = |g: T| -g * share;
                let (length, sum) = self.minimise(a, (lower, upper), (nearest, |u: T| u * u), point);
                let half = T::of(0.5) * (length - T::one());
                if half != T::zero() {
                    let pairs = point.iter_mut().zip(a).zip(&self.reach);
                    pairs.for_each(|((x, a), reach)| *x += *reach * *reach * *a * share * half);
                }
                sum + size * half
            }
        }
    }

    /// Sets each coordinate of a point to the one in the box that is nearest to where its term is least, whatever the sum of `lengths`.
    /// Returns that sum, and `a . x`.
    fn minimise(
        &self,
        a: &[T],
        (lower, upper): (&[T], &[T]),
        (least, length): (impl Fn(T) -> T, impl Fn(T) -> T),
        point: &mut [T],
    ) -> (T, T) {
        let (mut lengths, mut sum) = (T::zero(), T::zero());
        for (i, (a, x)) in a.iter().zip(point).enumerate() {
            let (center, reach) = (self.center[i], self.reach[i]);
            *x = (center + reach * least(*a * reach)).max(lower[i]).min(upper[i]);
            lengths += length((*x - center) / reach);
            sum += *a * *x;
        }
        (lengths, sum)
    }
}

#[cfg(test)]
mod tests;
