//! Differential evolution (Storn and Price 1997) on the least of the cases' worst excesses, with restarts.
//!
//! It needs no slopes, so it also finds its way where outputs lie on plateaus that gradient descent cannot leave. It takes
//! many evaluations and little else, and learns from distances between points: made for regions where few inputs vary.

use ndarray::{Array2, ArrayView1, Axis, concatenate};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::bound::Model;
use crate::deadline::Deadline;
use crate::query::Query;

/// Random points that each restart begins with.
const SAMPLES: usize = 2000;

/// Points that live on.
const PARENTS: usize = 20;

/// Children of each of them in a generation.
const CHILDREN: usize = 5;

/// Generations until the next restart.
const GENERATIONS: i32 = 20;

/// A child differs from its parent by this share of the difference between two others of its generation.
const STRIDE: f32 = 1.0;

/// And by noise: at most this share of the box width at first, and how that shrinks from one generation to the next.
const NOISE: (f32, f32) = (0.017, 0.8);

/// New points of a generation that may be offered: to replay one costs as much as dozens of evaluations.
const OFFERS: usize = 4;

/// Points that are evaluated together.
const BATCH: usize = 64;

/// A search of one region, which may be continued.
#[derive(Debug)]
pub struct Evolution<'q> {
    model: &'q Model<f32>,
    query: &'q Query<f32>,
    random: ChaCha8Rng,
    /// The best points of this restart.
    parents: Generation,
    /// Generations since the restart.
    age: i32,
    /// Evaluations so far.
    spent: usize,
}

/// Points with their excesses, best first.
#[derive(Clone, Debug)]
struct Generation {
    points: Array2<f32>,
    excesses: Vec<f32>,
}

impl<'q> Evolution<'q> {
    /// Begins; costs nothing yet.
    pub fn new(model: &'q Model<f32>, query: &'q Query<f32>, seed: u64) -> Self {
        let parents = Generation { points: Array2::zeros((0, query.lower.len())), excesses: Vec::new() };
        Evolution { model, query, random: ChaCha8Rng::seed_from_u64(seed), parents, age: GENERATIONS, spent: 0 }
    }

    /// Evaluations so far.
    pub fn spent(&self) -> usize {
        self.spent
    }

    /// Continues as long as it costs at most `evaluations` in all, counted from the beginning. The best points of each
    /// generation are offered to `accept` (which may replay them) where some case happens in the search's arithmetic,
    /// until one is taken. Returns whether one was.
    pub fn run(
        &mut self,
        evaluations: usize,
        deadline: Deadline,
        accept: &mut impl FnMut(ArrayView1<f32>) -> bool,
    ) -> bool {
        while !self.query.cases.is_empty() && self.spent + self.price() <= evaluations {
            self.spent += self.price();
            let points = if self.age == GENERATIONS { self.restart() } else { self.children() };
            let Some(excesses) = self.excesses(&points, deadline) else { return false };
            let born = Generation { points, excesses }.best(PARENTS);
            let happening = born.excesses.iter().take(OFFERS).take_while(|excess| **excess <= 0.0).count();
            if (0..happening).any(|i| accept(born.points.row(i))) {
                return true;
            }
            self.parents = self.parents.with(&born).best(PARENTS);
        }
        false
    }

    /// Evaluations of the next generation.
    fn price(&self) -> usize {
        if self.age == GENERATIONS { SAMPLES } else { PARENTS * CHILDREN }
    }

    /// Forgets the parents. Samples of the box; every other one from its faces, where extremes are to be expected.
    fn restart(&mut self) -> Array2<f32> {
        self.age = 0;
        self.parents = self.parents.best(0);
        let random = &mut self.random;
        let share = |(i, _)| match random.random::<f32>() {
            // An end with probability one half.
            share if i % 2 == 1 => (2.0 * share - 0.5).clamp(0.0, 1.0),
            share => share,
        };
        let mut points = Array2::from_shape_fn((SAMPLES, self.query.lower.len()), share);
        for mut point in points.rows_mut() {
            for ((x, l), u) in point.iter_mut().zip(&self.query.lower).zip(&self.query.upper) {
                *x = (l + *x * (u - l)).max(*l).min(*u);
            }
            self.query.project(point);
        }
        points
    }

    /// Children of all parents, inside the box.
    fn children(&mut self) -> Array2<f32> {
        let noise = NOISE.0 * NOISE.1.powi(self.age);
        self.age += 1;
        let (parents, query, random) = (&self.parents.points, self.query, &mut self.random);
        let mut points = Array2::zeros((PARENTS * CHILDREN, parents.ncols()));
        for (i, mut child) in points.rows_mut().into_iter().enumerate() {
            let [from, to] = [(); 2].map(|()| random.random_range(0..PARENTS));
            for (j, x) in child.iter_mut().enumerate() {
                let (l, u) = (query.lower[j], query.upper[j]);
                let along = STRIDE * (parents[[to, j]] - parents[[from, j]]);
                let astray = noise * (u - l) * (2.0 * random.random::<f32>() - 1.0);
                *x = (parents[[i / CHILDREN, j]] + along + astray).max(l).min(u);
            }
            query.project(child);
        }
        points
    }

    /// The excess at each point; `None` when the deadline passes first.
    fn excesses(&self, points: &Array2<f32>, deadline: Deadline) -> Option<Vec<f32>> {
        let batches: Vec<_> = points.axis_chunks_iter(Axis(0), BATCH).collect();
        let excesses = batches.into_par_iter().map(|inputs| {
            if deadline.has_passed() {
                return None;
            }
            let outputs = self.model.evaluate(inputs).pop().expect("a value for each node");
            Some(self.query.least_excesses(inputs, outputs.view()).to_vec())
        });
        excesses.collect::<Option<Vec<_>>>().map(|excesses| excesses.concat())
    }
}

impl Generation {
    /// The given number of best points; the earlier ones where some are equally good.
    fn best(&self, count: usize) -> Self {
        let mut order: Vec<usize> = (0..self.excesses.len()).collect();
        order.sort_by(|a, b| self.excesses[*a].total_cmp(&self.excesses[*b]));
        order.truncate(count);
        let excesses = order.iter().map(|i| self.excesses[*i]).collect();
        Generation { points: self.points.select(Axis(0), &order), excesses }
    }

    fn with(&self, other: &Self) -> Self {
        let points = concatenate(Axis(0), &[self.points.view(), other.points.view()]).expect("points of one width");
        Generation { points, excesses: [&self.excesses[..], &other.excesses].concat() }
    }
}

#[cfg(test)]
mod tests;
