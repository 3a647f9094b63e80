use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::batch::store::{Store, StoredPoint};
use crate::batch::tests::{dataset, facts, two_inputs};
use crate::coverage::Sample;

/// A store of ten answers of a run over so many points: 7 certified, one falsified, one timeout, one misclassified.
fn stored(selected: usize) -> (TempDir, StoredRun) {
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
    let mut store = Store::create(&path, &facts).unwrap();
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

fn written(require: Option<f64>, form: fn(&Report, &mut Vec<u8>) -> std::io::Result<()>) -> String {
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
    assert!(!written(None, |report, bytes| text::write(report, bytes)).contains("Gate"));
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
