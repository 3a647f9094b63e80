use super::*;
use crate::batch::tests::{dataset, facts, two_inputs};
use crate::coverage::Sample;

const CONFIDENCE: f64 = 0.95;

fn point(index: usize, label: usize, (certified, falsified): (Option<f64>, Option<f64>)) -> PointFacts {
    let verdict = match (certified, falsified) {
        (_, Some(0.0)) => "misclassified",
        (_, Some(_)) => "falsified",
        (Some(1.0), _) => "certified",
        _ => "unknown",
    };
    PointFacts {
        index,
        label,
        predicted: label,
        confidence: 0.5 + index as f64 / 1000.0,
        verdict: verdict.to_owned(),
        time: Duration::from_secs(index as u64 + 1),
        reason: None,
        property_sha256: String::new(),
        certified_share: certified,
        leaves: None,
        certificate_bytes: None,
        falsified_share: falsified,
    }
}

fn asked(selected: usize, radius: &str) -> RunFacts {
    RunFacts { available: selected, selected, classes: 2, ..facts(&two_inputs(), &dataset("1,0,0\n"), radius) }
}

fn request(open_labels: Option<&[usize]>) -> Request<'_> {
    Request { confidence: CONFIDENCE, require: None, open_labels }
}

/// Three of four points of class 0 certified, one of two of class 1 falsified, the other unknown.
fn six() -> Vec<PointFacts> {
    let whole = (Some(1.0), None);
    let mut points: Vec<PointFacts> = (0..3).map(|index| point(index, 0, whole)).collect();
    points.push(point(3, 0, (None, Some(0.0))));
    points.extend([point(4, 1, (Some(0.25), Some(0.5))), point(5, 1, (Some(0.5), None))]);
    points
}

#[test]
fn classes_hold_together() {
    let figures = Figures::of(&asked(6, "0.2"), &six(), request(Some(&[])));
    let of = |class: usize| figures.classes[class].clone();
    assert_eq!((of(0).counts.certified, of(0).counts.misclassified, of(1).counts.unknown), (3, 1, 1));
    // Two classes: each interval at confidence 0.975 (Bonferroni).
    let expected = Coverage::of(Sample { points: 4, certain: 3, refuted: 1 }, several::each_confidence(2, CONFIDENCE));
    assert_eq!(of(0).coverage, Some(Coverage { confidence: CONFIDENCE, ..expected }));
    assert_eq!((of(0).p_value, figures.classes_are_complete), (None, true));
    // Binomial tails at 0.5: of 4, at least 3: 5/16; of 2, at least 0: 1. Holm doubles the smaller one.
    let gated = Figures::of(&asked(6, "0.2"), &six(), Request { require: Some(0.5), ..request(Some(&[])) });
    let values: Vec<f64> = gated.classes.iter().map(|class| class.p_value.unwrap()).collect();
    assert!((values[0] - 0.625).abs() < 1e-9 && values[1] == 1.0, "{values:?}");
    assert_eq!(Figures::of(&asked(4, "0.2"), &six()[..4], request(Some(&[]))).classes.len(), 1);
}

#[test]
fn points_without_an_answer_are_charged_where_they_belong_or_everywhere() {
    let known = Figures::of(&asked(9, "0.2"), &six(), request(Some(&[1, 1, 1])));
    assert_eq!((known.classes[0].counts.points, known.classes[1].counts.points), (4, 5));
    assert_eq!((known.classes[1].counts.unanswered, known.classes[1].counts.unknown), (3, 4));
    let lost = Figures::of(&asked(9, "0.2"), &six(), Request { require: Some(0.5), ..request(None) });
    assert!(!lost.classes_are_complete);
    let coverage = lost.classes[0].coverage.unwrap();
    let expected = Coverage::of(Sample { points: 7, certain: 3, refuted: 1 }, several::each_confidence(2, CONFIDENCE));
    assert_eq!((coverage.lower, coverage.upper), (expected.lower, expected.upper));
    // With any number of the three among its own, the interval of the class lies inside.
    for more in 0..=3 {
        let sample = Sample { points: 4 + more, certain: 3, refuted: 1 };
        let inner = Coverage::of(sample, several::each_confidence(2, CONFIDENCE));
        assert!(coverage.lower <= inner.lower && inner.upper <= coverage.upper);
    }
    assert_eq!((lost.classes[0].p_value, lost.classes[0].counts.points), (None, 4));
}

#[test]
fn the_curve_has_the_radii_of_the_points() {
    let curve = Figures::of(&asked(8, "0.2"), &six(), request(Some(&[0, 0]))).curve.unwrap();
    let radii: Vec<f64> = curve.steps.iter().map(|step| step.radius).collect();
    assert_eq!(radii, [0.0, 0.05, 0.1, 0.2]);
    let shares: Vec<(f64, f64)> = curve.steps.iter().map(|step| (step.lower_share, step.upper_share)).collect();
    assert_eq!(shares, [(0.625, 0.875), (0.625, 0.875), (0.5, 0.75), (0.375, 0.75)]);
    assert_eq!(curve.half_width, curve::half_width(8, CONFIDENCE));
    let shares = Figures::of(&asked(6, "0.1,0.2"), &six(), request(Some(&[])));
    assert_eq!((shares.unit, shares.curve.unwrap().steps.last().unwrap().radius), (Unit::Share, 1.0));
    assert_eq!(Figures::of(&asked(6, "0.2"), &[], request(None)).curve, None);
}

#[test]
fn rows_of_the_curve_hold_at_the_radius_that_they_show() {
    let step = |radius, share| Step { radius, lower_share: share, upper_share: share, lower: share, upper: share };
    let steps = vec![step(0.1, 0.75), step(0.123_49, 0.5), step(0.7 * 0.1 + 0.1, 0.25)];
    let rows = Curve { steps, half_width: 0.1, confidence: CONFIDENCE }.rows(12);
    let shown: Vec<(&str, f64, f64)> =
        rows.iter().map(|(r, step)| (r.as_str(), step.lower_share, step.upper_share)).collect();
    // At 0.1234 points may be robust that are falsified at 0.12349.
    assert_eq!(shown, [("0.1", 0.75, 0.75), ("0.1234", 0.5, 0.75), ("0.17", 0.25, 0.25)]);
}

#[test]
fn confident_inputs_need_many_points_with_answers() {
    assert_eq!(Figures::of(&asked(6, "0.2"), &six(), request(Some(&[]))).global, None);
    let points: Vec<PointFacts> =
        (0..400).map(|index| point(index, 0, (Some(if index < 100 { 0.5 } else { 1.0 }), None))).collect();
    let global = Figures::of(&asked(400, "0.2"), &points, request(Some(&[]))).global.unwrap();
    assert_eq!(Some(global.eps), global::mass(400, 1.0 - CONFIDENCE));
    let rounded: Vec<(f64, f64)> = global.pairs.iter().map(|pair| (pair.kappa.next_down(), pair.rho)).collect();
    assert_eq!(rounded, [(0.599, 0.2), (0.0f64.next_down(), 0.1)]);
    // One point without an answer may be as confident as any, and robust nowhere.
    assert_eq!(Figures::of(&asked(401, "0.2"), &points, request(Some(&[0]))).global, None);
}

#[test]
fn drawn_runs_have_counts_only() {
    let facts = RunFacts { is_drawn: true, ..asked(6, "0.2") };
    let figures = Figures::of(&facts, &six(), Request { require: Some(0.5), ..request(Some(&[])) });
    assert_eq!((figures.curve, figures.global), (None, None));
    assert!(figures.classes.iter().all(|class| class.coverage.is_none() && class.p_value.is_none()));
    assert_eq!(figures.classes[0].counts.certified, 3);
}

#[test]
fn times_are_ranks_and_long_lists_are_thinned() {
    let times = Figures::of(&asked(6, "0.2"), &six(), request(Some(&[]))).times;
    let seconds: Vec<(f64, u64)> = times.iter().map(|(share, time)| (*share, time.as_secs())).collect();
    assert_eq!(seconds, [(0.5, 3), (0.9, 6), (0.99, 6), (1.0, 6)]);
    assert!(times_of_nothing().is_empty());
    let thin = thinned((0..1000).collect(), 10);
    assert_eq!((thin.len(), thin[0], thin[9]), (10, 0, 999));
}

fn times_of_nothing() -> Vec<(f64, Duration)> {
    Figures::of(&asked(6, "0.2"), &[], request(None)).times
}
