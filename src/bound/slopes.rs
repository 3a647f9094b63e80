//! Linear relaxations of ReLUs.
//!
//! For `z` in `[l, u]` with `l < 0 < u`, `alpha z <= relu(z) <= s (z - l)` for any `alpha` in `[0, 1]` and
//! `s = u / (u - l)`. A decided ReLU is linear: both slopes are 1, or both are 0.

use ndarray::{Array2, Axis, Zip};

use crate::real::Real;

/// The relaxation of one ReLU node in each domain; all arrays are `[domains, size]`.
#[derive(Clone, Debug)]
pub struct Relaxation<T> {
    /// Slope of the lower line, through the origin.
    pub below: Array2<T>,
    /// Slope of the upper line.
    pub above: Array2<T>,
    /// Value of the upper line at zero.
    pub offset: Array2<T>,
}

/// The relaxations of a network's nodes, by place; `None` for nodes that are no ReLUs.
pub type Relaxations<T> = Vec<Option<Relaxation<T>>>;

impl<T: Real> Relaxation<T> {
    /// The adaptive lower slope of DeepPoly and CROWN (Singh et al. 2019, Zhang et al. 2018): 1 where the upper end
    /// is farther from zero than the lower, 0 otherwise.
    pub fn adaptive(lower: &Array2<T>, upper: &Array2<T>) -> Self {
        let mut relaxation = Self::triangle(lower, upper);
        Zip::from(&mut relaxation.below).and(lower).and(upper).for_each(|below, l, u| {
            *below = if *l >= T::zero() || (*u > T::zero() && *u > -*l) { T::one() } else { T::zero() };
        });
        relaxation
    }

    /// Upper lines, with lower slopes still to be chosen (1 where decided active, 0 elsewhere).
    pub fn triangle(lower: &Array2<T>, upper: &Array2<T>) -> Self {
        let shape = lower.raw_dim();
        let mut relaxation =
            Relaxation { below: Array2::zeros(shape), above: Array2::zeros(shape), offset: Array2::zeros(shape) };
        Zip::from(&mut relaxation.below)
            .and(&mut relaxation.above)
            .and(&mut relaxation.offset)
            .and(lower)
            .and(upper)
            .for_each(|below, above, offset, l, u| {
                if *l >= T::zero() {
                    (*below, *above) = (T::one(), T::one());
                } else if *u > T::zero() {
                    *above = *u / (*u - *l);
                    *offset = -*above * *l;
                }
            });
        relaxation
    }

    /// The relaxations of some domains, in the given order.
    #[must_use]
    pub fn select(&self, domains: &[usize]) -> Self {
        let of = |lines: &Array2<T>| lines.select(Axis(0), domains);
        Relaxation { below: of(&self.below), above: of(&self.above), offset: of(&self.offset) }
    }
}
