use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::batch::runner::Aim;
use crate::batch::store::{Store, StoredPoint};
use crate::batch::tests::{dataset, facts, two_inputs};
use crate::coverage::Sample;

/// A store of ten answers of a run over so many points: 7 certified, one falsified, one timeout, one misclassified.
pub(super) fn stored(selected: usize) -> (TempDir, StoredRun) {
    stored_as(selected, |facts| facts)
}

/// The same with file names that would do harm where they are not escaped.
pub(super) fn hostile() -> (TempDir, StoredRun) {
    let evil = |name: &str| format!("/home/me/<script>alert(1)</script>&\"'{name}");
    stored_as(10, |facts| RunFacts {
        model: evil("m.onnx"),
        data: evil("x"),
        points_name: evil("x"),
        labels_name: evil("y"),
        ..facts
    })
}

fn stored_as(selected: usize, change: impl FnOnce(RunFacts) -> RunFacts) -> (TempDir, StoredRun) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let text = |text: &str| Some(text.to_owned());
    let facts = RunFacts {
        dropped_activation: text("Softmax s"),
        points_name: "x.npy".to_owned(),
        labels_name: "y.npy".to_owned(),
        clip: text("0,1"),
        available: 100,
        selection: Some(format!("0..{selected}")),
        selected,
        ..facts(&two_inputs(), &dataset("1,0,0\n"), "8/255")
    };
    let mut store = Store::create(&path, &change(facts)).unwrap();
    let record = |index: usize, verdict: &str, milliseconds| {
        let falsified_share = match verdict {
            "falsified" => Some(0.5),
            "misclassified" => Some(0.0),
            _ => None,
        };
        let certificate = (verdict == "certified").then(|| vec![0; 9]);
        let counterexample = falsified_share.map(|_| vec![0.1, 0.2]);
        let facts = PointFacts {
            index,
            label: 1,
            predicted: 1,
            confidence: 0.75,
            verdict: verdict.to_owned(),
            time: Duration::from_millis(milliseconds),
            reason: (verdict == "timeout").then(|| "timeout".to_owned()),
            property_sha256: "ab".to_owned(),
            certified_share: certificate.as_ref().map(|_| 1.0),
            leaves: certificate.as_ref().map(|_| 1),
            certificate_bytes: certificate.as_ref().map(Vec::len),
            falsified_share,
        };
        StoredPoint { facts, certificate, counterexample_output: counterexample.clone(), counterexample }
    };
    let mut points: Vec<StoredPoint> = (0..7).map(|i| record(i, "certified", 10)).collect();
    points.extend([record(7, "falsified", 20), record(8, "timeout", 60_000), record(9, "misclassified", 1)]);
    points.iter().for_each(|point| store.insert_point(point).unwrap());
    store.close();
    (folder, StoredRun::open(&path).unwrap())
}

fn written(require: Option<f64>, form: Form) -> String {
    let (folder, run) = stored(10);
    let mut report = Report::of(&run, 0.95, require).unwrap();
    report.session = Some(Session { time: Duration::from_millis(61_500), jobs: 2 });
    let mut bytes = Vec::new();
    form(&report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap().replace(&folder.path().display().to_string(), "here")
}

#[test]
fn table() {
    let expected = "\
model          m.onnx (2 inputs, 2 classes)
               Softmax s at its end left out: it does not change which output is largest
data           x.npy, labels y.npy
radius         8/255 in linf, clipped to 0,1
points              10  of 100 in the file
correct              9   90.0 %
certified            7   70.0 %
falsified            1   10.0 %
unknown              1   10.0 %
  timeouts           1   10.0 %
misclassified        1   10.0 %
time           median 0.010 s, longest 60.000 s a point; 61.5 s in all
store          here/run.db

With confidence 95 %, the network is correct and robust at between 34.75 % and 97.48 % of inputs (Clopper-Pearson; \
                    unknowns count against both ends).
Assumed: the points were drawn independently from the distribution of inputs that the statement is about, and were not \
                    chosen by their outcomes.
Gate not met: the lower end 34.75 % is below 50 %.
";
    assert_eq!(written(Some(0.5), |report, bytes| text::write(report, bytes)), expected);
    let met = written(Some(0.25), |report, bytes| text::write(report, bytes));
    assert!(met.ends_with("Gate met: the lower end 34.75 % is at least 25 %.\n"));
    let narrow = written(Some(0.347_545), |report, bytes| text::write(report, bytes));
    assert!(narrow.ends_with("Gate met: the lower end 34.7547 % is at least 34.7545 %.\n"), "{narrow}");
    assert!(!written(None, |report, bytes| text::write(report, bytes)).contains("Gate"));
    let (_folder, run) = stored(15);
    let early = text_of(&Report::of(&run, 0.95, None).unwrap(), |report, bytes| text::write(report, bytes));
    assert!(
        early.contains("\ncorrect              9   60.0 %\n") && early.contains("  unanswered         5   33.3 %\n")
    );
}

#[test]
fn json() {
    let text = written(None, |report, bytes| json::write(report, bytes));
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (name, count) in
        [("points", 10), ("correct", 9), ("certified", 7), ("falsified", 1), ("unknown", 1), ("timeouts", 1)]
    {
        assert_eq!(object[name], count, "{name}");
    }
    assert_eq!((&object["misclassified"], &object["time_s"]), (&1.into(), &61.5.into()));
    assert!((object["coverage"]["lower"].as_f64().unwrap() - 0.347_547_145_9).abs() < 1e-6);
    assert!(object["coverage"]["assumptions"].as_str().unwrap().starts_with("the points were drawn independently"));
    assert_eq!((&object["gate_met"], &object["ended_by"]), (&serde_json::Value::Null, &serde_json::Value::Null));
    assert_eq!((&object["options"]["radius"], &object["model"]["path"]), (&"8/255".into(), &"m.onnx".into()));
    assert_eq!((&object["store"], &object["unanswered"]), (&"here/run.db".into(), &0.into()));
    let result = |i: usize| object["results"][i].clone();
    assert_eq!(result(7)["counterexample"]["input"][0], 0.1);
    let first = serde_json::json!({"index": 0, "label": 1, "predicted": 1, "confidence": 0.75, "verdict": "certified", "time_s": 0.01,
                                   "certified_share": 1.0});
    assert_eq!(result(0), first);
    assert_eq!(result(8)["reason"], "timeout");
    assert!(text.starts_with(r#"{"model":{"path":"m.onnx""#) && text.ends_with("}\n"));
}

#[test]
fn points_without_an_answer_count_against_both_ends() {
    let (_folder, run) = stored(15);
    let report = Report::of(&run, 0.95, None).unwrap();
    let counts = report.summary.counts;
    assert_eq!((counts.points, counts.unknown, counts.unanswered), (15, 6, 5));
    let sample = Sample { points: 15, certain: 7, refuted: 2 };
    assert_eq!(report.coverage, Coverage::of(sample, 0.95));
}

/// How a form of report is written.
type Form = fn(&Report, &mut Vec<u8>) -> std::io::Result<()>;

/// What a form writes, as text.
fn text_of(report: &Report, form: Form) -> String {
    let mut bytes = Vec::new();
    form(report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn runs_for_radii_say_first_how_far_they_got() {
    let at = |selected| {
        let (_folder, run) = stored_as(selected, |facts| RunFacts { aim: Aim::Bracket(0.1), ..facts });
        wording::headline(&Report::of(&run, 0.95, None).unwrap())
    };
    // Of ten points seven are certified; the band is 0.43 wide.
    assert_eq!(
        at(10),
        "With confidence 95 %, the network gives the right answer everywhere within radius 0.03137 (linf; valid range 0 to 1) of at least \
         a tenth of inputs like these."
    );
    let (_folder, run) = stored_as(10, |facts| RunFacts { aim: Aim::Bracket(0.1), ..facts });
    let scope = wording::scope(&Report::of(&run, 0.95, None).unwrap()).unwrap();
    assert!(
        scope.starts_with("The run looked for the radius of each point (linf; valid range 0 to 1): 90 % of the points"),
        "{scope}"
    );
    // Thirty more without an answer leave nothing, so that the interval is told.
    assert!(at(40).starts_with(
        "With confidence 95 %, the network gives the right answer everywhere within radius 8/255 (linf; valid range 0 to 1) of"
    ));
    let (_folder, run) = stored(10);
    assert!(wording::radius_statement(&Report::of(&run, 0.95, None).unwrap()).is_none());
}

/// A run with features held fixed claims nothing of inputs where they change, in no form.
#[test]
fn every_form_says_what_was_held_fixed() {
    let fixed = |text: &str| {
        let text = Some(text.to_owned());
        stored_as(10, |facts| RunFacts { fixed: text, clip: None, input_shape: vec![30], ..facts })
    };
    let (_folder, run) = fixed("3,7..9");
    let report = Report::of(&run, 0.95, Some(0.25)).unwrap();
    let claim = "radius 8/255 (linf; features 3,7..9 held fixed)";
    let statement = format!(
        "With confidence 95 %, the network gives the right answer everywhere within {claim} of at least 34.75 % and at most 97.48 % of \
         inputs like these."
    );
    assert_eq!((wording::statement(&report), wording::headline(&report)), (statement.clone(), statement.clone()));
    assert!(wording::proved(&report).starts_with(&format!("Of 10 points, 7 are certified within {claim}, 1 are")));
    let forms: [Form; 5] = [
        |report, bytes| markdown::write(report, bytes),
        |report, bytes| json::write(report, bytes),
        |report, bytes| junit::write(report, bytes),
        |report, bytes| sarif::write(report, bytes),
        |report, bytes| html::write(report, bytes),
    ];
    for (place, form) in forms.into_iter().enumerate() {
        let text = text_of(&report, form).replace("&#x2f;", "/");
        assert!(text.contains(&statement), "form {place}: {text}");
    }
    let figures = report.figures().unwrap();
    let estimates =
        estimates::Estimates { report: &report, figures: &figures, groups: None, population: None, fresh: None };
    let mut bytes = Vec::new();
    estimates::write(&estimates, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        text.contains(&statement) && text.contains("Radius curve (linf; features 3,7..9 held fixed; band"),
        "{text}"
    );
    assert!(text.contains(" percentage points either way)"), "{text}");
    assert_eq!(estimates::to_json(&estimates)["within"], claim);
    let text = text_of(&report, |report, bytes| text::write(report, bytes));
    assert!(text.contains("\nheld fixed     features 3,7..9\n"), "{text}");
    for (text, told) in [("3", "feature 3 held fixed"), ("0,2,4..6,8", "5 features held fixed")] {
        let (_folder, run) = fixed(text);
        assert_eq!(wording::conditions(&Report::of(&run, 0.95, None).unwrap()), format!("linf; {told}"));
    }
}

#[test]
fn radii_of_features_are_reported_as_shares() {
    let (_folder, run) = stored_as(10, |facts| RunFacts { radius: "0.1,0.2".to_owned(), ..facts });
    let report = Report::of(&run, 0.95, Some(0.5)).unwrap();
    let pairs = vec![crate::coverage::global::Pair { kappa: 0.5, rho: 0.123_49 }];
    let global = figures::Global { eps: 0.25, pairs, confidence: 0.95 };
    let figures = Figures { global: Some(global), ..report.figures().unwrap() };
    let estimates =
        estimates::Estimates { report: &report, figures: &figures, groups: None, population: None, fresh: None };
    let mut bytes = Vec::new();
    estimates::write(&estimates, &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("\n  confidence at least 0.500000, share of the radius 0.1234\n"), "{text}");
    let object = estimates::to_json(&estimates);
    assert_eq!((&object["global"]["unit"], &object["curve"]["unit"]), (&"share".into(), &"share".into()));
    let adjusted = object["classes"][0]["p_value_assumptions"].as_str().unwrap();
    assert!(adjusted.contains("adjusted by Holm's method"), "{adjusted}");
}

#[test]
fn objects_hold_the_figures() {
    let object: serde_json::Value =
        serde_json::from_str(&written(Some(0.5), |report, bytes| json::write(report, bytes))).unwrap();
    let figures = &object["figures"];
    assert_eq!((&figures["classes"][0]["class"], &figures["classes"][0]["certified"]), (&1.into(), &7.into()));
    assert!(figures["classes"][0]["p_value"].as_f64().unwrap() > 0.05);
    assert!(figures["p_values_assumptions"].as_str().unwrap().contains("Holm's method"));
    assert_eq!(figures["curve"]["steps"][0]["radius"], 0.0);
    assert_eq!((&figures["global"], &figures["radius_unit"]), (&serde_json::Value::Null, &"raw".into()));
    assert!(
        object["statement"].as_str().unwrap().starts_with("With confidence 95 %, the network gives the right answer")
    );
}

#[test]
fn junit_counts_failures_and_what_was_skipped() {
    let (_folder, run) = stored(12);
    let text = text_of(&Report::of(&run, 0.95, Some(0.9)).unwrap(), |report, bytes| junit::write(report, bytes));
    assert!(text.contains(r#"<testsuites name="bartizan" tests="13" skipped="3" failures="3" errors="0">"#), "{text}");
    assert!(text.contains(r#"<testsuite name="gate" tests="1" skipped="0" errors="0" failures="1">"#));
    for part in [
        r#"<failure message="label 1, but another output is at least as large" type="misclassified"/>"#,
        r#"<failure message="an input within radius 8/255 (linf) does not get label 1 alone" type="falsified"/>"#,
        r#"<testcase name="point 8 (label 1)" classname="bartizan" time="60.000">"#,
        r#"<skipped message="timeout"/>"#,
        r#"<skipped message="the run ended without an answer"/>"#,
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    for require in [0.1, 0.9] {
        let text =
            text_of(&Report::of(&run, 0.95, Some(require)).unwrap(), |report, bytes| junit::write(report, bytes));
        for property in
            ["name=\"confidence\" value=\"0.95\"", "value=\"Clopper-Pearson;", "value=\"the points were drawn"]
        {
            assert!(text.contains(property), "{property} in {text}");
        }
    }
    let (_folder, run) = hostile();
    let text = text_of(&Report::of(&run, 0.95, None).unwrap(), |report, bytes| junit::write(report, bytes));
    assert!(!text.contains("<script>") && text.contains("&lt;script&gt;"));
}

#[test]
fn sarif_names_points_but_no_machine() {
    let (_folder, run) = hostile();
    let report = Report::of(&run, 0.95, None).unwrap();
    let text = text_of(&report, |report, bytes| sarif::write(report, bytes));
    assert!(!text.contains("/home"), "{text}");
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let rules: Vec<&str> = results.iter().map(|result| result["ruleId"].as_str().unwrap()).collect();
    assert_eq!((log["version"].as_str(), rules), (Some("2.1.0"), vec!["falsified", "misclassified"]));
    assert_eq!(
        results[0]["message"]["text"],
        "Point 7: an input within radius 8/255 (linf) does not get its label 1 alone; the checker replayed it."
    );
    assert_eq!(results[1]["message"]["text"], "Point 9 has label 1, but another output is at least as large.");
    let other = PointFacts { predicted: 4, ..report.points[9].clone() };
    assert_eq!(wording::mistake(&other), "the network predicts 4");
    let properties = &log["runs"][0]["properties"];
    assert_eq!(
        (&properties["assumptions"], &properties["method"]),
        (&report.assumptions().into(), &report.method().into())
    );
    assert_eq!(properties["statementAssumptions"], properties["assumptions"]);
    let fingerprints: Vec<&str> =
        results.iter().map(|result| result["partialFingerprints"]["bartizanPoint/v1"].as_str().unwrap()).collect();
    assert!(fingerprints[0].len() == 64 && fingerprints[0] != fingerprints[1]);
}

#[test]
fn tables_of_points_hold_every_answer() {
    let (_folder, run) = stored(10);
    let report = Report::of(&run, 0.95, None).unwrap();
    let text = text_of(&report, |report, bytes| csv::write(report, bytes));
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines.len(), lines[0]), (11, rows::COLUMNS.join(",").as_str()));
    assert_eq!(lines[1], "0,1,1,0.75,certified,1,0.03137254901960784,,,0.01,,9,1,ab");
    assert_eq!(lines[9], "8,1,1,0.75,timeout,,,,,60,timeout,,,ab");
}

#[test]
fn parquet_files_are_read_back() {
    use ::parquet::file::reader::{FileReader, SerializedFileReader};
    use ::parquet::record::RowAccessor;
    let (folder, run) = stored(10);
    let path = folder.path().join("points.parquet");
    parquet::write(&Report::of(&run, 0.95, None).unwrap(), std::fs::File::create(&path).unwrap()).unwrap();
    let reader = SerializedFileReader::new(std::fs::File::open(&path).unwrap()).unwrap();
    let rows: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
    assert_eq!((rows.len(), rows[7].get_long(0).unwrap(), rows[7].get_double(7).unwrap()), (10, 7, 0.5));
    assert_eq!(
        (rows[8].get_string(10).unwrap().as_str(), rows[0].get_string(4).unwrap().as_str()),
        ("timeout", "certified")
    );
    assert!(rows[0].get_double(7).is_err(), "null");
    let names: Vec<String> = rows[0].get_column_iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, rows::COLUMNS);
}

#[test]
fn summaries_in_markdown() {
    let text = written(Some(0.25), |report, bytes| markdown::write(report, bytes));
    assert!(text.starts_with(
        "## Robustness of `m.onnx` on `x.npy`\n\n✅ **Gate met: the lower end 34.75 % is at least 25 %.**\n"
    ));
    assert!(text.contains("\n| certified | 7 | 70.0 % |\n| falsified | 1 | 10.0 % |\n"));
    assert!(text.contains("| of these out of time | 1 | 10.0 % |") && !text.contains("without an answer"));
}
