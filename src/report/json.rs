//! A report as one JSON object.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use super::{ASSUMPTIONS, DataFacts, ModelFacts, OptionFacts, PointRecord, Report};

/// The object; the order of its fields is the order in the file.
#[derive(Serialize)]
struct Object<'r> {
    model: &'r ModelFacts,
    data: &'r DataFacts,
    options: &'r OptionFacts,
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
    #[serde(serialize_with = "super::seconds")]
    time_s: Duration,
    #[serde(serialize_with = "super::seconds")]
    median_time_s: Duration,
    #[serde(serialize_with = "super::seconds")]
    longest_time_s: Duration,
    store: Option<&'r str>,
    results: &'r [PointRecord],
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

/// Writes a report, with a line break at the end.
///
/// # Errors
///
/// Those of the writer.
pub fn write(report: &Report, mut writer: impl Write) -> io::Result<()> {
    let (summary, coverage) = (&report.summary, &report.coverage);
    let object = Object {
        model: &report.model,
        data: &report.data,
        options: report.options,
        points: summary.points,
        correct: summary.correct(),
        certified: summary.certified,
        falsified: summary.falsified,
        unknown: summary.unknown,
        timeouts: summary.timeouts,
        unanswered: summary.unanswered,
        misclassified: summary.misclassified,
        coverage: CoverageObject {
            lower: coverage.lower,
            upper: coverage.upper,
            confidence: coverage.confidence,
            of: "correct and robust",
            method: "Clopper-Pearson, unknowns counted against both ends",
            assumptions: ASSUMPTIONS,
        },
        gate_met: report.gate(),
        time_s: report.time,
        median_time_s: summary.median,
        longest_time_s: summary.longest,
        store: report.store.as_deref(),
        results: report.points,
    };
    serde_json::to_writer(&mut writer, &object)?;
    writeln!(writer)
}
