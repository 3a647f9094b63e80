//! All floating-point arithmetic of the trusted crate.
//!
//! Two styles are used, and each says in its name or documentation in which direction it errs.
//!
//! * Scalars round outward step by step ([`Interval`], [`add_up`], [`add_down`]): few of them are needed.
//! * Vectors are computed in plain `f64` and what rounding may have lost is bounded afterwards with the
//!   standard constant [`gamma`] (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.1):
//!   a sum of `n` products, evaluated in any order, differs from its exact value by at most
//!   `gamma(n) * sum |x_i y_i|`, and `k` further roundings of the operands turn that into `gamma(n + k)`.
//!   Loops in this style vectorise.
//!
//! Underflow is covered by adding multiples of [`TINY`], which exceeds the absolute error of any underflowing
//! operation by a factor of `2^52`. Overflow and NaN are not excluded but harmless: they reach the final bound as an
//! infinity or NaN of the unsafe sign, and a bound that is not a finite number proves nothing.

mod ball;
mod combination;
mod enclosure;
mod evaluate;
mod form;
mod forward;
mod interval;
mod map;
mod multiplier;
mod product;
mod rows;
mod share;
mod single;
mod tally;

pub(crate) use combination::{Combination, LinearAtom};
pub(crate) use enclosure::Enclosure;
pub(crate) use form::Form;
pub(crate) use forward::{enclose, enclose_all};
pub use interval::Interval;
pub(crate) use rows::Rows;
pub use share::WHOLE;
pub(crate) use share::{Measure, Part, share_of};
pub use single::Rounded;
pub(crate) use single::Single;
pub(crate) use tally::Tally;

/// Unit roundoff of binary64, `2^-53`.
pub const UNIT: f64 = f64::EPSILON / 2.0;

/// The smallest normal number, far above the absolute error `2^-1075` of an operation that underflows.
pub const TINY: f64 = f64::MIN_POSITIVE;

/// Inflates a computed sum of up to `2^30` non-negative products so that it is not below the exact sum
/// (`gamma(2^30) < 2^-22`).
pub const INFLATE: f64 = 1.0 + 1.0 / 1_048_576.0;

/// An upper bound on `n u / (1 - n u)` with `u = 2^-53`; infinite when `n` does not fit 32 bits.
pub fn gamma(n: usize) -> f64 {
    let Ok(n) = u32::try_from(n) else {
        return f64::INFINITY;
    };
    let nu = f64::from(n) * UNIT;
    nu / (1.0 - nu) * (1.0 + 8.0 * UNIT)
}

/// `n` as a float, rounded up; infinite when `n` does not fit 32 bits (no layer is that wide).
pub fn count(n: usize) -> f64 {
    u32::try_from(n).map_or(f64::INFINITY, f64::from)
}

/// `a + b`, rounded down (one unit in the last place more than needed at most).
pub fn add_down(a: f64, b: f64) -> f64 {
    (a + b).next_down()
}

/// `a + b`, rounded up.
pub fn add_up(a: f64, b: f64) -> f64 {
    (a + b).next_up()
}

/// An upper bound on `|c - middle(c)| m` over the interval `c`, for a non-negative `m`.
pub fn spread(c: Interval, m: f64) -> f64 {
    let middle = c.middle();
    if c.is_point() { 0.0 } else { max_or_nan(c.hi - middle, middle - c.lo) * m * INFLATE + TINY }
}

/// The number behind a slope that is written in one byte.
pub fn alpha_of_byte(byte: u8) -> f32 {
    f32::from(byte) / 128.0
}

/// The slope of one byte nearest to a number in `[0, 1]`; other numbers stay as they are.
pub fn short_alpha(alpha: f32) -> f32 {
    if (0.0..=1.0).contains(&alpha) { (alpha * 128.0).round() / 128.0 } else { alpha }
}

/// The byte that stands for a slope, if there is one.
pub fn short_byte(alpha: f32) -> Option<u8> {
    // The largest byte whose slope is not above, bit by bit.
    let below = (0..8).rev().fold(0, |b, bit| if alpha_of_byte(b | 1 << bit) <= alpha { b | 1 << bit } else { b });
    (alpha_of_byte(below) == alpha).then_some(below)
}

/// The larger of two numbers; NaN if either is NaN (`f64::max` would hide it).
pub fn max_or_nan(a: f64, b: f64) -> f64 {
    if a >= b || a.is_nan() { a } else { b }
}

/// The smaller of two numbers; NaN if either is NaN.
pub fn min_or_nan(a: f64, b: f64) -> f64 {
    if a <= b || a.is_nan() { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gamma_is_above_the_exact_constant() {
        // n u / (1 - n u) > n u (1 + n u), and both factors are exact here.
        for n in [1u32, 2, 1000, 1 << 20] {
            let nu = f64::from(n) * UNIT;
            let n = usize::try_from(n).unwrap();
            assert!(gamma(n) >= nu * (1.0 + nu) && gamma(n) < nu * 1.001, "{n}");
        }
        assert_eq!(gamma(usize::MAX), f64::INFINITY);
        assert!(gamma(1 << 30) < INFLATE - 1.0);
    }

    #[test]
    fn extremes_do_not_hide_nan() {
        for (a, b) in [(f64::NAN, 1.0), (1.0, f64::NAN)] {
            assert!(max_or_nan(a, b).is_nan() && min_or_nan(a, b).is_nan());
        }
        assert_eq!((max_or_nan(1.0, 2.0), min_or_nan(1.0, 2.0)), (2.0, 1.0));
    }
}
