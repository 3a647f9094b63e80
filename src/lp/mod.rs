//! The linear programming engine: the triangle relaxation (Ehlers 2017) of a network over a box, built with good_lp.
//!
//! * `encode`: the program.
//! * `multipliers`: from its optimal vertex to the witness that the checker accepts.
//! * `best`: the dual program, where the vertex does not tell the witness.
//! * `proved`: what a witness proves.
//! * `solver`: the solver.
//!
//! Under assumed signs a program is that of a leaf of branch and bound.
//!
//! The checker never sees the program or its value. It sees slopes and multipliers, which the dual solution of the
//! program provides: for fixed intervals the best slopes of the linear bound rule reach the optimum of the program.

mod best;
mod encode;
mod multipliers;
mod proved;
mod solver;

use bartizan_proof::certificate::Slopes;

use crate::bound::frame::Assumed;
use crate::bound::{Bounds, Model};
use crate::deadline::Deadline;

use encode::Vertex;

pub use encode::Objective;

/// An undecided ReLU without an assumed sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Undecided {
    /// The node that feeds it.
    pub node: usize,
    /// The element.
    pub element: usize,
    /// How far its value at the minimiser is from what its input says.
    pub gap: f64,
    /// The size of the coefficient on it.
    pub scale: f64,
}

/// A solved program.
#[derive(Clone, Debug)]
pub struct Solution {
    /// The optimal value, in the solver's arithmetic; infinite where no point of the relaxation has the assumed signs, which the witness
    /// proves if what it proves is positive.
    pub value: f64,
    /// What the witness proves, up to rounding: not more than the value, and less where the program uses that some ReLU's input stays
    /// below its upper end, which the linear bound rule cannot say.
    pub proved: f64,
    /// One multiplier for each row of the objective; they add up to 1.
    pub multipliers: Vec<f32>,
    /// The slopes of each ReLU node, and the multipliers of the assumed signs in their order.
    pub slopes: Slopes,
    /// The minimiser's input: a candidate for a counterexample. Empty where there is no minimiser.
    pub input: Vec<f64>,
    /// The undecided ReLU with the largest gap; of several the one whose relaxation has the largest area.
    pub undecided: Option<Undecided>,
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
    /// No point of the relaxation satisfies what is assumed.
    #[error("no point of the relaxation has the assumed signs")]
    Infeasible,
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
    domain: (&Bounds<f64>, usize),
    objective: &Objective,
    deadline: Deadline,
) -> Result<Solution, Unsolved> {
    minimise_largest_under(model, domain, (objective, &[]), deadline)
}

/// A witness that proves less than this below the program's value is sought again by the dual program, relative to the value's size.
const SHORTFALL: f64 = 1e-7;

/// How far multipliers of contradicting signs go beyond what the rest of a bound needs.
const SURPLUS: f64 = 2.0;

/// The same under assumed signs of nodes before the objective's, no two of the same element.
///
/// # Errors
///
/// The solver stopped early or failed.
pub fn minimise_largest_under(
    model: &Model<f64>,
    domain: (&Bounds<f64>, usize),
    (objective, signs): (&Objective, &[Assumed]),
    deadline: Deadline,
) -> Result<Solution, Unsolved> {
    let solved = encode::Program::of(model, domain, (objective, signs), deadline)?.solve();
    if matches!(solved, Err(Unsolved::Infeasible)) && !signs.is_empty() {
        return contradict(model, domain, (objective, signs), deadline);
    }
    let vertex = solved?;
    let mut witness = multipliers::recover(model, domain, (objective, signs), &vertex);
    let prove = |(multipliers, slopes): &(Vec<f32>, Slopes)| {
        proved::bound(model, domain, (objective, signs), (multipliers, slopes))
    };
    let mut proved = prove(&witness);
    if !signs.is_empty() && proved.bound < vertex.value - SHORTFALL * vertex.value.abs().max(1.0) {
        let other = best::solve(model, domain, (objective, signs, best::Aim::Value), deadline);
        if let Ok((bound, other)) = other.map(|witness| (prove(&witness), witness))
            && bound.bound > proved.bound
        {
            (proved, witness) = (bound, other);
        }
    }
    let (multipliers, slopes) = witness;
    let undecided = worst(model, domain, signs, Some((&vertex, &proved)));
    let (value, input) = (vertex.value, vertex.values.into_iter().next().unwrap_or_default());
    Ok(Solution { value, proved: proved.bound, multipliers, slopes, input, undecided })
}

/// A witness from signs that contradict each other: multiples of what violates them outweigh whatever the objective is.
fn contradict(
    model: &Model<f64>,
    domain: (&Bounds<f64>, usize),
    (objective, signs): (&Objective, &[Assumed]),
    deadline: Deadline,
) -> Result<Solution, Unsolved> {
    let (none, mut slopes) = best::solve(model, domain, (objective, signs, best::Aim::Violation), deadline)?;
    let mut multipliers = vec![0.0; none.len()];
    let prove = |multipliers: &[f32], slopes: &Slopes| {
        proved::bound(model, domain, (objective, signs), (multipliers, slopes)).bound
    };
    let violation = prove(&multipliers, &slopes);
    multipliers[0] = 1.0;
    let without = prove(&multipliers, &Slopes { beta: Vec::new(), ..slopes.clone() });
    let factor = SURPLUS * (1.0 + without.abs()) / violation;
    let factor = if violation > 0.0 && factor < f64::from(f32::MAX) { factor as f32 } else { 0.0 };
    slopes.beta.iter_mut().for_each(|beta| *beta *= factor);
    let (proved, undecided) = (prove(&multipliers, &slopes), worst(model, domain, signs, None));
    Ok(Solution { value: f64::INFINITY, proved, multipliers, slopes, input: Vec::new(), undecided })
}

/// The undecided ReLU where the relaxation is farthest from the network.
fn worst(
    model: &Model<f64>,
    (bounds, domain): (&Bounds<f64>, usize),
    signs: &[Assumed],
    found: Option<(&Vertex, &proved::Proved)>,
) -> Option<Undecided> {
    let mut worst: Option<(Undecided, f64)> = None;
    let is_used = |relu: usize| found.is_none_or(|(vertex, _)| vertex.values.get(relu).is_some_and(|h| !h.is_empty()));
    for (relu, node) in model.relus().filter(|(relu, _)| is_used(*relu)) {
        let (lower, upper) = (bounds.lower[node].row(domain), bounds.upper[node].row(domain));
        for (element, (l, u)) in lower.iter().zip(upper).enumerate().filter(|(_, (l, u))| **l < 0.0 && **u > 0.0) {
            if signs.iter().any(|sign| (sign.node, sign.element) == (node, element)) {
                continue;
            }
            let gap =
                found.map_or(0.0, |(Vertex { values, .. }, _)| values[relu][element] - values[node][element].max(0.0));
            let coefficients = found.and_then(|(_, proved)| proved.coefficients.get(&node));
            let scale = coefficients.map_or(1.0, |row| row[element].abs());
            let (gap, area) = (gap.max(0.0), -l * u);
            if worst.as_ref().is_none_or(|(best, most)| (gap, area) > (best.gap, *most)) {
                worst = Some((Undecided { node, element, gap, scale }, area));
            }
        }
    }
    worst.map(|(undecided, _)| undecided)
}

#[cfg(test)]
mod tests;
