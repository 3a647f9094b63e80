//! Damage to the bytes.

use bartizan_proof::Digest;
use bartizan_proof::certificate::{Header, Item, encode};

use super::{Damage, children};
use crate::subject::{HEADER, Subject};

/// The flag of a split that is followed by the length of its first subtree.
const FLAG: u8 = 0x80;

pub fn all() -> Vec<Damage> {
    vec![
        Damage { name: "another magic", announced: &["no_certificate"], make: |s| each_byte(s, 0..8) },
        Damage { name: "another version", announced: &["version"], make: |s| each_byte(s, 8..9) },
        Damage { name: "other semantics", announced: &["semantics"], make: |s| each_byte(s, 9..10) },
        Damage { name: "a bit of the model's digest", announced: &["other_model"], make: |s| each_byte(s, 10..42) },
        Damage {
            name: "a bit of the property's digest",
            announced: &["other_property"],
            make: |s| each_byte(s, 42..74),
        },
        Damage { name: "another model's digest", announced: &["other_model"], make: other_model },
        Damage { name: "another property's digest", announced: &["other_property"], make: other_property },
        Damage { name: "flag on forms", announced: &["malformed"], make: flagged_forms },
        Damage { name: "trailing byte", announced: &["trailing"], make: |s| vec![[&s.bytes[..], &[0]].concat()] },
        Damage {
            name: "certificate twice",
            announced: &["trailing"],
            make: |s| vec![[&s.bytes[..], &s.bytes].concat()],
        },
        Damage { name: "last subtree duplicated", announced: &["trailing"], make: subtree_duplicated },
        Damage { name: "length too short", announced: &["subtree_length"], make: |s| wrong_lengths(s, |n| n - 1) },
        Damage { name: "length too long", announced: &["subtree_length"], make: |s| wrong_lengths(s, |n| n + 1) },
        Damage {
            name: "length beyond the end",
            announced: &["subtree_length"],
            make: |s| wrong_lengths(s, |_| u64::MAX),
        },
    ]
}

fn each_byte(subject: &Subject, places: std::ops::Range<usize>) -> Vec<Vec<u8>> {
    let changed = |place: usize| {
        let mut bytes = subject.bytes.clone();
        bytes[place] ^= 1 << (place % 8);
        bytes
    };
    places.map(changed).collect()
}

fn other_model(subject: &Subject) -> Vec<Vec<u8>> {
    vec![encode(&Header { model: Digest::of(&subject.bytes), ..subject.header() }, &subject.proofs)]
}

fn other_property(subject: &Subject) -> Vec<Vec<u8>> {
    let bound_to = |property| encode(&Header { property, ..subject.header() }, &subject.proofs);
    subject.falsehoods.iter().map(|falsehood| bound_to(falsehood.property.digest())).collect()
}

/// The first tree's first forms with a flag.
fn flagged_forms(subject: &Subject) -> Vec<Vec<u8>> {
    let mut proofs = subject.proofs[..1].to_vec();
    let Some(forms) = proofs[0].items.iter().position(|item| *item == Item::Forms) else { return Vec::new() };
    proofs[0].items.truncate(forms);
    let (before, mut bytes) = (subject.with(&proofs), subject.bytes.clone());
    // Not where the lengths of subtrees are written down before it.
    if before[HEADER + 1..] != bytes[HEADER + 1..before.len()] {
        return Vec::new();
    }
    bytes[before.len()] |= FLAG;
    vec![bytes]
}

fn subtree_duplicated(subject: &Subject) -> Vec<Vec<u8>> {
    let mut proofs = subject.proofs.clone();
    let items = &mut proofs.last_mut().unwrap().items;
    let last = (0..items.len()).rev().find_map(|i| children(items, i).filter(|[_, _, end]| *end == items.len()));
    let Some([_, second, _]) = last else { return Vec::new() };
    items.truncate(second);
    let start = subject.with(&proofs).len();
    vec![[&subject.bytes[..], &subject.bytes[start..]].concat()]
}

/// The certificate up to the first tree's first split and behind it, and the length of the first subtree; none where
/// the length is written down already.
fn first_split(subject: &Subject) -> Option<([&[u8]; 3], usize)> {
    let items = &subject.proofs[0].items;
    let split = items.iter().position(|item| matches!(item, Item::Split(_)))?;
    let [first, second, _] = children(items, split)?;
    let length = |items: &[Item]| {
        let mut proofs = subject.proofs[..1].to_vec();
        proofs[0].items = items.to_vec();
        subject.with(&proofs).len()
    };
    let (code, fields) = (length(&items[..split]), length(&items[..first]));
    let bytes = &subject.bytes;
    let is_measured = bytes[code] & FLAG != 0;
    let subtree = length(&items[..second]) - fields;
    (!is_measured).then(|| ([&bytes[..code], &bytes[code..fields], &bytes[fields..]], subtree))
}

/// The certificate with another length of the first split's first subtree, a function of the true one.
pub fn with_length(subject: &Subject, of: impl Fn(u64) -> u64) -> Option<Vec<u8>> {
    let ([before, split, behind], length) = first_split(subject)?;
    let mut bytes = [before, split].concat();
    bytes[before.len()] |= FLAG;
    let mut rest = of(length as u64);
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    debug_assert!(bytes.len() > HEADER);
    Some([&bytes, behind].concat())
}

fn wrong_lengths(subject: &Subject, of: fn(u64) -> u64) -> Vec<Vec<u8>> {
    with_length(subject, of).into_iter().collect()
}
