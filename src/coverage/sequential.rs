//! Intervals for a share that hold at all times at once: a run may be watched, and stopped for any reason.
//!
//! Points are drawn independently; of the first `n`, in the order drawn, `k` truly have the quality, and each has it
//! with probability `P`. Mix the likelihood ratios of all shares against `p` by `Beta(1/2, 1/2)`:
//!
//! `M_n(p) = B(k + 1/2, n - k + 1/2) / (B(1/2, 1/2) p^k (1-p)^(n-k))`.
//!
//! For `p = P` this is a martingale that starts at 1 and is never negative, so that by Ville's inequality (1939) it
//! ever reaches `1/a` with probability at most `a` (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon, Ann. Statist.
//! 49, 2021). Hence with probability at least `1 - a` the share lies in all the sets `S_n = {p : M_n(p) <= 1/a}`. Since
//! `Gamma(j + 1/2) / Gamma(1/2) = j! u_j` with `u_j = C(2j, j) / 4^j`, the quotient of the two `B` is `u_k u_(n-k) /
//! C(n, k)`, and with the binomial probability `b`
//!
//! `S_n = {p : b(k; n, p) >= a u_k u_(n-k)}`,
//!
//! which is how it is computed: every factor is a probability, and no large terms cancel.
//!
//! *It is an interval* around `k/n`: `p^k (1-p)^(n-k)` rises up to `k/n` and falls after it, and there it is at least
//! its own mean over the mixture.
//!
//! *Unknown outcomes.* Both ends rise with `k`: `M_n` for `k + 1` over `M_n` for `k` is `(k + 1/2) (1-p) / ((n - k -
//! 1/2) p)`, which is at least 1 for `p <= (k + 1/2) / n`, so that every `p < k/n` outside the set for `k` is outside
//! the one for `k + 1`; exchanging the outcomes gives the upper end. With `c` points certain and `f` refuted, `c <= k
//! <= n - f`, so the lower end for `c` and the upper end for `n - f` enclose `S_n`. The event that `P` lies in all
//! `S_n` is one about the true qualities of the points, in the order drawn, whenever these become known. On it, the
//! intervals hold for all `n` and for all states of knowledge about the first `n` points together. So points may be
//! decided in any order, later, or never. What counts is that `n` includes *all* points up to the last one drawn, those
//! not yet decided as unknown: leaving them out would choose points by their outcomes.
//!
//! Both ends come from the two-sided set at `a`, which is narrower than two one-sided sets of this martingale at `a/2`.

use super::bisection::{ALLOWANCE, boundary};
use super::counts::{binomial_pmf, ln_binomial};
use super::{Coverage, Sample, complement_up};

/// What is known of a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It certainly has the quality.
    Certain,
    /// It certainly does not have it.
    Refuted,
    /// Neither is known.
    Unknown,
}

impl Coverage {
    /// The interval for a share after any number of points, however it came that the run stopped there.
    ///
    /// The sample holds all points up to the last one drawn. With the probability `confidence`, which lies between 0
    /// and 1, exclusively, the intervals of all these samples of a run contain the share together.
    pub fn at_any_time(sample: Sample, confidence: f64) -> Coverage {
        let Sample { points, certain, refuted } = sample;
        let level = 1.0 - confidence;
        let lower = raised(0.0, (certain, points), level);
        Coverage { lower, upper: complement_up(raised(0.0, (refuted, points), level)), confidence }
    }

    /// The intersection of the intervals [at any time](Coverage::at_any_time) after the first, the second, ... and the
    /// last outcome, which are in the order in which their points were drawn.
    ///
    /// It is valid since those intervals hold together, and valid at any time as well. Should it be empty, then either
    /// the event of probability `1 - confidence` has happened or the draws are not independent of one distribution: the
    /// interval is then the whole of `[0, 1]`.
    pub fn of_sequence(outcomes: impl IntoIterator<Item = Known>, confidence: f64) -> Coverage {
        let level = 1.0 - confidence;
        let (mut points, mut certain, mut refuted) = (0, 0, 0);
        let (mut lower, mut missing) = (0.0, 0.0);
        for outcome in outcomes {
            points += 1;
            certain += usize::from(outcome == Known::Certain);
            refuted += usize::from(outcome == Known::Refuted);
            lower = raised(lower, (certain, points), level);
            missing = raised(missing, (refuted, points), level);
        }
        let upper = complement_up(missing);
        let (lower, upper) = if lower <= upper { (lower, upper) } else { (0.0, 1.0) };
        Coverage { lower, upper, confidence }
    }
}

/// The larger one of a lower end and the lower end after so many successes among so many trials, rounded down.
fn raised(end: f64, (successes, trials): (usize, usize), level: f64) -> f64 {
    if successes == 0 || successes > trials || !(level > 0.0 && level < 1.0) {
        return end;
    }
    // The set holds the observed share: an end above that is not raised.
    let share = successes as f64 / trials as f64;
    if end >= share {
        return end;
    }
    let needed = level * central(successes) * central(trials - successes) * (1.0 - ALLOWANCE);
    let refused = |p| binomial_pmf(successes, trials, p) < needed;
    if refused(end) { boundary(end, share, refused).0 } else { end }
}

/// `C(2j, j) / 4^j`: the probability of as many heads as tails.
fn central(j: usize) -> f64 {
    ln_binomial((j, j), (0.5, 0.5)).exp()
}

#[cfg(test)]
mod tests;
