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

/// Successes and trials, tail, and the lower bound at which the tail is met, by bracketing (`mpmath.findroot`) and sums of 40 digits;
/// `scipy.stats.beta.ppf(tail, k, n - k + 1)` agrees to 1e-15.
/// In the last row an approximation of the quantile that was used before was too large by 3e-5.
const LOWER: [((usize, usize), f64, f64); 14] = [
    ((1, 10), 0.025, 0.002_528_578_544_461_784_8),
    ((5, 10), 0.025, 0.187_086_028_447_398_52),
    ((9, 10), 1e-06, 0.169_914_640_141_143_63),
    ((1, 1), 0.4, 0.4),
    ((1, 3), 0.9, 0.535_841_116_638_722_1),
    ((3, 200), 1e-09, 9.135_445_253_645_443e-06),
    ((150, 200), 0.025, 0.684_037_166_670_130_9),
    ((199, 200), 0.25, 0.986_593_680_663_845_8),
    ((1, 100_000), 0.0005, 5.001_250_404_316_726e-09),
    ((7, 10_000), 0.025, 0.000_281_481_145_742_794_6),
    ((2, 1_000_000), 0.025, 2.422_093_703_160_032e-07),
    ((40, 1_000_000), 0.005, 2.558_613_755_325_551e-05),
    ((9000, 10_000), 1e-08, 0.882_260_788_863_510_1),
    ((4, 233_150), 0.025, 4.674_543_590_578_555_6e-6),
];

#[test]
fn lower_bounds_are_near_the_root_and_below_it() {
    for ((k, n), tail, expected) in LOWER {
        let found = clopper_pearson_lower(k, n, tail);
        assert!(found <= expected && found >= expected * (1.0 - 1e-12), "{k} of {n}: {found:e}");
    }
}

/// From one half upwards, one minus the upper end is exact: it must not exceed what the failures allow.
#[test]
fn upper_bounds_are_rounded_up() {
    for k in 100..200 {
        let upper = clopper_pearson_upper(k, 200, 0.025);
        let failing = clopper_pearson_lower(200 - k, 200, 0.025);
        assert!(upper > 0.5 && 1.0 - upper <= failing && failing - (1.0 - upper) < 1e-15, "{k}: {upper}");
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
