//! From outcomes at sampled points to statements about the distribution that they were drawn from: pure functions.
//!
//! Let `P` be the share of inputs at which the network is correct and robust. Of `n` points drawn independently from the distribution
//! of inputs, `c` are certified, `f` are shown not to be (falsified or misclassified), and the rest are unknown. The
//! number `k` of points that truly are correct and robust is binomial with parameters `n` and `P`, and `c <= k <= n - f`.
//! Clopper and Pearson's bounds (Biometrika 26, 1934) are monotone in `k`, so that with probability at least `1 - a`
//!
//! `low(c; n, a/2) <= P <= up(n - f; n, a/2)`,
//!
//! where `low(k; n, t)` is the `t` quantile of `Beta(k, n - k + 1)` (0 for `k = 0`) and `up(k; n, t)` the `1 - t` quantile of
//! `Beta(k + 1, n - k)` (1 for `k = n`). Unknowns widen the interval at both ends. Assumed are independent draws from the distribution
//! that the statement is about, and a choice of points, network and radius that did not look at their outcomes.
//!
//! Both ends are found by bisection over binomial tails and rounded outwards. (Approximate quantiles of the Beta distribution will not
//! do: for rare events, one that was tried put the lower end too high by up to 3e-5 of itself.)
//!
//! Parts, in the order in which they build on each other:
//!
//! * [`counts`]: probabilities of binomial and hypergeometric counts.
//! * [`sequential`]: intervals that stay valid when the run is watched and stopped at will.
//! * [`finite`]: intervals for a finite data set of which a part was drawn.
//! * [`curve`]: how the share falls with the radius, with a band that holds at all radii together.
//! * [`several`]: several shares at once, such as those of classes.
//! * [`global`]: one statement about all confident inputs; fresh inputs inside certified regions.

mod bisection;
#[cfg(test)]
mod simulation;

pub mod counts;
pub mod curve;
pub mod finite;
pub mod global;
pub mod sequential;
pub mod several;

use bisection::{ALLOWANCE, boundary};
use counts::binomial_upper_tail;

/// An interval for a share.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coverage {
    /// Lower end.
    pub lower: f64,
    /// Upper end.
    pub upper: f64,
    /// The probability with which the interval, as a function of the sample, contains the share.
    pub confidence: f64,
}

/// Outcomes of independent points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Points.
    pub points: usize,
    /// Points that are certain to have the quality.
    pub certain: usize,
    /// Points that are certain not to have it.
    pub refuted: usize,
}

impl Coverage {
    /// The interval for the share of a quality that some points certainly have and others certainly have not.
    ///
    /// `confidence` lies between 0 and 1, exclusively.
    pub fn of(sample: Sample, confidence: f64) -> Coverage {
        let tail = (1.0 - confidence) / 2.0;
        let possible = sample.points.saturating_sub(sample.refuted);
        Coverage {
            lower: clopper_pearson_lower(sample.certain, sample.points, tail),
            upper: clopper_pearson_upper(possible, sample.points, tail),
            confidence,
        }
    }
}

/// Clopper and Pearson's one-sided lower bound: below the share with probability at least `1 - tail`. Zero where the arguments make
/// no sense.
pub fn clopper_pearson_lower(successes: usize, trials: usize, tail: f64) -> f64 {
    if successes == 0 || successes > trials || !(tail > 0.0 && tail < 1.0) {
        return 0.0;
    }
    boundary(0.0, 1.0, |p| binomial_upper_tail(successes, trials, p) <= tail * (1.0 - ALLOWANCE)).0
}

/// Clopper and Pearson's one-sided upper bound: above the share with probability at least `1 - tail`. One where the arguments make no
/// sense.
pub fn clopper_pearson_upper(successes: usize, trials: usize, tail: f64) -> f64 {
    if successes > trials { 1.0 } else { complement_up(clopper_pearson_lower(trials - successes, trials, tail)) }
}

/// One minus a share, rounded up.
fn complement_up(share: f64) -> f64 {
    if share == 0.0 { 1.0 } else { (1.0 - share).next_up().min(1.0) }
}

#[cfg(test)]
mod tests;
