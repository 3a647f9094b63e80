//! Damage to the shape of trees: splits, nodes and how they end.

use bartizan_proof::certificate::{Item, Split};

use super::{Damage, MISFITS, children, in_items, in_trees, with_tree};
use crate::subject::Subject;

pub fn all() -> Vec<Damage> {
    vec![
        Damage { name: "missing second child", announced: &["missing_node"], make: missing_second_child },
        Damage { name: "missing first child", announced: MISFITS, make: missing_first_child },
        Damage { name: "children exchanged with an empty one", announced: &["not_empty"], make: empty_exchanged },
        Damage { name: "gap in a split", announced: &["gap"], make: |s| split_at(s, |b, _| (b, b.next_up())) },
        Damage { name: "gap in a middle split", announced: &["gap"], make: gap_in_the_middle },
        Damage { name: "split at NaN", announced: &["gap"], make: |s| split_at(s, |_, a| (f64::NAN, a)) },
        Damage {
            name: "split at infinity",
            announced: &["not_finite"],
            make: |s| split_at(s, |_, a| (f64::INFINITY, a)),
        },
        Damage {
            name: "split at minus infinity",
            announced: &["not_finite"],
            make: |s| split_at(s, |b, _| (b, f64::NEG_INFINITY)),
        },
        Damage { name: "end of an open node", announced: &["still_open"], make: end_of_an_open_node },
        Damage { name: "empty without contradiction", announced: &["not_empty"], make: empty_without_contradiction },
        Damage { name: "close duplicated", announced: &["not_open"], make: close_duplicated },
        Damage { name: "subtree nested too deep", announced: &["too_deep"], make: too_deep },
    ]
}

/// Where the last tree ends in the second child of a split, that child is left out.
fn missing_second_child(subject: &Subject) -> Vec<Vec<u8>> {
    in_last_tree(subject, |items, i| {
        let [_, second, end] = children(items, i)?;
        (end == items.len()).then(|| items[..second].to_vec())
    })
}

fn missing_first_child(subject: &Subject) -> Vec<Vec<u8>> {
    in_last_tree(subject, |items, i| {
        let [first, second, _] = children(items, i)?;
        Some([&items[..first], &items[second..]].concat())
    })
}

/// The last tree alone, so that what is missing is not taken from the tree that follows.
fn in_last_tree(subject: &Subject, change: impl Fn(&[Item], usize) -> Option<Vec<Item>>) -> Vec<Vec<u8>> {
    let last = subject.proofs.len() - 1;
    let items = &subject.proofs[last].items;
    let changed = (0..items.len()).filter_map(|i| change(items, i));
    changed.take(super::PLACES).map(|items| with_tree(subject, last, items)).collect()
}

/// The certificates with the children of a split exchanged.
pub fn exchanged(subject: &Subject, applies: impl Fn(&[Item], &[Item]) -> bool) -> Vec<Vec<u8>> {
    in_trees(subject, |items, i| {
        let [first, second, end] = children(items, i)?;
        let (low, high) = (&items[first..second], &items[second..end]);
        applies(low, high).then(|| [&items[..first], high, low, &items[end..]].concat())
    })
}

fn empty_exchanged(subject: &Subject) -> Vec<Vec<u8>> {
    exchanged(subject, |low, high| high == [Item::Empty] && low != [Item::Empty])
}

fn split_at(subject: &Subject, change: fn(f64, f64) -> (f64, f64)) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Split(Split::At { place, element, below, above }) => {
            let (below, above) = change(*below, *above);
            Some(Item::Split(Split::At { place: *place, element: *element, below, above }))
        }
        _ => None,
    })
}

fn gap_in_the_middle(subject: &Subject) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Split(Split::Middle(element)) => {
            Some(Item::Split(Split::At { place: 0, element: *element, below: 0.0, above: 0.0f64.next_up() }))
        }
        _ => None,
    })
}

fn end_of_an_open_node(subject: &Subject) -> Vec<Vec<u8>> {
    in_trees(subject, |items, i| match items[i..] {
        [Item::Close(_), Item::End, ..] => Some([&items[..i], &items[i + 1..]].concat()),
        _ => None,
    })
}

fn empty_without_contradiction(subject: &Subject) -> Vec<Vec<u8>> {
    in_trees(subject, |items, i| match items[i..] {
        [Item::Close(_), Item::End, ..] => Some([&items[..i], &[Item::Empty], &items[i + 2..]].concat()),
        _ => None,
    })
}

fn close_duplicated(subject: &Subject) -> Vec<Vec<u8>> {
    in_trees(subject, |items, i| match items[i] {
        Item::Close(_) => Some([&items[..=i], &items[i..]].concat()),
        _ => None,
    })
}

/// Splits beyond the depth limit in front of a subtree.
fn too_deep(subject: &Subject) -> Vec<Vec<u8>> {
    let items = [&vec![Item::Split(Split::Middle(0)); 600], &subject.proofs[0].items[..]].concat();
    vec![with_tree(subject, 0, items)]
}
