//! What is known of combinations of one case's atoms in one domain.

use std::ops::Range;

use ndarray::{Array1, Array2, ArrayView1, Axis, s};

use super::joint::best_mixture;

/// Linear lower bounds `constants + slopes . t` over `t` in the cubes `[-1, 1]^n` of their domains.
#[derive(Clone, Debug)]
pub struct OnCubes {
    /// One constant a row.
    pub constants: Array1<f32>,
    /// `[rows, inputs]`.
    pub slopes: Array2<f32>,
}

/// Combinations of one case's atoms whose bounds in one domain are known.
#[derive(Clone, Debug)]
pub struct Family {
    /// The domain, counted within its batch.
    pub domain: usize,
    /// The place of the case in the query.
    pub place: usize,
    /// The best bound so far.
    pub value: f32,
    /// Weights of the atoms in each combination, `[combinations, atoms]`.
    weights: Array2<f32>,
    bounds: OnCubes,
}

impl Family {
    /// Each atom alone; the rows of `found` are theirs.
    pub fn of_atoms((domain, place): (usize, usize), found: &OnCubes, rows: Range<usize>) -> Self {
        let value = found.best(rows.clone()).map_or(f32::NEG_INFINITY, |(_, value)| value);
        let weights = Array2::eye(rows.len());
        let constants = found.constants.slice(s![rows.clone()]).to_owned();
        let bounds = OnCubes { constants, slopes: found.slopes.slice(s![rows, ..]).to_owned() };
        Family { domain, place, value, weights, bounds }
    }

    /// Number of atoms.
    pub fn atoms(&self) -> usize {
        self.weights.ncols()
    }

    /// The weights of the atoms in the best mixture of the known combinations.
    pub fn best(&self) -> Array1<f32> {
        let mixture = best_mixture(self.bounds.constants.view(), self.bounds.slopes.view());
        Array1::from(mixture.weights).dot(&self.weights)
    }

    /// Adds a combination with its bound.
    pub fn push(&mut self, weights: Array1<f32>, value: f32, (constant, slopes): (f32, ArrayView1<f32>)) {
        self.value = self.value.max(value);
        self.weights.push_row(weights.view()).expect("one weight an atom");
        self.bounds.constants.append(Axis(0), ndarray::aview1(&[constant])).expect("one axis");
        self.bounds.slopes.push_row(slopes).expect("one slope an input");
    }

    /// The slopes of the combination that came last.
    pub fn slopes(&self) -> ArrayView1<'_, f32> {
        self.bounds.slopes.row(self.bounds.slopes.nrows() - 1)
    }
}

impl OnCubes {
    /// The minimum of a row over its cube.
    pub fn value(&self, row: usize) -> f32 {
        self.constants[row] - self.slopes.row(row).iter().map(|a| a.abs()).sum::<f32>()
    }

    /// The row with the largest minimum, counted from the first, and that minimum.
    pub fn best(&self, rows: Range<usize>) -> Option<(usize, f32)> {
        let values = rows.map(|row| self.value(row)).enumerate();
        values.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }
}
