use super::*;
use crate::certificate::{SignNode, Signs};

/// A tree of signs.
fn signs(base: Witness, nodes: &[SignNode]) -> Witness {
    Witness::Signs(Box::new(Signs { base, nodes: nodes.to_vec() }))
}

fn leaf(betas: &[f32]) -> SignNode {
    SignNode::Leaf(betas.to_vec())
}

/// A split on the sign of an element of place 1.
fn on(element: usize) -> SignNode {
    SignNode::Split(1, element)
}

/// Slopes of place 1 that stand for the base.
fn base(alphas: &[f32]) -> SignNode {
    SignNode::Base(Slopes { alpha: [(1, alphas.to_vec())].into(), ..Slopes::default() })
}

/// A full tree of splits on one element.
fn full(depth: usize) -> Vec<SignNode> {
    match depth {
        0 => vec![leaf(&[])],
        _ => [vec![on(0)], full(depth - 1), full(depth - 1)].concat(),
    }
}

const SQUARE: [(f64, f64); 2] = [(0.0, 1.0), (0.0, 1.0)];

fn judged(at: f64, witness: Witness) -> Result<Verified, Rejected> {
    judge(&distance(), &never_at_most(at, &SQUARE), &[close(witness), Item::End])
}

#[test]
fn signs_make_relus_exact() {
    // In each leaf y is linear: -0.25, x1 - x0 - 0.25 or x0 - x1 - 0.25, and the two in the middle need one multiplier.
    let both = |[a, b, c, d]: [f32; 4]| {
        let nodes = [on(0), on(1), leaf(&[]), leaf(&[a, b]), on(1), leaf(&[c, d]), leaf(&[])];
        signs(alpha(&[0.5, 0.5]), &nodes)
    };
    assert!(judged(-0.2501, both([1.0, 0.0, 1.0, 0.0])).is_ok());
    assert!(judged(-0.2501, both([0.0, 1.0, 0.0, 1.0])).is_ok());
    assert!(judged(-0.25, both([0.0, 1.0, 0.0, 1.0])).is_err());
    // Without multipliers, y is bounded by -1.25.
    assert!(judged(-1.26, both([0.0; 4])).is_ok());
    assert!(judged(-1.24, both([0.0; 4])).is_err());
}

#[test]
fn the_last_sign_of_an_element_counts() {
    let twice = |nodes: &[SignNode]| judged(-0.26, signs(alpha(&[1.0, 1.0]), nodes)).is_ok();
    // At most and then at least 0: x0 - x1 + (x1 - x0) is 0.
    assert!(twice(&[on(0), on(0), leaf(&[1.0]), leaf(&[]), leaf(&[])]));
    // At least and then at most 0: x1 - x0 alone needs the second sign, not the first.
    assert!(twice(&[on(0), leaf(&[1.0]), on(0), leaf(&[0.0, 1.0]), leaf(&[])]));
    assert!(!twice(&[on(0), leaf(&[1.0]), on(0), leaf(&[1.0, 0.0]), leaf(&[])]));
}

#[test]
fn all_relus_of_a_value_have_its_sign() {
    // y = relu(x) - relu(x) by two nodes.
    let input = Node { name: "x".to_owned(), size: 1, op: Op::Input };
    let relu = |name: &str| Node { name: name.to_owned(), size: 1, op: Op::Relu(1) };
    let z = affine("z", 1, vec![dense(0, 1, vec![1.0])], vec![]);
    let y = affine("y", 1, vec![dense(2, 1, vec![1.0]), dense(3, 1, vec![-1.0])], vec![]);
    let network = network(vec![input, z, relu("first"), relu("second"), y], 1);
    let property = never_at_most(-0.01, &[(-1.0, 1.0)]);
    let judged = |nodes: &[SignNode]| judge(&network, &property, &[close(signs(Witness::Default, nodes)), Item::End]);
    assert!(judged(&[leaf(&[])]).is_err());
    for place in [1, 2] {
        assert!(judged(&[SignNode::Split(place, 0), leaf(&[]), leaf(&[])]).is_ok());
    }
    // Signs of both places are of the same element.
    let nodes = [SignNode::Split(1, 0), SignNode::Split(2, 0), leaf(&[]), leaf(&[]), leaf(&[])];
    assert!(judged(&nodes).is_ok());
    assert!(judge(&network, &never_at_most(0.0, &[(-1.0, 1.0)]), &[close(signs(Witness::Default, &nodes))]).is_err());
}

#[test]
fn every_leaf_counts_wherever_its_row_stands_and_however_many_threads_there_are() {
    // Leaves whose last sign is "at most 0" need its multiplier; rows come in several batches.
    let depth = 9;
    let tree = |weak: Option<usize>| {
        let mut nodes = full(depth);
        let leaves = nodes.iter_mut().filter(|node| matches!(node, SignNode::Leaf(_))).enumerate();
        for (number, node) in leaves.filter(|(number, _)| number % 2 == 0 && Some(*number) != weak) {
            *node = leaf(&[&vec![0.0; depth - 1][..], &[1.0 - number as f32 / 65_536.0]].concat());
        }
        signs(alpha(&[1.0, 1.0]), &nodes)
    };
    let target = |witness| Target { element: 0, side: Side::Lower, witness };
    let (network, property) = (distance(), never_at_most(-0.26, &SQUARE));
    for weak in [None, Some(0), Some(254), Some(256), Some(258), Some(510)] {
        let weak_beside = Item::Tighten(2, Targets::Listed(vec![target(tree(None)), target(tree(weak))]));
        let bytes = certificate(&network, &property, &[&[weak_beside, close(tree(weak)), Item::End]]);
        let answers = [1, 2, 3, 7].map(|n| verify(&network, &property, &bytes, NonZeroUsize::new(n).unwrap()));
        let texts = answers.each_ref().map(|answer| format!("{answer:?}"));
        assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
        assert_eq!(answers[0].is_ok(), weak.is_none(), "{weak:?}");
    }
}

#[test]
fn slopes_of_a_leaf_come_before_those_of_the_base() {
    let own = |alphas: &[f32], beta: &[f32]| {
        SignNode::Own(Slopes { alpha: [(1, alphas.to_vec())].into(), beta: beta.to_vec(), ..Slopes::default() })
    };
    // In the first leaf the slope of x1 - x0 must be 1, in the second nothing is needed but what the first takes.
    let judged = |base: &[f32], first: SignNode, second: SignNode| {
        judged(-0.26, signs(alpha(base), &[on(0), first, second])).is_ok()
    };
    assert!(judged(&[1.0, 1.0], leaf(&[1.0]), leaf(&[])));
    assert!(judged(&[0.0, 0.0], own(&[f32::NAN, 1.0], &[1.0]), leaf(&[1.0])));
    assert!(judged(&[0.0, 1.0], own(&[f32::NAN; 2], &[1.0]), own(&[0.0, 0.0], &[1.0])));
    assert!(!judged(&[0.0, 0.0], own(&[1.0, f32::NAN], &[1.0]), leaf(&[1.0])));
    assert!(!judged(&[1.0, 1.0], leaf(&[1.0]), own(&[1.0, 0.0], &[])));
    // The leaf after one with slopes of its own has the base's again.
    assert!(!judged(&[1.0, 0.5], own(&[f32::NAN, 1.0], &[1.0]), leaf(&[])));
}

#[test]
fn slopes_that_stand_for_the_base_count_below_and_only_there() {
    // Where x0 - x1 is at most 0, -0.25 is reached only if the slope of x1 - x0 is 1, and with its sign.
    let proves = |outer: Witness, nodes: &[SignNode]| judged(-0.26, signs(outer, nodes)).is_ok();
    let (zeros, ones) = (alpha(&[0.0; 2]), alpha(&[1.0; 2]));
    let (low, high) = (leaf(&[1.0]), leaf(&[]));
    assert!(!proves(zeros.clone(), &[on(0), low.clone(), high.clone()]));
    assert!(proves(zeros.clone(), &[base(&[1.0; 2]), on(0), low.clone(), high.clone()]));
    assert!(!proves(ones.clone(), &[base(&[0.0; 2]), on(0), low.clone(), high.clone()]));
    // In one half: with 0 for the slope, the other needs the multiplier of its own sign.
    assert!(proves(zeros.clone(), &[on(0), base(&[1.0; 2]), low.clone(), low.clone()]));
    assert!(!proves(zeros.clone(), &[on(0), low.clone(), base(&[1.0; 2]), high.clone()]));
    assert!(!proves(zeros.clone(), &[on(0), base(&[1.0; 2]), low.clone(), high.clone()]));
    assert!(!proves(ones.clone(), &[on(0), base(&[0.0; 2]), low.clone(), high.clone()]));
    assert!(proves(ones.clone(), &[on(0), low.clone(), base(&[0.0; 2]), low.clone()]));
    assert!(!proves(ones.clone(), &[on(0), low.clone(), base(&[0.0; 2]), high.clone()]));
    // The nearest counts, in a row and with splits between.
    assert!(proves(zeros.clone(), &[base(&[0.5; 2]), base(&[1.0; 2]), on(0), low.clone(), high.clone()]));
    assert!(!proves(zeros.clone(), &[base(&[1.0; 2]), base(&[0.5; 2]), on(0), low.clone(), high.clone()]));
    assert!(proves(
        zeros.clone(),
        &[base(&[0.5; 2]), on(0), base(&[1.0; 2]), low.clone(), base(&[1.0; 2]), high.clone()]
    ));
    assert!(!proves(zeros.clone(), &[base(&[0.5; 2]), on(0), base(&[1.0; 2]), low.clone(), high.clone()]));
    // What is not marked follows the default rule, which is 0 here, whatever the outer base says.
    assert!(!proves(ones.clone(), &[on(0), base(&[1.0, f32::NAN]), low.clone(), high.clone()]));
    assert!(!proves(ones.clone(), &[on(0), SignNode::Base(Slopes::default()), low.clone(), high.clone()]));
    assert!(proves(zeros.clone(), &[on(0), base(&[f32::NAN, 1.0]), low.clone(), low.clone()]));
    // Bases between signs leave the signs in their places.
    let between = |betas: &[f32]| {
        let inner = [base(&[0.5; 2]), on(0), base(&[1.0; 2]), leaf(betas), base(&[1.0; 2]), high.clone()];
        [vec![on(0), low.clone()], inner.to_vec()].concat()
    };
    assert!(proves(ones.clone(), &between(&[0.0, 1.0])));
    assert!(!proves(ones, &between(&[1.0, 0.0])));
}

#[test]
fn leaves_with_slopes_of_their_own_fall_back_on_the_nearest_base() {
    let own = |alphas: &[f32], beta: &[f32]| {
        SignNode::Own(Slopes { alpha: [(1, alphas.to_vec())].into(), beta: beta.to_vec(), ..Slopes::default() })
    };
    let proves = |outer: f32, nodes: &[SignNode]| judged(-0.26, signs(alpha(&[outer; 2]), nodes)).is_ok();
    let unmarked = || own(&[f32::NAN; 2], &[1.0]);
    assert!(!proves(0.0, &[on(0), unmarked(), leaf(&[1.0])]));
    assert!(proves(0.0, &[on(0), base(&[f32::NAN, 1.0]), unmarked(), leaf(&[1.0])]));
    assert!(!proves(1.0, &[on(0), base(&[1.0, 0.0]), unmarked(), leaf(&[])]));
    assert!(!proves(1.0, &[on(0), base(&[1.0, f32::NAN]), unmarked(), leaf(&[])]));
    assert!(proves(0.0, &[base(&[0.0; 2]), on(0), base(&[1.0; 2]), unmarked(), leaf(&[1.0])]));
    // What a leaf marks comes before the base's, and its sibling has the base's again.
    assert!(proves(1.0, &[base(&[0.0; 2]), on(0), own(&[f32::NAN, 1.0], &[1.0]), leaf(&[1.0])]));
    assert!(!proves(1.0, &[base(&[0.0; 2]), on(0), own(&[f32::NAN, 1.0], &[1.0]), leaf(&[])]));
}

#[test]
fn multipliers_of_a_base_are_those_of_cuts_and_constraints() {
    let slopes = |beta: &[f32], constraints: &[f32]| Slopes {
        alpha: [(1, vec![1.0; 2])].into(),
        beta: beta.to_vec(),
        constraints: constraints.to_vec(),
    };
    // Below the literal x0 - x1 <= 0, y is at least x1 - x0 - 0.25, which needs the literal's multiplier.
    let literal = Literal { place: 1, element: 0, side: Side::Upper, at: 0.0 };
    let under = |nodes: &[SignNode]| {
        let (network, property) = (distance(), never_at_most(-0.26, &SQUARE));
        // Close says at once whether the goal is refuted; End would not, as it is open outside.
        let items = [
            Item::Lemma(vec![literal], vec![0]),
            close(signs(Witness::Own(slopes(&[], &[])), nodes)),
            Item::End,
            Item::End,
        ];
        refusal(&network, &property, &items)
    };
    let refuted = Refusal::StillOpen(0);
    let not = |found: Refusal| matches!(found, Refusal::NotRefuted(0, _));
    let base = |beta: &[f32], constraints: &[f32]| SignNode::Base(slopes(beta, constraints));
    assert!(not(under(&[leaf(&[])])));
    assert_eq!(under(&[base(&[1.0], &[]), leaf(&[])]), refuted);
    assert_eq!(under(&[base(&[1.0], &[]), on(1), leaf(&[1.0]), leaf(&[])]), refuted);
    assert!(not(under(&[base(&[1.0], &[]), base(&[], &[]), leaf(&[])])));
    // In the sibling the outer base counts, which has no multiplier.
    assert_eq!(under(&[on(1), leaf(&[]), base(&[1.0], &[]), leaf(&[])]), refuted);
    assert!(not(under(&[on(1), base(&[1.0], &[]), leaf(&[]), base(&[1.0], &[]), leaf(&[])])));
    assert!(not(under(&[on(1), base(&[1.0], &[]), leaf(&[1.0]), leaf(&[])])));
    assert_eq!(under(&[on(1), base(&[1.0], &[]), leaf(&[1.0]), leaf(&[1.0])]), refuted);
    // No sign has a multiplier in a base, however many are on the way.
    let count = |most, of, found| Refusal::MultiplierCount(most, of, found);
    assert_eq!(under(&[base(&[1.0, 0.0], &[]), leaf(&[])]), count(1, "literals on the path", 2));
    assert_eq!(under(&[on(1), base(&[1.0, 0.0], &[]), leaf(&[]), leaf(&[])]), count(1, "literals on the path", 2));
    assert_eq!(under(&[base(&[1.0], &[1.0]), leaf(&[])]), count(0, "constraints of the region", 1));
    // What no leaf uses is looked at, too.
    assert_eq!(under(&[base(&[-1.0], &[]), base(&[1.0], &[]), leaf(&[])]), Refusal::Multiplier(-1.0));
    assert_eq!(under(&[base(&[0.0; 2], &[]), base(&[1.0], &[]), leaf(&[])]), count(1, "literals on the path", 2));
}

#[test]
fn targets_with_other_slopes_do_not_mix() {
    let mut random = Random(5);
    for _ in 0..30 {
        let network = random_network(&mut random, [3, 5, 4, 3]);
        let region = region(&[(-0.8, 0.9); 3]);
        let mut slopes = |given: f64| {
            let mut list = |n: usize| {
                (0..n).map(|_| if random.unit() < given { random.unit() as f32 } else { f32::NAN }).collect::<Vec<_>>()
            };
            Slopes { alpha: [(1, list(5)), (2, list(4))].into(), ..Slopes::default() }
        };
        let own = |slopes: Slopes| [SignNode::Own(slopes), leaf(&[])];
        let bases = [Witness::Own(slopes(1.0)), Witness::Own(slopes(0.5)), Witness::Default, Witness::Kept(0)];
        let kept = Item::Keep(slopes(1.0));
        let mut witnesses = bases.to_vec();
        for base in bases {
            let [first, second] = own(slopes(0.5));
            witnesses.push(signs(base.clone(), &[SignNode::Split(1, 2), first.clone(), second.clone()]));
            witnesses.push(signs(base.clone(), &[SignNode::Split(2, 1), second.clone(), first.clone()]));
            let between = SignNode::Base(slopes(0.5));
            witnesses.push(signs(
                base,
                &[SignNode::Split(2, 1), between, SignNode::Split(1, 0), second.clone(), first, second],
            ));
        }
        let target = |(number, witness): (usize, &Witness)| {
            let side = if number % 2 == 0 { Side::Lower } else { Side::Upper };
            Target { element: number / 2 % 3, side, witness: witness.clone() }
        };
        let targets: Vec<Target> = witnesses.iter().enumerate().map(target).collect();
        let found = |items: Vec<Item>| bounds(&network, &region, &items).unwrap().outputs().to_vec();
        let listed = |list: &[Target]| Item::Tighten(3, Targets::Listed(list.to_vec()));
        // In several batches.
        let together = found(vec![kept.clone(), listed(&vec![targets.clone(); 24].concat())]);
        let alone = targets.iter().map(|target| listed(std::slice::from_ref(target)));
        let apart = found([kept].into_iter().chain(alone).collect());
        for (a, b) in together.iter().zip(&apart) {
            assert!((a.lo - b.lo).abs() + (a.hi - b.hi).abs() < 1e-9, "{together:?} {apart:?}");
        }
    }
}

#[test]
fn signs_of_later_values_are_harmless() {
    // z2 = |x0 - x1| - 0.25, z3 = relu(z2) - 0.5, y = relu(z3): by intervals z2 is at most 1.75, and y 1.25.
    let relu = |name: &str, source, size| Node { name: name.to_owned(), size, op: Op::Relu(source) };
    let nodes = vec![
        Node { name: "x".to_owned(), size: 2, op: Op::Input },
        affine("z1", 2, vec![dense(0, 2, vec![1.0, -1.0, -1.0, 1.0])], vec![]),
        relu("h1", 1, 2),
        affine("z2", 1, vec![dense(2, 2, vec![1.0, 1.0])], vec![-0.25]),
        relu("h2", 3, 1),
        affine("z3", 1, vec![dense(4, 1, vec![1.0])], vec![-0.5]),
        relu("y", 5, 1),
    ];
    let (network, region) = (network(nodes, 2), region(&SQUARE));
    let highest = |witness: Witness| {
        let target = Target { element: 0, side: Side::Upper, witness };
        bounds(&network, &region, &[Item::Tighten(2, Targets::Listed(vec![target]))]).unwrap().outputs()[0].hi
    };
    assert!((highest(Witness::Default) - 0.25).abs() < 1e-12);
    for betas in [&[][..], &[0.0], &[0.125]] {
        // Nothing had been enclosed behind z2.
        let tree = signs(Witness::Default, &[SignNode::Split(3, 0), leaf(betas), leaf(betas)]);
        assert!((0.25 - 1e-12..0.5).contains(&highest(tree)), "{betas:?}");
    }
}

#[test]
fn sampled_points_never_leave_bounds_by_signs() {
    let mut random = Random(11);
    let mut tighter = 0;
    for round in 0..300 {
        let sizes = [1 + round % 3, 2 + round % 6, 2 + round % 4, 1];
        let network = random_network(&mut random, sizes);
        let region = region(&vec![(-0.6, 0.7); sizes[0]]);
        let mut tree = |outer| {
            fn grow(random: &mut Random, sizes: &[usize; 4], depth: usize, nodes: &mut Vec<SignNode>) {
                if depth == 4 || random.unit() < 0.2 {
                    nodes.push(leaf(
                        &(0..depth).map(|_| (4.0 * random.unit() - 2.0).max(0.0) as f32).collect::<Vec<_>>(),
                    ));
                    return;
                }
                if random.unit() < 0.3 {
                    nodes.push(base(&(0..sizes[1]).map(|_| random.unit() as f32).collect::<Vec<_>>()));
                }
                let place = 1 + (random.unit() * 2.0) as usize;
                nodes.push(SignNode::Split(place, (random.unit() * sizes[place] as f64) as usize));
                grow(random, sizes, depth + 1, nodes);
                grow(random, sizes, depth + 1, nodes);
            }
            let mut nodes = Vec::new();
            grow(&mut random, &sizes, 0, &mut nodes);
            signs(outer, &nodes)
        };
        let witness = tree(Witness::Kept(0));
        let alphas = [(1, vec![0.75; sizes[1]]), (2, vec![0.25; sizes[2]])].into();
        let ends = [Side::Lower, Side::Upper].map(|side| Target { element: 0, side, witness: witness.clone() });
        let keep = Item::Keep(Slopes { alpha: alphas, ..Slopes::default() });
        let plain = bounds(&network, &region, &[Item::TightenAll, keep.clone()]).unwrap().outputs()[0];
        let found =
            bounds(&network, &region, &[Item::TightenAll, keep, Item::Tighten(3, Targets::Listed(ends.to_vec()))]);
        let found = found.unwrap().outputs()[0];
        tighter += usize::from(found.hi - found.lo < plain.hi - plain.lo);
        for _ in 0..200 {
            let point: Vec<f64> = (0..sizes[0]).map(|_| random.range(-0.6, 0.7)).collect();
            let input = crate::arith::Enclosure::of_intervals(point.iter().map(|x| Interval::point(*x)));
            let y = crate::arith::enclose_all(&network, input)[5].interval(0);
            assert!(found.lo <= y.hi && y.lo <= found.hi, "round {round}: {y:?} outside {found:?}");
        }
    }
    assert!(tighter > 50, "{tighter}");
}

#[test]
fn trees_that_are_none_are_refused_by_name() {
    let (network, property) = (distance(), never_at_most(-0.375, &SQUARE));
    let ground = Ground::new(&network, &property.regions()[0]).unwrap();
    // As data; what is read from bytes is complete, and its base no tree.
    let refused = |base: Witness, nodes: &[SignNode]| {
        node(&ground, &property, 0, &[(close(signs(base, nodes)), false), (Item::End, false)]).unwrap_err()
    };
    let plain = |nodes: &[SignNode]| refused(Witness::Default, nodes);
    let ends = Refusal::Malformed("a tree of signs that ends");
    assert_eq!(plain(&[]), Refusal::Malformed("a complete tree of signs"));
    assert_eq!(plain(&[on(0), leaf(&[])]), Refusal::Malformed("a complete tree of signs"));
    assert_eq!(plain(&[leaf(&[]), leaf(&[])]), ends);
    assert_eq!(plain(&[on(0), leaf(&[]), leaf(&[]), on(0)]), ends);
    let another = signs(Witness::Default, &[leaf(&[])]);
    assert_eq!(refused(another, &[leaf(&[])]), Refusal::Malformed("a witness that is no tree of signs"));
    let comb = |depth| [vec![on(0); depth], vec![leaf(&[]); depth + 1]].concat();
    assert_eq!(plain(&comb(129)), Refusal::TooDeep(128));
    assert!(matches!(plain(&comb(128)), Refusal::NotRefuted(..)));
    assert_eq!(plain(&[base(&[0.0; 2])]), Refusal::Malformed("a complete tree of signs"));
    assert_eq!(plain(&[on(0), leaf(&[]), base(&[0.0; 2])]), Refusal::Malformed("a complete tree of signs"));
    assert_eq!(plain(&[base(&[0.0; 2]), leaf(&[]), leaf(&[])]), ends);
    assert_eq!(plain(&[base(&[0.0; 2]), leaf(&[]), base(&[0.0; 2]), leaf(&[])]), ends);
    let with_bases = |depth| [vec![[on(0), base(&[0.0; 2])]; depth].concat(), vec![leaf(&[]); depth + 1]].concat();
    assert!(matches!(plain(&with_bases(128)), Refusal::NotRefuted(..)));
    assert_eq!(plain(&with_bases(129)), Refusal::TooDeep(128));
    let chain = |bases| [vec![base(&[]); bases], vec![leaf(&[])]].concat();
    for bases in [0, 1].map(|more| (1 << 17) + more) {
        assert_eq!(plain(&chain(bases)), Refusal::TooLong((1 << 17) + 1, 1 << 17));
    }
    assert_eq!(plain(&chain((1 << 17) - 1)), Refusal::SlopeCount(1, 2, 0));
    let wide = [vec![on(0)], full(16), full(1)].concat();
    assert_eq!(plain(&wide), Refusal::TooLong((1 << 17) + 1, 1 << 17));
    for (place, element) in [(0, 0), (1, 2), (2, 0), (3, 0), (usize::MAX, 0)] {
        let unknown = [on(0), leaf(&[]), SignNode::Split(place, element), leaf(&[]), leaf(&[])];
        assert_eq!(plain(&unknown), Refusal::UnknownElement(place, element));
    }
    assert_eq!(plain(&[on(0), leaf(&[0.0; 2]), leaf(&[])]), Refusal::MultiplierCount(1, "signs on the way", 2));
    let own = |beta: &[f32]| SignNode::Own(Slopes { beta: beta.to_vec(), ..Slopes::default() });
    assert_eq!(plain(&[on(0), own(&[0.0; 2]), leaf(&[])]), Refusal::MultiplierCount(1, "literals on the path", 2));
    assert_eq!(plain(&[on(0), own(&[-1.0]), leaf(&[])]), Refusal::Multiplier(-1.0));
    assert_eq!(plain(&[on(0), leaf(&[]), leaf(&[f32::INFINITY])]), Refusal::Multiplier(f32::INFINITY));
    assert_eq!(plain(&[base(&[1.5, 0.0]), leaf(&[])]), Refusal::Slope(1.5));
    let elsewhere = Slopes { alpha: [(3, vec![0.5])].into(), ..Slopes::default() };
    assert_eq!(plain(&[SignNode::Base(elsewhere), leaf(&[])]), Refusal::UnknownElement(3, 0));
}

#[test]
fn signs_and_literals_together_are_limited() {
    let (network, property) = (distance(), never_at_most(-0.26, &SQUARE));
    let comb = |depth| signs(alpha(&[0.0; 2]), &[vec![on(0); depth], vec![leaf(&[]); depth + 1]].concat());
    let literal = Literal { place: 1, element: 0, side: Side::Upper, at: 0.0 };
    let items = |depth| [Item::Lemma(vec![literal; 500], vec![0]), close(comb(depth)), Item::End, Item::End];
    assert_eq!(refusal(&network, &property, &items(12)), Refusal::StillOpen(0));
    assert_eq!(refusal(&network, &property, &items(13)), Refusal::TooDeep(512));
}

#[test]
fn a_deadline_passes_within_an_item() {
    let (network, property) = (distance(), never_at_most(-0.26, &SQUARE));
    let limits = Limits { threads: NonZeroUsize::MIN, deadline: Some(std::time::Instant::now()) };
    let region = &property.regions()[0];
    let ground = Ground::new(&network, region).unwrap().within(limits);
    assert_eq!(State::new(&ground).tighten(2, &Targets::Undecided), Err(Refusal::Deadline));
}
