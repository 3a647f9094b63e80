//! Proof trees: each construct accepted where it proves something, and refused by name where it does not.

use super::*;

/// y = |x0 - x1| - 0.25 is never at most -0.26 on the unit square: one node is not enough, a split on the sign of z0 is.
fn needs_a_split() -> (Network, Property) {
    (distance(), never_at_most(-0.26, &[(0.0, 1.0), (0.0, 1.0)]))
}

/// With slopes (0.5, 0.5) the relaxation of y gives 0 - 0.25 on the whole square, so other slopes stand for a weak node.
fn weak() -> Witness {
    alpha(&[1.0, 0.0])
}

/// Closes with y >= -0.25, which holds everywhere.
fn idle() -> Item {
    close(alpha(&[0.0, 0.0]))
}

fn sign(element: usize) -> Item {
    Item::Split(Split::At { place: 1, element, below: 0.0, above: 0.0 })
}

fn literal(element: usize, side: Side, at: f64) -> Literal {
    Literal { place: 1, element, side, at }
}

fn beta(alphas: &[f32], beta: &[f32]) -> Witness {
    Witness::Own(Slopes { alpha: [(1, alphas.to_vec())].into(), beta: beta.to_vec(), ..Slopes::default() })
}

#[test]
fn splits_on_signs_close_what_one_node_does_not() {
    let (network, property) = needs_a_split();
    assert!(matches!(refusal(&network, &property, &[close(weak()), Item::End]), Refusal::NotRefuted(0, _)));
    // Below z0 = x0 - x1 <= 0: relu(z0) = 0, and z1 = -z0 >= 0 is only known through the literal.
    let low = close(beta(&[0.0, 1.0], &[1.0]));
    let high = close(beta(&[1.0, 0.0], &[1.0]));
    let tree = [sign(0), low, Item::End, high.clone(), Item::End];
    assert_eq!(judge(&network, &property, &tree).unwrap().leaves(), 2);
    // Children in the wrong order: the literal of the first has the other sign.
    let exchanged = [sign(0), high.clone(), Item::End, tree[1].clone(), Item::End];
    let refused = judge(&network, &property, &exchanged).unwrap_err();
    assert!(matches!(refused.refusal, Refusal::NotRefuted(0, _)));
    assert_eq!(refused.at.unwrap().path, "0");
    assert_eq!(refusal(&network, &property, &[sign(0), tree[1].clone(), Item::End]), Refusal::MissingNode);
}

#[test]
fn input_splits_shrink_the_box() {
    let (network, property) = (distance(), never_at_most(-0.3, &[(0.0, 1.0), (0.0, 1.0)]));
    let leaf = [close(weak()), Item::End];
    assert!(judge(&network, &property, &leaf).is_err());
    // Where x1 <= x0 in the whole box, alpha (1, 0) is exact; elsewhere it is not.
    let split = |element, below, above| Item::Split(Split::At { place: 0, element, below, above });
    let easy = never_at_most(-0.3, &[(0.5, 1.0), (0.0, 0.75)]);
    assert!(judge(&network, &easy, &[split(1, 0.5, 0.5), leaf[0].clone(), Item::End, idle(), Item::End]).is_ok());
    let halves = [Item::Split(Split::Middle(0)), idle(), Item::End, idle(), Item::End];
    assert_eq!(judge(&network, &property, &halves).unwrap().leaves(), 2);
    let refused = |item| refusal(&network, &property, &[item, idle(), Item::End]);
    assert_eq!(refused(split(0, 0.5, 0.75)), Refusal::Gap(0.5, 0.75));
    assert!(matches!(refused(split(0, f64::NAN, 0.0)), Refusal::Gap(..)));
    assert_eq!(refused(split(0, f64::INFINITY, 0.0)), Refusal::NotFinite(f64::INFINITY));
    assert_eq!(refused(split(2, 0.5, 0.5)), Refusal::UnknownElement(0, 2));
    assert_eq!(refused(Item::Split(Split::Middle(2))), Refusal::UnknownElement(0, 2));
    assert!(
        judge(&network, &property, &[split(0, 0.75, 0.25), halves[1].clone(), Item::End, halves[1].clone(), Item::End])
            .is_ok()
    );
}

/// A split of the unit square whose second subtree has no points.
fn beyond_box() -> Item {
    Item::Split(Split::At { place: 0, element: 0, below: 2.0, above: 1.5 })
}

#[test]
fn contradictions_end_a_node() {
    let (network, property) = (distance(), never_at_most(-0.3, &[(0.0, 1.0), (0.0, 1.0)]));
    let beyond = Item::Split(Split::At { place: 0, element: 0, below: 1.0, above: 1.5 });
    assert!(matches!(refusal(&network, &property, &[beyond]), Refusal::Gap(..)));
    let tree = [beyond_box(), idle(), Item::End, Item::Empty];
    assert!(judge(&network, &property, &tree).is_ok());
    assert_eq!(refusal(&network, &property, &[Item::Empty]), Refusal::NotEmpty);
    // A node without points may be split like any other.
    let halves = [Item::Split(Split::Middle(0)), Item::Empty, Item::Empty];
    let tree = [&[beyond_box(), idle(), Item::End], &halves[..]].concat();
    assert_eq!(judge(&network, &property, &tree).unwrap().leaves(), 3);
    // Two literals that contradict each other without any interval that does: z0 <= -0.1 and z1 <= -0.1, but z0 = -z1.
    let split = |element| Item::Split(Split::At { place: 1, element, below: -0.1, above: -0.1 });
    let no_atom = Close { case: 0, multipliers: Multipliers::Each(vec![0.0]), witness: beta(&[], &[1.0, 1.0]) };
    let mut slopes = Slopes { beta: vec![1.0, 1.0], ..Slopes::default() };
    let farkas = Item::Close(vec![Close { witness: Witness::Own(slopes.clone()), ..no_atom }]);
    let rest = idle();
    let tree = [split(0), split(1), farkas, Item::End, rest.clone(), Item::End, rest.clone(), Item::End];
    assert_eq!(judge(&network, &property, &tree).unwrap().leaves(), 3);
    slopes.beta = vec![1.0, 0.0];
    let weak = Close { case: 0, multipliers: Multipliers::Each(vec![0.0]), witness: Witness::Own(slopes) };
    let tree = [split(0), split(1), Item::Close(vec![weak]), Item::End];
    assert!(matches!(refusal(&network, &property, &tree), Refusal::NotRefuted(0, _)));
}

#[test]
fn bounds_may_be_proved_by_trees() {
    let (network, property) = needs_a_split();
    // z0 + z1 = 0, so on the part z0 >= 0.25 the second ReLU is off.
    let part = never_at_most(-0.01, &[(0.5, 1.0), (0.0, 0.25)]);
    let bound = Item::Prove(literal(0, Side::Lower, 0.2));
    let tree = [bound, close(Witness::Default), Item::End, close(Witness::Default), Item::End];
    assert_eq!(judge(&network, &part, &tree).unwrap().leaves(), 2);
    let false_bound = Item::Prove(literal(0, Side::Lower, 0.3));
    let refused = judge(&network, &part, &[false_bound, close(Witness::Default), Item::End]).unwrap_err();
    assert!(matches!(refused.refusal, Refusal::NotRefuted(0, _)));
    assert_eq!(refused.at.unwrap().path, "p");
    let unfinished = [Item::Prove(literal(0, Side::Lower, -2.0)), Item::End];
    assert_eq!(refusal(&network, &property, &unfinished), Refusal::StillOpen(0));
    let not_a_number = [Item::Prove(literal(0, Side::Lower, f64::NAN))];
    assert!(matches!(refusal(&network, &property, &not_a_number), Refusal::NotFinite(_)));
}

#[test]
fn lemmas_apply_where_their_assumptions_hold_and_nowhere_else() {
    let (network, property) = needs_a_split();
    let low = close(beta(&[0.0, 1.0], &[1.0]));
    let high = close(beta(&[1.0, 0.0], &[1.0]));
    let lemma = |side| Item::Lemma(vec![literal(0, side, 0.0)], vec![0]);
    let lemmas = [lemma(Side::Upper), low, Item::End, lemma(Side::Lower), high, Item::End];
    let with = |rest: &[Item]| [&lemmas, rest].concat();
    let tree = with(&[sign(0), Item::Apply(0), Item::End, Item::Apply(1), Item::End]);
    assert_eq!(judge(&network, &property, &tree).unwrap().leaves(), 4);
    let exchanged = with(&[sign(0), Item::Apply(1), Item::End, Item::Apply(0), Item::End]);
    assert_eq!(refusal(&network, &property, &exchanged), Refusal::LemmaDoesNotApply(1, 1, 0));
    assert_eq!(refusal(&network, &property, &with(&[Item::Apply(0)])), Refusal::LemmaDoesNotApply(0, 1, 0));
    assert_eq!(refusal(&network, &property, &with(&[Item::Apply(2)])), Refusal::UnknownLemma(2, 2));
    assert_eq!(refusal(&network, &property, &[Item::Lemma(vec![], vec![1])]), Refusal::NotOpen(1));
    let repeated = Item::Lemma(vec![literal(0, Side::Upper, 0.0)], vec![0, 0]);
    assert_eq!(refusal(&network, &property, &[repeated]), Refusal::NotOpen(0));
    // Without assumptions a lemma refutes its cases where it stands.
    let here = [&[Item::Lemma(vec![], vec![0])], &tree[..], &[Item::End]].concat();
    assert!(judge(&network, &property, &here).is_ok());
    // The negation of a bound is not the case that a lemma is about, whatever their numbers.
    let stolen = with(&[sign(0), Item::Prove(literal(0, Side::Upper, -5.0)), Item::Apply(0), Item::End]);
    assert_eq!(refusal(&network, &property, &stolen), Refusal::StillOpen(0));
}

#[test]
fn kept_slopes_serve_the_subtrees_below() {
    let (network, property) = needs_a_split();
    let slopes = Slopes { alpha: [(1, vec![0.5, 0.5])].into(), ..Slopes::default() };
    let (keep, kept) = (Item::Keep(slopes), close(Witness::Kept(0)));
    assert!(judge(&network, &property, &[keep.clone(), kept.clone(), Item::End]).is_ok());
    let below = [keep, Item::Split(Split::Middle(0)), kept.clone(), Item::End, kept.clone(), Item::End];
    assert!(judge(&network, &property, &below).is_ok());
    assert_eq!(refusal(&network, &property, &[kept, Item::End]), Refusal::UnknownSlopes(0, 0));
}

#[test]
fn witnesses_that_are_none_are_refused_by_name() {
    let (network, property) = needs_a_split();
    let refused = |witness| refusal(&network, &property, &[close(witness), Item::End]);
    assert_eq!(refused(alpha(&[1.5, 0.0])), Refusal::Slope(1.5));
    assert_eq!(refused(alpha(&[-0.1, 0.0])), Refusal::Slope(-0.1));
    assert_eq!(refused(alpha(&[0.5])), Refusal::SlopeCount(1, 2, 1));
    let elsewhere = Witness::Own(Slopes { alpha: [(9, vec![0.5])].into(), ..Slopes::default() });
    assert_eq!(refused(elsewhere), Refusal::UnknownElement(9, 0));
    assert_eq!(refused(beta(&[0.5; 2], &[1.0])), Refusal::MultiplierCount(0, "literals on the path", 1));
    let constraint = Witness::Own(Slopes { constraints: vec![1.0], ..Slopes::default() });
    assert_eq!(refused(constraint), Refusal::MultiplierCount(0, "constraints of the region", 1));
    for wrong in [-1.0, f32::INFINITY] {
        let negative = [sign(0), close(beta(&[0.5; 2], &[wrong])), Item::End];
        assert_eq!(refusal(&network, &property, &negative), Refusal::Multiplier(wrong));
        let close = Close { case: 0, multipliers: Multipliers::Each(vec![wrong]), witness: Witness::Default };
        assert_eq!(refusal(&network, &property, &[Item::Close(vec![close])]), Refusal::Multiplier(wrong));
    }
    let many = Close { case: 0, multipliers: Multipliers::Each(vec![1.0; 2]), witness: Witness::Default };
    assert_eq!(refusal(&network, &property, &[Item::Close(vec![many])]), Refusal::MultiplierCount(1, "atoms", 2));
    let other = Close { case: 3, multipliers: Multipliers::Atom(0), witness: Witness::Default };
    assert_eq!(refusal(&network, &property, &[Item::Close(vec![other])]), Refusal::NotOpen(3));
    let twice = [close(alpha(&[0.5; 2])), close(alpha(&[0.5; 2])), Item::End];
    assert_eq!(refusal(&network, &property, &twice), Refusal::NotOpen(0));
    let tighten = |place, targets| refusal(&network, &property, &[Item::Tighten(place, targets)]);
    assert_eq!(tighten(7, Targets::Undecided), Refusal::UnknownElement(7, 0));
    assert_eq!(tighten(1, Targets::Marked(vec![true], vec![true])), Refusal::SlopeCount(1, 2, 1));
    let target = Target { element: 5, side: Side::Lower, witness: Witness::Default };
    assert_eq!(tighten(1, Targets::Listed(vec![target])), Refusal::UnknownElement(1, 5));
}

#[test]
fn every_region_with_a_case_needs_its_proof_once_and_in_order() {
    let network = distance();
    let (first, second) = (region(&[(0.0, 0.5), (0.0, 1.0)]), region(&[(0.5, 1.0), (0.0, 1.0)]));
    let atoms = never_at_most(-0.3, &[(0.0, 1.0), (0.0, 1.0)]).cases()[0].atoms.clone();
    let cases = (0..2).map(|region| Case { region, atoms: atoms.clone() }).collect();
    let property = Property::new((2, 1), vec![first, second], cases).unwrap();
    let witness = || alpha(&[0.0, 0.0]);
    let leaf = |case| Item::Close(vec![Close { case, multipliers: Multipliers::Atom(0), witness: witness() }]);
    let proof = |region: usize, case| Proof { region, items: vec![leaf(case), Item::End] };
    let header = Header::of(&network, &property);
    let judge = |header: &Header, proofs: &[Proof]| {
        verify(&network, &property, &encode(header, proofs), NonZeroUsize::MIN).map_err(|rejected| rejected.refusal)
    };
    assert_eq!(judge(&header, &[proof(0, 0), proof(1, 1)]).unwrap().cases(), 2);
    assert_eq!(judge(&header, &[proof(0, 0)]), Err(Refusal::MissingProof(1)));
    assert_eq!(judge(&header, &[proof(1, 1)]), Err(Refusal::MissingProof(0)));
    assert_eq!(judge(&header, &[proof(0, 0), proof(0, 0)]), Err(Refusal::ProofOrder(1, 0)));
    assert_eq!(judge(&header, &[proof(0, 0), proof(2, 1)]), Err(Refusal::UnknownRegion(2, 2)));
    assert_eq!(judge(&header, &[proof(0, 1)]), Err(Refusal::NotOpen(1)));
    let other = Digest::of(b"other");
    let wrong_model = judge(&Header { model: other, ..header }, &[proof(0, 0), proof(1, 1)]);
    assert_eq!(wrong_model, Err(Refusal::OtherModel(network.digest(), other)));
    let wrong_property = judge(&Header { property: other, ..header }, &[proof(0, 0), proof(1, 1)]);
    assert_eq!(wrong_property, Err(Refusal::OtherProperty(property.digest(), other)));
}

#[test]
fn subtrees_are_checked_in_parallel_with_the_same_answer() {
    let (network, property) = needs_a_split();
    // A tree of 128 leaves whose subtrees are long enough to carry their lengths.
    fn grow(depth: usize, items: &mut Vec<Item>) {
        if depth == 0 {
            items.extend([close(alpha(&[0.5, 0.5])), Item::End]);
            return;
        }
        items.push(Item::Split(Split::Middle(depth % 2)));
        grow(depth - 1, items);
        grow(depth - 1, items);
    }
    let mut items = Vec::new();
    grow(7, &mut items);
    let bytes = certificate(&network, &property, &[&items]);
    let threads = |n| NonZeroUsize::new(n).unwrap();
    for n in [1, 2, 5] {
        assert_eq!(verify(&network, &property, &bytes, threads(n)).unwrap().leaves(), 128);
    }
    // Damage in one leaf is found at the same place by any number of threads.
    let leaf = items.iter().rposition(|item| matches!(item, Item::Close(_))).unwrap();
    items[leaf] = close(alpha(&[2.0, 0.5]));
    let damaged = certificate(&network, &property, &[&items]);
    let refused = |n| verify(&network, &property, &damaged, threads(n)).unwrap_err();
    assert_eq!(refused(1), refused(2));
    assert_eq!(refused(1).at.unwrap().path, "1111111");
    // A wrong length.
    let flagged = bytes.iter().rposition(|byte| *byte == 0x82).unwrap();
    let mut wrong = bytes.clone();
    wrong[flagged + 2] ^= 1;
    for n in [1, 2] {
        let refused = verify(&network, &property, &wrong, threads(n)).unwrap_err().refusal;
        assert!(matches!(refused, Refusal::SubtreeLength(..)), "{refused}");
    }
}

#[test]
fn trees_beyond_the_limits_are_refused() {
    let (network, property) = needs_a_split();
    let kept = vec![Item::Keep(Slopes::default()); (1 << 12) + 1];
    assert_eq!(refusal(&network, &property, &kept), Refusal::TooLong((1 << 12) + 1, 1 << 12));
    let deep = vec![Item::Split(Split::Middle(0)); 600];
    assert_eq!(refusal(&network, &property, &deep), Refusal::TooDeep(512));
    // A lemma of many literals would cost as much at every place where it is applied.
    let lemma = |count| Item::Lemma(vec![literal(0, Side::Upper, 2.0); count], vec![0]);
    let below = [close(beta(&[0.5, 0.5], &[])), Item::End];
    assert_eq!(refusal(&network, &property, &[&[lemma(513)], &below[..]].concat()), Refusal::TooDeep(512));
    let most = [&[lemma(512)], &below[..], &[Item::Apply(0), Item::End]].concat();
    assert!(judge(&network, &property, &most).is_ok());
}

#[test]
fn constraints_and_balls_of_the_region_are_used() {
    let network = distance();
    let claim = |region: Region, most: f64| {
        let cases = never_at_most(most, &[(0.0, 1.0), (0.0, 1.0)]).cases().to_vec();
        Property::new((2, 1), vec![region], cases).unwrap()
    };
    let square = region(&[(0.0, 1.0), (0.0, 1.0)]);
    // x0 - x1 >= 0.5, so y >= 0.25.
    let terms = vec![(Variable::Input(0), Interval::point(-1.0)), (Variable::Input(1), Interval::point(1.0))];
    let constraint = Atom { terms, at_most: Interval::point(-0.5), strict: false };
    let cut = claim(Region { constraints: vec![constraint], ..square.clone() }, 0.2);
    let slopes = |m| Slopes { alpha: [(1, vec![1.0, 0.0])].into(), constraints: vec![m], ..Slopes::default() };
    assert!(judge(&network, &cut, &[close(Witness::Own(slopes(1.0))), Item::End]).is_ok());
    assert!(judge(&network, &cut, &[close(Witness::Own(slopes(0.5))), Item::End]).is_err());
    assert!(replay(&network, &claim(cut.regions()[0].clone(), 0.4), &[0.8, 0.2]).is_ok());
    assert_eq!(replay(&network, &cut, &[0.5, 0.5]).unwrap_err().refusal, Refusal::NotViolated);
    // Around (0.75, 0.25): x0 - x1 is at least 0.5 - r in the L1 ball, 0.5 - r sqrt 2 in the Euclidean one.
    for (norm, least) in [(Norm::L1, 0.5 - 0.2), (Norm::L2, 0.5 - 0.2 * std::f64::consts::SQRT_2)] {
        let center = vec![Interval::point(0.75), Interval::point(0.25)];
        let ball = |radius| Ball { norm, center: center.clone(), scale: vec![Interval::point(1.0); 2], radius };
        let round = Region { ball: Some(ball(Interval::point(0.2))), ..square.clone() };
        let tree = [close(alpha(&[1.0, 0.0])), Item::End];
        assert!(judge(&network, &claim(round.clone(), least - 0.25 - 1e-9), &tree).is_ok(), "{norm:?}");
        assert!(judge(&network, &claim(round.clone(), least - 0.25 + 1e-9), &tree).is_err(), "{norm:?}");
        let at_center = claim(round.clone(), 0.3);
        assert!(replay(&network, &at_center, &[0.75, 0.25]).is_ok());
        assert_eq!(replay(&network, &at_center, &[0.95, 0.45]).unwrap_err().refusal, Refusal::NotViolated);
    }
}
