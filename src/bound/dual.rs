//! Many linear bounds in one frame, each with its own slopes and signs, all ascending together (alpha- and beta-CROWN, Xu et
//! al. 2021, Wang et al. 2021).
//!
//! A row is a target under some assumed signs of ReLU inputs. An assumed sign makes a ReLU exact, and lets the bound add a
//! non-negative multiple (beta) of what is assumed. As in [`super::ascent`] one pass back computes all bounds and one pass forward their
//! gradients: a lower slope earns its coefficient times its ReLU's input, a multiplier the amount by which its sign is violated.

mod rows;

pub use rows::{Choice, Effort, Reached, Row, Sign};

use ndarray::{Array2, ArrayView1, ArrayViewMut1, Zip};
use rayon::prelude::*;

use super::elementwise::{DECAY, GRID, corner_of, follow_row, gains_of, relax_row, short, slice, value_row};
use super::frame::{Cut, Frame};
use super::model::Op;

/// The fewest and the most rows that travel together.
const BATCH: (usize, usize) = (16, 128);

/// The first and the last step of a slope, as shares of its range, and of a multiplier, as shares of its scale.
const RATES: (f32, f32) = (0.5, 0.03);

/// With what multiplier a cut begins, as a share of its scale: its gradient is of use where lines follow its coefficients.
const START: f32 = 1e-2;

/// A split is worth what the upper line costs at zero, and this share of what the relaxation costs at the minimiser. Lower lines cost
/// little: their slopes have been optimised.
const GAP: f32 = 0.1;

/// How many elements to split are named for each row.
pub const CHOICES: usize = 4;

/// Ascends all rows, whose targets must belong to the same node. `None` when the deadline passes first.
pub fn ascend(frame: &Frame, rows: &[Row], effort: &Effort) -> Option<Vec<Reached>> {
    // Bounds do not depend on which rows travel together, so threads may share them as they like.
    let batch = rows.len().div_ceil(rayon::current_num_threads()).clamp(BATCH.0, BATCH.1).next_multiple_of(BATCH.0);
    let chunks = rows.par_chunks(batch).map(|rows| Climb::new(frame, rows, effort.moves_slopes).run(effort));
    let found: Option<Vec<Vec<Reached>>> = chunks.collect();
    Some(found?.into_iter().flatten().collect())
}

/// The slopes of a ReLU node's rows on their way.
struct Slopes {
    relu: usize,
    now: Array2<f32>,
    /// Where they move.
    motion: Option<Motion>,
}

/// Means of gradients and of their squares, and the best slopes so far.
struct Motion {
    mean: Array2<f32>,
    square: Array2<f32>,
    best: Array2<f32>,
}

/// The multiplier of a sign on its way.
struct Beta {
    now: f32,
    mean: f32,
    square: f32,
    best: f32,
}

impl Beta {
    /// A step of the multiplier.
    fn follow(&mut self, gradient: f32, scale: f32, (rate, corrected): (f32, (f32, f32))) {
        self.mean = DECAY.0 * self.mean + (1.0 - DECAY.0) * gradient;
        self.square = DECAY.1 * self.square + (1.0 - DECAY.1) * gradient * gradient;
        let size = (self.square * corrected.1).sqrt();
        if size > 0.0 {
            self.now = short((self.now + rate * scale * self.mean * corrected.0 / size).max(0.0));
        }
    }
}

struct Climb<'c, 't> {
    frame: &'c Frame<'c>,
    rows: &'c [Row<'t>],
    node: usize,
    moves_slopes: bool,
    slopes: Vec<Slopes>,
    betas: Vec<Vec<Beta>>,
    /// For each row the multipliers of the frame's cuts; none where all are 0 for good.
    cuts: Vec<Vec<Beta>>,
    /// For each node coefficients, as they arrive at it.
    open: Vec<Option<Array2<f32>>>,
    /// For each node the values of the relaxed network where the bound is taken.
    values: Vec<Array2<f32>>,
    bounds: Vec<f32>,
    best: Vec<f32>,
}

impl<'c, 't> Climb<'c, 't> {
    fn new(frame: &'c Frame<'c>, rows: &'c [Row<'t>], moves_slopes: bool) -> Self {
        let (model, count) = (frame.model(), rows.len());
        let is_cut =
            |row: &Row| (moves_slopes && row.width > 0.0) || row.cuts.iter().any(|cuts| cuts.iter().any(|c| *c > 0.0));
        let some: &[Cut] = if rows.iter().any(is_cut) { frame.cuts() } else { &[] };
        let node = some.iter().map(|cut| cut.target.node).fold(rows[0].target.node, usize::max);
        let mut slopes = Vec::new();
        for (relu, _) in model.relus().filter(|(relu, _)| *relu < node) {
            let lines = frame.lines(relu);
            let mut now = Array2::zeros((count, lines.below.len()));
            for (mut now, row) in now.rows_mut().into_iter().zip(rows) {
                now.assign(&lines.below);
                if let Some(slopes) = &row.slopes {
                    let given = &slopes[lines.first..lines.first + lines.undecided.len()];
                    lines.undecided.iter().zip(given).for_each(|(j, slope)| now[*j] = f32::from(*slope) / GRID);
                }
            }
            let [mean, square] = [0; 2].map(|_| Array2::zeros(now.raw_dim()));
            let motion = moves_slopes.then(|| Motion { mean, square, best: now.clone() });
            slopes.push(Slopes { relu, now, motion });
        }
        let beta = |sign: &Sign| Beta { now: sign.beta, mean: 0.0, square: 0.0, best: sign.beta };
        let betas = rows.iter().map(|row| row.signs.iter().map(beta).collect()).collect();
        let cut = |row: &Row, i: usize| match &row.cuts {
            None if moves_slopes => START * row.width / some[i].width,
            None => 0.0,
            Some(cuts) => cuts[i],
        };
        let of = |row: &Row, i: usize| Beta { now: cut(row, i), mean: 0.0, square: 0.0, best: cut(row, i) };
        let cuts = rows.iter().map(|row| (0..some.len()).map(|i| of(row, i)).collect()).collect();
        let values = vec![Array2::zeros((0, 0)); node];
        let best = vec![f32::NEG_INFINITY; count];
        Climb {
            frame,
            rows,
            node,
            slopes,
            betas,
            cuts,
            moves_slopes,
            open: vec![None; node],
            values,
            bounds: vec![0.0; count],
            best,
        }
    }

    fn run(mut self, effort: &Effort) -> Option<Vec<Reached>> {
        let signs = self.rows.iter().flat_map(|row| &row.signs).map(|sign| sign.node + 1);
        let deepest = if effort.moves_slopes { self.node } else { signs.max().unwrap_or(0) };
        let steps = if deepest == 0 { 0 } else { effort.steps };
        for step in 0..steps {
            if effort.deadline.has_passed() {
                return None;
            }
            self.back();
            self.note();
            if (0..self.rows.len()).all(|r| self.is_done(r)) {
                break;
            }
            self.forward(deepest);
            self.follow(step, steps);
        }
        self.back();
        self.note();
        self.forward(self.node);
        Some((0..self.rows.len()).map(|row| self.reached(row)).collect())
    }

    fn take(&mut self, node: usize) -> Array2<f32> {
        let shape = (self.rows.len(), self.frame.model().nodes()[node].size);
        self.open[node].take().unwrap_or_else(|| Array2::zeros(shape))
    }

    /// The coefficients on a node, to be added to: zero before anything has arrived.
    fn receive(&mut self, node: usize, live: &mut [bool]) -> Array2<f32> {
        let mut open = self.take(node);
        if !std::mem::replace(&mut live[node], true) {
            open.fill(0.0);
        }
        open
    }

    /// The pass back: all bounds.
    fn back(&mut self) {
        let model = self.frame.model();
        let mut live = vec![false; self.node];
        for (r, row) in self.rows.iter().enumerate() {
            for (source, coefficients) in &row.target.terms {
                let mut open = self.receive(*source, &mut live);
                let mut into = open.row_mut(r);
                into += coefficients;
                self.open[*source] = Some(open);
            }
        }
        self.bounds.iter_mut().zip(self.rows).for_each(|(bound, row)| *bound = row.target.constant);
        self.add_cuts(&mut live);
        for id in (1..self.node).rev() {
            if !live[id] {
                continue;
            }
            match &model.nodes()[id].op {
                Op::Input => unreachable!("only node 0 is the input"),
                Op::Affine { terms, bias, .. } => {
                    self.assume(id);
                    let rows = self.open[id].take().expect("live nodes have coefficients");
                    for (bound, row) in self.bounds.iter_mut().zip(rows.rows()) {
                        *bound += row.dot(bias);
                        if let Some(errors) = self.frame.bounds().errors(id) {
                            *bound -= row.iter().zip(errors).map(|(a, e)| a.abs() * e).sum::<f32>();
                        }
                    }
                    for (source, layer) in terms {
                        let mut into = self.receive(*source, &mut live);
                        layer.backward(rows.view(), into.view_mut());
                        self.open[*source] = Some(into);
                    }
                    self.open[id] = Some(rows);
                }
                Op::Relu(source) => self.relax((id, *source), &mut live),
            }
        }
        self.minimise(live[0]);
    }

    /// Adds the multiples of cuts.
    fn add_cuts(&mut self, live: &mut [bool]) {
        for (i, cut) in self.frame.cuts().iter().enumerate() {
            if self.cuts.iter().all(|cuts| cuts.get(i).is_none_or(|cut| cut.now == 0.0)) {
                continue;
            }
            for (source, coefficients) in &cut.target.terms {
                let mut open = self.receive(*source, live);
                for (r, cuts) in self.cuts.iter().enumerate() {
                    open.row_mut(r).scaled_add(cuts[i].now, coefficients);
                }
                self.open[*source] = Some(open);
            }
            self.bounds
                .iter_mut()
                .zip(&self.cuts)
                .for_each(|(bound, cuts)| *bound += cuts[i].now * cut.target.constant);
        }
    }

    /// Replaces coefficients on a ReLU node by coefficients on its source.
    fn relax(&mut self, (id, source): (usize, usize), live: &mut [bool]) {
        let frame = self.frame;
        let lines = frame.lines(id);
        let place = self.slopes.iter().position(|slopes| slopes.relu == id).expect("slopes for each ReLU");
        let mut into = self.receive(source, live);
        let rows = self.open[id].as_ref().expect("live nodes have coefficients");
        let slopes = &self.slopes[place].now;
        for (r, row) in self.rows.iter().enumerate() {
            let (a, slopes) = (slice(rows.row(r)), slice(slopes.row(r)));
            let mut into = into.row_mut(r);
            let into = into.as_slice_mut().expect("row-major");
            let signs = || row.signs.iter().filter(|sign| sign.node == source);
            let kept: Vec<f32> = signs().map(|sign| into[sign.element]).collect();
            let mut cost = relax_row(a, (slopes, slice(lines.above.view()), slice(lines.offset.view())), into);
            for (sign, kept) in signs().zip(kept) {
                let a = a[sign.element];
                cost -= a.min(0.0) * lines.offset[sign.element];
                into[sign.element] = if sign.is_positive { kept + a } else { kept };
            }
            self.bounds[r] += cost;
        }
        self.open[source] = Some(into);
    }

    /// Adds the multiples of what is assumed of a node.
    fn assume(&mut self, node: usize) {
        let open = self.open[node].as_mut().expect("live nodes have coefficients");
        for (r, (row, betas)) in self.rows.iter().zip(&self.betas).enumerate() {
            for (sign, beta) in row.signs.iter().zip(betas).filter(|(sign, _)| sign.node == node) {
                open[[r, sign.element]] += if sign.is_positive { -beta.now } else { beta.now };
            }
        }
    }

    fn minimise(&mut self, is_live: bool) {
        let (lower, upper) = (self.frame.bounds().lower[0].row(0), self.frame.bounds().upper[0].row(0));
        let mut corners = std::mem::take(&mut self.values[0]);
        if corners.nrows() != self.rows.len() {
            corners = Array2::zeros((self.rows.len(), lower.len()));
        }
        for r in 0..self.rows.len() {
            let mut corner = corners.row_mut(r);
            match &self.open[0] {
                Some(open) if is_live => {
                    let a = open.row(r);
                    let into = corner.as_slice_mut().expect("row-major");
                    let over_box = corner_of(slice(a), (slice(lower), slice(upper)), into);
                    let in_ball = self.frame.bounds().least_in_ball(0, a, over_box);
                    self.bounds[r] += in_ball.as_ref().map_or(over_box, |(least, _)| *least);
                    in_ball.into_iter().for_each(|(_, point)| corner.assign(&point));
                }
                _ => corner.assign(&lower),
            }
        }
        self.values[0] = corners;
    }

    fn note(&mut self) {
        for r in 0..self.rows.len() {
            if self.bounds[r] > self.best[r] {
                self.best[r] = self.bounds[r];
                for slopes in &mut self.slopes {
                    let best = slopes.motion.as_mut().map(|motion| motion.best.row_mut(r));
                    best.into_iter().for_each(|mut best| best.assign(&slopes.now.row(r)));
                }
                self.betas[r].iter_mut().chain(&mut self.cuts[r]).for_each(|beta| beta.best = beta.now);
            }
        }
    }

    /// Whether a row has reached its goal. It stays there: how long others need must not show in what it reaches.
    fn is_done(&self, r: usize) -> bool {
        self.best[r] >= self.rows[r].goal
    }

    /// The pass forward: values of the relaxed network at the corners, for the nodes before `end`.
    fn forward(&mut self, end: usize) {
        let model = self.frame.model();
        for id in 1..end {
            let node = &model.nodes()[id];
            let value = match &node.op {
                Op::Input => unreachable!("only node 0 is the input"),
                Op::Affine { terms, bias, .. } => {
                    let mut value = std::mem::take(&mut self.values[id]);
                    if value.nrows() != self.rows.len() {
                        value = Array2::zeros((self.rows.len(), node.size));
                    }
                    value.rows_mut().into_iter().for_each(|mut row| row.assign(bias));
                    terms.iter().for_each(|(s, layer)| layer.forward(self.values[*s].view(), value.view_mut()));
                    if let (Some(errors), Some(open)) = (self.frame.bounds().errors(id), &self.open[id]) {
                        // Executions round to the worst.
                        let worst = |mut value: ArrayViewMut1<f32>, a: ArrayView1<f32>| {
                            Zip::from(&mut value).and(&a).and(errors.row(0)).for_each(|value, a, e| {
                                *value -= if *a == 0.0 { 0.0 } else { e.copysign(*a) };
                            });
                        };
                        value.rows_mut().into_iter().zip(open.rows()).for_each(|(value, a)| worst(value, a));
                    }
                    value
                }
                Op::Relu(source) => self.on_lines(id, *source),
            };
            self.values[id] = value;
        }
    }

    fn on_lines(&mut self, id: usize, source: usize) -> Array2<f32> {
        let lines = self.frame.lines(id);
        let slopes = self.slopes.iter().find(|slopes| slopes.relu == id).expect("slopes for each ReLU");
        let mut value = std::mem::take(&mut self.values[id]);
        let z = &self.values[source];
        if value.nrows() != self.rows.len() {
            value = Array2::zeros(z.raw_dim());
        }
        let (above, offset) = (slice(lines.above.view()), slice(lines.offset.view()));
        for (r, row) in self.rows.iter().enumerate() {
            let z = slice(z.row(r));
            let a = self.open[id].as_ref().map(|open| open.row(r));
            let mut value = value.row_mut(r);
            let value = value.as_slice_mut().expect("row-major");
            value_row(z, a.as_ref().map(|a| slice(*a)), (slice(slopes.now.row(r)), above, offset), value);
            for sign in row.signs.iter().filter(|sign| sign.node == source) {
                value[sign.element] = if sign.is_positive { z[sign.element] } else { 0.0 };
            }
        }
        value
    }

    fn follow(&mut self, step: usize, steps: usize) {
        let rate = RATES.0 * (RATES.1 / RATES.0).powf(step as f32 / steps as f32);
        let time = step as i32 + 1;
        let corrected = (1.0 / (1.0 - DECAY.0.powi(time)), 1.0 / (1.0 - DECAY.1.powi(time)));
        let moving: Vec<usize> = (0..self.rows.len()).filter(|r| !self.is_done(*r)).collect();
        for slopes in &mut self.slopes {
            let lines = self.frame.lines(slopes.relu);
            let (Some(open), Some(motion)) = (&self.open[slopes.relu], &mut slopes.motion) else { continue };
            let z = &self.values[lines.source];
            for &r in &moving {
                let [mut now, mut mean, mut square] =
                    [&mut slopes.now, &mut motion.mean, &mut motion.square].map(|a| a.row_mut(r));
                let moving = [&mut now, &mut mean, &mut square].map(|a| a.as_slice_mut().expect("row-major"));
                follow_row(slice(open.row(r)), slice(z.row(r)), slice(lines.offset.view()), moving, (rate, corrected));
            }
        }
        for r in moving {
            let row = &self.rows[r];
            for (sign, beta) in row.signs.iter().zip(&mut self.betas[r]) {
                let z = self.values[sign.node][[r, sign.element]];
                let gradient = if sign.is_positive { -z } else { z };
                beta.follow(gradient, sign.scale, (rate, corrected));
            }
            if self.moves_slopes {
                for (cut, beta) in self.frame.cuts().iter().zip(&mut self.cuts[r]) {
                    let terms = cut.target.terms.iter();
                    let value: f32 = terms.map(|(node, a)| self.values[*node].row(r).dot(a)).sum();
                    beta.follow(value + cut.target.constant, row.width / cut.width, (rate, corrected));
                }
            }
        }
    }

    fn reached(&self, r: usize) -> Reached {
        let row = &self.rows[r];
        let is_frozen = self.slopes.iter().all(|slopes| slopes.motion.is_none());
        let given = row.slopes.as_ref().filter(|_| is_frozen);
        let mut slopes = vec![0; self.frame.slots(self.node)];
        let mut gains = vec![[0.0; 2]; if is_frozen { 0 } else { slopes.len() }];
        let mut choices: Vec<Choice> = Vec::new();
        let end = if self.cuts[r].iter().any(|cut| cut.best > 0.0) { self.node } else { row.target.node };
        for of in &self.slopes {
            let lines = self.frame.lines(of.relu);
            let (z, h) = (self.values[lines.source].row(r), self.values[of.relu].row(r));
            if let Some(Motion { best, .. }) = &of.motion {
                let best = best.row(r);
                for (slot, j) in lines.undecided.iter().enumerate() {
                    slopes[lines.first + slot] = (best[*j] * GRID) as u8;
                }
            }
            if of.relu >= end {
                continue;
            }
            let Some(open) = &self.open[of.relu] else { continue };
            let a = open.row(r);
            for (gains, j) in gains.iter_mut().skip(lines.first).zip(&lines.undecided) {
                *gains = gains_of(a[*j], (z[*j], h[*j]), self.frame.interval(lines.source, *j));
            }
            for j in &lines.undecided {
                let gap = a[*j] * (z[*j].max(0.0) - h[*j]);
                let cost = -a[*j].min(0.0) * lines.offset[*j] + GAP * gap;
                if gap > 0.0 && (choices.len() < CHOICES || cost > choices[CHOICES - 1].score) {
                    let (node, element) = (lines.source, *j);
                    if row.signs.iter().any(|sign| (sign.node, sign.element) == (node, element)) {
                        continue;
                    }
                    let place = choices.partition_point(|choice| choice.score >= cost);
                    choices.insert(place, Choice { node, element, score: cost, scale: a[*j].abs() });
                    choices.truncate(CHOICES);
                }
            }
        }
        Reached {
            bound: self.best[r],
            slopes: given.cloned().unwrap_or_else(|| slopes.into()),
            betas: self.betas[r].iter().map(|beta| beta.best).collect(),
            cuts: self.cuts[r].iter().map(|cut| cut.best).collect(),
            choices,
            input: self.values[0].row(r).to_owned(),
            gains: (!is_frozen).then(|| gains.into()),
        }
    }
}
