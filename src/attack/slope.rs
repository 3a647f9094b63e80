//! What rows descend on, and how a gradient becomes a step. Rows take turns: no rule is best for all networks.

use bartizan_proof::property::Norm;
use ndarray::{Array2, ArrayView1, ArrayViewMut1, Ix2};

use crate::bound::{Ball, Model};
use crate::query::{Query, Target};
use crate::real::Real;

/// Coefficients of what each row descends on.
pub(super) struct Slope<T> {
    outputs: Array2<T>,
    inputs: Array2<T>,
}

impl<T: Real> Slope<T> {
    /// Nothing yet, for outputs and inputs of the given shapes.
    pub fn new(outputs: Ix2, inputs: Ix2) -> Self {
        Slope { outputs: Array2::zeros(outputs), inputs: Array2::zeros(inputs) }
    }

    /// Adds the atoms that a row descends on: the worst one, or where the number is odd all that do not hold yet. Returns the worst excess.
    pub fn add_atoms(&mut self, (row, number): (usize, usize), target: &Target<T>, excesses: &[T]) -> T {
        let worst = excesses.iter().copied().fold(T::neg_infinity(), T::max);
        let all_open = number % 2 == 1 && worst > T::zero();
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
        worst
    }

    /// The gradients with respect to the inputs, where the network has the given values.
    pub fn gradient(self, model: &Model<T>, values: &[Array2<T>]) -> Array2<T> {
        model.gradient(values, self.outputs) + self.inputs
    }
}

/// Inputs that an L1 step moves along: those at least this share as steep as the steepest one, by rule.
const NEARLY_STEEPEST: (f64, f64) = (0.5, 0.9);

/// The width of a ball, in radii.
const DIAMETER: f64 = 2.0;

/// How a gradient becomes a step.
#[derive(Clone, Copy)]
pub(super) enum StepRule {
    /// The full rate along every input, by the gradient's sign: strong where many inputs vary.
    Sign,
    /// In proportion to the gradient: strong where few inputs vary.
    Proportional,
}

impl StepRule {
    /// The rule of a row.
    pub fn of(number: usize) -> Self {
        if (number / 2).is_multiple_of(2) { StepRule::Sign } else { StepRule::Proportional }
    }

    /// Moves a point against its gradient, inside the region; the rate is a share of the box width, or of the ball's.
    pub fn step<T: Real>(self, query: &Query<T>, (mut point, gradient): (ArrayViewMut1<T>, ArrayView1<T>), rate: f64) {
        let rate = T::of(rate);
        if let Some(ball) = &query.ball {
            self.step_in_ball((query, ball), (point.view_mut(), gradient), rate);
            // The ball first: the box would bend a step that leaves both.
            point.as_slice_mut().into_iter().for_each(|point| ball.pull(point));
            return query.project(point);
        }
        let width = |j: usize| query.upper[j] - query.lower[j];
        let steepest = gradient.iter().enumerate().map(|(j, g)| g.abs() * width(j)).fold(T::zero(), T::max);
        for (j, (x, g)) in point.iter_mut().zip(gradient).enumerate() {
            let direction = match self {
                _ if steepest == T::zero() => T::zero(),
                StepRule::Sign if *g == T::zero() => T::zero(),
                StepRule::Sign => g.signum(),
                StepRule::Proportional => *g * width(j) / steepest,
            };
            *x = (*x - direction * rate * width(j)).max(query.lower[j]).min(query.upper[j]);
        }
    }

    /// The steepest step in the ball's norm, or one that spreads over more inputs: all that are not at the end of the box where they would
    /// go for L2, and for L1, whose steepest step is along a single input, those that are nearly as steep.
    fn step_in_ball<T: Real>(
        self,
        (query, ball): (&Query<T>, &Ball<T>),
        (mut point, gradient): (ArrayViewMut1<T>, ArrayView1<T>),
        rate: T,
    ) {
        let reach = ball.reach();
        let is_free =
            |j: usize, g: T| if g > T::zero() { point[j] > query.lower[j] } else { point[j] < query.upper[j] };
        let free = |(j, g): (usize, &T)| if is_free(j, *g) { *g * reach[j] } else { T::zero() };
        let mut steps: Vec<T> = gradient.iter().enumerate().map(free).collect();
        let steepest = steps.iter().map(|g| g.abs()).fold(T::zero(), T::max);
        match (ball.norm(), self) {
            (Norm::L1, _) => {
                let share = if matches!(self, StepRule::Sign) { NEARLY_STEEPEST.0 } else { NEARLY_STEEPEST.1 };
                let least = T::of(share) * steepest;
                steps.iter_mut().filter(|g| g.abs() < least).for_each(|g| *g = T::zero());
                steps.iter_mut().filter(|g| **g != T::zero()).for_each(|g| *g = g.signum());
            }
            (Norm::L2, StepRule::Sign) => {
                steps.iter_mut().filter(|g| **g != T::zero()).for_each(|g| *g = g.signum());
            }
            (Norm::L2, StepRule::Proportional) => {}
        }
        let length = match ball.norm() {
            Norm::L1 => steps.iter().map(|step| step.abs()).sum::<T>(),
            Norm::L2 => steps.iter().map(|step| *step * *step).sum::<T>().sqrt(),
        };
        if length > T::zero() {
            let along = T::of(DIAMETER) * rate / length;
            point.iter_mut().zip(&steps).zip(reach).for_each(|((x, step), reach)| *x += -*step * along * *reach);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bartizan_proof::Interval;
    use bartizan_proof::property;
    use ndarray::{Array1, array};

    use super::*;

    const REACH: [f64; 4] = [1.0, 0.5, 2.0, 1.0];

    /// A ball around zero in a box that lets the last input only rise.
    fn query(norm: Norm) -> Query<f64> {
        let points = |list: [f64; 4]| list.map(Interval::point).to_vec();
        let (center, scale) = (points([0.0; 4]), points(REACH.map(|reach| 1.0 / reach)));
        let ball = property::Ball { norm, center, scale, radius: Interval::point(1.0) };
        let (lower, upper) = (array![-1.0, -0.5, -2.0, 0.0], array![1.0, 0.5, 2.0, 1.0]);
        Query { region: 0, lower, upper, ball: Some(Arc::new(Ball::of(&ball))), cases: Vec::new() }
    }

    #[test]
    fn steps_stay_in_the_ball_and_the_steepest_goes_to_its_edge() {
        // In reaches the gradient is (3, -4, 0.5, 9), but the last input cannot fall.
        let gradient = array![3.0, -8.0, 0.25, 9.0];
        for (norm, least) in [(Norm::L1, -4.0), (Norm::L2, -(9.0_f64 + 16.0 + 0.25).sqrt())] {
            let query = query(norm);
            let ball = query.ball.as_ref().unwrap();
            let stepped = [StepRule::Sign, StepRule::Proportional].map(|rule| {
                let mut point = Array1::zeros(4);
                rule.step(&query, (point.view_mut(), gradient.view()), 1.0);
                assert!(ball.distance(point.as_slice().unwrap()) <= 1.0 + 1e-12 && point[3] == 0.0, "{norm:?} {point}");
                gradient.dot(&point)
            });
            assert!((stepped[1] - least).abs() < 1e-12, "{norm:?} {stepped:?}");
            assert!(stepped[0] < 0.8 * least, "{norm:?} {stepped:?}");
        }
    }

    #[test]
    fn points_are_projected_into_the_region() {
        for norm in [Norm::L1, Norm::L2] {
            let query = query(norm);
            let mut outside = array![-5.0, 0.4, 0.5, -1.0];
            query.project(outside.view_mut());
            let distance = query.ball.as_ref().unwrap().distance(outside.as_slice().unwrap());
            assert!((distance - 1.0).abs() < 1e-12 && outside[3] == 0.0, "{norm:?} {outside}");
            let inside = array![-0.1, 0.1, 0.2, 0.1];
            let mut kept = inside.clone();
            query.project(kept.view_mut());
            assert_eq!(kept, inside);
        }
    }
}
