//! Projected gradient descent (Madry et al. 2018) on the excess of a case's worst atom, in batches with restarts.

use std::time::Instant;

use ndarray::{Array2, ArrayView1, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::bound::Model;
use crate::query::{Query, Target};
use crate::real::Real;

/// How much to search.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Random points tried for each region before any descent.
    pub samples: usize,
    /// Points that descend for each case, the best samples and random ones.
    pub restarts: usize,
    /// Steps of each descent.
    pub steps: usize,
    /// Seed of the random points.
    pub seed: u64,
    /// When to stop.
    pub deadline: Instant,
}

/// A step's share of the box width at the start and at the end of a descent.
const STEP_RANGE: (f64, f64) = (0.25, 0.01);

/// Points that travel together.
const BATCH: usize = 64;

/// Searches the region for a point where some case happens. Returns the best candidate: the first point at which a
/// case happens in the search's arithmetic, by `accept`'s leave (which may replay it).
pub fn search<T: Real>(
    model: &Model<T>,
    query: &Query<T>,
    effort: &Effort,
    mut accept: impl FnMut(ArrayView1<T>) -> bool,
) -> bool {
    let mut rng = ChaCha8Rng::seed_from_u64(effort.seed);
    let samples = sample(query, effort.samples, &mut rng);
    let values = model.evaluate(samples.view());
    let outputs = &values[model.output()];
    for target in &query.cases {
        let mut order: Vec<(T, usize)> =
            (0..samples.nrows()).map(|i| (target.worst_atom(samples.row(i), outputs.row(i)).1, i)).collect();
        order.sort_by(|a, b| a.0.partial_cmp(&b.0).unwrap_or(std::cmp::Ordering::Equal).then(a.1.cmp(&b.1)));
        let happens = order.first().is_some_and(|(excess, _)| *excess <= T::zero());
        if happens && accept(samples.row(order[0].1)) {
            return true;
        }
        let best: Vec<usize> = order.iter().take(effort.restarts).map(|(_, i)| *i).collect();
        for batch in best.chunks(BATCH) {
            if Instant::now() >= effort.deadline {
                return false;
            }
            let start = samples.select(Axis(0), batch);
            if descend(model, query, target, (start, effort), &mut accept) {
                return true;
            }
        }
    }
    false
}

/// The centre of the box, then corners and inner points alternately.
fn sample<T: Real>(query: &Query<T>, count: usize, rng: &mut ChaCha8Rng) -> Array2<T> {
    let mut points = Array2::zeros((count.max(1), query.lower.len()));
    for (i, mut point) in points.rows_mut().into_iter().enumerate() {
        for ((x, l), u) in point.iter_mut().zip(&query.lower).zip(&query.upper) {
            let share = match i {
                0 => 0.5,
                i if i % 2 == 1 => f64::from(u8::from(rng.random::<bool>())),
                _ => rng.random::<f64>(),
            };
            *x = (*l + T::of(share) * (*u - *l)).max(*l).min(*u);
        }
    }
    points
}

fn descend<T: Real>(
    model: &Model<T>,
    query: &Query<T>,
    target: &Target<T>,
    (mut points, effort): (Array2<T>, &Effort),
    accept: &mut impl FnMut(ArrayView1<T>) -> bool,
) -> bool {
    let width = &query.upper - &query.lower;
    for step in 0..effort.steps {
        let values = model.evaluate(points.view());
        let outputs = &values[model.output()];
        let mut coefficients = Array2::zeros(outputs.raw_dim());
        let mut on_inputs = Array2::zeros(points.raw_dim());
        for (i, point) in points.rows().into_iter().enumerate() {
            let (atom, excess) = target.worst_atom(point, outputs.row(i));
            if excess <= T::zero() && accept(point) {
                return true;
            }
            if target.at_most.is_empty() {
                return false;
            }
            coefficients.row_mut(i).assign(&target.outputs.row(atom));
            if let Some(inputs) = &target.inputs {
                on_inputs.row_mut(i).assign(&inputs.row(atom));
            }
        }
        if Instant::now() >= effort.deadline {
            return false;
        }
        let gradient = model.gradient(&values, coefficients) + on_inputs;
        let rate = T::of(step_size(step, effort.steps));
        for (mut point, gradient) in points.rows_mut().into_iter().zip(gradient.rows()) {
            let ends = query.lower.iter().zip(&query.upper).zip(&width);
            for ((x, g), ((l, u), w)) in point.iter_mut().zip(gradient).zip(ends) {
                let direction = if *g > T::zero() {
                    -T::one()
                } else if *g < T::zero() {
                    T::one()
                } else {
                    T::zero()
                };
                *x = (*x + direction * rate * *w).max(*l).min(*u);
            }
        }
    }
    false
}

/// Falls geometrically over the descent.
fn step_size(step: usize, steps: usize) -> f64 {
    let (first, last) = STEP_RANGE;
    first * (last / first).powf(step as f64 / steps.max(2) as f64)
}
