use super::*;

/// Certain points and all, the share, `scipy.stats.binomtest(certain, points, share, alternative="greater").pvalue`.
/// Summed with mpmath and 40 digits, from which SciPy differs by up to 6e-14.
const P_VALUES: [((usize, usize), f64, f64); 8] = [
    ((10, 10), 0.8, 0.107_374_182_400_000_06),
    ((0, 10), 0.3, 1.0),
    ((95, 100), 0.9, 0.057_576_886_487_033_886),
    ((180, 200), 0.95, 0.998_840_091_749_252),
    ((198, 200), 0.95, 0.002_336_294_190_063_902),
    ((9100, 10_000), 0.9, 0.000_385_161_138_072_445_8),
    ((1000, 1000), 0.99, 4.317_124_741_065_786e-05),
    ((905_000, 1_000_000), 0.904, 0.000_339_818_407_294_013_06),
];

/// P-values, and `statsmodels.stats.multitest.multipletests(p_values, method="holm")[1]`.
const HOLM: [(&[f64], &[f64]); 6] = [
    (&[0.01, 0.04, 0.03, 0.005], &[0.03, 0.06, 0.06, 0.02]),
    (&[0.5], &[0.5]),
    (&[0.02, 0.02, 0.02], &[0.06, 0.06, 0.06]),
    (&[0.9, 0.001, 0.7, 0.2, 0.013, 0.04], &[1.0, 0.006, 1.0, 0.6, 0.065, 0.16]),
    (&[0.0, 1.0, 0.3], &[0.0, 1.0, 0.6]),
    (&[], &[]),
];

#[test]
fn p_values_agree_with_scipy() {
    for ((certain, points), share, expected) in P_VALUES {
        let found = chance_of_at_least(certain, points, share);
        assert!((found - expected).abs() <= 1e-12 * expected, "{certain} of {points} at {share}: {found:e}");
    }
}

#[test]
fn adjusted_values_agree_with_statsmodels() {
    for (p_values, expected) in HOLM {
        let found = holm(p_values);
        assert_eq!(found.len(), expected.len());
        let near = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(near, "{p_values:?}: {found:?}");
    }
    assert_eq!(holm(&[0.01, f64::NAN]), [0.02, 1.0]);
}

#[test]
fn confidences_share_what_may_be_missed() {
    assert_eq!([each_confidence(0, 0.9), each_confidence(1, 0.9)], [0.9, 0.9]);
    for (groups, confidence, expected) in [(2, 0.9, 0.95), (10, 0.95, 0.995), (1000, 0.999, 0.999_999)] {
        let found = each_confidence(groups, confidence);
        assert!(found >= expected - 1e-16 && found - expected < 1e-15, "{groups} at {confidence}: {found}");
    }
    let most = each_confidence(usize::MAX, 0.999_999_999);
    assert!(most < 1.0 && most > 0.999_999_999, "{most}");
}
