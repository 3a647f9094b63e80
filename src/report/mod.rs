//! What a run over a data set says in the end; one file a form.

pub mod json;
pub mod text;

use std::time::Duration;

use bartizan_proof::{Digest, Violated};
use serde::Serialize;

use crate::batch::dataset::Dataset;
use crate::batch::points::PointAnswer;
use crate::batch::summary::Summary;
use crate::coverage::{Coverage, Sample};
use crate::verify::Verifier;

/// Everything that a report tells.
#[derive(Clone, Debug)]
pub struct Report<'r> {
    /// The network.
    pub model: ModelFacts,
    /// The data set.
    pub data: DataFacts,
    /// The options, as they were typed.
    pub options: &'r OptionFacts,
    /// Counts and times.
    pub summary: Summary,
    /// The interval for the share of inputs at which the network is correct and robust.
    pub coverage: Coverage,
    /// Duration of the run.
    pub time: Duration,
    /// The file that keeps the run.
    pub store: Option<String>,
    /// One entry a point, in the order of the data.
    pub points: &'r [PointRecord],
}

/// Which network it was.
#[derive(Clone, Debug, Serialize)]
pub struct ModelFacts {
    /// The file.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
    /// Number of inputs.
    pub inputs: usize,
    /// Number of outputs.
    pub classes: usize,
    /// A trailing activation that was left out because it does not change which output is largest.
    pub dropped_activation: Option<String>,
}

/// Which data they were.
#[derive(Clone, Debug, Serialize)]
pub struct DataFacts {
    /// The file of the points, with the array's name where there are several.
    pub points: String,
    /// SHA-256 of its bytes.
    pub points_sha256: Digest,
    /// The file of the labels, with the array's or column's name.
    pub labels: String,
    /// SHA-256 of its bytes.
    pub labels_sha256: Digest,
    /// Points in the file, chosen or not.
    pub available: usize,
}

/// The options of a run, as they were typed: decimal texts are exact where binary floats are not.
#[derive(Clone, Debug, Serialize)]
pub struct OptionFacts {
    /// The norm of the radius.
    pub norm: &'static str,
    /// The radius, in raw units.
    pub radius: String,
    /// The valid range.
    pub clip: Option<String>,
    /// Means to subtract.
    pub mean: Option<String>,
    /// Deviations to divide by.
    pub std: Option<String>,
    /// The points that were chosen.
    pub select: Option<String>,
    /// How far up the ladder of methods to go.
    pub method: String,
    /// Time limit of a point, in seconds.
    pub timeout: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Number of threads.
    pub jobs: usize,
    /// Confidence of the interval.
    pub confidence: f64,
    /// The share that the interval's lower end must reach.
    pub require: Option<f64>,
}

/// What a report keeps of a point's answer.
#[derive(Clone, Debug, Serialize)]
pub struct PointRecord {
    /// The point's place in the data set.
    pub index: usize,
    /// Its label.
    pub label: usize,
    /// `certified`, `falsified`, `misclassified`, `unknown` or `timeout`.
    pub verdict: &'static str,
    /// Time in seconds.
    #[serde(rename = "time_s", serialize_with = "seconds")]
    pub time: Duration,
    /// Why nothing was shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// An input that gets another label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterexample: Option<Counterexample>,
}

/// An input that gets another label, replayed by the checker.
#[derive(Clone, Debug, Serialize)]
pub struct Counterexample {
    /// The network's input (after normalisation).
    pub input: Vec<f64>,
    /// The network's outputs there (the middles of proved enclosures).
    pub output: Vec<f64>,
}

impl ModelFacts {
    /// The facts of a network that was read from a file.
    pub fn of(path: String, verifier: &Verifier) -> Self {
        let network = verifier.network();
        ModelFacts {
            path,
            sha256: network.digest(),
            inputs: network.input_size(),
            classes: network.output_size(),
            dropped_activation: network.dropped_activation().map(str::to_owned),
        }
    }
}

impl DataFacts {
    /// The facts of a data set.
    pub fn of(dataset: &Dataset) -> Self {
        let (points, labels) = (dataset.points_origin(), dataset.labels_origin());
        DataFacts {
            points: points.source.to_string(),
            points_sha256: points.digest,
            labels: labels.source.to_string(),
            labels_sha256: labels.digest,
            available: dataset.len(),
        }
    }
}

impl PointRecord {
    /// The record of an answer, without its certificate.
    pub fn of(answer: &PointAnswer) -> Self {
        let counterexample = |violated: &Violated| Counterexample {
            input: violated.point().to_vec(),
            output: violated.outputs().iter().map(|output| output.middle()).collect(),
        };
        PointRecord {
            index: answer.index,
            label: answer.label,
            verdict: answer.verdict.word(),
            time: answer.time,
            reason: answer.verdict.reason().map(ToString::to_string),
            counterexample: answer.verdict.counterexample().map(counterexample),
        }
    }
}

impl Report<'_> {
    /// Counts, times and the interval for the records of a run over so many points; those without a record were not answered.
    pub fn figures(points: &[PointRecord], selected: usize, confidence: f64) -> (Summary, Coverage) {
        let summary = Summary::of(points.iter().map(|point| (point.verdict, point.time)));
        let summary = summary.with_unanswered(selected - points.len());
        let sample = Sample { points: summary.points, certain: summary.certified, refuted: summary.refuted() };
        (summary, Coverage::of(sample, confidence))
    }

    /// Whether the gate is met; `None` without one.
    pub fn gate(&self) -> Option<bool> {
        self.options.require.map(|share| self.coverage.lower >= share)
    }
}

/// What the interval takes for granted.
pub const ASSUMPTIONS: &str = "the points were drawn independently from the distribution of inputs that the statement \
                               is about, and were not chosen by their outcomes";

fn seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}

#[cfg(test)]
mod tests;
