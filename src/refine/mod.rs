//! Refinement of the intervals of hidden neurons, and branch and bound over the signs of ReLU inputs.
//!
//! Where many inputs vary, a query is decided by what is known of its undecided ReLUs. So their intervals come first: layer by layer,
//! every undecided end is a target of its own, bounded by optimised slopes at first and then by a small branch and bound over
//! the signs of ReLUs before it. What is known of the outputs follows from that, if need be by a larger tree of the same kind.
//!
//! * [`tree`]: branch and bound of one target.
//! * [`grove`]: many trees grow together.
//! * [`influence`]: what matters for the query.
//! * [`witness`]: from a tree to the witness that the checker accepts.

pub mod grove;
pub mod influence;
pub mod tree;
pub mod witness;

use std::collections::BTreeMap;

use bartizan_proof::Interval;
use bartizan_proof::certificate::{Item, Place, Side, Targets, Witness};
use ndarray::Array1;

use crate::bound::compact::Compact;
use crate::bound::frame::{Assumed, Cut, Frame, Target};
use crate::bound::model::Op;
use crate::bound::{Bounds, Model};
use crate::deadline::Deadline;
use grove::Growth;
use influence::{Influence, Weights};
use tree::Tree;

/// Steps of an ascent of slopes, and of the multipliers of a new leaf.
pub const STEPS: (usize, usize) = (16, 2);

/// Subproblems of all trees of a layer together.
const MOST: usize = 1_000_000;

/// What trees that grow together may take, in bytes: those of the query's open cases, or those of one layer. Witnesses that are kept take
/// about as much again for each layer.
const MEMORY: usize = 1 << 30;

/// After how many levels of a tree of the query's own slopes move again, and the steps of an ascent there.
pub const FRESH: (usize, usize) = (4, 8);

/// By how much a lower end must exceed an upper one, as a share of both, to contradict it.
const CONTRADICTION: f32 = 1e-4;

/// Subproblems of a tree before it is known what it promises.
const FIRST: usize = 7;

/// The fewest and the most trees that grow in one round, and the share of the open ones in between.
const ROUND: (usize, usize, usize) = (8, 128, 8);

/// The bounds of a region, with witnesses for those that refinement has found.
#[derive(Clone, Debug)]
pub struct Refinement<'m> {
    model: &'m Model<f32>,
    bounds: Bounds<f32>,
    /// For each node, element and whether it is the upper end.
    witnesses: BTreeMap<(usize, usize, bool), Witness>,
    /// What the query's bounds depend on.
    influence: Influence,
    /// The signs that make the region a part of a larger one, in the order in which they were assumed.
    assumed: Vec<Assumed>,
}

impl<'m> Refinement<'m> {
    /// Begins with bounds of a single domain.
    pub fn new(model: &'m Model<f32>, bounds: Bounds<f32>) -> Self {
        let (witnesses, influence, assumed) = (BTreeMap::new(), Influence::default(), Vec::new());
        Refinement { model, bounds, witnesses, influence, assumed }
    }

    /// The part of the region where a sign is assumed in addition: with the bounds that are known so far, and none to prove yet.
    #[must_use]
    pub fn part(&self, sign: Assumed) -> Self {
        let mut assumed = self.assumed.clone();
        assumed.push(sign);
        let (bounds, influence) = (self.bounds.clone(), self.influence.clone());
        let mut part = Refinement { model: self.model, bounds, witnesses: BTreeMap::new(), influence, assumed };
        part.bounds.tighten(self.model.nodes(), sign.node, &[(sign.element, !sign.is_positive, 0.0)]);
        part
    }

    /// The assumed signs.
    pub fn assumed(&self) -> &[Assumed] {
        &self.assumed
    }

    /// Whether bounds contradict each other by more than rounding: no point of the region has the assumed signs.
    pub fn is_empty(&self) -> bool {
        let contradict = |(l, u): (&f32, &f32)| l - u > CONTRADICTION * (l.abs() + u.abs());
        let ends = self.bounds.lower.iter().zip(&self.bounds.upper);
        ends.into_iter().any(|(lower, upper)| lower.iter().zip(upper).any(contradict))
    }

    /// The bounds.
    pub fn bounds(&self) -> &Bounds<f32> {
        &self.bounds
    }

    /// How many ends the next pass will bound.
    pub fn ends(&self) -> usize {
        self.sources().into_iter().map(|source| 2 * self.bounds.undecided(source).len()).sum()
    }

    /// The network without what is inactive.
    pub fn compact(&self) -> Compact {
        Compact::of(self.model, &self.bounds, &self.assumed)
    }

    /// The bounds on it, with the assumed signs as cuts.
    pub fn frame<'c>(&self, compact: &'c Compact) -> Frame<'c> {
        let cut = |Assumed { node, element, is_positive }: &Assumed| {
            let place = compact.kept[*node].binary_search(element).expect("assumed elements are kept");
            let mut coefficients = Array1::zeros(compact.kept[*node].len());
            coefficients[place] = if *is_positive { -1.0 } else { 1.0 };
            let width = self.bounds.upper[*node][[0, *element]] - self.bounds.lower[*node][[0, *element]];
            Cut { target: Target::row(*node, coefficients, 0.0), width: width.max(f32::MIN_POSITIVE) }
        };
        let cuts = self.assumed.iter().map(cut).collect();
        Frame::new(&compact.model, compact.bounds(&self.bounds)).with_cuts(cuts)
    }

    /// Bounds the undecided inputs of all ReLUs anew, layer by layer, with up to `most` subproblems for each end. Returns whether any
    /// bound has improved; `None` when the deadline passes first.
    pub fn pass(&mut self, most: usize, deadline: Deadline) -> Option<bool> {
        let mut has_improved = false;
        let weights = self.influence.weights(self.model);
        for source in self.sources() {
            has_improved |= self.refine(source, (&weights, most), deadline)?;
        }
        Some(has_improved)
    }

    /// The affine nodes that feed ReLUs, without those where interval arithmetic is exact.
    fn sources(&self) -> Vec<usize> {
        let mut sources: Vec<usize> = self.model.relus().map(|(_, source)| source).collect();
        sources.sort_unstable();
        sources.dedup();
        sources.retain(|source| {
            let node = &self.model.nodes()[*source];
            self.bounds.may_improve(node) && matches!(node.op, Op::Affine { .. })
        });
        sources
    }

    /// Bounds the undecided ends of a node.
    fn refine(&mut self, source: usize, (weights, most): (&Weights, usize), deadline: Deadline) -> Option<bool> {
        let compact = self.compact();
        let frame = self.frame(&compact);
        let ends: Vec<(usize, bool)> =
            frame.undecided(source).into_iter().flat_map(|element| [(element, false), (element, true)]).collect();
        let tree = |(element, is_upper): &(usize, bool)| {
            let (lower, upper) = frame.interval(source, *element);
            Tree::new(Target::end((&compact.model, frame.bounds()), source, (*element, *is_upper)), upper - lower, 0.0)
        };
        let mut trees: Vec<Tree> = ends.iter().map(tree).collect();
        let growth = Growth { root_steps: STEPS.0, steps: STEPS.1, fresh: None, splits: 1, deadline };
        grove::plant(&frame, &mut trees, None, &growth)?;
        let elements = ends.iter().map(|(element, is_upper)| (compact.kept[source][*element], *is_upper));
        self.influence.note((&compact, &frame), source, elements.clone().map(Some).zip(&trees));
        let weights: Vec<f32> =
            elements.map(|(element, is_upper)| weights[source][[usize::from(is_upper), element]]).collect();
        let mut room = (most.saturating_sub(1) * trees.len()).min(MOST);
        while room > 0 && !fill_memory(&trees) {
            let chosen = promising(&trees, &weights, most);
            let grown = grove::grow(&frame, &mut trees, &chosen, &growth)?.0;
            if grown == 0 {
                break;
            }
            room = room.saturating_sub(grown);
        }
        let mut improved = Vec::new();
        for ((element, is_upper), tree) in ends.iter().zip(&trees) {
            let (lower, upper) = frame.interval(source, *element);
            if tree.bound() > if *is_upper { -upper } else { lower } {
                let element = compact.kept[source][*element];
                improved.push((element, *is_upper, tree.bound()));
                let witness = witness::of_tree(self.model, (&compact, &frame), tree);
                self.witnesses.insert((source, element, *is_upper), witness);
            }
        }
        self.bounds.tighten(self.model.nodes(), source, &improved);
        Some(!improved.is_empty())
    }

    /// Replaces bounds by what a checker has proved of them, each once those before it were replaced: a witness may prove less than it
    /// did when it was found, with intervals that have become tighter since. Bounds of nodes that are not given follow from the others.
    pub fn settle(&mut self, proved: &BTreeMap<usize, Vec<Interval>>) {
        let nodes = self.model.nodes();
        let mut bounds = self.bounds.inputs_of(&[0]);
        for (id, node) in nodes.iter().enumerate().skip(1) {
            bounds.push(node);
            for (element, interval) in proved.get(&id).into_iter().flatten().enumerate() {
                bounds.lower[id][[0, element]] = interval.lo as f32;
                bounds.upper[id][[0, element]] = interval.hi as f32;
            }
        }
        self.bounds = bounds;
    }

    /// Notes what the query's own bounds depend on.
    pub fn note(&mut self, frame: (&Compact, &Frame), trees: &[Tree]) {
        self.influence.note(frame, self.model.output(), trees.iter().map(|tree| (None, tree)));
    }

    /// A tree for a linear function of the outputs, in the network without what is inactive.
    pub fn tree(&self, compact: &Compact, coefficients: &Array1<f32>, constant: f32, goal: f32) -> Tree {
        let output = self.model.output();
        let widths = &self.bounds.upper[output].row(0) - &self.bounds.lower[output].row(0);
        let width = coefficients.mapv(f32::abs).dot(&widths);
        Tree::new(Target::row(output, compact.coefficients(output, coefficients), constant), width, goal)
    }

    /// The steps that prove what refinement has found at the given places, in their order, once the bounds that it began with are proved.
    pub fn items(&self, places: &[(usize, Place)]) -> Vec<Item> {
        let refined = places.iter().map(|(source, place)| Item::Tighten(*place, self.targets(*source)));
        refined.filter(|item| !matches!(item, Item::Tighten(_, Targets::Listed(list)) if list.is_empty())).collect()
    }

    fn targets(&self, source: usize) -> Targets {
        let (lower, upper) = (self.bounds.lower[source].row(0), self.bounds.upper[source].row(0));
        // The end that decides a sign suffices.
        let is_needed = |element: usize, is_upper: bool| match is_upper {
            true => lower[element] < 0.0,
            false => upper[element] > 0.0,
        };
        let found = self.witnesses.range((source, 0, false)..(source + 1, 0, false));
        let needed = found.filter(|((_, element, is_upper), _)| is_needed(*element, *is_upper));
        let target = |((_, element, is_upper), witness): (&(usize, usize, bool), &Witness)| {
            let side = if *is_upper { Side::Upper } else { Side::Lower };
            bartizan_proof::certificate::Target { element: *element, side, witness: witness.clone() }
        };
        Targets::Listed(needed.map(target).collect())
    }
}

/// Whether trees take all the memory that they may.
pub fn fill_memory(trees: &[Tree]) -> bool {
    trees.iter().map(Tree::bytes).sum::<usize>() >= MEMORY
}

/// The trees to grow in one round: those that matter most for what they should gain.
fn promising(trees: &[Tree], weights: &[f32], most: usize) -> Vec<usize> {
    let priority = |i: &usize| {
        let tree = &trees[*i];
        let promise = if tree.spent() < FIRST.min(most) { f32::INFINITY } else { tree.promise() };
        if weights[*i] > 0.0 { weights[*i] * promise } else { 0.0 }
    };
    let open = (0..trees.len()).filter(|i| trees[*i].is_open() && !trees[*i].is_full());
    let mut order: Vec<(f32, usize)> = open.map(|i| (priority(&i), i)).filter(|(p, _)| *p > 0.0).collect();
    order.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    order.truncate((order.len() / ROUND.2).clamp(ROUND.0, ROUND.1));
    order.into_iter().map(|(_, i)| i).collect()
}

#[cfg(test)]
mod tests;
