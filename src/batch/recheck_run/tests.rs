use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;
use crate::batch::runner::Plan;
use crate::batch::store::Store;
use crate::batch::tests::{self, dataset, question, two_inputs};

/// Certified, certified, falsified, misclassified and unknown at the radius.
const POINTS: &str = "1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n0.5,0.3002,0\n";
const RADIUS: &str = "0.0999";

/// A folder with a finished run of all points.
fn stored() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let (set, question) = (dataset(POINTS), question(RADIUS));
    let mut store = Store::create(&path, &tests::facts(&two_inputs(), &set, RADIUS)).unwrap();
    let answers = tests::answers(&set, &question, Plan::simple(2));
    answers.iter().for_each(|answer| store.insert(answer).unwrap());
    store.close();
    (folder, path)
}

/// What a check with some points, radius and number of threads finds, after changes to the store.
fn checked(changes: &str, of: (&str, &str), jobs: usize) -> Findings {
    result_of(changes, of, jobs).unwrap()
}

fn result_of(changes: &str, (points, radius): (&str, &str), jobs: usize) -> Result<Findings, BatchError> {
    let (_folder, path) = stored();
    Connection::open(&path).unwrap().execute_batch(&format!("PRAGMA ignore_check_constraints = 1; {changes}")).unwrap();
    let (network, dataset, question) = (two_inputs(), dataset(points), question(radius));
    let model = Model::of(&network);
    let asked = Asked { network: &network, model: &model, dataset: &dataset, question: &question };
    let mut last = 0;
    let store = StoredRun::open(&path).unwrap();
    let (findings, read) = run(&store, asked, jobs, |findings| last = findings.points())?;
    assert!(last == findings.points() && read.len() <= last);
    Ok(findings)
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
        ("falsified_share = 0 WHERE point = 2", "counterexample: expected the point itself, found another input"),
        ("falsified_share = 0.01 WHERE point = 2", "the checker refused the counterexample: "),
        ("falsified_share = 2 WHERE point = 2", "falsified share: expected a share from 0 to 1, found 2"),
        ("certified_share = 0 WHERE point = 0", "certified share: expected a share greater than 0 to 1, found 0"),
        ("certified_share = 0.5 WHERE point = 0", "the certificate is for another property: expected "),
        (
            "counterexample_output = zeroblob(16) WHERE point = 2",
            "counterexample's outputs: expected those that the replay gives, found others",
        ),
        (
            "verdict = 'misclassified' WHERE point = 2",
            "expected `falsified`, as the evidence says, found `misclassified`",
        ),
        (
            "verdict = 'certified' WHERE point = 4",
            "expected `unknown` or `timeout`, as the evidence says, found `certified`",
        ),
        ("verdict = 'unknown' WHERE point = 0", "expected `certified`, as the evidence says, found `unknown`"),
        ("verdict = 'sound' WHERE point = 4", "found `sound`"),
        ("predicted = 1 WHERE point = 0", "predicted class: expected 0, found 1"),
        ("confidence = 0.25 WHERE point = 0", "confidence: expected 0.7"),
        ("label = 1 WHERE point = 0", "label: expected 0, found 1"),
        ("property_sha256 = 'ab' WHERE point = 0", "digest of the property: expected "),
        ("point = 5 WHERE point = 4", "point: expected one that the run asks for, found 5"),
        ("leaves = 7 WHERE point = 0", "leaves: expected 1, found 7"),
        ("leaves = 1 WHERE point = 4", "leaves: expected nothing, found 1"),
        ("certificate_bytes = 1 WHERE point = 0", "bytes of the certificate: expected "),
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

#[test]
fn points_must_be_those_that_were_asked_for() {
    let refused = |run: &str| {
        let changes = format!("UPDATE run SET {run}");
        result_of(&changes, (POINTS, RADIUS), 2).map(|findings| findings.refused)
    };
    let message = |run: &str| refused(run).unwrap_err().to_string();
    // Hard points cannot be left out afterwards.
    assert!(message("selected = 2").ends_with("table `run`, column `selected`: expected 5, found 2"));
    assert!(message("available = 2").ends_with("table `run`, column `available`: expected 5, found 2"));
    assert!(message("selection = '0..9'").contains("expected indices below 5, the number of points, found `0..9`"));
    // Nor can easy ones be answered in their place.
    for run in ["selection = '0,2..5', selected = 4", "shard = '2/5'"] {
        let refused = refused(run).unwrap();
        assert!(refused.iter().any(|point| point.reason == other("point", "one that the run asks for", point.index)));
        assert_eq!(refused.len(), if run.starts_with("shard") { 4 } else { 1 }, "{run}");
    }
}

#[test]
fn a_point_has_one_row() {
    let twice = "CREATE TABLE other AS SELECT * FROM points; INSERT INTO other SELECT * FROM points WHERE point = 0;
                 DROP TABLE points; ALTER TABLE other RENAME TO points;";
    let message = result_of(twice, (POINTS, RADIUS), 2).unwrap_err().to_string();
    assert!(
        message.ends_with("table `points`, point 0: expected every point once, found another row of it"),
        "{message}"
    );
}
