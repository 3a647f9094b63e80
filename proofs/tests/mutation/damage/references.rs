//! Damage to what items refer to: elements, kept slopes, lemmas and cases.

use bartizan_proof::certificate::{Close, Item, Literal, Side, Split, Target, Targets, Witness};

use super::{Damage, MISFITS, end_of, in_items, in_trees};
use crate::subject::Subject;

/// A number that nothing has.
const UNKNOWN: usize = 1000;

/// A value that no element reaches.
const BEYOND: f64 = 1e6;

pub fn all() -> Vec<Damage> {
    let element: &[&str] = &["unknown_element"];
    vec![
        Damage { name: "split of an unknown element", announced: element, make: split_element },
        Damage { name: "split of an unknown place", announced: element, make: split_place },
        Damage { name: "bounds of an unknown place", announced: element, make: tighten_place },
        Damage { name: "bounds of an unknown element", announced: element, make: tighten_element },
        Damage {
            name: "literal about an unknown element",
            announced: element,
            make: |s| literals(s, |l| l.element = UNKNOWN),
        },
        Damage {
            name: "literal that is infinite",
            announced: &["not_finite"],
            make: |s| literals(s, |l| l.at = f64::INFINITY),
        },
        Damage { name: "literal that is NaN", announced: &["not_finite"], make: |s| literals(s, |l| l.at = f64::NAN) },
        Damage { name: "bound that does not hold", announced: MISFITS, make: false_bound },
        Damage { name: "unknown slopes", announced: &["unknown_slopes"], make: unknown_slopes },
        Damage { name: "slopes of an unknown place", announced: element, make: slopes_place },
        Damage { name: "unknown lemma", announced: &["unknown_lemma"], make: unknown_lemma },
        Damage { name: "lemma with a flipped literal", announced: MISFITS, make: |s| lone_lemma(s, flipped) },
        Damage {
            name: "lemma of what never happens",
            announced: &["lemma_does_not_apply"],
            make: |s| lone_lemma(s, never_happens),
        },
        Damage { name: "close of an unknown case", announced: &["not_open"], make: unknown_case },
        Damage {
            name: "lemma of an unknown case",
            announced: &["not_open"],
            make: |s| lemma_cases(s, |c| c.push(UNKNOWN)),
        },
        Damage { name: "lemma of a case twice", announced: &["not_open"], make: |s| lemma_cases(s, |c| c.push(c[0])) },
    ]
}

fn split_element(subject: &Subject) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Split(Split::Middle(_)) => Some(Item::Split(Split::Middle(UNKNOWN))),
        Item::Split(Split::At { place, below, above, .. }) => {
            Some(Item::Split(Split::At { place: *place, element: UNKNOWN, below: *below, above: *above }))
        }
        _ => None,
    })
}

fn split_place(subject: &Subject) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Split(Split::At { below, above, .. }) => {
            Some(Item::Split(Split::At { place: UNKNOWN, element: 0, below: *below, above: *above }))
        }
        _ => None,
    })
}

fn tighten_place(subject: &Subject) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Tighten(_, targets) => Some(Item::Tighten(UNKNOWN, targets.clone())),
        _ => None,
    })
}

fn tighten_element(subject: &Subject) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Tighten(place, Targets::Listed(list)) => {
            let target = Target { element: UNKNOWN, side: Side::Upper, witness: Witness::Default };
            Some(Item::Tighten(*place, Targets::Listed([&list[..], &[target]].concat())))
        }
        _ => None,
    })
}

/// Changes the literal of a bound or lemma.
fn literals(subject: &Subject, change: fn(&mut Literal)) -> Vec<Vec<u8>> {
    in_items(subject, |item| {
        let mut item = item.clone();
        match &mut item {
            Item::Prove(literal) => change(literal),
            Item::Lemma(literals, _) => change(literals.first_mut()?),
            _ => return None,
        }
        Some(item)
    })
}

fn false_bound(subject: &Subject) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Prove(literal) => Some(Item::Prove(Literal { side: Side::Lower, at: BEYOND, ..*literal })),
        _ => None,
    })
}

/// Changes all closes of an item; the first is met first.
fn closes(subject: &Subject, change: impl Fn(&mut Close) -> bool) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Close(list) => {
            let mut list = list.clone();
            list.first_mut().is_some_and(&change).then_some(Item::Close(list))
        }
        _ => None,
    })
}

fn unknown_slopes(subject: &Subject) -> Vec<Vec<u8>> {
    closes(subject, |close| {
        close.witness = Witness::Kept(UNKNOWN);
        true
    })
}

fn slopes_place(subject: &Subject) -> Vec<Vec<u8>> {
    super::in_slopes(subject, |slopes| slopes.alpha.insert(UNKNOWN, vec![0.5]).is_none())
}

fn unknown_case(subject: &Subject) -> Vec<Vec<u8>> {
    closes(subject, |close| {
        close.case = UNKNOWN;
        true
    })
}

fn unknown_lemma(subject: &Subject) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Apply(_) => Some(Item::Apply(UNKNOWN)),
        _ => None,
    })
}

fn lemma_cases(subject: &Subject, change: fn(&mut Vec<usize>)) -> Vec<Vec<u8>> {
    in_items(subject, |item| match item {
        Item::Lemma(literals, cases) => {
            let mut cases = cases.clone();
            change(&mut cases);
            Some(Item::Lemma(literals.clone(), cases))
        }
        _ => None,
    })
}

/// Changes the only lemma of a tree that is applied, so that no other can stand in for it. The change gets the lemma's
/// literal, its cases and its subtree.
fn lone_lemma(subject: &Subject, change: fn(Literal, &[usize], &[Item]) -> Vec<Item>) -> Vec<Vec<u8>> {
    in_trees(subject, |items, i| {
        let Item::Lemma(literals, cases) = &items[i] else { return None };
        let [literal] = literals.as_slice() else { return None };
        let lemmas = items.iter().filter(|item| matches!(item, Item::Lemma(literals, _) if !literals.is_empty()));
        let is_applied = items[i..].contains(&Item::Apply(0));
        let end = end_of(items, i + 1);
        let changed = || change(*literal, cases, &items[i + 1..end]);
        (lemmas.count() == 1 && is_applied).then(|| [&items[..i], &changed(), &items[end..]].concat())
    })
}

fn flipped(literal: Literal, cases: &[usize], subtree: &[Item]) -> Vec<Item> {
    let side = if literal.side == Side::Lower { Side::Upper } else { Side::Lower };
    [&[Item::Lemma(vec![Literal { side, ..literal }], cases.to_vec())], subtree].concat()
}

/// A true lemma, whose assumption contradicts what is known; it applies nowhere.
fn never_happens(literal: Literal, cases: &[usize], _: &[Item]) -> Vec<Item> {
    let literal = Literal { side: Side::Lower, at: BEYOND, ..literal };
    vec![Item::Lemma(vec![literal], cases.to_vec()), Item::Empty]
}
