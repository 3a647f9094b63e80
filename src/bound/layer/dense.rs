//! Dense matrices.

use std::sync::OnceLock;

use bartizan_proof::network::Dense;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use crate::matrix::multiply_add;
use crate::real::Real;

/// A dense matrix `[outputs, inputs]`.
#[derive(Clone, Debug)]
pub struct DenseLayer<T> {
    weights: Array2<T>,
    absolute: OnceLock<Array2<T>>,
}

impl<T: Real> DenseLayer<T> {
    pub(super) fn of(dense: &Dense) -> Self {
        let outputs = dense.weights.len() / dense.inputs;
        let weights =
            Array2::from_shape_fn((outputs, dense.inputs), |(i, j)| T::of(dense.weights[i * dense.inputs + j]));
        DenseLayer { weights, absolute: OnceLock::new() }
    }

    /// The given rows and columns.
    pub fn restricted(&self, rows: &[usize], columns: &[usize]) -> Self {
        let weights = self.weights.select(Axis(0), rows).select(Axis(1), columns);
        DenseLayer { weights, absolute: OnceLock::new() }
    }

    pub(super) fn multiplications(&self) -> usize {
        self.weights.len()
    }

    pub(super) fn forward(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        multiply_add(x, self.weights.t(), out);
    }

    pub(super) fn forward_abs(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        let absolute = self.absolute.get_or_init(|| self.weights.mapv(T::abs));
        multiply_add(x, absolute.t(), out);
    }

    pub(super) fn backward(&self, rows: ArrayView2<T>, into: ArrayViewMut2<T>) {
        multiply_add(rows, self.weights.view(), into);
    }

    pub(super) fn pick(&self, picks: &[(usize, T)], mut into: ArrayViewMut2<T>) {
        for ((i, sign), mut row) in picks.iter().zip(into.rows_mut()) {
            row.scaled_add(*sign, &self.weights.row(*i));
        }
    }
}
