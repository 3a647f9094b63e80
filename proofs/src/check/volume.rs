//! Volume: a tree may leave parts of its region, and may prove of others that some one case happens at each of their points.
//!
//! The parts at which a tree ends leave nothing out of the region (`cover`), and each lies in the input box of its state, whose
//! volume [`Measure`] adds up.

use std::sync::Arc;

use crate::arith::{LinearAtom, Measure};
use crate::certificate::Source;
use crate::error::{Refusal, Rejected};
use crate::network::Network;
use crate::property::{Property, Region};
use crate::verdict::{ProvedVolume, Shares};

use super::leaf::Goal;
use super::{Limits, check_proofs};

/// Checks a certificate of volume: for each region, which share of it is certified, no case happening at any point, and which is violated,
/// some one case happening at every point. Volume is that of the box of all inputs that vary, with outer bounds.
///
/// # Errors
///
/// A region is not a box, or the first reason not to accept the certificate, or that the deadline passes first.
pub fn volume(
    network: &Network,
    property: &Property,
    certificate: &dyn Source,
    limits: impl Into<Limits>,
) -> Result<ProvedVolume, Rejected> {
    if let Some(region) = property.regions().iter().position(|region| !region.is_box()) {
        return Err(Refusal::NotABox(region).into());
    }
    let outer = |region: &Region| Measure::new(region.bounds.iter().map(|b| b.outer()).collect());
    let measures: Vec<Measure> = property.regions().iter().map(outer).collect();
    let leaves = check_proofs(network, property, (certificate, limits.into()), &measures)?;
    let shares = measures.iter().map(|measure| Shares::new(measure.shares())).collect();
    Ok(ProvedVolume::new((network, property.digest()), shares, leaves))
}

/// The negations of a case's atoms, one goal for each. `-a.v <= -b` is refuted where `a.v < b`, so that strict atoms hold too.
pub(crate) fn negations(goal: &Goal) -> Vec<Arc<Goal>> {
    let negated = |atom: &LinearAtom| LinearAtom {
        terms: atom.terms.iter().map(|(variable, c)| (*variable, -*c)).collect(),
        at_most: -atom.at_most,
    };
    let goals = goal.atoms.iter().enumerate();
    goals.map(|(case, atom)| Arc::new(Goal { case, atoms: vec![negated(atom)] })).collect()
}
