//! Forward forms: what they prove that interval arithmetic does not, where they hold, and that they follow every split.

use super::*;

fn identity(source: usize) -> Term {
    Term { source, map: Map::Identity, roundings: 0 }
}

fn scale(source: usize, by: f64) -> Term {
    Term { source, map: Map::Scale(vec![by]), roundings: 0 }
}

/// Nodes 0 input(1), 1 affine `x + shift`, 2 relu, 3 affine: y = relu(x + shift) - x.
fn ramp(shift: f64) -> Network {
    let input = Node { name: "x".to_owned(), size: 1, op: Op::Input };
    let z = affine("z", 1, vec![identity(0)], vec![shift]);
    let h = Node { name: "h".to_owned(), size: 1, op: Op::Relu(1) };
    let y = affine("y", 1, vec![identity(2), scale(0, -1.0)], vec![]);
    network(vec![input, z, h, y], 1)
}

/// The places of the ramp.
const Z: usize = 1;
const Y: usize = 2;

fn at(place: usize, side: Side, at: f64) -> Literal {
    Literal { place, element: 0, side, at }
}

#[track_caller]
fn assert_near(found: Interval, lo: f64, hi: f64) {
    let is_near = (found.lo - lo).abs() < 1e-12 && (found.hi - hi).abs() < 1e-12;
    assert!(is_near, "{found:?} instead of [{lo}, {hi}]");
}

#[test]
fn forms_see_what_values_have_in_common() {
    let output = |network: &Network, ends: (f64, f64), steps: &[Item]| {
        bounds(network, &region(&[ends]), steps).unwrap().outputs()[0]
    };
    let (active, inactive) = (ramp(2.0), ramp(-2.0));
    assert_near(output(&active, (-1.0, 1.0), &[]), 0.0, 4.0);
    assert_near(output(&active, (-1.0, 1.0), &[Item::Forms]), 2.0, 2.0);
    assert_near(output(&inactive, (-1.0, 1.0), &[Item::Forms]), -1.0, 1.0);
    // relu(x) is 3/4 x + 3/8 up to 3/8 on [-1, 3].
    assert_near(output(&ramp(0.0), (-1.0, 3.0), &[]), -3.0, 4.0);
    assert_near(output(&ramp(0.0), (-1.0, 3.0), &[Item::Forms]), -0.75, 1.0);
}

#[test]
fn forms_follow_what_is_assumed() {
    let (network, region) = (ramp(0.0), region(&[(-1.0, 1.0)]));
    let ground = Ground::new(&network, &region).unwrap();
    let mut state = State::new(&ground);
    state.use_forms().unwrap();
    assert_near(state.intervals(Y)[0], -0.5, 1.0);
    let below = |literals: &[Literal]| {
        let mut child = state.clone();
        literals.iter().for_each(|literal| child.assume(literal).unwrap());
        child.intervals(Y)[0]
    };
    // Splits on the input, on the input again, on the sign of a value, and on both.
    assert_near(below(&[at(0, Side::Upper, 0.0)]), 0.0, 1.0);
    assert_near(below(&[at(0, Side::Lower, 0.0)]), 0.0, 0.0);
    assert_near(below(&[at(0, Side::Lower, -0.5), at(0, Side::Upper, 0.25)]), -0.25 / 3.0 * 2.0, 0.5);
    assert_near(below(&[at(Z, Side::Lower, 0.0)]), 0.0, 0.0);
    assert_near(below(&[at(Z, Side::Upper, 0.0)]), -0.5, 1.0);
    assert_near(below(&[at(Z, Side::Lower, 0.0), at(0, Side::Upper, 0.5)]), 0.0, 0.0);
    // The parent is what it was.
    assert_near(state.intervals(Y)[0], -0.5, 1.0);
}

/// y = relu(x) - x on [-1, 1] is never at most -0.75; `needs_forms` closes that only where forms say that y > -0.75.
fn needs_forms() -> [Item; 4] {
    let lemma = Item::Lemma(vec![at(Y, Side::Lower, -0.75)], vec![0]);
    let beta = Witness::Own(Slopes { beta: vec![1.0], alpha: [(1, vec![0.0])].into(), ..Slopes::default() });
    [lemma, close(beta), Item::End, Item::Apply(0)]
}

#[test]
fn forms_hold_in_the_node_and_in_all_subtrees_below_and_nowhere_else() {
    let (network, property) = (ramp(0.0), never_at_most(-0.75001, &[(-1.0, 1.0)]));
    let [lemma, proof, end, apply] = needs_forms();
    let with = |rest: &[Item]| [&[lemma.clone(), proof.clone(), end.clone()], rest].concat();
    let refused = |items: &[Item]| {
        let rejected = judge(&network, &property, &with(items)).unwrap_err();
        assert_eq!(rejected.refusal, Refusal::LemmaDoesNotApply(0, Y, 0));
        rejected.at.unwrap().path
    };
    let leaf = [apply, Item::End];
    let under = |items: &[Item]| [items, &leaf[..]].concat();
    assert_eq!(refused(&leaf), "");
    assert!(judge(&network, &property, &with(&under(&[Item::Forms]))).is_ok());
    let split = Item::Split(Split::At { place: 0, element: 0, below: 0.9, above: 0.0 });
    let both = [std::slice::from_ref(&split), &leaf[..], &leaf[..]].concat();
    assert_eq!(refused(&both), "0");
    assert!(judge(&network, &property, &with(&[&[Item::Forms], &both[..]].concat())).is_ok());
    let sign = Item::Split(Split::At { place: Z, element: 0, below: 0.9, above: 0.0 });
    assert!(judge(&network, &property, &with(&[&[Item::Forms, sign], &leaf[..], &leaf[..]].concat())).is_ok());
    // Not from one subtree to its sibling, nor from a lemma or a bound to what follows.
    assert_eq!(refused(&[&[split, Item::Forms], &leaf[..], &leaf[..]].concat()), "1");
    let idle = Item::Lemma(vec![at(0, Side::Upper, 0.5)], vec![]);
    assert_eq!(refused(&under(&[idle, Item::Forms, Item::End])), "");
    let bound = Item::Prove(at(Z, Side::Lower, -2.0));
    assert_eq!(refused(&under(&[bound, Item::Forms, Item::Empty])), "");
}

#[test]
fn what_forms_said_above_is_kept_where_it_was_asked_for() {
    // Where z = x is at most 0, y = -x, and x may still be 1 as far as intervals say.
    let (network, property) = (ramp(0.0), never_at_most(-0.75001, &[(-1.0, 1.0)]));
    let [lemma, proof, end, apply] = needs_forms();
    let split = Item::Split(Split::At { place: Z, element: 0, below: 0.0, above: 0.0 });
    let leaf = [apply, Item::End];
    let tree = |asked: &[Item]| {
        let before =
            [&[lemma.clone(), proof.clone(), end.clone(), Item::Forms], asked, std::slice::from_ref(&split)].concat();
        judge(&network, &property, &[&before[..], &leaf, &leaf].concat())
    };
    let asked = Item::Tighten(Y, Targets::Listed(Vec::new()));
    assert!(tree(&[asked]).is_ok());
    assert_eq!(tree(&[]).unwrap_err().at.unwrap().path, "0");
}

#[test]
fn forms_are_for_at_most_64_inputs_that_vary() {
    let claim = |varying: usize| {
        let input = Node { name: "x".to_owned(), size: 70, op: Op::Input };
        let y = affine("y", 1, vec![dense(0, 70, vec![1.0; 70])], vec![]);
        let ends: Vec<(f64, f64)> = (0..70).map(|i| (0.0, if i < varying { 1.0 } else { 0.0 })).collect();
        (network(vec![input, y], 70), never_at_most(-0.5, &ends))
    };
    let items = [Item::Forms, close(Witness::Default), Item::End];
    let (network, property) = claim(64);
    assert!(judge(&network, &property, &items).is_ok());
    let (network, property) = claim(65);
    assert_eq!(refusal(&network, &property, &items), Refusal::TooManyInputs(64, 65));
    // Where a split has left 64 of them, they may be used.
    let split = Item::Split(Split::At { place: 0, element: 0, below: 0.0, above: 0.0 });
    assert!(judge(&network, &property, &[&[split], &items[..], &items[1..]].concat()).is_ok());
}

#[test]
fn a_sum_that_overflows_proves_nothing() {
    // y = w (x0 + x1 - x2 - x3): the first sum is beyond all floats, though y is 0 where all inputs are 1.
    let big = 2f64.powi(1023);
    for w in [big, -big] {
        let input = Node { name: "x".to_owned(), size: 4, op: Op::Input };
        let network = network(vec![input, affine("y", 1, vec![dense(0, 4, vec![w, w, -w, -w])], vec![])], 4);
        let ends = [(1.0, 1.0 + 2f64.powi(-40)); 4];
        let y = bounds(&network, &region(&ends), &[Item::Forms]).unwrap().outputs()[0];
        assert!(y.lo <= 0.0 && y.hi >= 0.0, "{y:?}");
    }
    // Where a <= 1.5 all intervals are finite, but the constant of the form of z is 2.5 big. y = x - 1.7 may be -0.7.
    let nodes = vec![
        Node { name: "x".to_owned(), size: 1, op: Op::Input },
        affine("a", 1, vec![identity(0)], vec![]),
        Node { name: "h".to_owned(), size: 1, op: Op::Relu(1) },
        affine("z", 1, vec![scale(2, big)], vec![]),
        affine("y", 1, vec![identity(0)], vec![-1.7]),
    ];
    let (network, property) = (network(nodes, 1), never_at_most(-0.5, &[(1.0, 4.0)]));
    let above = Witness::Own(Slopes { beta: vec![1.0], ..Slopes::default() });
    let split = Item::Split(Split::At { place: 1, element: 0, below: 1.5, above: 1.5 });
    let tree = [Item::Forms, split, Item::Empty, close(above), Item::End];
    assert_eq!(refusal(&network, &property, &tree), Refusal::NotEmpty);
}
