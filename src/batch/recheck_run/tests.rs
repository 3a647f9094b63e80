use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::batch::points::{PointAnswer, Run};
use crate::batch::store::{RunFacts, Store};
use crate::batch::tests::{dataset, question, two_inputs};
use crate::verify::{Options, Verifier};

/// Certified, certified, falsified, misclassified and unknown at the radius.
const POINTS: &str = "1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n0.5,0.3002,0\n";
const RADIUS: &str = "0.0999";

/// A folder with a finished run of all points.
fn stored() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let (verifier, set, question) = (Verifier::new(two_inputs()), dataset(POINTS), question(RADIUS));
    let facts = RunFacts {
        model: "m.onnx".to_owned(),
        model_sha256: verifier.network().digest(),
        data: "data.csv".to_owned(),
        data_sha256: set.points_origin().digest,
        labels: None,
        label_column: None,
        labels_sha256: set.labels_origin().digest,
        available: set.len(),
        selection: None,
        selected: set.len(),
        norm: "linf".to_owned(),
        radius: RADIUS.to_owned(),
        clip: None,
        mean: None,
        std: None,
        method: "auto".to_owned(),
        timeout: 60.0,
        attack: false,
        seed: 0,
    };
    let mut store = Store::create(&path, &facts).unwrap();
    let (selection, options): (Vec<usize>, Options) = ((0..set.len()).collect(), Options::default());
    let run = Run { verifier: &verifier, dataset: &set, selection: &selection, question: &question, options: &options };
    run.answer(2, |answer: PointAnswer| store.insert(&answer)).unwrap();
    store.close();
    (folder, path)
}

/// What a check with some points, radius and number of threads finds, after changes to the store.
fn checked(changes: &str, (points, radius): (&str, &str), jobs: usize) -> Findings {
    let (_folder, path) = stored();
    Connection::open(&path).unwrap().execute_batch(&format!("PRAGMA ignore_check_constraints = 1; {changes}")).unwrap();
    let (network, dataset, question) = (two_inputs(), dataset(points), question(radius));
    let asked = Asked { network: &network, dataset: &dataset, question: &question };
    let mut last = 0;
    let store = StoredRun::open(&path).unwrap();
    let findings = run(&store, asked, jobs, |findings| last = findings.points()).unwrap();
    assert_eq!(last, findings.points());
    findings
}

#[test]
fn what_is_true_is_accepted_whatever_the_number_of_threads() {
    for jobs in [1, 2, 9] {
        let findings = checked("", (POINTS, RADIUS), jobs);
        let expected = Findings { certified: 2, falsified: 1, misclassified: 1, unknown: 1, refused: Vec::new() };
        assert_eq!((findings.accepted(), findings), (4, expected));
    }
}

#[test]
fn every_false_row_is_refused_with_its_reason() {
    let cases = [
        ("certificate = zeroblob(9) WHERE point = 0", "the checker refused the certificate: "),
        (
            "certificate = substr(certificate, 1, length(certificate) - 1) WHERE point = 0",
            "the checker refused the certificate: ",
        ),
        (
            "certificate = (SELECT certificate FROM points WHERE point = 1) WHERE point = 0",
            "the certificate is for another property: expected ",
        ),
        ("certificate = NULL WHERE point = 0", "certificate: expected one, found none"),
        ("certificate = 'text' WHERE point = 0", "Invalid column type Text"),
        ("counterexample = NULL WHERE point = 2", "counterexample: expected one, found none"),
        ("counterexample = zeroblob(16) WHERE point = 2", "the checker refused the counterexample: "),
        ("counterexample = substr(counterexample, 1, 15) WHERE point = 2", "the checker refused the counterexample: "),
        ("verdict = 'misclassified' WHERE point = 2", "counterexample: expected the point itself, found another input"),
        ("verdict = 'certified' WHERE point = 4", "certificate: expected one, found none"),
        ("verdict = 'sound' WHERE point = 4", "found `sound`"),
        ("label = 1 WHERE point = 0", "label: expected 0, found 1"),
        ("property_sha256 = 'ab' WHERE point = 0", "digest of the property: expected "),
        ("point = 5 WHERE point = 4", "point: expected a point below 5, as the data set has, found 5"),
    ];
    for (change, expected) in cases {
        let refused = checked(&format!("UPDATE points SET {change}"), (POINTS, RADIUS), 2).refused;
        assert_eq!(refused.len(), 1, "{change}");
        let reason = refused[0].reason.to_string();
        assert!(reason.contains(expected), "{change}: {reason}");
    }
}

#[test]
fn another_question_or_other_points_are_noticed() {
    let refused = |points: &str, radius: &str| {
        let refused = checked("", (points, radius), 2).refused;
        refused.iter().map(|point| point.index).collect::<Vec<usize>>()
    };
    assert_eq!(refused(POINTS, "0.0998"), [0, 1, 2, 3, 4]);
    assert_eq!(refused(&POINTS.replace("0.5,1,1", "0.5,0.99,1"), RADIUS), [1]);
    assert_eq!(refused(&POINTS.replace("0.5,1,1", "0.5,1,0"), RADIUS), [1]);
}
