//! The rungs for regions where many inputs vary: optimised slopes, refined intervals of hidden neurons, and branch and bound over
//! the signs of ReLUs.

use bartizan_proof::certificate::{Close, Item, Multipliers, Place, Targets};
use bartizan_proof::check::{Ground, State};
use bartizan_proof::{Refusal, Rejected, Violated};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

use super::parts::WORTH;
use super::{Closed, Ladder, adaptive, leaves};
use crate::attack::momentum::Start;
use crate::attack::pgd;
use crate::bound::ascent::{self, Goal};
use crate::bound::compact::Compact;
use crate::bound::frame::Frame;
use crate::certify;
use crate::outcome::{Reason, Rung, Verdict};
use crate::query::{Query, Target};
use crate::real::Real;
use crate::refine::grove::{self, Corner, Growth};
use crate::refine::tree::{LARGEST, Tree};
use crate::refine::{FRESH, Refinement, STEPS, fill_memory, witness};

/// Subproblems that an end may have in the smallest pass that splits signs, and how many times more in the next larger one.
const ENDS: (usize, usize) = (16, 4);

/// Subproblems that one of a query's own trees may have before it is asked what it promises.
const FIRST_HUNT: usize = 256;

/// Leaves that a query's own trees split in one round, all together.
const SPLITS: usize = 128;

/// By how much bounds must be positive at first, relative to the sizes of what they add up.
pub(super) const SLACK: f32 = 1e-5;

/// Corners of a round from which a descent starts, and its steps.
const DESCENT: (usize, usize) = (8, 20);

/// Rounds of a hunt that all end with a descent; and afterwards, one in how many does.
const EARLY_ROUNDS: (usize, usize) = (8, 4);

/// Corners that are evaluated at once.
const CORNERS: usize = 64;

/// A pass that leaves more than this share of what was missing has gained too little for another.
const STALLED: f32 = 0.9;

/// Subproblems that trees may seem to need before the region is divided. In tests parts are divided in their turn.
const LAST_HUNT: usize = if cfg!(test) { 8 } else { 32_768 };

/// How long a query's own trees may grow.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Subproblems that they may seem to need.
    pub subproblems: usize,
    /// Where the worst root's bound is short of its goal by more than this, there is no other way.
    pub stalled: f32,
}

impl Patience {
    /// None but for the roots.
    pub const NONE: Patience = Patience { subproblems: 0, stalled: f32::INFINITY };
    /// All there is.
    pub const LAST: Patience = Patience { subproblems: LAST_HUNT, stalled: 0.0 };
}

/// The next pass of refinement. Sizes grow to a largest, and then from the smallest on to a larger one: where few signs of hidden
/// neurons are left undecided, small trees go a long way again.
#[derive(Clone, Copy, Debug)]
struct Pass {
    /// Subproblems that an end may have.
    most: usize,
    /// The largest so far.
    largest: usize,
}

impl Pass {
    /// Without splits.
    const FIRST: Pass = Pass { most: 1, largest: ENDS.0 };

    fn next(self) -> Self {
        let Pass { most, largest } = self;
        match most {
            1 => Pass { most: ENDS.0, largest },
            _ if most < largest => Pass { most: most.saturating_mul(ENDS.1), largest },
            _ => Pass { most: ENDS.0, largest: largest.saturating_mul(ENDS.1) },
        }
    }

    fn is_largest(self) -> bool {
        self.most == self.largest
    }
}

/// What becomes of a query in one stage.
pub(super) enum Stage {
    /// All cases are closed.
    Closed,
    /// Some are not.
    Open(Outlook),
    /// A point was found.
    Violated(Violated),
}

/// What the trees of open cases tell.
pub(super) struct Outlook {
    /// The number of subproblems that they should take in all.
    pub expected: f64,
    /// What the bounds of their roots are short of their goals, at most.
    pub gap: f32,
    /// The tree for which that is most.
    pub worst: Tree,
    /// Whether the trees were the last resort.
    pub is_last: bool,
    /// For how many subproblems each the hidden bounds of parts are worth computing anew.
    pub worth: usize,
}

impl Ladder<'_> {
    /// Optimised slopes of the query's own bounds and of hidden ones, then branch and bound, until the checker accepts.
    pub(super) fn refine(&mut self, splits_signs: bool) -> Option<Verdict> {
        self.rung = Rung::Slopes;
        let mut refinements: Vec<Option<Refinement>> = self
            .bounds
            .iter_mut()
            .map(Option::take)
            .map(|bounds| bounds.map(|bounds| Refinement::new(&self.verifier.model, bounds)))
            .collect();
        let mut slack = SLACK;
        loop {
            for (place, refinement) in refinements.iter_mut().enumerate() {
                let query = self.queries[place].clone();
                let Some(refinement) = refinement.as_mut().filter(|_| self.has_open_cases(&query)) else { continue };
                let mut parts = Vec::new();
                let stage = self.search(&query, (refinement, &mut parts), (slack, splits_signs));
                let items = refinement.items(&self.tightened_places());
                self.tightening[query.region].retain(|item| !is_refined(item));
                self.tightening[query.region].extend(items);
                self.parts[query.region] = parts;
                if let Stage::Violated(found) = stage? {
                    return Some(Verdict::Violated(found));
                }
            }
            if self.is_open() {
                return None;
            }
            let verdict = self.check();
            let Verdict::Unknown(Reason::Rejected(Rejected { refusal: Refusal::NotRefuted(case, _), .. })) = &verdict
            else {
                return Some(verdict);
            };
            let case = *case;
            if slack > 1.0 || self.is_late() {
                return Some(verdict);
            }
            let region = self.property.cases()[case].region;
            let query = self.queries[region].clone();
            match self.cases[case].is_stale {
                true => (self.cases[case].closed, self.cases[case].is_stale) = (None, false),
                // What rounding took from one bound it may take from others.
                false => {
                    slack *= 10.0;
                    query.cases.iter().for_each(|target| self.cases[target.case].closed = None);
                }
            }
            if let Some(refinement) = &mut refinements[region] {
                self.settle(&query, refinement);
            }
        }
    }

    /// Has the checker prove the hidden bounds of a query's whole region, and takes its word for them.
    fn settle(&self, query: &Query<f32>, refinement: &mut Refinement) {
        let Ok(ground) = Ground::new(&self.verifier.network, &self.property.regions()[query.region]) else { return };
        let ground = ground.within(certify::limits(self.deadline));
        let mut state = State::new(&ground);
        let places = self.tightened_places();
        let begun = self.tightening[query.region].iter().filter(|step| !is_refined(step));
        if begun.chain(&refinement.items(&places)).try_for_each(|step| state.follow(step)).is_ok() {
            let proved = places.into_iter().map(|(node, place)| (node, state.intervals(place)));
            refinement.settle(&proved.collect());
        }
    }

    fn has_open_cases(&self, query: &Query<f32>) -> bool {
        !self.open_cases(query).is_empty()
    }

    /// The nodes whose hidden bounds are proved, with their places.
    pub(super) fn tightened_places(&self) -> Vec<(usize, Place)> {
        let is_box = self.queries.iter().all(|query| query.ball.is_none());
        certify::tightened_places(&self.verifier.network, &self.verifier.model, is_box)
    }

    /// Passes of refinement and trees of the query's own in turns, then parts of the region; `None` when the deadline passes first.
    fn search(
        &mut self,
        query: &Query<f32>,
        (refinement, parts): (&mut Refinement, &mut Vec<Item>),
        (slack, splits_signs): (f32, bool),
    ) -> Option<Stage> {
        let (mut pass, mut gap) = (Pass::FIRST, f32::INFINITY);
        let begun: Vec<usize> = self.open_cases(query).iter().map(|target| target.case).collect();
        let mut old = Vec::new();
        loop {
            // The trees may go on as long as they seem to need less than half of what the next pass does; or as far as they can, where
            // the last pass of its size has gained too little for another.
            let next = refinement.ends() * pass.most;
            let stalled = if pass.most > ENDS.0 && pass.is_largest() { STALLED * gap } else { f32::INFINITY };
            let patience = match splits_signs {
                true => Patience { subproblems: (next / 2).max(FIRST_HUNT), stalled },
                false => Patience::NONE,
            };
            let outlook = match self.hunt(query, refinement, (patience, slack))? {
                Stage::Open(outlook) => outlook,
                Stage::Closed => {
                    let found = self.renew(query, refinement, (&old, slack))?;
                    return Some(found.map_or(Stage::Closed, Stage::Violated));
                }
                stage => return Some(stage),
            };
            if pass.most > 1 && !splits_signs {
                return Some(Stage::Open(outlook));
            }
            if pass.most > 1
                && let Some(found) = self.attack(Start::Diversified, 1 + pass.most / ENDS.0)
            {
                return Some(Stage::Violated(found));
            }
            self.rung = if splits_signs && pass.most > 1 { Rung::Branch } else { self.rung };
            if pass.most > LARGEST || outlook.is_last {
                if let Some(found) = self.renew(query, refinement, (&old, slack))? {
                    return Some(Stage::Violated(found));
                }
                return self.divide(query, (refinement, outlook), (slack, parts));
            }
            gap = if pass.is_largest() { outlook.gap } else { gap };
            refinement.pass(pass.most, self.deadline)?;
            old = begun.iter().copied().filter(|case| self.cases[*case].closed.is_some()).collect();
            if pass.most > 1 {
                self.settle(query, refinement);
            }
            pass = pass.next();
        }
    }

    /// Closes cases again that were closed before the last pass: a witness may prove less with other hidden bounds than with those for
    /// which it was found. Where that takes more than a few subproblems, the checker shall say whether it is needed.
    fn renew(
        &mut self,
        query: &Query<f32>,
        refinement: &mut Refinement,
        (old, slack): (&[usize], f32),
    ) -> Option<Option<Violated>> {
        if old.is_empty() {
            return Some(None);
        }
        // Other open cases wait.
        let waiting: Vec<usize> = self.open_cases(query).iter().map(|target| target.case).collect();
        waiting.iter().for_each(|case| self.cases[*case].closed = Some(Closed::InParts));
        let known: Vec<_> = old.iter().map(|case| (*case, self.cases[*case].closed.take())).collect();
        let patience = Patience { subproblems: FIRST_HUNT * old.len(), ..Patience::NONE };
        let stage = self.hunt(query, refinement, (patience, slack));
        waiting.iter().for_each(|case| self.cases[*case].closed = None);
        for (case, closed) in known {
            let state = &mut self.cases[case];
            state.is_stale = state.closed.is_none();
            state.closed = state.closed.take().or(closed);
        }
        Some(match stage? {
            Stage::Violated(found) => Some(found),
            _ => None,
        })
    }

    /// Trees for all open cases of a query, which grow as long as patience lasts.
    pub(super) fn hunt(
        &mut self,
        query: &Query<f32>,
        refinement: &mut Refinement,
        (patience, slack): (Patience, f32),
    ) -> Option<Stage> {
        let compact = refinement.compact();
        let frame = refinement.frame(&compact);
        let open = self.open_cases(query);
        let combinations = self.combinations(&open, (&compact, &frame));
        let has_programs = patience.subproblems > 0 && query.ball.is_none() && leaves::are_small(refinement, &compact);
        let mut trees = Vec::new();
        for (target, weights) in open.iter().zip(&combinations) {
            let coefficients = weights.dot(&target.outputs);
            let constant = -weights.dot(&target.at_most);
            let goal = slack * (1.0 + constant.abs() + coefficients.mapv(f32::abs).sum());
            let mut tree = refinement.tree(&compact, &coefficients, constant, goal);
            tree.gives_up = has_programs;
            if let Some(inputs) = &target.inputs {
                tree.target.terms.push((0, weights.dot(inputs)));
            }
            trees.push(tree);
        }
        let mut growth =
            Growth { root_steps: STEPS.0, steps: STEPS.1, fresh: Some(FRESH), splits: 1, deadline: self.deadline };
        grove::plant(&frame, &mut trees, None, &growth)?;
        refinement.note((&compact, &frame), &trees);
        let gap = trees.iter().map(|tree| tree.goal - tree.bound()).fold(0.0, f32::max);
        let is_last = gap > patience.stalled;
        let mut grown = trees.len();
        let mut programs = None;
        let mut rounds = 0;
        loop {
            if has_programs && trees.iter().any(Tree::is_stuck) {
                let wanted = (query.region, open.as_slice(), combinations.as_slice());
                let programs = programs.get_or_insert_with(|| self.programs(wanted, (refinement, &compact)));
                if let Some(found) = self.solve_leaves(programs, &mut trees) {
                    return Some(Stage::Violated(found));
                }
            }
            self.close_by_trees((&open, &combinations), (&compact, &frame), &trees);
            if !self.has_open_cases(query) {
                self.domains += grown;
                return Some(Stage::Closed);
            }
            let growing = promising(&trees, patience.subproblems, is_last);
            if growing.is_empty() {
                self.domains += grown;
                return Some(Stage::Open(outlook(is_last, trees)));
            }
            // The roots of the first trees have failed.
            if self.domains == 0
                && grown == trees.len()
                && let Some(found) = self.attack(Start::Diversified, 1)
            {
                return Some(Stage::Violated(found));
            }
            growth.splits = (SPLITS / growing.len()).max(1);
            let (count, corners) = grove::grow(&frame, &mut trees, &growing, &growth)?;
            grown += count;
            rounds += 1;
            let descends = rounds <= EARLY_ROUNDS.0 || rounds % EARLY_ROUNDS.1 == 0;
            if let Some(found) = self.try_corners(query, &open, (corners, descends)) {
                return Some(Stage::Violated(found));
            }
        }
    }

    /// Notes which cases are closed.
    fn close_by_trees(
        &mut self,
        (targets, combinations): (&[&Target<f32>], &[Array1<f32>]),
        frame: (&Compact, &Frame),
        trees: &[Tree],
    ) {
        for ((target, weights), tree) in targets.iter().zip(combinations).zip(trees) {
            let state = &mut self.cases[target.case];
            if frame.1.cuts().is_empty() {
                state.best = state.best.max(tree.bound().wide());
            }
            if tree.bound() >= tree.goal && state.closed.is_none() {
                let single = weights.iter().position(|w| *w == 1.0);
                let multipliers = single.map_or_else(|| Multipliers::Each(weights.to_vec()), Multipliers::Atom);
                let witness = witness::of_tree(&self.verifier.model, frame, tree);
                state.closed = Some(Closed::Here(Close { case: target.case, multipliers, witness }));
            }
        }
    }

    /// For each case the combination of its atoms that is worth bounding.
    fn combinations(&self, open: &[&Target<f32>], (compact, frame): (&Compact, &Frame)) -> Vec<Array1<f32>> {
        let relaxations = adaptive(&compact.model, frame.bounds());
        let goal = |target: &&'_ Target<f32>| {
            let count = target.at_most.len();
            let weights = Array1::from_elem(count, 1.0 / count as f32);
            (target.outputs.clone(), target.inputs.clone(), -&target.at_most, weights)
        };
        let goals: Vec<_> = open.iter().map(goal).collect();
        let mut combinations: Vec<Array1<f32>> = goals.iter().map(|goal| goal.3.clone()).collect();
        let several: Vec<usize> = (0..open.len()).filter(|i| combinations[*i].len() > 1).collect();
        if several.is_empty() {
            return combinations;
        }
        let goals = several.iter().map(|i| {
            let (outputs, inputs, constants, weights) = &goals[*i];
            Goal {
                domain: 0,
                outputs: outputs.view(),
                inputs: inputs.as_ref().map(|inputs| inputs.view()),
                constants: constants.clone(),
                weights: weights.clone(),
            }
        });
        let reached = ascent::ascend(&compact.model, frame.bounds(), &relaxations, (goals.collect(), self.deadline));
        several.into_iter().zip(reached).for_each(|(i, reached)| combinations[i] = reached.weights);
        combinations
    }

    /// Looks for counterexamples at corners where relaxed targets are least, and near the best of them where it descends.
    fn try_corners(
        &self,
        query: &Query<f32>,
        open: &[&Target<f32>],
        (corners, descends): (Vec<Corner>, bool),
    ) -> Option<Violated> {
        if !self.options.attack || corners.is_empty() {
            return None;
        }
        let points: Vec<ArrayView1<f32>> = corners.iter().map(|corner| corner.input.view()).collect();
        let mut points = ndarray::stack(Axis(0), &points).ok()?;
        if query.ball.is_some() {
            points.rows_mut().into_iter().for_each(|point| query.project(point));
        }
        let outputs = self.outputs_at(points.view());
        let excess = |i: usize| open[corners[i].tree].worst_excess(points.row(i), outputs.row(i));
        let mut order: Vec<(f32, usize)> = (0..corners.len()).map(|i| (excess(i), i)).collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        order.truncate(DESCENT.0);
        let mut found = None;
        let mut offer = |point: ArrayView1<f32>| {
            found = self.replay(query.region, &point.iter().map(|x| x.wide()).collect::<Vec<f64>>());
            found.is_some()
        };
        for (excess, i) in &order {
            if *excess <= 0.0 && offer(points.row(*i)) {
                return found;
            }
        }
        if !descends {
            return None;
        }
        let (_, best) = order[0];
        let start = points.select(Axis(0), &order.iter().map(|(_, i)| *i).collect::<Vec<_>>());
        let steps = (DESCENT.1, pgd::NARROW_STEPS);
        pgd::descend(
            &self.verifier.model,
            (query, open[corners[best].tree]),
            (start, steps, self.deadline),
            &mut offer,
        );
        found
    }

    /// The network's outputs at many points.
    fn outputs_at(&self, points: ArrayView2<f32>) -> Array2<f32> {
        let chunks: Vec<_> = points.axis_chunks_iter(Axis(0), CORNERS).collect();
        let model = &self.verifier.model;
        let output = |points| model.evaluate(points).pop().expect("a value for each node");
        let outputs: Vec<Array2<f32>> = chunks.into_par_iter().map(output).collect();
        let views: Vec<_> = outputs.iter().map(|of| of.view()).collect();
        ndarray::concatenate(Axis(0), &views).expect("chunks of one batch")
    }
}

/// Whether a step is one of a refinement's own.
fn is_refined(step: &Item) -> bool {
    matches!(step, Item::Tighten(_, Targets::Listed(_)))
}

/// The trees that seem to need no more than their share of so many subproblems; if it is the last time, what they had already does not
/// count. None where memory is used up.
fn promising(trees: &[Tree], patience: usize, is_last: bool) -> Vec<usize> {
    if fill_memory(trees) {
        return Vec::new();
    }
    let open = || (0..trees.len()).filter(|i| trees[*i].bound() < trees[*i].goal);
    let share = if is_last { patience.max(LAST_HUNT) } else { patience } / open().count().max(1);
    let first = FIRST_HUNT.min(share / 4);
    let promises = |tree: &Tree| {
        let had = if is_last { tree.spent() } else { 0 };
        let is_expected = || tree.expected() <= (share + had) as f64 && tree.expected_size() <= LARGEST as f64;
        tree.is_open() && !tree.is_full() && (tree.spent() < first || is_expected())
    };
    open().filter(|i| promises(&trees[*i])).collect()
}

/// What trees tell of which some have not reached their goals.
fn outlook(is_last: bool, trees: Vec<Tree>) -> Outlook {
    let is_open = |tree: &&Tree| tree.bound() < tree.goal;
    let expected = trees.iter().filter(is_open).map(Tree::expected).sum();
    let gap = |tree: &Tree| if is_open(&tree) { tree.goal - tree.root().0 } else { f32::NEG_INFINITY };
    let worst = trees.into_iter().max_by(|a, b| gap(a).total_cmp(&gap(b))).expect("open cases have trees");
    Outlook { expected, gap: gap(&worst), worst, is_last, worth: WORTH }
}

#[cfg(test)]
mod tests;
