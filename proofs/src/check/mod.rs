//! The checker: one rule a file.
//!
//! * `tree` reads a proof tree and keeps the states on the path to the current node.
//! * `cover` is the structural rule: the subtrees of a split leave nothing out.
//! * `state` walks forward: interval arithmetic for every node, tightened where the certificate says so.
//! * `signs` says what is bounded: once for each leaf of a witness.
//! * `affine` walks backward: the linear bound rule.
//! * `relax` is what a witness may say.
//! * `leaf` closes a case with it.
//! * `volume` measures the parts of a region of which something is proved.
//! * `replay` evaluates a counterexample.

mod affine;
mod cover;
mod leaf;
mod relax;
mod replay;
mod signs;
mod state;
mod tree;
mod volume;

pub use crate::pool::Limits;
pub use replay::replay;
pub use state::{Ground, State};
pub use volume::volume;

use std::sync::Arc;

use crate::arith::{Measure, Part};
use crate::certificate::{Decoder, Item, Source};
use crate::error::{Refusal, Rejected};
use crate::network::Network;
use crate::property::{Case, Property, Region};
use crate::verdict::{ProvedBounds, Verified};

use leaf::Goal;
use tree::{Next, Node, Prover};

/// Checks a certificate: every case of the property is refuted for every point of its region, under the
/// network's semantics.
///
/// The certificate is read as a stream: memory grows with the depth of its trees, not with their size. Long subtrees
/// are checked in parallel.
///
/// # Errors
///
/// The first reason not to accept it, or that the deadline passes first.
pub fn verify(
    network: &Network,
    property: &Property,
    certificate: &dyn Source,
    limits: impl Into<Limits>,
) -> Result<Verified, Rejected> {
    let leaves = check_proofs(network, property, (certificate, limits.into()), &[])?;
    Ok(Verified::new((network, property.digest()), property.cases().len(), leaves))
}

/// Checks the proofs of a certificate, with a measure for each region or none; returns the number of leaves.
fn check_proofs(
    network: &Network,
    property: &Property,
    (certificate, limits): (&dyn Source, Limits),
    measures: &[Measure],
) -> Result<usize, Rejected> {
    property.fits(network)?;
    let ground = |region| Ground::new(network, region).map(|ground| ground.within(limits));
    let grounds = property.regions().iter().map(ground).collect::<Result<Vec<_>, _>>()?;
    let prover = Prover::new(certificate, measures);
    let mut input = Decoder::new(certificate, 0)?;
    let (header, proofs) = input.header()?;
    if header.model != network.digest() {
        return Err(Refusal::OtherModel(network.digest(), header.model).into());
    }
    if header.semantics != network.semantics() {
        return Err(Refusal::OtherSemantics(network.semantics(), header.semantics).into());
    }
    if header.property != property.digest() {
        return Err(Refusal::OtherProperty(property.digest(), header.property).into());
    }
    let has_cases = |region: &usize| property.cases().iter().any(|case| case.region == *region);
    let mut next = 0;
    for _ in 0..proofs {
        let region = input.number()?;
        let ground = grounds.get(region).ok_or(Refusal::UnknownRegion(grounds.len(), region))?;
        if region < next {
            return Err(Refusal::ProofOrder(next, region).into());
        }
        if let Some(missing) = (next..region).find(has_cases) {
            return Err(Refusal::MissingProof(missing).into());
        }
        next = region + 1;
        input = prover.check(root((ground, property, region), measures.first().map(|_| Part::Certified)), input)?;
    }
    if let Some(missing) = (next..grounds.len()).find(has_cases) {
        return Err(Refusal::MissingProof(missing).into());
    }
    input.finish()?;
    Ok(prover.leaves())
}

/// The root of a region's proof tree.
fn root<'p>((ground, property, region): (&'p Ground<'p>, &Property, usize), aim: Option<Part>) -> Node<'p> {
    let cases = property.cases().iter().enumerate().filter(|(_, case)| case.region == region);
    let atoms = |case: &Case| case.atoms.iter().map(|atom| state::linear(ground.network, atom)).collect();
    let goals = cases.map(|(case, c)| Arc::new(Goal { case, atoms: atoms(c) })).collect();
    Node::root(region, State::new(ground), goals, aim)
}

/// Checks a single node of a region's proof tree: `steps` are the items on the way from the root to its end, at each split with
/// whether the way goes on in the second subtree. What this accepts, [`verify`] accepts at that node.
///
/// # Errors
///
/// The first reason not to accept the node.
pub fn node(ground: &Ground, property: &Property, region: usize, steps: &[(Item, bool)]) -> Result<(), Refusal> {
    walk(root((ground, property, region), None), steps)
}

/// The same for a certificate of volume: what this accepts, [`volume`] accepts at that node.
///
/// # Errors
///
/// The first reason not to accept the node.
pub fn part(ground: &Ground, property: &Property, region: usize, steps: &[(Item, bool)]) -> Result<(), Refusal> {
    walk(root((ground, property, region), Some(Part::Certified)), steps)
}

fn walk(mut node: Node, steps: &[(Item, bool)]) -> Result<(), Refusal> {
    for (item, is_second) in steps {
        match node.apply(item)? {
            Next::Item => {}
            Next::Nothing(_) => return Ok(()),
            Next::Aside(_) => return Err(Refusal::NotTightening),
            Next::Both(children) => {
                let [first, second] = *children;
                node = if *is_second { second } else { first };
            }
        }
    }
    Err(Refusal::MissingNode)
}

/// Proves bounds on the outputs over a region by steps that tighten bounds.
///
/// # Errors
///
/// The region does not fit the network, or a step does not or is another.
pub fn bounds(network: &Network, region: &Region, steps: &[Item]) -> Result<ProvedBounds, Rejected> {
    let ground = Ground::new(network, region)?;
    let mut state = State::new(&ground);
    steps.iter().try_for_each(|step| state.follow(step))?;
    Ok(ProvedBounds::new(network, state.intervals(network.places().len() - 1)))
}

#[cfg(test)]
mod tests;
