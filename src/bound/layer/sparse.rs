//! Sparse matrices, by rows.

use bartizan_proof::network::Sparse;
use ndarray::{ArrayView1, ArrayView2, ArrayViewMut1, ArrayViewMut2};

use crate::real::Real;

/// Of rows with fewer used elements than one in this many, the others are skipped: a test each costs more than it saves else.
const DENSE_SHARE: usize = 8;

/// A sparse matrix: the entries of row `i` are `entries[starts[i]..starts[i + 1]]`, as column and weight.
#[derive(Clone, Debug)]
pub struct SparseLayer<T> {
    starts: Vec<usize>,
    entries: Vec<(u32, T)>,
}

impl<T: Real> SparseLayer<T> {
    pub(super) fn of(sparse: &Sparse) -> Self {
        let entry =
            |(column, w): &(usize, f64)| (u32::try_from(*column).expect("layers have under 2^32 inputs"), T::of(*w));
        SparseLayer { starts: sparse.starts.clone(), entries: sparse.entries.iter().map(entry).collect() }
    }

    fn row(&self, i: usize) -> &[(u32, T)] {
        &self.entries[self.starts[i]..self.starts[i + 1]]
    }

    pub(super) fn multiplications(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn forward(&self, x: ArrayView2<T>, mut out: ArrayViewMut2<T>, weight: impl Fn(T) -> T) {
        for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
            let (x, out) = slices(&x, &mut out);
            for (i, out) in out.iter_mut().enumerate() {
                *out += self.row(i).iter().map(|(column, w)| weight(*w) * x[*column as usize]).sum::<T>();
            }
        }
    }

    pub(super) fn backward(&self, rows: ArrayView2<T>, mut into: ArrayViewMut2<T>) {
        for (row, mut into) in rows.rows().into_iter().zip(into.rows_mut()) {
            let (row, into) = slices(&row, &mut into);
            let used = row.iter().filter(|a| **a != T::zero()).count();
            let is_sparse = used * DENSE_SHARE < row.len();
            for (i, a) in row.iter().enumerate() {
                if is_sparse && *a == T::zero() {
                    continue;
                }
                self.row(i).iter().for_each(|(column, w)| into[*column as usize] += *a * *w);
            }
        }
    }

    pub(super) fn pick(&self, picks: &[(usize, T)], mut into: ArrayViewMut2<T>) {
        for ((i, sign), mut row) in picks.iter().zip(into.rows_mut()) {
            self.row(*i).iter().for_each(|(column, w)| row[*column as usize] += *sign * *w);
        }
    }
}

fn slices<'a, T>(from: &'a ArrayView1<T>, to: &'a mut ArrayViewMut1<T>) -> (&'a [T], &'a mut [T]) {
    (from.as_slice().expect("batches are row-major"), to.as_slice_mut().expect("results are contiguous rows"))
}
