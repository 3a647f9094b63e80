//! What only certificates of volume may say.

use bartizan_proof::certificate::Item;

use super::{Damage, in_trees};
use crate::subject::Subject;

pub fn all() -> Vec<Damage> {
    vec![
        Damage { name: "end becomes leave", announced: &["left_open"], make: |s| at_ends(s, &[Item::Leave]) },
        Damage {
            name: "a case violated at an end",
            announced: &["violation"],
            make: |s| at_ends(s, &[Item::Violate(0), Item::End]),
        },
        Damage { name: "a case violated anywhere", announced: &["violation"], make: violated },
    ]
}

/// Other items where a node ends with nothing open.
fn at_ends(subject: &Subject, by: &[Item]) -> Vec<Vec<u8>> {
    in_trees(subject, |items, i| (items[i] == Item::End).then(|| [&items[..i], by, &items[i + 1..]].concat()))
}

fn violated(subject: &Subject) -> Vec<Vec<u8>> {
    in_trees(subject, |items, i| Some([&items[..i], &[Item::Violate(0)], &items[i..]].concat()))
}
