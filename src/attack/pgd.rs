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

/// A step's share of the box width at the start and at the end of a descent from anywhere.
const WIDE_STEPS: (f64, f64) = (0.25, 0.01);

/// The same for a descent from a point that is nearly a counterexample.
pub const NARROW_STEPS: (f64, f64) = (0.03, 0.0003);

/// Points that travel together.
const BATCH: usize = 64;

/// Searches the region for a point where some case happens in the search's arithmetic, and offers each such point to
/// `accept` (which may replay it) until one is taken. Returns whether one was.
pub fn search<T: Real>(
    model: &Model<T>,
    query: &Query<T>,
    effort: &Effort,
    mut accept: impl FnMut(ArrayView1<T>) -> bool,
) -> bool {
    let mut rng = ChaCha8Rng::seed_from_u64(effort.seed);
    let samples = sample(query, effort.samples, &mut rng);
    let Some(outputs) = outputs_of(model, &samples, effort.deadline) else { return false };
    for target in &query.cases {
        let mut order: Vec<(T, usize)> =
            (0..samples.nrows()).map(|i| (target.worst_excess(samples.row(i), outputs.row(i)), i)).collect();
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
            if descend(model, (query, target), (start, (effort.steps, WIDE_STEPS), effort.deadline), &mut accept) {
                return true;
            }
        }
    }
    false
}

/// The outputs at some points; `None` when the deadline passes first.
fn outputs_of<T: Real>(model: &Model<T>, points: &Array2<T>, deadline: Instant) -> Option<Array2<T>> {
    let mut outputs = Array2::zeros((0, model.nodes()[model.output()].size));
    for batch in points.axis_chunks_iter(Axis(0), BATCH) {
        if Instant::now() >= deadline {
            return None;
        }
        let values = model.evaluate(batch).pop().expect("a value for each node");
        outputs.append(Axis(0), values.view()).expect("outputs of one width");
    }
    Some(outputs)
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

/// Descends from some points `[points, inputs]`; each row that comes to a place where the case happens is offered to `accept`.
/// Returns whether one was taken.
pub fn descend<T: Real>(
    model: &Model<T>,
    (query, target): (&Query<T>, &Target<T>),
    (mut points, (steps, range), deadline): (Array2<T>, (usize, (f64, f64)), Instant),
    accept: &mut impl FnMut(ArrayView1<T>) -> bool,
) -> bool {
    if target.at_most.is_empty() {
        return false;
    }
    for step in 0..steps {
        if Instant::now() >= deadline {
            return false;
        }
        let values = model.evaluate(points.view());
        let outputs = &values[model.output()];
        let mut slope = Slope { outputs: Array2::zeros(outputs.raw_dim()), inputs: Array2::zeros(points.raw_dim()) };
        for (row, point) in points.rows().into_iter().enumerate() {
            let excesses = target.excesses(point, outputs.row(row));
            if excesses.iter().all(|e| *e <= T::zero()) && accept(point) {
                return true;
            }
            slope.add_atoms(row, target, &excesses);
        }
        let gradient = model.gradient(&values, slope.outputs) + slope.inputs;
        let rate = T::of(step_size(step, steps, range));
        for (row, (mut point, gradient)) in points.rows_mut().into_iter().zip(gradient.rows()).enumerate() {
            let width = |j: usize| query.upper[j] - query.lower[j];
            let steepest = gradient.iter().enumerate().map(|(j, g)| g.abs() * width(j)).fold(T::zero(), T::max);
            for (j, (x, g)) in point.iter_mut().zip(gradient).enumerate() {
                let direction = match step_rule(row) {
                    _ if steepest == T::zero() => T::zero(),
                    StepRule::Sign if *g == T::zero() => T::zero(),
                    StepRule::Sign => g.signum(),
                    StepRule::Proportional => *g * width(j) / steepest,
                };
                *x = (*x - direction * rate * width(j)).max(query.lower[j]).min(query.upper[j]);
            }
        }
    }
    false
}

/// Coefficients of what each row descends on.
struct Slope<T> {
    outputs: Array2<T>,
    inputs: Array2<T>,
}

impl<T: Real> Slope<T> {
    /// Adds the atoms that a row descends on: the worst one, or in every other row all that do not hold yet.
    fn add_atoms(&mut self, row: usize, target: &Target<T>, excesses: &[T]) {
        let worst = excesses.iter().copied().fold(T::neg_infinity(), T::max);
        let all_open = row % 2 == 1 && worst > T::zero();
        for (atom, excess) in excesses.iter().enumerate() {
            if *excess == worst || (all_open && *excess > T::zero()) {
                let mut outputs = self.outputs.row_mut(row);
                outputs += &target.outputs.row(atom);
                if let Some(on_inputs) = &target.inputs {
                    let mut inputs = self.inputs.row_mut(row);
                    inputs += &on_inputs.row(atom);
                }
            }
        }
    }
}

/// How a gradient becomes a step.
enum StepRule {
    /// The full rate along every input, by the gradient's sign: strong where many inputs vary.
    Sign,
    /// In proportion to the gradient: strong where few inputs vary.
    Proportional,
}

/// Rows take turns.
fn step_rule(row: usize) -> StepRule {
    if (row / 2).is_multiple_of(2) { StepRule::Sign } else { StepRule::Proportional }
}

/// Falls geometrically over the descent.
fn step_size(step: usize, steps: usize, (first, last): (f64, f64)) -> f64 {
    first * (last / first).powf(step as f64 / steps.max(2) as f64)
}
