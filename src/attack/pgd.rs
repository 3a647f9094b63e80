//! Projected gradient descent (Madry et al. 2018) on the excess of a case's worst atom, from points that are nearly counterexamples.

use ndarray::{Array2, ArrayView1};

use super::slope::{Slope, StepRule};
use crate::bound::Model;
use crate::deadline::Deadline;
use crate::query::{Query, Target};
use crate::real::Real;

/// A step's share of the box width at the start and at the end of a descent.
pub const NARROW_STEPS: (f64, f64) = (0.03, 0.0003);

/// Descends from some points `[points, inputs]`; each row that comes to a place where the case happens is offered to `accept`.
/// Returns whether one was taken.
pub fn descend<T: Real>(
    model: &Model<T>,
    (query, target): (&Query<T>, &Target<T>),
    (mut points, (steps, range), deadline): (Array2<T>, (usize, (f64, f64)), Deadline),
    accept: &mut impl FnMut(ArrayView1<T>) -> bool,
) -> bool {
    if target.at_most.is_empty() {
        return false;
    }
    for step in 0..steps {
        if deadline.has_passed() {
            return false;
        }
        let values = model.evaluate(points.view());
        let outputs = &values[model.output()];
        let mut slope = Slope::new(outputs.raw_dim(), points.raw_dim());
        for (row, point) in points.rows().into_iter().enumerate() {
            let excesses = target.excesses(point, outputs.row(row));
            if excesses.iter().all(|e| *e <= T::zero()) && accept(point) {
                return true;
            }
            slope.add_atoms((row, row), target, &excesses);
        }
        let gradients = slope.gradient(model, &values);
        let rate = step_size(step, steps, range);
        for (row, (point, gradient)) in points.rows_mut().into_iter().zip(gradients.rows()).enumerate() {
            StepRule::of(row).step(query, (point, gradient), rate);
        }
    }
    false
}

/// Falls geometrically over the descent.
fn step_size(step: usize, steps: usize, (first, last): (f64, f64)) -> f64 {
    first * (last / first).powf(step as f64 / steps.max(2) as f64)
}
