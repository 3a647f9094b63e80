//! From what the search found to the certificate that says so.

use bartizan_proof::certificate::{Close, Proof, Slopes, Targets, Tighten};
use bartizan_proof::network::Op;
use bartizan_proof::{Network, Property};

use crate::bound::Model;
use crate::real::Real;

/// Steps that tighten the inputs of all ReLUs with adaptive slopes, in topological order. Those that see nothing but the input
/// are left out: interval arithmetic is exact there.
pub fn adaptive_tightening<T: Real>(network: &Network, model: &Model<T>) -> Vec<Tighten> {
    let sources = model.relus().map(|(_, source)| &model.nodes()[source]).filter(|node| !node.is_first);
    let mut origins: Vec<usize> = sources.map(|node| node.origin).collect();
    origins.sort_unstable();
    origins.dedup();
    origins.retain(|origin| matches!(network.nodes()[*origin].op, Op::Affine(_)));
    origins.into_iter().map(|node| Tighten { node, targets: Targets::Undecided }).collect()
}

/// Closes a case by one of its atoms, with adaptive slopes.
pub fn close_by_atom(property: &Property, case: usize, atom: usize) -> Close {
    let mut multipliers = vec![0.0; property.cases()[case].atoms.len()];
    multipliers[atom] = 1.0;
    Close { case, multipliers, slopes: Slopes::default() }
}

/// A proof about a region that closes the given cases.
pub fn proof(region: usize, tighten: Vec<Tighten>, mut close: Vec<Close>) -> Proof {
    close.sort_by_key(|c| c.case);
    Proof { region, tighten, close }
}
