//! Dense products in plain `f64`, written so that they vectorise in safe Rust.

use super::Rows;

/// Rows per register block of [`accumulate_rows`]; with [`TILE`] the fastest of nine pairs measured with SSE2 and AVX2.
const BLOCK: usize = 4;

/// Columns per register block of [`accumulate_rows`].
const TILE: usize = 16;

/// Independent partial sums of [`dot_with`].
const LANES: usize = 8;

/// `into += rows * weights`, where `weights` is row-major with `rows.width()` rows and `into.width()` columns.
/// Each element is a sum of at most `rows.width() + 1` terms, added in some order.
pub(crate) fn accumulate_rows(rows: &Rows, weights: &[f64], into: &mut Rows) {
    let (inner, width) = (rows.width(), into.width());
    let sources = rows.values().chunks(BLOCK * inner);
    for (source, target) in sources.zip(into.values_mut().chunks_mut(BLOCK * width)) {
        let mut source = source.chunks_exact(inner);
        let mut target = target.chunks_exact_mut(width);
        if source.len() == BLOCK {
            let a: [&[f64]; BLOCK] = std::array::from_fn(|_| source.next().unwrap_or(&[]));
            let mut c: [&mut [f64]; BLOCK] = std::array::from_fn(|_| target.next().unwrap_or(&mut []));
            accumulate_block(a, weights, width, &mut c);
        } else {
            for (a, c) in source.zip(target) {
                accumulate_block([a], weights, width, &mut [c]);
            }
        }
    }
}

/// [`accumulate_rows`] for `R` rows.
fn accumulate_block<const R: usize>(a: [&[f64]; R], weights: &[f64], width: usize, c: &mut [&mut [f64]; R]) {
    let whole_tiles = width - width % TILE;
    for start in (0..whole_tiles).step_by(TILE) {
        let mut sums: [[f64; TILE]; R] = std::array::from_fn(|r| {
            c.get(r).and_then(|c| c.get(start..)?.first_chunk().copied()).unwrap_or([f64::NAN; TILE])
        });
        accumulate_tile(a, weights.get(start..).unwrap_or(&[]), width, &mut sums);
        for (c, sums) in c.iter_mut().zip(&sums) {
            if let Some(place) = c.get_mut(start..start + TILE) {
                place.copy_from_slice(sums);
            }
        }
    }
    for (a, c) in a.iter().zip(c.iter_mut()) {
        for (a, w) in a.iter().zip(weights.chunks_exact(width)).filter(|(a, _)| **a != 0.0) {
            let (Some(c), Some(w)) = (c.get_mut(whole_tiles..), w.get(whole_tiles..)) else { continue };
            c.iter_mut().zip(w).for_each(|(c, w)| *c += a * w);
        }
    }
}

/// The innermost loop: `sums += a * weights` for one tile of columns; the weights of row `k` start at `k * width`.
#[inline(never)]
fn accumulate_tile<const R: usize>(a: [&[f64]; R], weights: &[f64], width: usize, sums: &mut [[f64; TILE]; R]) {
    let mut acc = *sums;
    let mut coefficients: [std::slice::Iter<f64>; R] =
        std::array::from_fn(|r| a.get(r).map_or([].iter(), |a| a.iter()));
    for w in weights.chunks(width) {
        let k: [f64; R] =
            std::array::from_fn(|r| coefficients.get_mut(r).and_then(Iterator::next).copied().unwrap_or(f64::NAN));
        if k.iter().all(|k| *k == 0.0) {
            continue;
        }
        let Some(w) = w.first_chunk::<TILE>() else { continue };
        for (acc, k) in acc.iter_mut().zip(k) {
            acc.iter_mut().zip(w).for_each(|(x, w)| *x += k * w);
        }
    }
    *sums = acc;
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
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest: f64 = xs.remainder().iter().zip(ys.remainder()).map(|(x, y)| f(*x, *y)).sum();
    for (x, y) in xs.zip(ys) {
        for ((lane, x), y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += f(*x, *y);
        }
    }
    lanes.iter().sum::<f64>() + rest
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

    #[test]
    fn products_equal_the_textbook_loop_for_all_block_remainders() {
        for (count, inner, width) in [(1, 1, 1), (3, 5, 7), (4, 16, 16), (6, 9, 33), (9, 20, 48), (8, 3, 15)] {
            let (rows, weights) = (filled(count, inner, 1), integers(inner * width, 2));
            let mut into = filled(count, width, 3);
            let mut expected = into.clone();
            for (row, out) in rows.iter().zip(expected.iter_mut()) {
                for (a, w) in row.iter().zip(weights.chunks(width)) {
                    out.iter_mut().zip(w).for_each(|(o, w)| *o += a * w);
                }
            }
            accumulate_rows(&rows, &weights, &mut into);
            assert_eq!(into, expected, "{count}x{inner}x{width}");
        }
    }

    #[test]
    fn dots_take_every_element() {
        let (x, y) = (integers(19, 4), integers(19, 5));
        assert_eq!(dot(&x, &y), x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>());
        assert_eq!(dot_abs(&x, &y), x.iter().zip(&y).map(|(x, y)| x.abs() * y).sum::<f64>());
        assert!(dot(&[f64::NAN; 9], &[0.0; 9]).is_nan());
    }
}
