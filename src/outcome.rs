//! What the engine answers. The facts inside come from the checker and from nowhere else.

use std::fmt;
use std::time::Duration;

use bartizan_proof::{Rejected, Verified, Violated};

/// The answer to one query.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// What was established.
    pub verdict: Verdict,
    /// How long it took.
    pub time: Duration,
    /// The rung of the ladder that decided, or the last one that was tried.
    pub rung: Rung,
    /// Parts of the input region that were bounded, where it was split.
    pub domains: usize,
}

impl Outcome {
    /// Whether the property was proved to hold.
    pub fn is_verified(&self) -> bool {
        matches!(self.verdict, Verdict::Verified(..))
    }

    /// Whether a counterexample was replayed.
    pub fn is_violated(&self) -> bool {
        matches!(self.verdict, Verdict::Violated(_))
    }

    /// The certificate of a verified property: bytes that any checker of the format accepts.
    pub fn certificate(&self) -> Option<&[u8]> {
        match &self.verdict {
            Verdict::Verified(_, certificate) => Some(certificate),
            _ => None,
        }
    }

    /// The counterexample of a violated property.
    pub fn counterexample(&self) -> Option<&Violated> {
        match &self.verdict {
            Verdict::Violated(violated) => Some(violated),
            _ => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.time.as_secs_f64();
        write!(f, "{} by {} in {seconds:.3} s", self.verdict.word(), self.rung)?;
        self.verdict.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// What was established about a property.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds; the bytes are the certificate that the checker accepted.
    Verified(Verified, Vec<u8>),
    /// It does not hold.
    Violated(Violated),
    /// Neither was shown.
    Unknown(Reason),
}

/// Why nothing was shown. A timeout and an error are not the same as having tried everything.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// Every rung of the chosen method was tried.
    #[error("the method is too weak: {open} of {cases} cases stay open, worst bound {bound:.6}")]
    Undecided {
        /// Cases not refuted.
        open: usize,
        /// Cases of the property.
        cases: usize,
        /// The smallest of the open cases' best bounds.
        bound: f64,
    },
    /// The time limit was reached first.
    #[error("timeout{}", .0.as_ref().map_or_else(String::new, |open| format!(" with {open}")))]
    Timeout(Option<Open>),
    /// What is left of the region is too narrow to be split.
    #[error("{0}, too narrow to be split")]
    TooNarrow(Open),
    /// The search has split its region into as many parts as fit the memory that it may take.
    #[error("{0}, and no memory for more")]
    NoMemory(Open),
    /// The search believed in a proof that the checker did not accept.
    #[error("the checker refused the proof: {0}")]
    Rejected(Rejected),
    /// The search has a bug; the text is what it said when it failed.
    #[error("internal error: the search panicked: {0}")]
    Panicked(String),
}

/// What a search has left open.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Open {
    /// Parts of the region that are not refuted.
    pub domains: usize,
    /// The least of their bounds.
    pub bound: f64,
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} open parts of the region, least bound {:.6}", self.domains, self.bound)
    }
}

/// A rung of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rung {
    /// Search for counterexamples.
    Attack,
    /// Interval bounds of the hidden nodes, and one backward pass for the query itself.
    Interval,
    /// Backward linear bounds.
    Linear,
    /// Optimised slopes.
    Slopes,
    /// Branch and bound.
    Branch,
    /// Linear programming.
    Lp,
}

impl fmt::Display for Rung {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Rung::Attack => "attack",
            Rung::Interval => "ibp",
            Rung::Linear => "linear",
            Rung::Slopes => "slopes",
            Rung::Branch => "branch",
            Rung::Lp => "lp",
        })
    }
}

impl Verdict {
    /// The word that is printed: `verified`, `violated`, `unknown` or `timeout`.
    pub fn word(&self) -> &'static str {
        match self {
            Verdict::Verified(..) => "verified",
            Verdict::Violated(_) => "violated",
            Verdict::Unknown(Reason::Timeout(_)) => "timeout",
            Verdict::Unknown(_) => "unknown",
        }
    }

    /// The reason behind an unknown.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Verdict::Unknown(reason) => Some(reason),
            _ => None,
        }
    }
}
