//! The checker: one rule a file.
//!
//! * `state` walks forward: interval arithmetic for every node, tightened where the certificate says so.
//! * `affine` walks backward: the linear bound rule through affine nodes.
//! * `relax` is its step through a ReLU.
//! * `leaf` closes a case with it.
//! * `replay` evaluates a counterexample.

mod affine;
mod leaf;
mod relax;
mod replay;
mod state;

pub use replay::replay;

use crate::arith::Interval;
use crate::certificate::{Certificate, End, Proof, Slopes, Target};
use crate::error::Rejected;
use crate::network::Network;
use crate::property::{Property, Region};
use crate::verdict::{ProvedBounds, Verified};

/// Checks a certificate: every case of the property is refuted for every point of its region, in real arithmetic on
/// the network's stored weights.
///
/// # Errors
///
/// The first reason not to accept it.
pub fn verify(network: &Network, property: &Property, certificate: &Certificate) -> Result<Verified, Rejected> {
    property.fits(network)?;
    let mut closed = vec![false; property.cases().len()];
    for proof in &certificate.proofs {
        for case in refute(network, property, proof)? {
            if let Some(closed) = closed.get_mut(case) {
                *closed = true;
            }
        }
    }
    match closed.iter().position(|closed| !closed) {
        Some(case) => Err(Rejected::OpenCase { case }),
        None => Ok(Verified::new(network.digest(), property.digest(), closed.len())),
    }
}

/// The cases that a proof refutes.
fn refute(network: &Network, property: &Property, proof: &Proof) -> Result<Vec<usize>, Rejected> {
    let regions = property.regions().len();
    let region =
        property.regions().get(proof.region).ok_or(Rejected::UnknownRegion { region: proof.region, regions })?;
    let cases = leaf::cases_of(property, proof)?;
    let bounds = state::establish(network, region, &proof.tighten)?;
    leaf::close_all(network, &bounds, &cases)?;
    Ok(proof.close.iter().map(|c| c.case).collect())
}

/// Proves bounds on the outputs over a region: bounds of hidden nodes are tightened as told, then each target bounds
/// one end of one output by the linear bound rule; ends without a target come from interval arithmetic.
///
/// # Errors
///
/// The region does not fit the network, or the witness is malformed.
pub fn bounds(
    network: &Network,
    region: &Region,
    tighten: &[crate::certificate::Tighten],
    targets: &[Target],
) -> Result<ProvedBounds, Rejected> {
    if region.bounds.len() != network.input_size() {
        return Err(Rejected::PointSize { expected: network.input_size(), found: region.bounds.len() });
    }
    let mut nodes = state::establish(network, region, tighten)?;
    state::tighten_targets(network, &mut nodes, network.output(), targets)?;
    let outputs = nodes.get(network.output());
    let intervals = (0..network.output_size()).map(|i| outputs.map_or(Interval::EVERYTHING, |o| o.interval(i)));
    Ok(ProvedBounds::new(network.digest(), intervals.collect()))
}

/// Targets for both ends of some elements of a node, with the same slopes.
pub fn both_ends(elements: impl IntoIterator<Item = usize>, slopes: &Slopes) -> Vec<Target> {
    let both = |neuron| [End::Lower, End::Upper].map(|end| Target { neuron, end, slopes: slopes.clone() });
    elements.into_iter().flat_map(both).collect()
}

#[cfg(test)]
mod tests;
