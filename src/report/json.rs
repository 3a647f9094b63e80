//! A report as one JSON object; `schema.json` describes it.

use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::Report;
use crate::batch::store::PointFacts;

/// The object; the order of its fields is the order in the file.
#[derive(Serialize)]
struct Object<'r> {
    model: ModelObject<'r>,
    data: DataObject<'r>,
    options: OptionsObject<'r>,
    tool: &'r str,
    started_at: &'r str,
    ended_by: Option<&'static str>,
    points: usize,
    correct: usize,
    certified: usize,
    falsified: usize,
    unknown: usize,
    timeouts: usize,
    unanswered: usize,
    misclassified: usize,
    coverage: CoverageObject,
    gate_met: Option<bool>,
    time_s: Option<f64>,
    median_time_s: f64,
    longest_time_s: f64,
    store: Option<String>,
    #[serde(serialize_with = "results")]
    results: &'r Report<'r>,
}

#[derive(Serialize)]
struct ModelObject<'r> {
    path: &'r str,
    sha256: String,
    inputs: usize,
    input_shape: &'r [usize],
    classes: usize,
    dropped_activation: Option<&'r str>,
}

#[derive(Serialize)]
struct DataObject<'r> {
    points: &'r str,
    points_sha256: String,
    labels: &'r str,
    labels_sha256: String,
    available: usize,
}

#[derive(Serialize)]
struct OptionsObject<'r> {
    command: &'static str,
    norm: &'r str,
    radius: &'r str,
    fixed: Option<&'r str>,
    clip: Option<&'r str>,
    mean: Option<&'r str>,
    std: Option<&'r str>,
    select: Option<&'r str>,
    shard: Option<String>,
    method: &'r str,
    split: &'r str,
    timeout: f64,
    seed: u64,
    jobs: Option<usize>,
    confidence: f64,
    require: Option<f64>,
}

#[derive(Serialize)]
struct CoverageObject {
    lower: f64,
    upper: f64,
    confidence: f64,
    of: &'static str,
    method: &'static str,
    assumptions: &'static str,
}

/// A point.
#[derive(Serialize)]
struct PointObject<'r> {
    index: usize,
    label: usize,
    predicted: usize,
    confidence: f64,
    verdict: &'r str,
    time_s: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certified_share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    falsified_share: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counterexample: Option<Counterexample>,
}

/// An input that gets another label, replayed by the checker.
#[derive(Serialize)]
struct Counterexample {
    /// The network's input (after normalisation).
    input: Vec<f64>,
    /// The network's outputs there (the middles of proved enclosures).
    output: Vec<f64>,
}

/// Writes a report, with a line break at the end. Counterexamples are read from the store one by one.
///
/// # Errors
///
/// Those of the writer, or the store cannot be read.
pub fn write(report: &Report, mut writer: impl Write) -> io::Result<()> {
    let (facts, summary, coverage) = (report.facts(), &report.summary, &report.coverage);
    let counts = &summary.counts;
    let object = Object {
        model: ModelObject {
            path: &facts.model,
            sha256: facts.model_sha256.to_string(),
            inputs: facts.input_shape.iter().product(),
            input_shape: &facts.input_shape,
            classes: facts.classes,
            dropped_activation: facts.dropped_activation.as_deref(),
        },
        data: DataObject {
            points: &facts.points_name,
            points_sha256: facts.data_sha256.to_string(),
            labels: &facts.labels_name,
            labels_sha256: facts.labels_sha256.to_string(),
            available: facts.available,
        },
        options: options(report),
        tool: report.run.tool(),
        started_at: report.run.started_at(),
        ended_by: report.end.map(|end| end.name()),
        points: counts.points,
        correct: counts.correct(),
        certified: counts.certified,
        falsified: counts.falsified,
        unknown: counts.unknown,
        timeouts: summary.timeouts,
        unanswered: counts.unanswered,
        misclassified: counts.misclassified,
        coverage: CoverageObject {
            lower: coverage.lower,
            upper: coverage.upper,
            confidence: coverage.confidence,
            of: "correct and robust",
            method: report.method(),
            assumptions: report.assumptions(),
        },
        gate_met: report.gate(),
        time_s: report.session.map(|session| session.time.as_secs_f64()),
        median_time_s: summary.median.as_secs_f64(),
        longest_time_s: summary.longest.as_secs_f64(),
        store: report.is_kept.then(|| report.run.path().display().to_string()),
        results: report,
    };
    serde_json::to_writer(&mut writer, &object)?;
    writeln!(writer)
}

fn options<'r>(report: &'r Report) -> OptionsObject<'r> {
    let facts = report.facts();
    OptionsObject {
        command: facts.command(),
        norm: &facts.norm,
        radius: &facts.radius,
        fixed: facts.fixed.as_deref(),
        clip: facts.clip.as_deref(),
        mean: facts.mean.as_deref(),
        std: facts.std.as_deref(),
        select: facts.selection.as_deref(),
        shard: facts.shard.map(|shard| shard.to_string()),
        method: &facts.method,
        split: &facts.split,
        timeout: facts.timeout,
        seed: facts.seed,
        jobs: report.session.map(|session| session.jobs),
        confidence: report.coverage.confidence,
        require: report.require,
    }
}

fn results<S: Serializer>(report: &Report, serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(report.points.len()))?;
    for point in &report.points {
        let counterexample = match point.falsified_share {
            None => None,
            Some(_) => {
                let stored = report.run.point(point.index).map_err(serde::ser::Error::custom)?;
                let parts = stored.counterexample.zip(stored.counterexample_output);
                parts.map(|(input, output)| Counterexample { input, output })
            }
        };
        list.serialize_element(&object(point, counterexample))?;
    }
    list.end()
}

fn object(point: &PointFacts, counterexample: Option<Counterexample>) -> PointObject<'_> {
    PointObject {
        index: point.index,
        label: point.label,
        predicted: point.predicted,
        confidence: point.confidence,
        verdict: &point.verdict,
        time_s: point.time.as_secs_f64(),
        reason: point.reason.as_deref(),
        certified_share: point.certified_share,
        falsified_share: point.falsified_share,
        counterexample,
    }
}
