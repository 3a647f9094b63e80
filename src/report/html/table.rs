//! The points of a run as data inside the page, which the script shows a page at a time, and the first of them as they are shown.

use std::io;

use serde::Serialize;
use serde_json::Value;

use crate::batch::store::PointFacts;
use crate::report::numbers::{radius_down, radius_up, short};
use crate::report::{Report, figures::Unit};

/// Points that are shown at a time.
pub const PAGE: usize = 50;

/// Points column by column: a table of many points stays small. Texts that repeat are named by their place in a list.
#[derive(Debug, Default, Serialize)]
struct Columns<'r> {
    page: usize,
    words: Vec<&'r str>,
    reasons: Vec<&'r str>,
    names: Option<&'r [String]>,
    index: Vec<usize>,
    label: Vec<usize>,
    predicted: Vec<usize>,
    confidence: Vec<Value>,
    verdict: Vec<usize>,
    certified: Vec<Value>,
    falsified: Vec<Value>,
    time: Vec<Value>,
    reason: Vec<Value>,
}

/// A row that is there before the script is.
#[derive(Debug, Serialize)]
pub struct Row<'r> {
    index: usize,
    label: String,
    predicted: String,
    confidence: String,
    verdict: &'r str,
    certified: String,
    falsified: String,
    time: String,
    reason: &'r str,
}

/// The points as JSON that may stand in a page.
///
/// # Errors
///
/// None that can happen.
pub fn data(report: &Report) -> io::Result<String> {
    let unit = Unit::of(&report.facts().radius);
    let mut columns = Columns { page: PAGE, names: report.inputs.class_names.as_deref(), ..Columns::default() };
    for point in &report.points {
        columns.push(point, unit);
    }
    Ok(in_page(&serde_json::to_string(&columns)?))
}

/// JSON without the signs that could end a script element.
pub fn in_page(json: &str) -> String {
    json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

/// The first page.
pub fn first_rows<'r>(report: &'r Report) -> Vec<Row<'r>> {
    let unit = Unit::of(&report.facts().radius);
    let text = |radius: Option<String>| radius.unwrap_or("–".to_owned());
    let row = |point: &'r PointFacts| Row {
        index: point.index,
        label: report.inputs.class(point.label),
        predicted: report.inputs.class(point.predicted),
        confidence: format!("{:.4}", point.confidence),
        verdict: &point.verdict,
        certified: text(certified(point, unit)),
        falsified: text(falsified(point, unit)),
        time: short(point.time.as_secs_f64()),
        reason: point.reason.as_deref().unwrap_or_default(),
    };
    report.points.iter().take(PAGE).map(row).collect()
}

impl<'r> Columns<'r> {
    fn push(&mut self, point: &'r PointFacts, unit: Unit) {
        self.index.push(point.index);
        self.label.push(point.label);
        self.predicted.push(point.predicted);
        self.confidence.push(number(Some(format!("{:.CONFIDENCE$}", point.confidence))));
        self.verdict.push(place(&mut self.words, &point.verdict));
        self.certified.push(number(certified(point, unit)));
        self.falsified.push(number(falsified(point, unit)));
        self.time.push(number(Some(short(point.time.as_secs_f64()))));
        let reason = point.reason.as_deref().map(|reason| place(&mut self.reasons, reason));
        self.reason.push(reason.map_or(Value::Null, Value::from));
    }
}

/// Decimals of a confidence.
const CONFIDENCE: usize = 4;

/// The certified radius of a point, rounded down.
fn certified(point: &PointFacts, unit: Unit) -> Option<String> {
    point.certified_share.map(|share| radius_down(unit.radius(share)))
}

/// The falsified radius of a point, rounded up.
fn falsified(point: &PointFacts, unit: Unit) -> Option<String> {
    point.falsified_share.map(|share| radius_up(unit.radius(share)))
}

/// The number that a text shows, where there is one.
fn number(text: Option<String>) -> Value {
    text.and_then(|text| text.parse::<f64>().ok()).map_or(Value::Null, Value::from)
}

/// The place of a text in a list of the few that there are.
fn place<'r>(list: &mut Vec<&'r str>, text: &'r str) -> usize {
    list.iter().position(|known| *known == text).unwrap_or_else(|| {
        list.push(text);
        list.len() - 1
    })
}
