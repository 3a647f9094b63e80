//! Dense matrices.

use std::sync::OnceLock;

use bartizan_proof::network::Dense;
use ndarray::{Array2, ArrayView2, ArrayViewMut2, Axis};

use super::neighbourhoods::{Extent, Neighbourhoods, Tap};
use crate::matrix::multiply_add;
use crate::real::Real;

/// A dense matrix `[outputs, inputs]`.
#[derive(Clone, Debug)]
pub struct DenseLayer<T> {
    weights: Array2<T>,
    absolute: OnceLock<Array2<T>>,
    /// The same matrix for many rows at once: forward, forward with absolute weights.
    neighbourhoods: [OnceLock<Box<Neighbourhoods<T>>>; 2],
}

impl<T: Real> DenseLayer<T> {
    pub(super) fn of(dense: &Dense) -> Self {
        let outputs = dense.weights.len() / dense.inputs;
        let weights =
            Array2::from_shape_fn((outputs, dense.inputs), |(i, j)| T::of(dense.weights[i * dense.inputs + j]));
        DenseLayer { weights, absolute: OnceLock::new(), neighbourhoods: Default::default() }
    }

    /// The given rows and columns.
    pub fn restricted(&self, rows: &[usize], columns: &[usize]) -> Self {
        let weights = self.weights.select(Axis(0), rows).select(Axis(1), columns);
        DenseLayer { weights, absolute: OnceLock::new(), neighbourhoods: Default::default() }
    }

    pub(super) fn multiplications(&self) -> usize {
        self.weights.len()
    }

    pub(super) fn forward(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        forward_with((&self.weights, &self.neighbourhoods[0]), x, out);
    }

    pub(super) fn forward_abs(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        let absolute = self.absolute.get_or_init(|| self.weights.mapv(T::abs));
        forward_with((absolute, &self.neighbourhoods[1]), x, out);
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

fn forward_with<T: Real>(
    (weights, many): (&Array2<T>, &OnceLock<Box<Neighbourhoods<T>>>),
    x: ArrayView2<T>,
    out: ArrayViewMut2<T>,
) {
    let turned = Neighbourhoods::<T>::turned(x.nrows(), weights.nrows());
    let (x, rest) = x.split_at(Axis(0), turned);
    let (out, out_rest) = out.split_at(Axis(0), turned);
    if turned > 0 {
        many.get_or_init(|| Box::new(neighbourhoods(weights))).apply(x, out);
    }
    multiply_add(rest, weights.t(), out_rest);
}

/// The inputs and the outputs as channels of one place each.
fn neighbourhoods<T: Real>(weights: &Array2<T>) -> Neighbourhoods<T> {
    let extents = [1, 0].map(|axis| Extent { channels: weights.len_of(Axis(axis)), places: 1 });
    Neighbourhoods::new(extents, 1, (vec![vec![Tap::new(0, 0)]], 1), |_, _, from, to| weights[[to, from]])
}
