//! The wall around the trusted crates: what they depend on, how long they are, and that they do not know the engine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Everything that the trusted crates link, procedural macros (which run at build time) and their dependencies included.
const ALLOWED: [&str; 20] = [
    "bartizan-proof",
    "bartizan-read",
    "serde",
    "serde_core",
    "serde_derive",
    "thiserror",
    "thiserror-impl",
    "proc-macro2",
    "quote",
    "syn",
    "unicode-ident",
    "sha2",
    "digest",
    "block-buffer",
    "crypto-common",
    "hybrid-array",
    "typenum",
    "cfg-if",
    "cpufeatures",
    "libc",
];

/// The names in a crate's tree of dependencies.
fn dependencies(package: &str) -> Vec<String> {
    let args = ["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--locked"];
    let tree = Command::new(env!("CARGO")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    assert!(text.starts_with(&format!("{package} ")), "{text}");
    text.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

#[test]
fn the_trusted_crates_depend_on_nothing_else() {
    let names = dependencies("bartizan-read");
    let unknown: Vec<&String> = names.iter().filter(|name| !ALLOWED.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "new dependencies of the trusted crates: {unknown:?}");
    assert!(!dependencies("bartizan-proof").contains(&"bartizan-read".to_owned()), "the checker knows no file formats");
}

#[test]
fn the_python_binding_knows_the_public_library_only() {
    let own: Vec<String> = dependencies("bartizan").into_iter().filter(|name| name.starts_with("bartizan")).collect();
    assert!(!own.contains(&"bartizan-python".to_owned()), "{own:?}");
    let manifest = fs::read_to_string(root().join("python/Cargo.toml")).unwrap();
    let named = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let named: Vec<&str> =
        named.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(named.into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>(), ["bartizan", "pyo3"]);
}

#[test]
fn the_trusted_crates_keep_their_lints() {
    for manifest in ["proofs/Cargo.toml", "proofs/read/Cargo.toml"] {
        let text = fs::read_to_string(root().join(manifest)).unwrap();
        for lint in ["unsafe_code = \"forbid\"", "float_arithmetic = \"deny\"", "indexing_slicing = \"deny\""] {
            assert!(text.contains(lint), "{manifest} has lost a lint: {lint}");
        }
    }
}

#[test]
fn the_checker_stays_short_enough_to_read() {
    let (all, rules) = (code_lines(&root().join("proofs/src")), code_lines(&root().join("proofs/src/check")));
    assert!((500..4700).contains(&all), "the checker has {all} lines of code");
    assert!((300..1000).contains(&rules), "its rules have {rules} lines of code");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Lines of a folder's Rust files that are neither blank nor comments nor tests.
fn code_lines(folder: &Path) -> usize {
    let count = |path: PathBuf| match path.file_name().and_then(|name| name.to_str()) {
        Some("tests" | "tests.rs") => 0,
        _ if path.is_dir() => code_lines(&path),
        _ => {
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.lines().map(str::trim).take_while(|line| *line != "#[cfg(test)]");
            lines.filter(|line| !line.is_empty() && !line.starts_with("//")).count()
        }
    };
    fs::read_dir(folder).unwrap().map(|entry| count(entry.unwrap().path())).sum()
}
