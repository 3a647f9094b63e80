//! What is bounded, once for each leaf of its witness, a tree of signs; the least of these bounds counts.
//!
//! The leaves cover all points, and in each all signs on its way hold. So in a leaf's bound they are cuts, and ReLUs whose inputs have
//! assumed signs are linear. All leaves are bounded in the state of the node, whose enclosures hold in each of them.

use std::sync::Arc;

use crate::arith::{Combination, LinearAtom, min_or_nan};
use crate::certificate::{Literal, Side, Sign, SignLeaf, SignNode, SignTree, Witness};
use crate::error::Refusal;
use crate::network::NodeId;

use super::affine::lower_bounds;
use super::relax::{check_multipliers, check_slopes};
use super::state::{MOST_ASSUMED, State};

/// Coefficients that one batch of rows may hold at a node, so that memory stays bounded (32 MiB a node).
const BATCH: usize = 1 << 22;

/// The most rows of a batch, so that several threads find something to do, and rows stay in the cache.
const MOST_ROWS: usize = 256;

/// A linear function to be bounded from below, and how.
pub(crate) struct Task<'w> {
    /// A combination of inequalities, each as its left less its right side.
    goal: Vec<(f32, LinearAtom)>,
    witness: SignTree<'w>,
}

/// A leaf of a task's witness.
#[derive(Clone, Copy)]
pub(crate) struct Row<'r> {
    goal: &'r [(f32, LinearAtom)],
    pub leaf: SignLeaf<'r>,
}

impl<'w> Task<'w> {
    /// A goal, and a witness that fits the state.
    pub fn new(state: &'w State, goal: Vec<(f32, LinearAtom)>, witness: &'w Witness) -> Result<Self, Refusal> {
        let witness = SignTree::new(witness, |witness| state.slopes(witness))?;
        for (node, depth) in witness.nodes() {
            if state.assumed().saturating_add(depth) > MOST_ASSUMED {
                return Err(Refusal::TooDeep(MOST_ASSUMED));
            }
            match node {
                SignNode::Split(place, element) => state.ground().check_relu_input(*place, *element)?,
                SignNode::Base(slopes) => check_slopes(state, slopes, state.cuts.len())?,
                SignNode::Leaf(betas) => check_multipliers(betas, depth, "signs on the way")?,
                SignNode::Own(slopes) => check_slopes(state, slopes, state.cuts.len() + depth)?,
            }
        }
        Ok(Task { goal, witness })
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.witness.leaves().map(|leaf| Row { goal: &self.goal, leaf })
    }
}

impl<'r> Row<'r> {
    /// The goal, plus what the multipliers add of cuts, signs and constraints.
    pub fn combination(self, state: &State) -> Result<Combination, Refusal> {
        let [of_cuts, of_signs, of_constraints] = self.leaf.multipliers(state.cuts.len());
        let mut sum = Combination::zero();
        self.goal.iter().for_each(|(multiplier, atom)| sum.add(*multiplier, atom));
        let cuts = of_cuts.iter().zip(state.cuts.iter().map(Arc::as_ref));
        let constraints = of_constraints.iter().zip(&state.ground().constraints);
        cuts.chain(constraints).for_each(|(multiplier, atom)| sum.add(*multiplier, atom));
        for (number, Sign { place, element, side }) in self.leaf.signs() {
            let multiplier = of_signs.get(number).copied().unwrap_or_default();
            sum.add(multiplier, &state.ground().atom(&Literal { place, element, side, at: 0.0 })?);
        }
        Ok(sum)
    }

    /// The elements of a node whose signs are assumed, and whether they are at least 0; what is assumed last comes first.
    pub fn signs(self, state: &'r State, node: NodeId) -> impl Iterator<Item = (usize, bool)> + 'r {
        let here = self.leaf.signs().filter(move |(_, sign)| state.ground().is_at(sign.place, node));
        here.map(|(_, sign)| (sign.element, sign.side == Side::Lower))
    }
}

/// Lower bounds of all tasks, each the least that any of its leaves has.
pub(crate) fn least_bounds(state: &State, tasks: &[Task]) -> Result<Vec<f64>, Refusal> {
    let rows: Vec<Row> = tasks.iter().flat_map(Task::rows).collect();
    let batches: Vec<&[Row]> = rows.chunks((BATCH / state.widest()).clamp(1, MOST_ROWS)).collect();
    let pool = &state.ground().pool;
    let bounds = pool.each(&batches, |rows| pool.check_time().and_then(|()| lower_bounds(state, rows)));
    let bounds = bounds.into_iter().collect::<Result<Vec<Vec<f64>>, Refusal>>()?;
    let mut bounds = bounds.into_iter().flatten();
    let least = |task: &Task| bounds.by_ref().take(task.rows().count()).reduce(min_or_nan).unwrap_or(f64::NAN);
    Ok(tasks.iter().map(least).collect())
}
