//! The search of a whole region: projected gradient descent with momentum and a step size of its own for each row (Auto-PGD, Croce
//! and Hein 2020), from the centre or from diversified starts (output diversified sampling, Tashiro et al. 2020).
//!
//! A row descends on the excess of one case: along `z = P(x_k - rate * direction)` it goes to
//! `x_(k+1) = P(x_k + a (z - x_k) + (1 - a) (x_k - x_(k-1)))`, where `P` leads back into the region. At checkpoints that come closer and closer
//! a row that has made little progress goes back to its best point and halves its rate, and rows that are far behind end. The first
//! rate is the box's width, so the first step from the centre ends in a corner (the fast gradient sign method, Goodfellow et al. 2015).

use ndarray::{Array1, Array2, ArrayView1, Axis};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::slope::{Slope, StepRule};
use crate::bound::Model;
use crate::deadline::Deadline;
use crate::query::Query;
use crate::real::Real;

/// How much to search.
#[derive(Clone, Debug)]
pub struct Effort {
    /// Where rows begin.
    pub start: Start,
    /// Steps of each row that is not given up.
    pub steps: usize,
    /// Evaluations of the network or of its gradient, more or less; each case has one row at least.
    pub evaluations: usize,
    /// Seed of the random points.
    pub seed: u64,
    /// When to stop.
    pub deadline: Deadline,
}

/// Where rows begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// One row for each case from the centre of the box.
    Centre,
    /// Random points, which then follow random combinations of the outputs.
    Diversified,
}

/// Rows that travel together, and those that are evaluated together. Neither may depend on the number of threads.
const GROUP: (usize, usize) = (32, 16);

/// `a` in the formula above; the rest is momentum.
const ALPHA: f64 = 0.75;

/// The first checkpoint in hundredths of all steps, by how much less the next comes after it, and the least distance.
const CHECKPOINTS: (usize, usize, usize) = (22, 3, 6);

/// The share of steps that must have made an excess smaller, or else the rate is halved.
const PROGRESS: f64 = 0.75;

/// The share of rows that goes on after a checkpoint.
const KEPT: f64 = 0.85;

/// Steps that make a start diverse, and their share of the box width.
const DIVERSION: (usize, f64) = (2, 0.5);

/// Searches the region for a point where some case happens in the search's arithmetic, and offers each such point to
/// `accept` (which may replay it) until one is taken. Returns whether one was.
pub fn search<T: Real>(
    model: &Model<T>,
    query: &Query<T>,
    effort: &Effort,
    mut accept: impl FnMut(ArrayView1<T>) -> bool,
) -> bool {
    if query.cases.is_empty() {
        return false;
    }
    let mut search = Search { model, query, effort, random: ChaCha8Rng::seed_from_u64(effort.seed), evaluations: 0 };
    let mut next = 0;
    while next < query.cases.len() || search.may_begin() {
        let end = match effort.start {
            Start::Centre => query.cases.len().min(next + GROUP.0),
            Start::Diversified => next + GROUP.0,
        };
        match search.group(next..end, &mut accept) {
            Some(false) => next = end,
            found => return found.is_some(),
        }
    }
    false
}

/// A search of one region.
struct Search<'s, T> {
    model: &'s Model<T>,
    query: &'s Query<T>,
    effort: &'s Effort,
    random: ChaCha8Rng,
    /// Evaluations so far.
    evaluations: usize,
}

/// One row on its way.
struct Row<T> {
    /// The case that is to happen.
    case: usize,
    /// Its number; rows take turns in what they descend on and how.
    number: usize,
    here: Place<T>,
    /// Where it was a step ago.
    before: Array1<T>,
    best: Place<T>,
    /// The best excess at the last checkpoint, and whether the rate was halved then.
    last: (T, bool),
    /// Steps since then that made the excess smaller.
    gains: usize,
    /// The step as a share of the box width.
    rate: f64,
}

/// A point with the excess there and its gradient.
#[derive(Clone)]
struct Place<T> {
    point: Array1<T>,
    excess: T,
    gradient: Array1<T>,
}

impl<T: Real> Search<'_, T> {
    fn may_begin(&self) -> bool {
        self.effort.start == Start::Diversified && self.evaluations < self.effort.evaluations
    }

    /// Descends with rows of the given numbers; `None` when the deadline passes first.
    fn group(
        &mut self,
        numbers: std::ops::Range<usize>,
        accept: &mut impl FnMut(ArrayView1<T>) -> bool,
    ) -> Option<bool> {
        // Every other group keeps the best rows of each case, lest one case starves the others.
        let by_case = !(numbers.start / GROUP.0).is_multiple_of(2);
        let mut rows = self.starts(numbers)?;
        let mut checkpoints = Checkpoints::new(self.effort.steps);
        for step in 0..=self.effort.steps {
            let excesses: Vec<T> = rows.iter().map(|row| row.best.excess).collect();
            self.look(&mut rows)?;
            for (row, best) in rows.iter().zip(excesses) {
                // After a refusal only a better point is worth another replay.
                if row.here.excess <= T::zero() && row.here.excess < best && accept(row.here.point.view()) {
                    return Some(true);
                }
            }
            if let Some(span) = checkpoints.at(step) {
                rows.iter_mut().for_each(|row| row.review(span));
                keep_best(&mut rows, by_case);
            }
            let query = self.query;
            rows.par_chunks_mut(GROUP.1).flatten_iter().for_each(|row| row.step(query, step > 0));
        }
        Some(false)
    }

    /// New rows at their starts, with excesses and gradients yet to come.
    fn starts(&mut self, numbers: std::ops::Range<usize>) -> Option<Vec<Row<T>>> {
        let (query, cases) = (self.query, self.query.cases.len());
        let (lower, upper) = (&query.lower, &query.upper);
        let mut points = Array2::from_shape_simple_fn((numbers.len(), lower.len()), || match self.effort.start {
            Start::Centre => T::of(0.5),
            Start::Diversified => T::of(f64::from(self.random.random::<f32>())),
        });
        for mut point in points.rows_mut() {
            for ((x, l), u) in point.iter_mut().zip(lower).zip(upper) {
                *x = (*l + *x * (*u - *l)).max(*l).min(*u);
            }
            query.project(point);
        }
        if self.effort.start == Start::Diversified {
            self.divert(&mut points)?;
        }
        let row = |(number, point): (usize, ArrayView1<T>)| Row::new(number, number % cases, point.to_owned());
        Some(numbers.zip(points.rows()).map(row).collect())
    }

    /// Lets points follow random combinations of the outputs for a few steps.
    fn divert(&mut self, points: &mut Array2<T>) -> Option<()> {
        let outputs = self.model.nodes()[self.model.output()].size;
        let random = &mut self.random;
        let weight = || T::of(2.0 * f64::from(random.random::<f32>()) - 1.0);
        let weights = Array2::from_shape_simple_fn((points.nrows(), outputs), weight);
        self.evaluations += 2 * DIVERSION.0 * points.nrows();
        for _ in 0..DIVERSION.0 {
            let chunks = points.axis_chunks_iter_mut(Axis(0), GROUP.1);
            let chunks: Vec<_> = chunks.zip(weights.axis_chunks_iter(Axis(0), GROUP.1)).collect();
            let diverted = chunks.into_par_iter().map(|(mut points, weights)| {
                if self.effort.deadline.has_passed() {
                    return None;
                }
                let gradients = self.model.gradient(&self.model.evaluate(points.view()), weights.to_owned());
                for (point, gradient) in points.rows_mut().into_iter().zip(gradients.rows()) {
                    StepRule::Sign.step(self.query, (point, gradient), DIVERSION.1);
                }
                Some(())
            });
            diverted.collect::<Option<()>>()?;
        }
        Some(())
    }

    /// Finds out the excess at each row's point and its gradient; `None` when the deadline passes first.
    fn look(&mut self, rows: &mut [Row<T>]) -> Option<()> {
        self.evaluations += 2 * rows.len();
        let looked = rows.par_chunks_mut(GROUP.1).map(|rows| {
            if self.effort.deadline.has_passed() {
                return None;
            }
            let points: Vec<ArrayView1<T>> = rows.iter().map(|row| row.here.point.view()).collect();
            let points = ndarray::stack(Axis(0), &points).expect("points of one width");
            let values = self.model.evaluate(points.view());
            let outputs = &values[self.model.output()];
            let mut slope = Slope::new(outputs.raw_dim(), points.raw_dim());
            let excesses = rows.iter().enumerate().map(|(i, row)| {
                let target = &self.query.cases[row.case];
                let excesses = target.excesses(points.row(i), outputs.row(i));
                slope.add_atoms((i, row.number), target, &excesses)
            });
            let excesses: Vec<T> = excesses.collect();
            let gradients = slope.gradient(self.model, &values);
            for ((row, excess), gradient) in rows.iter_mut().zip(excesses).zip(gradients.rows()) {
                row.arrive(excess, gradient);
            }
            Some(())
        });
        looked.collect()
    }
}

impl<T: Real> Row<T> {
    fn new(number: usize, case: usize, point: Array1<T>) -> Self {
        let here = Place { excess: T::infinity(), gradient: Array1::zeros(0), point };
        let (before, best) = (here.point.clone(), here.clone());
        Row { case, number, here, before, best, last: (T::infinity(), true), gains: 0, rate: 1.0 }
    }

    /// Notes what was found at the point where it is.
    fn arrive(&mut self, excess: T, gradient: ArrayView1<T>) {
        self.gains += usize::from(excess < self.here.excess);
        self.here.excess = excess;
        self.here.gradient = gradient.to_owned();
        if excess < self.best.excess {
            self.best = self.here.clone();
        }
    }

    /// At a checkpoint: goes back to the best point and halves the rate where the last steps made little progress.
    fn review(&mut self, span: usize) {
        let is_slow = (self.gains as f64) < PROGRESS * span as f64;
        let is_stuck = !self.last.1 && self.last.0 <= self.best.excess;
        if is_slow || is_stuck {
            self.rate /= 2.0;
            self.here = self.best.clone();
            self.before.assign(&self.best.point);
        }
        self.last = (self.best.excess, is_slow || is_stuck);
        self.gains = 0;
    }

    /// Goes on, with momentum or without.
    fn step(&mut self, query: &Query<T>, has_momentum: bool) {
        let alpha = T::of(if has_momentum { ALPHA } else { 1.0 });
        let mut next = self.here.point.clone();
        StepRule::of(self.number).step(query, (next.view_mut(), self.here.gradient.view()), self.rate);
        for (j, x) in next.iter_mut().enumerate() {
            let here = self.here.point[j];
            let sum = here + alpha * (*x - here) + (T::one() - alpha) * (here - self.before[j]);
            *x = sum.max(query.lower[j]).min(query.upper[j]);
        }
        query.project(next.view_mut());
        self.before = std::mem::replace(&mut self.here.point, next);
    }
}

/// Ends the rows that are far behind: as seen from all rows, or from those of their case.
fn keep_best<T: Real>(rows: &mut Vec<Row<T>>, by_case: bool) {
    let count = (rows.len() as f64 * KEPT).ceil() as usize;
    let order = |a: T, b: T| a.partial_cmp(&b).unwrap_or(std::cmp::Ordering::Equal);
    rows.sort_by(|a, b| order(a.best.excess, b.best.excess));
    if by_case {
        let mut seen = std::collections::BTreeMap::new();
        let mut rank = |row: &Row<T>| *seen.entry(row.case).and_modify(|rank| *rank += 1).or_insert(0_usize);
        let ranks: Vec<usize> = rows.iter().map(&mut rank).collect();
        let mut ranked: Vec<(usize, Row<T>)> = ranks.into_iter().zip(rows.drain(..)).collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        rows.extend(ranked.into_iter().map(|(_, row)| row));
    }
    rows.truncate(count);
}

/// The steps after which progress is reviewed: distances shrink from one to the next, down to a least one.
struct Checkpoints {
    steps: usize,
    /// The last one and the next, in hundredths of the steps.
    last: usize,
    next: usize,
}

impl Checkpoints {
    fn new(steps: usize) -> Self {
        Checkpoints { steps, last: 0, next: CHECKPOINTS.0 }
    }

    /// The number of steps since the last checkpoint, if there is one after the given number of steps.
    fn at(&mut self, step: usize) -> Option<usize> {
        let place = |hundredths: usize| (hundredths * self.steps).div_ceil(100);
        let (last, mut is_due) = (self.last, false);
        while place(self.next) <= step && self.next <= 100 {
            let distance = (self.next - self.last).saturating_sub(CHECKPOINTS.1).max(CHECKPOINTS.2);
            (self.last, self.next, is_due) = (self.next, self.next + distance, true);
        }
        is_due.then(|| step - place(last))
    }
}

#[cfg(test)]
mod tests;
