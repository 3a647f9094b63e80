//! Intervals for the share of a finite data set of which some points, drawn without replacement, were tried.
//!
//! Of `N` points `K` truly have the quality. Of `n` of them, each choice being equally likely, `k` have it: `k` is
//! hypergeometric. Its upper tail `T(k; K) = P[X >= k]` rises with `K` and falls with `k`. The lower end is the
//! smallest `K` with `T(c; K) > a/2`, for `c` points that certainly have the quality: a true `K` below it has `T(k; K)
//! <= T(c; K) <= a/2`, which happens with probability at most `a/2`. The upper end is the same for the points that
//! certainly lack it, counted from `N` downwards. This is the inversion of exact tests (Katz, J. Am. Stat. Assoc. 48,
//! 1953). No `K` below `c` and none above `N - f` is in the interval, since the points themselves are part
//! of the data set; once all are decided it is a single number.
//!
//! The statement is about this data set, not about a distribution that it may have been drawn from. Assumed is a choice
//! of points by chance, without regard to their outcomes, and a number of them fixed beforehand; the first `n` points
//! will do if their order is random. Tails are computed with a relative error below the allowance that the comparison
//! leaves, so that rounding never narrows the interval.

use super::bisection::ALLOWANCE;
use super::counts::{Urn, hypergeometric_upper_tail};
use super::{Coverage, Sample};

impl Coverage {
    /// The interval for the share of a quality among `population` points, of which a sample was drawn without
    /// replacement. Both ends are the floats nearest to multiples of `1 / population`.
    ///
    /// `confidence` lies between 0 and 1, exclusively. A sample larger than the population says nothing.
    pub fn of_population(sample: Sample, population: usize, confidence: f64) -> Coverage {
        let Sample { points, certain, refuted } = sample;
        if points > population || population == 0 {
            return Coverage { lower: 0.0, upper: 1.0, confidence };
        }
        let tail = (1.0 - confidence) / 2.0;
        let share = |count: usize| count as f64 / population as f64;
        let lower = share(fewest(certain, (points, population), tail));
        let upper = share(population - fewest(refuted, (points, population), tail));
        Coverage { lower, upper, confidence }
    }
}

/// The fewest successes in a population that the test of level `tail` does not refuse, where so many were seen among
/// the draws.
fn fewest(seen: usize, (draws, population): (usize, usize), tail: f64) -> usize {
    if seen == 0 || seen > draws {
        return 0;
    }
    let chance = |successes| hypergeometric_upper_tail(seen, Urn { population, successes, draws });
    // Fewer than were seen are impossible, and all of the population has the tail 1.
    let (mut refused, mut kept) = (seen - 1, population);
    while kept - refused > 1 {
        let middle = refused + (kept - refused) / 2;
        if chance(middle) <= tail * (1.0 - ALLOWANCE) {
            refused = middle;
        } else {
            kept = middle;
        }
    }
    kept
}

#[cfg(test)]
mod tests;
