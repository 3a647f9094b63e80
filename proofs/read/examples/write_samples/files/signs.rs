//! Certificates whose witnesses are trees of signs.

use bartizan_proof::certificate::{Close, Item, Proof, Side, SignNode, Signs, Slopes, Target, Targets, Witness};

use super::instances::Instance;
use super::steps::{alpha, at, beta, close, halves, middle, proof};
use super::valid::both_regions;

/// A name and the items of a tree.
type Tree = (&'static str, Vec<Item>);

fn tree(base: Witness, nodes: Vec<SignNode>) -> Witness {
    Witness::Signs(Box::new(Signs { base, nodes }))
}

fn leaf(betas: &[f32]) -> SignNode {
    SignNode::Leaf(betas.to_vec())
}

/// A leaf with slopes of its own.
fn own(alphas: &[f32], betas: &[f32]) -> SignNode {
    SignNode::Own(Slopes { beta: betas.to_vec(), ..alpha(alphas) })
}

/// Slopes that stand for the base.
fn base(alphas: &[f32]) -> SignNode {
    SignNode::Base(alpha(alphas))
}

/// A split on the sign of an element of place 1.
fn on(element: usize) -> SignNode {
    SignNode::Split(1, element)
}

fn ones() -> Witness {
    Witness::Own(alpha(&[1.0, 1.0]))
}

/// Proves y >= -0.25 with two leaves: where x0 - x1 is at most 0, relu(x1 - x0) >= x1 - x0 needs the sign; where it is at least 0, the
/// sum of both is 0.
fn halved(first: &[f32], second: &[f32]) -> Witness {
    tree(ones(), vec![on(0), leaf(first), leaf(second)])
}

fn named(instance: &Instance, trees: Vec<Tree>) -> Vec<(String, Vec<u8>)> {
    let named = |(name, items): Tree| (format!("{name}.distance"), instance.certificate(&[proof(0, &items)]));
    trees.into_iter().map(named).collect()
}

/// Trees of the distance instance that need slopes in the place of a base.
fn with_bases() -> Vec<Tree> {
    let zeros = || Witness::Own(alpha(&[0.0; 2]));
    let at_root = vec![base(&[1.0; 2]), on(0), leaf(&[1.0]), leaf(&[])];
    // The first leaf has the alpha of the nearest base; the second has the outer base, and needs another multiplier with it.
    let nested = vec![base(&[0.0; 2]), on(0), base(&[f32::NAN, 1.0]), own(&[f32::NAN; 2], &[1.0]), leaf(&[1.0])];
    let one_subtree = vec![on(0), on(1), leaf(&[]), base(&[1.0; 2]), leaf(&[0.0, 1.0]), base(&[1.0; 2]), leaf(&[])];
    // x1 - x0 >= 0 needs the multiplier of the split's literal, which the tree's base does not have.
    let cut = |betas: &[f32]| SignNode::Base(Slopes { beta: betas.to_vec(), ..alpha(&[1.0; 2]) });
    let of_a_cut = tree(zeros(), vec![on(1), cut(&[]), leaf(&[]), cut(&[1.0]), leaf(&[])]);
    vec![
        ("base_at_the_root", vec![close(tree(zeros(), at_root)), Item::End]),
        ("nested_bases", vec![close(tree(Witness::Default, nested)), Item::End]),
        ("bases_of_subtrees", vec![close(tree(zeros(), one_subtree)), Item::End]),
        ("base_with_betas", vec![at(1, 0, 0.0, 0.0), close(of_a_cut), Item::End, halves()[1].clone(), Item::End]),
    ]
}

/// Certificates of the distance instance that are accepted.
pub fn valid(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let single = |witness| vec![close(witness), Item::End];
    let quarters = |leaves: [SignNode; 4]| {
        let [a, b, c, d] = leaves;
        vec![on(0), on(1), a, b, on(1), c, d]
    };
    let exact_leaves = quarters([leaf(&[]), leaf(&[0.0, 0.999]), leaf(&[0.0, 1.0]), leaf(&[])]);
    // The first alpha is the base's.
    let own_leaves = vec![on(1), own(&[f32::NAN, 0.25], &[1.0]), own(&[f32::NAN; 2], &[])];
    // The split's literal has its multiplier in front of that of the sign, or in the base.
    let no_alpha = SignNode::Own(Slopes { beta: vec![0.0, 1.0], ..Slopes::default() });
    let below_a_cut = [
        tree(ones(), vec![on(0), no_alpha, leaf(&[])]),
        tree(beta(&[1.0, 1.0], &[0.0078125]), vec![on(1), leaf(&[1.0]), leaf(&[])]),
    ];
    // The leaves between are of empty sets; what is assumed last counts.
    let twice = tree(ones(), vec![on(0), on(0), leaf(&[1.0]), leaf(&[]), on(0), leaf(&[0.0, 1.0]), leaf(&[])]);
    let target = |witness| Target { element: 0, side: Side::Lower, witness };
    let bounded = |witness| Item::Tighten(2, Targets::Listed(vec![target(witness)]));
    let beyond = Slopes { beta: vec![1.0], ..alpha(&[0.0, 0.0]) };
    let tightened = vec![
        bounded(halved(&[1.0], &[])),
        at(2, 0, -0.255, -0.255),
        Item::Empty,
        close(Witness::Own(beyond)),
        Item::End,
    ];
    let kept = tree(Witness::Kept(0), vec![on(0), leaf(&[1.0]), leaf(&[])]);
    let [low, high] = below_a_cut.map(close);
    let below_a_cut = vec![at(1, 0, 0.25, 0.25), low, Item::End, high, Item::End];
    let kept = [Item::Keep(alpha(&[1.0, 1.0])), middle(0), close(kept.clone()), Item::End, close(kept), Item::End];
    let trees = vec![
        ("signs", single(halved(&[1.0], &[]))),
        ("signs_of_one_leaf", single(tree(Witness::Default, vec![leaf(&[])]))),
        ("signs_of_both", single(tree(Witness::Default, exact_leaves))),
        ("signs_with_slopes", single(tree(Witness::Own(alpha(&[1.0, 0.0])), own_leaves))),
        ("signs_of_one_element_twice", single(twice)),
        ("signs_below_a_cut", below_a_cut),
        ("signs_tighten", tightened),
        ("signs_with_kept_slopes", kept.to_vec()),
    ];
    named(instance, [trees, with_bases()].concat())
}

/// Trees of the distance instance that are readable and whose other bases are wrong.
fn with_wrong_bases() -> Vec<Tree> {
    let single = |outer: Witness, nodes: &[SignNode]| vec![close(tree(outer, nodes.to_vec())), Item::End];
    let zeros = || Witness::Own(alpha(&[0.0; 2]));
    let first = |node: SignNode| single(ones(), &[on(0), node, leaf(&[1.0]), leaf(&[])]);
    let unused = |node: SignNode| single(ones(), &[node, base(&[1.0; 2]), on(0), leaf(&[1.0]), leaf(&[])]);
    let betas = |beta: &[f32]| SignNode::Base(Slopes { beta: beta.to_vec(), ..alpha(&[1.0; 2]) });
    let constraint = SignNode::Base(Slopes { constraints: vec![1.0], ..alpha(&[1.0; 2]) });
    let place = SignNode::Base(Slopes { alpha: [(3, vec![0.5])].into(), ..Slopes::default() });
    vec![
        ("not_refuted.base_of_the_sibling", single(zeros(), &[on(0), base(&[1.0; 2]), leaf(&[1.0]), leaf(&[])])),
        ("not_refuted.base_of_the_other_sibling", single(zeros(), &[on(0), leaf(&[1.0]), base(&[1.0; 2]), leaf(&[])])),
        ("not_refuted.base_without_the_outer_one", first(base(&[1.0, f32::NAN]))),
        (
            "not_refuted.leaf_below_a_base",
            single(ones(), &[on(0), base(&[0.0; 2]), own(&[f32::NAN; 2], &[1.0]), leaf(&[])]),
        ),
        ("multiplier_count.base_with_betas_of_signs", first(betas(&[1.0]))),
        ("multiplier_count.base_that_is_not_used", unused(betas(&[1.0]))),
        ("multiplier_count.constraints_of_a_base", first(constraint)),
        (
            "multiplier.negative_beta_of_a_base",
            [vec![at(1, 0, 2.0, 2.0)], unused(betas(&[-1.0])), vec![Item::Empty]].concat(),
        ),
        ("slope.of_a_base", unused(base(&[1.0, 1.5]))),
        ("slope_count.of_a_base", unused(base(&[1.0; 3]))),
        ("unknown_element.slopes_of_a_base", unused(place)),
    ]
}

/// A certificate of the corners instance that is accepted: signs of both layers, in several cases of one item.
pub fn corners(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let [first, Proof { items, region }] = both_regions();
    let with_signs = |close: &Close| {
        // relu(h - 0.5) is not less than 0, which the sign says where it is linear.
        let high = leaf(if close.case == 1 { &[1.0] } else { &[] });
        let nodes = vec![SignNode::Split(2, 1), on(2), leaf(&[]), leaf(&[]), on(0), high.clone(), high];
        Close { witness: tree(close.witness.clone(), nodes), ..close.clone() }
    };
    let Some(Item::Close(list)) = items.first() else { panic!("the proof begins with a close") };
    let items = [Item::Close(list.iter().map(with_signs).collect()), Item::End];
    vec![("signs_of_two_layers.corners".to_owned(), instance.certificate(&[first, proof(region, &items)]))]
}

/// Certificates of the distance instance that are readable and wrong.
pub fn refused(instance: &Instance) -> Vec<(String, Vec<u8>)> {
    let single = |nodes| vec![close(tree(ones(), nodes)), Item::End];
    let on_base = |base| vec![close(tree(base, vec![on(0), leaf(&[1.0]), leaf(&[])])), Item::End];
    let elsewhere = |place, element| single(vec![SignNode::Split(place, element), leaf(&[1.0]), leaf(&[])]);
    let first = |betas: &[f32]| single(vec![on(0), leaf(betas), leaf(&[])]);
    let comb = |depth: usize| [vec![on(0); depth], vec![leaf(&[]); depth + 1]].concat();
    let constraint = SignNode::Own(Slopes { constraints: vec![1.0], ..Slopes::default() });
    let place = SignNode::Own(Slopes { alpha: [(3, vec![0.5])].into(), ..Slopes::default() });
    let trees = vec![
        ("unknown_element.sign", elsewhere(1, 2)),
        ("unknown_element.sign_of_the_input", elsewhere(0, 0)),
        ("unknown_element.sign_of_the_output", elsewhere(2, 0)),
        ("unknown_element.sign_of_no_place", elsewhere(9, 0)),
        ("unknown_element.slopes_of_a_leaf", single(vec![place])),
        ("unknown_slopes.base_of_signs", on_base(Witness::Kept(0))),
        ("multiplier_count.base_of_signs", on_base(beta(&[1.0, 1.0], &[1.0]))),
        ("multiplier.negative_beta_of_a_sign", first(&[-1.0])),
        ("multiplier.infinite_beta_of_a_sign", first(&[f32::INFINITY])),
        ("multiplier.not_a_number_beta_of_a_sign", first(&[f32::NAN])),
        ("multiplier.negative_beta_of_a_leaf", single(vec![on(0), own(&[1.0; 2], &[-1.0]), leaf(&[])])),
        ("multiplier_count.signs", first(&[1.0, 0.0])),
        ("multiplier_count.signs_of_a_leaf", single(vec![on(0), own(&[1.0; 2], &[1.0, 0.0]), leaf(&[])])),
        ("multiplier_count.constraints_of_a_leaf", single(vec![on(0), constraint, leaf(&[])])),
        ("slope.of_a_leaf", single(vec![on(0), own(&[1.0, 1.5], &[1.0]), leaf(&[])])),
        ("slope_count.of_a_leaf", single(vec![on(0), own(&[1.0; 3], &[1.0]), leaf(&[])])),
        ("not_refuted.leaves_exchanged", single(vec![on(0), leaf(&[]), leaf(&[1.0])])),
        ("not_refuted.needless_beta", single(vec![on(0), on(1), leaf(&[1.0]), leaf(&[1.0]), leaf(&[])])),
        ("not_refuted.last_leaf", vec![close(tree(Witness::Default, vec![on(0), leaf(&[]), leaf(&[])])), Item::End]),
        ("not_refuted.leaf_of_an_empty_set", single(vec![on(0), leaf(&[1.0]), on(0), leaf(&[]), leaf(&[])])),
        ("not_refuted.slopes_of_a_leaf", single(vec![on(0), own(&[1.0, 0.5], &[1.0]), leaf(&[])])),
        ("too_deep.signs", single(comb(129))),
        ("too_deep.signs_below_literals", [vec![middle(0); 450], single(comb(63))].concat()),
    ];
    named(instance, [trees, with_wrong_bases()].concat())
}

/// What proves y > -0.26, offered for y > -0.25, which is false where x0 = x1.
pub fn beyond_the_minimum(claim: &Instance) -> Vec<(String, Vec<u8>)> {
    let items = [close(halved(&[1.0], &[])), Item::End];
    vec![("not_refuted.signs.distance_false".to_owned(), claim.certificate(&[proof(0, &items)]))]
}
