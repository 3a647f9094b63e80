use std::fs;

use super::*;
use crate::batch::answer::PointAnswer;
use crate::batch::runner::Plan;
use crate::batch::selection::Shard;
use crate::batch::tests::{answers, dataset, facts, question, two_inputs};

const POINTS: &str = "1,0,0\n0.5,1,1\n0.3,0.2,0\n0,1,0\n0.5,0.3002,0\n";

/// A store with some of the points.
fn store(path: &Path, points: &[usize], change: impl FnOnce(RunFacts) -> RunFacts) {
    let set = dataset(POINTS);
    let mut store = Store::create(path, &change(facts(&two_inputs(), &set, "0.0999"))).unwrap();
    let all = answers(&set, &question("0.0999"), Plan::simple(1));
    let chosen: Vec<&PointAnswer> = all.iter().filter(|answer| points.contains(&answer.index)).collect();
    chosen.into_iter().for_each(|answer| store.insert(answer).unwrap());
    store.close();
}

fn part(text: &str) -> impl FnOnce(RunFacts) -> RunFacts {
    let shard = Shard::parse(text);
    move |facts| RunFacts { shard, ..facts }
}

#[test]
fn shards_make_the_run_that_was_not_divided() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    store(&path("1.db"), &[0, 2, 4], part("1/2"));
    store(&path("2.db"), &[1, 3], part("2/2"));
    store(&path("all.db"), &[0, 1, 2, 3, 4], |facts| facts);
    let merged = merge(&[path("2.db"), path("1.db")], &path("merged.db")).unwrap();
    assert_eq!(merged, Merged { points: 5, asked: 5 });
    let (merged, whole) = (StoredRun::open(&path("merged.db")).unwrap(), StoredRun::open(&path("all.db")).unwrap());
    assert_eq!(merged.facts(), whole.facts());
    let manifest = merged.manifest().unwrap().unwrap();
    assert_eq!(manifest, Manifest::of(&whole, End::Completion, CONFIDENCE).unwrap());
    // A part alone is no end.
    assert_eq!(merge(&[path("2.db")], &path("half.db")).unwrap(), Merged { points: 2, asked: 5 });
    assert_eq!(StoredRun::open(&path("half.db")).unwrap().manifest().unwrap(), None);
}

#[test]
fn stores_that_do_not_belong_together_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    store(&path("1.db"), &[0, 2], |facts| facts);
    store(&path("2.db"), &[2, 3], |facts| facts);
    store(&path("3.db"), &[4], |facts| RunFacts { seed: 9, ..facts });
    let message = |one: &str, other: &str| {
        let text = merge(&[path(one), path(other)], &path("merged.db")).unwrap_err().to_string();
        text.replace(&format!("{}/", folder.path().display()), "")
    };
    assert_eq!(
        message("1.db", "2.db"),
        "2.db: table `points`, point 2: expected every point once, found that of 1.db too"
    );
    assert_eq!(message("1.db", "3.db"), "3.db: table `run`, column `seed`: expected 0, as in 1.db, found 9");
    assert!(!path("merged.db").exists());
    fs::write(path("merged.db"), "").unwrap();
    assert!(message("1.db", "1.db").contains("every point once"));
    let (one, merged) = (path("1.db"), path("merged.db"));
    assert!(merge(&[one], &merged).unwrap_err().to_string().contains("store: expected no file of this name"));
}
