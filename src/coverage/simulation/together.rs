//! Statements that hold together: at all radii, for all groups, for all confidences and radii; and fresh inputs.

use std::cmp::Reverse;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::super::curve::{Bracket, curve};
use super::super::global::{fresh, mass, pairs};
use super::super::several::{chance_of_at_least, each_confidence, holm};
use super::{Coverage, Kept, REPETITIONS, World, assert_rare, misses, repeat};

/// Radii of which the band is simulated.
struct Radii {
    /// Whether radii are whole numbers, which makes ties.
    whole: bool,
    /// How far brackets reach to both sides, as a part of the radius.
    width: f64,
    /// The share of points that are only certified at 0.
    undecided: f64,
}

impl Radii {
    /// Radii are exponential with mean 10, or rounded down from that.
    fn bracket(&self, random: &mut ChaCha8Rng) -> Bracket {
        let exact = -10.0 * (1.0 - random.random::<f64>()).ln();
        let radius = if self.whole { exact.floor() } else { exact };
        if random.random::<f64>() < self.undecided {
            return Bracket { certified: 0.0, falsified: f64::INFINITY };
        }
        // A point is robust at its radius itself.
        Bracket { certified: radius * (1.0 - self.width), falsified: (radius * (1.0 + self.width)).next_up() }
    }

    fn share(&self, radius: f64) -> f64 {
        (-if self.whole { radius.ceil() } else { radius } / 10.0).exp()
    }
}

#[test]
fn the_band_misses_at_any_radius_as_rarely_as_it_says() {
    let radii = |whole, width, undecided| Radii { whole, width, undecided };
    for (points, confidence, radii) in [
        (5, 0.8, radii(false, 0.0, 0.0)),
        (100, 0.9, radii(false, 0.0, 0.0)),
        (100, 0.8, radii(false, 0.0, 0.0)),
        (100, 0.8, radii(true, 0.0, 0.0)),
        (60, 0.95, radii(false, 0.3, 0.2)),
        (300, 0.8, radii(false, 0.05, 0.1)),
    ] {
        let missed = repeat(points as u64, |random| {
            let brackets: Vec<Bracket> = (0..points).map(|_| radii.bracket(random)).collect();
            // Between steps the lower end is that of the step after, and the upper end that of the step before: both are
            // worst at their own step, since the truth falls.
            curve(&brackets, confidence).iter().any(|step| {
                let share = radii.share(step.radius);
                step.lower > share || step.upper < share
            })
        });
        assert_rare(missed, 1.0 - confidence, &format!("{points} points at {confidence}"));
        let tight = radii.width == 0.0 && !radii.whole;
        let expected = if tight { REPETITIONS as f64 * (1.0 - confidence) / 3.0 } else { 0.0 };
        assert!(missed as f64 >= expected, "{points} points at {confidence}: missed only {missed} times");
    }
}

/// Points, share of the quality.
const GROUPS: [(usize, f64); 6] = [(20, 0.8), (60, 0.9), (100, 0.9), (150, 0.95), (40, 0.97), (200, 0.85)];

#[test]
fn all_groups_hold_together_as_often_as_they_say() {
    for (confidence, unknown) in [(0.8, (0.0, 0.0)), (0.9, (0.1, 0.1)), (0.95, (0.0, 0.0))] {
        let each = each_confidence(GROUPS.len(), confidence);
        let mut kept = Kept::new();
        let missed = repeat(5, |random| {
            let mut sample = |(points, share)| (World { share, unknown }.sample(points, random), share);
            GROUPS.map(&mut sample).iter().any(|(sample, share)| {
                let key = (sample.points, sample.certain, sample.refuted);
                misses(kept.get(key, |_| Coverage::of(*sample, each)), *share)
            })
        });
        assert_rare(missed, 1.0 - confidence, &format!("{unknown:?} at {confidence}"));
    }
}

/// A group is wrongly passed if its share is below what is required: here it is at it, which is worst, or the group
/// rightly passes.
#[test]
fn holm_passes_a_group_wrongly_as_rarely_as_it_says() {
    for (level, wrong, unknown) in
        [(0.05, 6, (0.0, 0.0)), (0.2, 6, (0.0, 0.0)), (0.2, 3, (0.0, 0.0)), (0.1, 4, (0.1, 0.0))]
    {
        let mut kept = Kept::new();
        let mut passed_rightly = 0;
        let missed = repeat(wrong as u64, |random| {
            let p_values = GROUPS.iter().enumerate().map(|(group, (points, required))| {
                let share = if group < wrong { *required } else { 0.99 };
                let sample = World { share, unknown }.sample(*points, random);
                kept.get((group, sample.certain), |_| chance_of_at_least(sample.certain, *points, *required))
            });
            let adjusted = holm(&p_values.collect::<Vec<_>>());
            passed_rightly += adjusted[wrong..].iter().filter(|p| **p <= level).count();
            adjusted[..wrong].iter().any(|p| *p <= level)
        });
        assert_rare(missed, level, &format!("{wrong} wrong groups at {level}"));
        assert!(passed_rightly > 0 || wrong == GROUPS.len(), "no group passes at {level}");
    }
}

/// Confidence and radius are uniform on the unit square, so that the inputs of confidence at least `kappa` and radius
/// below `rho` have the mass `(1 - kappa) rho`; or the radius is the confidence, which makes it `rho - kappa`.
#[test]
fn the_global_statement_fails_as_rarely_as_it_says() {
    for (points, delta, dependent) in [(60, 0.3, false), (100, 0.05, false), (100, 0.3, true), (400, 0.1, false)] {
        let eps = mass(points, delta).unwrap();
        let worst = |random: &mut ChaCha8Rng| {
            let sampled: Vec<(f64, f64)> = (0..points)
                .map(|_| {
                    let (confidence, other) = (random.random::<f64>(), random.random::<f64>());
                    (confidence, if dependent { confidence } else { other })
                })
                .collect();
            let mass = |kappa: f64, rho: f64| if dependent { (rho - kappa).max(0.0) } else { (1.0 - kappa) * rho };
            let above = sampled.iter().map(|point| point.0).fold(0.0, f64::max);
            let masses = pairs(&sampled).into_iter().map(|pair| mass(pair.kappa, pair.rho));
            // Beyond all sampled confidences every radius will do.
            masses.fold(1.0 - above, f64::max)
        };
        let missed = repeat(points as u64, |random| worst(random) > eps);
        assert_rare(missed, delta, &format!("{points} points, {delta}"));
        // The theorem is generous; a mass far smaller than it allows is not supported.
        let small = repeat(points as u64, |random| worst(random) > eps / 40.0);
        assert!(small as f64 > REPETITIONS as f64 * delta, "{points} points: {small}");
    }
}

/// Regions around sampled points, and fresh points on the same interval.
#[test]
fn fresh_inputs_miss_as_rarely_as_they_say() {
    let mut random = ChaCha8Rng::seed_from_u64(8);
    let mut centres: Vec<f64> = (0..12).map(|_| 0.95 * random.random::<f64>()).collect();
    centres.sort_by_key(|centre| Reverse((centre * 1e9) as u64));
    let inside = |x: f64| centres.iter().any(|from| *from <= x && x < from + 0.05);
    let (mut share, mut end) = (0.0, 1.0_f64);
    for from in &centres {
        share += (from + 0.05).min(end) - from;
        end = *from;
    }
    for (points, confidence) in [(50, 0.8), (200, 0.95)] {
        let mut kept = Kept::new();
        let missed = repeat(points as u64, |random| {
            let hits = (0..points).filter(|_| inside(random.random())).count();
            misses(kept.get(hits, |hits| fresh(hits, points, confidence)), share)
        });
        assert_rare(missed, 1.0 - confidence, &format!("{points} fresh inputs at {confidence}"));
        assert!(missed > 0);
    }
}
