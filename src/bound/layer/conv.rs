//! Two-dimensional convolutions, as products with the matrix of weights `[output channels, patch]`: values are
//! unfolded into patches going forward, patches of coefficients are folded back going backward.

use std::sync::OnceLock;

use bartizan_proof::network::Conv;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, s};

use super::lanes::{Extent, Tap, Taps};
use crate::matrix::multiply_add;
use crate::real::Real;

/// Rows that use less than one in this many places go backward place by place.
const DENSE_SHARE: usize = 2;

/// Rows that are looked at to know how many places rows use.
const SAMPLE: usize = 8;

/// A convolution; see [`Conv`] for the meaning of its shape.
#[derive(Clone, Debug)]
pub struct ConvLayer<T> {
    shape: Conv,
    /// `[output channels, patch]`.
    weights: Array2<T>,
    absolute: OnceLock<Array2<T>>,
    /// For each place of a patch within a channel, the stretches of the source that it meets.
    stretches: Vec<Vec<Stretch>>,
    lanes: OnceLock<[Taps<T>; 2]>,
    absolute_lanes: OnceLock<Taps<T>>,
}

/// A run of result places along one row of the result, and the source places that a kernel element meets there.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    /// First result place, within a channel.
    place: usize,
    /// First source place, within a channel.
    source: usize,
    /// Number of places.
    length: usize,
    /// Distance of the source places.
    step: usize,
}

impl<T: Real> ConvLayer<T> {
    pub(super) fn of(conv: &Conv) -> Self {
        let patch = conv.patch();
        let weights = Array2::from_shape_fn((conv.output[0], patch), |(o, k)| T::of(conv.weights[o * patch + k]));
        let [height, width] = conv.kernel;
        let stretches = (0..height * width).map(|k| stretches(conv, k / width, k % width)).collect();
        let shape = Conv { weights: Vec::new(), ..conv.clone() };
        ConvLayer { shape, weights, absolute: OnceLock::new(), stretches, lanes: OnceLock::new(), absolute_lanes: OnceLock::new() }
    }

    pub(super) fn multiplications(&self) -> usize {
        self.weights.len() * self.shape.output[1] * self.shape.output[2]
    }

    fn taps(&self) -> &[Taps<T>; 2] {
        self.lanes.get_or_init(|| [self.taps_with(&self.weights, true), self.taps_with(&self.weights, false)])
    }

    fn taps_with(&self, weights: &Array2<T>, forward: bool) -> Taps<T> {
        let (area, out_area, _) = self.sizes();
        let (inputs, outputs) = (self.shape.group_inputs(), self.shape.group_outputs());
        let (source, result) = (Extent { channels: inputs, places: area }, Extent { channels: outputs, places: out_area });
        let elements = self.stretches.len();
        let mut taps = vec![Vec::new(); if forward { out_area } else { area }];
        for (element, stretches) in self.stretches.iter().enumerate() {
            for s in stretches {
                for i in 0..s.length {
                    let (to, from) = (s.place + i, s.source + i * s.step);
                    if forward { taps[to].push(Tap { source: from, element }) } else { taps[from].push(Tap { source: to, element }) }
                }
            }
        }
        if forward {
            Taps::new((source, result, self.shape.groups), taps, elements, |g, e, from, to| weights[(g * outputs + to, from * elements + e)])
        } else {
            Taps::new((result, source, self.shape.groups), taps, elements, |g, e, from, to| weights[(g * outputs + from, to * elements + e)])
        }
    }

    pub(super) fn forward(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        if x.nrows() >= 8 && self.shape.patch() > 8 {
            return self.taps()[0].apply(x, out);
        }
        self.forward_with(&self.weights, x, out);
    }

    pub(super) fn forward_abs(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        let absolute = self.absolute.get_or_init(|| self.weights.mapv(T::abs));
        self.forward_with(absolute, x, out);
    }

    /// Source elements, result elements of one channel, and patch size.
    fn sizes(&self) -> (usize, usize, usize) {
        let ([_, height, width], [_, rows, columns]) = (self.shape.input, self.shape.output);
        (height * width, rows * columns, self.shape.patch())
    }

    fn forward_with(&self, weights: &Array2<T>, x: ArrayView2<T>, mut out: ArrayViewMut2<T>) {
        let (area, out_area, patch) = self.sizes();
        let (inputs, outputs) = (self.shape.group_inputs(), self.shape.group_outputs());
        let mut unfolded = Array2::zeros((patch, out_area));
        for (x, mut out) in x.rows().into_iter().zip(out.rows_mut()) {
            let (x, out) = (contiguous(x.as_slice()), out.as_slice_mut().expect("results are contiguous rows"));
            for group in 0..self.shape.groups {
                self.unfold(&x[group * inputs * area..], &mut unfolded);
                let into = &mut out[group * outputs * out_area..(group + 1) * outputs * out_area];
                let into = ArrayViewMut2::from_shape((outputs, out_area), into).expect("a group's results");
                multiply_add(weights.slice(s![group * outputs..(group + 1) * outputs, ..]), unfolded.view(), into);
            }
        }
    }

    pub(super) fn backward(&self, rows: ArrayView2<T>, mut into: ArrayViewMut2<T>) {
        let (area, out_area, _) = self.sizes();
        let (inputs, outputs) = (self.shape.group_inputs(), self.shape.group_outputs());
        if rows.nrows() >= 8 && self.shape.patch() > 8 && self.is_dense(rows) {
            return self.taps()[1].apply(rows, into);
        }
        for group in 0..self.shape.groups {
            let from = rows.slice(s![.., group * outputs * out_area..(group + 1) * outputs * out_area]);
            let mut to = into.slice_mut(s![.., group * inputs * area..(group + 1) * inputs * area]);
            let places: Vec<Vec<usize>> = from.rows().into_iter().map(|row| used_places(row, out_area)).collect();
            let used: usize = places.iter().map(Vec::len).sum();
            if used * DENSE_SHARE < places.len() * out_area {
                self.backward_places(group, (from, &places), &mut to);
            } else {
                self.backward_rows(group, from, &mut to);
            }
        }
    }

    /// Whether most places are used, by the look of some rows.
    fn is_dense(&self, rows: ArrayView2<T>) -> bool {
        let (_, out_area, _) = self.sizes();
        let sample = rows.slice(s![..;rows.nrows().div_ceil(SAMPLE), ..]);
        let used: usize = sample.rows().into_iter().map(|row| used_places(row, out_area).len()).sum();
        used * DENSE_SHARE >= sample.nrows() * out_area
    }

    fn group_weights(&self, group: usize) -> ArrayView2<'_, T> {
        let outputs = self.shape.group_outputs();
        self.weights.slice(s![group * outputs..(group + 1) * outputs, ..])
    }

    /// For rows that are zero in most places, as those of single neurons are: one product for all used places of all rows.
    fn backward_places(
        &self,
        group: usize,
        (rows, places): (ArrayView2<T>, &[Vec<usize>]),
        into: &mut ArrayViewMut2<T>,
    ) {
        let (_, out_area, patch) = self.sizes();
        let outputs = self.shape.group_outputs();
        let mut gathered = Array2::zeros((places.iter().map(Vec::len).sum(), outputs));
        let mut next = gathered.rows_mut().into_iter();
        for (row, places) in rows.rows().into_iter().zip(places) {
            for (place, mut to) in places.iter().zip(&mut next) {
                to.iter_mut().enumerate().for_each(|(channel, to)| *to = row[channel * out_area + place]);
            }
        }
        let mut patches = Array2::zeros((gathered.nrows(), patch));
        multiply_add(gathered.view(), self.group_weights(group), patches.view_mut());
        let mut next = patches.rows().into_iter();
        for (mut into, places) in into.rows_mut().into_iter().zip(places) {
            let into = into.as_slice_mut().expect("results are contiguous rows");
            for (place, from) in places.iter().zip(&mut next) {
                self.scatter(*place, contiguous(from.to_slice()), into);
            }
        }
    }

    /// Adds the patch of one place to the source values that it meets.
    fn scatter(&self, place: usize, patch: &[T], into: &mut [T]) {
        let ([_, height, width], [_, _, columns]) = (self.shape.input, self.shape.output);
        let ([kernel_y, kernel_x], [pad_y, pad_x]) = (self.shape.kernel, self.shape.pad);
        let ([stride_y, stride_x], [step_y, step_x]) = (self.shape.stride, self.shape.dilation);
        let (top, left) = (place / columns * stride_y, place % columns * stride_x);
        for (channel, patch) in into.chunks_exact_mut(height * width).zip(patch.chunks_exact(kernel_y * kernel_x)) {
            for (ky, patch) in patch.chunks_exact(kernel_x).enumerate() {
                let Some(y) = (top + ky * step_y).checked_sub(pad_y).filter(|y| *y < height) else { continue };
                let row = &mut channel[y * width..(y + 1) * width];
                for (kx, a) in patch.iter().enumerate() {
                    if let Some(x) = (left + kx * step_x).checked_sub(pad_x).filter(|x| *x < width) {
                        row[x] += *a;
                    }
                }
            }
        }
    }

    /// For rows that are used in most places: one product a row, folded back by whole stretches.
    fn backward_rows(&self, group: usize, rows: ArrayView2<T>, into: &mut ArrayViewMut2<T>) {
        let (_, out_area, patch) = self.sizes();
        let outputs = self.shape.group_outputs();
        let mut patches = Array2::zeros((patch, out_area));
        for (row, mut into) in rows.rows().into_iter().zip(into.rows_mut()) {
            let row = row.into_shape_with_order((outputs, out_area)).expect("a group's coefficients are contiguous");
            patches.fill(T::zero());
            multiply_add(self.group_weights(group).t(), row, patches.view_mut());
            self.fold(&patches, into.as_slice_mut().expect("results are contiguous rows"));
        }
    }

    /// Writes, for each element of a patch, the source values that it meets at all places; zero outside the source.
    fn unfold(&self, source: &[T], patches: &mut Array2<T>) {
        let (area, _, _) = self.sizes();
        patches.fill(T::zero());
        for (k, mut row) in patches.rows_mut().into_iter().enumerate() {
            let channel = &source[k / self.stretches.len() * area..];
            let row = row.as_slice_mut().expect("patches are contiguous");
            for s in &self.stretches[k % self.stretches.len()] {
                let to = &mut row[s.place..s.place + s.length];
                if s.step == 1 {
                    to.copy_from_slice(&channel[s.source..s.source + s.length]);
                } else {
                    to.iter_mut().zip(channel[s.source..].iter().step_by(s.step)).for_each(|(to, x)| *to = *x);
                }
            }
        }
    }

    /// Adds each element of each patch to the source place that it meets.
    fn fold(&self, patches: &Array2<T>, into: &mut [T]) {
        let (area, _, _) = self.sizes();
        for (k, row) in patches.rows().into_iter().enumerate() {
            let start = k / self.stretches.len() * area;
            let channel = &mut into[start..start + area];
            let row = contiguous(row.to_slice());
            for s in &self.stretches[k % self.stretches.len()] {
                let from = &row[s.place..s.place + s.length];
                let to = channel[s.source..].iter_mut().step_by(s.step);
                to.zip(from).for_each(|(to, a)| *to += *a);
            }
        }
    }
}

/// The places where some channel of a row is not zero.
fn used_places<T: Real>(row: ArrayView1<T>, area: usize) -> Vec<usize> {
    let mut used = vec![false; area];
    for channel in contiguous(row.to_slice()).chunks_exact(area) {
        used.iter_mut().zip(channel).for_each(|(used, a)| *used |= *a != T::zero());
    }
    used.iter().enumerate().filter_map(|(place, used)| used.then_some(place)).collect()
}

fn contiguous<T>(slice: Option<&[T]>) -> &[T] {
    slice.expect("batches are row-major")
}

/// The stretches of the source that kernel element `(ky, kx)` meets, one for each row of the result.
fn stretches(conv: &Conv, ky: usize, kx: usize) -> Vec<Stretch> {
    let ([_, height, width], [_, rows, columns]) = (conv.input, conv.output);
    let ([stride_y, stride_x], [pad_y, pad_x]) = (conv.stride, conv.pad);
    let (dy, dx) = (ky * conv.dilation[0], kx * conv.dilation[1]);
    let first = pad_x.saturating_sub(dx).div_ceil(stride_x);
    let past = if width + pad_x > dx { (width + pad_x - dx).div_ceil(stride_x).min(columns) } else { 0 };
    let row = |y: usize| {
        let source_row = (y * stride_y + dy).checked_sub(pad_y).filter(|r| *r < height)?;
        (first < past).then(|| Stretch {
            place: y * columns + first,
            source: source_row * width + first * stride_x + dx - pad_x,
            length: past - first,
            step: stride_x,
        })
    };
    (0..rows).filter_map(row).collect()
}
