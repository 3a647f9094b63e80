//! `examples/slurm`, with stand-ins for Slurm's programs.

use std::fs;
use std::process::Command;

use super::{ANSWERS, EASY, FIGURES, HARD, PROOFS, Question, command, example, machine, rows, shared};
use crate::files::{Folder, text};

/// Submits a run as a user would, with settings in a file, and returns what was printed and what the stand-ins noted.
fn submit(folder: &Folder, question: &Question, more: &[(&str, &str)]) -> (String, String) {
    folder.make_folder("slurm");
    folder.make_folder("slurm/spool");
    let mut settings: Vec<(&str, String)> = question.variables(folder);
    settings.extend([("SHARDS", "2".into()), ("RESTARTS", "2".into()), ("CONFIDENCE", "0.95".into())]);
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
    let (said, log) = submit(&folder, &HARD, &[("REQUIRE", "0.8"), ("KILL", "1"), ("WARN", "2")]);
    let place = folder.path().join("shared").display().to_string();
    assert_eq!(said, format!("shards: job 100, tasks 1 to 2; merge: job 101; results in {place}\n"));
    let expected = "job 100 dependency '' array '1-2'
task 1 attempt 0 exit code 137
task 1 attempt 1 exit code 0
requeue 100_2
task 2 attempt 0 exit code 3
task 2 attempt 1 exit code 0
job 101 dependency 'afterany:100' array ''
task 0 attempt 0 exit code 0
";
    assert_eq!(log, expected);
    let expected = "merge.log part-1.db part-2.db report.html report.json report.md report.sarif report.xml run.db shard-1.log shard-2.log";
    assert_eq!(shared(&folder).join(" "), expected);
    let merge = folder.read("shared/merge.log");
    assert!(merge.contains(" 0 refused in ") && merge.contains("Gate met: "), "{merge}");

    // What is established does not depend on who has answered it.
    let (merged, whole) = (folder.path().join("shared/run.db"), HARD.answer_at_once(&folder));
    assert_eq!(rows(&merged, ANSWERS), rows(&whole, ANSWERS));
    assert_eq!(rows(&merged, FIGURES), rows(&whole, FIGURES));
    // Proofs may depend on which points share a batch, and so on the shards; but not on what became of a shard meanwhile.
    let output = folder.certify(&format!("{} --shard 1/2 --store one.db", HARD.arguments()));
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let [killed, other] = ["shared/part-1.db", "one.db"].map(|name| rows(&folder.path().join(name), PROOFS));
    assert_eq!(killed, other);
}

#[test]
fn a_task_that_fails_is_not_queued_again_and_its_points_count_as_unknown() {
    let folder = machine();
    // Somebody else's answers to another question.
    let other = EASY.arguments().replace("--radius 0.05", "--radius 0.01");
    assert_eq!(folder.certify(&format!("{other} --shard 2/2 --store other.db")).status.code(), Some(0));
    folder.make_folder("packed");
    fs::rename(folder.path().join("other.db"), folder.path().join("packed/part.db")).unwrap();
    let packing = ["-C", "packed", "-cf", "shared/part-2.tar", "."];
    assert!(Command::new("tar").args(packing).current_dir(folder.path()).status().unwrap().success());

    let (_, log) = submit(&folder, &EASY, &[]);
    assert!(log.contains("task 1 attempt 0 exit code 0\ntask 2 attempt 0 exit code 2\njob 101 "), "{log}");
    let said = folder.read("shared/shard-2.log");
    assert!(said.contains("column `radius`: expected 0.05, as this run asks, found 0.01"), "{said}");
    assert!(said.contains("shard 2 of 2 failed with exit code 2; the same again would fail again"), "{said}");
    // Nor are they mixed with the others.
    assert!(log.ends_with("task 0 attempt 0 exit code 2\n"), "{log}");
    let said = folder.read("shared/merge.log");
    assert!(said.contains("column `radius`: expected 0.05, as in "), "{said}");

    // Without them, the rest is merged, and what is missing counts against both ends.
    fs::remove_file(folder.path().join("shared/part-2.tar")).unwrap();
    let variables = [EASY.variables(&folder), vec![("SHARDS", "2".to_owned())]].concat();
    let script = example("cluster/merge.sh").display().to_string();
    let output = command("sh", &[&script], &variables).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("warning: merge.sh: shard 2 has left nothing\n"));
    assert!(text(&output.stdout).contains("and 180 are unknown."), "{}", text(&output.stdout));
}
