//! The solver that was chosen at build time.

use std::panic::{self, AssertUnwindSafe};

use good_lp::{
    Constraint, ResolutionError, Solution, SolutionStatus, SolverModel, WithTimeLimit, variable::UnsolvedProblem,
};

use super::Unsolved;

#[cfg(not(feature = "highs"))]
use good_lp::microlp as solver;

#[cfg(feature = "highs")]
use good_lp::highs as solver;

/// Solves a program within a time limit.
pub(super) fn solve(
    problem: UnsolvedProblem,
    constraints: Vec<Constraint>,
    seconds: f64,
) -> Result<impl Solution, Unsolved> {
    let mut model = problem.using(solver).with_time_limit(seconds);
    for constraint in constraints {
        model.add_constraint(constraint);
    }
    // The solver asserts that its numbers stay finite, which extreme weights disprove.
    let solved = panic::catch_unwind(AssertUnwindSafe(|| model.solve()));
    let solved = solved.unwrap_or_else(|_| Err(ResolutionError::Str("the solver panicked".to_owned())));
    let solution = solved.map_err(|error| match error {
        ResolutionError::Infeasible => Unsolved::Infeasible,
        ResolutionError::Other(text) if text.contains("Time limit") => Unsolved::Deadline,
        other => Unsolved::Solver(other.to_string()),
    })?;
    match solution.status() {
        SolutionStatus::TimeLimit => Err(Unsolved::Deadline),
        _ => Ok(solution),
    }
}
