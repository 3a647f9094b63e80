//! Dense products in plain `f64`, written so that they vectorise in safe Rust.
//!
//! Large products go the usual way (Goto and van de Geijn, *Anatomy of high-performance matrix multiplication*, 2008): both
//! factors are first packed in the order in which a block of sums reads them. What is zero anyway is not packed: about
//! half of the ReLUs of a small box are.

use super::Rows;

/// Rows per register block of a packed product; a pair with [`TILE`] whose sums fit SSE2's registers.
const BLOCK: usize = 4;

/// Columns per register block of a packed product.
const TILE: usize = 4;

/// Independent partial sums of long sums.
pub(crate) const LANES: usize = 8;

/// Rows with fewer coefficients than one in this many are not worth packing.
const SPARSE: usize = 4;

/// `into += rows * weights`, where `weights` is row-major with `rows.width()` rows and `into.width()` columns. Columns that are
/// not among the `live` ones, which are in ascending order, may be left out.
/// Each element is a sum of at most `rows.width() + 1` terms, added in some order.
pub(crate) fn accumulate_rows(rows: &Rows, weights: &[f64], live: &[usize], into: &mut Rows) {
    if rows.count() < BLOCK || is_sparse(rows) {
        return accumulate_sparse(rows, weights, into);
    }
    let (width, inner) = (into.width(), used_columns(rows));
    let packed = pack_rows(rows, &inner);
    let mut panel = Vec::with_capacity(inner.len());
    for columns in live.chunks(TILE) {
        panel.clear();
        panel.extend(inner.iter().map(|k| pick(weights.get(k * width..).unwrap_or_default(), columns)));
        accumulate_panel(&packed, &panel, columns, into);
    }
}

/// Whether the first few rows have few coefficients.
fn is_sparse(rows: &Rows) -> bool {
    let sample = || rows.iter().take(BLOCK).flatten();
    sample().filter(|a| **a != 0.0).count() * SPARSE < sample().count()
}

/// [`accumulate_rows`] at all columns, one coefficient after the other.
fn accumulate_sparse(rows: &Rows, weights: &[f64], into: &mut Rows) {
    let width = into.width();
    for (row, into) in rows.iter().zip(into.iter_mut()) {
        for (a, w) in row.iter().zip(weights.chunks_exact(width)).filter(|(a, _)| **a != 0.0) {
            into.iter_mut().zip(w).for_each(|(into, w)| *into += a * w);
        }
    }
}

/// The columns where some row has a coefficient.
fn used_columns(rows: &Rows) -> Vec<usize> {
    let mut sizes = vec![0.0; rows.width()];
    for row in rows.iter() {
        sizes.iter_mut().zip(row).for_each(|(size, a)| *size += a.abs());
    }
    sizes.iter().enumerate().filter_map(|(column, size)| (*size != 0.0).then_some(column)).collect()
}

/// For each block of rows and each of the columns the block's coefficients side by side; zeros where rows are missing.
fn pack_rows(rows: &Rows, columns: &[usize]) -> Vec<[f64; BLOCK]> {
    let mut packed = Vec::with_capacity(rows.count().div_ceil(BLOCK) * columns.len());
    for block in rows.values().chunks(BLOCK * rows.width()) {
        packed.extend(columns.iter().map(|column| {
            let mut side_by_side = [0.0; BLOCK];
            for (to, row) in side_by_side.iter_mut().zip(block.chunks_exact(rows.width())) {
                *to = row.get(*column).copied().unwrap_or(f64::NAN);
            }
            side_by_side
        }));
    }
    packed
}

/// The elements of a row at up to [`TILE`] columns in ascending order, and zeros behind them.
fn pick(row: &[f64], columns: &[usize]) -> [f64; TILE] {
    if let [first, .., last] = columns
        && last - first == TILE - 1
        && columns.len() == TILE
        && let Some(run) = row.get(*first..).and_then(<[f64]>::first_chunk)
    {
        return *run;
    }
    let mut picked = [0.0; TILE];
    for (to, column) in picked.iter_mut().zip(columns) {
        *to = row.get(*column).copied().unwrap_or(f64::NAN);
    }
    picked
}

/// Adds the product of packed rows with a panel of packed weights to some columns of `into`.
fn accumulate_panel(packed: &[[f64; BLOCK]], panel: &[[f64; TILE]], columns: &[usize], into: &mut Rows) {
    let width = into.width();
    let targets = into.values_mut().chunks_mut(BLOCK * width);
    for (block, target) in packed.chunks_exact(panel.len().max(1)).zip(targets) {
        let sums = multiply(block, panel);
        for (sums, target) in sums.iter().zip(target.chunks_exact_mut(width)) {
            for (sum, column) in sums.iter().zip(columns) {
                if let Some(place) = target.get_mut(*column) {
                    *place += sum;
                }
            }
        }
    }
}

/// The innermost loop, `sum_k block_kr panel_kc`: all sums stay in registers.
#[inline(never)]
fn multiply(block: &[[f64; BLOCK]], panel: &[[f64; TILE]]) -> [[f64; TILE]; BLOCK] {
    let mut sums = [[0.0; TILE]; BLOCK];
    for (a, w) in block.iter().zip(panel) {
        for (sums, a) in sums.iter_mut().zip(a) {
            sums.iter_mut().zip(w).for_each(|(sum, w)| *sum += a * w);
        }
    }
    sums
}

/// `sum_i x_i y_i` with several partial sums.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    dot_with(x, y, |x, y| x * y)
}

/// `sum_i |x_i| y_i` with several partial sums.
pub(crate) fn dot_abs(x: &[f64], y: &[f64]) -> f64 {
    dot_with(x, y, |x, y| x.abs() * y)
}

/// `sum_i f(x_i, y_i)` with several partial sums; NaN and infinities come through.
pub(crate) fn dot_with(x: &[f64], y: &[f64], f: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    let ((xs, rest_x), (ys, rest_y)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    for (x, y) in xs.iter().zip(ys) {
        lanes.iter_mut().zip(x).zip(y).for_each(|((lane, x), y)| *lane += f(*x, *y));
    }
    lanes.iter_mut().zip(rest_x).zip(rest_y).for_each(|((lane, x), y)| *lane += f(*x, *y));
    total(lanes)
}

/// The sum of all lanes, in an order that keeps few additions waiting for each other.
pub(crate) fn total([a, b, c, d, e, f, g, h]: [f64; LANES]) -> f64 {
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Small integers, so that every order of summation gives the same result.
    fn integers(n: usize, seed: u32) -> Vec<f64> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 28) - 7.0
        };
        (0..n).map(|_| next()).collect()
    }

    fn filled(count: usize, width: usize, seed: u32) -> Rows {
        let mut rows = Rows::zeros(count, width);
        rows.values_mut().copy_from_slice(&integers(count * width, seed));
        rows
    }

    /// `into + rows * weights`.
    fn textbook(rows: &Rows, weights: &[f64], into: &Rows) -> Rows {
        let mut out = into.clone();
        for (row, out) in rows.iter().zip(out.iter_mut()) {
            for (a, w) in row.iter().zip(weights.chunks(out.len())) {
                out.iter_mut().zip(w).for_each(|(o, w)| *o += a * w);
            }
        }
        out
    }

    #[test]
    fn products_equal_the_textbook_loop_for_all_block_remainders() {
        for (count, inner, width) in (0..10).flat_map(|c| (1..7).flat_map(move |i| (1..19).map(move |w| (c, i, w)))) {
            let (rows, weights) = (filled(count, inner, 1), integers(inner * width, 2));
            let mut into = filled(count, width, 3);
            let expected = textbook(&rows, &weights, &into);
            accumulate_rows(&rows, &weights, &Vec::from_iter(0..width), &mut into);
            assert_eq!(into, expected, "{count}x{inner}x{width}");
        }
    }

    #[test]
    fn live_columns_are_not_left_out() {
        let (mut rows, weights, into) = (filled(7, 20, 1), integers(20 * 17, 2), filled(7, 17, 3));
        for row in rows.iter_mut() {
            row.iter_mut().step_by(3).for_each(|a| *a = 0.0);
        }
        let (expected, live) = (textbook(&rows, &weights, &into), [1, 2, 3, 4, 5, 7, 11, 16]);
        let mut out = into.clone();
        accumulate_rows(&rows, &weights, &live, &mut out);
        for ((out, expected), into) in out.iter().zip(expected.iter()).zip(into.iter()) {
            for column in 0..17 {
                let right = if live.contains(&column) { expected } else { into };
                assert_eq!(out[column], right[column]);
            }
        }
    }

    #[test]
    fn few_coefficients_reach_all_columns() {
        let (mut rows, weights, into) = (Rows::zeros(9, 9), integers(9 * 13, 2), filled(9, 13, 3));
        (0..9).for_each(|i| rows.set(i, 8 - i, 1.0));
        let mut out = into.clone();
        accumulate_rows(&rows, &weights, &[], &mut out);
        assert_eq!(out, textbook(&rows, &weights, &into));
    }

    #[test]
    fn dots_take_every_element() {
        let (x, y) = (integers(19, 4), integers(19, 5));
        assert_eq!(dot(&x, &y), x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>());
        assert_eq!(dot_abs(&x, &y), x.iter().zip(&y).map(|(x, y)| x.abs() * y).sum::<f64>());
        assert!(dot(&[f64::NAN; 9], &[0.0; 9]).is_nan());
    }
}
