//! Dense products in plain `f64`, written so that they vectorise in safe Rust.
//!
//! Large products go the usual way (Goto and van de Geijn, *Anatomy of high-performance matrix multiplication*, 2008): both
//! factors are first packed in the order in which a block of sums reads them. What is zero anyway is not packed: about
//! half of the ReLUs of a small box are.

use super::Rows;
use crate::network::Dense;

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
    let packed = pack_rows(&Vec::from_iter(rows.iter()), &inner);
    let mut panel = Rows::with_room(inner.len(), TILE);
    for columns in live.chunks(TILE) {
        panel.clear();
        for k in &inner {
            panel.push_array(pick(weights.get(k * width..).unwrap_or_default(), columns));
        }
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

/// For each block of rows and each of the columns the block's coefficients side by side; NaN where rows are missing.
fn pack_rows(rows: &[&[f64]], columns: &[usize]) -> Rows {
    let mut packed = Rows::with_room(rows.len().div_ceil(BLOCK) * columns.len(), BLOCK);
    for block in rows.chunks(BLOCK) {
        let block = side_by_side(block.iter().copied());
        columns.iter().for_each(|column| packed.push_array::<BLOCK>(elements(block, *column)));
    }
    packed
}

/// The next rows; empty ones where there are none.
fn side_by_side<'r, const N: usize>(mut rows: impl Iterator<Item = &'r [f64]>) -> [&'r [f64]; N] {
    std::array::from_fn(|_| rows.next().unwrap_or_default())
}

/// The elements of some rows at one column; NaN where a row has none.
fn elements<const N: usize>(rows: [&[f64]; N], column: usize) -> [f64; N] {
    rows.map(|row| row.get(column).copied().unwrap_or(f64::NAN))
}

/// The first of [`TILE`] columns that follow each other.
fn run(columns: &[usize]) -> Option<usize> {
    match columns {
        [first, .., last] if columns.len() == TILE && last - first == TILE - 1 => Some(*first),
        _ => None,
    }
}

/// The elements of a row at up to [`TILE`] columns in ascending order, and zeros behind them.
fn pick(row: &[f64], columns: &[usize]) -> [f64; TILE] {
    if let Some(run) = run(columns).and_then(|first| row.get(first..)?.first_chunk()) {
        return *run;
    }
    let mut picked = [0.0; TILE];
    for (to, column) in picked.iter_mut().zip(columns) {
        *to = row.get(*column).copied().unwrap_or(f64::NAN);
    }
    picked
}

/// `out += W x` for each of the first vectors and `out += |W| x` for the second. Elements of `x` that are not among the `live` ones
/// may be left out. Roundings as in [`accumulate_rows`].
pub(crate) fn accumulate_forward(x: [&[&[f64]]; 2], dense: &Dense, live: &[usize], out: [&mut Rows; 2]) {
    if live.is_empty() {
        return;
    }
    let ([values, sizes], [out_values, out_sizes]) = (x.map(|x| pack_rows(x, live)), out);
    let outputs = Vec::from_iter(0..out_values.width());
    let mut panel = Rows::with_room(live.len(), TILE);
    for (weights, outputs) in dense.weights.chunks(TILE * dense.inputs).zip(outputs.chunks(TILE)) {
        let rows = side_by_side(weights.chunks_exact(dense.inputs));
        panel.clear();
        live.iter().for_each(|k| panel.push_array::<TILE>(elements(rows, *k)));
        accumulate_panel(&values, &panel, outputs, out_values);
        panel.values_mut().iter_mut().for_each(|w| *w = w.abs());
        accumulate_panel(&sizes, &panel, outputs, out_sizes);
    }
}

/// Adds the product of packed rows with a panel of packed weights to some columns of `into`.
fn accumulate_panel(packed: &Rows, panel: &Rows, columns: &[usize], into: &mut Rows) {
    let (width, run) = (into.width(), run(columns));
    let targets = into.values_mut().chunks_mut(BLOCK * width);
    for (block, target) in packed.arrays().chunks_exact(panel.count().max(1)).zip(targets) {
        let sums = multiply(block, panel.arrays());
        for (sums, target) in sums.iter().zip(target.chunks_exact_mut(width)) {
            if let Some(places) = run.and_then(|first| target.get_mut(first..)?.first_chunk_mut::<TILE>()) {
                places.iter_mut().zip(sums).for_each(|(place, sum)| *place += sum);
                continue;
            }
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
    fn forward_products_equal_the_textbook_loop_for_all_block_remainders() {
        for (count, inputs, outputs) in (1..10).flat_map(|c| (1..7).flat_map(move |i| (1..10).map(move |o| (c, i, o))))
        {
            let weights = integers(inputs * outputs, 2);
            let mut transposed = vec![0.0; inputs * outputs];
            (0..inputs * outputs).for_each(|i| transposed[i % inputs * outputs + i / inputs] = weights[i]);
            let sizes: Vec<f64> = transposed.iter().map(|w| w.abs()).collect();
            let live: Vec<usize> = (0..inputs).filter(|k| *k != 3).collect();
            let mut x = [filled(count, inputs, 1), filled(3, inputs, 4)];
            let mut out = [filled(count, outputs, 3), filled(3, outputs, 5)];
            let given = out.clone();
            let [first, second] = &mut out;
            let rows = x.each_ref().map(|x| Vec::from_iter(x.iter()));
            accumulate_forward([&rows[0], &rows[1]], &Dense { inputs, weights }, &live, [first, second]);
            x.iter_mut().flat_map(Rows::iter_mut).for_each(|row| row.iter_mut().skip(3).take(1).for_each(|x| *x = 0.0));
            assert_eq!(out[0], textbook(&x[0], &transposed, &given[0]), "{count}x{inputs}x{outputs}");
            assert_eq!(out[1], textbook(&x[1], &sizes, &given[1]), "{count}x{inputs}x{outputs}");
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
