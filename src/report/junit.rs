//! A report in the JUnit form: a test case a point, and one for the gate.
//!
//! A falsified or misclassified point is a failure; a point about which nothing was shown is skipped, with the reason.

use std::io::{self, Write};

use quick_junit::{NonSuccessKind, TestCase, TestCaseStatus, TestSuite};

use super::{Report, numbers, wording};
use crate::batch::store::PointFacts;

/// Writes the report.
///
/// # Errors
///
/// Those of the writer.
pub fn write(report: &Report, mut writer: impl Write) -> io::Result<()> {
    let mut document = quick_junit::Report::new("bartizan");
    document.add_test_suite(gate(report));
    document.add_test_suite(points(report)?);
    document.serialize(&mut writer).map_err(io::Error::other)?;
    writeln!(writer)
}

/// The suite of the gate; empty without one.
fn gate(report: &Report) -> TestSuite {
    let mut suite = TestSuite::new("gate");
    if let (Some(share), Some(text)) = (report.require, wording::gate(report)) {
        let status = match report.gate() {
            Some(true) => TestCaseStatus::success(),
            _ => failure("gate", &text, &wording::statement(report)),
        };
        for (name, value) in basis(report) {
            suite.add_property((name, value.as_str()));
        }
        let name = format!("at least {} % correct and robust", numbers::percent(share));
        suite.add_test_case(case(&name, status));
    }
    suite
}

/// What the gate speaks of and rests on, met or not.
fn basis(report: &Report) -> Vec<(&'static str, String)> {
    let mut basis = vec![
        ("statement", wording::statement(report)),
        ("confidence", report.coverage.confidence.to_string()),
        ("method", report.method().to_owned()),
        ("assumptions", report.assumptions().to_owned()),
    ];
    basis.extend(wording::scope(report).map(|scope| ("scope", scope)));
    basis
}

fn points(report: &Report) -> io::Result<TestSuite> {
    let facts = report.facts();
    let mut suite = TestSuite::new(format!("{} on {}", facts.model, facts.points_name));
    suite.add_property(("tool", report.run.tool()));
    suite.add_property(("radius", facts.radius.as_str()));
    suite.add_property(("norm", facts.norm.as_str()));
    for (name, value) in [("clip", &facts.clip), ("fixed", &facts.fixed)] {
        if let Some(value) = value {
            suite.add_property((name, value.as_str()));
        }
    }
    suite.add_property(("within", wording::within(report).as_str()));
    suite.add_property(("model_sha256", facts.model_sha256.to_string().as_str()));
    suite.add_property(("started_at", report.run.started_at()));
    let asked = facts.asked().map_err(io::Error::other)?;
    for index in asked {
        let place = report.points.binary_search_by_key(&index, |point| point.index);
        suite.add_test_case(match place {
            Ok(place) => point(report, &report.points[place]),
            Err(_) => case(&format!("point {index}"), skipped("the run ended without an answer")),
        });
    }
    if let Some(session) = report.session {
        suite.set_time(session.time);
    }
    Ok(suite)
}

fn point(report: &Report, point: &PointFacts) -> TestCase {
    let radius = wording::radius(report);
    let status = match point.verdict.as_str() {
        "certified" => TestCaseStatus::success(),
        "falsified" => {
            failure("falsified", &format!("an input within {radius} does not get label {} alone", point.label), "")
        }
        "misclassified" => {
            failure("misclassified", &format!("label {}, but {}", point.label, wording::mistake(point)), "")
        }
        word => skipped(point.reason.as_deref().unwrap_or(word)),
    };
    let mut case = case(&format!("point {} (label {})", point.index, report.inputs.class(point.label)), status);
    case.set_time(point.time);
    case
}

fn case(name: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname("bartizan");
    case
}

fn failure(kind: &str, message: &str, description: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
    status.set_type(kind).set_message(message);
    if !description.is_empty() {
        status.set_description(description);
    }
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}
