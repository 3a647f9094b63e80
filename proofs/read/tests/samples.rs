//! The sample certificates in `samples/`: those in `valid/` are accepted, and each in `rejected/` is refused with the
//! variant that its name begins with. Dropping a file into a folder makes a test; `samples/README.md` says how files are
//! named.
//!
//! The files are written by
//!
//! ```text
//! cargo run -p bartizan-read --example write_samples
//! ```
#![allow(clippy::float_arithmetic, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

#[path = "../examples/write_samples/files/mod.rs"]
mod files;
#[path = "../../tests/variant/mod.rs"]
mod variant;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bartizan_proof::check::verify;
use bartizan_proof::{Rejected, Verified};

use files::instances::Instance;
use variant::name_of;

/// Every refusal that the bytes of a certificate can cause.
const VARIANTS: [&str; 33] = [
    "gap",
    "left_open",
    "lemma_does_not_apply",
    "malformed",
    "missing_node",
    "missing_proof",
    "multiplier",
    "multiplier_count",
    "no_certificate",
    "not_empty",
    "not_finite",
    "not_open",
    "not_refuted",
    "other_model",
    "other_property",
    "other_semantics",
    "proof_order",
    "semantics",
    "slope",
    "slope_count",
    "still_open",
    "subtree_length",
    "too_deep",
    "too_long",
    "too_many_inputs",
    "trailing",
    "truncated",
    "unknown_element",
    "unknown_lemma",
    "unknown_region",
    "unknown_slopes",
    "version",
    "violation",
];

/// All samples together, in bytes, so that the folder stays small.
const MOST_BYTES: usize = 30_000;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")
}

/// The certificates of a folder by name.
fn certificates(kind: &str) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder().join(kind)).unwrap().map(|file| file.unwrap().path());
    files.map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())).collect()
}

/// The other files by name.
fn models_and_properties() -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()).filter(|path| path.is_file());
    files.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap())).collect()
}

fn judge(name: &str, certificate: &Vec<u8>) -> Result<Verified, Rejected> {
    let (_, instance) = name.rsplit_once('.').unwrap_or_else(|| panic!("{name} names no instance"));
    let Instance { network, property } = Instance::parse(instance, &models_and_properties());
    let answers = [1, 2, 4].map(|n| verify(&network, &property, certificate, NonZeroUsize::new(n).unwrap()));
    // As text, since a NaN is not equal to itself.
    let texts = answers.each_ref().map(|answer| format!("{answer:?}"));
    assert!(texts.iter().all(|text| *text == texts[0]), "{name}: depends on the number of threads: {texts:?}");
    let [answer, ..] = answers;
    answer
}

#[test]
fn valid_certificates_are_accepted() {
    for (name, certificate) in certificates("valid") {
        if let Err(refused) = judge(&name, &certificate) {
            panic!("valid/{name}: {refused}");
        }
    }
}

#[test]
fn rejected_certificates_are_refused_for_what_their_names_say() {
    for (name, certificate) in certificates("rejected") {
        let refused = judge(&name, &certificate).map(|_| "accepted").map_err(|rejected| rejected.refusal);
        let Err(refusal) = refused else { panic!("rejected/{name} is accepted") };
        assert_eq!(Some(name_of(&refusal).as_str()), name.split('.').next(), "rejected/{name}: {refusal}");
    }
}

#[test]
fn every_refusal_has_a_sample() {
    let rejected = certificates("rejected");
    let announced: BTreeSet<&str> = rejected.keys().filter_map(|name| name.split('.').next()).collect();
    assert_eq!(announced, VARIANTS.into());
}

#[test]
fn the_files_are_those_that_the_generator_writes() {
    let files = files::all();
    for (path, bytes) in &files {
        assert!(std::fs::read(folder().join(path)).is_ok_and(|found| found == *bytes), "{path} differs");
    }
    assert!(files.values().map(Vec::len).sum::<usize>() <= MOST_BYTES);
}
