//! Facts. Values of these types exist only where the checker has established them: their fields are private and
//! nothing outside this crate can make one.

use serde::Serialize;

use crate::arith::{Interval, WHOLE, share_of};
use crate::digest::Digest;
use crate::network::Network;
use crate::semantics::Semantics;

/// The property holds for the network: every case has been refuted with rigorous arithmetic.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    network: Digest,
    semantics: Semantics,
    property: Digest,
    cases: usize,
    leaves: usize,
}

/// The property does not hold for the network: a case certainly happens at a point of its region.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violated {
    network: Digest,
    semantics: Semantics,
    property: Digest,
    case: usize,
    point: Vec<f64>,
    #[serde(skip)]
    outputs: Vec<Interval>,
}

/// Which share of each region's volume is certified or violated.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProvedVolume {
    network: Digest,
    semantics: Semantics,
    property: Digest,
    regions: Vec<Shares>,
    leaves: usize,
}

/// Shares of one region's volume, each from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Shares {
    certified: f64,
    violated: f64,
    undecided: f64,
}

/// Proved bounds on the network's outputs over a region.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvedBounds {
    network: Digest,
    semantics: Semantics,
    outputs: Vec<Interval>,
}

impl Verified {
    pub(crate) fn new((network, property): (&Network, Digest), cases: usize, leaves: usize) -> Self {
        let (network, semantics) = (network.digest(), network.semantics());
        Verified { network, semantics, property, cases, leaves }
    }

    /// SHA-256 of the model's bytes.
    pub fn network(&self) -> Digest {
        self.network
    }

    /// What is meant by the network's outputs.
    pub fn semantics(&self) -> Semantics {
        self.semantics
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
    pub(crate) fn new(ids: (&Network, Digest), case: usize, point: Vec<f64>, outputs: Vec<Interval>) -> Self {
        let (network, property) = ids;
        let (network, semantics) = (network.digest(), network.semantics());
        Violated { network, semantics, property, case, point, outputs }
    }

    /// SHA-256 of the model's bytes.
    pub fn network(&self) -> Digest {
        self.network
    }

    /// What is meant by the network's outputs.
    pub fn semantics(&self) -> Semantics {
        self.semantics
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

impl ProvedVolume {
    pub(crate) fn new((network, property): (&Network, Digest), regions: Vec<Shares>, leaves: usize) -> Self {
        let (network, semantics) = (network.digest(), network.semantics());
        ProvedVolume { network, semantics, property, regions, leaves }
    }

    /// SHA-256 of the model's bytes.
    pub fn network(&self) -> Digest {
        self.network
    }

    /// What is meant by the network's outputs.
    pub fn semantics(&self) -> Semantics {
        self.semantics
    }

    /// SHA-256 of the property's canonical form.
    pub fn property(&self) -> Digest {
        self.property
    }

    /// The shares of each region.
    pub fn regions(&self) -> &[Shares] {
        &self.regions
    }

    /// How many parts the proof trees have.
    pub fn leaves(&self) -> usize {
        self.leaves
    }
}

impl Shares {
    /// Certified and violated in units of the whole; both together are at most the whole.
    pub(crate) fn new([certified, violated]: [u64; 2]) -> Self {
        let undecided = WHOLE.saturating_sub(certified).saturating_sub(violated);
        Shares { certified: share_of(certified), violated: share_of(violated), undecided: share_of(undecided) }
    }

    /// At least this share holds no point at which a case happens.
    pub fn certified(&self) -> f64 {
        self.certified
    }

    /// At least this share holds only points at which a case happens.
    pub fn violated(&self) -> f64 {
        self.violated
    }

    /// At most this share is neither. The three add up to 1, exactly.
    pub fn undecided(&self) -> f64 {
        self.undecided
    }
}

impl ProvedBounds {
    pub(crate) fn new(network: &Network, outputs: Vec<Interval>) -> Self {
        ProvedBounds { network: network.digest(), semantics: network.semantics(), outputs }
    }

    /// SHA-256 of the model's bytes.
    pub fn network(&self) -> Digest {
        self.network
    }

    /// What is meant by the network's outputs.
    pub fn semantics(&self) -> Semantics {
        self.semantics
    }

    /// One interval for each output element; it contains the output of every point of the region.
    pub fn outputs(&self) -> &[Interval] {
        &self.outputs
    }
}
