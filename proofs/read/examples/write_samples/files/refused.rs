//! Certificates that are readable and wrong. A name begins with the refusal.

use bartizan_proof::certificate::{Close, Item, Literal, Multipliers, Side, Slopes, Target, Targets, Witness};

use super::instances::Instance;
use super::steps::{alpha, at, at_most, beta, close, close_case, exact, halves, literal, middle, off, proof, sign};
use super::valid::both_regions;

/// A name and the items of a tree.
type Tree = (&'static str, Vec<Item>);

/// Wrong trees of the distance instance.
pub fn trees(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let trees = [cover(), slopes(), multipliers(), references(), ends(), forms(), volume()].concat();
    let named = |(name, items): Tree| (format!("{name}.distance"), instance.certificate(&[proof(0, &items)]));
    trees.into_iter().map(named).collect()
}

/// Splits that leave something out, and values that are none.
fn cover() -> Vec<Tree> {
    let both = |split: Item| vec![split, exact(), Item::End, exact(), Item::End];
    let bound = |at| vec![Item::Prove(literal(0, Side::Lower, at)), exact(), Item::End, exact(), Item::End];
    let [low, high] = halves();
    vec![
        ("gap.input", both(at(0, 0, 0.5, 0.75))),
        ("gap.value", both(at(1, 0, -0.125, 0.125))),
        ("gap.next_float", both(at(0, 0, 0.5, 0.5f64.next_up()))),
        ("gap.not_a_number", both(at(0, 0, f64::NAN, 0.0))),
        ("not_finite.split_value", both(at(0, 0, f64::INFINITY, 0.0))),
        ("not_finite.bound", bound(f64::NEG_INFINITY)),
        ("missing_node.second_child", vec![sign(0), low.clone(), Item::End]),
        ("missing_node.both_children", vec![middle(0)]),
        ("not_refuted.children_exchanged", vec![sign(0), high, Item::End, low, Item::End]),
        ("not_refuted.false_bound", bound(0.25)),
        ("too_deep.splits", vec![middle(0); 513]),
    ]
}

fn slopes() -> Vec<Tree> {
    let own = |alphas: &[f32]| vec![close(Witness::Own(alpha(alphas))), Item::End];
    let elsewhere = Slopes { alpha: [(2, vec![0.5])].into(), ..Slopes::default() };
    let beyond = Slopes { alpha: [(9, vec![0.5])].into(), ..Slopes::default() };
    vec![
        ("slope.above_one", own(&[1.5, 0.0])),
        ("slope.barely_above_one", own(&[1.0f32.next_up(), 0.0])),
        ("slope.negative", own(&[0.0, -0.25])),
        ("slope.infinite", own(&[f32::INFINITY, 0.0])),
        ("slope.kept", vec![Item::Keep(alpha(&[2.0, 0.0])), exact(), Item::End]),
        ("slope_count.too_few", own(&[0.5])),
        ("slope_count.too_many", own(&[0.5; 3])),
        (
            "slope_count.of_the_output",
            vec![close(Witness::Own(Slopes { alpha: [(2, vec![0.5; 2])].into(), ..elsewhere })), Item::End],
        ),
        ("slope_count.marks", vec![Item::Tighten(1, Targets::Marked(vec![true; 3], vec![true; 3]))]),
        ("unknown_element.slopes", vec![close(Witness::Own(beyond)), Item::End]),
        ("not_refuted.weak_slopes", own(&[1.0, 0.0])),
    ]
}

fn multipliers() -> Vec<Tree> {
    let atoms = |numbers: &[f32]| {
        let multipliers = Multipliers::Each(numbers.to_vec());
        vec![Item::Close(vec![Close { case: 0, multipliers, witness: Witness::Default }]), Item::End]
    };
    let betas = |betas: &[f32]| vec![sign(0), close(beta(&[0.0, 1.0], betas)), Item::End];
    let constraint = Slopes { constraints: vec![1.0], ..Slopes::default() };
    vec![
        ("multiplier.negative_atom", atoms(&[-1.0])),
        ("multiplier.infinite_atom", atoms(&[f32::INFINITY])),
        ("multiplier.not_a_number_atom", atoms(&[f32::NAN])),
        ("multiplier.negative_beta", betas(&[-1.0])),
        ("multiplier.infinite_beta", betas(&[f32::INFINITY])),
        ("multiplier.not_a_number_beta", betas(&[f32::NAN])),
        ("multiplier_count.atoms", atoms(&[1.0, 1.0])),
        ("multiplier_count.no_atom", atoms(&[])),
        ("multiplier_count.unknown_atom", vec![Item::Close(vec![close_case(0, 1, Witness::Default)])]),
        ("multiplier_count.betas", betas(&[1.0, 1.0])),
        ("multiplier_count.constraints", vec![close(Witness::Own(constraint)), Item::End]),
        ("not_refuted.zero", atoms(&[0.0])),
    ]
}

/// Numbers of things that do not exist, and lemmas where they do not apply.
fn references() -> Vec<Tree> {
    let [low, high] = halves();
    let lemma = |side| Item::Lemma(vec![literal(0, side, 0.0)], vec![0]);
    let lemmas = [lemma(Side::Upper), low, Item::End, lemma(Side::Lower), high.clone(), Item::End];
    let with = |rest: &[Item]| [&lemmas, rest].concat();
    let target = Target { element: 2, side: Side::Lower, witness: Witness::Default };
    let nowhere = Literal { place: 7, ..literal(0, Side::Lower, 0.0) };
    vec![
        ("lemma_does_not_apply.exchanged", with(&[sign(0), Item::Apply(1), Item::End, Item::Apply(0), Item::End])),
        ("lemma_does_not_apply.no_split", with(&[Item::Apply(0), Item::End])),
        ("not_refuted.sign_of_literal", vec![lemma(Side::Upper), high, Item::End]),
        ("unknown_lemma.beyond", with(&[Item::Apply(2)])),
        ("unknown_slopes.beyond", vec![Item::Keep(alpha(&[0.5; 2])), close(Witness::Kept(1)), Item::End]),
        ("unknown_slopes.of_sibling", {
            let kept = [Item::Keep(alpha(&[0.5; 2])), close(Witness::Kept(0)), Item::End];
            [&[middle(0)], &kept[..], &kept[1..]].concat()
        }),
        ("unknown_element.middle", vec![middle(2), exact(), Item::End, exact(), Item::End]),
        ("unknown_element.split", vec![at(1, 2, 0.0, 0.0), exact(), Item::End, exact(), Item::End]),
        ("unknown_element.target", vec![Item::Tighten(1, Targets::Listed(vec![target]))]),
        ("unknown_element.place", vec![Item::Tighten(7, Targets::Undecided)]),
        ("unknown_element.literal", vec![Item::Lemma(vec![nowhere], vec![0]), exact(), Item::End]),
    ]
}

/// Nodes that end too early, and cases that are not open.
fn ends() -> Vec<Tree> {
    let bound = Item::Prove(literal(0, Side::Lower, -2.0));
    let refuted = || [exact(), Item::End];
    let goal = [Item::Lemma(vec![literal(0, Side::Upper, 0.0)], vec![0]), off(), Item::End];
    vec![
        ("still_open.at_once", vec![Item::End]),
        ("still_open.in_a_child", [&[middle(0), exact(), Item::End], &[Item::TightenAll, Item::End][..]].concat()),
        ("still_open.bound", vec![bound.clone(), Item::End]),
        ("still_open.lemma_of_another_goal", [&goal[..], &[bound, Item::Apply(0), Item::End]].concat()),
        ("not_empty.root", vec![Item::Empty]),
        ("not_empty.child", [&[middle(0)], &refuted()[..], &[Item::Empty]].concat()),
        ("not_open.closed_twice", [&[exact()], &refuted()[..]].concat()),
        ("not_open.unknown_case", vec![Item::Close(vec![close_case(3, 0, Witness::Default)])]),
        ("not_open.named_twice", vec![Item::Lemma(vec![literal(0, Side::Upper, 0.0)], vec![0, 0])]),
        ("not_open.in_one_item", vec![Item::Close(vec![close_case(0, 0, Witness::Default); 2]), Item::End]),
    ]
}

/// What forms would prove, where none are in use.
fn forms() -> Vec<Tree> {
    let bound = at_most(2, 1.0);
    let aside = [Item::Prove(literal(0, Side::Lower, -2.0)), Item::Forms, Item::Empty];
    vec![
        ("not_empty.no_forms", bound.to_vec()),
        ("not_empty.forms_of_a_bound", [&aside[..], &bound].concat()),
        ("not_empty.forms_of_sibling", [&[middle(0), Item::Forms, exact(), Item::End], &bound[..]].concat()),
    ]
}

/// What only certificates of volume may say.
fn volume() -> Vec<Tree> {
    let bound = Item::Prove(literal(0, Side::Lower, -2.0));
    let refuted = [exact(), Item::End];
    vec![
        ("left_open.at_once", vec![Item::Leave]),
        ("left_open.in_a_child", [&[middle(0)], &refuted[..], &[Item::Leave]].concat()),
        ("left_open.bound", [&[bound, Item::Leave], &refuted[..]].concat()),
        ("violation.at_once", [&[Item::Violate(0)], &refuted[..]].concat()),
    ]
}

/// Forms where 65 inputs vary.
pub fn wide(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let items = [Item::Forms, close(Witness::Default), Item::End];
    vec![("too_many_inputs.all.wide".to_owned(), instance.certificate(&[proof(0, &items)]))]
}

/// Wrong lists of proofs of the corners instance.
pub fn proofs(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let [first, second] = both_regions();
    let moved = |region| proof(region, &second.items);
    let unopened = vec![first.clone(), moved(1), moved(1)];
    let lists = [
        ("missing_proof.second", vec![first.clone()]),
        ("missing_proof.first", vec![second.clone()]),
        ("missing_proof.all", vec![]),
        ("proof_order.twice", unopened),
        ("proof_order.exchanged_after_the_first", vec![first.clone(), moved(0)]),
        ("unknown_region.beyond", vec![first.clone(), moved(2)]),
        ("not_open.case_of_another_region", vec![first.clone(), proof(1, &first.items)]),
        ("not_refuted.one_atom_alone", {
            let one = Item::Close(vec![close_case(0, 0, Witness::Default)]);
            vec![proof(0, &[one, Item::End]), second.clone()]
        }),
        ("still_open.one_case_left", {
            let Some(Item::Close(list)) = second.items.first() else { panic!("the proof begins with a close") };
            vec![first.clone(), proof(1, &[Item::Close(list[..1].to_vec()), Item::End])]
        }),
    ];
    lists.map(|(name, proofs)| (format!("{name}.corners"), instance.certificate(&proofs))).into()
}

/// What proves y > -0.26, offered for y > -0.25, which is false where x0 = x1.
pub fn beyond_the_minimum(truth: &Instance, claim: &Instance) -> Vec<(String, Vec<u8>)> {
    let [low, high] = halves();
    let whole = [proof(0, &[exact(), Item::End])];
    let split = [proof(0, &[sign(0), low, Item::End, high, Item::End])];
    vec![
        ("not_refuted.one_node.distance_false".to_owned(), claim.certificate(&whole)),
        ("not_refuted.sign_split.distance_false".to_owned(), claim.certificate(&split)),
        ("other_property.borrowed.distance_false".to_owned(), truth.certificate(&whole)),
    ]
}
