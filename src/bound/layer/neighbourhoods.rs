//! Sums over neighbourhoods for many rows at once: rows are innermost, so that every weight is one multiplication of a vector.
//!
//! A convolution, and its transpose as well, gives each result place a sum over its taps: source places, each with a matrix from
//! source to result channels. Here a chunk of rows is turned so that each source element is one line with a value for each row; lines that are
//! zero are left out, and results are turned back. Borders and strides cost nothing: a place has as many taps as it meets.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};
use ndarray::{ArrayView2, ArrayViewMut2};

use super::lines::{Lines, RUN, add_lines};
use crate::real::Real;

/// A source place that a result place meets, and the kernel element by which it does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tap {
    source: u32,
    element: u32,
}

impl Tap {
    pub fn new(source: usize, element: usize) -> Self {
        let narrow = |i: usize| u32::try_from(i).expect("layers have under 2^32 places");
        Tap { source: narrow(source), element: narrow(element) }
    }
}

/// Channels and places of a group of a source or a result.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    pub channels: usize,
    pub places: usize,
}

impl Extent {
    pub fn size(self) -> usize {
        self.channels * self.places
    }
}

/// A linear map from places to places.
#[derive(Clone, Debug)]
pub(super) struct Neighbourhoods<T> {
    source: Extent,
    result: Extent,
    groups: usize,
    /// The taps of result place `p` are `taps[starts[p]..starts[p + 1]]`.
    starts: Vec<usize>,
    taps: Vec<Tap>,
    blocks: Vec<Block>,
    /// For each group, block and kernel element a matrix `[source channel, channel of the block]`.
    weights: Vec<T>,
    elements: usize,
}

/// Result channels whose sums are taken together.
#[derive(Clone, Copy, Debug)]
struct Block {
    first: usize,
    width: usize,
}

/// Work on each element that is worth turning it.
const LEAST_USES: usize = 8;

/// The widest block.
const WIDEST: usize = 8;

fn blocks(channels: usize) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut first = 0;
    while first < channels {
        let width = match channels - first {
            rest if rest >= WIDEST => WIDEST,
            rest if rest >= 4 => 4,
            rest => rest,
        };
        blocks.push(Block { first, width });
        first += width;
    }
    blocks
}

impl<T: Real> Neighbourhoods<T> {
    /// `weight(group, element, source channel, result channel)`.
    pub fn new(
        [source, result]: [Extent; 2],
        groups: usize,
        (taps, elements): (Vec<Vec<Tap>>, usize),
        weight: impl Fn(usize, usize, usize, usize) -> T,
    ) -> Self {
        let blocks = blocks(result.channels);
        let mut weights = Vec::with_capacity(groups * elements * source.channels * result.channels);
        for group in 0..groups {
            for block in &blocks {
                for element in 0..elements {
                    for from in 0..source.channels {
                        weights.extend((0..block.width).map(|i| weight(group, element, from, block.first + i)));
                    }
                }
            }
        }
        let mut starts = vec![0];
        starts.extend(taps.iter().scan(0, |sum, taps| {
            *sum += taps.len();
            Some(*sum)
        }));
        Neighbourhoods { source, result, groups, starts, taps: taps.concat(), blocks, weights, elements }
    }

    /// How many of the given number of rows are worth turning, where each source element has some `uses`: whole chunks, and one
    /// that is at least half full.
    pub fn turned(rows: usize, uses: usize) -> usize {
        let lanes = dispatch!(Level::new(), simd => lanes_of::<T, _>(simd));
        match rows % lanes {
            _ if uses < LEAST_USES => 0,
            rest if rest * 2 >= lanes => rows,
            rest => rows - rest,
        }
    }

    /// `out += x W^T`.
    pub fn apply(&self, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        let level = Level::new();
        dispatch!(level, simd => self.apply_at(simd, x, out));
    }

    #[inline(always)]
    fn apply_at<S: Simd>(&self, simd: S, x: ArrayView2<T>, out: ArrayViewMut2<T>) {
        match T::Lanes::<S>::LEN {
            16 => self.apply_with::<S, 16>(simd, x, out),
            8 => self.apply_with::<S, 8>(simd, x, out),
            4 => self.apply_with::<S, 4>(simd, x, out),
            2 => self.apply_with::<S, 2>(simd, x, out),
            lanes => unreachable!("no vector has {lanes} lanes"),
        }
    }

    #[inline(always)]
    fn apply_with<S: Simd, const L: usize>(&self, simd: S, x: ArrayView2<T>, mut out: ArrayViewMut2<T>) {
        let count = self.source.size();
        let mut lines = Lines::<T, S>::new(simd, self.source);
        let x: Vec<&[T]> = x.rows().into_iter().map(|row| row.to_slice().expect("batches are row-major")).collect();
        let mut out: Vec<&mut [T]> =
            out.rows_mut().into_iter().map(|row| row.into_slice().expect("results are contiguous rows")).collect();
        for (x, out) in x.chunks(L).zip(out.chunks_mut(L)) {
            for group in 0..self.groups {
                lines.turn::<L>(simd, x, group * count);
                self.sum::<S, L>(simd, &lines, group, out);
            }
        }
    }

    #[inline(always)]
    fn sum<S: Simd, const L: usize>(&self, simd: S, lines: &Lines<T, S>, group: usize, out: &mut [&mut [T]]) {
        let mut weights = &self.weights[group * self.elements * self.source.channels * self.result.channels..];
        for block in &self.blocks {
            let start = group * self.result.size() + block.first * self.result.places;
            match block.width {
                8 => self.sum_block::<S, L, 8, 1>(simd, lines, weights, (out, start)),
                4 => self.sum_block::<S, L, 4, 1>(simd, lines, weights, (out, start)),
                3 => self.sum_block::<S, L, 3, 2>(simd, lines, weights, (out, start)),
                2 => self.sum_block::<S, L, 2, 2>(simd, lines, weights, (out, start)),
                _ => self.sum_block::<S, L, 1, 4>(simd, lines, weights, (out, start)),
            }
            weights = &weights[self.elements * self.source.channels * block.width..];
        }
    }

    #[inline(always)]
    fn sum_block<S: Simd, const L: usize, const M: usize, const U: usize>(
        &self,
        simd: S,
        lines: &Lines<T, S>,
        weights: &[T],
        (out, start): (&mut [&mut [T]], usize),
    ) {
        let places = self.result.places;
        let (weights, _) = weights.as_chunks::<M>();
        let mut sums = [[T::Lanes::<S>::simd_from(simd, T::zero()); RUN]; M];
        let sums = sums.as_flattened_mut();
        for first in (0..places).step_by(RUN) {
            let run = RUN.min(places - first);
            for p in 0..run {
                let sum = self.sum_place::<S, M, U>(simd, lines, weights, first + p);
                for m in 0..M {
                    sums[m * run + p] = sum[m];
                }
            }
            if run == places {
                add_lines::<T, S, L>(simd, &sums[..M * run], (out, start));
            } else {
                for m in 0..M {
                    let start = start + m * places + first;
                    add_lines::<T, S, L>(simd, &sums[m * run..(m + 1) * run], (out, start));
                }
            }
        }
    }

    #[inline(always)]
    fn sum_place<S: Simd, const M: usize, const U: usize>(
        &self,
        simd: S,
        lines: &Lines<T, S>,
        weights: &[[T; M]],
        place: usize,
    ) -> [T::Lanes<S>; M] {
        let mut sums = [[T::Lanes::<S>::simd_from(simd, T::zero()); M]; U];
        for tap in &self.taps[self.starts[place]..self.starts[place + 1]] {
            let (from, element) = (tap.source as usize, tap.element as usize);
            let weights = &weights[element * self.source.channels..][..self.source.channels];
            let (values, channels) = lines.at(from);
            let (many, rest) = values.as_chunks::<U>();
            let (many_channels, rest_channels) = channels.as_chunks::<U>();
            for (values, channels) in many.iter().zip(many_channels) {
                for u in 0..U {
                    let weights = &weights[channels[u] as usize];
                    for m in 0..M {
                        sums[u][m] = values[u].mul_add(weights[m], sums[u][m]);
                    }
                }
            }
            for (value, channel) in rest.iter().zip(rest_channels) {
                let weights = &weights[*channel as usize];
                for m in 0..M {
                    sums[0][m] = value.mul_add(weights[m], sums[0][m]);
                }
            }
        }
        let mut sum = sums[0];
        for other in &sums[1..] {
            for m in 0..M {
                sum[m] += other[m];
            }
        }
        sum
    }
}

#[inline(always)]
fn lanes_of<T: Real, S: Simd>(_: S) -> usize {
    T::Lanes::<S>::LEN
}
