//! How the share of robust inputs falls with the radius, with a band that holds at all radii together.
//!
//! A point is robust up to some radius of its own, and the share `P(r)` of inputs that are robust at `r` falls with
//! `r`. Of each of `n` points a bracket is known: it is certainly robust at all radii up to `certified`, and certainly
//! not at `falsified` and beyond. Let `F(r)` be the share of the points that truly are robust at `r`. Then for all `r`
//!
//! `share of certified >= r  <=  F(r)  <=  share of falsified > r`,
//!
//! and by the inequality of Dvoretzky, Kiefer and Wolfowitz with Massart's constant (Ann. Probab. 18, 1990), `P[sup_r
//! |F(r) - P(r)| > e] <= 2 exp(-2 n e^2)`. So with `e = sqrt(ln(2/a) / (2n))`, with probability at least `1 - a`, at
//! all radii together
//!
//! `share of certified >= r  -  e  <=  P(r)  <=  share of falsified > r  +  e`.
//!
//! Only the one empirical function `F`, of true radii, has to be near its mean; both observed functions merely enclose
//! it. That is why Massart's two-sided form, which holds for every `e > 0`, is enough, and why brackets may depend on
//! each other, as they do where points share a budget of time. (Bounding the two observed functions by one-sided
//! inequalities at `a/2` each gives the same `e`, but needs brackets that are independent.) The inequality is one for
//! totally ordered observations; the sets of radii at which the points are robust are totally ordered by inclusion,
//! ties and open or closed ends included. Assumed are independent draws, a number of them fixed
//! beforehand, and a network and a norm chosen without regard to them; radii may be chosen afterwards.

use super::bisection::ALLOWANCE;

/// What is known of the radius up to which a point is robust.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bracket {
    /// The largest radius at which it is certified, minus infinity if there is none.
    pub certified: f64,
    /// The smallest radius at which it is falsified, infinity if there is none. A misclassified point is falsified at
    /// radius 0.
    pub falsified: f64,
}

/// The curve at one radius. Between the radii of neighbouring steps, the lower values are those of the step after and
/// the upper values are those of the step before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// The radius.
    pub radius: f64,
    /// The share of points certified at this radius.
    pub lower_share: f64,
    /// The share of points not falsified at this radius.
    pub upper_share: f64,
    /// Lower end of the band.
    pub lower: f64,
    /// Upper end of the band.
    pub upper: f64,
}

/// How far the share of robust points is from the share of robust inputs at most, at all radii together, with the
/// probability `confidence`; rounded up. One if the arguments make no sense.
pub fn half_width(points: usize, confidence: f64) -> f64 {
    let level = 1.0 - confidence;
    if points == 0 || !(level > 0.0 && level < 1.0) {
        return 1.0;
    }
    let width = ((2.0 / level).ln() / (2.0 * points as f64)).sqrt();
    (width * (1.0 + ALLOWANCE)).min(1.0)
}

/// The curve at every finite radius that the brackets name, in rising order. A bound that is no number counts as
/// unknown.
pub fn curve(brackets: &[Bracket], confidence: f64) -> Vec<Step> {
    let certified = sorted(brackets.iter().map(|b| if b.certified.is_nan() { f64::NEG_INFINITY } else { b.certified }));
    let falsified = sorted(brackets.iter().map(|b| if b.falsified.is_nan() { f64::INFINITY } else { b.falsified }));
    let mut radii = sorted(certified.iter().chain(&falsified).copied().filter(|radius| radius.is_finite()));
    radii.dedup();
    let width = half_width(brackets.len(), confidence);
    let share = |count: usize| count as f64 / brackets.len() as f64;
    let step = |radius: f64| {
        let lower_share = share(certified.len() - certified.partition_point(|c| *c < radius));
        let upper_share = share(falsified.len() - falsified.partition_point(|f| *f <= radius));
        let (lower, upper) = ((lower_share - width).max(0.0), (upper_share + width).min(1.0));
        Step { radius, lower_share, upper_share, lower, upper }
    };
    radii.into_iter().map(step).collect()
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    // Adding zero makes the two zeros one radius.
    let mut values: Vec<f64> = values.map(|value| value + 0.0).collect();
    values.sort_by(f64::total_cmp);
    values
}

#[cfg(test)]
mod tests;
