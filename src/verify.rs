//! The ladder: attack, then branch and bound over the input region where few inputs vary; elsewhere interval bounds, linear bounds,
//! optimised slopes, refined hidden bounds and branch and bound over the signs of ReLUs; and at last the checker.
//!
//! Each rung takes the cases that are still open and is dearer than the one before. Whatever a rung claims, the
//! verdict comes from `bartizan-proof`: a counterexample is replayed and a proof is checked before anything is said.

#[cfg(test)]
mod balls;
mod branching;
mod leaves;
mod parts;
mod refining;
mod several;

pub use several::Easy;

use std::str::FromStr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use bartizan_proof::certificate::{Close, Item, Multipliers, Proof, Witness};
use bartizan_proof::property::{Bound, Region};
use bartizan_proof::{Network, Property, PropertyError, Refusal, Rejected, Semantics, Violated, check};
use clap::ValueEnum;
use ndarray::{Array1, Array2, Axis};

use crate::attack::momentum::{self, Effort, Start};
use crate::bound::{Ball, Bounds, Model, Relaxation, Relaxations, Rows, interval, linear};
use crate::certify;
use crate::deadline::{Deadline, Flag};
use crate::lp::{self, Objective, Solution, Unsolved};
use crate::outcome::{Outcome, Reason, Rung, Verdict};
use crate::query::{Query, Target};
use crate::real::Real;

/// How far up the ladder to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Method {
    /// Interval bounds of the hidden nodes, and one backward pass for the query itself.
    Ibp,
    /// Backward linear bounds.
    Linear,
    /// Backward linear bounds with optimised slopes, for hidden neurons too.
    Slopes,
    /// Linear programming over the linear bounds.
    Lp,
    /// Branch and bound. Output bounds come from splitting signs, with a few subproblems each.
    Branch,
    /// Everything there is, cheapest first.
    Auto,
}

/// What branch and bound splits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
#[non_exhaustive]
pub enum Split {
    /// The input region where few inputs vary, the signs of ReLUs elsewhere.
    #[default]
    Auto,
    /// The input region.
    Inputs,
    /// The signs of ReLUs.
    Signs,
}

impl FromStr for Method {
    type Err = String;

    /// The method of a name: `ibp`, `linear`, `slopes`, `lp`, `branch` or `auto`.
    fn from_str(name: &str) -> Result<Method, String> {
        <Method as ValueEnum>::from_str(name, false)
    }
}

impl FromStr for Split {
    type Err = String;

    /// The choice of a name: `auto`, `inputs` or `signs`.
    fn from_str(name: &str) -> Result<Split, String> {
        <Split as ValueEnum>::from_str(name, false)
    }
}

/// Settings of the search. None of them can make a wrong answer.
#[derive(Clone, Debug)]
pub struct Options {
    /// How far up the ladder to go.
    pub method: Method,
    /// What branch and bound splits.
    pub split: Split,
    /// Time limit of one query.
    pub timeout: Duration,
    /// Whether to look for counterexamples.
    pub attack: bool,
    /// Seed of everything random.
    pub seed: u64,
    /// A flag that ends the search as if its time were over.
    pub cancelled: Option<&'static Flag>,
}

impl Default for Options {
    fn default() -> Self {
        let timeout = Duration::from_secs(60);
        Options { method: Method::Auto, split: Split::Auto, timeout, attack: true, seed: 0, cancelled: None }
    }
}

impl Options {
    /// The end of a search that begins now.
    pub fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout).unless(self.cancelled)
    }
}

/// A network, ready to answer queries. May be shared between threads.
#[derive(Debug)]
pub struct Verifier {
    network: Network,
    model: Model<f32>,
    wide: OnceLock<Model<f64>>,
}

impl Verifier {
    /// Prepares a network.
    pub fn new(network: Network) -> Self {
        let model = Model::of(&network);
        Verifier { network, model, wide: OnceLock::new() }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The search's copy of the network.
    pub fn model(&self) -> &Model<f32> {
        &self.model
    }

    /// The search's copy in double precision, made on first use.
    pub fn wide_model(&self) -> &Model<f64> {
        self.wide.get_or_init(|| Model::of(&self.network))
    }

    /// Answers a query.
    ///
    /// # Errors
    ///
    /// The property does not fit the network.
    pub fn verify(&self, property: &Property, options: &Options) -> Result<Outcome, PropertyError> {
        property.fits(&self.network)?;
        let start = Instant::now();
        let mut ladder = Ladder::new(self, property, options, options.deadline());
        let verdict = ladder.climb();
        Ok(Outcome { verdict, time: start.elapsed(), rung: ladder.rung, domains: ladder.domains })
    }
}

/// What is known of one case.
#[derive(Clone, Debug)]
struct CaseState {
    closed: Option<Closed>,
    /// Whether hidden bounds have changed since, and it could not be closed again at once.
    is_stale: bool,
    best: f64,
}

/// How a case was closed.
#[derive(Clone, Debug)]
enum Closed {
    /// For the region as a whole.
    Here(Close),
    /// In the parts of the region, one after the other.
    InParts,
}

/// One query on its way up.
struct Ladder<'v> {
    verifier: &'v Verifier,
    property: &'v Property,
    options: &'v Options,
    deadline: Deadline,
    queries: Vec<Query<f32>>,
    cases: Vec<CaseState>,
    /// Linear bounds of each region, once they are known.
    bounds: Vec<Option<Bounds<f32>>>,
    /// The steps that tighten hidden bounds in each region's proof.
    tightening: Vec<Vec<Item>>,
    /// How the root of each region's proof ends: with parts of the region, if there are any.
    parts: Vec<Vec<Item>>,
    rung: Rung,
    /// Parts of the region that were bounded.
    domains: usize,
}

/// Steps of the first attack, before any bound is computed, and of those after bounds have failed to decide.
const ATTACK_STEPS: (usize, usize) = (24, 80);

/// Multiplications that the first attack after bounds have failed may cost, and how many times as much a later one may at most.
const ATTACK_COST: (usize, usize) = (1_000_000_000, 32);

/// The share of a ball's radius within which points are sure to be inside, whatever rounding does.
const INSIDE: f64 = 1.0 - 1e-5;

/// What else an evaluation of the network or its gradient costs, in multiplications.
const EVALUATION: usize = 10_000;

impl<'v> Ladder<'v> {
    fn new(verifier: &'v Verifier, property: &'v Property, options: &'v Options, deadline: Deadline) -> Self {
        let queries = Query::all_of(property);
        let cases = vec![CaseState { closed: None, is_stale: false, best: f64::NEG_INFINITY }; property.cases().len()];
        let [tightening, parts] = [(); 2].map(|()| vec![Vec::new(); queries.len()]);
        let bounds = vec![None; queries.len()];
        let (rung, domains) = (Rung::Attack, 0);
        Ladder { verifier, property, options, deadline, queries, cases, bounds, tightening, parts, rung, domains }
    }

    fn climb(&mut self) -> Verdict {
        let method = self.options.method;
        if let Some(found) = self.attack(Start::Centre, 0) {
            return Verdict::Violated(found);
        }
        if self.splits_inputs() {
            return self.branch();
        }
        self.rung = Rung::Interval;
        self.bound_intervals();
        if self.is_open() && method != Method::Ibp && !self.is_late() {
            self.rung = Rung::Linear;
            self.bound_linearly();
        }
        if self.is_open() && matches!(method, Method::Slopes | Method::Branch | Method::Auto) && !self.is_late() {
            if let Some(verdict) = self.refine(method != Method::Slopes) {
                return verdict;
            }
            if self.splits_inputs_at_last() {
                return self.branch();
            }
        }
        if self.is_open() && method == Method::Lp && !self.is_late() {
            if let Some(found) = self.attack(Start::Diversified, 1) {
                self.rung = Rung::Attack;
                return Verdict::Violated(found);
            }
            self.rung = Rung::Lp;
            if let Some(found) = self.solve_programs() {
                return Verdict::Violated(found);
            }
        }
        self.conclude()
    }

    fn is_open(&self) -> bool {
        self.cases.iter().any(|c| c.closed.is_none())
    }

    /// The cases of a query that nothing has closed.
    fn open_cases<'q, T>(&self, query: &'q Query<T>) -> Vec<&'q Target<T>> {
        query.cases.iter().filter(|target| self.cases[target.case].closed.is_none()).collect()
    }

    fn is_late(&self) -> bool {
        self.deadline.has_passed()
    }

    fn conclude(&self) -> Verdict {
        let open = self.cases.iter().filter(|c| c.closed.is_none());
        let worst = open.clone().map(|c| c.best).fold(f64::INFINITY, f64::min);
        match open.count() {
            0 => self.check(),
            _ if self.is_late() => Verdict::Unknown(Reason::Timeout(None)),
            open => Verdict::Unknown(Reason::Undecided { open, cases: self.cases.len(), bound: worst }),
        }
    }

    fn check(&self) -> Verdict {
        self.judge(self.queries.iter().map(|query| self.proof(query)).collect())
    }

    /// What the checker says of proofs.
    fn judge(&self, proofs: Vec<Proof>) -> Verdict {
        match certify::conclude(&self.verifier.network, self.property, (proofs, self.deadline)) {
            Ok((verified, certificate)) => Verdict::Verified(verified, certificate),
            Err(Rejected { refusal: Refusal::Deadline, .. }) => Verdict::Unknown(Reason::Timeout(None)),
            Err(rejected) => Verdict::Unknown(Reason::Rejected(rejected)),
        }
    }

    fn proof(&self, query: &Query<f32>) -> Proof {
        let tightening = self.tightening[query.region].clone();
        certify::proof(query.region, (tightening, self.closes(&query.cases)), self.parts[query.region].clone())
    }

    /// What closes the given cases for the region as a whole.
    fn closes<'q>(&self, cases: impl IntoIterator<Item = &'q Target<f32>>) -> Vec<Close> {
        let close = |target: &'q Target<f32>| match &self.cases[target.case].closed {
            Some(Closed::Here(close)) => Some(close.clone()),
            _ => None,
        };
        cases.into_iter().filter_map(close).collect()
    }

    /// Looks for a point where some case happens, and has it replayed. Later rounds cost more.
    fn attack(&self, start: Start, round: usize) -> Option<Violated> {
        let is_open = |target: &&Target<f32>| self.cases[target.case].closed.is_none();
        let open = |query: &Query<f32>| Query {
            cases: query.cases.iter().filter(is_open).cloned().collect(),
            ..query.clone()
        };
        let queries: Vec<Query<f32>> = self.queries.iter().map(open).filter(|query| !query.cases.is_empty()).collect();
        let cost = ATTACK_COST.0.saturating_mul(round.min(ATTACK_COST.1));
        let effort = Effort {
            start,
            steps: if start == Start::Centre { ATTACK_STEPS.0 } else { ATTACK_STEPS.1 },
            evaluations: cost / (self.verifier.model.multiplications() + EVALUATION) / queries.len().max(1),
            seed: self.options.seed.wrapping_add(round as u64),
            deadline: self.deadline,
        };
        queries.iter().filter(|_| self.options.attack).find_map(|query| {
            let mut found = None;
            momentum::search(&self.verifier.model, query, &effort, |point| {
                let wide: Vec<f64> = point.iter().map(|x| x.wide()).collect();
                found = self.replay(query.region, &wide);
                found.is_some()
            });
            found
        })
    }

    fn replay(&self, region: usize, point: &[f64]) -> Option<Violated> {
        let (network, region) = (&self.verifier.network, &self.property.regions()[region]);
        let replayed = |point: &[f64]| check::replay(network, self.property, point).ok();
        let inside = certainly_inside(region, point);
        let single = (network.semantics() == Semantics::Float32).then(|| in_binary32(region, &inside));
        single.and_then(|point| replayed(&point)).or_else(|| replayed(&inside))
    }

    fn bound_intervals(&mut self) {
        for query in &self.queries {
            let bounds = interval::propagate(&self.verifier.model, query.input());
            let relaxations = adaptive(&self.verifier.model, &bounds);
            close_cases(self.verifier, query, (&bounds, &relaxations), &mut self.cases);
        }
    }

    fn bound_linearly(&mut self) {
        for query in &self.queries {
            if query.cases.iter().all(|target| self.cases[target.case].closed.is_some()) || self.is_late() {
                continue;
            }
            let found = linear::propagate(&self.verifier.model, query.input(), self.deadline);
            let Some((bounds, relaxations)) = found else { return };
            close_cases(self.verifier, query, (&bounds, &relaxations), &mut self.cases);
            self.tightening[query.region] =
                certify::tightening(&self.verifier.network, &self.verifier.model, (&bounds, 0));
            self.bounds[query.region] = Some(bounds);
        }
    }

    /// Solves a program for each open case; its minimiser is tried as a counterexample.
    fn solve_programs(&mut self) -> Option<Violated> {
        let model = self.verifier.wide_model();
        for query in Query::<f64>::all_of(self.property) {
            let open = self.open_cases(&query);
            if open.is_empty() {
                continue;
            }
            let found = linear::propagate(model, query.input(), self.deadline);
            let (bounds, _) = found?;
            for target in open {
                match lp::minimise_largest(model, (&bounds, 0), &objective(model.output(), target), self.deadline) {
                    Ok(solution) => {
                        let state = &mut self.cases[target.case];
                        state.best = state.best.max(solution.value);
                        if solution.value > 0.0 {
                            state.closed = Some(Closed::Here(close_by_program(target.case, solution)));
                        } else if let Some(found) = self.replay(query.region, &solution.input) {
                            return Some(found);
                        } else {
                            return None;
                        }
                    }
                    Err(Unsolved::Deadline | Unsolved::TooLarge { .. }) => return None,
                    Err(Unsolved::Infeasible | Unsolved::Solver(_)) => {}
                }
            }
        }
        None
    }
}

/// A point of a region near the given one; of a ball not quite up to its surface, where rounding would leave open what is inside.
fn certainly_inside(region: &Region, point: &[f64]) -> Vec<f64> {
    let clamp = |point: &mut [f64]| {
        for (x, bound) in point.iter_mut().zip(&region.bounds) {
            let permitted = bound.inner().unwrap_or(bound.outer());
            *x = x.clamp(permitted.lo, permitted.hi);
        }
    };
    let mut inside = point.to_vec();
    clamp(&mut inside);
    if let Some(ball) = &region.ball {
        Ball::of(ball).shrunk(INSIDE).pull(&mut inside);
        clamp(&mut inside);
    }
    inside
}

/// The point with every coordinate that the region's bounds allow rounded to a binary32 number, as executions take their inputs.
fn in_binary32(region: &Region, point: &[f64]) -> Vec<f64> {
    let nearest = |(x, bound): (&f64, &Bound)| {
        let permitted = bound.inner().unwrap_or(bound.outer());
        #[allow(clippy::cast_possible_truncation)]
        let single = *x as f32;
        let near = [single, single.next_up(), single.next_down()].map(f64::from);
        near.into_iter().find(|near| (permitted.lo..=permitted.hi).contains(near)).unwrap_or(*x)
    };
    point.iter().zip(&region.bounds).map(nearest).collect()
}

/// Adaptive relaxations of all ReLU nodes.
fn adaptive<T: Real>(model: &Model<T>, bounds: &Bounds<T>) -> Relaxations<T> {
    let mut relaxations = vec![None; model.nodes().len()];
    for (id, source) in model.relus() {
        relaxations[id] = Some(Relaxation::adaptive(&bounds.lower[source], &bounds.upper[source]));
    }
    relaxations
}

/// Bounds every atom of every open case of a query; a case closes by its best atom when that is positive.
fn close_cases(
    verifier: &Verifier,
    query: &Query<f32>,
    (bounds, relaxations): (&Bounds<f32>, &[Option<Relaxation<f32>>]),
    states: &mut [CaseState],
) {
    let open: Vec<&Target<f32>> = query.cases.iter().filter(|t| states[t.case].closed.is_none()).collect();
    let Some(rows) = atom_rows(verifier.model.output(), &open) else { return };
    let found = linear::lower_bounds(&verifier.model, bounds, relaxations, &rows);
    let mut next = 0;
    for target in open {
        let atoms = target.at_most.len();
        let inputs = |i: usize| target.inputs.as_ref().map(|c| c.row(i));
        let bounds = (0..atoms).map(|i| (i, on_inputs(&found, next + i, inputs(i), bounds)));
        let best = bounds.fold((0, f32::NEG_INFINITY), |best, b| if b.1 > best.1 { b } else { best });
        let state = &mut states[target.case];
        state.best = state.best.max(best.1.wide());
        if best.1 > 0.0 {
            state.closed = Some(Closed::Here(certify::close_by_atom(target.case, best.0)));
        }
        next += atoms;
    }
}

/// The bound of a row, with coefficients on the inputs added where its atom has some.
fn on_inputs(
    found: &linear::LinearBounds<f32>,
    row: usize,
    inputs: Option<ndarray::ArrayView1<f32>>,
    bounds: &Bounds<f32>,
) -> f32 {
    match inputs {
        None => found.lower[row],
        Some(inputs) => {
            found.constants[row] + linear::least_over(bounds, 0, (&found.coefficients.row(row) + &inputs).view())
        }
    }
}

/// All atoms of some cases as rows on the output node; `None` when there are none.
fn atom_rows(output: usize, targets: &[&Target<f32>]) -> Option<Rows<f32>> {
    let views: Vec<_> = targets.iter().map(|t| t.outputs.view()).collect();
    let coefficients = ndarray::concatenate(Axis(0), &views).ok().filter(|c| c.nrows() > 0)?;
    let constants: Array1<f32> = targets.iter().flat_map(|t| t.at_most.iter().map(|b| -*b)).collect();
    let domains = vec![0; constants.len()];
    Some(Rows { node: output, coefficients, constants, domains })
}

/// Closes a case by what the solution of its program says.
fn close_by_program(case: usize, solution: Solution) -> Close {
    let multipliers = Multipliers::Each(solution.multipliers);
    Close { case, multipliers, witness: Witness::Own(solution.slopes) }
}

/// The program of a case.
fn objective(output: usize, target: &Target<f64>) -> Objective {
    Objective {
        node: output,
        coefficients: target.outputs.clone(),
        inputs: target.inputs.clone(),
        constants: target.at_most.mapv(|b| -b),
    }
}

/// A batch of one.
fn row<T: Real>(values: &Array1<T>) -> Array2<T> {
    values.clone().insert_axis(Axis(0))
}
