//! Every command of the README, run as it stands there, one after the other in one folder.
#![cfg(unix)]

use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Output};

use rusqlite::Connection;
use tempfile::TempDir;

use crate::files::text;

/// What a test cannot run: it would run itself, or needs the network.
const LEFT_OUT: [&str; 3] = [
    "git clone https://github.com/bartizan/bartizan && cd bartizan",
    "cargo install --locked --path .",
    "cargo test --release --workspace",
];

/// A block of code: its language and its lines.
struct Block {
    language: String,
    lines: Vec<String>,
}

fn blocks(readme: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut is_inside = false;
    for line in readme.lines() {
        match line.strip_prefix("```") {
            Some(language) => {
                if !is_inside {
                    blocks.push(Block { language: language.to_owned(), lines: Vec::new() });
                }
                is_inside = !is_inside;
            }
            None if is_inside => blocks.last_mut().unwrap().lines.push(line.to_owned()),
            None => {}
        }
    }
    blocks
}

/// Runs a line as a shell would, with `bartizan` on the path; queries of a store without the program `sqlite3`.
fn run(folder: &Path, line: &str) -> Output {
    if let Some(rest) = line.strip_prefix("sqlite3 ") {
        let (store, query) = rest.split_once(' ').unwrap();
        let store = Connection::open(folder.join(store)).unwrap();
        let mut statement = store.prepare(query.trim_matches('"')).unwrap();
        let rows = statement.query_map((), |_| Ok(())).unwrap().count();
        assert!(rows > 0, "{line}");
        return Command::new("true").output().unwrap();
    }
    let binary = assert_cmd::cargo::cargo_bin("bartizan");
    let mut path = OsString::from(binary.parent().unwrap());
    path.push(":");
    path.push(env::var_os("PATH").unwrap_or_default());
    Command::new("sh").args(["-c", line]).current_dir(folder).env("PATH", path).output().unwrap()
}

/// Whether output has a line of the README, apart from what differs from run to run.
fn has_line(output: &str, line: &str) -> bool {
    output.lines().any(|found| found.trim_end() == line.trim_end())
}

/// Whether an example for a service that a test cannot run has these lines, one after the other.
fn is_quoted(repository: &Path, lines: &[String]) -> bool {
    let examples = ["github/robustness.yml", "pre-commit/.pre-commit-config.yaml"];
    let wanted: Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    examples.iter().any(|name| {
        let text = std::fs::read_to_string(repository.join("examples").join(name)).unwrap();
        let found: Vec<&str> = text.lines().map(str::trim).collect();
        found.windows(wanted.len()).any(|part| part == wanted)
    })
}

#[test]
fn every_command_does_what_the_readme_says() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(repository.join("README.md")).unwrap();
    let folder = TempDir::new().unwrap();
    for name in ["models", "examples"] {
        std::os::unix::fs::symlink(repository.join(name), folder.path().join(name)).unwrap();
    }
    let (mut ran, mut left_out, mut shown) = (0, 0, 0);
    let mut last = String::new();
    for block in blocks(&readme) {
        if block.language == "yaml" {
            assert!(is_quoted(repository, &block.lines), "no example has {:?}", block.lines);
            continue;
        }
        for line in &block.lines {
            match block.language.as_str() {
                "sh" if LEFT_OUT.contains(&line.as_str()) => left_out += 1,
                "sh" => {
                    let output = run(folder.path(), line);
                    assert!(output.status.success(), "{line}: {}", text(&output.stderr));
                    last = text(&output.stdout).to_owned();
                    ran += 1;
                }
                "text" => {
                    assert!(has_line(&last, line), "`{line}` is not in\n{last}");
                    shown += 1;
                }
                // Documentation tests run Rust, the tests of the Python package Python; TOML needs the network.
                "rust" | "python" | "toml" => {}
                other => panic!("a block of {other}"),
            }
        }
    }
    assert_eq!(left_out, LEFT_OUT.len());
    assert!(ran >= 6 && shown >= 20, "{ran} commands, {shown} lines");
}
