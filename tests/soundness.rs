//! What the engine says of random tiny networks, against the enumeration of all their activation patterns in exact
//! arithmetic. The oracle is that of the trusted crate's tests.

use std::time::Duration;

use bartizan::Split;
use bartizan::Verdict;
use bartizan::internals::{Options, Verifier};
use oracle::random::Random;
use oracle::tiny;
use oracle::trial::Trial;

#[path = "../proofs/tests/oracle/mod.rs"]
#[allow(dead_code)]
mod oracle;

const NETWORKS: u64 = 1_200;

/// For one claim. Most that are undecided at once would stay so: the thresholds are too near the minimum.
const TIMEOUT: Duration = Duration::from_millis(40);

/// The least verdicts of each kind, far below what there are on an idle machine.
const LEAST: usize = 100;

#[test]
fn the_engine_says_nothing_false_of_tiny_networks() {
    examine(1_000_000, &Options { timeout: TIMEOUT, ..Options::default() });
}

#[test]
fn splitting_signs_says_nothing_false_of_tiny_networks() {
    examine(2_000_000, &Options { timeout: TIMEOUT, split: Split::Signs, ..Options::default() });
}

/// Networks whose seeds begin with the given number.
fn examine(first: u64, options: &Options) {
    let (mut verified, mut violated, mut unknown) = (0, 0, 0);
    for seed in 0..NETWORKS {
        // Other networks than those of the checker's test.
        let mut random = Random::new(first + seed);
        let network = tiny::network(&mut random);
        let region = tiny::region(&mut random, network.input_size());
        let mut trial = Trial::new(&network, &region, random);
        let verifier = Verifier::new(network.clone());
        let claims = trial.claims();
        if claims.is_empty() {
            continue;
        }
        let claim = trial.random.pick(&claims);
        let meant = trial.meant(&claim);
        match verifier.verify(&claim.property, options).unwrap().verdict {
            Verdict::Verified(..) => {
                assert!(trial.holds(&meant), "seed {seed}: verified, but false: {:?}", claim.property);
                verified += 1;
            }
            Verdict::Violated(found) => {
                let is_violated = trial.is_violated(&meant, &found);
                assert!(is_violated, "seed {seed}: no violation of {:?} at {:?}", claim.property, found.point());
                violated += 1;
            }
            Verdict::Unknown(_) => unknown += 1,
        }
    }
    println!("{NETWORKS} networks: {verified} verified, {violated} violated, {unknown} unknown");
    assert!(verified >= LEAST && violated >= LEAST);
}
