//! What reports say in words: the statement, the gate, how the run ended.

use bartizan_proof::Semantics;

use super::figures::{Figure, Unit};
use super::numbers::{down, down_to_reach, percent, radius_down, share_of, up};
use super::{Cost, Report};
use crate::batch::runner::{Aim, End};
use crate::batch::selection;
use crate::batch::store::PointFacts;
use crate::coverage::curve::half_width;

/// What "certified" and the other verdicts mean, for readers of a report.
pub fn meanings(semantics: Semantics) -> Vec<(&'static str, String)> {
    let others = OTHER_MEANINGS.map(|(word, meaning)| (word, meaning.to_owned()));
    std::iter::once(("certified", certified(semantics))).chain(others).collect()
}

/// What "certified" means.
pub fn certified(semantics: Semantics) -> String {
    format!("{CERTIFIED}; {}", semantics.meaning())
}

/// What float32 semantics cost.
pub fn cost(cost: &Cost) -> String {
    let Cost { certified, only_real, .. } = cost;
    let all = certified + only_real;
    let share = share_of(*only_real, all.max(1));
    format!("{only_real} of the {all} points that are certified under real semantics are not under float32 ({share} %)")
}

/// What is proved of a certified point, whatever is meant by the network's outputs.
const CERTIFIED: &str = "proved: the trusted checker accepted a certificate that every input within the radius, cut to the valid range, with \
                         the fixed features as they are, gets the point's label";

/// What the other verdicts mean.
const OTHER_MEANINGS: [(&str, &str); 3] = [
    (
        "falsified",
        "disproved: an input within the radius does not get the point's label alone: another output is at least as large; the checker \
         replayed it with rigorous arithmetic",
    ),
    ("misclassified", "disproved: the point itself does not get its label alone: another output is at least as large"),
    (
        "unknown",
        "neither was shown before the search gave up or its time was over; counted against the network and for it",
    ),
];

/// The most items of a list of fixed features that are told one by one.
const MOST_FIXED: usize = 3;

/// The radius and its norm: `radius 0.05 (linf)`. What is falsified within it is falsified whatever else is assumed of inputs.
pub fn radius(report: &Report) -> String {
    ball(report, &report.facts().norm)
}

/// The inputs that a claim is about: `radius 0.05 (linf; valid range 0 to 1; features 3,7..9 held fixed)`.
pub fn within(report: &Report) -> String {
    ball(report, &conditions(report))
}

fn ball(report: &Report, conditions: &str) -> String {
    match report.facts().radius.as_str() {
        several if several.contains(',') => format!("the radius given for each feature ({conditions})"),
        radius => format!("radius {radius} ({conditions})"),
    }
}

/// What is said of inputs besides the radius: the norm, the valid range, and the features that do not vary.
pub fn conditions(report: &Report) -> String {
    let facts = report.facts();
    let clip = facts.clip.as_ref().map(|clip| format!("valid range {}", clip.replace(',', " to ")));
    let fixed = facts.fixed.as_ref().map(|text| {
        let count = selection::parse(text, facts.input_shape.iter().product()).map_or(0, |features| features.len());
        let features = if count == 1 { "feature" } else { "features" };
        match text.split(',').count() > MOST_FIXED && count > 0 {
            true => format!("{count} {features} held fixed"),
            false => format!("{features} {text} held fixed"),
        }
    });
    [Some(facts.norm.clone()), clip, fixed].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// Why a point is its own counterexample. A tie is one, too; the prediction is the first of several largest outputs.
pub fn mistake(point: &PointFacts) -> String {
    match point.predicted {
        predicted if predicted == point.label => "another output is at least as large".to_owned(),
        predicted => format!("the network predicts {predicted}"),
    }
}

/// What a report says first: of a run that looked for the radius of each point how far it got, of others the [`statement`].
pub fn headline(report: &Report) -> String {
    radius_statement(report).unwrap_or_else(|| statement(report))
}

/// What the [`headline`] takes for granted.
pub fn headline_assumptions(report: &Report) -> &'static str {
    radius_statement(report).map_or(report.assumptions(), |_| Figure::Curve.assumptions())
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
        Unit::Raw(_) => format!("radius {radius} ({})", conditions(report)),
        Unit::Share => format!("{radius} times the radius given for each feature ({})", conditions(report)),
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
    let radius = within(report);
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
        within(report),
        counts.falsified,
        counts.misclassified,
        counts.unknown
    )
}

/// Whether the gate is met, in a sentence; none without a gate.
pub fn gate(report: &Report) -> Option<String> {
    let (require, lower) = (report.require?, report.coverage.lower);
    let share = percent(require);
    Some(match report.gate()? {
        true => format!("Gate met: the lower end {} % is at least {share} %.", down_to_reach(lower, require)),
        false => format!("Gate not met: the lower end {} % is below {share} %.", down(lower)),
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
    let bracket = certified_shares(report).map(|shares| radii(report, &shares));
    let sentences: Vec<String> = bracket.into_iter().chain(shard).collect();
    (!sentences.is_empty()).then(|| sentences.join(" "))
}

/// Up to which radius how many points are certified, of a run that looked for the radius of each point.
fn radii(report: &Report, shares: &[f64]) -> String {
    let unit = Unit::of(&report.facts().radius);
    let up_to = |part: f64| {
        let place = (part * shares.len() as f64).ceil() as usize;
        radius_down(unit.radius(shares.get(place.max(1) - 1).copied().unwrap_or(0.0)))
    };
    let what = if unit == Unit::Share { "this share of the radius" } else { "radius" };
    format!(
        "The run looked for the radius of each point ({}): 90 % of the points are certified up to {what} {}, 50 % up to {} and 10 % up to {}. \
         Verdicts and the interval speak of the largest radius that it looked at.",
        conditions(report),
        up_to(0.9),
        up_to(0.5),
        up_to(0.1)
    )
}
