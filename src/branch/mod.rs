//! Branch and bound: a query's region is split until every part is refuted or a counterexample turns up.
//!
//! * [`domain`]: parts of the region.
//! * [`frontier`]: which come next.
//! * [`tree`]: what has been split and closed so far; it becomes the proof.
//! * [`judge`]: bounds a batch of domains.
//! * [`family`]: what is known of combinations of a case's atoms: bounds, steepness, and what they clip.
//! * [`joint`]: which combination of them to bound.
//! * [`mod@examine`]: how hard to bound each domain.
//! * [`choice`]: where to split.
//! * [`volume`]: a search for the parts that are certified or violated instead.
//!
//! The search works in rounds: the worst domains leave the frontier, are bounded in parallel, and what follows from that is
//! done in their order. So the number of threads changes nothing but the time.

pub mod choice;
pub mod domain;
pub mod examine;
pub mod family;
pub mod frontier;
pub mod joint;
pub mod judge;
pub mod tree;
pub mod volume;

use bartizan_proof::Interval;
use bartizan_proof::certificate::Close;
use ndarray::{ArrayView1, Axis};
use rayon::prelude::*;

use crate::attack::evolve::Evolution;
use crate::attack::pgd;
use crate::bound::Model;
use crate::deadline::Deadline;
use crate::query::Query;
use domain::Domain;
use examine::{Examined, examine};
use frontier::Frontier;
use judge::{Candidate, Effort, Judge};
use tree::{NodeId, Tree};

/// Domains that are bounded in one round.
const ROUND: usize = 256;

/// Domains that travel together.
const CHUNK: usize = 64;

/// Points of a round from which a descent starts, and its steps.
const DESCENT: (usize, usize) = (16, 30);

/// Evaluations that evolution may cost for each domain, and in addition for each that was bounded backward: on networks of
/// 250 to 300 ReLUs about a thirtieth of what the search costs without it.
const EVALUATIONS: (usize, usize) = (4, 12);

/// Judges whether a point is a counterexample.
pub type Accept<'a> = dyn FnMut(&[f64]) -> bool + 'a;

/// Where a search has come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// Every part is refuted: the tree is a proof.
    Refutation,
    /// A point was accepted as a counterexample.
    Point,
    /// The time limit was reached, what is left cannot be split any further, or there is no memory left for its parts.
    Open {
        /// Parts that are not refuted.
        domains: usize,
        /// The least of their bounds, or of their parents'.
        bound: f32,
    },
}

/// What a search has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Domains that were bounded.
    pub domains: usize,
    /// Those among them whose hidden bounds were computed backward.
    pub backward: usize,
    /// Points that evolution evaluated.
    pub evaluations: usize,
}

/// A search of one region, which may be continued.
#[derive(Debug)]
pub struct Search<'q> {
    judge: Judge<'q>,
    narrowest: Vec<f64>,
    tree: Tree,
    frontier: Frontier,
    /// Domains that are too narrow to be split.
    stuck: Vec<Domain>,
    cost: Cost,
    /// Takes turns with branch and bound.
    evolution: Evolution<'q>,
}

impl<'q> Search<'q> {
    /// Begins with the whole region. The seed matters only where points are looked for.
    pub fn new(model: &'q Model<f32>, query: &'q Query<f32>, ends: Vec<Interval>, seed: u64) -> Self {
        let narrowest = choice::narrowest(&ends);
        let tree = Tree::new(ends.clone());
        let root =
            Domain { node: tree.root(), ends, bound: f32::NEG_INFINITY, excess: 0.0, worth: None, is_disputed: false };
        let mut frontier = Frontier::default();
        frontier.push(root);
        let (judge, evolution) = (Judge::new(model, query), Evolution::new(model, query, seed));
        Search { judge, narrowest, tree, frontier, stuck: Vec::new(), cost: Cost::default(), evolution }
    }

    /// What has been split and closed so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// What the search has cost so far.
    pub fn cost(&self) -> Cost {
        Cost { evaluations: self.evolution.spent(), ..self.cost }
    }

    /// Opens closed nodes again, to be split.
    pub fn dispute(&mut self, nodes: &[NodeId]) {
        for node in nodes {
            let ends = self.tree.reopen(*node);
            self.frontier.push(Domain { node: *node, ends, bound: 0.0, excess: 0.0, worth: None, is_disputed: true });
        }
    }

    /// Searches until nothing is open, the deadline has passed or a point is accepted. `accept` is offered points where some
    /// case happens in the search's arithmetic; without it no points are looked for.
    pub fn run(&mut self, deadline: Deadline, mut accept: Option<&mut Accept>) -> Found {
        while !self.frontier.is_empty() && !self.tree.is_full() {
            let taken: Vec<Domain> = self.frontier.take(ROUND);
            let judge = &self.judge;
            let examined = taken.par_chunks(CHUNK).map(|chunk| examine(judge, chunk, deadline));
            let examined: Option<Vec<Vec<Examined>>> = examined.collect();
            let Some(examined) = examined else {
                taken.into_iter().for_each(|domain| self.frontier.push(domain));
                return self.open();
            };
            let mut candidates = Vec::new();
            for (domain, examined) in taken.into_iter().zip(examined.into_iter().flatten()) {
                candidates.extend(self.settle(domain, examined));
            }
            if let Some(accept) = &mut accept
                && self.look(candidates, deadline, accept)
            {
                return Found::Point;
            }
        }
        self.open()
    }

    /// Has parts that are too narrow to be split refuted otherwise, by proofs that begin with backward bounds; gives up at the
    /// first that is not. Those that the checker has disputed stay as they are.
    pub fn settle_stuck(&mut self, mut refute: impl FnMut(&[Interval]) -> Option<Vec<Close>>) -> Found {
        while let Some(domain) = self.stuck.pop() {
            let Some(closes) = Some(&domain).filter(|domain| !domain.is_disputed).and_then(|d| refute(&d.ends)) else {
                self.stuck.push(domain);
                break;
            };
            self.tree.close(domain.node, (Effort::Backward, closes));
        }
        self.open()
    }

    /// What is still to be done.
    fn open(&self) -> Found {
        if self.frontier.is_empty() && self.stuck.is_empty() {
            return Found::Refutation;
        }
        let stuck = self.stuck.iter().map(|domain| domain.bound);
        Found::Open {
            domains: self.frontier.len() + self.stuck.len(),
            bound: stuck.fold(self.frontier.least_bound(), f32::min),
        }
    }

    /// Closes a domain or splits it.
    fn settle(&mut self, domain: Domain, examined: Examined) -> Option<Candidate> {
        let Examined { judgement, worth, candidate } = examined;
        self.cost.domains += 1;
        self.cost.backward += usize::from(judgement.effort == Effort::Backward);
        if judgement.is_refuted() && !domain.is_disputed {
            self.tree.close(domain.node, judgement.into_ending());
            return None;
        }
        let bound = judgement.bound;
        let Some(split) = choice::split(&domain.ends, &self.narrowest, &judgement) else {
            self.stuck.push(Domain { bound, ..domain });
            return candidate;
        };
        let excess = candidate.as_ref().map_or(0.0, |candidate| candidate.excess);
        let children = self.tree.split(domain.node, split);
        for (node, ends) in children.into_iter().zip(domain.parts(&split)) {
            self.frontier.push(Domain { node, ends, bound, excess, worth, is_disputed: false });
        }
        candidate
    }

    /// Looks for a counterexample near a round's candidates, and by evolution everywhere.
    fn look(&mut self, candidates: Vec<Candidate>, deadline: Deadline, accept: &mut Accept) -> bool {
        let mut offer = |point: ArrayView1<f32>| accept(&point.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>());
        let evaluations = self.cost.domains * EVALUATIONS.0 + self.cost.backward * EVALUATIONS.1;
        self.attack(candidates, deadline, &mut offer) || self.evolution.run(evaluations, deadline, &mut offer)
    }

    /// Offers points where a case happens, then descends from the best.
    fn attack(
        &self,
        mut candidates: Vec<Candidate>,
        deadline: Deadline,
        offer: &mut impl FnMut(ArrayView1<f32>) -> bool,
    ) -> bool {
        // The first are those of the worst domains.
        let from_half = DESCENT.0 / 2;
        let rest = candidates.len().min(from_half);
        candidates[rest..].sort_by(|a, b| a.excess.total_cmp(&b.excess));
        candidates.truncate(DESCENT.0);
        let happening = candidates.iter().filter(|c| c.excess <= 0.0);
        if happening.clone().any(|c| offer(ArrayView1::from(&c.point))) {
            return true;
        }
        (0..self.judge.query.cases.len()).any(|case| {
            let points: Vec<ArrayView1<f32>> =
                candidates.iter().filter(|c| c.case == case).map(|c| ArrayView1::from(&c.point)).collect();
            let Ok(points) = ndarray::stack(Axis(0), &points) else { return false };
            let question = (self.judge.query, &self.judge.query.cases[case]);
            pgd::descend(self.judge.model, question, (points, (DESCENT.1, pgd::NARROW_STEPS), deadline), offer)
        })
    }
}

#[cfg(test)]
mod tests;
