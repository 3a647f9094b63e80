//! The points of a run as a table: its columns, in one place.

use super::Report;
use super::figures::Unit;
use crate::batch::store::PointFacts;

/// A value of a row; nothing where the point has none.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell<'p> {
    /// A whole number.
    Integer(Option<usize>),
    /// A number.
    Float(Option<f64>),
    /// A text.
    Text(Option<&'p str>),
}

/// The columns in their order.
pub const COLUMNS: [&str; 14] = [
    "index",
    "label",
    "predicted",
    "confidence",
    "verdict",
    "certified_share",
    "certified_radius",
    "falsified_share",
    "falsified_radius",
    "time_s",
    "reason",
    "certificate_bytes",
    "leaves",
    "property_sha256",
];

/// The rows, one for each point with an answer. The columns of radii are empty where the radius is no single number.
pub fn rows<'r>(report: &'r Report) -> impl Iterator<Item = [Cell<'r>; COLUMNS.len()]> {
    let unit = Unit::of(&report.facts().radius);
    report.points.iter().map(move |point| row(point, unit))
}

/// The row of a point.
pub fn row(point: &PointFacts, unit: Unit) -> [Cell<'_>; COLUMNS.len()] {
    let radius = |share: Option<f64>| match unit {
        Unit::Raw(_) => Cell::Float(share.map(|share| unit.radius(share))),
        Unit::Share => Cell::Float(None),
    };
    [
        Cell::Integer(Some(point.index)),
        Cell::Integer(Some(point.label)),
        Cell::Integer(Some(point.predicted)),
        Cell::Float(Some(point.confidence)),
        Cell::Text(Some(&point.verdict)),
        Cell::Float(point.certified_share),
        radius(point.certified_share),
        Cell::Float(point.falsified_share),
        radius(point.falsified_share),
        Cell::Float(Some(point.time.as_secs_f64())),
        Cell::Text(point.reason.as_deref()),
        Cell::Integer(point.certificate_bytes),
        Cell::Integer(point.leaves),
        Cell::Text(Some(&point.property_sha256)),
    ]
}
