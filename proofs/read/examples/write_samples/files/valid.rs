//! Certificates that are accepted; together they hold every construct.

use bartizan_proof::certificate::{Close, Item, Multipliers, Proof, Side, Slopes, Target, Targets, Witness};

use super::instances::Instance;
use super::steps::{alpha, at, at_most, close, close_case, exact, grow, halves, literal, middle, off, proof, sign};

/// A name and the items of a tree.
type Tree = (&'static str, Vec<Item>);

/// Certificates of the distance instance.
pub fn distance(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let trees = [single_nodes(), splits(), references(), forms()].concat();
    let named = |(name, items): Tree| (format!("{name}.distance"), instance.certificate(&[proof(0, &items)]));
    trees.into_iter().map(named).collect()
}

fn single_nodes() -> Vec<Tree> {
    let single = |witness| vec![close(witness), Item::End];
    let target = |side, witness| Target { element: 0, side, witness };
    let ends = vec![target(Side::Lower, Witness::Default), target(Side::Upper, Witness::Own(Slopes::default()))];
    let tightened = vec![
        Item::TightenAll,
        Item::Tighten(1, Targets::Undecided),
        Item::Tighten(1, Targets::Listed(ends)),
        Item::Tighten(2, Targets::Marked(vec![true], vec![false])),
        exact(),
        Item::End,
    ];
    vec![
        ("default_slopes", single(Witness::Default)),
        ("short_slopes", vec![exact(), Item::End]),
        ("long_slopes", single(Witness::Own(alpha(&[0.3, 0.3])))),
        ("some_slopes", single(Witness::Own(alpha(&[f32::NAN, 0.0])))),
        ("tightened", tightened),
    ]
}

fn splits() -> Vec<Tree> {
    let [low, high] = halves();
    let both = |split| vec![split, exact(), Item::End, exact(), Item::End];
    let beyond = [at(0, 0, 2.0, 1.5), exact(), Item::End];
    // Both literals cannot hold, but no interval says so.
    let contradiction = Slopes { beta: vec![1.0, 1.0], ..Slopes::default() };
    let none = Multipliers::Each(vec![0.0]);
    let contradiction = Item::Close(vec![Close { case: 0, multipliers: none, witness: Witness::Own(contradiction) }]);
    let literals = [at(1, 0, -0.1, -0.1), at(1, 1, -0.1, -0.1), contradiction, Item::End];
    vec![
        ("sign_split", vec![sign(0), low, Item::End, high, Item::End]),
        ("input_splits", grow(2, &exact())),
        ("value_splits", both(at(1, 0, 0.125, -0.125))),
        ("input_values", both(at(0, 1, 0.75, 0.25))),
        ("empty", [&beyond[..], &[Item::Empty]].concat()),
        ("empty_split", [&beyond[..], &[middle(0), Item::Empty, Item::Empty]].concat()),
        ("contradicting_literals", [&literals[..], &[off(), Item::End, off(), Item::End]].concat()),
        ("measured_subtrees", grow(5, &close(Witness::Own(alpha(&[0.3, 0.3]))))),
    ]
}

fn references() -> Vec<Tree> {
    let [low, high] = halves();
    let kept = close(Witness::Kept(0));
    let lemma = |side| Item::Lemma(vec![literal(0, side, 0.0)], vec![0]);
    let lemmas = [lemma(Side::Upper), low, Item::End, lemma(Side::Lower), high, Item::End];
    let bound = [Item::Prove(literal(1, Side::Lower, -1.5)), close(Witness::Default), Item::End];
    let unconditional = [Item::Lemma(vec![], vec![0]), Item::Keep(alpha(&[0.5, 0.5])), kept.clone(), Item::End];
    let kept = vec![Item::Keep(alpha(&[0.3, 0.3])), middle(0), kept.clone(), Item::End, kept, Item::End];
    vec![
        ("lemmas", [&lemmas, &[sign(0), Item::Apply(0), Item::End, Item::Apply(1), Item::End][..]].concat()),
        ("lemma_without_literals", [&unconditional[..], &[Item::End]].concat()),
        ("proved_bound", [&bound[..], &[close(Witness::Default), Item::End]].concat()),
        ("kept_slopes", kept),
    ]
}

/// y is at most 0.75 by its form and 1.75 by interval arithmetic; in the quarters of the square at most 0.25 and 0.75 where x0
/// and x1 are near each other.
fn forms() -> Vec<Tree> {
    let leaf = |most: f64| [&at_most(2, most)[..], &[off(), Item::End]].concat();
    let [near, far] = [leaf(0.3), leaf(1.0)];
    let quarters = [&[Item::Forms, middle(0), middle(1)], &near[..], &far, &[middle(1)], &far, &near].concat();
    vec![("forms", [&[Item::Forms], &far[..]].concat()), ("forms_below_splits", quarters)]
}

/// Certificates of the wide instance: in the first subtree of the split 64 inputs vary.
pub fn wide(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let leaf = [close(Witness::Default), Item::End];
    let items = [&[at(0, 0, 0.0, 0.0), Item::Forms], &leaf[..], &leaf[..]].concat();
    vec![("forms_of_64_inputs.wide".to_owned(), instance.certificate(&[proof(0, &items)]))]
}

/// The proofs of both regions of the corners instance.
pub fn both_regions() -> [Proof; 2] {
    let off = Witness::Own(Slopes { alpha: [(2, vec![0.0, 0.0])].into(), ..Slopes::default() });
    let joint = Close { case: 0, multipliers: Multipliers::Each(vec![1.0, 1.0]), witness: off.clone() };
    let second = vec![close_case(2, 0, Witness::Default), close_case(1, 0, off)];
    [proof(0, &[Item::Close(vec![joint]), Item::End]), proof(1, &[Item::Close(second), Item::End])]
}

/// Certificates of the corners instance.
pub fn corners(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let [first, second] = both_regions();
    let leaf = &second.items;
    // On the second ReLU of the second layer z >= 0.125, so that y0 >= z alone would not do without the literal.
    let on = Slopes { alpha: [(2, vec![0.0, 0.0])].into(), beta: vec![1.0], ..Slopes::default() };
    let high = Item::Close(vec![close_case(1, 0, Witness::Own(on)), close_case(2, 0, Witness::Default)]);
    let splits: Vec<Item> = [&[Item::TightenAll, at(2, 1, 0.25, 0.125)], &leaf[..], &[high, Item::End]].concat();
    let case_by_case = {
        let [Item::Close(list), Item::End] = leaf.as_slice() else { panic!("the proof is a single node") };
        let one = |close: &Close| Item::Close(vec![close.clone()]);
        vec![one(&list[1]), middle(1), one(&list[0]), Item::End, one(&list[0]), Item::End]
    };
    let with = |name: &str, items: &[Item]| {
        (format!("{name}.corners"), instance.certificate(&[first.clone(), proof(1, items)]))
    };
    // The first output is at most 1.244 by its form and 2 by interval arithmetic.
    let forms = [&[Item::Forms], &at_most(3, 1.25)[..], &leaf[..]].concat();
    vec![
        with("cases", leaf),
        with("second_layer_split", &splits),
        with("case_by_case", &case_by_case),
        with("forms", &forms),
    ]
}
