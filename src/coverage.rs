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

use statrs::distribution::{Beta, ContinuousCDF};

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
    let failures = trials - successes;
    Beta::new(successes as f64, failures as f64 + 1.0).map_or(0.0, |beta| beta.inverse_cdf(tail))
}

/// Clopper and Pearson's one-sided upper bound: above the share with probability at least `1 - tail`. One where the arguments make no
/// sense.
pub fn clopper_pearson_upper(successes: usize, trials: usize, tail: f64) -> f64 {
    if successes > trials { 1.0 } else { 1.0 - clopper_pearson_lower(trials - successes, trials, tail) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Successes and trials, tail, and both bounds as `scipy.stats.beta` gives them (`ppf` and `isf`).
    type Row = ((usize, usize), f64, (f64, f64));

    const SCIPY: [Row; 14] = [
        ((0, 10), 0.025, (0.0, 0.308_497_107_818_760_83)),
        ((10, 10), 0.025, (0.691_502_892_181_239_2, 1.0)),
        ((1, 10), 0.025, (0.002_528_578_544_461_784_8, 0.445_016_117_028_195_3)),
        ((5, 10), 0.025, (0.187_086_028_447_398_55, 0.812_913_971_552_601_5)),
        ((9, 10), 0.05, (0.605_836_697_563_495_2, 0.994_883_803_108_176_3)),
        ((0, 1), 0.005, (0.0, 0.995)),
        ((1, 1), 0.005, (0.005, 1.0)),
        ((150, 200), 0.025, (0.684_037_166_670_130_9, 0.808_392_830_377_412_6)),
        ((199, 200), 0.005, (0.963_440_869_467_221_5, 0.999_974_937_604_949_4)),
        ((699, 1000), 0.025, (0.669_514_391_944_550_9, 0.727_308_756_120_668_1)),
        ((1, 100_000), 0.0005, (5.001_250_404_316_726e-9, 9.998_227_635_705_42e-5)),
        ((99_999, 100_000), 0.0005, (0.999_900_017_723_642_9, 0.999_999_994_998_749_6)),
        ((5000, 10_000), 0.05, (0.491_726_504_403_739_4, 0.508_273_495_596_260_7)),
        ((314_159, 1_000_000), 0.025, (0.313_249_263_091_541_2, 0.315_069_813_452_783_1)),
    ];

    #[test]
    fn bounds_agree_with_scipy() {
        for ((k, n), tail, (lower, upper)) in SCIPY {
            let found = (clopper_pearson_lower(k, n, tail), clopper_pearson_upper(k, n, tail));
            assert!((found.0 - lower).abs() < 1e-12 && (found.1 - upper).abs() < 1e-12, "{k} of {n}: {found:?}");
        }
    }

    #[test]
    fn unknowns_cost_both_ends() {
        let interval = |certain, refuted| Coverage::of(Sample { points: 200, certain, refuted }, 0.95);
        let decided = interval(150, 50);
        assert!((decided.lower - 0.684_037_166_670_130_9).abs() < 1e-12);
        assert!((decided.upper - 0.808_392_830_377_412_6).abs() < 1e-12);
        let open = interval(140, 40);
        assert!(open.lower < decided.lower && open.upper > decided.upper);
        let nothing = interval(0, 0);
        assert_eq!((nothing.lower, nothing.upper), (0.0, 1.0));
    }

    #[test]
    fn an_empty_sample_says_nothing() {
        let coverage = Coverage::of(Sample { points: 0, certain: 0, refuted: 0 }, 0.95);
        assert_eq!((coverage.lower, coverage.upper), (0.0, 1.0));
        assert_eq!((clopper_pearson_lower(3, 2, 0.1), clopper_pearson_upper(3, 2, 0.1)), (0.0, 1.0));
    }

    /// The chance that the interval misses the share is at most `1 - confidence`, summed up exactly over all outcomes.
    #[test]
    fn the_interval_covers_the_share_as_often_as_it_says() {
        let (points, confidence) = (30, 0.9);
        for share in [0.02, 0.3, 0.5, 0.85, 0.99] {
            let mut missed = 0.0;
            let mut mass = (1.0_f64 - share).powi(points as i32);
            for k in 0..=points {
                let interval = Coverage::of(Sample { points, certain: k, refuted: points - k }, confidence);
                if !(interval.lower <= share && share <= interval.upper) {
                    missed += mass;
                }
                mass *= (points - k) as f64 / (k + 1) as f64 * share / (1.0 - share);
            }
            assert!(missed <= 1.0 - confidence, "share {share}: missed with probability {missed}");
        }
    }
}
