//! Optimised slopes: the lower lines of a bound's relaxation, and the combination of atoms that it bounds, follow the
//! gradient of the bound (alpha-CROWN, Xu et al. 2021).
//!
//! A linear bound is the least value of the relaxed network, in which every ReLU takes one of its two lines. One pass back says which
//! line and which corner of the box, one pass forward what every value is there. That gives the gradient: the slope of a lower
//! line earns the coefficient on its ReLU times the value of the ReLU's input, and the weight of an atom earns the atom's value.

use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};

use super::interval::Bounds;
use super::linear::{self, LinearBounds, OnRelus, Rows};
use super::model::{Model, Op};
use super::slopes::{Relaxation, Relaxations};
use crate::deadline::Deadline;
use crate::real::Real;

/// Steps of an ascent.
const STEPS: usize = 16;

/// After how many steps goals are given up, and how many times what they have gained so far they are trusted to gain yet.
const CHECKPOINTS: [(usize, f64); 2] = [(4, 1.5), (9, 0.7)];

/// The first and the last step of a slope, as shares of its range.
const SLOPE_RATES: (f64, f64) = (0.5, 0.03);

/// The first and the last exponent by which the best and the worst atom's weights part in a step.
const WEIGHT_RATES: (f64, f64) = (2.0, 0.2);

/// The share of all weight that is spread evenly before each step, so that no atom is lost for good.
const SPREAD: f64 = 0.02;

/// How fast the means of gradients and of their squares forget (Kingma and Ba 2015).
const DECAY: (f64, f64) = (0.5, 0.9);

/// Slopes are multiples of one over this, which certificates write in one byte.
const GRID: f64 = 128.0;

/// Combinations of atoms `outputs . y + inputs . x + constants`, to be bounded from below in one domain.
#[derive(Clone, Debug)]
pub struct Goal<'g, T> {
    /// The domain.
    pub domain: usize,
    /// Coefficients on the outputs, `[atoms, outputs]`.
    pub outputs: ArrayView2<'g, T>,
    /// Coefficients on the inputs, `[atoms, inputs]`, where any atom has some.
    pub inputs: Option<ArrayView2<'g, T>>,
    /// One constant an atom.
    pub constants: Array1<T>,
    /// The weights to begin with: not negative, one in sum.
    pub weights: Array1<T>,
}

/// The best bound that was found for a goal.
#[derive(Clone, Debug)]
pub struct Reached<T> {
    /// The lower bound.
    pub bound: T,
    /// The lower bound that it began with.
    pub first: T,
    /// Weights of the atoms.
    pub weights: Array1<T>,
    /// For each ReLU node the slopes of its lower lines.
    pub slopes: Vec<Option<Array1<T>>>,
}

/// Goals on their way up.
struct Ascent<'m, 'g, T> {
    model: &'m Model<T>,
    goals: Vec<Goal<'g, T>>,
    /// The input box of each goal.
    bounds: Bounds<T>,
    /// The lines of each goal.
    lines: Relaxations<T>,
    /// For each ReLU node the means of gradients and of their squares.
    moments: Vec<Option<[Array2<T>; 2]>>,
    /// The place of each goal in what is returned.
    places: Vec<usize>,
}

/// Where the bounds are taken.
struct Least<T> {
    bounds: Array1<T>,
    /// The corner of each goal's box, or a point of its ball.
    inputs: Array2<T>,
    on_relus: OnRelus<T>,
}

/// Ascends from the relaxations at hand; a goal is left alone once its bound is positive or does not seem to become so.
/// Stops early at the deadline.
pub fn ascend<T: Real>(
    model: &Model<T>,
    bounds: &Bounds<T>,
    relaxations: &[Option<Relaxation<T>>],
    (goals, deadline): (Vec<Goal<T>>, Deadline),
) -> Vec<Reached<T>> {
    let (bound, first) = (T::neg_infinity(), T::neg_infinity());
    let reached = |goal: &Goal<T>| Reached { bound, first, weights: goal.weights.clone(), slopes: Vec::new() };
    let mut reached: Vec<Reached<T>> = goals.iter().map(reached).collect();
    let mut ascent = Ascent::new(model, bounds, relaxations, goals);
    for step in 0..STEPS {
        let least = ascent.least();
        ascent.note(&least, &mut reached);
        if step + 1 == STEPS || deadline.has_passed() {
            break;
        }
        ascent.follow(&least, step);
        ascent.retain(|place| reached[place].is_promising(step + 1));
        if ascent.goals.is_empty() {
            break;
        }
    }
    reached
}

impl<T: Real> Reached<T> {
    /// Whether the bound is not positive yet, and seems to become so in some more steps than the given number.
    fn is_promising(&self, steps: usize) -> bool {
        let gained = self.bound - self.first;
        let is_near = |(at, times): &(usize, f64)| steps != *at || self.bound + T::of(*times) * gained > T::zero();
        self.bound <= T::zero() && CHECKPOINTS.iter().all(is_near)
    }
}

impl<'m, 'g, T: Real> Ascent<'m, 'g, T> {
    fn new(
        model: &'m Model<T>,
        bounds: &Bounds<T>,
        relaxations: &[Option<Relaxation<T>>],
        goals: Vec<Goal<'g, T>>,
    ) -> Self {
        let domains: Vec<usize> = goals.iter().map(|goal| goal.domain).collect();
        let bounds = bounds.inputs_of(&domains);
        let lines: Relaxations<T> =
            relaxations.iter().map(|lines| lines.as_ref().map(|lines| lines.select(&domains))).collect();
        let none = |lines: &Relaxation<T>| [0, 1].map(|_| Array2::zeros(lines.below.raw_dim()));
        let moments = lines.iter().map(|lines| lines.as_ref().map(none)).collect();
        let places = (0..goals.len()).collect();
        Ascent { model, goals, bounds, lines, moments, places }
    }

    /// The pass back.
    fn least(&self) -> Least<T> {
        let (count, output) = (self.goals.len(), self.model.output());
        let mut coefficients = Array2::zeros((count, self.model.nodes()[output].size));
        let mut on_inputs = Array2::zeros(self.bounds.lower[0].raw_dim());
        for (row, goal) in self.goals.iter().enumerate() {
            coefficients.row_mut(row).assign(&goal.weights.dot(&goal.outputs));
            if let Some(inputs) = &goal.inputs {
                on_inputs.row_mut(row).assign(&goal.weights.dot(inputs));
            }
        }
        let constants = self.goals.iter().map(|goal| goal.weights.dot(&goal.constants)).collect();
        let rows = Rows { node: output, coefficients, constants, domains: (0..count).collect() };
        let (found, on_relus) = linear::lower_bounds_traced(self.model, &self.bounds, &self.lines, rows);
        let LinearBounds { coefficients, constants, .. } = found;
        let slopes = coefficients + on_inputs;
        let mut inputs = self.bounds.lower[0].clone();
        Zip::from(&mut inputs).and(&slopes).and(&self.bounds.upper[0]).for_each(|x, slope, upper| {
            if *slope < T::zero() {
                *x = *upper;
            }
        });
        let mut values = (&slopes * &inputs).sum_axis(Axis(1));
        for (row, (value, mut input)) in values.iter_mut().zip(inputs.rows_mut()).enumerate() {
            if let Some((least, point)) = self.bounds.least_in_ball(row, slopes.row(row), *value) {
                *value = least;
                input.assign(&point);
            }
        }
        Least { bounds: constants + values, inputs, on_relus }
    }

    fn note(&self, least: &Least<T>, reached: &mut [Reached<T>]) {
        for (row, (place, goal)) in self.places.iter().zip(&self.goals).enumerate() {
            let best = &mut reached[*place];
            if least.bounds[row] > best.bound {
                let slopes = |lines: &Relaxation<T>| lines.below.row(row).to_owned();
                if best.slopes.is_empty() {
                    best.first = least.bounds[row];
                }
                best.bound = least.bounds[row];
                best.weights.assign(&goal.weights);
                best.slopes = self.lines.iter().map(|lines| lines.as_ref().map(slopes)).collect();
            }
        }
    }

    /// The pass forward, on which slopes and weights take their step.
    fn follow(&mut self, least: &Least<T>, step: usize) {
        let mut values: Vec<Array2<T>> = vec![least.inputs.clone()];
        for (id, node) in self.model.nodes().iter().enumerate().skip(1) {
            let value = match &node.op {
                Op::Input => unreachable!("only node 0 is the input"),
                Op::Affine { .. } => self.model.affine(node, &values),
                Op::Relu(source) => {
                    let value = self.on_lines(id, &values[*source], &least.on_relus);
                    if let Some(coefficients) = &least.on_relus[id] {
                        let gradient =
                            Zip::from(coefficients).and(&values[*source]).map_collect(|a, z| a.max(T::zero()) * *z);
                        self.follow_slopes(id, gradient, step);
                    }
                    value
                }
            };
            values.push(value);
        }
        self.follow_weights(&values[self.model.output()], &least.inputs, step);
    }

    /// The value of a ReLU node on the lines that its coefficients choose.
    fn on_lines(&self, id: usize, source: &Array2<T>, on_relus: &OnRelus<T>) -> Array2<T> {
        let lines = self.lines[id].as_ref().expect("a relaxation for each ReLU");
        let mut value = source * &lines.below;
        if let Some(coefficients) = &on_relus[id] {
            let above = Zip::from(&mut value).and(coefficients).and(source).and(&lines.above).and(&lines.offset);
            above.for_each(|value, a, z, slope, offset| {
                if *a < T::zero() {
                    *value = *slope * *z + *offset;
                }
            });
        }
        value
    }

    /// A step of a ReLU node's slopes, with the gradient: each positive coefficient times the value of the ReLU's input.
    fn follow_slopes(&mut self, id: usize, gradient: Array2<T>, step: usize) {
        let lines = self.lines[id].as_mut().expect("a relaxation for each ReLU");
        let [mean, square] = self.moments[id].as_mut().expect("moments for each ReLU");
        let rate = T::of(falling(SLOPE_RATES, step));
        let (keep, keep_square) = (T::of(DECAY.0), T::of(DECAY.1));
        let time = step as i32 + 1;
        let (begun, begun_square) = (T::one() - keep.powi(time), T::one() - keep_square.powi(time));
        let (zero, one, grid) = (T::zero(), T::one(), T::of(GRID));
        Zip::from(mean.view_mut()).and(&gradient).for_each(|mean, g| *mean = keep * *mean + (one - keep) * *g);
        Zip::from(square.view_mut())
            .and(&gradient)
            .for_each(|square, g| *square = keep_square * *square + (one - keep_square) * *g * *g);
        let undecided = Zip::from(&mut lines.below).and(&lines.offset).and(mean).and(square);
        undecided.for_each(|slope, offset, mean, square| {
            let size = (*square / begun_square).sqrt();
            if *offset > zero && size > zero {
                let moved = *slope + rate * (*mean / begun) / size;
                *slope = (moved.max(zero).min(one) * grid).round() / grid;
            }
        });
    }

    /// A step of the atoms' weights (exponentiated gradient, Kivinen and Warmuth 1997).
    fn follow_weights(&mut self, outputs: &Array2<T>, inputs: &Array2<T>, step: usize) {
        let rate = T::of(falling(WEIGHT_RATES, step));
        for (row, goal) in self.goals.iter_mut().enumerate().filter(|(_, goal)| goal.weights.len() > 1) {
            let mut values = goal.outputs.dot(&outputs.row(row)) + &goal.constants;
            if let Some(on_inputs) = &goal.inputs {
                values += &on_inputs.dot(&inputs.row(row));
            }
            let mean = goal.weights.dot(&values);
            let largest = values.iter().map(|value| (*value - mean).abs()).fold(T::zero(), T::max);
            if !(largest > T::zero() && largest.is_finite()) {
                continue;
            }
            let even = T::of(SPREAD / values.len() as f64);
            goal.weights.zip_mut_with(&values, |weight, value| {
                *weight = (*weight + even) * (rate * (*value - mean) / largest).exp();
            });
            let sum = goal.weights.sum();
            goal.weights.mapv_inplace(|weight| weight / sum);
        }
    }

    /// Leaves goals alone whose place is not kept.
    fn retain(&mut self, is_kept: impl Fn(usize) -> bool) {
        let rows: Vec<usize> = (0..self.places.len()).filter(|row| is_kept(self.places[*row])).collect();
        if rows.len() == self.places.len() {
            return;
        }
        self.places = rows.iter().map(|row| self.places[*row]).collect();
        self.goals = rows.iter().map(|row| self.goals[*row].clone()).collect();
        let of = |ends: &Array2<T>| ends.select(Axis(0), &rows);
        self.bounds = self.bounds.inputs_of(&rows);
        self.lines.iter_mut().flatten().for_each(|lines| *lines = lines.select(&rows));
        self.moments.iter_mut().flatten().flatten().for_each(|moment| *moment = of(moment));
    }
}

/// A rate that falls geometrically over the ascent.
fn falling((first, last): (f64, f64), step: usize) -> f64 {
    first * (last / first).powf(step as f64 / STEPS as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::random_networks::{Builder, assorted, random_point, random_region};

    #[test]
    fn goals_that_gain_too_little_are_given_up_at_checkpoints() {
        let is_promising = |first, bound, steps| {
            Reached { bound, first, weights: Array1::zeros(0), slopes: Vec::new() }.is_promising(steps)
        };
        for (steps, times) in CHECKPOINTS {
            assert!(is_promising(-1.0 - 1.1 / times, -1.0, steps) && !is_promising(-1.0 - 0.9 / times, -1.0, steps));
            assert!(is_promising(-1.0, -1.0, steps - 1));
            assert!(!is_promising(-1.0, 0.5, steps) && !is_promising(-1.0, 0.5, steps - 1));
        }
    }

    #[test]
    fn ascended_bounds_hold_and_are_no_worse_than_adaptive_ones() {
        let soon = Deadline::after(Duration::from_secs(600));
        let (mut better, mut all) = (0, 0);
        for (seed, network) in (0..20).flat_map(|seed| assorted(seed).into_iter().map(move |network| (seed, network))) {
            let mut builder = Builder::new(seed, 5);
            let region = random_region(&mut builder, network.input_size(), 0.4);
            let end = |end: fn(bartizan_proof::Interval) -> f64| {
                let ends: Array1<f64> = region.bounds.iter().map(|b| end(b.outer())).collect();
                ends.insert_axis(Axis(0))
            };
            let model = Model::<f64>::of(&network);
            let (bounds, lines) =
                linear::propagate(&model, Bounds::of_input(end(|i| i.lo), end(|i| i.hi)), soon).unwrap();
            let outputs = Array2::eye(network.output_size());
            let count = network.output_size() as f64;
            let (constants, weights) =
                (Array1::zeros(outputs.nrows()), Array1::from_elem(outputs.nrows(), 1.0 / count));
            let goal = Goal { domain: 0, outputs: outputs.view(), inputs: None, constants, weights };
            let rows = Rows {
                node: model.output(),
                coefficients: goal.weights.clone().insert_axis(Axis(0)),
                constants: Array1::zeros(1),
                domains: vec![0],
            };
            let adaptive = linear::lower_bounds(&model, &bounds, &lines, &rows).lower[0];
            let reached = ascend(&model, &bounds, &lines, (vec![goal], soon)).remove(0);
            assert!(reached.bound >= adaptive - 1e-9, "{} {adaptive}", reached.bound);
            assert!((reached.weights.sum() - 1.0).abs() < 1e-9 && reached.weights.iter().all(|w| *w >= 0.0));
            assert!(reached.slopes.iter().flatten().flatten().all(|slope| (0.0..=1.0).contains(slope)));
            better += usize::from(reached.bound > adaptive + 1e-6);
            all += 1;
            for _ in 0..50 {
                let point = Array1::from(random_point(&mut builder, &region)).insert_axis(Axis(0));
                let values = model.evaluate(point.view()).pop().unwrap();
                assert!(reached.weights.dot(&values.row(0)) >= reached.bound - 1e-9);
            }
        }
        assert!(2 * better > all, "{better} of {all} bounds improved");
    }
}
