use std::fs;

use bartizan_proof::Digest;
use rusqlite::Connection;

use super::*;
use crate::batch::points::{PointAnswer, PointVerdict, Run};
use crate::batch::tests::{dataset, question, two_inputs};
use crate::verify::{Options, Verifier};

/// Certified, certified, falsified, misclassified and unknown at a radius of 0.0999.
const POINTS: &str = "1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n0.5,0.3002,0\n";

fn facts() -> RunFacts {
    let text = |text: &str| Some(text.to_owned());
    RunFacts {
        model: "m.onnx".to_owned(),
        model_sha256: Digest::of(b"m"),
        data: "d.npz:x".to_owned(),
        data_sha256: Digest::of(b"x"),
        labels: None,
        label_column: text("class"),
        labels_sha256: Digest::of(b"y"),
        available: 100,
        selection: text("0..5"),
        selected: 5,
        norm: "linf".to_owned(),
        radius: "8/255".to_owned(),
        clip: text("0,1"),
        mean: text("0.1307"),
        std: None,
        method: "auto".to_owned(),
        timeout: 1.5,
        attack: true,
        seed: u64::MAX,
    }
}

/// Real answers of every kind.
fn answers() -> Vec<PointAnswer> {
    let (verifier, set, question) = (Verifier::new(two_inputs()), dataset(POINTS), question("0.0999"));
    let (selection, options) = ([0, 1, 2, 3, 4], Options::default());
    let run = Run { verifier: &verifier, dataset: &set, selection: &selection, question: &question, options: &options };
    let mut answers = Vec::new();
    let collect = |answer| {
        answers.push(answer);
        Ok::<(), BatchError>(())
    };
    run.answer(1, collect).unwrap();
    let words: Vec<&str> = answers.iter().map(|answer| answer.verdict.word()).collect();
    assert_eq!(words, ["certified", "certified", "falsified", "misclassified", "unknown"]);
    answers
}

/// A message without the folder of the file.
fn message<T: std::fmt::Debug>(result: Result<T, BatchError>) -> String {
    let text = result.unwrap_err().to_string();
    text[text.find("run.db").unwrap()..].to_owned()
}

#[test]
fn what_is_stored_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let (mut store, answers) = (Store::create(&path, &facts()).unwrap(), answers());
    let reader = StoredRun::open(&path).unwrap();
    for (count, answer) in answers.iter().enumerate() {
        assert_eq!(reader.indices().unwrap().len(), count, "a reader sees what is committed, and only that");
        store.insert(answer).unwrap();
    }
    assert_eq!((reader.facts(), reader.tool()), (&facts(), concat!("bartizan ", env!("CARGO_PKG_VERSION"))));
    assert_eq!((reader.started_at().len(), reader.started_at().ends_with('Z')), (20, true));
    drop(reader);
    store.close();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "one file in the end");
    let stored = StoredRun::open(&path).unwrap();
    assert_eq!(stored.indices().unwrap(), [0, 1, 2, 3, 4]);
    for answer in &answers {
        let point = stored.point(answer.index).unwrap();
        assert_eq!(
            (point.index, point.label, point.verdict.as_str()),
            (answer.index, answer.label, answer.verdict.word())
        );
        assert_eq!(point.property_sha256, answer.property.to_string());
        assert_eq!(point.counterexample.as_deref(), answer.verdict.counterexample().map(|v| v.point()));
        match &answer.verdict {
            PointVerdict::Certified(_, bytes) => assert_eq!(point.certificate.as_ref(), Some(bytes)),
            _ => assert_eq!(point.certificate, None),
        }
    }
    assert!(is_database(&path) && !is_database(&folder.path().join("none")));
    assert_eq!(message(stored.point(7)), "run.db: cannot read: Query returned no rows");
}

#[test]
fn a_run_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    fs::write(&path, "precious").unwrap();
    let expected = "run.db: store: expected no file of this name, as a run is never overwritten, found one";
    assert_eq!(message(Store::create(&path, &facts())), expected);
    assert_eq!(fs::read(&path).unwrap(), b"precious");
    let missing = folder.path().join("run.db/run.db");
    assert!(message(Store::create(&missing, &facts())).ends_with("cannot write: Not a directory (os error 20)"));
}

#[test]
fn names_mean_files_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for name in [":memory:", "file:run.db?mode=memory", "run.db"] {
        let path = folder.path().join(name);
        Store::create(&path, &facts()).unwrap().close();
        assert!(StoredRun::open(&path).is_ok() && fs::metadata(&path).unwrap().len() > 0, "{name}");
    }
}

#[test]
fn files_of_another_kind_or_version_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let opened = || message(StoredRun::open(&path));
    assert_eq!(opened(), "run.db: cannot read: No such file or directory (os error 2)");
    let kind = "run.db: file: expected a run that `bartizan certify --store` wrote, found ";
    fs::write(&path, "index,label\n".repeat(100)).unwrap();
    assert_eq!(opened(), format!("{kind}something else than an SQLite database"));
    fs::write(&path, "").unwrap();
    assert_eq!(opened(), format!("{kind}an SQLite database without one"));
    let change = |sql: &str| Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    change("CREATE TABLE run (format)");
    assert_eq!(opened(), format!("{kind}an SQLite database without one"));
    fs::remove_file(&path).unwrap();
    Store::create(&path, &facts()).unwrap().close();
    change("UPDATE run SET seed = 'x'");
    assert_eq!(
        opened(),
        "run.db: cannot read: Conversion error from type Text at index: 22, invalid digit found in string: `x`"
    );
    change("UPDATE run SET format = 2; ALTER TABLE run DROP COLUMN seed");
    assert_eq!(opened(), "run.db: table `run`, column `format`: expected 1, found 2");
}

#[test]
fn a_disk_that_fills_up_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let mut store = Store::create(&path, &facts()).unwrap();
    let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    store.connection.pragma_update_and_check(None, "max_page_count", pages + 2, |_| Ok(())).unwrap();
    let mut answer = answers().remove(0);
    let mut stored = 0;
    let error = loop {
        answer.index = stored;
        match store.insert(&answer) {
            Ok(()) => stored += 1,
            result => break message(result),
        }
    };
    assert_eq!(error, "run.db: cannot write: database or disk is full");
    store.close();
    let reader = StoredRun::open(&path).unwrap();
    let indices = reader.indices().unwrap();
    assert!(stored > 0 && indices == (0..stored).collect::<Vec<_>>(), "{stored} {indices:?}");
    assert!(indices.iter().all(|index| reader.point(*index).unwrap().certificate.is_some()));
}

#[test]
fn rows_that_contradict_themselves_are_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::create(&folder.path().join("run.db"), &facts()).unwrap();
    answers().iter().for_each(|answer| store.insert(answer).unwrap());
    for change in [
        "verdict = 'certified' WHERE point = 2",
        "verdict = 'falsified' WHERE point = 0",
        "verdict = 'fine' WHERE point = 4",
        "certificate = NULL WHERE point = 0",
        "certificate_bytes = 1 WHERE point = 0",
    ] {
        let changed = store.connection.execute_batch(&format!("UPDATE points SET {change}"));
        assert!(changed.unwrap_err().to_string().contains("CHECK constraint failed"), "{change}");
    }
    assert!(store.insert(&answers()[0]).unwrap_err().to_string().contains("UNIQUE constraint failed: points.point"));
    assert!(store.connection.execute_batch("INSERT INTO run SELECT * FROM run").is_err());
}
