//! Divided runs: the scripts of `examples/` as Slurm and Kubernetes would run them.
#![cfg(target_os = "linux")]

mod kubernetes;
mod shard;
mod slurm;

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};

use crate::files::{Folder, model, text};

/// How long anything may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A file of `examples/`.
fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(path)
}

/// A question: the variables that the scripts read, and how one process asks the same.
struct Question {
    model: &'static str,
    radius: &'static str,
    options: &'static str,
}

/// Hard enough for one thread that a shard can be killed between its first answer and its last one; no time limit decides an answer.
const HARD: Question =
    Question { model: "digits_residual", radius: "0.05", options: "--clip 0,1 --timeout 1000 --jobs 1" };

/// Answered in no time.
const EASY: Question = Question { model: "digits_mlp", radius: "0.05", options: "--clip 0,1 --timeout 1000" };

impl Question {
    fn file(&self, name: &str) -> String {
        model(self.model).join(name).display().to_string()
    }

    fn variables(&self, folder: &Folder) -> Vec<(&'static str, String)> {
        let path = |name: &str| folder.path().join(name).display().to_string();
        vec![
            ("MODEL", self.file("model.onnx")),
            ("DATA", self.file("images.npy")),
            ("LABELS", self.file("labels.npy")),
            ("RADIUS", self.radius.to_owned()),
            ("OPTIONS", self.options.to_owned()),
            ("SHARED", path("shared")),
            ("SCRATCH", path("scratch")),
            ("SNAPSHOT", "1".to_owned()),
            ("BARTIZAN", assert_cmd::cargo::cargo_bin("bartizan").display().to_string()),
        ]
    }

    /// The same as arguments of `certify`.
    fn arguments(&self) -> String {
        let [network, points, labels] = ["model.onnx", "images.npy", "labels.npy"].map(|name| self.file(name));
        format!("{network} --data {points} --labels {labels} --radius {} {}", self.radius, self.options)
    }

    /// The store of one process that answers all points.
    fn answer_at_once(&self, folder: &Folder) -> PathBuf {
        let output = folder.certify(&format!("{} --store whole.db", self.arguments()));
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
        folder.path().join("whole.db")
    }
}

/// A folder with `shared` and `scratch`.
fn machine() -> Folder {
    let folder = Folder::new();
    folder.make_folder("shared");
    folder.make_folder("scratch");
    folder
}

/// A command with the variables of a question, in a group of processes of its own, and the stand-ins before everything else on the path.
fn command(program: &str, arguments: &[&str], variables: &[(&'static str, String)]) -> Command {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/commands/cluster/programs");
    let mut path = OsString::from(programs);
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", path).process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
    variables.iter().for_each(|(name, value)| {
        command.env(name, value);
    });
    command
}

/// Sends a signal to all processes of a group that a child leads.
fn signal(child: &Child, name: &str) {
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args([&format!("-{name}"), "--", &group]).status().unwrap().success());
}

/// Waits until something has happened.
fn wait_until(what: &str, mut has_happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !has_happened() {
        assert!(start.elapsed() < PATIENCE, "still waiting for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Exit code, and what was written to standard error.
fn end(output: &Output) -> (Option<i32>, &str) {
    (output.status.code(), text(&output.stderr))
}

/// The rows of a store, with cells between bars.
fn rows(path: &Path, query: &str) -> Vec<String> {
    let store = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let mut statement = store.prepare(query).unwrap();
    let columns = statement.column_count();
    let row = |row: &rusqlite::Row| {
        let cells = (0..columns).map(|i| row.get_ref(i).map(|cell| format!("{cell:?}")));
        cells.collect::<Result<Vec<String>, _>>().map(|cells| cells.join("|"))
    };
    statement.query_map((), row).unwrap().map(Result::unwrap).collect()
}

/// What a store says of each point, apart from proofs and times.
const ANSWERS: &str =
    "SELECT point, label, predicted, verdict, property_sha256, certified_share FROM points ORDER BY point";

/// How a store proves it.
const PROOFS: &str = "SELECT point, leaves, certificate, counterexample FROM points ORDER BY point";

/// What a store says of all points.
const FIGURES: &str = "SELECT ended_by, points, certified, falsified, misclassified, unknown, unanswered, interval, lower, upper, \
                       confidence FROM manifest";

/// The answers that a snapshot holds, with their times, which tell one attempt from another.
fn answers_of_snapshot(folder: &Folder, archive: &str) -> Vec<String> {
    let place = folder.path().join("unpacked");
    fs::create_dir(&place).unwrap();
    let archive = folder.path().join(archive);
    assert!(Command::new("tar").arg("-C").arg(&place).arg("-xf").arg(archive).status().unwrap().success());
    let answers = timed(&place.join("part.db"));
    fs::remove_dir_all(place).unwrap();
    answers
}

/// The answers of a store with their times.
fn timed(path: &Path) -> Vec<String> {
    rows(path, "SELECT point, verdict, time_s, certificate FROM points ORDER BY point")
}

/// Names of files in `shared`, in order.
fn shared(folder: &Folder) -> Vec<String> {
    let names = fs::read_dir(folder.path().join("shared")).unwrap();
    let mut names: Vec<String> = names.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
