use super::*;

/// Points, confidence, `mpmath.sqrt(mpmath.log(2/(1-confidence))/(2*points))` with 40 digits.
const MPMATH: [(usize, f64, f64); 4] = [
    (10, 0.9, 0.387_022_756_020_494_96),
    (200, 0.95, 0.096_032_279_131_992_07),
    (1000, 0.99, 0.051_469_978_465_839_85),
    (1_000_000, 0.999, 0.001_949_474_603_520_405_2),
];

fn bracket(certified: f64, falsified: f64) -> Bracket {
    Bracket { certified, falsified }
}

#[test]
fn the_half_width_agrees_with_mpmath_and_is_rounded_up() {
    for (points, confidence, expected) in MPMATH {
        let found = half_width(points, confidence);
        assert!(found >= expected && found <= expected * (1.0 + 1e-12), "{points} points: {found}");
    }
    // Massart's number for one point is 1.36, and no share is further away than 1.
    assert_eq!([half_width(1, 0.95), half_width(0, 0.95), half_width(9, 1.0), half_width(9, f64::NAN)], [1.0; 4]);
}

#[test]
fn steps_count_brackets_on_the_right_side() {
    let (none, open) = (f64::NEG_INFINITY, f64::INFINITY);
    let brackets = [bracket(0.1, 0.2), bracket(0.2, open), bracket(none, 0.0), bracket(0.0, 0.1)];
    let found: Vec<_> = curve(&brackets, 0.95).iter().map(|s| (s.radius, s.lower_share, s.upper_share)).collect();
    assert_eq!(found, [(0.0, 0.75, 0.75), (0.1, 0.5, 0.5), (0.2, 0.25, 0.25)]);
}

#[test]
fn the_band_is_the_shares_widened_and_clipped() {
    let brackets: Vec<Bracket> = (0..1000).map(|i| bracket(f64::from(i), f64::from(i + 5))).collect();
    let width = half_width(1000, 0.9);
    let steps = curve(&brackets, 0.9);
    assert_eq!(steps.len(), 1005);
    for step in &steps {
        assert_eq!(step.lower, (step.lower_share - width).max(0.0));
        assert_eq!(step.upper, (step.upper_share + width).min(1.0));
        assert!(step.lower_share <= step.upper_share);
    }
    assert_eq!(
        (steps[0].lower_share, steps[0].upper, steps[1004].lower, steps[1004].upper_share),
        (1.0, 1.0, 0.0, 0.0)
    );
    assert!(
        steps.windows(2).all(|s| s[0].radius < s[1].radius && s[0].lower >= s[1].lower && s[0].upper >= s[1].upper)
    );
}

#[test]
fn no_number_is_no_knowledge() {
    let steps = curve(&[bracket(f64::NAN, f64::NAN), bracket(0.5, 0.5), bracket(-0.0, 0.0)], 0.95);
    let found: Vec<_> = steps.iter().map(|s| (s.radius, s.lower_share * 3.0, s.upper_share * 3.0)).collect();
    assert_eq!(found, [(0.0, 2.0, 2.0), (0.5, 1.0, 1.0)]);
    assert_eq!(curve(&[], 0.95), []);
    assert_eq!(curve(&[bracket(f64::NEG_INFINITY, f64::INFINITY)], 0.95), []);
}
