//! Matrix products: the one place that decides who multiplies.

use fearless_simd::prelude::*;
use fearless_simd::{Level, dispatch};
use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::real::Real;

/// The most rows of a product that is not worth packing its right side for.
const NARROW: usize = 8;

/// Columns of a narrow product below which most of a vector would be idle.
const LEAST_COLUMNS: usize = 16;

/// `out += a * b`. One thread; callers split work by rows.
pub fn multiply_add<T: Real>(a: ArrayView2<T>, b: ArrayView2<T>, mut out: ArrayViewMut2<T>) {
    let is_narrow = a.nrows() <= NARROW && b.ncols() >= LEAST_COLUMNS && !b.is_empty();
    if is_narrow && let (Some(b), Some(out)) = (b.to_slice(), out.as_slice_mut()) {
        dispatch!(Level::new(), simd => narrow(simd, a, b, out));
    } else {
        general_mat_mul(T::one(), &a, &b, T::one(), &mut out);
    }
}

/// A product with few rows, which reads each element of `b` once.
#[inline(always)]
fn narrow<T: Real, S: Simd>(simd: S, a: ArrayView2<T>, b: &[T], out: &mut [T]) {
    match a.nrows() {
        0 => {}
        1 => narrow_rows::<T, S, 1, 4>(simd, a, b, out),
        2 => narrow_rows::<T, S, 2, 4>(simd, a, b, out),
        3 | 4 => narrow_rows::<T, S, 4, 2>(simd, a, b, out),
        _ => narrow_rows::<T, S, 8, 1>(simd, a, b, out),
    }
}

/// At most `M` rows, `W` vectors of columns at a time.
#[inline(always)]
fn narrow_rows<T: Real, S: Simd, const M: usize, const W: usize>(simd: S, a: ArrayView2<T>, b: &[T], out: &mut [T]) {
    let (lanes, columns) = (T::Lanes::<S>::LEN, out.len() / a.nrows());
    let weight = |k: usize, m: usize| a.get((m, k)).copied().unwrap_or(T::zero());
    let weights: Vec<[T; M]> = (0..a.ncols()).map(|k| std::array::from_fn(|m| weight(k, m))).collect();
    let mut first = 0;
    while first + W * lanes <= columns {
        narrow_columns::<T, S, M, W>(simd, &weights, b, (out, first));
        first += W * lanes;
    }
    while first + lanes <= columns {
        narrow_columns::<T, S, M, 1>(simd, &weights, b, (out, first));
        first += lanes;
    }
    for (out, m) in out.chunks_exact_mut(columns).zip(0..M) {
        for (j, out) in out.iter_mut().enumerate().skip(first) {
            *out += weights.iter().zip(b.chunks_exact(columns)).map(|(w, b)| w[m] * b[j]).sum::<T>();
        }
    }
}

/// The columns from `first` on.
#[inline(always)]
fn narrow_columns<T: Real, S: Simd, const M: usize, const W: usize>(
    simd: S,
    weights: &[[T; M]],
    b: &[T],
    (out, first): (&mut [T], usize),
) {
    let (lanes, columns) = (T::Lanes::<S>::LEN, b.len() / weights.len());
    let mut sums = [[T::Lanes::<S>::simd_from(simd, T::zero()); W]; M];
    for (weights, b) in weights.iter().zip(b.chunks_exact(columns)) {
        let b = &b[first..][..W * lanes];
        for w in 0..W {
            let values = T::Lanes::<S>::from_slice(simd, &b[w * lanes..][..lanes]);
            for m in 0..M {
                sums[m][w] = values.mul_add(weights[m], sums[m][w]);
            }
        }
    }
    for (out, sums) in out.chunks_exact_mut(columns).zip(&sums) {
        for (w, sum) in sums.iter().enumerate() {
            let out = &mut out[first + w * lanes..][..lanes];
            (T::Lanes::<S>::from_slice(simd, out) + *sum).store_slice(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;
    use crate::random_networks::Builder;

    #[test]
    fn products_of_every_width_agree_with_dot_products() {
        let mut builder = Builder::new(6, 1);
        for (rows, inner, columns) in
            (0..12).flat_map(|m| [(m, 5, 100), (m, 1, 16), (m, 33, 47), (m, 7, 3), (m, 0, 20)])
        {
            let mut matrix = |m, n| Array2::from_shape_vec((m, n), builder.uniform(m * n, 1.0)).unwrap();
            let (a, b, start) = (matrix(rows, inner), matrix(inner, columns), matrix(rows, columns));
            let expected = Array2::from_shape_fn((rows, columns), |(i, j)| start[[i, j]] + a.row(i).dot(&b.column(j)));
            let mut found = start.clone();
            multiply_add(a.view(), b.view(), found.view_mut());
            assert!((&found - &expected).iter().all(|d| d.abs() < 1e-12), "{rows} {inner} {columns}");
            let mut narrow = start.mapv(|x| x as f32);
            multiply_add(a.mapv(|x| x as f32).view(), b.mapv(|x| x as f32).view(), narrow.view_mut());
            assert!((narrow.mapv(f64::from) - &expected).iter().all(|d| d.abs() < 1e-4), "{rows} {inner} {columns}");
        }
    }
}
