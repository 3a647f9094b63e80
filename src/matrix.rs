//! Matrix products: the one place that decides which library multiplies.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use crate::real::Real;

/// `out += a * b`. One thread; callers split work by rows.
pub fn multiply_add<T: Real>(a: ArrayView2<T>, b: ArrayView2<T>, mut out: ArrayViewMut2<T>) {
    general_mat_mul(T::one(), &a, &b, T::one(), &mut out);
}
