//! Volume: shares of parts, and the refusals of its items where they do not belong.

use super::*;
use crate::verdict::ProvedVolume;

const UNIT: [(f64, f64); 2] = [(0.0, 1.0), (0.0, 1.0)];

/// y = x0 + x1.
fn sum() -> Network {
    let input = Node { name: "x".to_owned(), size: 2, op: Op::Input };
    network(vec![input, affine("y", 1, vec![dense(0, 2, vec![1.0, 1.0])], vec![])], 2)
}

fn volume_of(network: &Network, property: &Property, trees: &[&[Item]]) -> Result<ProvedVolume, Rejected> {
    let bytes = certificate(network, property, trees);
    let answers = [1, 2, 4].map(|n| volume(network, property, &bytes, NonZeroUsize::new(n).unwrap()));
    assert!(answers[0] == answers[1] && answers[0] == answers[2], "depends on the number of threads");
    let [answer, ..] = answers;
    answer
}

/// Certified, violated and undecided shares of the first region.
fn shares(network: &Network, property: &Property, items: &[Item]) -> [f64; 3] {
    let proved = volume_of(network, property, &[items]).unwrap();
    let shares = proved.regions()[0];
    [shares.certified(), shares.violated(), shares.undecided()]
}

fn volume_refusal(network: &Network, property: &Property, items: &[Item]) -> Refusal {
    volume_of(network, property, &[items]).unwrap_err().refusal
}

fn plain() -> Item {
    close(Witness::Default)
}

/// Proves y >= -0.25 for the distance network.
fn idle() -> Item {
    close(alpha(&[0.0, 0.0]))
}

fn halves(element: usize) -> Item {
    Item::Split(Split::Middle(element))
}

#[test]
fn parts_are_certified_violated_or_left() {
    // y <= 1 happens on the lower left half of the square.
    let (network, property) = (sum(), never_at_most(1.0, &UNIT));
    assert_eq!(shares(&network, &property, &[Item::Leave]), [0.0, 0.0, 1.0]);
    let low = [Item::Violate(0), plain(), Item::End];
    let high = [plain(), Item::End];
    let quarters = [&[halves(0), halves(1)], &low[..], &[Item::Leave, halves(1), Item::Leave], &high[..]].concat();
    // The sum is 1 in corners of both, so neither quarter is decided.
    assert!(matches!(volume_refusal(&network, &property, &quarters), Refusal::NotRefuted(0, _)));
    for (limit, expected) in [(1.125, [0.0, 0.25, 0.75]), (0.875, [0.25, 0.0, 0.75])] {
        let property = never_at_most(limit, &UNIT);
        let [first, last] =
            [&low[..], &high].map(|tree| if (limit > 1.0) == (tree == low) { tree } else { &[Item::Leave] });
        let quarters = [&[halves(0), halves(1)], first, &[Item::Leave, halves(1), Item::Leave], last].concat();
        assert_eq!(shares(&network, &property, &quarters), expected);
    }
    let proved = volume_of(&network, &property, &[&[Item::Leave]]).unwrap();
    assert_eq!((proved.network(), proved.property(), proved.leaves()), (network.digest(), property.digest(), 1));
}

#[test]
fn everything_may_be_certified_or_violated() {
    let network = distance();
    let certified = [halves(0), idle(), Item::End, idle(), Item::End];
    assert_eq!(shares(&network, &never_at_most(-0.3, &[(0.0, 0.1), (0.0, 0.7)]), &certified), [1.0, 0.0, 0.0]);
    let violated = [halves(0), Item::Violate(0), plain(), Item::End, Item::Violate(0), plain(), Item::End];
    assert_eq!(shares(&network, &never_at_most(2.0, &[(0.0, 0.1), (0.0, 0.7)]), &violated), [0.0, 1.0, 0.0]);
    // The same below an item that holds for both halves.
    let at_root = [Item::Violate(0), halves(0), plain(), Item::End, Item::Leave];
    assert_eq!(shares(&network, &never_at_most(2.0, &UNIT), &at_root), [0.0, 0.5, 0.5]);
}

#[test]
fn every_atom_must_hold_everywhere() {
    let network = sum();
    let atom = |sign: f64, b: f64, strict| {
        let terms = vec![(Variable::Output(0), Interval::point(sign)), (Variable::Input(0), Interval::point(0.0))];
        Atom { terms, at_most: Interval::point(b), strict }
    };
    // 0 <= y <= 2 holds on all of the square, but not strictly; -0.5 < y < 2.5 does.
    for (b, strict, holds) in [(0.0, false, false), (0.5, false, true), (0.5, true, true)] {
        let atoms = vec![atom(-1.0, b, strict), atom(1.0, 2.0 + b, strict)];
        let property = Property::new((2, 1), vec![region(&UNIT)], vec![Case { region: 0, atoms }]).unwrap();
        let both = |cases: &[usize]| {
            let close =
                |case: &usize| Close { case: *case, multipliers: Multipliers::Atom(0), witness: Witness::Default };
            [Item::Violate(0), Item::Close(cases.iter().map(close).collect()), Item::End]
        };
        assert_eq!(volume_of(&network, &property, &[&both(&[0, 1])]).is_ok(), holds);
        assert_eq!(volume_refusal(&network, &property, &both(&[])), Refusal::StillOpen(0));
        if holds {
            assert_eq!(volume_refusal(&network, &property, &both(&[0])), Refusal::StillOpen(1));
            assert_eq!(volume_refusal(&network, &property, &both(&[1, 2])), Refusal::NotOpen(2));
        }
    }
}

#[test]
fn enclosed_numbers_count_against_both() {
    // 0.5 y <= b with a coefficient from 0.25 to 0.75 and a right-hand side from 1 to 1.25, where y is 2: 0.5 to 1.5.
    let atom = |b: Interval| Atom {
        terms: vec![(Variable::Output(0), Interval { lo: 0.25, hi: 0.75 })],
        at_most: b,
        strict: false,
    };
    let with = |lo: f64, hi: f64| {
        let case = Case { region: 0, atoms: vec![atom(Interval { lo, hi })] };
        Property::new((2, 1), vec![region(&[(1.0, 1.0), (1.0, 1.0)])], vec![case]).unwrap()
    };
    let violated = [Item::Violate(0), plain(), Item::End];
    let certified = [plain(), Item::End];
    let is_accepted = |property: &Property, items: &[Item]| volume_of(&sum(), property, &[items]).is_ok();
    for (lo, hi, expected) in [(1.625, 9.0, (false, true)), (1.375, 9.0, (false, false)), (-9.0, 0.375, (true, false))]
    {
        let property = with(lo, hi);
        assert_eq!((is_accepted(&property, &certified), is_accepted(&property, &violated)), expected, "{lo} {hi}");
    }
}

#[test]
fn cases_without_atoms_happen_everywhere() {
    let property = Property::new((2, 1), vec![region(&UNIT)], vec![Case { region: 0, atoms: vec![] }]).unwrap();
    assert_eq!(shares(&sum(), &property, &[Item::Violate(0), Item::End]), [0.0, 1.0, 0.0]);
    assert_eq!(volume_refusal(&sum(), &property, &[Item::End]), Refusal::StillOpen(0));
}

#[test]
fn each_region_has_its_shares() {
    let atoms = never_at_most(1.0, &UNIT).cases()[0].atoms.clone();
    let regions = vec![region(&[(2.0, 3.0), (0.0, 1.0)]), region(&UNIT), region(&UNIT)];
    let cases = vec![Case { region: 0, atoms: atoms.clone() }, Case { region: 1, atoms }];
    let property = Property::new((2, 1), regions, cases).unwrap();
    let proved = volume_of(&sum(), &property, &[&[plain(), Item::End], &[Item::Leave]]).unwrap();
    let shares: Vec<[f64; 2]> = proved.regions().iter().map(|s| [s.certified(), s.undecided()]).collect();
    // Of the last nothing is claimed, and none of it is violated.
    assert_eq!(shares, [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]);
    let other = [Item::Violate(1), Item::End];
    assert_eq!(volume_of(&sum(), &property, &[&other, &[Item::Leave]]).unwrap_err().refusal, Refusal::NotOpen(1));
    let missing = volume_of(&sum(), &property, &[&[plain(), Item::End]]).unwrap_err().refusal;
    assert_eq!(missing, Refusal::MissingProof(1));
}

#[test]
fn parts_that_overlap_or_are_less_than_their_boxes_claim_no_more_than_there_is() {
    let (network, property) = (distance(), never_at_most(-0.3, &UNIT));
    let at = |place, element, below, above| Item::Split(Split::At { place, element, below, above });
    let end = [idle(), Item::End];
    let tree = |split: Item, second: &[Item]| [&[split], &end[..], second].concat();
    // The first subtree is three quarters and the second too.
    assert_eq!(shares(&network, &property, &tree(at(0, 0, 0.75, 0.25), &end)), [1.0, 0.0, 0.0]);
    assert_eq!(shares(&network, &property, &tree(at(0, 0, 0.75, 0.25), &[Item::Leave])), [0.25, 0.0, 0.75]);
    // Beyond the box there is nothing.
    assert_eq!(shares(&network, &property, &tree(at(0, 0, 2.0, 1.5), &[Item::Empty])), [1.0, 0.0, 0.0]);
    assert_eq!(shares(&network, &property, &tree(at(0, 0, 2.0, 1.5), &[Item::Leave])), [1.0, 0.0, 0.0]);
    // Signs of hidden values: all or nothing.
    let sign = |alphas: &[f32]| {
        close(Witness::Own(Slopes { beta: vec![1.0], alpha: [(1, alphas.to_vec())].into(), ..Slopes::default() }))
    };
    let [low, high] = [[sign(&[0.0, 1.0]), Item::End], [sign(&[1.0, 0.0]), Item::End]];
    let signs = |second: &[Item]| [&[at(1, 0, 0.0, 0.0)], &low[..], second].concat();
    assert_eq!(shares(&network, &property, &signs(&high)), [1.0, 0.0, 0.0]);
    assert_eq!(shares(&network, &property, &signs(&[Item::Leave])), [0.0, 0.0, 1.0]);
    // Where z0 is at least 0.75 the first case never happens, and where it is at most 0.75 the second always: no part of the
    // volume is claimed twice.
    let never = never_at_most(0.25, &UNIT);
    let far = close(Witness::Own(Slopes { beta: vec![1.0], alpha: [(1, vec![1.0, 0.0])].into(), ..Slopes::default() }));
    let near = [Item::Violate(0), plain(), Item::End];
    assert!(matches!(
        volume_refusal(&network, &never, &[at(1, 0, 0.75, 0.75), near[0].clone(), near[1].clone()]),
        Refusal::NotRefuted(..)
    ));
    let band = [at(1, 0, 0.75, 0.75), Item::Leave, far, Item::End];
    assert_eq!(shares(&network, &never, &band), [0.0, 0.0, 1.0]);
}

#[test]
fn no_number_of_leaves_overflows() {
    // Every leaf of these trees has the whole square as its box.
    fn tree(depth: usize, leaf: &[Item]) -> Vec<Item> {
        let all = Item::Split(Split::At { place: 1, element: 0, below: 5.0, above: -5.0 });
        if depth == 0 { leaf.to_vec() } else { [&[all], &tree(depth - 1, leaf)[..], &tree(depth - 1, leaf)].concat() }
    }
    let (network, property) = (distance(), never_at_most(-0.3, &UNIT));
    for depth in [12, 13] {
        assert_eq!(shares(&network, &property, &tree(depth, &[Item::Leave])), [0.0, 0.0, 1.0]);
        assert_eq!(shares(&network, &property, &tree(depth, &[idle(), Item::End])), [1.0, 0.0, 0.0]);
        let half = [&[halves(0)], &tree(depth, &[Item::Leave])[..], &[idle(), Item::End]].concat();
        assert_eq!(shares(&network, &property, &half), [0.0, 0.0, 1.0]);
    }
}

#[test]
fn proofs_of_properties_leave_and_violate_nothing() {
    let (network, property) = (distance(), never_at_most(-0.3, &UNIT));
    let end = [idle(), Item::End];
    let left = [&[halves(0)], &end[..], &[Item::Leave]].concat();
    let refused = judge(&network, &property, &left).unwrap_err();
    assert_eq!((refused.refusal, refused.at.unwrap().path.as_str()), (Refusal::LeftOpen, "1"));
    assert_eq!(refusal(&network, &property, &[Item::Leave]), Refusal::LeftOpen);
    // Not even where nothing is open any more.
    assert_eq!(refusal(&network, &property, &[idle(), Item::Leave]), Refusal::LeftOpen);
    let happens = never_at_most(2.0, &UNIT);
    let violated = [Item::Violate(0), plain(), Item::End];
    assert_eq!(refusal(&network, &happens, &violated), Refusal::Violation(0));
    assert!(volume_of(&network, &happens, &[&violated]).is_ok());
    let ground = Ground::new(&network, &happens.regions()[0]).unwrap();
    let steps = |items: &[Item]| items.iter().map(|item| (item.clone(), false)).collect::<Vec<_>>();
    assert_eq!(node(&ground, &happens, 0, &steps(&violated)), Err(Refusal::Violation(0)));
    assert_eq!(node(&ground, &happens, 0, &steps(&[Item::Leave])), Err(Refusal::LeftOpen));
    assert_eq!(part(&ground, &happens, 0, &steps(&violated)), Ok(()));
    assert_eq!(part(&ground, &happens, 0, &steps(&[Item::Leave])), Ok(()));
    let steps = |item| bounds(&network, &happens.regions()[0], &[item]).unwrap_err().refusal;
    assert_eq!((steps(Item::Leave), steps(Item::Violate(0))), (Refusal::LeftOpen, Refusal::NotTightening));
}

#[test]
fn proofs_on_the_way_leave_and_violate_nothing() {
    let (network, property) = (distance(), never_at_most(2.0, &UNIT));
    let bound = Item::Prove(Literal { place: 1, element: 0, side: Side::Upper, at: 0.5 });
    let lemma = Item::Lemma(vec![], vec![0]);
    let violated = [Item::Violate(0), plain(), Item::End];
    for aside in [bound, lemma.clone()] {
        let with = |tree: &[Item]| [std::slice::from_ref(&aside), tree].concat();
        assert_eq!(volume_refusal(&network, &property, &with(&[Item::Leave])), Refusal::LeftOpen);
        assert_eq!(volume_refusal(&network, &property, &with(&violated)), Refusal::Violation(0));
        let below = [&[halves(0), Item::Leave], &violated[..]].concat();
        assert_eq!(volume_refusal(&network, &property, &with(&below)), Refusal::LeftOpen);
    }
    // Below a violation neither.
    let twice = [Item::Violate(0), Item::Violate(0)];
    assert_eq!(volume_refusal(&network, &property, &twice), Refusal::Violation(0));
    let below = [Item::Violate(0), lemma.clone(), Item::Leave];
    assert_eq!(volume_refusal(&network, &property, &below), Refusal::LeftOpen);
    // A lemma may refute the negation of an atom, but one from above does not.
    let inside = [&[Item::Violate(0), lemma.clone(), plain()][..], &[Item::End, Item::End]].concat();
    assert_eq!(shares(&network, &property, &inside), [0.0, 1.0, 0.0]);
    let (never, literal) = (never_at_most(-0.3, &UNIT), Literal { place: 0, element: 0, side: Side::Upper, at: 1.0 });
    let above = [Item::Lemma(vec![literal], vec![0]), idle(), Item::End, Item::Violate(0), Item::Apply(0), Item::End];
    assert_eq!(volume_refusal(&network, &never, &above), Refusal::StillOpen(0));
    let refuted = [idle(), Item::Violate(0)];
    assert_eq!(volume_refusal(&network, &never, &refuted), Refusal::NotOpen(0));
    let open = [Item::Violate(0), Item::End];
    assert_eq!(volume_refusal(&network, &property, &open), Refusal::StillOpen(0));
    // What is false stays so: a case that never happens, and one that happens somewhere.
    for limit in [-0.3, 0.25] {
        let property = never_at_most(limit, &UNIT);
        let claim = [Item::Violate(0), plain(), Item::End];
        assert!(matches!(volume_refusal(&network, &property, &claim), Refusal::NotRefuted(0, _)));
    }
}

#[test]
fn volume_is_measured_in_boxes() {
    let network = distance();
    let constraint =
        Atom { terms: vec![(Variable::Input(0), Interval::point(1.0))], at_most: Interval::point(0.5), strict: false };
    let center = vec![Interval::point(0.5); 2];
    let scale = vec![Interval::point(1.0); 2];
    let ball = Ball { norm: Norm::L2, center, scale, radius: Interval::point(0.25) };
    let with = |constraints, ball| {
        let other = Region { constraints, ball, ..region(&UNIT) };
        let atoms = never_at_most(-0.3, &UNIT).cases()[0].atoms.clone();
        let cases = vec![Case { region: 0, atoms }];
        Property::new((2, 1), vec![region(&UNIT), other], cases).unwrap()
    };
    for property in [with(vec![constraint], None), with(vec![], Some(ball))] {
        assert_eq!(volume_refusal(&network, &property, &[plain(), Item::End]), Refusal::NotABox(1));
        assert!(judge(&network, &property, &[idle(), Item::End]).is_ok());
    }
}
