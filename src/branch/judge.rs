//! Bounds a batch of domains and says which cases they refute.

use std::collections::BTreeMap;

use bartizan_proof::certificate::{Close, Multipliers, Slopes, Witness};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::family::{Clip, Family, OnCubes};
use crate::bound::ascent::{self, Goal};
use crate::bound::{Bounds, Model, Relaxation, Relaxations, Rows, linear};
use crate::deadline::Deadline;
use crate::query::{Query, Target};

/// Combinations of a case's atoms that are bounded, each chosen with what is known from those before.
const MIXTURES: usize = 2;

/// How the inputs of ReLUs are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// By interval arithmetic and forward linear forms.
    Forward,
    /// By backward linear bounds as well.
    Backward,
}

/// What is known of a domain once it has been bounded.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// How hard it was bounded.
    pub effort: Effort,
    /// For each case how it is refuted, if it is.
    pub closes: Vec<Option<Close>>,
    /// The least of the cases' best bounds.
    pub bound: f32,
    /// The coefficients, on the domain's cube, of the bound that is least.
    pub slopes: Vec<f32>,
    /// How steep the bounds of that case's atoms are in each input.
    pub steepness: Vec<f32>,
    /// Where a single case is open, a cut that takes off what is refuted.
    pub clip: Option<Clip>,
    /// Elements whose sign stayed open and that backward bounds could improve.
    pub undecided: usize,
}

impl Judgement {
    /// Whether every case is refuted.
    pub fn is_refuted(&self) -> bool {
        self.closes.iter().all(Option::is_some)
    }

    /// How the domain ends, once it is refuted.
    pub fn into_ending(self) -> (Effort, Vec<Close>) {
        (self.effort, self.closes.into_iter().flatten().collect())
    }

    /// Closes the case at a place of the query: how, and its bound.
    fn close(
        &mut self,
        (place, case): (usize, usize),
        (multipliers, witness): (Multipliers, Witness),
        (bound, slopes): (f32, ArrayView1<f32>),
    ) {
        self.closes[place] = Some(Close { case, multipliers, witness });
        self.consider(bound, (slopes, slopes.mapv(f32::abs)));
    }

    /// Takes note of a case's best bound.
    fn consider(&mut self, bound: f32, (slopes, steepness): (ArrayView1<f32>, Array1<f32>)) {
        if bound < self.bound || self.slopes.is_empty() {
            self.bound = bound;
            self.slopes = slopes.to_vec();
            self.steepness = steepness.to_vec();
        }
    }
}

/// A point that may be a counterexample.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// How far it is from that: the case's worst excess.
    pub excess: f32,
    /// The place of the case in the query.
    pub case: usize,
    /// The input.
    pub point: Vec<f32>,
}

/// Judges the domains of one query.
#[derive(Debug)]
pub struct Judge<'q> {
    /// The network.
    pub model: &'q Model<f32>,
    /// The query.
    pub query: &'q Query<f32>,
    atoms: Atoms,
}

/// All atoms of all cases, one after the other: `outputs . y + inputs . x + constants` must not all be positive.
#[derive(Debug)]
struct Atoms {
    outputs: Array2<f32>,
    inputs: Array2<f32>,
    constants: Array1<f32>,
}

/// Boxes and what is known in them.
struct Bounded<'b> {
    middles: Array2<f32>,
    radii: Array2<f32>,
    bounds: &'b Bounds<f32>,
    relaxations: &'b [Option<Relaxation<f32>>],
}

impl<'q> Judge<'q> {
    /// Prepares a query.
    pub fn new(model: &'q Model<f32>, query: &'q Query<f32>) -> Self {
        Judge { model, query, atoms: Atoms::of(&query.cases, query.lower.len()) }
    }

    /// Judges a batch of domains `[domains, inputs]`; `None` when the deadline passes first.
    pub fn judge(
        &self,
        lower: &Array2<f32>,
        upper: &Array2<f32>,
        (effort, deadline): (Effort, Deadline),
    ) -> Option<Vec<Judgement>> {
        if deadline.has_passed() {
            return None;
        }
        let input = Bounds::of_input(lower.clone(), upper.clone()).within(self.query.ball.clone());
        let (bounds, relaxations): (_, Relaxations<f32>) = match effort {
            Effort::Forward => linear::propagate_forward(self.model, input),
            Effort::Backward => linear::propagate(self.model, input, deadline)?,
        };
        let (radii, middles) = ((upper - lower) * 0.5, (upper + lower) * 0.5);
        let bounded = Bounded { middles, radii, bounds: &bounds, relaxations: &relaxations };
        let mut judgements = self.fresh(&bounds, effort);
        let families = self.close_by_atoms(&bounded, &mut judgements);
        let mut families = self.close_by_mixtures(&bounded, families, &mut judgements);
        if effort == Effort::Backward && !families.is_empty() {
            self.close_by_slopes((&bounded, deadline), &mut families, &mut judgements);
        }
        for family in &families {
            let judgement = &mut judgements[family.domain];
            judgement.consider(family.value, (family.slopes(), family.steepness()));
            let is_single = judgement.closes.iter().filter(|close| close.is_none()).count() == 1;
            judgement.clip = family.clip().filter(|_| is_single);
        }
        Some(judgements)
    }

    fn fresh(&self, bounds: &Bounds<f32>, effort: Effort) -> Vec<Judgement> {
        let mut undecided = vec![0; bounds.domains()];
        let improvable = |source: &usize| bounds.may_improve(&self.model.nodes()[*source]);
        for source in self.model.relus().map(|(_, source)| source).filter(improvable) {
            bounds.undecided(source).into_iter().for_each(|(domain, _)| undecided[domain] += 1);
        }
        let closes = vec![None; self.query.cases.len()];
        let of = |undecided| Judgement {
            effort,
            closes: closes.clone(),
            bound: f32::INFINITY,
            slopes: Vec::new(),
            steepness: Vec::new(),
            clip: None,
            undecided,
        };
        undecided.into_iter().map(of).collect()
    }

    /// Closes cases by single atoms; returns what is known of the others.
    fn close_by_atoms(&self, bounded: &Bounded, judgements: &mut [Judgement]) -> Vec<Family> {
        let (domains, atoms) = (judgements.len(), self.atoms.constants.len());
        let owners: Vec<usize> = (0..domains * atoms).map(|row| row / atoms.max(1)).collect();
        let repeated = |rows: &Array2<f32>| {
            let index: Vec<usize> = (0..domains * atoms).map(|row| row % atoms.max(1)).collect();
            rows.select(Axis(0), &index)
        };
        let constants = (0..domains).flat_map(|_| self.atoms.constants.iter().copied()).collect();
        let rows = (repeated(&self.atoms.outputs), repeated(&self.atoms.inputs), constants);
        let found = self.bound_rows(bounded, owners, rows);
        let mut families = Vec::new();
        for (domain, judgement) in judgements.iter_mut().enumerate() {
            let mut next = domain * atoms;
            for (place, target) in self.query.cases.iter().enumerate() {
                let rows = next..next + target.at_most.len();
                next = rows.end;
                match found.best(rows.clone()) {
                    Some((atom, value)) if value > 0.0 => {
                        let how = (Multipliers::Atom(atom), Witness::Default);
                        judgement.close((place, target.case), how, (value, found.slopes.row(rows.start + atom)));
                    }
                    Some(_) => families.push(Family::of_atoms((domain, place), &found, rows)),
                    None => {
                        let level = Array1::zeros(self.query.lower.len());
                        judgement.consider(f32::NEG_INFINITY, (level.view(), level.clone()));
                    }
                }
            }
        }
        families
    }

    /// Bounds combinations of atoms as single rows, which is tighter than combining bounds; what that gives takes part in the
    /// next combination. Returns the cases that stay open.
    fn close_by_mixtures(&self, bounded: &Bounded, families: Vec<Family>, judgements: &mut [Judgement]) -> Vec<Family> {
        let (mut families, mut open): (Vec<Family>, Vec<Family>) =
            families.into_iter().partition(|family| family.atoms() > 1);
        for _ in 0..MIXTURES {
            let mixtures: Vec<Array1<f32>> = families.iter().map(Family::best).collect();
            let found = self.bound_mixtures(bounded, &families, &mixtures);
            for (row, (family, weights)) in families.iter_mut().zip(mixtures).enumerate() {
                let (value, judgement) = (found.value(row), &mut judgements[family.domain]);
                if value > 0.0 {
                    let how = (Multipliers::Each(weights.to_vec()), Witness::Default);
                    let case = self.query.cases[family.place].case;
                    judgement.close((family.place, case), how, (value, found.slopes.row(row)));
                }
                family.push(weights, value, (found.constants[row], found.slopes.row(row)));
            }
            families.retain(|family| judgements[family.domain].closes[family.place].is_none());
        }
        open.extend(families);
        open
    }

    /// Closes cases by slopes and combinations that follow the gradient of the bound.
    fn close_by_slopes(
        &self,
        (bounded, deadline): (&Bounded, Deadline),
        families: &mut Vec<Family>,
        judgements: &mut [Judgement],
    ) {
        let goal = |family: &Family| {
            let target = &self.query.cases[family.place];
            Goal {
                domain: family.domain,
                outputs: target.outputs.view(),
                inputs: target.inputs.as_ref().map(|inputs| inputs.view()),
                constants: -&target.at_most,
                weights: family.best(),
            }
        };
        let goals: Vec<Goal<f32>> = families.iter().map(goal).collect();
        let reached = ascent::ascend(self.model, bounded.bounds, bounded.relaxations, (goals, deadline));
        for (family, reached) in families.iter_mut().zip(reached) {
            family.value = family.value.max(reached.bound);
            if reached.bound > 0.0 {
                let slopes = self.slopes(bounded, family.domain, &reached.slopes);
                let how = (Multipliers::Each(reached.weights.to_vec()), Witness::Own(slopes));
                let case = self.query.cases[family.place].case;
                judgements[family.domain].close((family.place, case), how, (reached.bound, family.slopes()));
            }
        }
        families.retain(|family| judgements[family.domain].closes[family.place].is_none());
    }

    /// Slopes in a domain as a certificate writes them: those that are not adaptive anyway.
    fn slopes(&self, bounded: &Bounded, domain: usize, slopes: &[Option<Array1<f32>>]) -> Slopes {
        let mut alpha = BTreeMap::new();
        for (relu, _) in self.model.relus() {
            let (Some(slopes), Some(adaptive)) = (&slopes[relu], &bounded.relaxations[relu]) else { continue };
            let pairs = slopes.iter().zip(adaptive.below.row(domain));
            let given: Vec<f32> = pairs.map(|(s, adaptive)| if s == adaptive { f32::NAN } else { *s }).collect();
            if !given.iter().all(|s| s.is_nan()) {
                alpha.insert(self.model.place(relu), given);
            }
        }
        Slopes { alpha, ..Slopes::default() }
    }

    fn bound_mixtures(&self, bounded: &Bounded, families: &[Family], mixtures: &[Array1<f32>]) -> OnCubes {
        let mut rows = (
            Array2::zeros((mixtures.len(), self.atoms.outputs.ncols())),
            Array2::zeros((mixtures.len(), self.atoms.inputs.ncols())),
            Array1::zeros(mixtures.len()),
        );
        for (row, (family, weights)) in families.iter().zip(mixtures).enumerate() {
            let target = &self.query.cases[family.place];
            rows.0.row_mut(row).assign(&weights.dot(&target.outputs));
            if let Some(on_inputs) = &target.inputs {
                rows.1.row_mut(row).assign(&weights.dot(on_inputs));
            }
            rows.2[row] = -weights.dot(&target.at_most);
        }
        self.bound_rows(bounded, families.iter().map(|family| family.domain).collect(), rows)
    }

    /// Lower bounds of rows `(outputs, inputs, constants)`, each in the domain that owns it.
    fn bound_rows(
        &self,
        bounded: &Bounded,
        domains: Vec<usize>,
        (coefficients, inputs, constants): (Array2<f32>, Array2<f32>, Array1<f32>),
    ) -> OnCubes {
        if domains.is_empty() {
            return OnCubes { constants, slopes: inputs, in_ball: None };
        }
        let rows = Rows { node: self.model.output(), coefficients, constants, domains };
        let found = linear::lower_bounds(self.model, bounded.bounds, bounded.relaxations, &rows);
        let (mut slopes, mut constants) = (found.coefficients + inputs, found.constants);
        let least = |((row, constant), domain): ((ArrayView1<f32>, &f32), &usize)| {
            *constant + linear::least_over(bounded.bounds, *domain, row)
        };
        let all = || slopes.rows().into_iter().zip(&constants).zip(&rows.domains);
        let in_ball = self.query.ball.is_some().then(|| all().map(least).collect());
        for ((mut row, constant), domain) in slopes.rows_mut().into_iter().zip(&mut constants).zip(&rows.domains) {
            *constant += row.dot(&bounded.middles.row(*domain));
            row *= &bounded.radii.row(*domain);
        }
        OnCubes { constants, slopes, in_ball }
    }

    /// For each domain the more promising of its middle and the corner where the worst bound is taken; none without cases.
    pub fn candidates(
        &self,
        (lower, upper): (&Array2<f32>, &Array2<f32>),
        slopes: ArrayView2<f32>,
    ) -> Vec<Option<Candidate>> {
        let mut points = Array2::zeros((2 * lower.nrows(), lower.ncols()));
        for ((domain, input), slope) in slopes.indexed_iter() {
            let (l, u) = (lower[[domain, input]], upper[[domain, input]]);
            points[[2 * domain, input]] = if *slope > 0.0 { l } else { u };
            points[[2 * domain + 1, input]] = (l * 0.5 + u * 0.5).max(l).min(u);
        }
        if self.query.ball.is_some() {
            points.rows_mut().into_iter().for_each(|point| self.query.project(point));
        }
        let outputs = self.model.evaluate(points.view()).pop().expect("a value for each node");
        let cases = || self.query.cases.iter().enumerate();
        let best = |domain: usize| {
            let pairs = [2 * domain, 2 * domain + 1].into_iter().flat_map(|row| cases().map(move |case| (row, case)));
            let excess = |(row, (case, target)): (usize, (usize, &Target<f32>))| {
                (target.worst_excess(points.row(row), outputs.row(row)), case, row)
            };
            let (excess, case, row) = pairs.map(excess).min_by(|a, b| a.0.total_cmp(&b.0))?;
            Some(Candidate { excess, case, point: points.row(row).to_vec() })
        };
        (0..lower.nrows()).map(best).collect()
    }
}

impl Atoms {
    fn of(targets: &[Target<f32>], inputs: usize) -> Self {
        let mut atoms = Atoms {
            outputs: Array2::zeros((0, targets.first().map_or(0, |t| t.outputs.ncols()))),
            inputs: Array2::zeros((0, inputs)),
            constants: Array1::zeros(0),
        };
        for target in targets {
            let none = Array2::zeros((target.at_most.len(), inputs));
            let append = |to: &mut Array2<f32>, rows: &Array2<f32>| {
                to.append(Axis(0), rows.view()).expect("rows of one width");
            };
            append(&mut atoms.outputs, &target.outputs);
            append(&mut atoms.inputs, target.inputs.as_ref().unwrap_or(&none));
            atoms.constants.append(Axis(0), (-&target.at_most).view()).expect("one axis");
        }
        atoms
    }
}
