//! What can be done to a certificate, and with which refusal it must be met.

mod bytes;
mod proofs;
mod references;
mod signs;
mod splits;
mod volume;
mod witnesses;

use bartizan_proof::certificate::{Item, Proof, SignNode, Slopes, Targets, Witness};

pub use bytes::with_length;
pub use signs::{base_dropped, base_exchanged, base_in_the_sibling, base_one_higher, exchange, in_signs, only};
pub use splits::exchanged;

use crate::subject::Subject;

/// In how many places of one certificate the same damage is done.
const PLACES: usize = 3;

/// A kind of damage.
pub struct Damage {
    pub name: &'static str,
    /// The refusals, in snake case, that are an answer to it.
    pub announced: &'static [&'static str],
    /// Damaged certificates; none where there is nothing to damage.
    pub make: fn(&Subject) -> Vec<Vec<u8>>,
}

/// What a tree that is no longer in one piece, or is applied where it does not belong, may fail at first.
pub const MISFITS: &[&str] = &[
    "lemma_does_not_apply",
    "missing_node",
    "multiplier_count",
    "not_empty",
    "not_open",
    "not_refuted",
    "still_open",
    "unknown_lemma",
    "unknown_slopes",
];

/// Every kind of damage.
pub fn all() -> Vec<Damage> {
    [splits::all(), witnesses::all(), references::all(), proofs::all(), signs::all(), bytes::all(), volume::all()]
        .into_iter()
        .flatten()
        .collect()
}

/// The certificate with one tree changed, in some of the places where the change applies.
fn in_trees(subject: &Subject, change: impl Fn(&[Item], usize) -> Option<Vec<Item>>) -> Vec<Vec<u8>> {
    let places = subject.proofs.iter().enumerate().flat_map(|(p, proof)| (0..proof.items.len()).map(move |i| (p, i)));
    let changed = places.filter_map(|(p, i)| Some((p, change(&subject.proofs[p].items, i)?)));
    let changed: Vec<(usize, Vec<Item>)> = changed.collect();
    let step = changed.len().div_ceil(PLACES).max(1);
    changed.into_iter().step_by(step).map(|(p, items)| with_tree(subject, p, items)).collect()
}

/// The certificate with another tree in place of one.
fn with_tree(subject: &Subject, place: usize, items: Vec<Item>) -> Vec<u8> {
    let mut proofs: Vec<Proof> = subject.proofs.clone();
    proofs[place].items = items;
    subject.with(&proofs)
}

/// The same where single items change.
fn in_items(subject: &Subject, change: impl Fn(&Item) -> Option<Item>) -> Vec<Vec<u8>> {
    in_trees(subject, |items, i| {
        let mut items = items.to_vec();
        items[i] = change(&items[i])?;
        Some(items)
    })
}

/// The same where the first slopes of an item change that can; `change` says whether it did.
fn in_slopes(subject: &Subject, change: impl Fn(&mut Slopes) -> bool) -> Vec<Vec<u8>> {
    in_items(subject, |item| {
        let mut item = item.clone();
        slopes_of(&mut item).into_iter().any(&change).then_some(item)
    })
}

/// All slopes that an item holds.
fn slopes_of(item: &mut Item) -> Vec<&mut Slopes> {
    fn own(witness: &mut Witness) -> Vec<&mut Slopes> {
        match witness {
            Witness::Default | Witness::Kept(_) => Vec::new(),
            Witness::Own(slopes) => vec![slopes],
            Witness::Signs(tree) => {
                let of_nodes = tree.nodes.iter_mut().filter_map(|node| match node {
                    SignNode::Own(slopes) | SignNode::Base(slopes) => Some(slopes),
                    SignNode::Split(..) | SignNode::Leaf(_) => None,
                });
                own(&mut tree.base).into_iter().chain(of_nodes).collect()
            }
        }
    }
    match item {
        Item::Keep(slopes) => vec![slopes],
        Item::Close(list) => list.iter_mut().flat_map(|close| own(&mut close.witness)).collect(),
        Item::Tighten(_, Targets::Listed(list)) => list.iter_mut().flat_map(|t| own(&mut t.witness)).collect(),
        _ => Vec::new(),
    }
}

/// Where the tree that begins at an item ends.
pub fn end_of(items: &[Item], start: usize) -> usize {
    let (mut open, mut place) = (1, start);
    while open > 0 {
        match items[place] {
            Item::End | Item::Empty | Item::Leave => open -= 1,
            Item::Split(_) | Item::Prove(_) | Item::Lemma(..) => open += 1,
            _ => {}
        }
        place += 1;
    }
    place
}

/// The two subtrees of the split at a place: where the first begins, the second begins and the second ends.
fn children(items: &[Item], split: usize) -> Option<[usize; 3]> {
    let Item::Split(_) = items[split] else { return None };
    let second = end_of(items, split + 1);
    Some([split + 1, second, end_of(items, second)])
}
