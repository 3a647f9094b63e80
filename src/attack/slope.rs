//! What rows descend on, and how a gradient becomes a step. Rows take turns: no rule is best for all networks.

use ndarray::{Array2, ArrayView1, ArrayViewMut1, Ix2};

use crate::bound::Model;
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

    /// Moves a point against its gradient, inside the box; the rate is a share of the box width.
    pub fn step<T: Real>(self, query: &Query<T>, (mut point, gradient): (ArrayViewMut1<T>, ArrayView1<T>), rate: f64) {
        let rate = T::of(rate);
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
}
