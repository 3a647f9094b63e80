//! Certificates as data. A certificate is a claim: anybody may write one, and only [`crate::check`] turns it into a
//! fact.

use std::collections::BTreeMap;

use crate::network::NodeId;

/// For each region of a property, a proof that refutes its cases.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Certificate {
    /// The proofs, in any order; together they close every case.
    pub proofs: Vec<Proof>,
}

/// A proof about one region: bounds are tightened node by node, then cases are closed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proof {
    /// The region of the property.
    pub region: usize,
    /// In topological order of the nodes.
    pub tighten: Vec<Tighten>,
    /// The cases that this proof refutes.
    pub close: Vec<Close>,
}

/// Proves new bounds for elements of a node (most often the input of ReLUs) by the linear bound rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Tighten {
    /// The node; any but the input.
    pub node: NodeId,
    /// Which ends of which elements.
    pub targets: Targets,
}

/// What a [`Tighten`] bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Both ends of every element whose sign is still undecided, with adaptive slopes.
    Undecided,
    /// The ends listed.
    Listed(Vec<Target>),
}

/// One end of the interval of one element.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The element.
    pub neuron: usize,
    /// Which end.
    pub end: End,
    /// The slopes of its bound.
    pub slopes: Slopes,
}

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The lower end.
    Lower,
    /// The upper end.
    Upper,
}

/// The witness of one linear bound: with which slope each undecided ReLU is bounded from below.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slopes {
    /// For a ReLU node, alpha in `[0, 1]` of each of its elements. Nodes that are not named use the adaptive rule:
    /// 1 where the upper end is farther from zero than the lower, 0 otherwise.
    pub alpha: BTreeMap<NodeId, Vec<f64>>,
}

/// Refutes a case: proves that a combination of its atoms is violated everywhere in the region.
#[derive(Clone, Debug, PartialEq)]
pub struct Close {
    /// The case of the property.
    pub case: usize,
    /// One multiplier for each atom, non-negative.
    pub multipliers: Vec<f64>,
    /// The slopes of the bound.
    pub slopes: Slopes,
}
