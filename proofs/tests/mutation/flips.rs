//! Random changes of bytes: whatever is still accepted is true.

use crate::random::Random;
use crate::subject::{HEADER, Subject};
use crate::{ALL, answer};

/// How many changed versions of each certificate are tried.
const VERSIONS: usize = 450;

/// Changes one to three places behind the header, or sometimes anywhere.
fn change(bytes: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(3) {
        let first = if random.below(20) == 0 { 0 } else { HEADER };
        let place = first + random.below(bytes.len() - first);
        match random.below(8) {
            0 => drop(bytes.remove(place)),
            1 => bytes.insert(place, random.bits() as u8),
            2 => bytes[place] = random.bits() as u8,
            3 => bytes[place] = bytes[place].wrapping_add(1),
            4 => {
                let end = (place + 1 + random.below(12)).min(bytes.len());
                let copied = bytes[place..end].to_vec();
                bytes.splice(place..place, copied);
            }
            _ => bytes[place] ^= 1 << random.below(8),
        }
        if bytes.len() <= HEADER {
            break;
        }
    }
    bytes
}

/// How many changed certificates were tried, how many were still accepted for what they were made for, and how many
/// were offered for a falsehood.
fn try_changes(subject: &Subject, random: &mut Random) -> [usize; 3] {
    let [mut tried, mut accepted, mut offered] = [0; 3];
    for version in 0..VERSIONS {
        let bytes = change(&subject.bytes, random);
        accepted += usize::from(subject.judge(&bytes).is_ok());
        let falsehood = &subject.falsehoods[version % subject.falsehoods.len()];
        for bytes in [bytes, change(&falsehood.almost, random)] {
            let found = answer(&subject.judge_as(&falsehood.property, &bytes));
            assert_ne!(found, "accepted", "a falsehood is proved by {bytes:?}");
            offered += 1;
        }
        tried += 1;
    }
    [tried, accepted, offered]
}

#[test]
fn changed_bytes_prove_nothing_false() {
    let mut random = Random::new(11);
    let mut sums = [0; 3];
    for subject in ALL.iter() {
        for (sum, one) in sums.iter_mut().zip(try_changes(subject, &mut random)) {
            *sum += one;
        }
    }
    let [tried, accepted, offered] = sums;
    eprintln!("{tried} changed certificates, {accepted} of them still proofs; {offered} offered for falsehoods");
    assert!(tried >= 100_000 && accepted > 0);
}
