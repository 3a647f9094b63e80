//! `examples/cluster`: what its scripts refuse, and what they make of a run that ends badly.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use super::{EASY, HARD, answers_of_snapshot, command, end, example, machine, shared, wait_until};
use crate::files::text;

fn script(name: &str) -> String {
    example("cluster").join(name).display().to_string()
}

#[test]
fn what_is_missing_is_named() {
    let folder = machine();
    let whole = [EASY.variables(&folder), vec![("SHARD", "1".to_owned()), ("SHARDS", "2".to_owned())]].concat();
    let without = |name: &str| whole.iter().filter(|(found, _)| *found != name).cloned().collect::<Vec<_>>();
    for name in ["MODEL", "DATA", "RADIUS", "SHARD", "SHARDS", "SHARED"] {
        let output = command("sh", &[&script("shard.sh")], &without(name)).output().unwrap();
        let said = format!("error: shard.sh: variable {name}: expected a value, found none\n");
        assert_eq!(end(&output), (Some(2), said.as_str()));
    }
    for name in ["MODEL", "SHARDS", "SHARED"] {
        let output = command("sh", &[&script("merge.sh")], &without(name)).output().unwrap();
        let said = format!("error: merge.sh: variable {name}: expected a value, found none\n");
        assert_eq!(end(&output), (Some(2), said.as_str()));
    }
    let output = command("sh", &[&script("shard.sh")], &whole).env("SHARED", "nowhere").output().unwrap();
    let said = "error: shard.sh: variable SHARED: expected a folder that exists, found `nowhere`\n";
    assert_eq!(end(&output), (Some(2), said));
    let output = command("sh", &[&script("merge.sh")], &whole).output().unwrap();
    let place = folder.path().join("shared").display().to_string();
    let said = format!("error: merge.sh: folder {place}: expected part-1.db to part-2.db, found none of them\n");
    assert!(text(&output.stderr).ends_with(&said), "{}", text(&output.stderr));
    assert_eq!((output.status.code(), shared(&folder)), (Some(2), vec![]));
}

#[test]
fn a_shard_whose_program_was_killed_keeps_its_answers_and_may_be_tried_again() {
    let folder = machine();
    let more = [("SHARD", "1".to_owned()), ("SHARDS", "2".to_owned())];
    let variables = [HARD.variables(&folder), more.to_vec()].concat();
    let run = command("sh", &[&script("shard.sh")], &variables).spawn().unwrap();
    wait_until("a snapshot", || !shared(&folder).is_empty());
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", run.id())).unwrap();
    let is_program = |child: &&str| fs::read_to_string(format!("/proc/{child}/comm")).unwrap() == "bartizan\n";
    let program = children.split_whitespace().find(is_program).unwrap();
    assert!(Command::new("kill").args(["-KILL", program]).status().unwrap().success());
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(137), "{}", text(&output.stderr));
    assert_eq!(shared(&folder), ["part-1.tar"]);
    assert!(!answers_of_snapshot(&folder, "shared/part-1.tar").is_empty());
}

/// Snapshots are taken of a run that writes all the time; each of them must be a store that a checker accepts.
#[test]
fn every_snapshot_is_a_whole_store() {
    let folder = machine();
    let more = [("SHARD", "1".to_owned()), ("SHARDS", "1".to_owned())];
    let variables = [HARD.variables(&folder), more.to_vec()].concat();
    let mut run = command("sh", &[&script("shard.sh")], &variables).spawn().unwrap();
    let (archive, network) = (folder.path().join("shared/part-1.tar"), HARD.file("model.onnx"));
    let mut sizes = Vec::new();
    while run.try_wait().unwrap().is_none() {
        let tar =
            |to: &str| Command::new("tar").arg("-C").arg(folder.path().join(to)).arg("-xf").arg(&archive).output();
        let copy = format!("copy{}", sizes.len());
        folder.make_folder(&copy);
        // The archive goes when the shard is finished.
        if archive.exists() && tar(&copy).unwrap().status.success() {
            let output = folder.run(&format!("check {copy}/part.db --model {network}"));
            assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
            sizes.push(text(&output.stdout).lines().last().unwrap().to_owned());
        } else {
            fs::remove_dir_all(folder.path().join(&copy)).unwrap();
        }
        thread::sleep(Duration::from_millis(200));
    }
    assert!(run.wait().unwrap().success());
    assert!(sizes.len() >= 2, "{sizes:?}");
    assert_eq!(shared(&folder), ["part-1.db"]);
}
