//! What can be wrong with an input, a certificate or a counterexample. Every message says where, what was expected
//! and what was found; callers put the file's name in front.

use std::fmt;

use crate::network::NodeId;

/// A place in a model or property file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Offset in a binary file.
    Byte(usize),
    /// Line and column (both from 1) in a text file.
    Text {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// A named part of the file: `node conv1 (Conv)`, `initializer W`, `graph`.
    Part(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Byte(offset) => write!(f, "byte {offset}"),
            Place::Text { line, column } => write!(f, "line {line}, column {column}"),
            Place::Part(name) => write!(f, "{name}"),
        }
    }
}

/// A model or property that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: expected {expected}, found {found}")]
pub struct ReadError {
    /// Where.
    pub place: Place,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl ReadError {
    /// An error at a named part of a file.
    pub fn part(name: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        ReadError { place: Place::Part(name.into()), expected: expected.into(), found: found.into() }
    }

    /// An error at a byte of a binary file.
    pub fn byte(offset: usize, expected: impl Into<String>, found: impl Into<String>) -> Self {
        ReadError { place: Place::Byte(offset), expected: expected.into(), found: found.into() }
    }

    /// An error at a line and column (from 1) of a text file.
    pub fn text((line, column): (usize, usize), expected: impl Into<String>, found: impl Into<String>) -> Self {
        ReadError { place: Place::Text { line, column }, expected: expected.into(), found: found.into() }
    }
}

/// Nodes that do not form a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {node} {what}")]
pub struct NetworkError {
    /// Name of the node.
    pub node: String,
    /// What does not fit.
    pub what: String,
}

impl From<NetworkError> for ReadError {
    fn from(error: NetworkError) -> Self {
        ReadError::part(
            format!("node {}", error.node),
            "nodes that fit together",
            format!("a node that {}", error.what),
        )
    }
}

/// A property that cannot be stated.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PropertyError {
    /// The property speaks of another number of inputs or outputs than the network has.
    #[error("the property has {found} {what}, the network has {expected}")]
    Size {
        /// `inputs` or `outputs`.
        what: &'static str,
        /// What the network has.
        expected: usize,
        /// What the property has.
        found: usize,
    },
    /// An atom or region names a variable that the property does not declare.
    #[error("the property uses {variable}, but has only {declared} such variables")]
    UnknownVariable {
        /// The variable, as `X_5`.
        variable: String,
        /// How many are declared.
        declared: usize,
    },
    /// No point satisfies the bounds of a region.
    #[error("input {input} has no value: its lower bound {lower} is above its upper bound {upper}")]
    EmptyRegion {
        /// The input element.
        input: usize,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// A number that is infinite or NaN.
    #[error("{place} is {value}; expected a finite number")]
    NotFinite {
        /// Where the number stands.
        place: String,
        /// The number.
        value: f64,
    },
    /// A label that the network does not have.
    #[error("label {label} is outside the network's {outputs} classes")]
    Label {
        /// The label.
        label: usize,
        /// Number of classes.
        outputs: usize,
    },
    /// The model ends in an activation that was left out, which only argmax-like properties permit.
    #[error(
        "the model ends in {activation}, which is dropped for properties that only compare outputs with each other; \
         this property does something else"
    )]
    DroppedActivation {
        /// Operator and name.
        activation: String,
    },
    /// The property has no case, so that there is nothing to prove.
    #[error("the property has no cases")]
    NoCases,
    /// A radius, deviation or range of a robustness property that makes no sense.
    #[error("{what}: expected {expected}, found {found}")]
    Option {
        /// Which option.
        what: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

/// Why a certificate or counterexample was not accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Rejected {
    /// Network and property do not belong together.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// A case of the property is not refuted by any leaf.
    #[error("case {case} is not closed by the certificate")]
    OpenCase {
        /// The case.
        case: usize,
    },
    /// A leaf names a case that does not exist, or that speaks of another region.
    #[error("a leaf of region {region} closes case {case}, which is not a case of that region")]
    ForeignCase {
        /// The leaf's region.
        region: usize,
        /// The case it names.
        case: usize,
    },
    /// A proof names a region that the property does not have.
    #[error("the certificate speaks of region {region}, the property has {regions}")]
    UnknownRegion {
        /// The region it names.
        region: usize,
        /// How many there are.
        regions: usize,
    },
    /// Bounds are tightened for the input or a node that does not exist, or not in topological order.
    #[error("bounds of node {node} are tightened out of order, or it is not a computed node")]
    TightenOrder {
        /// The node.
        node: NodeId,
    },
    /// A neuron that its node does not have.
    #[error("neuron {neuron} of node {node} does not exist; the node has {size}")]
    UnknownNeuron {
        /// The node.
        node: NodeId,
        /// The neuron.
        neuron: usize,
        /// How many the node has.
        size: usize,
    },
    /// Multipliers that do not match the case's atoms.
    #[error("case {case} has {expected} atoms, the leaf gives {found} multipliers")]
    MultiplierCount {
        /// The case.
        case: usize,
        /// Number of atoms.
        expected: usize,
        /// Number of multipliers.
        found: usize,
    },
    /// A multiplier that is negative or not a number.
    #[error("case {case}: multiplier {value} is not a non-negative number")]
    Multiplier {
        /// The case.
        case: usize,
        /// The multiplier.
        value: f64,
    },
    /// A slope outside `[0, 1]`, or slopes for the wrong number of neurons.
    #[error("slopes of node {node} are not {expected} numbers in [0, 1]")]
    Slopes {
        /// The ReLU node.
        node: NodeId,
        /// How many the node needs.
        expected: usize,
    },
    /// The rigorous bound does not refute the case.
    #[error("case {case} is not refuted: expected a bound above 0, found {bound}")]
    NotRefuted {
        /// The case.
        case: usize,
        /// The bound that the rule gives.
        bound: f64,
    },
    /// A counterexample of the wrong length.
    #[error("the point has {found} elements, the network {expected} inputs")]
    PointSize {
        /// Network inputs.
        expected: usize,
        /// Elements of the point.
        found: usize,
    },
    /// A counterexample outside every region.
    #[error("the point is in no region: in the nearest, input {input} is {value}, outside [{lower}, {upper}]")]
    OutsideRegion {
        /// The first input that is outside.
        input: usize,
        /// Its value.
        value: f64,
        /// Its lower bound.
        lower: f64,
        /// Its upper bound.
        upper: f64,
    },
    /// A point at which no case certainly holds.
    #[error("no case certainly holds at the point")]
    NotViolated,
}
