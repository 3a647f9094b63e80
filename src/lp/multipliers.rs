//! From an optimal vertex of the triangle relaxation to slopes and multipliers.
//!
//! The solver reports no dual solution, so it is read off complementary slackness. Walking back from the objective,
//! the coefficient `a` on a ReLU's output becomes a coefficient `a'` on its input:
//!
//! * the vertex has `h = z > 0`: `a' = a` (slope 1); it has `h = 0 > z`: `a' = 0` (slope 0);
//! * `h` lies on the upper line: `a' = u / (u - l) a`;
//! * `h = z = 0`, where both lower lines meet: `a'` is anything between 0 and `a`, an unknown.
//!
//! Where a sign is assumed, `a'` is `a` or 0, less or plus a multiplier: an unknown where the vertex has `z = 0`, elsewhere 0.
//!
//! Multipliers of the objective's rows that are tied for the largest are unknowns too. All coefficients are linear in the
//! unknowns, and an input that the vertex does not push to an end of its range must get coefficient 0, as must a ReLU
//! that the vertex leaves inside its triangle. These equations are solved by least squares. At a degenerate vertex the
//! result may be weaker than the program's value; it is never unsound, because the checker accepts any slopes.

use std::collections::BTreeMap;

use bartizan_proof::certificate::Slopes;
use nalgebra::{DMatrix, DVector};
use ndarray::{Array2, Axis};

use super::Assumed;
use super::encode::{Objective, Vertex};
use crate::bound::model::Op;
use crate::bound::{Bounds, Model};

/// Distances below this share of an interval's width (or below it absolutely) count as zero.
const TOLERANCE: f64 = 1e-7;

/// Singular values below this share of the largest count as zero.
const RANK_TOLERANCE: f64 = 1e-10;

/// Multipliers of the objective's rows, and slopes for all ReLU nodes before its node, with multipliers of the assumed signs.
pub(super) fn recover(
    model: &Model<f64>,
    domain: (&Bounds<f64>, usize),
    (objective, signs): (&Objective, &[Assumed]),
    vertex: &Vertex,
) -> (Vec<f32>, Slopes) {
    let mut walk = Walk::new(model, domain, (objective, signs), vertex);
    for id in (0..=objective.node).rev() {
        walk.pass(id);
    }
    let unknowns = walk.solve();
    walk.read_off(&unknowns, objective)
}

/// What is unknown beside the multipliers of the objective's rows.
enum Unknown {
    /// The new coefficient of an element of a ReLU node.
    Kink {
        relu: usize,
        element: usize,
        /// Coefficient on the ReLU's output: row 0 constant part, then one for each unknown so far.
        before: Vec<f64>,
    },
    /// The multiplier of an assumed sign.
    Beta(usize),
}

/// The coefficients as affine functions of the unknowns: row 0 is the constant part, row `k` belongs to unknown `k`.
struct Walk<'l> {
    model: &'l Model<f64>,
    bounds: &'l Bounds<f64>,
    domain: usize,
    vertex: &'l Vertex,
    open: Vec<Option<Array2<f64>>>,
    /// Rows of the objective that are tied for the largest.
    tied: Vec<usize>,
    signs: &'l [Assumed],
    unknowns: Vec<Unknown>,
    /// Each equation says that an affine function of the unknowns is zero: constant part, then coefficients.
    equations: Vec<Vec<f64>>,
    slopes: BTreeMap<usize, Vec<f64>>,
}

impl<'l> Walk<'l> {
    fn new(
        model: &'l Model<f64>,
        (bounds, domain): (&'l Bounds<f64>, usize),
        (objective, signs): (&Objective, &'l [Assumed]),
        vertex: &'l Vertex,
    ) -> Self {
        let scale = vertex.value.abs().max(1.0) * TOLERANCE;
        let tied: Vec<usize> = (0..vertex.rows.len()).filter(|i| vertex.value - vertex.rows[*i] <= scale).collect();
        let (open, equations) = (vec![None; objective.node + 1], Vec::new());
        let (unknowns, slopes) = (Vec::new(), BTreeMap::new());
        let mut walk = Walk { model, bounds, domain, vertex, open, tied, signs, unknowns, equations, slopes };
        walk.start(objective);
        walk
    }

    /// A single largest row is the constant part; several are unknowns that add up to one.
    fn start(&mut self, objective: &Objective) {
        let pick = |all: &Array2<f64>| {
            let tied = all.select(Axis(0), &self.tied);
            if self.tied.len() == 1 {
                return tied;
            }
            let zero = Array2::zeros((1, all.ncols()));
            ndarray::concatenate(Axis(0), &[zero.view(), tied.view()]).expect("rows of one width")
        };
        let on_node = pick(&objective.coefficients);
        let on_inputs = objective.inputs.as_ref().map(pick);
        if self.tied.len() > 1 {
            self.equations.push([-1.0].into_iter().chain(self.tied.iter().map(|_| 1.0)).collect());
        }
        self.add(objective.node, on_node);
        if let Some(on_inputs) = on_inputs {
            self.add(0, on_inputs);
        }
    }

    fn row_unknowns(&self) -> usize {
        if self.tied.len() > 1 { self.tied.len() } else { 0 }
    }

    fn count(&self) -> usize {
        self.row_unknowns() + self.unknowns.len()
    }

    /// Adds coefficients; either side may know fewer unknowns than the other.
    fn add(&mut self, id: usize, mut rows: Array2<f64>) {
        if let Some(open) = self.open[id].take() {
            let (mut longer, shorter) = if open.nrows() >= rows.nrows() { (open, rows) } else { (rows, open) };
            let mut head = longer.slice_mut(ndarray::s![..shorter.nrows(), ..]);
            head += &shorter;
            rows = longer;
        }
        self.open[id] = Some(rows);
    }

    fn pass(&mut self, id: usize) {
        let active = self.active_signs(id);
        let rows = match self.open[id].take() {
            Some(rows) => rows,
            None if active.is_empty() => return,
            None => Array2::zeros((1, self.model.nodes()[id].size)),
        };
        let rows = self.assume(rows, &active);
        match &self.model.nodes()[id].op {
            Op::Input => self.require_zero_inside(&rows),
            Op::Affine { terms, .. } => {
                for (source, layer) in terms {
                    let mut into = Array2::zeros((rows.nrows(), self.model.nodes()[*source].size));
                    layer.backward(rows.view(), into.view_mut());
                    self.add(*source, into);
                }
            }
            Op::Relu(source) => self.pass_relu((id, *source), rows),
        }
    }

    /// The signs assumed of a node's elements that are zero at the vertex.
    fn active_signs(&self, id: usize) -> Vec<usize> {
        let end = |ends: &[Array2<f64>], element| ends[id][[self.domain, element]];
        let is_active = |Assumed { element, .. }: &Assumed| {
            let width = end(&self.bounds.upper, *element) - end(&self.bounds.lower, *element);
            self.vertex.values[id][*element].abs() <= TOLERANCE * width.max(TOLERANCE)
        };
        (0..self.signs.len()).filter(|i| self.signs[*i].node == id && is_active(&self.signs[*i])).collect()
    }

    /// Adds unknown multiples of what is assumed.
    fn assume(&mut self, rows: Array2<f64>, active: &[usize]) -> Array2<f64> {
        let of = |i: &usize| (self.signs[*i].element, if self.signs[*i].is_positive { -1.0 } else { 1.0 });
        let rows = self.with_unknowns(rows, &active.iter().map(of).collect::<Vec<_>>());
        self.unknowns.extend(active.iter().map(|i| Unknown::Beta(*i)));
        rows
    }

    fn require_zero_inside(&mut self, rows: &Array2<f64>) {
        let (lower, upper) = (self.bounds.lower[0].row(self.domain), self.bounds.upper[0].row(self.domain));
        for (j, x) in self.vertex.values[0].iter().enumerate() {
            let margin = TOLERANCE * (upper[j] - lower[j]).max(TOLERANCE);
            if *x > lower[j] + margin && *x < upper[j] - margin {
                self.equations.push(rows.column(j).to_vec());
            }
        }
    }

    fn pass_relu(&mut self, (id, source): (usize, usize), mut rows: Array2<f64>) {
        let (lower, upper) = (self.bounds.lower[source].row(self.domain), self.bounds.upper[source].row(self.domain));
        let mut slopes = vec![f64::NAN; lower.len()];
        let mut kinks = Vec::new();
        let signs: BTreeMap<usize, bool> =
            self.signs.iter().filter(|sign| sign.node == source).map(|sign| (sign.element, sign.is_positive)).collect();
        for j in 0..lower.len() {
            let (l, u) = (lower[j], upper[j]);
            let is_positive = signs.get(&j).copied();
            if is_positive.unwrap_or(l >= 0.0) {
                continue;
            }
            if is_positive == Some(false) || u <= 0.0 {
                rows.column_mut(j).fill(0.0);
                continue;
            }
            slopes[j] = f64::from(u8::from(u > -l));
            match touch((self.vertex.values[source][j], self.vertex.values[id][j]), (l, u), rows[[0, j]]) {
                Touch::Active => slopes[j] = 1.0,
                Touch::Inactive => {
                    slopes[j] = 0.0;
                    rows.column_mut(j).fill(0.0);
                }
                Touch::Above => rows.column_mut(j).mapv_inplace(|a| a * u / (u - l)),
                Touch::Kink => {
                    kinks.push((j, rows.column(j).to_vec()));
                    rows.column_mut(j).fill(0.0);
                }
                Touch::Inside => {
                    self.equations.push(rows.column(j).to_vec());
                    rows.column_mut(j).fill(0.0);
                }
            }
        }
        self.slopes.insert(id, slopes);
        let places: Vec<(usize, f64)> = kinks.iter().map(|(element, _)| (*element, 1.0)).collect();
        self.add(source, self.with_unknowns(rows, &places));
        let kink = |(element, before)| Unknown::Kink { relu: id, element, before };
        self.unknowns.extend(kinks.into_iter().map(kink));
    }

    /// Appends a row for each new unknown, with the given coefficient on its element.
    fn with_unknowns(&self, rows: Array2<f64>, new: &[(usize, f64)]) -> Array2<f64> {
        if new.is_empty() {
            return rows;
        }
        let first = 1 + self.count();
        let mut longer = Array2::zeros((first + new.len(), rows.ncols()));
        longer.slice_mut(ndarray::s![..rows.nrows(), ..]).assign(&rows);
        for (k, (element, coefficient)) in new.iter().enumerate() {
            longer[[first + k, *element]] = *coefficient;
        }
        longer
    }

    /// The least-squares solution of the equations (of least norm where they leave freedom).
    fn solve(&self) -> Vec<f64> {
        let unknowns = self.count();
        if unknowns == 0 || self.equations.is_empty() {
            return vec![0.0; unknowns];
        }
        let at = |i: usize, k: usize| self.equations[i].get(k).copied().unwrap_or(0.0);
        let matrix = DMatrix::from_fn(self.equations.len(), unknowns, |i, k| at(i, k + 1));
        let right = DVector::from_fn(self.equations.len(), |i, _| -at(i, 0));
        let decomposition = matrix.svd(true, true);
        let threshold = decomposition.singular_values.max() * RANK_TOLERANCE;
        match decomposition.solve(&right, threshold) {
            Ok(solution) => solution.iter().copied().collect(),
            Err(_) => vec![0.0; unknowns],
        }
    }

    fn read_off(mut self, unknowns: &[f64], objective: &Objective) -> (Vec<f32>, Slopes) {
        let mut multipliers = vec![0.0; objective.coefficients.nrows()];
        let shares: Vec<f64> = match self.row_unknowns() {
            0 => vec![1.0],
            rows => unknowns[..rows].iter().map(|m| m.max(0.0)).collect(),
        };
        let total = shares.iter().sum::<f64>();
        for (row, share) in self.tied.iter().zip(&shares) {
            multipliers[*row] = (if total > 0.0 { share / total } else { 1.0 / shares.len() as f64 }) as f32;
        }
        let rows = self.row_unknowns();
        let mut beta = vec![0.0; self.signs.len()];
        for (unknown, found) in self.unknowns.iter().zip(&unknowns[rows..]) {
            match unknown {
                Unknown::Beta(sign) => beta[*sign] = found.clamp(0.0, f64::from(f32::MAX)) as f32,
                Unknown::Kink { relu, element, before } => {
                    let before = before[0] + before[1..].iter().zip(unknowns).map(|(c, x)| c * x).sum::<f64>();
                    if before > 0.0 {
                        let slope = (found / before).clamp(0.0, 1.0);
                        self.slopes.get_mut(relu).expect("slopes of a node with kinks")[*element] = slope;
                    }
                }
            }
        }
        let singles = |slopes: &[f64]| slopes.iter().map(|slope| *slope as f32).collect();
        let alpha = self.slopes.iter().map(|(id, slopes)| (self.model.place(*id), singles(slopes))).collect();
        (multipliers, Slopes { alpha, beta, ..Slopes::default() })
    }
}

/// Where a vertex touches a ReLU's triangle.
enum Touch {
    Active,
    Inactive,
    Above,
    Kink,
    Inside,
}

/// At the corners where the upper line meets a lower one, the sign of the coefficient decides.
fn touch((z, h): (f64, f64), (l, u): (f64, f64), coefficient: f64) -> Touch {
    let margin = TOLERANCE * (u - l);
    let above = h >= u / (u - l) * (z - l) - margin;
    let below = h <= z.max(0.0) + margin;
    match (above, below) {
        (true, true) if coefficient < 0.0 => Touch::Above,
        (true, false) => Touch::Above,
        (false, false) => Touch::Inside,
        (_, true) if z > margin => Touch::Active,
        (_, true) if z < -margin => Touch::Inactive,
        (_, true) => Touch::Kink,
    }
}
