//! Runs that end early, and what becomes of them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::files::{Folder, model, text};

/// Arguments of a run over all points of `models/digits_mlp` whose answers no time limit decides.
fn digits() -> String {
    let file = |name: &str| model("digits_mlp").join(name).display().to_string();
    let files = format!("{} --data {} --labels {}", file("model.onnx"), file("images.npy"), file("labels.npy"));
    format!("{files} --radius 0.07 --clip 0,1 --timeout 1000")
}

/// Everything in a store but times and paths.
fn content(path: &Path) -> Vec<String> {
    let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let rows = |query: &str| -> Vec<String> {
        let mut statement = store.prepare(query).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row| {
            let cells: Result<Vec<String>, _> =
                (0..columns).map(|i| row.get_ref(i).map(|cell| format!("{cell:?}"))).collect();
            cells.map(|cells| cells.join("|"))
        };
        statement.query_map((), row).unwrap().map(Result::unwrap).collect()
    };
    let points = "SELECT point, label, predicted, confidence, verdict, reason, property_sha256, certified_share, leaves, certificate, \
                  falsified_share, counterexample, counterexample_output FROM points ORDER BY point";
    let manifest = "SELECT ended_by, root, points, certified, falsified, misclassified, unknown, unanswered, interval, lower, upper, \
                    confidence FROM manifest";
    [rows(points), rows(manifest)].concat()
}

fn start(folder: &Folder, args: &str) -> Child {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("bartizan"));
    command.current_dir(folder.path()).args(args.split_whitespace());
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// How many points a store holds, as far as it can be read at the moment.
fn answered(path: &Path) -> u64 {
    let read = |connection: Connection| connection.query_row("SELECT count(*) FROM points", (), |row| row.get(0));
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(read).unwrap_or(0)
}

/// The store of a run that nothing interrupted.
fn uninterrupted(folder: &Folder) -> PathBuf {
    let output = folder.certify(&format!("{} --store whole.db", digits()));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    folder.path().join("whole.db")
}

/// Goes on with the run to its end and compares the store.
fn finish_and_compare(folder: &Folder, whole: &Path) {
    let output = folder.certify(&format!("{} --store run.db --resume", digits()));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    assert_eq!(content(&folder.path().join("run.db")), content(whole));
    let model = model("digits_mlp/model.onnx").display().to_string();
    let output = folder.run(&format!("check run.db --model {model}"));
    let shown = text(&output.stdout);
    assert!(output.status.success() && shown.contains(" 0 refused ") && shown.contains("root "), "{shown}");
    assert_eq!(folder.names().iter().filter(|name| name.starts_with("run.db")).count(), 1, "one file in the end");
}

#[test]
fn a_run_that_is_killed_again_and_again_ends_as_if_nothing_had_happened() {
    let folder = Folder::new();
    let begin = Instant::now();
    let whole = uninterrupted(&folder);
    let longest = begin.elapsed().min(Duration::from_millis(400)).as_micros() as u64;
    let mut random = ChaCha8Rng::seed_from_u64(20);
    let path = folder.path().join("run.db");
    let (mut kills, mut in_the_middle, mut runs) = (0, 0, 0);
    while kills < 20 {
        let jobs = random.random_range(1..=2);
        let mut run = start(&folder, &format!("certify {} --store run.db --resume --jobs {jobs}", digits()));
        thread::sleep(Duration::from_micros(random.random_range(0..longest)));
        run.kill().unwrap();
        let has_ended = run.wait().unwrap().success();
        kills += u32::from(!has_ended);
        in_the_middle += u32::from(!has_ended && (1..360).contains(&answered(&path)));
        if has_ended || answered(&path) == 360 {
            // Nothing is left to be interrupted: begin again.
            finish_and_compare(&folder, &whole);
            std::fs::remove_file(&path).unwrap();
            runs += 1;
        }
        assert!(runs < 200, "{kills} kills");
    }
    assert!(in_the_middle > 0);
    finish_and_compare(&folder, &whole);
}

/// A limit on the size of files stands for a disk that is full.
#[cfg(unix)]
#[test]
fn a_run_goes_on_when_the_disk_has_room_again() {
    let folder = Folder::new();
    let whole = uninterrupted(&folder);
    let binary = assert_cmd::cargo::cargo_bin("bartizan");
    for blocks in [40, 120, 200] {
        let limit = format!("trap '' XFSZ; ulimit -f {blocks}; exec {}", binary.display());
        let script = format!("{limit} certify {} --store run.db --resume", digits());
        let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
        let error = text(&output.stderr);
        assert!(error.starts_with("error: run.db: cannot ") && error.lines().count() == 1, "{error}");
        assert_eq!(output.status.code(), Some(2));
    }
    let kept = answered(&folder.path().join("run.db"));
    assert!((1..360).contains(&kept), "{kept}");
    finish_and_compare(&folder, &whole);
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_says_what_it_knows_and_goes_on() {
    let folder = Folder::new();
    let whole = uninterrupted(&folder);
    let path = folder.path().join("run.db");
    let run = start(&folder, &format!("certify {} --store run.db --jobs 1", digits()));
    let deadline = Instant::now() + Duration::from_secs(60);
    while answered(&path) == 0 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(1));
    }
    let id = run.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let output = run.wait_with_output().unwrap();
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{shown}{error}");
    assert_eq!(error, "ending after the answers that are ready; once more to end at once\n");
    let unanswered = shown.lines().find(|line| line.starts_with("  unanswered")).unwrap();
    let count: u64 = unanswered.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert_eq!(count + answered(&path), 360);
    let store = Connection::open(&path).unwrap();
    let end: String = store.query_row("SELECT ended_by FROM manifest", (), |row| row.get(0)).unwrap();
    assert_eq!((end.as_str(), count > 0), ("interruption", true));
    drop(store);
    finish_and_compare(&folder, &whole);
}

#[test]
fn a_budget_ends_a_run_and_the_rest_counts_as_unknown() {
    let folder = Folder::new();
    let output = folder.certify(&format!("{} --store run.db --budget 0 --json -", digits()));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&object["ended_by"], &object["unanswered"]), (&"budget".into(), &360.into()));
    assert_eq!((&object["coverage"]["lower"], &object["coverage"]["upper"]), (&0.0.into(), &1.0.into()));
    let output = folder.certify(&format!("{} --store run.db --budget 1000 --resume --json -", digits()));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&object["ended_by"], &object["unanswered"]), (&"completion".into(), &0.into()));
    let whole = uninterrupted(&folder);
    finish_and_compare(&folder, &whole);
}

#[test]
fn shards_are_merged_into_the_run_that_was_not_divided() {
    let folder = Folder::new();
    let whole = uninterrupted(&folder);
    for part in 1..=3 {
        let output = folder.certify(&format!("{} --shard {part}/3 --store part{part}.db", digits()));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
    let output = folder.run("merge part1.db part3.db --store two.db");
    let said = "two.db: 240 points of 2 stores; 120 of 360 points have no answer\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(3), said));
    let output = folder.run("merge part3.db part1.db part2.db --store run.db");
    let said = "run.db: 360 points of 3 stores\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), said));
    let verdicts = |path: &Path| -> Vec<String> {
        let rows = content(path).into_iter().map(|row| row.split('|').skip(4).take(1).collect());
        rows.take(360).collect()
    };
    assert_eq!(verdicts(&folder.path().join("run.db")), verdicts(&whole));
    let model = model("digits_mlp/model.onnx").display().to_string();
    assert!(folder.run(&format!("check run.db --model {model}")).status.success());
}

#[test]
fn another_question_is_not_gone_on_with() {
    let folder = Folder::new();
    let run = "two.nnet --data data.csv --clip 0,1 --store run.db";
    assert_eq!(folder.certify(&format!("{run} --radius 0.1")).status.code(), Some(0));
    let refused = |args: &str| {
        let output = folder.run(args);
        assert_eq!(output.status.code(), Some(2), "{args}");
        text(&output.stderr).to_owned()
    };
    let column = "error: run.db: table `run`, column";
    let said = refused(&format!("certify {run} --radius 0.2 --resume"));
    assert_eq!(said, format!("{column} `radius`: expected 0.2, as this run asks, found 0.1\n"));
    let said = refused(&format!("radius {run} --radius 0.1 --resume"));
    assert_eq!(said, format!("{column} `command`: expected radius, as this run asks, found certify\n"));
    folder.write("two.nnet", folder.read("two.nnet").replace("// test", "// text"));
    let said = refused(&format!("certify {run} --radius 0.1 --resume"));
    assert!(said.starts_with(&format!("{column} `model_sha256`: expected ")), "{said}");
}

#[test]
fn a_sequential_run_ends_when_its_gate_is_decided() {
    let folder = Folder::new();
    let run = |gate: &str| {
        let output = folder.certify(&format!("{} --sequential --jobs 1 --json - {gate}", digits()));
        assert_eq!(text(&output.stderr), "");
        (output.status.code(), serde_json::from_slice::<Value>(&output.stdout).unwrap())
    };
    let (code, object) = run("--require 0.3");
    assert_eq!((code, &object["ended_by"], &object["gate_met"]), (Some(0), &"gate".into(), &true.into()));
    let answered = object["results"].as_array().unwrap().len();
    assert!((5..100).contains(&answered), "{answered}");
    assert!(object["coverage"]["lower"].as_f64().unwrap() >= 0.3);
    let (code, object) = run("--require 0.99");
    assert_eq!((code, &object["ended_by"], &object["gate_met"]), (Some(1), &"gate".into(), &false.into()));
    assert!(object["coverage"]["upper"].as_f64().unwrap() < 0.99);
    let (code, object) = run("");
    assert_eq!((code, &object["ended_by"], &object["unanswered"]), (Some(0), &"completion".into(), &0.into()));
    // What holds at any moment is wider than what holds for a number of points that was fixed before.
    let fixed = folder.certify(&format!("{} --json -", digits()));
    let fixed: Value = serde_json::from_slice(&fixed.stdout).unwrap();
    assert_eq!(fixed["certified"], object["certified"]);
    assert!(object["coverage"]["lower"].as_f64() < fixed["coverage"]["lower"].as_f64());
}
