use super::*;

fn options(require: Option<f64>) -> OptionFacts {
    OptionFacts {
        norm: "linf",
        radius: "8/255".to_owned(),
        clip: Some("0,1".to_owned()),
        mean: None,
        std: None,
        select: None,
        method: "auto".to_owned(),
        timeout: 60.0,
        seed: 0,
        jobs: 2,
        confidence: 0.95,
        require,
    }
}

fn records() -> Vec<PointRecord> {
    let record = |index: usize, verdict, milliseconds| PointRecord {
        index,
        label: 1,
        verdict,
        time: Duration::from_millis(milliseconds),
        reason: (verdict == "timeout").then(|| "timeout".to_owned()),
        counterexample: (verdict == "falsified").then(|| Counterexample { input: vec![0.1], output: vec![1.0, 2.0] }),
    };
    let mut records: Vec<PointRecord> = (0..7).map(|i| record(i, "certified", 10)).collect();
    records.extend([record(7, "falsified", 20), record(8, "timeout", 60_000), record(9, "misclassified", 1)]);
    records
}

fn written(require: Option<f64>, form: fn(&Report, &mut Vec<u8>) -> std::io::Result<()>) -> String {
    let (records, options) = (records(), options(require));
    let (summary, coverage) = Report::figures(&records, records.len(), 0.95);
    let sha256 = Digest::of(b"");
    let model = ModelFacts {
        path: "m.onnx".to_owned(),
        sha256,
        inputs: 1,
        classes: 2,
        dropped_activation: Some("Softmax s".to_owned()),
    };
    let (points, labels) = ("x.npy".to_owned(), "y.npy".to_owned());
    let data = DataFacts { points, points_sha256: sha256, labels, labels_sha256: sha256, available: 100 };
    let time = Duration::from_millis(61_500);
    let report = Report {
        model,
        data,
        options: &options,
        summary,
        coverage,
        time,
        store: Some("run.db".to_owned()),
        points: &records,
    };
    let mut bytes = Vec::new();
    form(&report, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn text() {
    let expected = "\
model          m.onnx (1 inputs, 2 classes)
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
store          run.db

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
    assert_eq!(
        (&object["coverage"]["assumptions"], &object["gate_met"]),
        (&ASSUMPTIONS.into(), &serde_json::Value::Null)
    );
    assert_eq!((&object["options"]["radius"], &object["model"]["path"]), (&"8/255".into(), &"m.onnx".into()));
    assert_eq!((&object["store"], &object["unanswered"]), (&"run.db".into(), &0.into()));
    let result = |i: usize| object["results"][i].clone();
    assert_eq!(result(7)["counterexample"]["input"][0], 0.1);
    assert_eq!(result(0), serde_json::json!({"index": 0, "label": 1, "verdict": "certified", "time_s": 0.01}));
    assert_eq!(result(8)["reason"], "timeout");
    assert!(text.starts_with(r#"{"model":{"path":"m.onnx""#) && text.ends_with("}\n"));
}

#[test]
fn points_without_an_answer_count_against_both_ends() {
    let records = records();
    let (summary, coverage) = Report::figures(&records, 15, 0.95);
    assert_eq!((summary.points, summary.unknown, summary.unanswered), (15, 6, 5));
    let sample = Sample { points: 15, certain: 7, refuted: 2 };
    assert_eq!(coverage, Coverage::of(sample, 0.95));
}
