use std::fs;

use rusqlite::Connection;

use super::*;
use crate::batch::answer::PointAnswer;
use crate::batch::manifest::{Interval, Manifest};
use crate::batch::runner::{Aim, End, Plan};
use crate::batch::selection::Shard;
use crate::batch::tests::{self, dataset, question, two_inputs};

/// Certified, certified, falsified, misclassified and unknown at a radius of 0.0999.
const POINTS: &str = "1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n0.5,0.3002,0\n";

fn facts() -> RunFacts {
    let text = |text: &str| Some(text.to_owned());
    RunFacts {
        data: "d.npz:x".to_owned(),
        label_column: text("class"),
        dropped_activation: text("Softmax s"),
        available: 100,
        selection: text("0..5"),
        selected: 5,
        shard: Shard::parse("1/1"),
        fixed: text("1"),
        clip: text("0,1"),
        mean: text("0.1307"),
        timeout: 1.5,
        seed: u64::MAX,
        ..tests::facts(&two_inputs(), &dataset(POINTS), "8/255")
    }
}

/// Real answers of every kind.
fn answers() -> Vec<PointAnswer> {
    let answers = tests::answers(&dataset(POINTS), &question("0.0999"), Plan::simple(1));
    let words: Vec<&str> = answers.iter().map(|answer| answer.word()).collect();
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
        assert_eq!(stored.point(answer.index).unwrap(), StoredPoint::of(answer));
    }
    let facts: Vec<PointFacts> = answers.iter().map(|answer| StoredPoint::of(answer).facts).collect();
    assert_eq!(stored.facts_of_points().unwrap(), facts);
    assert!(is_database(&path) && !is_database(&folder.path().join("none")));
    assert_eq!(message(stored.point(7)), "run.db: cannot read: Query returned no rows");
}

#[test]
fn a_run_is_never_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    fs::write(&path, "precious").unwrap();
    let expected =
        "run.db: store: expected no file of this name (--resume goes on with the run of an existing one), found one";
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
        "run.db: cannot read: Conversion error from type Text at index: 34, invalid digit found in string: `x`"
    );
    change("UPDATE run SET format = 4; ALTER TABLE run DROP COLUMN seed");
    assert_eq!(opened(), "run.db: table `run`, column `format`: expected 3, found 4");
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
        "certified_share = 0.5 WHERE point = 0",
        "certified_share = NULL WHERE point = 0",
        "certified_share = 0.25, certificate = x'00', certificate_bytes = 1, falsified_share = 0.25 WHERE point = 2",
        "falsified_share = 0.0 WHERE point = 2",
        "falsified_share = 0.5 WHERE point = 3",
        "counterexample_output = NULL WHERE point = 3",
    ] {
        let changed = store.connection.execute_batch(&format!("UPDATE points SET {change}"));
        assert!(changed.unwrap_err().to_string().contains("CHECK constraint failed"), "{change}");
    }
    assert!(store.insert(&answers()[0]).unwrap_err().to_string().contains("UNIQUE constraint failed: points.point"));
    assert!(store.connection.execute_batch("INSERT INTO run SELECT * FROM run").is_err());
}

#[test]
fn a_run_goes_on_where_it_asks_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let answers = answers();
    let mut store = Store::resume(&path, &facts()).unwrap();
    store.insert(&answers[0]).unwrap();
    let busy = message(Store::resume(&path, &facts()));
    assert_eq!(busy, "run.db: store: expected nobody else who writes to it, found another run");
    // As if it had been killed: nothing is closed.
    drop(store);
    let moved = RunFacts { model: "elsewhere/m.onnx".to_owned(), ..facts() };
    let mut store = Store::resume(&path, &moved).unwrap();
    store.insert(&answers[1]).unwrap();
    let reader = StoredRun::open(&path).unwrap();
    let manifest = Manifest::of(&reader, End::Budget, 0.9).unwrap();
    assert_eq!((manifest.counts.points, manifest.counts.unanswered, manifest.interval), (5, 3, Interval::Fixed));
    store.conclude(&manifest).unwrap();
    assert_eq!(reader.manifest().unwrap(), Some(manifest));
    assert_eq!(reader.indices().unwrap(), [0, 1]);
    drop(reader);
    store.close();
    Store::resume(&path, &facts()).unwrap().close();
    assert_eq!(StoredRun::open(&path).unwrap().manifest().unwrap(), None, "a run that goes on has no end");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn another_question_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    Store::create(&path, &facts()).unwrap().close();
    let refused = |facts: RunFacts| message(Store::resume(&path, &facts));
    let cases = [
        (RunFacts { radius: "0.1".to_owned(), ..facts() }, "`radius`: expected 0.1, as this run asks, found 8/255"),
        (RunFacts { clip: None, ..facts() }, "`clip`: expected nothing, as this run asks, found `0,1`"),
        (RunFacts { seed: 1, ..facts() }, "`seed`: expected 1, as this run asks, found 18446744073709551615"),
        (RunFacts { aim: Aim::Bracket(0.1), ..facts() }, "`command`: expected radius, as this run asks, found certify"),
        (RunFacts { shard: None, ..facts() }, "`shard`: expected nothing, as this run asks, found `1/1`"),
        (RunFacts { timeout: 2.0, ..facts() }, "`timeout_s`: expected 2, as this run asks, found 1.5"),
    ];
    for (facts, expected) in cases {
        assert_eq!(refused(facts), format!("run.db: table `run`, column {expected}"));
    }
    let digest = bartizan_proof::Digest::of(b"other");
    let other = refused(RunFacts { model_sha256: digest, ..facts() });
    assert!(other.starts_with(&format!("run.db: table `run`, column `model_sha256`: expected {digest}")), "{other}");
}

#[test]
fn another_array_of_the_same_file_is_another_question() {
    let of = |data: &str, points: &str, labels: Option<&str>, labels_name: &str| RunFacts {
        data: data.to_owned(),
        points_name: points.to_owned(),
        labels: labels.map(str::to_owned),
        labels_name: labels_name.to_owned(),
        ..facts()
    };
    let run = of("d.npz:x_test", "d.npz:x_test", None, "d.npz:y_test");
    let moved = of("elsewhere/d.npz", "elsewhere/d.npz:x_test", Some("l.npz"), "l.npz:y_test");
    assert_eq!(run.difference(&moved), None);
    let column = |other: RunFacts| run.difference(&other).map(|difference| difference.column);
    assert_eq!(column(of("d.npz:x_train", "d.npz:x_train", None, "d.npz:y_test")), Some("points_name"));
    assert_eq!(column(of("d.npz:x_test", "d.npz:x_test", Some("d.npz:z"), "d.npz:z")), Some("labels_name"));
    assert_eq!(column(RunFacts { available: 7, ..run.clone() }), Some("available"));
}

/// A run that goes on may find the file that another one has made and not locked yet.
#[test]
fn a_store_that_another_run_has_found_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let other = fs::File::create(folder.path().join("run.db-lock")).unwrap();
    other.lock().unwrap();
    let busy = "run.db: store: expected nobody else who writes to it, found another run";
    assert_eq!(message(Store::create(&path, &facts())), busy);
    drop(other);
    let mut store = Store::resume(&path, &facts()).unwrap();
    store.insert(&answers()[0]).unwrap();
    store.close();
    let place = fs::canonicalize(&path).unwrap();
    let expected = "no file of this name (--resume goes on with the run of an existing one), found one";
    assert_eq!(message(write::own(&path, &place)), format!("run.db: store: expected {expected}"));
    assert_eq!(StoredRun::open(&path).unwrap().indices().unwrap(), [0]);
}

/// A run that ends removes its lock, which another one may have opened just before.
#[cfg(unix)]
#[test]
fn a_lock_that_was_removed_keeps_nobody_away() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db-lock");
    let file = fs::File::create(&path).unwrap();
    assert!(write::is_at(&file, &path).unwrap());
    fs::remove_file(&path).unwrap();
    assert!(!write::is_at(&file, &path).unwrap());
    let other = fs::File::create(&path).unwrap();
    assert!(!write::is_at(&file, &path).unwrap() && write::is_at(&other, &path).unwrap());
}

#[test]
fn nothing_is_left_of_a_store_that_is_discarded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    let mut store = Store::create(&path, &facts()).unwrap();
    store.insert(&answers()[0]).unwrap();
    let reader = StoredRun::open(&path).unwrap();
    assert_eq!(reader.indices().unwrap(), [0]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 4, "the file, its log, the log's index and the lock");
    store.discard();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A process may be killed after it has made the file and before it has written down the question.
#[test]
fn a_store_without_a_question_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.db");
    for begun in ["", "PRAGMA journal_mode = WAL"] {
        fs::write(&path, "").unwrap();
        Connection::open(&path).unwrap().execute_batch(begun).unwrap();
        Store::resume(&path, &facts()).unwrap().close();
        assert_eq!(StoredRun::open(&path).unwrap().facts(), &facts());
    }
    fs::write(&path, "x".repeat(9999)).unwrap();
    let expected = "expected a run that `bartizan certify --store` wrote, found something else than an SQLite database";
    assert_eq!(message(Store::resume(&path, &facts())), format!("run.db: file: {expected}"));
}
