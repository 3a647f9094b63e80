use super::*;

/// Successes and trials, their probability, and the probabilities of exactly, at least and at most so many.
type Binomial = ((usize, usize), f64, (f64, f64, f64));

/// `mpmath.binomial(n, k) * p**k * (1-p)**(n-k)` and sums of it with 40 digits; `scipy.stats.binom.pmf(k, n, p)`,
/// `.sf(k-1, n, p)` and `.cdf(k, n, p)` agree to 3e-12.
const BINOMIAL: [Binomial; 20] = [
    ((0, 1), 0.3, (0.7, 1.0, 0.7)),
    ((3, 10), 0.3, (0.266_827_932, 0.617_217_213_599_999_9, 0.649_610_718_400_000_1)),
    ((10, 10), 0.9, (0.348_678_440_100_000_1, 0.348_678_440_100_000_1, 1.0)),
    ((0, 10), 1e-09, (0.999_999_990_000_000_1, 1.0, 0.999_999_990_000_000_1)),
    ((15, 16), 0.5, (0.000_244_140_625, 0.000_259_399_414_062_5, 0.999_984_741_210_937_5)),
    ((99, 100), 0.999, (0.090_569_784_495_866_85, 0.995_361_931_609_575_8, 0.095_207_852_886_291_04)),
    ((150, 200), 0.7, (0.018_953_485_823_549_07, 0.069_545_279_853_443_89, 0.949_408_205_970_105_2)),
    ((0, 1000), 0.01, (4.317_124_741_065_824e-05, 1.0, 4.317_124_741_065_824e-05)),
    ((700, 1000), 0.5, (5.065_988_280_449_261e-38, 8.832_839_003_975_068e-38, 1.0)),
    ((997, 1000), 0.999, (0.061_282_509_389_840_756, 0.981_073_166_549_639_5, 0.080_209_342_840_201_22)),
    ((1, 100_000), 5e-09, (0.000_499_750_064_987_710_3, 0.000_499_875_022_080_104_6, 0.999_999_875_042_907_7)),
    ((99_990, 100_000), 0.9999, (0.125_116_291_681_693_7, 0.583_039_750_297_392_1, 0.542_076_541_384_301_6)),
    ((500_000, 1_000_000), 0.5, (0.000_797_884_361_331_750_1, 0.500_398_942_180_665_8, 0.500_398_942_180_665_8)),
    ((502_500, 1_000_000), 0.5, (2.973_320_588_730_712e-09, 2.881_270_818_870_302e-07, 0.999_999_714_846_238_7)),
    ((505_000, 1_000_000), 0.5, (1.537_714_278_353_722_7e-25, 7.690_777_521_953_676e-24, 1.0)),
    ((498_000, 1_000_000), 0.5, (2.676_568_158_124_882_3e-07, 0.999_968_462_988_065_4, 3.180_466_875_041_244_4e-05)),
    ((314_159, 1_000_000), 0.313, (3.789_933_948_483_383e-05, 0.006_251_816_943_049_688, 0.993_786_082_396_435_2)),
    ((999_990, 1_000_000), 0.999_98, (0.005_816_044_785_676_335, 0.010_811_137_202_282_555, 0.995_004_907_583_393_8)),
    ((12, 1_000_000), 1e-06, (7.679_711_136_606_869e-10, 8.315_646_629_806_646e-10, 0.999_999_999_936_406_4)),
    ((200_000, 1_000_000), 0.19, (5.564_383_049_465_127e-143, 9.000_662_419_243_141e-142, 1.0)),
];

/// As above, where the rounding of `n p` alone would cost more than 5e-14.
const PRECISE: [Binomial; 2] = [
    (
        (189_752, 516_984),
        0.364_891_803_940_893_16,
        (6.835_690_595_112_433e-6, 0.000_685_543_394_655_634_1, 0.999_321_292_295_939_5),
    ),
    ((189_752, 516_984), 0.364_891_8, (6.835_561_709_271_015e-6, 0.000_685_529_386_039_965_9, 0.999_321_306_175_669_3)),
];

/// Successes drawn, the urn's population, successes and draws, and the probabilities of exactly, at least and at most
/// so many.
type Hypergeometric = (usize, (usize, usize, usize), (f64, f64, f64));

/// `mpmath.binomial(K, k) * mpmath.binomial(N-K, n-k) / mpmath.binomial(N, n)` and sums of it with 40 digits;
/// `scipy.stats.hypergeom.sf(k-1, N, K, n)` agrees to 2e-11.
const HYPERGEOMETRIC: [Hypergeometric; 17] = [
    (2, (10, 5, 4), (0.476_190_476_190_476_16, 0.738_095_238_095_238_1, 0.738_095_238_095_238_1)),
    (0, (10, 5, 4), (0.023_809_523_809_523_808, 1.0, 0.023_809_523_809_523_808)),
    (4, (10, 5, 4), (0.023_809_523_809_523_808, 0.023_809_523_809_523_808, 1.0)),
    (3, (10, 9, 4), (0.4, 1.0, 0.4)),
    (10, (100, 30, 20), (0.022_237_617_879_184_98, 0.030_696_429_354_336_7, 0.991_541_188_524_848_3)),
    (19, (60, 40, 20), (0.000_626_370_602_335_942_7, 0.000_659_255_058_958_579_7, 0.999_967_115_543_377_4)),
    (95, (1000, 900, 100), (0.029_941_722_309_829_83, 0.048_807_437_613_632_62, 0.981_134_284_696_197_2)),
    (80, (1000, 900, 100), (0.000_686_768_873_064_176_4, 0.999_617_135_871_578_2, 0.001_069_633_001_485_991)),
    (700, (10_000, 6500, 1000), (5.639_578_477_693_113e-05, 0.000_238_181_385_597_785_6, 0.999_818_214_399_179_2)),
    (0, (1_000_000, 10, 1000), (0.990_044_835_612_850_4, 1.0, 0.990_044_835_612_850_4)),
    (2, (1_000_000, 1000, 1000), (0.184_123_629_219_686_56, 0.264_240_872_158_756_47, 0.919_882_757_060_930_1)),
    (
        5200,
        (1_000_000, 500_000, 10_000),
        (2.477_889_205_075_853_6e-06, 3.028_294_880_623_670_5e-05, 0.999_972_194_940_398_8),
    ),
    (
        5400,
        (1_000_000, 500_000, 10_000),
        (7.125_944_148_814_705e-17, 4.700_917_309_958_603e-16, 0.999_999_999_999_999_6),
    ),
    (
        4700,
        (1_000_000, 500_000, 10_000),
        (1.009_100_250_488_622_4e-10, 0.999_999_999_239_065, 8.618_450_054_969_949e-10),
    ),
    (
        250_000,
        (1_000_000, 499_000, 500_000),
        (0.000_215_962_984_198_759_37, 0.022_858_086_444_400_52, 0.977_357_876_539_798_2),
    ),
    (900, (1_000_000, 3, 999_900), (0.0, 0.0, 1.0)),
    (2, (1_000_000, 3, 999_900), (0.000_299_940_602_851_208_7, 0.999_999_970_301_910_7, 0.000_299_970_300_940_502_87)),
];

/// Relative, and absolute next to one.
fn assert_near(found: f64, expected: f64, what: &str) {
    assert!((found - expected).abs() <= 1e-12 * expected, "{what}: found {found:e}, expected {expected:e}");
}

#[test]
fn binomial_probabilities_agree_with_mpmath() {
    for ((k, n), p, (exactly, at_least, at_most)) in BINOMIAL {
        assert_near(binomial_pmf(k, n, p), exactly, &format!("exactly {k} of {n} at {p}"));
        assert_near(binomial_upper_tail(k, n, p), at_least, &format!("at least {k} of {n} at {p}"));
        assert_near(binomial_lower_tail(k, n, p), at_most, &format!("at most {k} of {n} at {p}"));
    }
}

#[test]
fn means_are_not_rounded() {
    for ((k, n), p, (exactly, at_least, _)) in PRECISE {
        let found = (binomial_pmf(k, n, p), binomial_upper_tail(k, n, p));
        let errors = (found.0 / exactly - 1.0, found.1 / at_least - 1.0);
        assert!(errors.0.abs() < 2e-14 && errors.1.abs() < 2e-14, "at {p}: {errors:?}");
    }
}

#[test]
fn hypergeometric_probabilities_agree_with_mpmath() {
    for (k, (population, successes, draws), (exactly, at_least, at_most)) in HYPERGEOMETRIC {
        let urn = Urn { population, successes, draws };
        assert_near(hypergeometric_pmf(k, urn), exactly, &format!("exactly {k} from {urn:?}"));
        assert_near(hypergeometric_upper_tail(k, urn), at_least, &format!("at least {k} from {urn:?}"));
        assert_near(hypergeometric_lower_tail(k, urn), at_most, &format!("at most {k} from {urn:?}"));
    }
}

/// `n` over `k`, exactly.
fn ways(n: usize, k: usize) -> u128 {
    if k > n { 0 } else { (0..k).fold(1, |ways, i| ways * (n - i) as u128 / (i + 1) as u128) }
}

#[test]
fn small_urns_agree_with_counting() {
    for (population, successes, draws) in [(1, 1, 1), (7, 3, 4), (12, 12, 5), (12, 0, 5), (40, 17, 23), (60, 55, 30)] {
        let urn = Urn { population, successes, draws };
        let all = ways(population, draws);
        let count = |k: usize| if k > draws { 0 } else { ways(successes, k) * ways(population - successes, draws - k) };
        for k in 0..=draws + 1 {
            let share = |ways: u128| ways as f64 / all as f64;
            assert_near(hypergeometric_pmf(k, urn), share(count(k)), &format!("{k} from {urn:?}"));
            let (above, below): (u128, u128) = ((k..=draws).map(count).sum(), (0..=k).map(count).sum());
            assert_near(hypergeometric_upper_tail(k, urn), share(above), &format!("{k} and more from {urn:?}"));
            assert_near(hypergeometric_lower_tail(k, urn), share(below), &format!("{k} and fewer from {urn:?}"));
        }
    }
}

#[test]
fn tails_rise_with_the_share_and_fall_with_the_count() {
    for n in [1, 2, 17, 400] {
        for step in 0..=50 {
            let p = f64::from(step) / 50.0;
            for k in 0..=n {
                let tail = binomial_upper_tail(k, n, p);
                assert!(tail >= binomial_upper_tail(k + 1, n, p) * (1.0 - 1e-13), "{k} of {n} at {p}");
                assert!(tail <= binomial_upper_tail(k, n, (p + 0.02).min(1.0)) * (1.0 + 1e-13), "{k} of {n} at {p}");
                let rest = if k == 0 { 0.0 } else { binomial_lower_tail(k - 1, n, p) };
                assert!((tail + rest - 1.0).abs() < 1e-12, "{k} of {n} at {p}");
            }
        }
    }
}

#[test]
fn certain_and_impossible_counts_have_exact_probabilities() {
    for (k, p, expected) in
        [(0, 0.0, [1.0, 1.0, 1.0]), (1, 0.0, [0.0, 0.0, 1.0]), (3, 1.0, [1.0, 1.0, 1.0]), (2, 1.0, [0.0, 1.0, 0.0])]
    {
        assert_eq!(
            [binomial_pmf(k, 3, p), binomial_upper_tail(k, 3, p), binomial_lower_tail(k, 3, p)],
            expected,
            "{k} at {p}"
        );
    }
    assert_eq!(
        [binomial_pmf(4, 3, 0.5), binomial_upper_tail(4, 3, 0.5), binomial_lower_tail(4, 3, 0.5)],
        [0.0, 0.0, 1.0]
    );
    assert_eq!([binomial_pmf(0, 0, 0.5), binomial_upper_tail(0, 0, 0.5), binomial_lower_tail(0, 0, 0.5)], [1.0; 3]);
    let all = Urn { population: 5, successes: 9, draws: 9 };
    assert_eq!(
        [hypergeometric_pmf(5, all), hypergeometric_upper_tail(5, all), hypergeometric_pmf(4, all)],
        [1.0, 1.0, 0.0]
    );
    let empty = Urn { population: 0, successes: 0, draws: 0 };
    assert_eq!(
        [hypergeometric_pmf(0, empty), hypergeometric_lower_tail(0, empty), hypergeometric_upper_tail(1, empty)],
        [1.0, 1.0, 0.0]
    );
}
