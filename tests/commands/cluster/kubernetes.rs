//! `examples/kubernetes`: the commands of its jobs, run as pods would run them.

use std::fs;
use std::process::Command;

use super::{
    ANSWERS, EASY, FIGURES, HARD, Question, answers_of_snapshot, command, end, example, machine, rows, signal, timed,
    wait_until,
};
use crate::files::{Folder, text};

fn manifest(name: &str) -> String {
    fs::read_to_string(example("kubernetes").join(name)).unwrap()
}

/// The values of a key wherever it stands, without quotes.
fn values<'y>(yaml: &'y str, key: &str) -> Vec<&'y str> {
    let value = |line: &'y str| line.trim_start().trim_start_matches("- ").strip_prefix(key)?.strip_prefix(':');
    yaml.lines().filter_map(value).map(|value| value.trim().trim_matches('"')).collect()
}

/// The text that a job's container gives to `sh -c`, with the scripts where they are in the repository.
fn shell_command(job: &str) -> String {
    let yaml = manifest(job);
    assert_eq!(values(&yaml, "command"), [r#"["sh", "-c"]"#]);
    let lines: Vec<&str> = yaml.lines().map(str::trim).collect();
    let after = lines.iter().position(|line| *line == "args:").unwrap();
    let text = lines[after + 1].strip_prefix("- ").unwrap();
    assert!(text.contains("/usr/local/lib/bartizan/"), "{text}");
    text.replace("/usr/local/lib/bartizan", &example("cluster").display().to_string())
}

/// What a pod runs, with an empty scratch folder and a folder on the volume that need not exist.
fn pod(folder: &Folder, job: &str, question: &Question, index: Option<usize>) -> Command {
    let scratch = folder.path().join("scratch");
    fs::remove_dir_all(&scratch).unwrap();
    fs::create_dir(&scratch).unwrap();
    let mut variables = question.variables(folder);
    variables.extend([("SHARDS", "2".to_owned()), ("REQUIRE", "0.7".to_owned())]);
    variables.extend(index.map(|index| ("JOB_COMPLETION_INDEX", index.to_string())));
    command("sh", &["-c", &shell_command(job)], &variables)
}

#[test]
fn a_pod_that_is_killed_is_continued_by_another() {
    let folder = machine();
    fs::remove_dir(folder.path().join("shared")).unwrap();
    let killed = pod(&folder, "shards.yaml", &HARD, Some(0)).spawn().unwrap();
    let snapshot = folder.path().join("shared/part-1.tar");
    wait_until("a snapshot", || snapshot.exists());
    signal(&killed, "KILL");
    assert_eq!(killed.wait_with_output().unwrap().status.code(), None);
    let kept = answers_of_snapshot(&folder, "shared/part-1.tar");
    assert!((1..50).contains(&kept.len()), "{} answers", kept.len());

    let output = pod(&folder, "shards.yaml", &HARD, Some(0)).output().unwrap();
    assert_eq!(end(&output), (Some(0), ""));
    let answers = timed(&folder.path().join("shared/part-1.db"));
    assert!(
        answers.len() == 50 && kept.iter().all(|answer| answers.contains(answer)),
        "what was kept is not asked again"
    );
    assert!(!snapshot.exists());
}

#[test]
fn a_pod_that_is_told_to_end_copies_its_answers_and_says_so() {
    let folder = machine();
    let mut told = pod(&folder, "shards.yaml", &HARD, Some(0));
    let told = told.env("SNAPSHOT", "1000").spawn().unwrap();
    let scratch = folder.path().join("scratch");
    let has_answers = || {
        let folders = fs::read_dir(&scratch).unwrap().map(|folder| folder.unwrap().path().join("part.db-wal"));
        folders.filter_map(|log| fs::metadata(log).ok()).any(|log| log.len() > 100_000)
    };
    wait_until("answers", has_answers);
    // A container's first process alone is told.
    assert!(Command::new("kill").args(["-TERM", &told.id().to_string()]).status().unwrap().success());
    let output = told.wait_with_output().unwrap();
    assert_eq!(end(&output), (Some(3), "ending after the answers that are ready; once more to end at once\n"));
    let kept = answers_of_snapshot(&folder, "shared/part-1.tar").len();
    assert!((1..50).contains(&kept), "{kept} answers");
    assert_eq!(fs::read_dir(&scratch).unwrap().count(), 0, "nothing stays on the node");
}

/// The rules of a failure policy: exit codes with what is done.
fn policy(job: &str) -> Vec<(String, Vec<i32>)> {
    let yaml = manifest(job);
    let rules = yaml.split("- action:").skip(1);
    let rule = |rule: &str| {
        let codes = values(rule, "values").into_iter().next()?.trim_matches(['[', ']']);
        let codes = codes.split(", ").map(|code| code.parse().unwrap()).collect();
        Some((rule.split_whitespace().next()?.to_owned(), codes))
    };
    rules.filter_map(rule).collect()
}

#[test]
fn pods_that_would_fail_again_are_not_replaced() {
    assert_eq!(policy("shards.yaml"), [("Ignore".to_owned(), vec![3]), ("FailIndex".to_owned(), vec![1, 2])]);
    assert_eq!(policy("merge.yaml"), [("FailJob".to_owned(), vec![1, 2, 3])]);
    let (shards, settings) = (manifest("shards.yaml"), manifest("settings.yaml"));
    assert_eq!(values(&shards, "completions"), values(&settings, "SHARDS"));
    let variables = ["MODEL", "DATA", "LABELS", "RADIUS", "OPTIONS", "SHARDS", "SHARED", "SCRATCH", "SNAPSHOT"];
    assert!(variables.iter().all(|name| values(&settings, name).len() == 1));

    let folder = machine();
    let output = pod(&folder, "shards.yaml", &EASY, Some(2)).output().unwrap();
    let said = "error: --shard: expected I/N with I from 1 to N, such as 3/16, found `3/2`\n";
    assert_eq!(end(&output), (Some(2), said));
    let output = pod(&folder, "shards.yaml", &EASY, Some(0)).output().unwrap();
    assert_eq!(end(&output), (Some(0), ""));
    // A gate that is not met: half of the points are known, which is not enough for 70 %.
    let output = pod(&folder, "merge.yaml", &EASY, None).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("Gate not met: "), "{}", text(&output.stdout));

    let output = pod(&folder, "shards.yaml", &EASY, Some(1)).output().unwrap();
    assert_eq!(end(&output), (Some(0), ""));
    let output = pod(&folder, "merge.yaml", &EASY, None).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let (merged, whole) = (folder.path().join("shared/run.db"), EASY.answer_at_once(&folder));
    assert_eq!(rows(&merged, ANSWERS), rows(&whole, ANSWERS));
    assert_eq!(rows(&merged, FIGURES), rows(&whole, FIGURES));
}

#[test]
fn the_merge_follows_the_shards_whatever_becomes_of_them() {
    for (failed, said, code) in
        [("", ["complete", "complete"], 0), ("bartizan-shards bartizan-merge", ["failed"; 2], 1)]
    {
        let folder = Folder::new();
        let place = folder.path().display().to_string();
        let variables = [("KUBERNETES", place), ("FAILED", failed.to_owned()), ("POLL", "0".to_owned())];
        let script = example("kubernetes/submit.sh").display().to_string();
        let output = command("sh", &[&script], &variables).output().unwrap();
        let [shards, merge] = said;
        assert_eq!(text(&output.stdout), format!("shards: {shards}\nmerge: {merge}\n"));
        assert_eq!(end(&output), (Some(code), ""));
        let log = folder.read("log");
        let verbs: Vec<&str> = log.lines().filter(|line| !line.starts_with("get ")).collect();
        let files = |line: &str| line.rsplit('/').next().unwrap().to_owned();
        let steps: Vec<String> = verbs.into_iter().map(files).collect();
        assert_eq!(steps, ["settings.yaml", "shards.yaml", "merge.yaml", "bartizan-merge"]);
    }
}
