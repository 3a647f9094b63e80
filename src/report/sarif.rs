//! A report in the form of static analysis results (SARIF 2.1.0): one result for each point with a counterexample.
//!
//! Paths are relative: of an absolute one only the name is told. A result's fingerprint depends on the data set, the point, its label
//! and the rule, so that the same finding about another version of the network is recognised.

use std::io::{self, Write};

use bartizan_proof::Digest;
use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};
use serde_json::json;

use super::{Report, wording};
use crate::batch::store::PointFacts;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// What a result may be about: identifier, level, and what it means.
const RULES: [(&str, &str, &str); 2] = [
    ("falsified", "warning", "An input within the radius of a point does not get the point's label alone."),
    ("misclassified", "error", "The network does not give a point its label alone."),
];

#[derive(Serialize)]
struct Log<'r> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [RunObject<'r>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RunObject<'r> {
    tool: serde_json::Value,
    invocations: serde_json::Value,
    column_kind: &'static str,
    properties: serde_json::Value,
    #[serde(serialize_with = "results")]
    results: &'r Report<'r>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultObject {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: serde_json::Value,
    partial_fingerprints: serde_json::Value,
    properties: serde_json::Value,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

/// Writes the report, with a line break at the end.
///
/// # Errors
///
/// Those of the writer.
pub fn write(report: &Report, mut writer: impl Write) -> io::Result<()> {
    let counts = &report.summary.counts;
    let rule = |(id, level, text): &(&str, &str, &str)| json!({ "id": id, "shortDescription": { "text": text }, "defaultConfiguration": { "level": level } });
    let driver = json!({
        "name": "bartizan",
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": RULES.iter().map(rule).collect::<Vec<_>>(),
    });
    let properties = json!({
        "model": relative(&report.facts().model),
        "modelSha256": report.facts().model_sha256,
        "within": wording::within(report),
        "statement": wording::headline(report),
        "statementAssumptions": wording::headline_assumptions(report),
        "scope": wording::scope(report),
        "gateMet": report.gate(),
        "points": counts.points,
        "certified": counts.certified,
        "unknown": counts.unknown,
        "coverage": [report.coverage.lower, report.coverage.upper],
        "confidence": report.coverage.confidence,
        "method": report.method(),
        "assumptions": report.assumptions(),
    });
    let run = RunObject {
        tool: json!({ "driver": driver }),
        invocations: json!([{ "executionSuccessful": counts.unanswered == 0, "startTimeUtc": report.run.started_at() }]),
        column_kind: "unicodeCodePoints",
        properties,
        results: report,
    };
    serde_json::to_writer(&mut writer, &Log { schema: SCHEMA, version: "2.1.0", runs: [run] })?;
    writeln!(writer)
}

fn results<S: Serializer>(report: &Report, serializer: S) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(None)?;
    for point in &report.points {
        let rule = RULES.iter().position(|rule| rule.0 == point.verdict);
        rule.map_or(Ok(()), |rule| list.serialize_element(&result(report, point, rule)))?;
    }
    list.end()
}

fn result(report: &Report, point: &PointFacts, rule: usize) -> ResultObject {
    let (facts, (rule_id, level, _)) = (report.facts(), RULES[rule]);
    let PointFacts { index, label, .. } = point;
    let text = match rule_id {
        "misclassified" => format!("Point {index} has label {label}, but {}.", wording::mistake(point)),
        _ => {
            let radius = wording::radius(report);
            format!(
                "Point {index}: an input within {radius} does not get its label {label} alone; the checker replayed it."
            )
        }
    };
    let name = format!("{}/{index}", facts.points_name);
    let fingerprint = Digest::of(format!("{rule_id}\n{}\n{index}\n{label}\n", facts.data_sha256).as_bytes());
    ResultObject {
        rule_id,
        rule_index: rule,
        level,
        message: Message { text },
        locations: json!([{
            "physicalLocation": { "artifactLocation": { "uri": uri(&relative(&facts.data)) } },
            "logicalLocations": [{ "name": format!("point {index}"), "fullyQualifiedName": relative(&name), "kind": "element" }],
        }]),
        partial_fingerprints: json!({ "bartizanPoint/v1": fingerprint }),
        properties: json!({
            "confidence": point.confidence,
            "falsifiedShare": point.falsified_share,
            "certifiedShare": point.certified_share,
        }),
    }
}

/// A path that says nothing about the machine: the last name of an absolute one.
fn relative(path: &str) -> String {
    let path = path.replace('\\', "/");
    let is_absolute = path.starts_with('/') || path.get(1..3) == Some(":/");
    if !is_absolute {
        return path;
    }
    // The last two names of `/data/x.npz/17`, where the last is the point.
    let names: Vec<&str> = path.rsplit('/').collect();
    let count = if names[0].parse::<usize>().is_ok() { 2 } else { 1 };
    names.into_iter().take(count).rev().collect::<Vec<_>>().join("/")
}

/// A path as a reference of RFC 3986.
fn uri(path: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(byte);
    path.bytes()
        .map(|byte| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_nothing_about_the_machine() {
        let shown: Vec<String> =
            ["a/b.csv", "/home/me/b.csv", r"C:\data\b.csv", "/home/me/b.npz/17"].map(relative).into();
        assert_eq!(shown, ["a/b.csv", "b.csv", "b.csv", "b.npz/17"]);
        assert_eq!(uri("a b/ü.csv:x"), "a%20b/%C3%BC.csv%3Ax");
    }
}
