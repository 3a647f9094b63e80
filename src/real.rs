//! The floating-point types of the search.

use std::fmt::{Debug, Display};
use std::iter::Sum;
use std::ops::{AddAssign, MulAssign};

use fearless_simd::prelude::*;

/// `f32` or `f64`. The search runs in `f32` unless a network is tiny or margins need more.
pub trait Real:
    num_traits::Float
    + SimdFloatElement
    + ndarray::LinalgScalar
    + ndarray::ScalarOperand
    + AddAssign
    + MulAssign
    + Sum
    + Debug
    + Display
    + Default
    + Send
    + Sync
{
    /// Rounds to nearest.
    fn of(x: f64) -> Self;

    /// Exact.
    fn wide(self) -> f64;

    /// A vector that fills one register.
    type Lanes<S: Simd>: SimdFloat<S, Element = Self>;
}

impl Real for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }

    type Lanes<S: Simd> = S::f32s;
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }

    fn wide(self) -> f64 {
        self
    }

    type Lanes<S: Simd> = S::f64s;
}
