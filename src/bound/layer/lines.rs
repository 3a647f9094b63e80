//! Rows of values turned into lines: one vector an element, with one lane for each row.

use fearless_simd::prelude::*;

use super::neighbourhoods::Extent;
use crate::real::Real;

/// Places that are turned, or turned back, before the next channel: as much as stays in the nearest cache.
pub(super) const RUN: usize = 64;

/// Tiles of lanes by lanes that are read at once, so that rows are read by more than one vector.
const TILES: usize = 4;

/// A chunk of rows of one group's source, turned.
pub(super) struct Lines<T: Real, S: Simd> {
    source: Extent,
    /// For each place a line for each channel, those that are not zero in front.
    lines: Vec<T::Lanes<S>>,
    /// The channel of each line.
    channels: Vec<u32>,
    /// For each place the number of lines in use.
    used: Vec<usize>,
}

impl<T: Real, S: Simd> Lines<T, S> {
    /// Room for rows of one source, of which no place is in use yet.
    #[inline(always)]
    pub fn new(simd: S, source: Extent) -> Self {
        let zero = T::Lanes::<S>::simd_from(simd, T::zero());
        let (lines, channels) = (vec![zero; source.size()], vec![0; source.size()]);
        Lines { source, lines, channels, used: vec![0; source.places] }
    }

    /// The lines at a place that are not zero, and their channels.
    #[inline(always)]
    pub fn at(&self, place: usize) -> (&[T::Lanes<S>], &[u32]) {
        let first = place * self.source.channels;
        let used = first..first + self.used[place];
        (&self.lines[used.clone()], &self.channels[used])
    }

    /// Turns a group of at most `L` rows, which begins at element `start`, a run of places at a time.
    #[inline(always)]
    pub fn turn<const L: usize>(&mut self, simd: S, rows: &[&[T]], start: usize) {
        self.used.fill(0);
        let Extent { channels, places } = self.source;
        if places <= RUN {
            self.turn_run::<L>(simd, (rows, start, self.source.size()), (0, 0));
            return;
        }
        for first in (0..places).step_by(RUN) {
            let count = RUN.min(places - first);
            for channel in 0..channels {
                self.turn_run::<L>(simd, (rows, start + channel * places + first, count), (channel, first));
            }
        }
    }

    /// Turns `count` elements from `start` on, which begin at a channel and place.
    #[inline(always)]
    fn turn_run<const L: usize>(
        &mut self,
        simd: S,
        (rows, start, count): (&[&[T]], usize, usize),
        (mut channel, mut place): (usize, usize),
    ) {
        for first in (0..count).step_by(TILES * L) {
            let count = (TILES * L).min(count - first);
            let tiles = read_tiles::<T, S, L>(simd, (rows, start + first, count));
            for (t, tile) in tiles.into_iter().enumerate().take(count.div_ceil(L)) {
                for line in &transposed::<T, S, L>(tile)[..L.min(count - t * L)] {
                    self.push(simd, line, (channel, place));
                    place += 1;
                    if place == self.source.places {
                        (channel, place) = (channel + 1, 0);
                    }
                }
            }
        }
    }

    /// Adds a line to those of a place unless it is zero.
    #[inline(always)]
    fn push(&mut self, simd: S, line: &T::Lanes<S>, (channel, place): (usize, usize)) {
        let used = &mut self.used[place];
        let slot = place * self.source.channels + *used;
        self.lines[slot] = *line;
        self.channels[slot] = channel as u32;
        *used += usize::from(!line.simd_eq(T::Lanes::<S>::simd_from(simd, T::zero())).all_true());
    }
}

/// Reads `count` elements of each row from `start` on; what lacks in the last tile, and rows that lack, are zero.
#[inline(always)]
fn read_tiles<T: Real, S: Simd, const L: usize>(
    simd: S,
    (rows, start, count): (&[&[T]], usize, usize),
) -> [[T::Lanes<S>; L]; TILES] {
    let mut tiles = [[T::Lanes::<S>::simd_from(simd, T::zero()); L]; TILES];
    for (r, row) in rows.iter().enumerate() {
        let (whole, rest) = row[start..start + count].as_chunks::<L>();
        for (tile, values) in tiles.iter_mut().zip(whole) {
            tile[r] = T::Lanes::<S>::from_slice(simd, values);
        }
        if !rest.is_empty() {
            tiles[whole.len()][r].as_mut_slice()[..rest.len()].copy_from_slice(rest);
        }
    }
    tiles
}

/// Turns lines back and adds them to rows, from one element on.
#[inline(always)]
pub(super) fn add_lines<T: Real, S: Simd, const L: usize>(
    simd: S,
    lines: &[T::Lanes<S>],
    (rows, start): (&mut [&mut [T]], usize),
) {
    let (tiles, rest) = lines.as_chunks::<L>();
    for (i, tile) in tiles.iter().enumerate() {
        let tile = transposed::<T, S, L>(*tile);
        for (row, values) in rows.iter_mut().zip(&tile) {
            let row = &mut row[start + i * L..][..L];
            (T::Lanes::<S>::from_slice(simd, row) + *values).store_slice(row);
        }
    }
    for (i, line) in rest.iter().enumerate() {
        for (row, value) in rows.iter_mut().zip(line.as_slice()) {
            row[start + tiles.len() * L + i] += *value;
        }
    }
}

/// Each round zips the upper half of the rows with the lower half; after as many as halve the rows to one, columns are rows.
#[inline(always)]
fn transposed<T: Real, S: Simd, const L: usize>(tile: [T::Lanes<S>; L]) -> [T::Lanes<S>; L] {
    let mut from = tile;
    for _ in 0..L.ilog2() {
        let mut to = from;
        for i in 0..L / 2 {
            (to[2 * i], to[2 * i + 1]) = from[i].interleave(from[i + L / 2]);
        }
        from = to;
    }
    from
}
