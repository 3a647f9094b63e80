//! `examples/slurm`, with stand-ins for Slurm's programs.

use std::fs;
use std::process::Command;

use super::{ANSWERS, EASY, FIGURES, HARD, Question, command, example, machine, rows, shared};
use crate::files::{Folder, text};

/// Submits a run as a user would, with settings in a file, and returns what was printed and what the stand-ins noted.
fn submit(folder: &Folder, question: &Question, more: &[(&str, &str)]) -> (String, String) {
    folder.make_folder("slurm");
    folder.make_folder("slurm/spool");
    let mut settings: Vec<(&str, String)> = question.variables(folder);
    settings.extend([("SHARDS", "3".into()), ("RESTARTS", "2".into()), ("CONFIDENCE", "0.95".into())]);
    settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    let line = |(name, value): &(&str, String)| format!("export {name}='{value}'\n");
    let options = "SHARD_OPTIONS=--time=1\nMERGE_OPTIONS='--time=1 --mem=1G'\n";
    folder.write("settings.sh", settings.iter().map(line).collect::<String>() + options);
    let slurm = [("SLURM", folder.path().join("slurm").display().to_string())];
    let script = example("slurm/submit.sh").display().to_string();
    let output = command("sh", &[&script, "settings.sh"], &slurm).current_dir(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    (text(&output.stdout).to_owned(), folder.read("slurm/log"))
}

#[test]
fn tasks_that_are_killed_or_told_to_end_are_queued_again_and_lose_nothing() {
    let folder = machine();
    let (said, log) = submit(&folder, &HARD, &[("REQUIRE", "0.8"), ("KILL", "2"), ("WARN", "3")]);
    let place = folder.path().join("shared").display().to_string();
    assert_eq!(said, format!("shards: job 100, tasks 1 to 3; merge: job 101; results in {place}\n"));
    let expected = "job 100 dependency '' array '1-3'
task 1 attempt 0 exit code 0
task 2 attempt 0 exit code 137
task 2 attempt 1 exit code 0
requeue 100_3
task 3 attempt 0 exit code 3
task 3 attempt 1 exit code 0
job 101 dependency 'afterany:100' array ''
task 0 attempt 0 exit code 0
";
    assert_eq!(log, expected);
    let forms = ["report.html", "report.json", "report.md", "report.sarif", "report.xml", "run.db"];
    let logs = ["shard-1.log", "shard-2.log", "shard-3.log"];
    let parts = ["part-1.db", "part-2.db", "part-3.db"];
    let expected: Vec<&str> = [&["merge.log"][..], &parts, &forms[..5], &forms[5..], &logs].concat();
    assert_eq!(shared(&folder), expected);
    let merge = folder.read("shared/merge.log");
    assert!(merge.contains(" 0 refused in ") && merge.contains("Gate met: "), "{merge}");

    // Which points share a batch, and so how some of them are proved, depends on the shards; what is established does not.
    let (merged, whole) = (folder.path().join("shared/run.db"), HARD.answer_at_once(&folder));
    assert_eq!(rows(&merged, ANSWERS), rows(&whole, ANSWERS));
    assert_eq!(rows(&merged, FIGURES), rows(&whole, FIGURES));
    // And what was killed says the same as what was not: proofs, counterexamples and the root of all of them.
    undivided_by_signals(&folder);
}

/// Answers the same shards again, whole, and compares everything but times.
fn undivided_by_signals(folder: &Folder) {
    let files = ["model.onnx", "images.npy", "labels.npy"].map(|name| HARD.file(name));
    let [network, points, labels] = files;
    let rest = format!("--radius {} {}", HARD.radius, HARD.options);
    for shard in 1..=3 {
        let run = format!("{network} --data {points} --labels {labels} {rest} --shard {shard}/3 --store s{shard}.db");
        assert_eq!(folder.certify(&run).status.code(), Some(0));
    }
    assert!(folder.run("merge s1.db s2.db s3.db --store again.db").status.success());
    let [one, other] = ["shared/run.db", "again.db"].map(|name| folder.path().join(name));
    for query in
        ["SELECT point, certificate, counterexample, leaves FROM points ORDER BY point", "SELECT root FROM manifest"]
    {
        assert_eq!(rows(&one, query), rows(&other, query), "{query}");
    }
}

#[test]
fn a_task_that_fails_is_not_queued_again_and_its_points_count_as_unknown() {
    let folder = machine();
    // Somebody else's answers to another question.
    let [network, points, labels] = ["model.onnx", "images.npy", "labels.npy"].map(|name| EASY.file(name));
    let other = format!("{network} --data {points} --labels {labels} --radius 0.01 --clip 0,1 --shard 2/3");
    assert_eq!(folder.certify(&format!("{other} --store other.db")).status.code(), Some(0));
    folder.make_folder("packed");
    fs::rename(folder.path().join("other.db"), folder.path().join("packed/part.db")).unwrap();
    let packing = ["-C", "packed", "-cf", "shared/part-2.tar", "."];
    assert!(Command::new("tar").args(packing).current_dir(folder.path()).status().unwrap().success());

    let (_, log) = submit(&folder, &EASY, &[]);
    assert!(log.contains("task 2 attempt 0 exit code 2\ntask 3 attempt 0 exit code 0\njob 101 "), "{log}");
    let said = folder.read("shared/shard-2.log");
    assert!(said.contains("column `radius`: expected 0.05, as this run asks, found 0.01"), "{said}");
    assert!(said.contains("shard 2 of 3 failed with exit code 2; the same again would fail again"), "{said}");
    // Nor are they mixed with the others.
    assert!(log.ends_with("task 0 attempt 0 exit code 2\n"), "{log}");
    let said = folder.read("shared/merge.log");
    assert!(said.contains("column `radius`: expected 0.05, as in "), "{said}");

    // Without them, the rest is merged, and what is missing counts against both ends.
    fs::remove_file(folder.path().join("shared/part-2.tar")).unwrap();
    let variables = [EASY.variables(&folder), vec![("SHARDS", "3".to_owned())]].concat();
    let script = example("cluster/merge.sh").display().to_string();
    let output = command("sh", &[&script], &variables).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("warning: merge.sh: shard 2 has left nothing\n"));
    assert!(text(&output.stdout).contains("and 120 are unknown."), "{}", text(&output.stdout));
}
