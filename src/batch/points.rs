//! Local robustness of one network at many points.
//!
//! A point is *certified* when every input within the radius, cut to the valid range, is proved to keep the point's label;
//! *falsified* when one that does not was found and replayed; *misclassified* when the point itself is one. Everything
//! else is unknown.

use std::time::{Duration, Instant};

use bartizan_proof::property::{Normalisation, RobustnessQuery};
use bartizan_proof::{Digest, Interval, Network, Property, PropertyError, Verified, Violated, check};

use super::dataset::Dataset;
use super::{BatchError, workers};
use crate::outcome::{Reason, Verdict};
use crate::verify::{Options, Verifier};

/// What is asked of every point.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The L-infinity radius, in raw units.
    pub radius: Interval,
    /// The range of valid raw values, if there is one.
    pub clip: Option<(Interval, Interval)>,
    /// How raw values become network inputs, if not unchanged.
    pub normalisation: Option<Normalisation>,
}

/// A question about some points of a data set.
#[derive(Clone, Copy, Debug)]
pub struct Run<'r> {
    /// The network.
    pub verifier: &'r Verifier,
    /// The data set.
    pub dataset: &'r Dataset,
    /// The points that are meant.
    pub selection: &'r [usize],
    /// The question.
    pub question: &'r Question,
    /// Settings of the search; the time limit is that of one point.
    pub options: &'r Options,
}

/// What became of a point.
#[derive(Clone, Debug)]
pub struct PointAnswer {
    /// The point's place in the data set.
    pub index: usize,
    /// Its label.
    pub label: usize,
    /// Digest of the property that says it is robust.
    pub property: Digest,
    /// What was established.
    pub verdict: PointVerdict,
    /// How long it took.
    pub time: Duration,
}

/// What was established about a point.
#[derive(Clone, Debug)]
pub enum PointVerdict {
    /// Correct and robust; the bytes are the certificate that the checker accepted.
    Certified(Verified, Vec<u8>),
    /// An input within the radius gets another label.
    Falsified(Violated),
    /// The point itself gets another label.
    Misclassified(Violated),
    /// Nothing was shown.
    Unknown(Reason),
}

impl PointVerdict {
    /// The word that is printed: `certified`, `falsified`, `misclassified`, `unknown` or `timeout`.
    pub fn word(&self) -> &'static str {
        match self {
            PointVerdict::Certified(..) => "certified",
            PointVerdict::Falsified(_) => "falsified",
            PointVerdict::Misclassified(_) => "misclassified",
            PointVerdict::Unknown(Reason::Timeout(_)) => "timeout",
            PointVerdict::Unknown(_) => "unknown",
        }
    }

    /// The counterexample, if there is one.
    pub fn counterexample(&self) -> Option<&Violated> {
        match self {
            PointVerdict::Falsified(violated) | PointVerdict::Misclassified(violated) => Some(violated),
            _ => None,
        }
    }

    /// The reason behind an unknown.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            PointVerdict::Unknown(reason) => Some(reason),
            _ => None,
        }
    }
}

impl Run<'_> {
    /// Checks that the question can be asked about every chosen point, so that a run does not fail halfway.
    ///
    /// # Errors
    ///
    /// The data set does not fit the network, or the first point that does not fit the question.
    pub fn check(&self) -> Result<(), BatchError> {
        self.dataset.fits(self.verifier.network())?;
        self.selection.iter().try_for_each(|index| self.property(*index).map(|_| ()))
    }

    /// Answers for all chosen points on `jobs` threads. `finished` is called as each answer comes, on the calling thread; answers
    /// come in no particular order, but apart from time limits their content does not depend on the number of threads.
    ///
    /// # Errors
    ///
    /// As [`Run::check`], or the threads cannot be started, or whatever `finished` returns; then points that have begun are ended and
    /// their answers dropped.
    pub fn answer<E: From<BatchError>>(
        &self,
        jobs: usize,
        mut finished: impl FnMut(PointAnswer) -> Result<(), E>,
    ) -> Result<(), E> {
        let work = |task: usize| self.answer_one(self.selection[task]);
        workers::run((self.selection.len(), jobs), work, |_, answer| finished(answer?))
    }

    fn answer_one(&self, index: usize) -> Result<PointAnswer, BatchError> {
        let start = Instant::now();
        let (property, centre) = self.property(index)?;
        let network = self.verifier.network();
        let verdict = match check::replay(network, &property, &centre) {
            Ok(violated) => PointVerdict::Misclassified(violated),
            Err(_) => {
                let outcome = self.verifier.verify(&property, self.options);
                match outcome.map_err(|error| refused(self.dataset, index, error))?.verdict {
                    Verdict::Verified(verified, certificate) => PointVerdict::Certified(verified, certificate),
                    Verdict::Violated(violated) => PointVerdict::Falsified(violated),
                    Verdict::Unknown(reason) => PointVerdict::Unknown(reason),
                }
            }
        };
        let (label, property) = (self.dataset.label(index), property.digest());
        Ok(PointAnswer { index, label, property, verdict, time: start.elapsed() })
    }

    fn property(&self, index: usize) -> Result<(Property, Vec<f64>), BatchError> {
        self.question.property(self.verifier.network(), self.dataset, index)
    }
}

impl Question {
    /// The property that a point poses, and the network input that the point itself is.
    ///
    /// # Errors
    ///
    /// The point does not fit the question.
    pub fn property(
        &self,
        network: &Network,
        dataset: &Dataset,
        index: usize,
    ) -> Result<(Property, Vec<f64>), BatchError> {
        let query = RobustnessQuery {
            point: dataset.point(index),
            label: dataset.label(index),
            outputs: network.output_size(),
            radius: self.radius,
            clip: self.clip,
            normalisation: self.normalisation.as_ref(),
        };
        let state = || {
            let property = query.property()?;
            property.fits(network)?;
            Ok((property, query.network_input()?))
        };
        state().map_err(|error| refused(dataset, index, error))
    }
}

fn refused(dataset: &Dataset, index: usize, error: PropertyError) -> BatchError {
    let path = dataset.points_origin().source.path.clone();
    BatchError::Point { path, index, error }
}

#[cfg(test)]
mod tests;
