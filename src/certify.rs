//! From what the search found to the certificate that says so.

use std::num::NonZeroUsize;

use bartizan_proof::certificate::{self, Close, Header, Item, Multipliers, Proof, Targets, Witness};
use bartizan_proof::{Network, Property, Rejected, Verified, check};

use crate::bound::{Bounds, Model};
use crate::real::Real;

/// The ends that linear bounds have to prove for the bounds at hand: for ReLU inputs whose sign interval arithmetic left open
/// (`opened`, by node of the model), the lower end unless the upper one alone decides the sign, and conversely.
pub fn tightening<T: Real>(model: &Model<T>, bounds: &Bounds<T>, opened: &[Vec<usize>]) -> Vec<Item> {
    let mut items = Vec::new();
    for (source, place) in tightened_places(model) {
        let (lower, upper) = (bounds.lower[source].row(0), bounds.upper[source].row(0));
        let mut marks = [vec![false; lower.len()], vec![false; lower.len()]];
        for element in &opened[source] {
            marks[0][*element] = upper[*element] > T::zero();
            marks[1][*element] = lower[*element] < T::zero();
        }
        if marks.iter().flatten().any(|mark| *mark) {
            let [lower, upper] = marks;
            items.push(Item::Tighten(place, Targets::Marked(lower, upper)));
        }
    }
    items
}

/// The nodes of the model that feed ReLUs and see more than the input, in topological order, with their places.
pub fn tightened_places<T: Real>(model: &Model<T>) -> Vec<(usize, certificate::Place)> {
    let mut places: Vec<_> = model.relus().map(|(relu, source)| (source, model.place(relu))).collect();
    places.retain(|(source, _)| !model.nodes()[*source].is_first);
    places.sort_unstable();
    places.dedup_by_key(|(source, _)| *source);
    places
}

/// Closes a case by one of its atoms, with default slopes.
pub fn close_by_atom(case: usize, atom: usize) -> Close {
    Close { case, multipliers: Multipliers::Atom(atom), witness: Witness::Default }
}

/// A proof of one node: steps that tighten bounds, then all cases at once.
pub fn proof(region: usize, mut items: Vec<Item>, mut close: Vec<Close>) -> Proof {
    close.sort_by_key(|c| c.case);
    items.extend([Item::Close(close), Item::End]);
    Proof { region, items }
}

/// Writes a certificate and has it checked; witnesses are rounded to their short form if that is good enough.
///
/// # Errors
///
/// The checker refuses it.
pub fn conclude(network: &Network, property: &Property, proofs: Vec<Proof>) -> Result<(Verified, Vec<u8>), Rejected> {
    let header = Header { model: network.digest(), property: property.digest() };
    let judge = |proofs: &[Proof]| {
        let bytes = certificate::encode(&header, proofs);
        check::verify(network, property, &bytes, NonZeroUsize::MIN).map(|verified| (verified, bytes))
    };
    let rounded: Vec<Proof> = proofs.iter().map(rounded).collect();
    match judge(&rounded) {
        Err(_) if rounded != proofs => judge(&proofs),
        result => result,
    }
}

fn rounded(proof: &Proof) -> Proof {
    let mut proof = proof.clone();
    for item in &mut proof.items {
        if let Item::Close(list) = item {
            list.iter_mut().for_each(|close| close.witness = close.witness.rounded());
        }
    }
    proof
}
