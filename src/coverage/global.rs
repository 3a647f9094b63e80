//! One statement about all confident inputs: probably approximately global robustness (Blohm et al., ICML 2025); and
//! fresh inputs.
//!
//! Every input has a *confidence*, any number computed from the input alone by a rule that was fixed before the points
//! were drawn (for instance the largest softmax value of the network), and a *robustness radius*, the radius up to
//! which it has the quality in question. The inputs of confidence at least `kappa` and of radius below `rho` form a
//! quadrant of the plane of these two numbers, and quadrants of one orientation have Vapnik-Chervonenkis dimension `d =
//! 2`. By the theorem of epsilon-nets (Haussler and Welzl 1987; with these constants Blumer, Ehrenfeucht, Haussler and
//! Warmuth, J. ACM 36, 1989), of
//!
//! `n >= max(4/eps log2(2/delta), 8 d/eps log2(13/eps))`
//!
//! independent points, with probability at least `1 - delta`, some point lies in *every* quadrant of mass above `eps`.
//! Therefore, for all `kappa` and `rho` together, if no sampled point has confidence at least `kappa` and a *certified*
//! radius below `rho`, then the mass of inputs with confidence at least `kappa` and a radius below `rho` is at most
//! `eps`: a certified radius is at most the true one, so that no sampled point lies in the true quadrant either.
//!
//! A point of unknown outcome counts with the largest radius at which it is certified, which is 0 if there is none.
//! What the radius is about decides what the statement says: with the radius of a constant prediction it is about
//! robustness alone; with radius 0 for misclassified points it is about correctness too. Assumed are independent draws
//! and a number of them fixed beforehand; `kappa` and `rho` may be chosen afterwards. Numbers of points and masses are
//! rounded up.

use super::bisection::{ALLOWANCE, boundary};
use super::{Coverage, Sample};

/// The dimension of the quadrants of one orientation in a plane: they cut every subset out of some two points, but of
/// no three.
const DIMENSION: f64 = 2.0;

/// A confidence and a radius with no sampled counterexample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// The least confidence of the inputs that the statement is about.
    pub kappa: f64,
    /// The radius up to which they are robust, all but the mass `eps`.
    pub rho: f64,
}

/// How many points support the mass `eps` with probability `1 - delta`; rounded up, and the largest number there is if
/// the arguments are not positive.
#[cfg(test)]
pub fn points_needed(eps: f64, delta: f64) -> usize {
    bound(eps, delta).ceil() as usize
}

/// The smallest mass that so many points support with probability `1 - delta`, rounded up; `None` if not even the mass
/// 1 is supported, which says nothing in any case.
pub fn mass(points: usize, delta: f64) -> Option<f64> {
    // The bound falls as the mass grows, without end as the mass goes to zero.
    let unsupported = |eps: f64| bound(eps, delta) > points as f64;
    (!unsupported(1.0)).then(|| boundary(0.0, 1.0, unsupported).1)
}

/// The theorem's number of points, rounded up by more than its arithmetic may lose.
fn bound(eps: f64, delta: f64) -> f64 {
    if !(eps > 0.0 && delta > 0.0) {
        return f64::INFINITY;
    }
    let (chance, ranges) = (4.0 * (2.0 / delta).log2(), 8.0 * DIMENSION * (13.0 / eps).log2());
    chance.max(ranges) / eps * (1.0 + ALLOWANCE)
}

/// All pairs, of which neither number can be improved without giving up the other: `kappa` as small, and `rho` as
/// large, as no sampled point forbids. Falling in both numbers.
///
/// Points are confidences, between 0 and 1, with certified radii. The last pair has `kappa` 0 and speaks of all inputs;
/// in the others, `kappa` is the next float above the confidence of the point that forbids a smaller one. Left out are
/// the two trivial ends: a `kappa` above all sampled confidences, for which every `rho` would do, and a `rho` of zero.
/// A confidence that is no number counts as infinite, such a radius as zero.
pub fn pairs(points: &[(f64, f64)]) -> Vec<Pair> {
    let known = |(confidence, radius): &(f64, f64)| {
        (if confidence.is_nan() { f64::INFINITY } else { *confidence }, radius.max(0.0))
    };
    let mut points: Vec<(f64, f64)> = points.iter().map(known).collect();
    // Of equal confidences, the smallest radius comes first: it decides.
    points.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.total_cmp(&b.1)));
    let everything = points.last().map_or(0.0, |least| least.0.min(0.0));
    let (mut pairs, mut rho) = (Vec::new(), f64::INFINITY);
    for (confidence, radius) in points {
        if radius < rho {
            pairs.push(Pair { kappa: confidence.next_up(), rho });
            rho = radius;
        }
    }
    pairs.push(Pair { kappa: everything, rho });
    pairs.retain(|pair| pair.rho > 0.0 && pair.rho.is_finite());
    pairs
}

/// The interval for the mass of regions that are certified already: of so many points, drawn independently of each
/// other *and of the points around which the regions were certified*, so many lie inside.
///
/// This is a statement about inputs, not about points to be verified again: each input inside is robust in the sense of
/// its region. Whether an input is inside is always decided, so there are no unknowns.
pub fn fresh(inside: usize, points: usize, confidence: f64) -> Coverage {
    Coverage::of(Sample { points, certain: inside, refuted: points.saturating_sub(inside) }, confidence)
}

#[cfg(test)]
mod tests;
