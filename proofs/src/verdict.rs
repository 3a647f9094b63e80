//! Facts. Values of these types exist only where the checker has established them: their fields are private and
//! nothing outside this crate can make one.

use serde::Serialize;

use crate::arith::Interval;
use crate::digest::Digest;

/// The property holds for the network: every case has been refuted with rigorous arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    network: Digest,
    property: Digest,
    cases: usize,
    leaves: usize,
}

/// The property does not hold for the network: a case certainly happens at a point of its region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violated {
    network: Digest,
    property: Digest,
    case: usize,
    point: Vec<f64>,
    #[serde(skip)]
    outputs: Vec<Interval>,
}

/// Proved bounds on the network's outputs over a region.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvedBounds {
    network: Digest,
    outputs: Vec<Interval>,
}

impl Verified {
    pub(crate) fn new((network, property): (Digest, Digest), cases: usize, leaves: usize) -> Self {
        Verified { network, property, cases, leaves }
    }

    /// SHA-256 of the model's bytes.
    pub fn network(&self) -> Digest {
        self.network
    }

    /// SHA-256 of the property's canonical form.
    pub fn property(&self) -> Digest {
        self.property
    }

    /// How many cases were refuted.
    pub fn cases(&self) -> usize {
        self.cases
    }

    /// How many leaves the proof trees have.
    pub fn leaves(&self) -> usize {
        self.leaves
    }
}

impl Violated {
    pub(crate) fn new(ids: (Digest, Digest), case: usize, point: Vec<f64>, outputs: Vec<Interval>) -> Self {
        let (network, property) = ids;
        Violated { network, property, case, point, outputs }
    }

    /// SHA-256 of the model's bytes.
    pub fn network(&self) -> Digest {
        self.network
    }

    /// SHA-256 of the property's canonical form.
    pub fn property(&self) -> Digest {
        self.property
    }

    /// The case that happens.
    pub fn case(&self) -> usize {
        self.case
    }

    /// The network input where it happens. Where a bound of the region is not a binary float, the point that is meant
    /// is the nearest point of the region, at most two units in the last place away.
    pub fn point(&self) -> &[f64] {
        &self.point
    }

    /// Enclosures of the network's outputs at the point.
    pub fn outputs(&self) -> &[Interval] {
        &self.outputs
    }
}

impl ProvedBounds {
    pub(crate) fn new(network: Digest, outputs: Vec<Interval>) -> Self {
        ProvedBounds { network, outputs }
    }

    /// SHA-256 of the model's bytes.
    pub fn network(&self) -> Digest {
        self.network
    }

    /// One interval for each output element; it contains the output of every point of the region.
    pub fn outputs(&self) -> &[Interval] {
        &self.outputs
    }
}
