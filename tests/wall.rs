//! The wall around the trusted crate: what it depends on, and that it does not know the engine.

use std::process::Command;

/// Everything that `bartizan-proof` links, procedural macros (which run at build time) and their dependencies included.
const ALLOWED: [&str; 19] = [
    "bartizan-proof",
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

#[test]
fn the_trusted_crate_depends_on_nothing_else() {
    let args = ["tree", "--package", "bartizan-proof", "--edges", "normal", "--prefix", "none", "--locked"];
    let tree = Command::new(env!("CARGO")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let text = String::from_utf8(tree.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split_whitespace().next());
    let unknown: Vec<&str> = names.filter(|name| !ALLOWED.contains(name)).collect();
    assert!(unknown.is_empty(), "new dependencies of the trusted crate: {unknown:?}");
    assert!(text.starts_with("bartizan-proof "), "{text}");
}

#[test]
fn the_trusted_crate_compiles_without_the_engine_in_its_manifest() {
    let manifest = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/proofs/Cargo.toml")).unwrap();
    assert!(!manifest.contains("path ="), "the trusted crate must not depend on a crate of this workspace");
    for lint in ["unsafe_code = \"forbid\"", "float_arithmetic = \"deny\"", "indexing_slicing = \"deny\""] {
        assert!(manifest.contains(lint), "the trusted crate has lost a lint: {lint}");
    }
}
