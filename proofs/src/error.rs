//! What can be wrong with an input, a certificate or a counterexample. Every message says where, what was expected
//! and what was found; callers put the file's name in front.

use std::fmt;

use crate::digest::Digest;
use crate::semantics::Semantics;

/// Nodes that do not form a network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("node {node} {what}")]
pub struct NetworkError {
    /// Name of the node.
    pub node: String,
    /// What does not fit.
    pub what: String,
}

/// A network that cannot be judged under some semantics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model cannot be judged under {semantics} semantics: {why}")]
pub struct SemanticsError {
    /// The semantics.
    pub semantics: Semantics,
    /// What stands against it.
    pub why: String,
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

/// Why a certificate or counterexample was not accepted, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct Rejected {
    /// The node of the proof tree, for what is wrong inside one.
    pub at: Option<TreePlace>,
    /// What is wrong.
    pub refusal: Refusal,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.iter().try_for_each(|at| write!(f, "{at}: "))?;
        self.refusal.fmt(f)
    }
}

impl<E: Into<Refusal>> From<E> for Rejected {
    fn from(refusal: E) -> Self {
        Rejected { at: None, refusal: refusal.into() }
    }
}

/// A node of a proof tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreePlace {
    /// The region whose proof it is in.
    pub region: usize,
    /// The way from the root: `0` and `1` are the subtrees of a split, `p` and `l` those of a proved bound and a lemma.
    pub path: String,
    /// How many bytes of the certificate had been read.
    pub byte: u64,
}

impl fmt::Display for TreePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "region {}, node /{}, byte {}", self.region, self.path, self.byte)
    }
}

/// What is wrong with a certificate or counterexample. Numbers stand in the order in which the message names them.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Network and property do not belong together.
    #[error(transparent)]
    Property(#[from] PropertyError),
    /// The bytes cannot be read.
    #[error("cannot read: {0}")]
    Unreadable(String),
    /// The first bytes are not those of a certificate.
    #[error("expected a certificate, found something else")]
    NoCertificate,
    /// A version of the format that is not known here.
    #[error("expected version {0} of the format, found {1}")]
    Version(u8, u8),
    /// Semantics that are not known here.
    #[error("expected semantics 0 (real) or 1 (float32), found {0}")]
    Semantics(u8),
    /// The certificate proves something under other semantics.
    #[error("the certificate is for other semantics: expected {0}, found {1}")]
    OtherSemantics(Semantics, Semantics),
    /// The certificate speaks of another model.
    #[error("the certificate is for another model: expected {0}, found {1}")]
    OtherModel(Digest, Digest),
    /// The certificate speaks of another property.
    #[error("the certificate is for another property: expected {0}, found {1}")]
    OtherProperty(Digest, Digest),
    /// The certificate ends inside an item.
    #[error("the certificate ends in the middle of an item")]
    Truncated,
    /// The certificate ends where a tree goes on.
    #[error("the certificate ends where the tree goes on: a subtree is missing")]
    MissingNode,
    /// Something follows the last proof.
    #[error("expected the end of the certificate, found more bytes")]
    Trailing,
    /// Bytes that do not form what the format says.
    #[error("expected {0}, found other bytes")]
    Malformed(&'static str),
    /// A list that is too long.
    #[error("a list of {0} elements; expected at most {1}")]
    TooLong(usize, usize),
    /// A tree that is too deep, or a node that assumes too much.
    #[error("a tree of more than {0} levels or assumptions")]
    TooDeep(usize),
    /// A subtree whose length is not the one that was announced.
    #[error("expected the first subtree to end at byte {0}, found its end at {1}")]
    SubtreeLength(u64, u64),
    /// A region of the property without a proof.
    #[error("region {0} has no proof")]
    MissingProof(usize),
    /// Proofs that are not in the order of regions, or of a region twice.
    #[error("expected the proof of region {0} or a later one, found that of region {1}")]
    ProofOrder(usize, usize),
    /// A proof of a region that does not exist.
    #[error("expected one of {0} regions, found region {1}")]
    UnknownRegion(usize, usize),
    /// A place, or an element of it, that does not exist.
    #[error("expected an element of an existing place, found element {1} of place {0}")]
    UnknownElement(usize, usize),
    /// A value of a literal that is infinite or NaN.
    #[error("expected a finite value, found {0}")]
    NotFinite(f64),
    /// cover: two subtrees that leave something out.
    #[error("cover: the first subtree goes up to {0}, the second begins only at {1}")]
    Gap(f64, f64),
    /// relax: slopes for another number of elements.
    #[error("relax: place {0} has {1} elements, found slopes or marks for {2}")]
    SlopeCount(usize, usize, usize),
    /// relax: a slope that may not be used.
    #[error("relax: expected a slope in [0, 1], found {0}")]
    Slope(f32),
    /// A multiplier of an atom, literal or constraint that may not be used.
    #[error("expected a finite multiplier that is not negative, found {0}")]
    Multiplier(f32),
    /// More or fewer multipliers than there is something to multiply.
    #[error("expected multipliers for {0} {1}, found {2}")]
    MultiplierCount(usize, &'static str, usize),
    /// Slopes that are not kept on the path.
    #[error("expected one of {0} kept slopes, found number {1}")]
    UnknownSlopes(usize, usize),
    /// A lemma that is not on the path.
    #[error("expected one of {0} lemmas, found number {1}")]
    UnknownLemma(usize, usize),
    /// A lemma whose assumptions do not hold.
    #[error("lemma {0} does not apply: its assumption on element {2} of place {1} does not hold here")]
    LemmaDoesNotApply(usize, usize, usize),
    /// A case that is not open, because it is refuted already or not of this region.
    #[error("case {0} is not open here")]
    NotOpen(usize),
    /// close: the bound does not refute the case.
    #[error("close: case {0} is not refuted: expected a bound above 0, found {1}")]
    NotRefuted(usize, f64),
    /// A node that ends with something open.
    #[error("the node ends, but case {0} is open")]
    StillOpen(usize),
    /// A node that is left, in a proof that leaves nothing or inside a proof of something else.
    #[error("the node is left open, which only a certificate of volume may do, outside bounds and lemmas")]
    LeftOpen,
    /// A case that is said to happen everywhere, in a proof that none does, inside a proof of something else or below another such case.
    #[error(
        "case {0} is said to happen everywhere, which only a certificate of volume may do, outside bounds and lemmas \
         and once on a path"
    )]
    Violation(usize),
    /// A region whose volume is not that of a box.
    #[error("region {0} is not a box: constraints or a ball restrict it, and volume is measured in boxes only")]
    NotABox(usize),
    /// A node that is said to be empty.
    #[error("the node is not empty: no bounds contradict each other")]
    NotEmpty,
    /// Forward forms for a network with many inputs that vary.
    #[error("forward forms for at most {0} inputs that vary, found {1}")]
    TooManyInputs(usize, usize),
    /// The check was given too little time.
    #[error("the time limit passed before everything was checked")]
    Deadline,
    /// A step that changes the tree where none may.
    #[error("expected a step that tightens bounds, found another")]
    NotTightening,
    /// A counterexample of the wrong length.
    #[error("the network has {0} inputs, the point {1} elements")]
    PointSize(usize, usize),
    /// A counterexample outside every region.
    #[error("the point is in no region: in the nearest, input {0} is {1}, outside [{2}, {3}]")]
    OutsideRegion(usize, f64, f64, f64),
    /// A point at which no case certainly holds.
    #[error("no case certainly holds at the point")]
    NotViolated,
}
