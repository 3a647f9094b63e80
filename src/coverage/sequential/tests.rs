use super::*;

/// Successes and trials, confidence, both ends.
type Row = ((usize, usize), f64, (f64, f64));

/// Bisection of `k*log(p) + (n-k)*log(1-p) = log(1-confidence) + log(beta(k+0.5, n-k+0.5)/pi)` on both sides of `k/n`
/// with mpmath's `log` and `beta` and 40 digits.
const MPMATH: [Row; 13] = [
    ((0, 1), 0.95, (0.0, 0.975)),
    ((1, 1), 0.95, (0.025_000_000_000_000_022, 1.0)),
    ((1, 10), 0.95, (0.000_465_624_074_390_59, 0.544_008_676_106_823_6)),
    ((5, 10), 0.9, (0.138_293_116_324_959_2, 0.861_706_883_675_040_8)),
    ((10, 10), 0.99, (0.530_395_540_337_065_5, 1.0)),
    ((0, 200), 0.95, (0.0, 0.030_611_098_524_019_522)),
    ((150, 200), 0.95, (0.636_756_991_296_340_8, 0.844_027_011_566_497_2)),
    ((199, 200), 0.99, (0.946_780_299_534_940_4, 0.999_999_000_570_621_1)),
    ((699, 1000), 0.95, (0.644_396_567_148_567_9, 0.750_075_421_071_224_3)),
    ((1, 100_000), 0.999, (8.920_661_991_003_18e-12, 0.000_167_466_922_095_542_76)),
    ((5000, 10_000), 0.9, (0.481_120_798_128_069_5, 0.518_879_201_871_930_5)),
    ((314_159, 1_000_000), 0.95, (0.312_072_268_125_959_1, 0.316_250_751_670_468)),
    ((999_999, 1_000_000), 0.95, (0.999_986_206_914_624_5, 0.999_999_999_985_895_1)),
];

fn at_any_time(points: usize, certain: usize, refuted: usize) -> Coverage {
    Coverage::at_any_time(Sample { points, certain, refuted }, 0.95)
}

#[test]
fn ends_agree_with_mpmath_and_are_rounded_outwards() {
    for ((k, n), confidence, (lower, upper)) in MPMATH {
        let found = Coverage::at_any_time(Sample { points: n, certain: k, refuted: n - k }, confidence);
        assert!((found.lower - lower).abs() <= 1e-12 * lower && found.lower <= lower, "{k} of {n}: {found:?}");
        assert!((found.upper - upper).abs() <= 1e-12 && found.upper >= upper, "{k} of {n}: {found:?}");
    }
}

#[test]
fn both_ends_rise_with_the_count() {
    for n in [1, 2, 7, 60] {
        for k in 0..n {
            let (fewer, more) = (at_any_time(n, k, n - k), at_any_time(n, k + 1, n - k - 1));
            assert!(fewer.lower <= more.lower && fewer.upper <= more.upper, "{k} of {n}: {fewer:?} {more:?}");
            assert!(fewer.lower <= k as f64 / n as f64 && k as f64 / n as f64 <= fewer.upper, "{k} of {n}: {fewer:?}");
        }
    }
}

#[test]
fn unknowns_cost_both_ends_and_watching_costs_width() {
    let (decided, open) = (at_any_time(200, 150, 50), at_any_time(200, 140, 40));
    assert_eq!((open.lower, open.upper), (at_any_time(200, 140, 60).lower, at_any_time(200, 160, 40).upper));
    assert!(open.lower < decided.lower && open.upper > decided.upper);
    let fixed = Coverage::of(Sample { points: 200, certain: 150, refuted: 50 }, 0.95);
    assert!(decided.lower < fixed.lower && decided.upper > fixed.upper);
    let nothing = at_any_time(200, 0, 0);
    assert_eq!((nothing.lower, nothing.upper), (0.0, 1.0));
}

#[test]
fn nonsense_says_nothing() {
    for confidence in [0.0, 1.0, 2.0, -1.0, f64::NAN] {
        let found = Coverage::at_any_time(Sample { points: 9, certain: 9, refuted: 0 }, confidence);
        assert_eq!((found.lower, found.upper), (0.0, 1.0), "{confidence}");
    }
    assert_eq!((at_any_time(0, 0, 0).lower, at_any_time(0, 0, 0).upper), (0.0, 1.0));
    assert_eq!((at_any_time(3, 4, 0).lower, at_any_time(3, 0, 4).upper), (0.0, 1.0));
}

#[test]
fn a_sequence_is_the_intersection_over_its_prefixes() {
    let pattern = [Known::Certain, Known::Certain, Known::Unknown, Known::Refuted, Known::Certain];
    let outcomes: Vec<Known> = (0..300).map(|i| pattern[(i * i + i / 7) % pattern.len()]).collect();
    let (mut lower, mut upper) = (0.0_f64, 1.0_f64);
    let mut narrower = false;
    for end in 1..=outcomes.len() {
        let count = |known| outcomes[..end].iter().filter(|outcome| **outcome == known).count();
        let now = at_any_time(end, count(Known::Certain), count(Known::Refuted));
        (lower, upper) = (lower.max(now.lower), upper.min(now.upper));
        narrower |= lower > now.lower || upper < now.upper;
        let found = Coverage::of_sequence(outcomes[..end].iter().copied(), 0.95);
        assert!((found.lower - lower).abs() < 1e-15 && (found.upper - upper).abs() < 1e-15, "{end}: {found:?}");
    }
    assert!(narrower, "no prefix was narrower than what followed");
}

/// A thousand successes and then a thousand failures are no independent draws of one distribution.
#[test]
fn an_empty_intersection_says_nothing() {
    let outcomes = (0..2000).map(|i| if i < 1000 { Known::Certain } else { Known::Refuted });
    let found = Coverage::of_sequence(outcomes.clone(), 0.95);
    assert_eq!((found.lower, found.upper), (0.0, 1.0));
    assert!(Coverage::of_sequence(outcomes.take(1000), 0.95).lower > 0.99);
    assert_eq!(Coverage::of_sequence([], 0.95), at_any_time(0, 0, 0));
}
