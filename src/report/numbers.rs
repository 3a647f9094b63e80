//! Numbers as reports print them. What is claimed is rounded against the claim, and the direction is in the name.

/// Significant digits of a number that is printed short.
const DIGITS: i32 = 4;

/// Powers of ten that are printed without an exponent.
const PLAIN: std::ops::RangeInclusive<i32> = -4..=6;

/// A share in percent, rounded down to two places.
pub fn down(share: f64) -> String {
    format!("{:.2}", (10_000.0 * share).floor() / 100.0)
}

/// A share in percent, rounded up to two places.
pub fn up(share: f64) -> String {
    format!("{:.2}", (10_000.0 * share).ceil() / 100.0)
}

/// A share in percent, rounded down to as many places, two at least, as show that it reaches another one, which it does.
pub fn down_to_reach(share: f64, least: f64) -> String {
    const PLACES: std::ops::RangeInclusive<usize> = 2..=9;
    let text = |places: usize| {
        let unit = 10f64.powi(i32::try_from(places).unwrap_or(0));
        format!("{:.places$}", (100.0 * unit * share).floor() / unit)
    };
    let reaches = |text: &String| text.parse::<f64>().is_ok_and(|shown| shown >= percent(least));
    PLACES.map(text).find(reaches).unwrap_or_else(|| percent(least).to_string())
}

/// How many of some points, in percent with one place: neither all nor none of them where it is not so.
pub fn share_of(count: usize, points: usize) -> String {
    let text = format!("{:.1}", 100.0 * count as f64 / points.max(1) as f64);
    match text.as_str() {
        "0.0" if count > 0 => "<0.1".to_owned(),
        "100.0" if count < points => ">99.9".to_owned(),
        _ => text,
    }
}

/// A share that somebody typed, in percent and without the last places of binary arithmetic.
pub fn percent(share: f64) -> f64 {
    const PLACES: f64 = 1e9;
    (100.0 * PLACES * share).round() / PLACES
}

/// A confidence with six decimals, rounded up: what is said of inputs at least as confident stays true.
pub fn confidence_up(confidence: f64) -> String {
    const PLACES: f64 = 1e6;
    format!("{:.6}", (PLACES * confidence).ceil() / PLACES)
}

/// Whether a radius is no larger than another, up to the one rounding that a share of a radius has gone through.
pub fn is_at_most(radius: f64, other: f64) -> bool {
    radius <= other * (1.0 + f64::EPSILON)
}

/// A radius with four significant digits, rounded down.
pub fn radius_down(radius: f64) -> String {
    if radius <= 0.0 || !radius.is_finite() {
        return "0".to_owned();
    }
    let (digits, exponent) = nearest(radius);
    match is_at_most(value(digits, exponent), radius) {
        true => shown(digits, exponent),
        false => shown(digits - 1, exponent),
    }
}

/// A radius with four significant digits, rounded up.
pub fn radius_up(radius: f64) -> String {
    if radius <= 0.0 || !radius.is_finite() {
        return radius.max(0.0).to_string();
    }
    let (digits, exponent) = nearest(radius);
    match is_at_most(radius, value(digits, exponent)) {
        true => shown(digits, exponent),
        false => shown(digits + 1, exponent),
    }
}

/// The nearest number of four digits: these, and the power of ten of the last one.
fn nearest(value: f64) -> (i64, i32) {
    let text = format!("{value:.places$e}", places = DIGITS as usize - 1);
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    (mantissa.replace('.', "").parse().unwrap_or(0), exponent.parse().unwrap_or(0) - (DIGITS - 1))
}

/// The float next to `digits * 10^exponent`.
fn value(digits: i64, exponent: i32) -> f64 {
    format!("{digits}e{exponent}").parse().unwrap_or(f64::NAN)
}

/// `digits * 10^exponent` without a loss. One below 1000 and one above 9999, there are four digits of the next size.
fn shown(digits: i64, exponent: i32) -> String {
    let (digits, exponent) = match digits {
        999 => (9999, exponent - 1),
        10_000 => (1000, exponent + 1),
        digits => (digits, exponent),
    };
    let value = value(digits, exponent);
    if PLAIN.contains(&(exponent + DIGITS - 1)) {
        return trimmed(&format!("{value:.places$}", places = (-exponent).max(0) as usize));
    }
    let text = format!("{value:.places$e}", places = DIGITS as usize - 1);
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    format!("{}e{power}", trimmed(mantissa))
}

/// A number with four significant digits, as short as it can be; rounded to the nearest, so not for what is claimed.
pub fn short(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !PLAIN.contains(&magnitude) {
        return format!("{value:.2e}");
    }
    trimmed(&format!("{value:.places$}", places = (DIGITS - 1 - magnitude).max(0) as usize))
}

/// Decimals without zeros at their end.
fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_rounded_against_the_claim() {
        let shown: Vec<String> = [0.0, 0.05, 8.0 / 255.0, 1.0, 1234.56, 1e-9, -0.5].into_iter().map(short).collect();
        assert_eq!(shown, ["0", "0.05", "0.03137", "1", "1235", "1.00e-9", "-0.5"]);
        assert_eq!((confidence_up(0.999_999_1), confidence_up(0.5)), ("1.000000".to_owned(), "0.500000".to_owned()));
        assert_eq!((down(0.34759), up(0.97481), percent(0.95)), ("34.75".to_owned(), "97.49".to_owned(), 95.0));
    }

    #[test]
    fn radii_are_rounded_in_their_direction_at_every_size() {
        let cases = [
            (0.0, "0", "0"),
            (0.15, "0.15", "0.15"),
            (0.7 * 0.1, "0.07", "0.07"),
            (12.0, "12", "12"),
            (0.123_49, "0.1234", "0.1235"),
            (0.099_999_9, "0.09999", "0.1"),
            (1.2378e-5, "1.237e-5", "1.238e-5"),
            (9.999_9e-5, "9.999e-5", "0.0001"),
            (1.000_04e-4, "0.0001", "0.0001001"),
            (1_234_567.0, "1234000", "1235000"),
            (9_999_999.0, "9999000", "1e7"),
            (12_345_678.0, "1.234e7", "1.235e7"),
        ];
        for (radius, below, above) in cases {
            assert_eq!((radius_down(radius).as_str(), radius_up(radius).as_str()), (below, above), "{radius}");
        }
        for step in 1..20_000 {
            let radius = 1.37e-8 * 1.0021f64.powi(step);
            let [below, above]: [f64; 2] = [radius_down(radius), radius_up(radius)].map(|text| text.parse().unwrap());
            assert!(is_at_most(below, radius) && is_at_most(radius, above), "{below} {radius} {above}");
            assert!(above - below < 2e-3 * radius);
        }
    }

    #[test]
    fn nearly_all_points_are_not_all() {
        let shown =
            [(0, 7), (1, 9_999), (1, 3), (9_996, 10_000), (5, 5), (0, 0)].map(|(count, of)| share_of(count, of));
        assert_eq!(shown, ["0.0", "<0.1", "33.3", ">99.9", "100.0", "0.0"]);
    }

    #[test]
    fn shares_that_reach_another_are_seen_to() {
        assert_eq!((down_to_reach(0.851_79, 0.8), down_to_reach(0.851_79, 0.85175)), ("85.17".into(), "85.179".into()));
        assert_eq!(down_to_reach(0.7, 0.7), "70.00");
    }
}
