use super::*;

/// The mass, `delta`, and `ceil(max(4/eps*log(2/delta, 2), 16/eps*log(13/eps, 2)))` with mpmath and 40 digits.
const POINTS: [(f64, f64, usize); 7] = [
    (0.1, 0.05, 1124),
    (0.01, 0.05, 16_551),
    (0.01, 1e-6, 16_551),
    (0.05, 1e-12, 3270),
    (0.5, 0.5, 151),
    (1e-4, 0.01, 2_718_105),
    (0.2, 1e-30, 2014),
];

/// Points, `delta`, and the `eps` at which the same maximum is the number of points, by bisection.
const MASS: [(usize, f64, f64); 6] = [
    (60, 0.05, 0.990_468_470_115_552_3),
    (100, 0.05, 0.680_816_342_992_428_7),
    (1000, 0.05, 0.110_130_466_836_030_42),
    (1000, 1e-20, 0.269_754_247_590_989),
    (10_000, 0.01, 0.015_534_162_336_320_7),
    (1_000_000, 0.01, 0.000_250_603_892_397_073_6),
];

#[test]
fn numbers_of_points_agree_with_mpmath() {
    for (eps, delta, expected) in POINTS {
        assert_eq!(points_needed(eps, delta), expected, "{eps} {delta}");
    }
    for (eps, delta) in [(0.0, 0.1), (-1.0, 0.1), (f64::NAN, 0.1), (0.1, 0.0), (0.1, f64::NAN)] {
        assert_eq!(points_needed(eps, delta), usize::MAX, "{eps} {delta}");
    }
}

#[test]
fn masses_agree_with_mpmath_and_are_rounded_up() {
    for (points, delta, expected) in MASS {
        let found = mass(points, delta).unwrap();
        assert!(found >= expected && found <= expected * (1.0 + 1e-12), "{points} {delta}: {found}");
        assert!(points_needed(found, delta) <= points);
    }
    assert_eq!([mass(0, 0.05), mass(59, 0.05), mass(1000, 0.0)], [None; 3]);
}

/// All pairs of a sampled confidence, or zero, or just above one, and a sampled radius.
fn candidates(points: &[(f64, f64)]) -> Vec<Pair> {
    let kappas = points.iter().flat_map(|(c, _)| [*c, c.next_up()]).chain([0.0]);
    let pairs = kappas.flat_map(|kappa| points.iter().map(move |(_, rho)| Pair { kappa, rho: *rho }));
    let sampled_above = |pair: &Pair| points.iter().any(|(confidence, _)| *confidence >= pair.kappa);
    let holds = |pair: &Pair| !points.iter().any(|(c, radius)| *c >= pair.kappa && *radius < pair.rho);
    pairs.filter(|pair| pair.rho > 0.0 && sampled_above(pair) && holds(pair)).collect()
}

#[test]
fn pairs_are_all_that_cannot_be_improved() {
    let better = |a: &Pair, b: &Pair| a != b && a.kappa <= b.kappa && a.rho >= b.rho;
    let mut found_in_all = 0;
    for seed in 0..200_usize {
        // Multiplying by an odd number permutes the remainders; few values make ties.
        let of = |i: usize, factor: usize| ((i * factor + seed * seed) % 11) as f64 / 10.0;
        let points: Vec<(f64, f64)> = (0..seed % 9).map(|i| (of(i, 7), (of(i, 5 + seed) - 0.2).max(0.0))).collect();
        let all = candidates(&points);
        let mut expected: Vec<Pair> = all.iter().filter(|b| !all.iter().any(|a| better(a, b))).copied().collect();
        expected.sort_by(|a, b| b.kappa.total_cmp(&a.kappa));
        expected.dedup();
        assert_eq!(pairs(&points), expected, "{points:?}");
        found_in_all += expected.len();
    }
    assert!(found_in_all > 200, "{found_in_all} pairs");
}

#[test]
fn what_is_not_known_counts_against_the_pairs() {
    let known = (0.5, 0.3);
    assert_eq!(pairs(&[known]), [Pair { kappa: 0.0, rho: 0.3 }]);
    let above_half = Pair { kappa: 0.5f64.next_up(), rho: 0.4 };
    assert_eq!(pairs(&[(0.5, f64::NAN), (0.7, 0.4)]), [above_half]);
    assert_eq!(pairs(&[(0.7, 0.4), (0.5, 0.0), (0.5, 0.9)]), [above_half]);
    assert_eq!(pairs(&[(f64::NAN, 0.0), known]), []);
    // Margins may be negative: below the smallest one sampled, nothing is said.
    assert_eq!(pairs(&[(-2.0, 0.1), known])[1], Pair { kappa: -2.0, rho: 0.1 });
}

#[test]
fn fresh_inputs_are_counted_like_decided_points() {
    let found = fresh(150, 200, 0.95);
    assert_eq!(found, Coverage::of(Sample { points: 200, certain: 150, refuted: 50 }, 0.95));
    assert_eq!((fresh(0, 0, 0.95).lower, fresh(0, 0, 0.95).upper), (0.0, 1.0));
}
