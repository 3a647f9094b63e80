//! Several shares at once: those of classes, or of the values of any other column.
//!
//! Of `g` intervals that each miss with probability `a`, some one misses more often. Each at confidence `1 - a/g` makes
//! all of them hold together with probability at least `1 - a`, however they depend on each other (Bonferroni). The
//! groups are those that were looked at, not those that are reported; within a group the number of points may be random
//! as long as it does not depend on outcomes.
//!
//! Where the question is which groups reach a required share, a test for each group is stronger. For `n` points of a
//! group, of which `c` certainly have the quality and `k >= c` truly do, `P[X >= c]` for `X` binomial with the required
//! share is a p-value of the hypothesis that the share of the group is below it: the tail rises with the share, so the
//! required share is the worst case of the hypothesis, and it falls with the count, so that unknown outcomes, counted
//! as failures, make it larger. Holm's step-down method (Scand. J. Stat. 6, 1979) adjusts such p-values so that, with
//! probability at least `1 - a`, no group is wrongly said to reach the share where its adjusted value is at most `a`;
//! it assumes nothing about how the groups depend on each other.

use super::counts::binomial_upper_tail;

/// The confidence that each of so many intervals needs so that all hold together with the probability `confidence`;
/// rounded up, and below 1.
pub fn each_confidence(groups: usize, confidence: f64) -> f64 {
    if groups < 2 {
        return confidence;
    }
    let each = 1.0 - (1.0 - confidence) / groups as f64;
    each.next_up().min(1.0f64.next_down())
}

/// The probability of at least so many certain points if each had the quality with probability `share`: a p-value of
/// the hypothesis that the share is at most this one.
pub fn chance_of_at_least(certain: usize, points: usize, share: f64) -> f64 {
    binomial_upper_tail(certain, points, share)
}

/// Holm's adjusted p-values, in the order given: the smallest times their number, the second smallest times one less,
/// and so on, each at least as large as the one before and at most 1. What is no number counts as 1.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let value = |group: usize| if p_values[group].is_nan() { 1.0 } else { p_values[group] };
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| value(*a).total_cmp(&value(*b)));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (before, group) in order.into_iter().enumerate() {
        largest = largest.max(value(group) * (p_values.len() - before) as f64).min(1.0);
        adjusted[group] = largest;
    }
    adjusted
}

#[cfg(test)]
mod tests;
