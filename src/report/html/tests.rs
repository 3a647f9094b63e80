use bartizan_proof::Digest;

use super::table::in_page;

use crate::batch::manifest::Manifest;
use crate::batch::runner::End;
use crate::report::inputs::Inputs;
use crate::report::tests::{hostile, stored};
use crate::report::{Report, html};

fn page(report: &Report) -> String {
    let mut bytes = Vec::new();
    html::write(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_page_says_what_the_report_says() {
    let (_folder, run) = stored(10);
    let text = page(&Report::of(&run, 0.95, Some(0.5)).unwrap());
    for part in [
        "of at least 34.75 % and at most 97.48 % of inputs like these.",
        "Gate not met: the lower end 34.75 % is below 50 %.",
        "Of 10 points, 7 are certified within radius 8&#x2f;255 (linf; valid range 0 to 1), 1 are falsified, 1 are misclassified and 1 are unknown.",
        "the points were drawn independently from the distribution of inputs",
        "1 out of time",
        "Point 7: label 1 → 0",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(text.contains("default-src 'none'") && !text.contains("http://") && !text.contains("https://"));
}

/// Certified radii are rounded down and falsified ones up, as they are shown and in the data of the script.
#[test]
fn radii_in_a_page_claim_nothing_too_much() {
    let (_folder, run) = stored(10);
    let mut report = Report::of(&run, 0.95, None).unwrap();
    // 8/255 is 0.0313725..., half of it 0.0156862...
    report.points[0].certified_share = Some(0.99);
    report.points[0].falsified_share = Some(0.995);
    let text = page(&report);
    let cell = |radius: &str| format!("<td class=\"r\">{radius}</td>");
    for part in
        [cell("0.03105") + &cell("0.03122"), "\"certified\":[0.03105,".to_owned(), "\"falsified\":[0.03122,".to_owned()]
    {
        assert!(text.contains(&part), "{part} in {text}");
    }
    assert!(text.contains("within radius 0.01569"), "the card of point 7");
    assert!(text.contains(&(cell("0.01568") + &cell("70.00") + &cell("90.00"))), "not yet falsified: {text}");
}

#[test]
fn names_are_escaped_everywhere() {
    let (_folder, run) = hostile();
    let mut report = Report::of(&run, 0.95, None).unwrap();
    let evil = "</script><script>alert(1)</script>".to_owned();
    report.inputs = Inputs {
        class_names: Some(vec![evil.clone(), evil.clone()]),
        features: Some(vec![evil; 2]),
        ..Inputs::default()
    };
    let text = page(&report);
    assert!(!text.contains("<script>alert") && text.contains("&lt;script&gt;alert(1)"), "{text}");
    assert_eq!(text.matches("</script>").count(), 3);
    assert_eq!(in_page("{\"</script>&\"}"), "{\"\\u003c/script\\u003e\\u0026\"}");
}

fn manifest(report: &Report) -> Manifest {
    let Report { summary, interval, coverage, .. } = report;
    Manifest {
        end: End::Budget,
        root: Digest::of(b"root"),
        counts: summary.counts,
        interval: *interval,
        coverage: *coverage,
    }
}

#[test]
fn early_ends_and_empty_runs_are_told() {
    let (_folder, run) = stored(15);
    let mut report = Report::of(&run, 0.95, None).unwrap();
    assert!(
        page(&report)
            .contains("The run has not ended: it was stopped, or still goes on: 5 of 15 points have no answer")
    );
    report.end = Some(End::Budget);
    report.manifest = Some(manifest(&report));
    let text = page(&report);
    assert!(text.contains("The run&#x27;s time was over: 5 of 15 points have no answer; they count as unknown."));
    assert!(text.contains(&report.manifest.unwrap().root.to_string()));
    assert!(text.contains("each class has been charged with all of them"));
    report.points.clear();
    assert!(page(&report).contains("No point has an answer yet."));
}
