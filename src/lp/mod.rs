//! The linear programming engine: the triangle relaxation (Ehlers 2017) of a network over a box, built with good_lp.
//!
//! * `encode`: the program.
//! * `multipliers`: from its optimal vertex to the witness that the checker accepts.
//!
//! The checker never sees the program or its value. It sees slopes and multipliers, which the dual solution of the
//! program provides: for fixed intervals the best slopes of the linear bound rule reach the optimum of the program.

mod encode;
mod multipliers;

use std::time::Instant;

use bartizan_proof::certificate::Slopes;

use crate::bound::{Bounds, Model};

pub use encode::Objective;

/// A solved program.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The optimal value, in the solver's arithmetic.
    pub value: f64,
    /// One multiplier for each row of the objective; they add up to 1.
    pub multipliers: Vec<f32>,
    /// The slopes of each ReLU node.
    pub slopes: Slopes,
    /// The minimiser's input: a candidate for a counterexample.
    pub input: Vec<f64>,
}

/// Why there is no solution.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unsolved {
    /// The time limit was reached.
    #[error("the time limit was reached")]
    Deadline,
    /// The program has too many nonzero coefficients to be worth a try.
    #[error("the linear program has more than {nonzeros} nonzero coefficients")]
    TooLarge {
        /// The limit.
        nonzeros: usize,
    },
    /// The solver gave up.
    #[error("the linear program was not solved: {0}")]
    Solver(String),
}

/// Minimises the largest of the objective's rows over the triangle relaxation of the given domain, whose bounds
/// cover at least the nodes before the objective's.
///
/// # Errors
///
/// The solver stopped early or failed.
pub fn minimise_largest(
    model: &Model<f64>,
    (bounds, domain): (&Bounds<f64>, usize),
    objective: &Objective,
    deadline: Instant,
) -> Result<Solution, Unsolved> {
    let vertex = encode::Program::of(model, (bounds, domain), objective, deadline)?.solve()?;
    let (multipliers, slopes) = multipliers::recover(model, (bounds, domain), objective, &vertex);
    let input = vertex.values[0].clone();
    Ok(Solution { value: vertex.value, multipliers, slopes, input })
}
