//! Linear programs for leaves of sign trees that first-order bounds leave below the goal with nothing to split.
//!
//! The program of a leaf either closes it, with slopes and multipliers of its own; or its minimiser is a counterexample; or it says which
//! undecided ReLU lets the relaxation fall below the network.

use bartizan_proof::Violated;
use ndarray::{Array1, Array2};

use super::Ladder;
use crate::bound::compact::Compact;
use crate::bound::dual::{Choice, Sign};
use crate::bound::frame::Assumed;
use crate::bound::{Bounds, Rounded};
use crate::lp::{self, Objective, Solution, Undecided};
use crate::query::{Query, Target};
use crate::real::Real;
use crate::refine::Refinement;
use crate::refine::tree::{Taken, Tree};

/// Programs that the trees of one query may ask for before their next refinement.
const MOST_PROGRAMS: usize = 1_000;

/// The most nonzero coefficients that a program should have: a larger one takes longer than many subproblems.
const MOST_NONZEROS: usize = 20_000;

/// What a program must prove, as a share of what is asked of bounds in single precision: the share that double precision has of its rounding.
const GOAL: f64 = 1e-10;

/// Gaps below this are rounding.
const LEAST_GAP: f64 = 1e-7;

/// The programs of a query's leaves: one objective a tree.
pub(super) struct Programs<'c> {
    region: usize,
    compact: &'c Compact,
    bounds: Bounds<f64>,
    /// What makes the part of the region.
    assumed: Vec<Assumed>,
    /// For each tree the combination that it bounds, and all atoms of its case where there are several.
    objectives: Vec<(Objective, Option<Objective>)>,
    left: usize,
}

impl Ladder<'_> {
    /// The programs of the given cases of a region, each with the combination of its atoms, under the bounds that refinement has found.
    pub(super) fn programs<'c>(
        &self,
        (region, open, combinations): (usize, &[&Target<f32>], &[Array1<f32>]),
        (refinement, compact): (&Refinement, &'c Compact),
    ) -> Programs<'c> {
        let query = Query::<f64>::all_of(self.property).swap_remove(region);
        let wide = |ends: &[Array2<f32>]| ends.iter().map(|ends| ends.mapv(Real::wide)).collect();
        let (lower, upper) = (wide(&refinement.bounds().lower), wide(&refinement.bounds().upper));
        let mut bounds = Bounds::of_ends(lower, upper);
        bounds.rounded = refinement.bounds().rounded.iter().map(|of| of.as_ref().map(Rounded::wide)).collect();
        bounds.lower[0] = super::row(&query.lower);
        bounds.upper[0] = super::row(&query.upper);
        let node = bounds.lower.len() - 1;
        let objective = |(target, weights): (&&Target<f32>, &Array1<f32>)| {
            let target = query.cases.iter().find(|of| of.case == target.case).expect("the same cases");
            let all = super::objective(node, target);
            let combined = all.combined(&weights.mapv(Real::wide));
            (combined, (weights.len() > 1).then_some(all))
        };
        let objectives = open.iter().zip(combinations).map(objective).collect();
        Programs { region, compact, bounds, assumed: refinement.assumed().to_vec(), objectives, left: MOST_PROGRAMS }
    }

    /// Closes what programs can close of the trees' leaves, and opens what they tell how to split. A point where a case happens may come up.
    pub(super) fn solve_leaves(&self, programs: &mut Programs, trees: &mut [Tree]) -> Option<Violated> {
        for (i, tree) in trees.iter_mut().enumerate() {
            while let Some(leaf) = tree.take_stuck() {
                if programs.left == 0 || self.is_late() {
                    tree.leave(leaf);
                    break;
                }
                programs.left -= 1;
                let mut found = None;
                if !self.solve_leaf((programs, i), (tree, leaf), &mut found) {
                    tree.leave(leaf);
                    break;
                }
                if found.is_some() {
                    return found;
                }
            }
        }
        None
    }

    /// Whether a leaf is closed or open again, or a point was found.
    fn solve_leaf(
        &self,
        (programs, of): (&Programs, usize),
        (tree, leaf): (&mut Tree, Taken),
        found: &mut Option<Violated>,
    ) -> bool {
        let mut signs = programs.assumed.clone();
        signs.extend(tree.assumed(leaf).iter().map(|sign| original(programs.compact, sign)));
        let (model, bounds) = (self.verifier.wide_model(), (&programs.bounds, 0));
        let solve = |objective| lp::minimise_largest_under(model, bounds, (objective, &signs), self.deadline).ok();
        let (combined, all) = &programs.objectives[of];
        let Some(mut solved) = solve(combined) else { return false };
        if solved.proved >= GOAL * tree.goal.wide() {
            tree.settle(leaf, solved.slopes);
            return true;
        }
        if let Some(all) = all {
            let Some(largest) = solve(all) else { return false };
            solved = largest;
        }
        let Solution { value, input, undecided, .. } = solved;
        if self.options.attack && !input.is_empty() {
            *found = self.replay(programs.region, &input);
        }
        let worth = |undecided: &Undecided| (undecided.gap > LEAST_GAP || value > 0.0) && tree.has_room(leaf);
        match undecided.filter(worth) {
            Some(undecided) => tree.reopen(leaf, choice(programs.compact, &undecided)),
            None => return found.is_some(),
        }
        true
    }
}

/// Whether programs of leaves are small enough to be worth their time: few ReLUs are undecided, and what feeds them is narrow.
pub(super) fn are_small(refinement: &Refinement, compact: &Compact) -> bool {
    let undecided: usize = compact.model.relus().map(|(_, source)| refinement.bounds().undecided(source).len()).sum();
    let widest = compact.model.nodes().iter().map(|node| node.size).max().unwrap_or(0);
    undecided * widest <= MOST_NONZEROS
}

/// A sign in the network with all its elements.
fn original(compact: &Compact, sign: &Sign) -> Assumed {
    let element = compact.kept[sign.node][sign.element];
    Assumed { node: sign.node, element, is_positive: sign.is_positive }
}

/// A choice in the network without what is inactive.
fn choice(compact: &Compact, undecided: &Undecided) -> Choice {
    let Undecided { node, element, gap, scale } = *undecided;
    let element = compact.kept[node].binary_search(&element).expect("undecided elements are kept");
    Choice { node, element, score: gap as f32, scale: scale as f32 }
}
