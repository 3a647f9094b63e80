//! Decimal literals as enclosures: `0.1` is not a binary float, so it becomes the two floats around it.

use super::Interval;

/// Powers of five up to `5^27` fit 64 bits; decimals with more places after the point are never treated as exact.
const MOST_EXACT_PLACES: u32 = 27;

/// Encloses a literal such as `-12`, `0.1`, `.5`, `3.`, `1e-3` or, when written as a fraction, `8/255`.
///
/// The result is a point when the written number is a binary64 number, and otherwise the interval between the two
/// neighbours of the nearest one. `None` when the text is anything else, or too large for binary64.
pub fn enclose_decimal(text: &str) -> Option<Interval> {
    match text.split_once('/') {
        Some((over, under)) => literal(over)?.divided_by(literal(under)?).filter(|i| i.is_finite()),
        None => literal(text),
    }
}

/// The parts of a literal: significant digits without leading or trailing zeros, and the power of ten they carry.
struct Parts {
    digits: String,
    exponent: i64,
}

fn literal(text: &str) -> Option<Interval> {
    let parts = split(text)?;
    let nearest: f64 = text.parse().ok()?;
    if !nearest.is_finite() {
        return None;
    }
    if is_exact(&parts) {
        return Some(Interval::point(nearest));
    }
    Some(Interval { lo: nearest.next_down(), hi: nearest.next_up() })
}

fn split(text: &str) -> Option<Parts> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((m, e)) => (m, e.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let joined = format!("{whole}{fraction}");
    let digits = joined.trim_start_matches('0').trim_end_matches('0').to_owned();
    let dropped = joined.len() - joined.trim_end_matches('0').len();
    let places = i64::try_from(fraction.len()).ok()? - i64::try_from(dropped).ok()?;
    Some(Parts { digits, exponent: i64::from(exponent) - places })
}

/// Whether `digits * 10^exponent` is certainly a binary64 number (false when in doubt).
fn is_exact(parts: &Parts) -> bool {
    if parts.digits.is_empty() {
        return true;
    }
    let Ok(digits) = parts.digits.parse::<u128>() else {
        return false;
    };
    let Ok(power) = u32::try_from(parts.exponent.unsigned_abs()) else {
        return false;
    };
    if power > MOST_EXACT_PLACES {
        return false;
    }
    let five = 5u128.pow(power);
    let odd_part =
        if parts.exponent >= 0 { digits.checked_mul(five) } else { (digits % five == 0).then(|| digits / five) };
    odd_part.is_some_and(|m| m >> m.trailing_zeros() <= 1 << 53)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_literals_are_points() {
        for (text, value) in
            [("0", 0.0), ("-0.0", 0.0), ("0.5", 0.5), ("-12", -12.0), (".25", 0.25), ("3.", 3.0), ("1e3", 1000.0)]
        {
            assert_eq!(enclose_decimal(text), Some(Interval::point(value)), "{text}");
        }
    }

    #[test]
    fn inexact_literals_are_enclosed_tightly() {
        for text in ["0.1", "0.679857769", "1e-6", "9007199254740993", "123456789012345678901234567890.5", "1e-400"] {
            let i = enclose_decimal(text).unwrap();
            let nearest: f64 = text.parse().unwrap();
            assert_eq!((i.lo, i.hi), (nearest.next_down(), nearest.next_up()), "{text}");
        }
    }

    #[test]
    fn fractions_are_enclosed() {
        let i = enclose_decimal("8/255").unwrap();
        assert!(i.lo < 8.0 / 255.0 && i.hi > 8.0 / 255.0 && i.hi - i.lo < 1e-16);
        assert_eq!(enclose_decimal("1/0"), None);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", ".", "-", "inf", "NaN", "1e", "0x10", "1_000", "1e999", "--1", "1.2.3", "e5"] {
            assert_eq!(enclose_decimal(text), None, "{text}");
        }
    }
}
