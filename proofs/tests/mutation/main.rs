//! Damaged and borrowed certificates.
//!
//! A small branch and bound (`prover`, in plain floats) writes certificates for random networks and properties that
//! lie near the true extremes of their networks. Every certificate is accepted as it is, and refused for the announced reason
//! after each kind of damage; nothing that is offered for a property with a counterexample is ever accepted.
//!
//! `cargo test --release -p bartizan-proof --test mutation -- --nocapture` prints how often each happened.
#![allow(
    clippy::as_conversions,
    clippy::expect_used,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]

mod census;
mod damage;
mod facts;
mod flips;
mod forms;
mod net;
mod prover;
mod question;
#[path = "../oracle/random.rs"]
#[allow(dead_code)]
mod random;
mod signs;
mod subject;
mod tighten;
#[path = "../variant/mod.rs"]
mod variant;
mod witness;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::LazyLock;

use bartizan_proof::certificate::{Item, Signs};
use bartizan_proof::check::verify;
use bartizan_proof::{Rejected, Verified};

use subject::{HEADER, SUBJECTS, Subject, subjects};
use variant::name_of;

/// How often each construct occurs at least, and each kind of damage is done.
const FEWEST_USES: usize = 30;
const FEWEST_DAMAGES: usize = 20;

static ALL: LazyLock<Vec<Subject>> = LazyLock::new(subjects);

/// The refusal's name, or that there is none.
fn answer(result: &Result<Verified, Rejected>) -> String {
    result.as_ref().map_or_else(|rejected| name_of(&rejected.refusal), |_| "accepted".to_owned())
}

#[test]
fn the_certificates_use_every_construct() {
    assert!(ALL.len() >= SUBJECTS);
    let bytes: Vec<usize> = ALL.iter().map(|subject| subject.bytes.len()).collect();
    eprintln!("{} certificates, {} bytes, at most {:?}", ALL.len(), bytes.iter().sum::<usize>(), bytes.iter().max());
    let census = census::census(&ALL);
    eprintln!("{census:#?}");
    assert_eq!(census.len(), 36);
    assert!(census.values().all(|uses| *uses >= FEWEST_USES));
}

#[test]
fn damage_is_refused_for_what_it_is() {
    for damage in damage::all() {
        let mut answers: BTreeMap<String, usize> = BTreeMap::new();
        for (number, subject) in ALL.iter().enumerate() {
            for (place, bytes) in (damage.make)(subject).iter().enumerate() {
                let found = subject.judge(bytes);
                let name = answer(&found);
                let is_announced = damage.announced.contains(&name.as_str());
                assert!(is_announced, "{}, certificate {number}, place {place}: {found:?}", damage.name);
                *answers.entry(name).or_default() += 1;
                let falsehood = &subject.falsehoods[place % subject.falsehoods.len()];
                assert!(subject.judge_as(&falsehood.property, bytes).is_err(), "{}: a falsehood", damage.name);
            }
        }
        eprintln!("{}: {answers:?}", damage.name);
        assert!(answers.values().sum::<usize>() >= FEWEST_DAMAGES, "{}", damage.name);
    }
}

#[test]
fn children_in_the_wrong_order_prove_nothing_false() {
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for subject in ALL.iter() {
        for bytes in damage::exchanged(subject, |low, high| low != high && *high != [Item::Empty]) {
            // What is left may be another proof of the same truth.
            *answers.entry(answer(&subject.judge(&bytes))).or_default() += 1;
            let refused = |falsehood: &subject::Falsehood| subject.judge_as(&falsehood.property, &bytes).is_err();
            assert!(subject.falsehoods.iter().all(refused));
        }
    }
    eprintln!("children exchanged: {answers:?}");
    let usual = ["accepted", "not_refuted", "lemma_does_not_apply", "not_empty", "multiplier_count"];
    assert!(answers.keys().all(|name| usual.contains(&name.as_str())));
    assert!(answers["not_refuted"] >= 100);
}

#[test]
fn parts_of_signs_in_the_wrong_place_prove_nothing_false() {
    type Change = fn(&mut Signs) -> bool;
    let changes: [(&str, Change); 7] = [
        ("exchanged", damage::exchange),
        ("first subtree alone", |tree| damage::only(tree, false)),
        ("second subtree alone", |tree| damage::only(tree, true)),
        ("a base dropped", damage::base_dropped),
        ("a base exchanged with the tree's", damage::base_exchanged),
        ("a base in the sibling", damage::base_in_the_sibling),
        ("a base one higher", damage::base_one_higher),
    ];
    for (name, change) in changes {
        let mut answers: BTreeMap<String, usize> = BTreeMap::new();
        for subject in ALL.iter() {
            for bytes in damage::in_signs(subject, change) {
                // What is left may be another proof of the same truth.
                *answers.entry(answer(&subject.judge(&bytes))).or_default() += 1;
                let refused = |falsehood: &subject::Falsehood| subject.judge_as(&falsehood.property, &bytes).is_err();
                assert!(subject.falsehoods.iter().all(refused));
            }
        }
        eprintln!("subtrees of signs, {name}: {answers:?}");
        let usual = ["accepted", "not_refuted", "lemma_does_not_apply", "not_empty", "multiplier_count"];
        assert!(answers.keys().all(|name| usual.contains(&name.as_str())));
        assert!(answers["not_refuted"] >= FEWEST_DAMAGES);
    }
}

#[test]
fn certificates_without_their_forms_prove_nothing_false() {
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for subject in ALL.iter() {
        let mut proofs = subject.proofs.clone();
        proofs.iter_mut().for_each(|proof| proof.items.retain(|item| *item != Item::Forms));
        if proofs == subject.proofs {
            continue;
        }
        let bytes = subject.with(&proofs);
        *answers.entry(answer(&subject.judge(&bytes))).or_default() += 1;
        assert!(subject.falsehoods.iter().all(|falsehood| subject.judge_as(&falsehood.property, &bytes).is_err()));
    }
    eprintln!("without forms: {answers:?}");
    let usual = ["accepted", "not_refuted", "lemma_does_not_apply", "not_empty"];
    assert!(answers.keys().all(|name| usual.contains(&name.as_str())));
    assert!(answers["not_refuted"] >= FEWEST_DAMAGES);
}

#[test]
fn every_truncation_is_refused() {
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for subject in ALL.iter() {
        for length in 0..subject.bytes.len() {
            let name = answer(&subject.judge(&subject.bytes[..length].to_vec()));
            assert!(["truncated", "missing_node"].contains(&name.as_str()), "{length}: {name}");
            *answers.entry(name).or_default() += 1;
        }
    }
    eprintln!("truncations: {answers:?}");
}

#[test]
fn what_almost_proves_a_falsehood_is_refused() {
    let (mut answers, mut nearest) = (BTreeMap::<String, usize>::new(), f64::NEG_INFINITY);
    for subject in ALL.iter() {
        for falsehood in &subject.falsehoods {
            for bytes in [&subject.bytes, &falsehood.almost] {
                let found = subject.judge_as(&falsehood.property, bytes);
                let name = answer(&found);
                assert!(["not_refuted", "still_open"].contains(&name.as_str()), "{found:?}");
                if let Err(Rejected { refusal: bartizan_proof::Refusal::NotRefuted(_, bound), .. }) = found {
                    nearest = nearest.max(bound);
                }
                *answers.entry(name).or_default() += 1;
            }
        }
    }
    eprintln!("near misses: {answers:?}; the bound nearest to 0 is {nearest:e}");
}

#[test]
fn certificates_of_other_instances_are_refused() {
    let (mut borrowed, mut patched) = (0, 0);
    for (i, subject) in ALL.iter().enumerate() {
        let sizes = |subject: &Subject| (subject.property.inputs(), subject.property.outputs());
        for other in ALL.iter().skip(i + 1).filter(|other| sizes(other) == sizes(subject)).take(10) {
            let found = subject.judge(&other.bytes);
            assert!(["other_model", "other_property"].contains(&answer(&found).as_str()), "{found:?}");
            borrowed += 1;
            for falsehood in &subject.falsehoods {
                assert!(subject.judge_as(&falsehood.property, &other.bytes).is_err());
                patched += 1;
            }
        }
    }
    eprintln!("{borrowed} borrowed, {patched} of them with the digests of falsehoods");
    assert!(borrowed >= 1000 && patched >= 1000);
}

#[test]
fn true_lengths_of_subtrees_change_nothing() {
    let threads = |n| NonZeroUsize::new(n).unwrap();
    let mut measured = 0;
    for subject in ALL.iter() {
        let Some(bytes) = damage::with_length(subject, |length| length) else { continue };
        assert!(bytes.len() > HEADER);
        let answers = [1, 2, 3].map(|n| verify(&subject.network, &subject.property, &bytes, threads(n)).unwrap());
        assert_eq!(answers[0], subject.judge(&subject.bytes).unwrap());
        assert!(answers[0] == answers[1] && answers[0] == answers[2]);
        measured += 1;
    }
    assert!(measured >= FEWEST_DAMAGES);
}
