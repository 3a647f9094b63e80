//! What reports say in words: the statement, the gate, how the run ended; and numbers as they are printed.

use super::Report;
use super::figures::Unit;
use crate::batch::runner::{Aim, End};
use crate::coverage::curve::half_width;

/// What "certified" and the other verdicts mean, for readers of a report.
pub const MEANINGS: [(&str, &str); 4] = [
    (
        "certified",
        "proved: the trusted checker accepted a certificate that every input within the radius, cut to the valid range, gets the \
         point's label; in real arithmetic on the stored weights",
    ),
    (
        "falsified",
        "disproved: an input within the radius gets another label; the checker replayed it with rigorous arithmetic",
    ),
    ("misclassified", "disproved: the point itself does not get its label"),
    (
        "unknown",
        "neither was shown before the search gave up or its time was over; counted against the network and for it",
    ),
];

/// The radius and its norm: `radius 0.05 (linf)`.
pub fn radius(report: &Report) -> String {
    let facts = report.facts();
    match facts.radius.contains(',') {
        false => format!("radius {} ({})", facts.radius, facts.norm),
        true => format!("the radius given for each feature ({})", facts.norm),
    }
}

/// What a report says first: of a run that looked for the radius of each point how far it got, of others the [`statement`].
pub fn headline(report: &Report) -> String {
    radius_statement(report).unwrap_or_else(|| statement(report))
}

/// The shares of inputs that a statement about radii may be about; the first that the points suffice for is taken, as the band holds at
/// all radii together.
const PARTS: [(f64, &str); 2] = [(0.5, "half"), (0.1, "a tenth")];

/// The radius that much of the radius curve's band reaches, in a sentence; none of a run at one radius, and where the band reaches nothing.
pub fn radius_statement(report: &Report) -> Option<String> {
    let facts = report.facts();
    let shares = certified_shares(report).filter(|_| !facts.is_drawn)?;
    let width = half_width(shares.len(), report.coverage.confidence);
    let reached = |part: f64| {
        let rank = (1..=shares.len()).find(|rank| *rank as f64 / shares.len() as f64 - width >= part)?;
        Some(shares[rank - 1]).filter(|share| *share > 0.0)
    };
    let (share, name) = PARTS.into_iter().find_map(|(part, name)| Some((reached(part)?, name)))?;
    let unit = Unit::of(&facts.radius);
    let (confidence, radius) = (percent(report.coverage.confidence), radius_down(unit.radius(share)));
    let within = match unit {
        Unit::Raw(_) => format!("radius {radius} ({})", facts.norm),
        Unit::Share => format!("{radius} times the radius given for each feature ({})", facts.norm),
    };
    Some(format!(
        "With confidence {confidence} %, the network gives the right answer everywhere within {within} of at least {name} of inputs like these."
    ))
}

/// The shares of the radius up to which the points are certified, the largest first; none of a run at one radius.
fn certified_shares(report: &Report) -> Option<Vec<f64>> {
    let mut shares: Vec<f64> = report.points.iter().map(|point| point.certified_share.unwrap_or(0.0)).collect();
    shares.resize(report.summary.counts.points, 0.0);
    shares.sort_by(|a, b| b.total_cmp(a));
    matches!(report.facts().aim, Aim::Bracket(_)).then_some(shares)
}

/// The interval in a sentence.
pub fn statement(report: &Report) -> String {
    let coverage = &report.coverage;
    let confidence = percent(coverage.confidence);
    let radius = radius(report);
    let ends = match (coverage.lower > 0.0, coverage.upper < 1.0) {
        (true, true) => format!("at least {} % and at most {} %", down(coverage.lower), up(coverage.upper)),
        (true, false) => format!("at least {} %", down(coverage.lower)),
        (false, true) => format!("at most {} %", up(coverage.upper)),
        (false, false) => {
            return format!("Nothing can be said yet about how often the network is right within {radius}.");
        }
    };
    format!(
        "With confidence {confidence} %, the network gives the right answer everywhere within {radius} of {ends} of inputs like these."
    )
}

/// What has been established of the points themselves, in a sentence.
pub fn proved(report: &Report) -> String {
    let counts = &report.summary.counts;
    let points = if counts.points == 1 { "point" } else { "points" };
    format!(
        "Of {} {points}, {} are certified within {}, {} are falsified, {} are misclassified and {} are unknown.",
        counts.points,
        counts.certified,
        radius(report),
        counts.falsified,
        counts.misclassified,
        counts.unknown
    )
}

/// Whether the gate is met, in a sentence; none without a gate.
pub fn gate(report: &Report) -> Option<String> {
    let (share, is_met) = (percent(report.require?), report.gate()?);
    let lower = down(report.coverage.lower);
    Some(match is_met {
        true => format!("Gate met: the lower end {lower} % is at least {share} %."),
        false => format!("Gate not met: the lower end {lower} % is below {share} %."),
    })
}

/// What a reader must know of a run that did not answer everything; none where it did.
pub fn ending(report: &Report) -> Option<String> {
    let unanswered = report.summary.counts.unanswered;
    let why = match report.end {
        Some(End::Completion) => return None,
        Some(End::Budget) => "The run's time was over",
        Some(End::Interruption) => "The run was interrupted",
        Some(End::Gate) => "The run ended as soon as the gate was decided",
        None if report.session.is_some() && unanswered == 0 => return None,
        None => "The run has not ended: it was stopped, or still goes on",
    };
    let points = report.summary.counts.points;
    let counted = match report.facts().is_drawn {
        true => "the interval holds whenever such a run ends",
        false => "they count as unknown",
    };
    Some(format!("{why}: {unanswered} of {points} points have no answer; {counted}."))
}

/// What the run's own kind adds to the statement; none where there is nothing to add.
pub fn scope(report: &Report) -> Option<String> {
    let facts = report.facts();
    let shard = facts.shard.map(|shard| format!("These are the points of shard {shard} only."));
    let bracket = certified_shares(report).map(|shares| radii(&shares, Unit::of(&facts.radius)));
    let sentences: Vec<String> = bracket.into_iter().chain(shard).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Up to which radius how many points are certified, of a run that looked for the radius of each point.
fn radii(shares: &[f64], unit: Unit) -> String {
    let up_to = |part: f64| {
        let place = (part * shares.len() as f64).ceil() as usize;
        radius_down(unit.radius(shares.get(place.max(1) - 1).copied().unwrap_or(0.0)))
    };
    let what = if unit == Unit::Share { "this share of the radius" } else { "radius" };
    format!(
        "The run looked for the radius of each point: 90 % of the points are certified up to {what} {}, 50 % up to {} and 10 % up to {}. \
         Verdicts and the interval speak of the largest radius that it looked at.",
        up_to(0.9),
        up_to(0.5),
        up_to(0.1)
    )
}

/// A share in percent, rounded down to two places.
pub fn down(share: f64) -> String {
    format!("{:.2}", (10_000.0 * share).floor() / 100.0)
}

/// A share in percent, rounded up to two places.
pub fn up(share: f64) -> String {
    format!("{:.2}", (10_000.0 * share).ceil() / 100.0)
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

/// A radius with four significant digits, rounded down.
pub fn radius_down(radius: f64) -> String {
    const DIGITS: f64 = 1e4;
    if radius <= 0.0 {
        return "0".to_owned();
    }
    let unit = 10f64.powf(radius.log10().floor() + 1.0) / DIGITS;
    short((radius / unit * (1.0 + f64::EPSILON)).floor() * unit)
}

/// A number with four significant digits, as short as it can be.
pub fn short(value: f64) -> String {
    const DIGITS: i32 = 4;
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let magnitude = value.abs().log10().floor() as i32;
    if !(-DIGITS..=6).contains(&magnitude) {
        return format!("{value:.2e}");
    }
    let text = format!("{value:.places$}", places = (DIGITS - 1 - magnitude).max(0) as usize);
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_rounded_against_the_claim() {
        let shown: Vec<String> = [0.0, 0.05, 8.0 / 255.0, 1.0, 1234.56, 1e-9, -0.5].into_iter().map(short).collect();
        assert_eq!(shown, ["0", "0.05", "0.03137", "1", "1235", "1.00e-9", "-0.5"]);
        assert_eq!((confidence_up(0.999_999_1), confidence_up(0.5)), ("1.000000".to_owned(), "0.500000".to_owned()));
        let radii: Vec<String> = [0.123_49, 0.15, 12.0, 0.0, 0.099_999_9].into_iter().map(radius_down).collect();
        assert_eq!(radii, ["0.1234", "0.15", "12", "0", "0.09999"]);
        assert_eq!((down(0.34759), up(0.97481), percent(0.95)), ("34.75".to_owned(), "97.49".to_owned(), 95.0));
    }
}
