//! Proved bounds on a network's outputs, to compare methods.
//!
//! The search only supplies witnesses: which hidden bounds to tighten, and with which slopes. The intervals are the
//! checker's.

use bartizan_proof::certificate::{Item, Side, Target, Targets, Witness};
use bartizan_proof::property::Region;
use bartizan_proof::{Network, ProvedBounds, Refusal, Rejected, check};
use ndarray::{Array1, Array2};

use crate::bound::{Bounds, Model, forms, linear};
use crate::certify;
use crate::deadline::Deadline;
use crate::lp::{self, Objective, Unsolved};
use crate::refine::grove::{self, Growth};
use crate::refine::tree::Tree;
use crate::refine::{Refinement, STEPS, witness};
use crate::verify::{Method, Verifier};

/// What to compute.
#[derive(Clone, Copy, Debug)]
pub struct Request {
    /// How far up the ladder to go; [`Method::Auto`] means [`Method::Lp`].
    pub method: Method,
    /// Whether linear programs also bound every ReLU input whose sign is open, layer by layer.
    pub hidden_programs: bool,
    /// When to stop.
    pub deadline: Deadline,
}

/// Why there are no bounds.
#[derive(Debug, thiserror::Error)]
pub enum BoundsError {
    /// A linear program was not solved.
    #[error(transparent)]
    Unsolved(#[from] Unsolved),
    /// The checker refused the witness.
    #[error("the checker refused the witness: {0}")]
    Rejected(#[from] Rejected),
}

/// Proves bounds on all outputs over a region.
///
/// Every method includes the bounds of intervals and linear bounds; what slopes, signs or programs find is intersected with them.
///
/// # Errors
///
/// A program could not be solved in time, or the region does not fit the network.
pub fn prove(verifier: &Verifier, region: &Region, request: &Request) -> Result<ProvedBounds, BoundsError> {
    let network = verifier.network();
    if region.bounds.len() != network.input_size() {
        let (expected, found) = (network.input_size(), region.bounds.len());
        return Err(Rejected::from(Refusal::PointSize(expected, found)).into());
    }
    let output = network.places().len() - 1;
    let mut steps = Vec::new();
    if request.method != Method::Ibp {
        let both_ends = (0..network.output_size()).flat_map(|element| {
            [Side::Lower, Side::Upper].map(|side| Target { element, side, witness: Witness::Default })
        });
        let varying = region.bounds.iter().map(|b| b.outer()).filter(|outer| outer.lo < outer.hi).count();
        steps.extend((varying <= forms::MOST_INPUTS).then_some(Item::Forms));
        steps.extend([Item::TightenAll, Item::Tighten(output, Targets::Listed(both_ends.collect()))]);
    }
    if matches!(request.method, Method::Lp | Method::Auto) {
        let programs = Programs::new(verifier, region, request.deadline);
        let mut programs = programs.ok_or(Unsolved::Deadline)?;
        if request.hidden_programs {
            steps.extend(programs.hidden()?);
        }
        steps.push(Item::Tighten(output, Targets::Listed(programs.outputs()?)));
    }
    if matches!(request.method, Method::Slopes | Method::Branch) {
        let passes: &[usize] = if request.method == Method::Slopes { &[1] } else { &[1, SUBPROBLEMS] };
        steps.extend(refined(verifier, region, (passes, request.deadline)).ok_or(Unsolved::Deadline)?);
    }
    Ok(check::bounds(network, region, &steps)?)
}

/// Subproblems for each end of a hidden neuron or an output, where signs are split.
const SUBPROBLEMS: usize = 64;

/// Refines hidden bounds in passes with so many subproblems an end, then bounds the outputs; `None` when the deadline passes first.
fn refined(verifier: &Verifier, region: &Region, (passes, deadline): (&[usize], Deadline)) -> Option<Vec<Item>> {
    let (network, model) = (verifier.network(), verifier.model());
    let (bounds, _) = linear::propagate(model, Bounds::of_region(region), deadline)?;
    let mut refinement = Refinement::new(model, bounds);
    passes.iter().try_for_each(|most| refinement.pass(*most, deadline).map(|_| ()))?;
    let compact = refinement.compact();
    let frame = refinement.frame(&compact);
    let ends = || (0..network.output_size()).flat_map(|element| [Side::Lower, Side::Upper].map(|side| (element, side)));
    let tree = |(element, side)| {
        let (lower, upper) = frame.interval(model.output(), element);
        let mut unit = Array1::zeros(network.output_size());
        unit[element] = if side == Side::Lower { 1.0 } else { -1.0 };
        refinement.tree(&compact, &unit, 0.0, if side == Side::Lower { upper } else { -lower })
    };
    let mut trees: Vec<Tree> = ends().map(tree).collect();
    let growth = Growth { root_steps: STEPS.0, steps: STEPS.1, fresh: None, splits: 1, deadline };
    grove::plant(&frame, &mut trees, None, &growth)?;
    let all = Vec::from_iter(0..trees.len());
    for _ in 0..passes.last()? / 2 {
        grove::grow(&frame, &mut trees, &all, &growth)?;
    }
    let target = |((element, side), tree): (_, &Tree)| {
        let witness = witness::of_tree(model, (&compact, &frame), tree);
        Target { element, side, witness }
    };
    let targets = Targets::Listed(ends().zip(&trees).map(target).collect());
    let mut items = refinement.items(&certify::tightened_places(network, model, region.is_box()));
    items.push(Item::Tighten(network.places().len() - 1, targets));
    Some(items)
}

/// Linear programs over one region.
struct Programs<'v> {
    network: &'v Network,
    model: &'v Model<f64>,
    bounds: Bounds<f64>,
    deadline: Deadline,
}

impl<'v> Programs<'v> {
    fn new(verifier: &'v Verifier, region: &Region, deadline: Deadline) -> Option<Self> {
        let (network, model) = (verifier.network(), verifier.wide_model());
        let (bounds, _) = linear::propagate(model, Bounds::of_region(region), deadline)?;
        Some(Programs { network, model, bounds, deadline })
    }

    /// Bounds every ReLU input whose sign is open, in topological order, each over the bounds found before it.
    fn hidden(&mut self) -> Result<Vec<Item>, Unsolved> {
        let mut steps = Vec::new();
        for (node, place) in certify::tightened_places(self.network, self.model, self.bounds.ball.is_none()) {
            let mut targets = Vec::new();
            for (_, element) in self.bounds.undecided(node) {
                for side in [Side::Lower, Side::Upper] {
                    let (value, target) = self.solve(node, element, side)?;
                    match side {
                        Side::Lower => improve(&mut self.bounds.lower[node][[0, element]], value, f64::max),
                        Side::Upper => improve(&mut self.bounds.upper[node][[0, element]], -value, f64::min),
                    }
                    targets.push(target);
                }
            }
            steps.push(Item::Tighten(place, Targets::Undecided));
            steps.push(Item::Tighten(place, Targets::Listed(targets)));
        }
        Ok(steps)
    }

    fn outputs(&mut self) -> Result<Vec<Target>, Unsolved> {
        let output = self.model.output();
        let mut targets = Vec::new();
        for element in 0..self.model.nodes()[output].size {
            for side in [Side::Lower, Side::Upper] {
                targets.push(self.solve(output, element, side)?.1);
            }
        }
        Ok(targets)
    }

    /// The minimum of an element (or of its negative) and the slopes that prove it.
    fn solve(&self, node: usize, element: usize, side: Side) -> Result<(f64, Target), Unsolved> {
        let mut coefficients = Array2::zeros((1, self.model.nodes()[node].size));
        coefficients[[0, element]] = if side == Side::Lower { 1.0 } else { -1.0 };
        let objective = Objective { node, coefficients, inputs: None, constants: Array1::zeros(1) };
        let solution = lp::minimise_largest(self.model, (&self.bounds, 0), &objective, self.deadline)?;
        Ok((solution.value, Target { element, side, witness: Witness::Own(solution.slopes) }))
    }
}

fn improve(end: &mut f64, by: f64, better: fn(f64, f64) -> f64) {
    *end = better(*end, by);
}
