//! Damage to trees of signs.

use bartizan_proof::certificate::{Item, SignNode, Signs, Slopes, Targets, Witness};

use super::witnesses::{grow, set};
use super::{Damage, in_items};
use crate::subject::Subject;

/// A number that no place, no element and no kept slopes have.
const UNKNOWN: usize = 1000;

/// One more split above each other than there may be.
const TOO_DEEP: usize = 129;

/// The depth of a full tree with almost as many nodes as there may be.
const WIDE: usize = 16;

/// The most nodes of a tree of signs.
const MOST_NODES: usize = 1 << 17;

/// What may be said of bytes where a node is missing or too many. Now and then a node and the items that follow, read as others, are
/// another proof.
const MISREAD: &[&str] = &[
    "accepted",
    "gap",
    "left_open",
    "lemma_does_not_apply",
    "malformed",
    "missing_node",
    "missing_proof",
    "multiplier",
    "multiplier_count",
    "not_empty",
    "not_finite",
    "not_open",
    "not_refuted",
    "proof_order",
    "slope",
    "slope_count",
    "still_open",
    "subtree_length",
    "too_deep",
    "too_long",
    "trailing",
    "truncated",
    "unknown_element",
    "unknown_lemma",
    "unknown_region",
    "unknown_slopes",
    "violation",
];

pub fn all() -> Vec<Damage> {
    let element: &[&str] = &["unknown_element"];
    let multiplier: &[&str] = &["multiplier"];
    vec![
        Damage { name: "sign of an unknown element", announced: element, make: |s| splits(s, |p, e| (p, e + UNKNOWN)) },
        Damage { name: "sign of an unknown place", announced: element, make: |s| splits(s, |_, e| (UNKNOWN, e)) },
        Damage { name: "sign of an input", announced: element, make: |s| splits(s, |_, _| (0, 0)) },
        Damage { name: "sign of an output", announced: element, make: sign_of_output },
        Damage { name: "negative beta of a sign", announced: multiplier, make: |s| betas(s, |list| set(list, -0.5)) },
        Damage {
            name: "infinite beta of a sign",
            announced: multiplier,
            make: |s| betas(s, |list| set(list, f32::INFINITY)),
        },
        Damage { name: "NaN as beta of a sign", announced: multiplier, make: |s| betas(s, |list| set(list, f32::NAN)) },
        Damage { name: "beta of a sign too many", announced: &["multiplier_count"], make: |s| betas(s, grow) },
        Damage { name: "unknown slopes as a base", announced: &["unknown_slopes"], make: unknown_base },
        Damage { name: "tree of signs on another", announced: &["malformed"], make: on_another },
        Damage { name: "tree of signs too deep", announced: &["too_deep"], make: too_deep },
        Damage { name: "tree of signs too large", announced: &["too_long"], make: too_large },
        Damage { name: "tree of signs without its last leaf", announced: MISREAD, make: without_last },
        Damage { name: "tree of signs without a second subtree", announced: MISREAD, make: without_second },
        Damage { name: "leaf of signs too many", announced: MISREAD, make: one_more },
    ]
    .into_iter()
    .chain(of_bases())
    .collect()
}

/// Damage to slopes that stand for the base of a subtree.
fn of_bases() -> Vec<Damage> {
    let multiplier: &[&str] = &["multiplier"];
    let count: &[&str] = &["multiplier_count"];
    vec![
        Damage {
            name: "slope above 1 in a subtree's base",
            announced: &["slope"],
            make: |s| bases(s, |slopes| slopes.alpha.values_mut().any(|list| set(list, 1.5))),
        },
        Damage {
            name: "slope too many in a subtree's base",
            announced: &["slope_count"],
            make: |s| bases(s, |slopes| slopes.alpha.values_mut().next().map(|list| list.push(0.5)).is_some()),
        },
        Damage {
            name: "unknown place in a subtree's base",
            announced: &["unknown_element"],
            make: |s| bases(s, |slopes| slopes.alpha.insert(UNKNOWN, vec![0.5]).is_none()),
        },
        Damage {
            name: "negative beta in a subtree's base",
            announced: multiplier,
            make: |s| bases(s, |slopes| set(&mut slopes.beta, -0.5)),
        },
        Damage {
            name: "infinite beta in a subtree's base",
            announced: multiplier,
            make: |s| bases(s, |slopes| set(&mut slopes.beta, f32::INFINITY)),
        },
        Damage {
            name: "beta too many in a subtree's base",
            announced: count,
            make: |s| bases(s, |slopes| grow(&mut slopes.beta)),
        },
        Damage {
            name: "constraint too many in a subtree's base",
            announced: count,
            make: |s| bases(s, |slopes| grow(&mut slopes.constraints)),
        },
        Damage { name: "subtree's base without the subtree", announced: MISREAD, make: base_alone },
        Damage { name: "too many bases of subtrees", announced: &["too_long"], make: too_many_bases },
    ]
}

/// The trees that an item holds.
fn trees(item: &mut Item) -> Vec<&mut Signs> {
    fn tree(witness: &mut Witness) -> Option<&mut Signs> {
        if let Witness::Signs(tree) = witness { Some(tree) } else { None }
    }
    match item {
        Item::Close(list) => list.iter_mut().filter_map(|close| tree(&mut close.witness)).collect(),
        Item::Tighten(_, Targets::Listed(list)) => list.iter_mut().filter_map(|t| tree(&mut t.witness)).collect(),
        _ => Vec::new(),
    }
}

/// The certificate with the first tree of an item changed that can be; `change` says whether it did.
pub fn in_signs(subject: &Subject, change: impl Fn(&mut Signs) -> bool) -> Vec<Vec<u8>> {
    in_items(subject, |item| {
        let mut item = item.clone();
        trees(&mut item).into_iter().any(&change).then_some(item)
    })
}

/// Changes the first split.
fn splits(subject: &Subject, change: impl Fn(usize, usize) -> (usize, usize)) -> Vec<Vec<u8>> {
    let split = |node: &mut SignNode| match node {
        SignNode::Split(place, element) => {
            (*place, *element) = change(*place, *element);
            true
        }
        _ => false,
    };
    in_signs(subject, |tree| tree.nodes.iter_mut().any(split))
}

/// Changes the first slopes that stand for the base of a subtree and can be changed; `change` says whether it did.
fn bases(subject: &Subject, change: impl Fn(&mut Slopes) -> bool) -> Vec<Vec<u8>> {
    let base = |node: &mut SignNode| if let SignNode::Base(slopes) = node { change(slopes) } else { false };
    in_signs(subject, |tree| tree.nodes.iter_mut().any(base))
}

fn base_alone(subject: &Subject) -> Vec<Vec<u8>> {
    in_signs(subject, |tree| tree.nodes.pop().map(|_| tree.nodes.push(SignNode::Base(Slopes::default()))).is_some())
}

fn too_many_bases(subject: &Subject) -> Vec<Vec<u8>> {
    let nodes = vec![SignNode::Base(Slopes::default()); MOST_NODES];
    let damaged = in_signs(subject, |tree| {
        tree.nodes = [&nodes[..], &tree.nodes].concat();
        true
    });
    // These are long.
    damaged.into_iter().take(1).collect()
}

fn sign_of_output(subject: &Subject) -> Vec<Vec<u8>> {
    let output = subject.network.places().len() - 1;
    splits(subject, |_, _| (output, 0))
}

/// Changes the betas of the last leaf, which has none of its own.
fn betas(subject: &Subject, change: impl Fn(&mut Vec<f32>) -> bool) -> Vec<Vec<u8>> {
    in_signs(subject, |tree| match tree.nodes.last_mut() {
        Some(SignNode::Leaf(betas)) if !betas.is_empty() => change(betas),
        _ => false,
    })
}

fn unknown_base(subject: &Subject) -> Vec<Vec<u8>> {
    in_signs(subject, |tree| {
        tree.base = Witness::Kept(UNKNOWN);
        true
    })
}

fn on_another(subject: &Subject) -> Vec<Vec<u8>> {
    in_signs(subject, |tree| {
        tree.base = Witness::Signs(Box::new(tree.clone()));
        true
    })
}

fn too_deep(subject: &Subject) -> Vec<Vec<u8>> {
    in_signs(subject, |tree| {
        let (splits, leaves) = (vec![SignNode::Split(1, 0); TOO_DEEP], vec![SignNode::Leaf(vec![]); TOO_DEEP]);
        tree.nodes = [splits, tree.nodes.clone(), leaves].concat();
        true
    })
}

fn too_large(subject: &Subject) -> Vec<Vec<u8>> {
    fn grow(depth: usize) -> Vec<SignNode> {
        match depth {
            0 => vec![SignNode::Leaf(vec![])],
            _ => [vec![SignNode::Split(1, 0)], grow(depth - 1), grow(depth - 1)].concat(),
        }
    }
    let nodes = [vec![SignNode::Split(1, 0)], grow(WIDE), grow(1)].concat();
    let damaged = in_signs(subject, |tree| {
        tree.nodes.clone_from(&nodes);
        true
    });
    // These are long.
    damaged.into_iter().take(1).collect()
}

fn without_last(subject: &Subject) -> Vec<Vec<u8>> {
    in_signs(subject, |tree| tree.nodes.pop().is_some())
}

fn without_second(subject: &Subject) -> Vec<Vec<u8>> {
    in_signs(subject, |tree| {
        let Some([_, second, _]) = first_children(tree) else { return false };
        tree.nodes.truncate(second);
        true
    })
}

fn one_more(subject: &Subject) -> Vec<Vec<u8>> {
    in_signs(subject, |tree| {
        tree.nodes.push(SignNode::Leaf(vec![0.5]));
        true
    })
}

/// Exchanges the subtrees of a split; says whether that changes something.
pub fn exchange(tree: &mut Signs) -> bool {
    let Some([first, second, end]) = first_children(tree) else { return false };
    let (low, high) = (tree.nodes[first..second].to_vec(), tree.nodes[second..end].to_vec());
    tree.nodes = [&tree.nodes[..first], &high, &low, &tree.nodes[end..]].concat();
    low != high
}

/// Puts one of the two subtrees of the first split in the place of both.
pub fn only(tree: &mut Signs, is_second: bool) -> bool {
    let Some([first, second, end]) = first_children(tree) else { return false };
    let kept = if is_second { second..end } else { first..second };
    tree.nodes = [&tree.nodes[..first - 1], &tree.nodes[kept]].concat();
    true
}

/// Drops the first slopes that stand for the base of a subtree.
pub fn base_dropped(tree: &mut Signs) -> bool {
    let first = tree.nodes.iter().position(is_base);
    first.map(|first| tree.nodes.remove(first)).is_some()
}

/// Exchanges the first slopes that stand for the base of a subtree with those of the tree's base.
pub fn base_exchanged(tree: &mut Signs) -> bool {
    let Some(SignNode::Base(slopes)) = tree.nodes.iter_mut().find(|node| is_base(node)) else { return false };
    let outer = match &tree.base {
        Witness::Default => Slopes::default(),
        Witness::Own(slopes) => slopes.clone(),
        Witness::Kept(_) | Witness::Signs(_) => return false,
    };
    tree.base = Witness::Own(std::mem::replace(slopes, outer));
    true
}

/// Moves slopes that stand for the base of one subtree of a split to the other subtree.
pub fn base_in_the_sibling(tree: &mut Signs) -> bool {
    let places = (0..tree.nodes.len()).filter_map(|split| children(&tree.nodes, split));
    let places: Vec<[usize; 3]> = places.collect();
    for [first, second, _] in places {
        match [first, second].map(|child| is_base(&tree.nodes[child])) {
            [true, false] => tree.nodes[first..second].rotate_left(1),
            [false, true] => tree.nodes[first..=second].rotate_right(1),
            _ => continue,
        }
        return true;
    }
    false
}

/// Moves slopes that stand for the base of a subtree above the split that the subtree belongs to.
pub fn base_one_higher(tree: &mut Signs) -> bool {
    let places = (0..tree.nodes.len()).filter_map(|split| Some((split, children(&tree.nodes, split)?)));
    let below = |(split, [first, second, _]): (usize, [usize; 3])| {
        [first, second].into_iter().find(|child| is_base(&tree.nodes[*child])).map(|child| (split, child))
    };
    let Some((split, child)) = places.filter_map(below).next() else { return false };
    tree.nodes[split..=child].rotate_right(1);
    true
}

fn is_base(node: &SignNode) -> bool {
    matches!(node, SignNode::Base(_))
}

/// The subtrees of the first split.
fn first_children(tree: &Signs) -> Option<[usize; 3]> {
    tree.nodes
        .iter()
        .position(|node| matches!(node, SignNode::Split(..)))
        .and_then(|split| children(&tree.nodes, split))
}

/// The subtrees of a split: where the first begins, the second begins and the second ends.
fn children(nodes: &[SignNode], split: usize) -> Option<[usize; 3]> {
    let end_of = |start: usize| {
        let (mut open, mut place) = (1, start);
        while open > 0 {
            match nodes[place] {
                SignNode::Split(..) => open += 1,
                SignNode::Base(_) => {}
                SignNode::Leaf(_) | SignNode::Own(_) => open -= 1,
            }
            place += 1;
        }
        place
    };
    matches!(nodes[split], SignNode::Split(..)).then(|| [split + 1, end_of(split + 1), end_of(end_of(split + 1))])
}
