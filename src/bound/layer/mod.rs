//! Linear maps between flattened tensors, for batches: one file a kind.
//!
//! All maps take rows: `forward` sends a batch of values `[batch, inputs]` to `[batch, outputs]`, `backward` sends
//! rows of coefficients on the outputs to coefficients on the inputs. Every operation adds to its result.

mod conv;
mod dense;
mod lines;
mod neighbourhoods;
mod sparse;

pub use conv::ConvLayer;
pub use dense::DenseLayer;
pub use sparse::SparseLayer;

use bartizan_proof::network::Map;
use ndarray::{Array1, ArrayView2, ArrayViewMut2, Zip};

use crate::real::Real;

/// A linear map in the search's precision.
#[derive(Clone, Debug)]
pub enum Layer<T> {
    /// The same elements.
    Identity,
    /// A dense matrix.
    Dense(DenseLayer<T>),
    /// A sparse matrix.
    Sparse(SparseLayer<T>),
    /// A two-dimensional convolution.
    Conv(ConvLayer<T>),
    /// Multiplies each element by a weight of its own.
    Scale(Array1<T>),
    /// For each output the input element that it copies, or none for zero.
    Select(Vec<Option<usize>>),
}

impl<T: Real> Layer<T> {
    /// Rounds a map of the trusted network to the search's precision.
    pub fn of(map: &Map) -> Self {
        match map {
            Map::Identity => Layer::Identity,
            Map::Dense(m) => Layer::Dense(DenseLayer::of(m)),
            Map::Sparse(m) => Layer::Sparse(SparseLayer::of(m)),
            Map::Conv(m) => Layer::Conv(ConvLayer::of(m)),
            Map::Scale(weights) => Layer::Scale(weights.iter().map(|w| T::of(*w)).collect()),
            Map::Select(places) => Layer::Select(places.clone()),
        }
    }

    /// Multiplications of one evaluation; none for maps that only move elements.
    pub fn multiplications(&self) -> usize {
        match self {
            Layer::Identity | Layer::Select(_) => 0,
            Layer::Dense(m) => m.multiplications(),
            Layer::Sparse(m) => m.multiplications(),
            Layer::Conv(m) => m.multiplications(),
            Layer::Scale(weights) => weights.len(),
        }
    }

    /// `out += x W^T`.
    pub fn forward(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        match self {
            Layer::Dense(m) => m.forward(x, out),
            Layer::Sparse(m) => m.forward(x, out, |w| w),
            Layer::Conv(m) => m.forward(x, out),
            Layer::Scale(w) => scale(x, out, |i| w[i]),
            Layer::Identity | Layer::Select(_) => self.forward_places(x, out),
        }
    }

    /// `out += x |W|^T`.
    pub fn forward_abs(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        match self {
            Layer::Dense(m) => m.forward_abs(x, out),
            Layer::Sparse(m) => m.forward(x, out, T::abs),
            Layer::Conv(m) => m.forward_abs(x, out),
            Layer::Scale(w) => scale(x, out, |i| w[i].abs()),
            Layer::Identity | Layer::Select(_) => self.forward_places(x, out),
        }
    }

    fn forward_places(&self, x: ArrayView2<T>, mut out: ArrayViewMut2<T>) {
        let Layer::Select(places) = self else {
            out += &x;
            return;
        };
        for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
            let x = x.to_slice().expect("batches are row-major");
            for (out, place) in out.iter_mut().zip(places) {
                *out += place.map_or(T::zero(), |i| x[i]);
            }
        }
    }

    /// `into += rows W`.
    pub fn backward(&self, rows: ArrayView2<T>, mut into: ArrayViewMut2<T>) {
        match self {
            Layer::Identity => into += &rows,
            Layer::Dense(m) => m.backward(rows, into),
            Layer::Sparse(m) => m.backward(rows, into),
            Layer::Conv(m) => m.backward(rows, into),
            Layer::Scale(w) => scale(rows, into, |i| w[i]),
            Layer::Select(places) => {
                for (row, mut into) in rows.rows().into_iter().zip(into.rows_mut()) {
                    let into = into.as_slice_mut().expect("results are contiguous rows");
                    for (a, place) in row.iter().zip(places) {
                        if let Some(i) = place {
                            into[*i] += *a;
                        }
                    }
                }
            }
        }
    }

    /// `into[r] += sign * W[picks[r]]`: the coefficients of single outputs, without a product.
    pub fn pick(&self, picks: &[(usize, T)], mut into: ArrayViewMut2<T>) {
        let each = picks.iter().enumerate();
        match self {
            Layer::Dense(m) => m.pick(picks, into),
            Layer::Sparse(m) => m.pick(picks, into),
            Layer::Conv(m) => m.pick(picks, into),
            Layer::Identity => each.for_each(|(r, (i, sign))| into[[r, *i]] += *sign),
            Layer::Scale(weights) => each.for_each(|(r, (i, sign))| into[[r, *i]] += *sign * weights[*i]),
            Layer::Select(places) => each.for_each(|(r, (i, sign))| {
                if let Some(place) = places[*i] {
                    into[[r, place]] += *sign;
                }
            }),
        }
    }
}

fn scale<T: Real>(x: ArrayView2<T>, mut out: ArrayViewMut2<T>, weight: impl Fn(usize) -> T) {
    for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
        let mut i = 0;
        Zip::from(&mut out).and(&x).for_each(|out, x| {
            *out += *x * weight(i);
            i += 1;
        });
    }
}

#[cfg(test)]
mod tests;
