//! Checks a stored run again: nothing in the store is believed but the question that was asked.
//!
//! The property of each point is built anew from the data set and the question. A certificate must prove it, a counterexample must
//! refute it, and a misclassified point must be its own counterexample.

use std::num::NonZeroUsize;

use bartizan_proof::{Network, Rejected, check};

use super::dataset::Dataset;
use super::points::Question;
use super::store::{StoredPoint, StoredRun};
use super::{BatchError, workers};

/// What the points of a run were asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The network.
    pub network: &'a Network,
    /// The data set.
    pub dataset: &'a Dataset,
    /// The question.
    pub question: &'a Question,
}

/// What came of a check of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Points with a certificate that was accepted.
    pub certified: usize,
    /// Points with a counterexample that was replayed.
    pub falsified: usize,
    /// Points that are their own counterexample.
    pub misclassified: usize,
    /// Points of which the store claims nothing: unknown, timeouts included.
    pub unknown: usize,
    /// Points whose claim was refused, in ascending order.
    pub refused: Vec<RefusedPoint>,
}

/// A point whose stored answer is not accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedPoint {
    /// The point's place in the data set.
    pub index: usize,
    /// The stored verdict's word; none where the row cannot be read.
    pub verdict: Option<String>,
    /// Why.
    pub reason: RecheckError,
}

/// Why a stored answer is not accepted.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RecheckError {
    /// The row cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// A part of the row is not what the data set and the question make of it.
    #[error("{part}: expected {expected}, found {found}")]
    Other {
        /// The part.
        part: &'static str,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// The point does not fit the question.
    #[error("{0}")]
    NoQuestion(String),
    /// The checker refused the certificate.
    #[error("the checker refused the certificate: {0}")]
    Certificate(Rejected),
    /// The checker could not replay the counterexample.
    #[error("the checker refused the counterexample: {0}")]
    Counterexample(Rejected),
}

/// What a stored point claims, as far as it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Claim {
    Certified,
    Falsified,
    Misclassified,
    Nothing,
}

/// Checks all answers of a store on `jobs` threads. `finished` is called as each point's check ends, on the calling thread, with what
/// was found so far.
///
/// # Errors
///
/// The data set does not fit the network, the store cannot be read, or the threads cannot be started.
pub fn run(
    store: &StoredRun,
    asked: Asked,
    jobs: usize,
    mut finished: impl FnMut(&Findings),
) -> Result<Findings, BatchError> {
    asked.dataset.fits(asked.network)?;
    let indices = store.indices()?;
    // What is left over when there are fewer points than threads goes into the trees.
    let threads = NonZeroUsize::new(jobs / indices.len().max(1)).unwrap_or(NonZeroUsize::MIN);
    let work = |task: usize| match store.point(indices[task]) {
        Ok(point) => (judge(&point, asked, threads), Some(point.verdict)),
        Err(error) => (Err(RecheckError::Unreadable(error.to_string())), None),
    };
    let mut findings = Findings::default();
    workers::run((indices.len(), jobs), work, |task, (result, verdict)| {
        findings.add(indices[task], verdict, result);
        finished(&findings);
        Ok::<(), BatchError>(())
    })?;
    findings.refused.sort_unstable_by_key(|point| point.index);
    Ok(findings)
}

impl Findings {
    fn add(&mut self, index: usize, verdict: Option<String>, result: Result<Claim, RecheckError>) {
        match result {
            Ok(Claim::Certified) => self.certified += 1,
            Ok(Claim::Falsified) => self.falsified += 1,
            Ok(Claim::Misclassified) => self.misclassified += 1,
            Ok(Claim::Nothing) => self.unknown += 1,
            Err(reason) => self.refused.push(RefusedPoint { index, verdict, reason }),
        }
    }

    /// Points whose claim was accepted.
    pub fn accepted(&self) -> usize {
        self.certified + self.falsified + self.misclassified
    }

    /// Points in the store.
    pub fn points(&self) -> usize {
        self.accepted() + self.unknown + self.refused.len()
    }
}

fn judge(point: &StoredPoint, asked: Asked, threads: NonZeroUsize) -> Result<Claim, RecheckError> {
    let Asked { network, dataset, question } = asked;
    if point.index >= dataset.len() {
        return Err(other("point", format!("a point below {}, as the data set has", dataset.len()), point.index));
    }
    let (label, index) = (dataset.label(point.index), point.index);
    if label != point.label {
        return Err(other("label", label, point.label));
    }
    let property = question.property(network, dataset, index);
    let (property, centre) = property.map_err(|error| RecheckError::NoQuestion(error.to_string()))?;
    let digest = property.digest().to_string();
    if digest != point.property_sha256 {
        return Err(other("digest of the property", digest, &point.property_sha256));
    }
    let replay = || {
        let input = point.counterexample.as_ref().ok_or_else(|| other("counterexample", "one", "none"))?;
        check::replay(network, &property, input).map_err(RecheckError::Counterexample)
    };
    match point.verdict.as_str() {
        "certified" => {
            let bytes = point.certificate.as_ref().ok_or_else(|| other("certificate", "one", "none"))?;
            let verified = check::verify(network, &property, bytes, threads);
            verified.map(|_| Claim::Certified).map_err(RecheckError::Certificate)
        }
        "falsified" => replay().map(|_| Claim::Falsified),
        "misclassified" if replay()?.point() == centre => Ok(Claim::Misclassified),
        "misclassified" => Err(other("counterexample", "the point itself", "another input")),
        "unknown" | "timeout" => Ok(Claim::Nothing),
        found => {
            let expected = "`certified`, `falsified`, `misclassified`, `unknown` or `timeout`";
            Err(other("verdict", expected, format!("`{found}`")))
        }
    }
}

fn other(part: &'static str, expected: impl ToString, found: impl ToString) -> RecheckError {
    RecheckError::Other { part, expected: expected.to_string(), found: found.to_string() }
}

#[cfg(test)]
mod tests;
