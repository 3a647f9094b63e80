//! What a linear map does to coefficients (backwards) and to values (forwards), in plain `f64`.

use super::Rows;
use super::product::{accumulate_rows, dot, dot_abs};
use crate::network::{Affine, Conv, Map, Sparse};

impl Map {
    /// `into += rows * W`: the coefficients on the source that `rows` of coefficients on the result stand for. Those on source
    /// elements that are not `live` may be left out.
    pub(crate) fn pull_back(&self, rows: &Rows, live: &[usize], into: &mut Rows) {
        match self {
            Map::Identity => into.add(rows),
            Map::Dense(m) => accumulate_rows(rows, &m.weights, live, into),
            Map::Conv(m) => m.pull_back(rows, into),
            Map::Sparse(_) | Map::Scale(_) | Map::Select(_) => {
                for (row, into) in rows.iter().zip(into.iter_mut()) {
                    self.pull_back_row(row, into);
                }
            }
        }
    }

    fn pull_back_row(&self, row: &[f64], into: &mut [f64]) {
        match self {
            Map::Sparse(m) => {
                for (a, entries) in row.iter().zip(m.rows()).filter(|(a, _)| **a != 0.0) {
                    for (column, w) in entries {
                        add_at(into, *column, a * w);
                    }
                }
            }
            Map::Scale(weights) => {
                for ((into, a), w) in into.iter_mut().zip(row).zip(weights) {
                    *into += a * w;
                }
            }
            Map::Select(places) => {
                for (a, place) in row.iter().zip(places) {
                    if let Some(column) = place {
                        add_at(into, *column, *a);
                    }
                }
            }
            Map::Identity | Map::Dense(_) | Map::Conv(_) => {}
        }
    }

    /// `out += W x`.
    pub fn apply(&self, x: &[f64], out: &mut [f64]) {
        self.apply_with(x, out, dot, |w, x| w * x);
    }

    /// `out += |W| m` for non-negative `m`.
    pub fn apply_abs(&self, m: &[f64], out: &mut [f64]) {
        self.apply_with(m, out, dot_abs, |w, m| w.abs() * m);
    }

    fn apply_with(
        &self,
        x: &[f64],
        out: &mut [f64],
        dot: impl Fn(&[f64], &[f64]) -> f64,
        times: impl Fn(f64, f64) -> f64,
    ) {
        let at = |i: usize| x.get(i).copied().unwrap_or(f64::NAN);
        match self {
            Map::Identity => out.iter_mut().zip(x).for_each(|(o, x)| *o += x),
            Map::Dense(m) => {
                for (o, row) in out.iter_mut().zip(m.weights.chunks_exact(m.inputs)) {
                    *o += dot(row, x);
                }
            }
            Map::Sparse(m) => {
                for (o, entries) in out.iter_mut().zip(m.rows()) {
                    *o += entries.iter().map(|(column, w)| times(*w, at(*column))).sum::<f64>();
                }
            }
            Map::Conv(m) => m.apply_with(x, out, dot),
            Map::Scale(weights) => {
                for ((o, x), w) in out.iter_mut().zip(x).zip(weights) {
                    *o += times(*w, *x);
                }
            }
            Map::Select(places) => {
                for (o, place) in out.iter_mut().zip(places) {
                    *o += place.map_or(0.0, at);
                }
            }
        }
    }

    /// An upper bound on the number of terms that any sum in [`Map::pull_back`] or [`Map::apply`] has.
    pub(crate) fn summands(&self) -> usize {
        match self {
            Map::Identity | Map::Scale(_) => 1,
            Map::Dense(m) => m.inputs.max(m.weights.len() / m.inputs.max(1)),
            Map::Sparse(m) => m.entries.len(),
            Map::Conv(m) => {
                let [height, width] = m.kernel;
                m.patch().max(m.group_outputs() * height * width)
            }
            Map::Select(places) => places.len(),
        }
    }
}

fn add_at(values: &mut [f64], place: usize, value: f64) {
    if let Some(v) = values.get_mut(place) {
        *v += value;
    }
}

impl Sparse {
    /// The entries of each row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[(usize, f64)]> {
        self.starts.windows(2).map(|ends| match ends {
            [from, to] => self.entries.get(*from..*to).unwrap_or(&[]),
            _ => &[],
        })
    }
}

impl Conv {
    /// For the output place `(y, x)`, calls `visit` with each run of source elements that it sees: the place of the run in a
    /// patch `[channel][kernel y][kernel x]`, and its place in a source channel. Places outside the source are left out.
    fn visit_patch(&self, y: usize, x: usize, mut visit: impl FnMut(usize, usize)) {
        let ([_, height, width], [kernel_y, kernel_x]) = (self.input, self.kernel);
        let ([stride_y, stride_x], [pad_y, pad_x], [step_y, step_x]) = (self.stride, self.pad, self.dilation);
        for ky in 0..kernel_y {
            let Some(row) = (y * stride_y + ky * step_y).checked_sub(pad_y).filter(|r| *r < height) else { continue };
            for kx in 0..kernel_x {
                let column = (x * stride_x + kx * step_x).checked_sub(pad_x);
                if let Some(column) = column.filter(|c| *c < width) {
                    visit(ky * kernel_x + kx, row * width + column);
                }
            }
        }
    }

    /// The sizes that index arithmetic needs: kernel elements, source elements a channel, result elements a channel.
    fn areas(&self) -> (usize, usize, usize) {
        let ([kernel_y, kernel_x], [_, height, width], [_, rows, columns]) = (self.kernel, self.input, self.output);
        (kernel_y * kernel_x, height * width, rows * columns)
    }

    fn apply_with(&self, x: &[f64], out: &mut [f64], dot: impl Fn(&[f64], &[f64]) -> f64) {
        let (kernel, area, out_area) = self.areas();
        let [_, _, columns] = self.output;
        let (patch_size, outputs) = (self.patch(), self.group_outputs());
        let groups = x.chunks_exact(self.group_inputs() * area).zip(self.weights.chunks_exact(outputs * patch_size));
        for ((source, weights), out) in groups.zip(out.chunks_exact_mut(outputs * out_area)) {
            let mut patch = vec![0.0; patch_size];
            for place in 0..out_area {
                patch.fill(0.0);
                self.visit_patch(place / columns, place % columns, |k, at| {
                    for (patch, source) in patch.chunks_exact_mut(kernel).zip(source.chunks_exact(area)) {
                        if let (Some(p), Some(s)) = (patch.get_mut(k), source.get(at)) {
                            *p = *s;
                        }
                    }
                });
                for (channel, weights) in out.chunks_exact_mut(out_area).zip(weights.chunks_exact(patch_size)) {
                    add_at(channel, place, dot(weights, &patch));
                }
            }
        }
    }

    /// Places of the result with any coefficient become the rows of one product with the weights; its result is added
    /// to the source places that each place of the result sees.
    fn pull_back(&self, rows: &Rows, into: &mut Rows) {
        let (_, area, out_area) = self.areas();
        let (patch_size, outputs) = (self.patch(), self.group_outputs());
        let everywhere = Vec::from_iter(0..patch_size);
        for (row, into) in rows.iter().zip(into.iter_mut()) {
            let groups = row.chunks_exact(outputs * out_area).zip(self.weights.chunks_exact(outputs * patch_size));
            for ((coefficients, weights), into) in groups.zip(into.chunks_exact_mut(self.group_inputs() * area)) {
                let (places, gathered) = gather_places(coefficients, out_area, outputs);
                let mut patches = Rows::zeros(places.len(), patch_size);
                accumulate_rows(&gathered, weights, &everywhere, &mut patches);
                self.scatter(&places, &patches, into);
            }
        }
    }

    fn scatter(&self, places: &[usize], patches: &Rows, into: &mut [f64]) {
        let (kernel, area, _) = self.areas();
        let [_, _, columns] = self.output;
        for (place, patch) in places.iter().zip(patches.iter()) {
            self.visit_patch(place / columns, place % columns, |k, at| {
                for (patch, into) in patch.chunks_exact(kernel).zip(into.chunks_exact_mut(area)) {
                    add_at(into, at, patch.get(k).copied().unwrap_or(f64::NAN));
                }
            });
        }
    }
}

/// From coefficients `[channel][place]`: the places where some channel is not zero, and a row `[channel]` for each.
fn gather_places(coefficients: &[f64], area: usize, channels: usize) -> (Vec<usize>, Rows) {
    let mut used = vec![false; area];
    for channel in coefficients.chunks_exact(area) {
        used.iter_mut().zip(channel).for_each(|(used, a)| *used |= *a != 0.0);
    }
    let places: Vec<usize> = used.iter().enumerate().filter_map(|(i, used)| used.then_some(i)).collect();
    let mut gathered = Rows::zeros(places.len(), channels);
    for (row, place) in gathered.iter_mut().zip(&places) {
        for (to, channel) in row.iter_mut().zip(coefficients.chunks_exact(area)) {
            *to = channel.get(*place).copied().unwrap_or(f64::NAN);
        }
    }
    (places, gathered)
}

impl Affine {
    /// An upper bound on the number of roundings behind any coefficient or value that this node's maps compute,
    /// the roundings of their weights and the addition of all terms and the constant included.
    pub(crate) fn summands(&self) -> usize {
        let widest = self.terms.iter().map(|t| t.map.summands() + t.roundings).max();
        widest.unwrap_or(0) + self.terms.len() + 4
    }
}
