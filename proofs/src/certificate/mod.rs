//! Certificates as data, and their file format (`FORMAT.md`). A certificate is a claim: anybody may write one, and only
//! [`crate::check`] turns it into a fact.
//!
//! For each region of a property there is a proof tree, written down in preorder as a list of [`Item`]s. A node of the
//! tree is some items that derive bounds or refute cases, and one that ends it: [`Item::End`], [`Item::Empty`] or
//! [`Item::Split`], which is followed by its two subtrees. [`Item::Prove`] and [`Item::Lemma`] are followed by a
//! subtree of their own, and the node goes on after it. [`Item::Leave`], which ends a node too, and [`Item::Violate`] are for
//! certificates of volume.
//!
//! A [`Witness`] says how a linear function is bounded. It may be a tree itself, of signs of ReLU inputs: then each leaf is
//! bounded, and the least of these bounds counts.
//!
//! Values of the network are named by *place*: 0 is the input, `k` the input of the `k`-th ReLU node, and one more than
//! the number of ReLU nodes is the output.

mod decode;
mod encode;
mod signs;

pub(crate) use decode::Decoder;
pub use decode::Source;
pub use encode::{Header, encode};
pub(crate) use signs::{Shape, Sign, SignLeaf, SignTree};
pub use signs::{SignNode, Signs};

use std::collections::BTreeMap;

use crate::arith::short_alpha;

/// The values of a network that a certificate may speak of; see the module's documentation.
pub type Place = usize;

/// The proof tree of one region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proof {
    /// The region of the property.
    pub region: usize,
    /// The tree in preorder.
    pub items: Vec<Item>,
}

/// A step of a proof, or how a node of its tree ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// The node ends: nothing is left open.
    End,
    /// The node ends: no point satisfies everything that is assumed.
    Empty,
    /// The node ends in two subtrees.
    Split(Split),
    /// Bounds every value by forward linear forms too, in this node and the subtrees below.
    Forms,
    /// Bounds the undecided inputs of all ReLUs, in topological order, with default slopes.
    TightenAll,
    /// Bounds elements of one place by the linear bound rule.
    Tighten(Place, Targets),
    /// Proves a bound: the subtree that follows refutes its negation.
    Prove(Literal),
    /// Keeps slopes for this node and the subtrees below; they are numbered from 0 along the path.
    Keep(Slopes),
    /// Refutes cases by the linear bound rule.
    Close(Vec<Close>),
    /// The subtree that follows refutes cases under additional assumptions. Without assumptions the cases are refuted
    /// here; otherwise the lemma may be applied below, numbered from 0 along the path.
    Lemma(Vec<Literal>, Vec<usize>),
    /// Applies a lemma whose assumptions hold here: its cases are refuted.
    Apply(usize),
    /// The node ends: nothing is said of it. Only for volume.
    Leave,
    /// From here on, a case is to be proved to happen everywhere: what is to be refuted are the negations of its atoms,
    /// numbered from 0. Only for volume.
    Violate(usize),
}

/// Which end of an interval, or which side of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The lower end; at least the value.
    Lower,
    /// The upper end; at most the value.
    Upper,
}

/// An element of a place is at least ([`Side::Lower`]) or at most ([`Side::Upper`]) a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Literal {
    /// The place.
    pub place: Place,
    /// The element of the place.
    pub element: usize,
    /// Whether the value bounds the element from below or from above.
    pub side: Side,
    /// The value.
    pub at: f64,
}

/// Two subtrees that cover their parent; the first assumes that the element is low.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Split {
    /// Halves the interval of an input element.
    Middle(usize),
    /// The element is at most `below` in the first subtree and at least `above` in the second; `above <= below`.
    At {
        /// The place.
        place: Place,
        /// The element of the place.
        element: usize,
        /// Upper end of the first subtree.
        below: f64,
        /// Lower end of the second subtree.
        above: f64,
    },
}

/// What an [`Item::Tighten`] bounds.
#[derive(Clone, Debug, PartialEq)]
pub enum Targets {
    /// Both ends of every element whose sign is undecided, with default slopes.
    Undecided,
    /// The marked lower and upper ends of elements whose sign is undecided, one mark for each element, with default
    /// slopes.
    Marked(Vec<bool>, Vec<bool>),
    /// The ends listed.
    Listed(Vec<Target>),
}

/// One end of the interval of one element.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The element.
    pub element: usize,
    /// Which end.
    pub side: Side,
    /// The witness of its bound.
    pub witness: Witness,
}

/// Where the slopes of a linear bound come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Witness {
    /// Alpha is 1 where the upper end is farther from zero than the lower, and 0 otherwise; no other multipliers.
    Default,
    /// Slopes kept on the path.
    Kept(usize),
    /// Slopes of its own.
    Own(Slopes),
    /// The least of several bounds: one for each leaf of a tree of signs.
    Signs(Box<Signs>),
}

/// With which slopes and multipliers a linear bound is computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Slopes {
    /// For the ReLUs whose input is a place, alpha in `[0, 1]` of each element; NaN where the default rule applies, as
    /// it does for places that are not named.
    pub alpha: BTreeMap<Place, Vec<f32>>,
    /// Non-negative multipliers of the literals on the path that do not speak of the input, in the order in which they were
    /// assumed; those that are missing at the end are 0.
    pub beta: Vec<f32>,
    /// Non-negative multipliers of the region's linear constraints; those that are missing at the end are 0.
    pub constraints: Vec<f32>,
}

/// Refutes a case: a combination of its atoms is positive wherever the node's assumptions hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Close {
    /// The case of the property; 0 below an [`Item::Prove`].
    pub case: usize,
    /// The combination.
    pub multipliers: Multipliers,
    /// The witness of its bound.
    pub witness: Witness,
}

/// A non-negative combination of a case's atoms.
#[derive(Clone, Debug, PartialEq)]
pub enum Multipliers {
    /// One atom alone.
    Atom(usize),
    /// One number for each atom.
    Each(Vec<f32>),
}

impl Witness {
    /// The same with slopes rounded.
    #[must_use]
    pub fn rounded(&self) -> Witness {
        match self {
            Witness::Default | Witness::Kept(_) => self.clone(),
            Witness::Own(slopes) => Witness::Own(slopes.clone().rounded()),
            Witness::Signs(tree) => Witness::Signs(Box::new(tree.rounded())),
        }
    }
}

impl Slopes {
    /// Rounds to what takes one byte for each alpha and two for each multiplier.
    #[must_use]
    pub fn rounded(mut self) -> Slopes {
        self.alpha.values_mut().flatten().for_each(|a| *a = short_alpha(*a));
        self.beta.iter_mut().chain(&mut self.constraints).for_each(|m| *m = short_multiplier(*m));
        self
    }
}

/// A multiplier of two bytes, not larger.
fn short_multiplier(multiplier: f32) -> f32 {
    f32::from_bits(multiplier.to_bits() & 0xffff_0000)
}

#[cfg(test)]
mod tests;
