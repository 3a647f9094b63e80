use super::*;

/// Points drawn, certain and refuted; the population; confidence; the ends as counts.
type Row = ((usize, usize, usize), usize, f64, (usize, usize));

/// The fewest `K` with `sf(c-1, N, K, n) > a/2`, and `N` less the same for the refuted. The tails are sums with 40
/// digits of `mpmath.binomial(K, j) * mpmath.binomial(N-K, n-j) / mpmath.binomial(N, n)`, since `scipy.stats.hypergeom.sf`
/// is off by up to 2e-11.
const MPMATH: [Row; 11] = [
    ((10, 7, 3), 20, 0.95, (9, 17)),
    ((10, 7, 1), 20, 0.95, (9, 19)),
    ((10, 0, 10), 100, 0.9, (0, 24)),
    ((50, 50, 0), 100, 0.99, (93, 100)),
    ((200, 150, 50), 1000, 0.95, (691, 802)),
    ((200, 150, 40), 1000, 0.95, (691, 847)),
    ((999, 900, 99), 1000, 0.95, (900, 901)),
    ((1000, 1, 999), 10_000, 0.999, (1, 94)),
    ((1000, 900, 50), 10_000, 0.9, (8839, 9603)),
    ((10_000, 9000, 800), 1_000_000, 0.95, (893_984, 925_218)),
    ((5, 3, 1), 5, 0.95, (3, 4)),
];

fn of_population(points: usize, certain: usize, refuted: usize, population: usize) -> (f64, f64) {
    let found = Coverage::of_population(Sample { points, certain, refuted }, population, 0.95);
    (found.lower, found.upper)
}

#[test]
fn ends_agree_with_mpmath() {
    for ((points, certain, refuted), population, confidence, (lower, upper)) in MPMATH {
        let sample = Sample { points, certain, refuted };
        let found = Coverage::of_population(sample, population, confidence);
        let expected = (lower as f64 / population as f64, upper as f64 / population as f64);
        assert_eq!((found.lower, found.upper), expected, "{sample:?} of {population}");
    }
}

#[test]
fn what_was_seen_is_part_of_the_population() {
    for population in [1, 5, 30] {
        for points in 0..=population {
            for certain in 0..=points {
                let refuted = (points - certain) / 2;
                let (lower, upper) = of_population(points, certain, refuted, population);
                let all = population as f64;
                assert!(
                    lower >= certain as f64 / all && upper <= (population - refuted) as f64 / all && lower <= upper
                );
                if points == population {
                    assert_eq!((lower, upper), (certain as f64 / all, (population - refuted) as f64 / all));
                }
            }
        }
    }
}

#[test]
fn ends_rise_with_the_count_and_unknowns_cost_both() {
    let mut last = (0.0, 0.0);
    for certain in 0..=40 {
        let now = of_population(40, certain, 40 - certain, 300);
        assert!(last.0 <= now.0 && last.1 <= now.1, "{certain}: {last:?} {now:?}");
        last = now;
    }
    let open = of_population(40, 20, 10, 300);
    assert_eq!(open, (of_population(40, 20, 20, 300).0, of_population(40, 30, 10, 300).1));
}

/// A small part of a large population is all but drawn with replacement.
#[test]
fn a_large_population_approaches_a_distribution() {
    let finite = of_population(200, 150, 40, 10_000_000);
    let endless = Coverage::of(Sample { points: 200, certain: 150, refuted: 40 }, 0.95);
    assert!((finite.0 - endless.lower).abs() < 1e-5 && (finite.1 - endless.upper).abs() < 1e-5, "{finite:?}");
    let part = of_population(200, 150, 40, 400);
    assert!(part.0 > endless.lower && part.1 < endless.upper);
}

#[test]
fn nonsense_says_nothing() {
    assert_eq!([of_population(4, 4, 0, 3), of_population(0, 0, 0, 0), of_population(3, 4, 0, 9)], [(0.0, 1.0); 3]);
    // Without a confidence only what was seen is left.
    let found = Coverage::of_population(Sample { points: 9, certain: 3, refuted: 3 }, 12, f64::NAN);
    assert_eq!((found.lower, found.upper), (0.25, 0.75));
}
