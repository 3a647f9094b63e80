//! Items of proof trees in short.

use bartizan_proof::certificate::{Close, Item, Literal, Multipliers, Proof, Side, Slopes, Split, Witness};

/// Closes a case by one atom.
pub fn close_case(case: usize, atom: usize, witness: Witness) -> Close {
    Close { case, multipliers: Multipliers::Atom(atom), witness }
}

/// Closes case 0 by its first atom.
pub fn close(witness: Witness) -> Item {
    Item::Close(vec![close_case(0, 0, witness)])
}

/// Slopes of place 1 alone.
pub fn alpha(alphas: &[f32]) -> Slopes {
    Slopes { alpha: [(1, alphas.to_vec())].into(), ..Slopes::default() }
}

/// Slopes of place 1, and multipliers of literals.
pub fn beta(alphas: &[f32], beta: &[f32]) -> Witness {
    Witness::Own(Slopes { beta: beta.to_vec(), ..alpha(alphas) })
}

/// Proves y >= -0.25 for the distance network wherever both ReLUs are undecided.
pub fn exact() -> Item {
    close(Witness::Own(alpha(&[0.5, 0.5])))
}

/// Proves y >= -0.25 everywhere.
pub fn off() -> Item {
    close(Witness::Own(alpha(&[0.0, 0.0])))
}

/// The sign of an element of place 1.
pub fn sign(element: usize) -> Item {
    at(1, element, 0.0, 0.0)
}

pub fn middle(element: usize) -> Item {
    Item::Split(Split::Middle(element))
}

pub fn at(place: usize, element: usize, below: f64, above: f64) -> Item {
    Item::Split(Split::At { place, element, below, above })
}

/// A literal about place 1.
pub fn literal(element: usize, side: Side, at: f64) -> Literal {
    Literal { place: 1, element, side, at }
}

/// Proves that an output is at most a value where its interval says so.
pub fn at_most(place: usize, at: f64) -> [Item; 2] {
    [Item::Prove(Literal { place, element: 0, side: Side::Upper, at }), Item::Empty]
}

/// What closes the subtree of y's network where x0 - x1 is at most 0, and where it is at least 0.
pub fn halves() -> [Item; 2] {
    [close(beta(&[0.0, 1.0], &[1.0])), close(beta(&[1.0, 0.0], &[1.0]))]
}

pub fn proof(region: usize, items: &[Item]) -> Proof {
    Proof { region, items: items.to_vec() }
}

/// A complete tree of splits of both inputs in turn.
pub fn grow(depth: usize, leaf: &Item) -> Vec<Item> {
    if depth == 0 {
        return vec![leaf.clone(), Item::End];
    }
    let below = grow(depth - 1, leaf);
    [&[middle(depth % 2)], &below[..], &below[..]].concat()
}
