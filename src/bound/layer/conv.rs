//! Two-dimensional convolutions. Many rows go as sums over [`Neighbourhoods`]. Few rows go as products with the matrix of
//! weights `[output channels, patch]`: values are unfolded into patches going forward, patches of coefficients are folded back
//! going backward.

use std::sync::OnceLock;

use bartizan_proof::network::Conv;
use ndarray::{Array2, ArrayView1, ArrayView2, ArrayViewMut2, Axis, s};

use super::neighbourhoods::{Extent, Neighbourhoods, Tap};
use crate::matrix::multiply_add;
use crate::real::Real;

/// Rows that use less than one in this many places go backward place by place.
const DENSE_SHARE: usize = 2;

/// About as many rows tell whether all are dense, and of those one element in [`SAMPLE_STEP`].
const SAMPLE_ROWS: usize = 16;

/// See [`SAMPLE_ROWS`].
const SAMPLE_STEP: usize = 61;

/// Rows with at least one in this many elements that is not zero go as dense ones, whichever places they use.
const DENSE_ELEMENTS: usize = 4;

/// A convolution; see [`Conv`] for the meaning of its shape.
#[derive(Clone, Debug)]
pub struct ConvLayer<T> {
    shape: Conv,
    /// `[output channels, patch]`.
    weights: Array2<T>,
    absolute: OnceLock<Array2<T>>,
    /// For each place of a patch within a channel, the stretches of the source that it meets.
    stretches: Vec<Vec<Stretch>>,
    /// The same map for many rows at once: forward, forward with absolute weights, backward.
    neighbourhoods: [OnceLock<Box<Neighbourhoods<T>>>; 3],
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
        ConvLayer { shape, weights, absolute: OnceLock::new(), stretches, neighbourhoods: Default::default() }
    }

    pub(super) fn multiplications(&self) -> usize {
        self.weights.len() * self.shape.output[1] * self.shape.output[2]
    }

    pub(super) fn forward(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        self.forward_with((&self.weights, &self.neighbourhoods[0]), x, out);
    }

    pub(super) fn forward_abs(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        let absolute = self.absolute.get_or_init(|| self.weights.mapv(T::abs));
        self.forward_with((absolute, &self.neighbourhoods[1]), x, out);
    }

    /// For each result place the source places that it meets.
    fn sources_of_results(&self, weights: &Array2<T>) -> Neighbourhoods<T> {
        let (elements, outputs) = (self.stretches.len(), self.shape.group_outputs());
        let [source, result] = self.extents();
        let mut taps = vec![Vec::new(); result.places];
        self.for_each_meeting(|element, from, to| taps[to].push(Tap::new(from, element)));
        Neighbourhoods::new([source, result], self.shape.groups, (taps, elements), |group, element, from, to| {
            weights[[group * outputs + to, from * elements + element]]
        })
    }

    /// For each source place the result places that meet it.
    fn results_of_sources(&self) -> Neighbourhoods<T> {
        let (elements, outputs) = (self.stretches.len(), self.shape.group_outputs());
        let [source, result] = self.extents();
        let mut taps = vec![Vec::new(); source.places];
        self.for_each_meeting(|element, from, to| taps[from].push(Tap::new(to, element)));
        Neighbourhoods::new([result, source], self.shape.groups, (taps, elements), |group, element, from, to| {
            self.weights[[group * outputs + from, to * elements + element]]
        })
    }

    /// Calls `f` with each kernel element, source place and result place that meet.
    fn for_each_meeting(&self, mut f: impl FnMut(usize, usize, usize)) {
        for (element, stretches) in self.stretches.iter().enumerate() {
            for s in stretches {
                (0..s.length).for_each(|i| f(element, s.source + i * s.step, s.place + i));
            }
        }
    }

    /// A group's source and result.
    fn extents(&self) -> [Extent; 2] {
        let (area, out_area, _) = self.sizes();
        let (inputs, outputs) = (self.shape.group_inputs(), self.shape.group_outputs());
        [Extent { channels: inputs, places: area }, Extent { channels: outputs, places: out_area }]
    }

    /// Source elements, result elements of one channel, and patch size.
    fn sizes(&self) -> (usize, usize, usize) {
        let ([_, height, width], [_, rows, columns]) = (self.shape.input, self.shape.output);
        (height * width, rows * columns, self.shape.patch())
    }

    fn forward_with(
        &self,
        (weights, many): (&Array2<T>, &OnceLock<Box<Neighbourhoods<T>>>),
        x: ArrayView2<T>,
        out: ArrayViewMut2<T>,
    ) {
        let turned = Neighbourhoods::<T>::turned(x.nrows(), self.shape.patch());
        let (x, rest) = x.split_at(Axis(0), turned);
        let (out, out_rest) = out.split_at(Axis(0), turned);
        if turned > 0 {
            many.get_or_init(|| Box::new(self.sources_of_results(weights))).apply(x, out);
        }
        self.forward_rows(weights, rest, out_rest);
    }

    /// One product a row.
    fn forward_rows(&self, weights: &Array2<T>, x: ArrayView2<T>, mut out: ArrayViewMut2<T>) {
        if x.nrows() == 0 {
            return;
        }
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
        if !seems_dense(rows) {
            let (_, out_area, _) = self.sizes();
            let places: Vec<Vec<usize>> = rows.rows().into_iter().map(|row| used_places(row, out_area)).collect();
            let used: usize = places.iter().map(Vec::len).sum();
            if used * DENSE_SHARE < places.len() * out_area {
                (0..self.shape.groups).for_each(|group| self.backward_places(group, (rows, &places), &mut into));
                return;
            }
        }
        let turned = Neighbourhoods::<T>::turned(rows.nrows(), self.shape.patch());
        let (rows, rest) = rows.split_at(Axis(0), turned);
        let (into, mut into_rest) = into.split_at(Axis(0), turned);
        if turned > 0 {
            self.neighbourhoods[2].get_or_init(|| Box::new(self.results_of_sources())).apply(rows, into);
        }
        (0..self.shape.groups).for_each(|group| self.backward_rows(group, rest, &mut into_rest));
    }

    /// The coefficients of single outputs, without a product.
    pub(super) fn pick(&self, picks: &[(usize, T)], mut into: ArrayViewMut2<T>) {
        let [source, result] = self.extents();
        for ((i, sign), mut into) in picks.iter().zip(into.rows_mut()) {
            let (channel, place) = (i / result.places, i % result.places);
            let patch: Vec<T> = self.weights.row(channel).iter().map(|w| *sign * *w).collect();
            let start = channel / result.channels * source.size();
            let into = into.as_slice_mut().expect("results are contiguous rows");
            self.scatter(place, &patch, &mut into[start..start + source.size()]);
        }
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
        let [source, result] = self.extents();
        let mut gathered = Array2::zeros((places.iter().map(Vec::len).sum(), result.channels));
        let mut next = gathered.rows_mut().into_iter();
        for (row, places) in rows.rows().into_iter().zip(places) {
            let row = &contiguous(row.to_slice())[group * result.size()..];
            for (place, mut to) in places.iter().zip(&mut next) {
                to.iter_mut().enumerate().for_each(|(channel, to)| *to = row[channel * result.places + place]);
            }
        }
        let mut patches = Array2::zeros((gathered.nrows(), self.shape.patch()));
        multiply_add(gathered.view(), self.group_weights(group), patches.view_mut());
        let mut next = patches.rows().into_iter();
        for (mut into, places) in into.rows_mut().into_iter().zip(places) {
            let into = into.as_slice_mut().expect("results are contiguous rows");
            let into = &mut into[group * source.size()..(group + 1) * source.size()];
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

    /// One product a row, folded back by whole stretches.
    fn backward_rows(&self, group: usize, rows: ArrayView2<T>, into: &mut ArrayViewMut2<T>) {
        if rows.nrows() == 0 {
            return;
        }
        let [source, result] = self.extents();
        let mut patches = Array2::zeros((self.shape.patch(), result.places));
        for (row, mut into) in rows.rows().into_iter().zip(into.rows_mut()) {
            let row = row.slice_move(s![group * result.size()..(group + 1) * result.size()]);
            let row = row.into_shape_with_order((result.channels, result.places)).expect("coefficients are contiguous");
            let into = into.as_slice_mut().expect("results are contiguous rows");
            patches.fill(T::zero());
            multiply_add(self.group_weights(group).t(), row, patches.view_mut());
            self.fold(&patches, &mut into[group * source.size()..(group + 1) * source.size()]);
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

/// Whether many elements are not zero, by the look of some.
fn seems_dense<T: Real>(rows: ArrayView2<T>) -> bool {
    let (mut seen, mut used) = (0, 0);
    for row in rows.rows().into_iter().step_by(rows.nrows().div_ceil(SAMPLE_ROWS).max(1)) {
        let sample = contiguous(row.to_slice()).iter().step_by(SAMPLE_STEP);
        seen += sample.len();
        used += sample.filter(|a| **a != T::zero()).count();
    }
    used * DENSE_ELEMENTS >= seen
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
