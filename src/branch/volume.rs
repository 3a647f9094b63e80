//! The search for volume: which parts of a region hold no counterexample, and which nothing else.
//!
//! The largest undecided part comes first. A part is certified where all cases are refuted, and violated where the negations of
//! all atoms of one case are, which is tried where that case happens at a few of its points. What is not decided is halved. A part
//! counts as decided once the checker has accepted what is said of it.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::atomic::{self, AtomicU64};
use std::time::{Duration, Instant};

use bartizan_proof::Interval;
use bartizan_proof::certificate::{Item, Split};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::choice;
use super::domain::Domain;
use super::examine::bound;
use super::judge::{Judge, Judgement};
use super::tree::{self, NodeId, Tree};
use crate::bound::Model;
use crate::deadline::Deadline;
use crate::query::{Query, Target};

/// Parts that are bounded in one round.
const ROUND: usize = 512;

/// Parts that travel together.
const CHUNK: usize = 64;

/// How much longer checking everything at the end takes than the parts that were decided took: it also walks to those that were not.
const WHOLE_CHECK: f64 = 1.5;

/// Points of each part that are looked at before it is tried as violated.
const POINTS: usize = 3;

/// Judges what is said of a part: the items on the way from the root to its end, at each split with whether the way goes on in the second
/// subtree.
pub type Accept<'a> = dyn Fn(&[(Item, bool)]) -> bool + Sync + 'a;

/// Where a search has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The undecided share is small enough.
    Enough,
    /// What is undecided is too narrow to be split.
    TooNarrow,
    /// There is no memory left for more parts.
    Full,
    /// The time limit was reached.
    Late,
}

/// Numbers of parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Certified ones.
    pub certified: usize,
    /// Violated ones.
    pub violated: usize,
    /// Those of which nothing is known.
    pub undecided: usize,
}

/// A region's cases, and the negations of each one's atoms.
#[derive(Debug)]
pub struct Question {
    cases: Query<f32>,
    negations: Vec<Query<f32>>,
}

/// A search of one region.
#[derive(Debug)]
pub struct VolumeSearch<'q> {
    judge: Judge<'q>,
    /// For each case of the query, what refutes the negations of its atoms.
    converses: Vec<Judge<'q>>,
    narrowest: Vec<f64>,
    pub(super) tree: Tree,
    open: BinaryHeap<Open>,
    /// The share of the region that is undecided.
    undecided: f64,
    parts: Parts,
    /// What the checker took, on all threads, in nanoseconds.
    checking: AtomicU64,
}

/// An undecided part: the largest comes first, among equals the oldest.
#[derive(Debug)]
struct Open {
    halvings: usize,
    domain: Domain,
}

/// What is found out about a part.
struct Decision {
    /// The case that happens everywhere, if none is refuted, and the proof; none where nothing was shown or it was not accepted.
    claim: Option<(Option<usize>, Judgement)>,
    /// The coefficients of the worst bound.
    slopes: Vec<f32>,
    steepness: Vec<f32>,
    bound: f32,
    worth: Option<f32>,
}

impl Question {
    /// Negates a query's cases.
    pub fn of(cases: Query<f32>) -> Self {
        let negated = |target: &Target<f32>| Query { cases: negations(target), ..cases.clone() };
        Question { negations: cases.cases.iter().map(negated).collect(), cases }
    }
}

/// One target for each atom, which happens where the atom does not hold.
fn negations(target: &Target<f32>) -> Vec<Target<f32>> {
    let negated = |atom: usize| {
        let row = |of: &Array2<f32>| of.select(Axis(0), &[atom]).mapv(|c| -c);
        let at_most = target.at_most.select(Axis(0), &[atom]).mapv(|b| -b);
        Target { case: atom, outputs: row(&target.outputs), inputs: target.inputs.as_ref().map(row), at_most }
    };
    (0..target.at_most.len()).map(negated).collect()
}

impl<'q> VolumeSearch<'q> {
    /// Begins with the whole region, whose ends are given.
    pub fn new(model: &'q Model<f32>, question: &'q Question, ends: Vec<Interval>) -> Self {
        let tree = Tree::new(ends.clone());
        let narrowest = choice::narrowest(&ends);
        let node = tree.root();
        let domain = Domain { node, ends, bound: f32::NEG_INFINITY, excess: 0.0, worth: None, is_disputed: false };
        VolumeSearch {
            judge: Judge::new(model, &question.cases),
            converses: question.negations.iter().map(|query| Judge::new(model, query)).collect(),
            narrowest,
            tree,
            open: BinaryHeap::from([Open { halvings: 0, domain }]),
            undecided: 1.0,
            parts: Parts::default(),
            checking: AtomicU64::new(0),
        }
    }

    /// What has been split and decided so far.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// How many parts there are.
    pub fn parts(&self) -> Parts {
        Parts { undecided: self.parts.undecided + self.open.len(), ..self.parts }
    }

    /// How long the checker will take for the whole tree, going by what it took so far.
    fn check_time(&self) -> Duration {
        let threads = rayon::current_num_threads().max(1) as u64;
        Duration::from_nanos(self.checking.load(atomic::Ordering::Relaxed) / threads).mul_f64(WHOLE_CHECK)
    }

    /// Searches until at most the given share is undecided. What is decided can be checked again before the deadline.
    pub fn run(&mut self, undecided: f64, deadline: Deadline, accept: &Accept) -> Stop {
        while self.undecided > undecided && !self.open.is_empty() {
            if self.tree.is_full() {
                return Stop::Full;
            }
            if deadline.remaining() <= self.check_time() {
                return Stop::Late;
            }
            let taken: Vec<Open> = (0..ROUND).map_while(|_| self.open.pop()).collect();
            let search = &*self;
            let decided = taken.par_chunks(CHUNK).map(|chunk| search.decide(chunk, deadline, accept));
            let Some(decided) = decided.collect::<Option<Vec<Vec<Decision>>>>() else {
                self.open.extend(taken);
                return Stop::Late;
            };
            taken
                .into_iter()
                .zip(decided.into_iter().flatten())
                .for_each(|(open, decision)| self.settle(open, decision));
        }
        if self.undecided > undecided { Stop::TooNarrow } else { Stop::Enough }
    }

    /// Finds out about some parts; `None` when the deadline passes first.
    fn decide(&self, chunk: &[Open], deadline: Deadline, accept: &Accept) -> Option<Vec<Decision>> {
        let domains: Vec<Domain> = chunk.iter().map(|open| open.domain.clone()).collect();
        let mut decisions: Vec<Decision> = bound(&self.judge, &domains, deadline)?
            .into_iter()
            .map(|found| Decision::of(None, found.judgement, found.worth))
            .collect();
        for (case, places) in self.happening(&domains, &decisions).into_iter().enumerate() {
            let places: Vec<usize> = places.into_iter().filter(|place| decisions[*place].claim.is_none()).collect();
            if places.is_empty() {
                continue;
            }
            let chosen: Vec<Domain> = places.iter().map(|place| domains[*place].clone()).collect();
            let number = self.judge.query.cases[case].case;
            for (place, found) in places.into_iter().zip(bound(&self.converses[case], &chosen, deadline)?) {
                let worth = decisions[place].worth;
                decisions[place] = Decision::of(Some(number), found.judgement, worth);
            }
        }
        let start = Instant::now();
        for (decision, domain) in decisions.iter_mut().zip(&domains) {
            let is_accepted = |claim: &(Option<usize>, Judgement)| accept(&self.steps(domain.node, claim));
            decision.claim = decision.claim.take().filter(is_accepted);
        }
        let nanoseconds = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.checking.fetch_add(nanoseconds, atomic::Ordering::Relaxed);
        Some(decisions)
    }

    /// The items from the root to the end of a node, if it ends with a claim.
    fn steps(&self, node: NodeId, (violated, judgement): &(Option<usize>, Judgement)) -> Vec<(Item, bool)> {
        let closes = judgement.closes.iter().flatten().cloned().collect();
        self.tree.way(node, tree::ending(judgement.effort, *violated, closes))
    }

    /// For each case the undecided parts where it happens at all points that are looked at: the middle, and the corners
    /// where the worst bound is least and largest.
    fn happening(&self, domains: &[Domain], decisions: &[Decision]) -> Vec<Vec<usize>> {
        let open: Vec<usize> = (0..domains.len()).filter(|place| decisions[*place].claim.is_none()).collect();
        let (lower, upper) = Domain::boxes(domains);
        let mut points = Array2::zeros((POINTS * open.len(), lower.ncols()));
        for (row, place) in open.iter().enumerate() {
            for (input, slope) in decisions[*place].slopes.iter().enumerate() {
                let (l, u) = (lower[[*place, input]], upper[[*place, input]]);
                let [least, largest] = if *slope > 0.0 { [l, u] } else { [u, l] };
                points[[POINTS * row, input]] = (l * 0.5 + u * 0.5).max(l).min(u);
                points[[POINTS * row + 1, input]] = least;
                points[[POINTS * row + 2, input]] = largest;
            }
        }
        let outputs = self.judge.model.evaluate(points.view()).pop().expect("a value for each node");
        let happens = |target: &Target<f32>, row: usize| {
            (POINTS * row..POINTS * (row + 1)).all(|at| target.worst_excess(points.row(at), outputs.row(at)) <= 0.0)
        };
        let places = |target: &Target<f32>| {
            let rows = open.iter().enumerate().filter(|(row, _)| happens(target, *row));
            rows.map(|(_, place)| *place).collect()
        };
        self.judge.query.cases.iter().map(places).collect()
    }

    /// Closes a part or splits it.
    fn settle(&mut self, Open { halvings, domain }: Open, decision: Decision) {
        let share = 0.5_f64.powi(i32::try_from(halvings).unwrap_or(i32::MAX));
        match decision.claim {
            Some((None, judgement)) => {
                self.tree.close(domain.node, judgement.into_ending());
                self.parts.certified += 1;
                self.undecided -= share;
            }
            Some((Some(case), judgement)) => {
                self.tree.violate(domain.node, case, judgement.into_ending());
                self.parts.violated += 1;
                self.undecided -= share;
            }
            None => match choice::input(&domain.ends, &self.narrowest, &decision.steepness) {
                None => self.parts.undecided += 1,
                Some(input) => {
                    let split = Split::Middle(input);
                    let children = self.tree.split(domain.node, split);
                    for (node, ends) in children.into_iter().zip(domain.parts(&split)) {
                        let (bound, worth) = (decision.bound, decision.worth);
                        let domain = Domain { node, ends, bound, excess: 0.0, worth, is_disputed: false };
                        self.open.push(Open { halvings: halvings + 1, domain });
                    }
                }
            },
        }
    }
}

impl Decision {
    fn of(violated: Option<usize>, judgement: Judgement, worth: Option<f32>) -> Self {
        let (slopes, steepness, bound) = (judgement.slopes.clone(), judgement.steepness.clone(), judgement.bound);
        let claim = judgement.is_refuted().then_some((violated, judgement));
        Decision { claim, slopes, steepness, bound, worth }
    }
}

impl Ord for Open {
    fn cmp(&self, other: &Self) -> Ordering {
        let key = |open: &Open| Reverse((open.halvings, open.domain.node));
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Open {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Open {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Open {}
