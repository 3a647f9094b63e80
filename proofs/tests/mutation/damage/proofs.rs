//! Damage to the list of proofs.

use bartizan_proof::certificate::{Close, Item, Multipliers, Proof, Witness};

use super::Damage;
use crate::subject::Subject;

pub fn all() -> Vec<Damage> {
    vec![
        Damage {
            name: "last proof missing",
            announced: &["missing_proof"],
            make: |s| vec![s.with(&s.proofs[..s.proofs.len() - 1])],
        },
        Damage { name: "first proof missing", announced: &["missing_proof"], make: |s| vec![s.with(&s.proofs[1..])] },
        Damage { name: "proof duplicated", announced: &["proof_order"], make: |s| reordered(s, 1, duplicated) },
        Damage { name: "proofs exchanged", announced: &["missing_proof"], make: |s| reordered(s, 2, |p| exchanged(p)) },
        Damage {
            name: "proof of an unknown region",
            announced: &["unknown_region"],
            make: |s| reordered(s, 1, |p| moved(p)),
        },
        Damage {
            name: "proof of another region",
            announced: &["not_open"],
            make: |s| reordered(s, 2, |p| borrowed(p)),
        },
    ]
}

/// Changes the list where it has at least so many proofs.
fn reordered(subject: &Subject, least: usize, change: fn(&mut Vec<Proof>)) -> Vec<Vec<u8>> {
    let mut proofs = subject.proofs.clone();
    if proofs.len() < least {
        return Vec::new();
    }
    change(&mut proofs);
    vec![subject.with(&proofs)]
}

fn duplicated(proofs: &mut Vec<Proof>) {
    proofs.extend(proofs.last().cloned());
}

fn exchanged(proofs: &mut [Proof]) {
    proofs.reverse();
}

fn moved(proofs: &mut [Proof]) {
    let count = proofs.len();
    proofs.iter_mut().skip(count - 1).for_each(|proof| proof.region = count);
}

/// A single node that closes the cases of another region.
fn borrowed(proofs: &mut [Proof]) {
    let close = Close { case: 1, multipliers: Multipliers::Atom(0), witness: Witness::Default };
    proofs[0].items = vec![Item::Close(vec![close]), Item::End];
}
