//! Checks a stored run again: nothing in the store is believed but the question that was asked.
//!
//! The property of each point is built anew from the data set and the question. A certificate must prove it, a counterexample must
//! refute it, and a misclassified point must be its own counterexample. What the points add up to is computed again from the rows and
//! compared with what the store says ([`Manifest::wrong_figure`](super::manifest::Manifest::wrong_figure)).

use std::num::NonZeroUsize;

use bartizan_proof::{Network, Rejected, check};
use bartizan_read::ReadError;
use ndarray::{ArrayView1, ArrayView2, Axis};

use super::answer::{Prediction, WHOLE};
use super::dataset::Dataset;
use super::manifest::Answered;
use super::points::{Posed, Question};
use super::store::{PointFacts, StoredPoint, StoredRun, outputs};
use super::{BatchError, workers};
use crate::bound::Model;

/// What the points of a run were asked.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The network.
    pub network: &'a Network,
    /// The search's copy of it, for predictions.
    pub model: &'a Model<f64>,
    /// The data set.
    pub dataset: &'a Dataset,
    /// The question.
    pub question: &'a Question,
}

/// What predictions may differ by on another processor. They are no proofs: they say which points a statement over confident inputs
/// speaks of.
const TOLERANCE: f64 = 1e-9;

/// What came of a check of a run.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
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
#[non_exhaustive]
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
/// was found so far. Returns what a manifest depends on of the very rows that were judged, too.
///
/// # Errors
///
/// The data set does not fit the network or has another number of points than the store says, the points that the store asks for do not
/// add up or one has several rows, the store cannot be read, or the threads cannot be started.
pub fn run(
    store: &StoredRun,
    asked: Asked,
    jobs: usize,
    mut finished: impl FnMut(&Findings),
) -> Result<(Findings, Vec<Answered>), BatchError> {
    asked.dataset.fits(asked.network)?;
    let (chosen, indices) = (asked_points(store, asked.dataset)?, store.indices()?);
    if let Some(pair) = indices.windows(2).find(|pair| pair[0] >= pair[1]) {
        return Err(store.odd(pair[1], "every point once", "another row of it"));
    }
    // What is left over when there are fewer points than threads goes into the trees.
    let threads = NonZeroUsize::new(jobs / indices.len().max(1)).unwrap_or(NonZeroUsize::MIN);
    let work = |task: usize| match store.point(indices[task]) {
        Ok(point) if chosen.binary_search(&point.facts.index).is_err() => {
            let reason = other("point", "one that the run asks for", point.facts.index);
            (Err(reason), Some(point.facts.verdict.clone()), Answered::of(store, &point).ok())
        }
        Ok(point) => {
            let answered = Answered::of(store, &point).ok();
            (judge(&point, asked, threads), Some(point.facts.verdict), answered)
        }
        Err(error) => (Err(RecheckError::Unreadable(error.to_string())), None, None),
    };
    let (mut findings, mut read) = (Findings::default(), Vec::with_capacity(indices.len()));
    workers::run((indices.len(), jobs), work, |task, (result, verdict, answered)| {
        findings.add(indices[task], verdict, result);
        read.extend(answered);
        finished(&findings);
        Ok::<(), BatchError>(())
    })?;
    findings.refused.sort_unstable_by_key(|point| point.index);
    read.sort_unstable_by_key(|point| point.index);
    Ok((findings, read))
}

/// The points that a store asks for, in ascending order, once what it says of them agrees with itself and the data set.
fn asked_points(store: &StoredRun, dataset: &Dataset) -> Result<Vec<usize>, BatchError> {
    let facts = store.facts();
    let column = |name: &str, expected: usize, found: usize| {
        let place = format!("table `run`, column `{name}`");
        let error = ReadError::part(place, expected.to_string(), found.to_string());
        (expected == found).then_some(()).ok_or_else(|| BatchError::within(store.path())(error))
    };
    column("available", dataset.len(), facts.available)?;
    column("selected", facts.chosen()?.len(), facts.selected)?;
    facts.asked()
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
    let Asked { network, dataset, question, .. } = asked;
    let facts = &point.facts;
    let index = facts.index;
    let label = dataset.label(index);
    if label != facts.label {
        return Err(other("label", label, facts.label));
    }
    let pose = |share: f64| {
        let posed = question.pose_at(network, (dataset, index), share);
        posed.map_err(|error| RecheckError::NoQuestion(error.to_string()))
    };
    let posed = pose(WHOLE)?;
    let digest = posed.property.digest().to_string();
    if digest != facts.property_sha256 {
        return Err(other("digest of the property", digest, &facts.property_sha256));
    }
    confirm(facts, &asked.model.evaluate(row(&posed.centre))[asked.model.output()].row(0).to_vec())?;
    if let Some(share) = facts.certified_share {
        let share = permitted("certified share", share, (f64::MIN_POSITIVE, "greater than 0"))?;
        let bytes = point.certificate.as_ref().ok_or_else(|| other("certificate", "one", "none"))?;
        let verified = check::verify(network, &pose(share)?.property, bytes, threads);
        let leaves = verified.map_err(RecheckError::Certificate)?.leaves();
        expect("leaves", Some(leaves), facts.leaves)?;
        expect("bytes of the certificate", Some(bytes.len()), facts.certificate_bytes)?;
    } else {
        expect("leaves", None, facts.leaves)?;
        expect("bytes of the certificate", None, facts.certificate_bytes)?;
    }
    if let Some(share) = facts.falsified_share {
        let share = permitted("falsified share", share, (0.0, "from 0"))?;
        replay(point, network, &if share == 0.0 { posed.clone() } else { pose(share)? }, share)?;
    }
    claim(facts)
}

/// Compares what is stored of the network's prediction with its outputs, up to what another processor may round otherwise.
fn confirm(facts: &PointFacts, outputs: &[f64]) -> Result<(), RecheckError> {
    let prediction = Prediction::of(outputs);
    let largest = outputs[prediction.class];
    let is_tied = outputs.get(facts.predicted).is_some_and(|output| largest - output <= TOLERANCE * largest.abs());
    if !is_tied {
        return Err(other("predicted class", prediction.class, facts.predicted));
    }
    let is_near = (prediction.confidence - facts.confidence).abs() <= TOLERANCE;
    is_near.then_some(()).ok_or_else(|| other("confidence", prediction.confidence, facts.confidence))
}

/// A figure that follows from the evidence.
fn expect(part: &'static str, expected: Option<usize>, found: Option<usize>) -> Result<(), RecheckError> {
    let shown = |number: Option<usize>| number.map_or("nothing".to_owned(), |number| number.to_string());
    (expected == found).then_some(()).ok_or_else(|| other(part, shown(expected), shown(found)))
}

/// A share of the radius, at least the given one.
fn permitted(part: &'static str, share: f64, (least, words): (f64, &str)) -> Result<f64, RecheckError> {
    let is_permitted = (least..=WHOLE).contains(&share);
    is_permitted.then_some(share).ok_or_else(|| other(part, format!("a share {words} to 1"), share))
}

/// Replays a counterexample; that of a share of 0 must be the point itself.
fn replay(point: &StoredPoint, network: &Network, posed: &Posed, share: f64) -> Result<(), RecheckError> {
    let input = point.counterexample.as_ref().ok_or_else(|| other("counterexample", "one", "none"))?;
    let violated = check::replay(network, &posed.property, input).map_err(RecheckError::Counterexample)?;
    if share == 0.0 && violated.point() != posed.centre {
        return Err(other("counterexample", "the point itself", "another input"));
    }
    match point.counterexample_output.as_ref() {
        Some(output) if *output == outputs(&violated) => Ok(()),
        _ => Err(other("counterexample's outputs", "those that the replay gives", "others")),
    }
}

/// What the evidence of a row, which has been accepted, says; the verdict must say the same.
fn claim(facts: &PointFacts) -> Result<Claim, RecheckError> {
    let claim = match (facts.certified_share, facts.falsified_share) {
        (_, Some(0.0)) => Claim::Misclassified,
        (_, Some(_)) => Claim::Falsified,
        (Some(WHOLE), None) => Claim::Certified,
        _ => Claim::Nothing,
    };
    let words: &[&str] = match claim {
        Claim::Certified => &["certified"],
        Claim::Falsified => &["falsified"],
        Claim::Misclassified => &["misclassified"],
        Claim::Nothing => &["unknown", "timeout"],
    };
    let expected = || format!("`{}`, as the evidence says", words.join("` or `"));
    let is_meant = words.contains(&facts.verdict.as_str());
    is_meant.then_some(claim).ok_or_else(|| other("verdict", expected(), format!("`{}`", facts.verdict)))
}

/// A batch of one.
fn row(point: &[f64]) -> ArrayView2<'_, f64> {
    ArrayView1::from(point).insert_axis(Axis(0))
}

fn other(part: &'static str, expected: impl ToString, found: impl ToString) -> RecheckError {
    RecheckError::Other { part, expected: expected.to_string(), found: found.to_string() }
}

#[cfg(test)]
mod tests;
