//! The page of a volume: shares, and a picture of the parts where two inputs vary.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use bartizan_proof::{Interval, Property, Shares};
use minijinja::value::Value;
use serde::Serialize;

use super::render;
use crate::batch::summary::Counts;
use crate::branch::tree::{Part, PartKind};
use crate::report::html::charts;
use crate::report::numbers::short;
use crate::volume::{Map, Measured, percent};

/// What was measured.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// The network's file.
    pub model: &'s Path,
    /// The property's file.
    pub path: &'s Path,
    /// The property.
    pub property: &'s Property,
    /// What the shares say and what they do not.
    pub meaning: &'s str,
}

#[derive(Serialize)]
struct Page<'s> {
    title: String,
    regions: Vec<Region>,
    meaning: &'s str,
    setting: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Region {
    name: String,
    statement: String,
    bar: Value,
    shares: Vec<(&'static str, &'static str, String)>,
    end: String,
    picture: Option<Value>,
    no_picture: String,
    alt: String,
    x_name: String,
    y_name: String,
    x_ticks: Vec<String>,
    y_ticks: Vec<String>,
    ranges: Vec<(String, String)>,
}

/// Sides of the picture's own units.
const SIDE: f64 = 1000.0;

/// Marks on each axis.
const TICKS: usize = 4;

/// More ranges of inputs than this are not listed.
const MOST_RANGES: usize = 64;

/// Parts of the bar: shares are drawn as so many points.
const BAR: f64 = 1e6;

/// Writes the page.
///
/// # Errors
///
/// Those of the writer.
pub fn write(subject: Subject, measured: &Measured, writer: impl Write) -> io::Result<()> {
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let regions = measured.proved.regions().iter().enumerate();
    let page = Page {
        title: format!("{}: volume of {}", name(subject.model), name(subject.path)),
        regions: regions.map(|(place, shares)| region(subject, measured, (place, shares))).collect(),
        meaning: subject.meaning,
        setting: vec![
            ("Model", subject.model.display().to_string()),
            ("Model SHA-256", measured.proved.network().to_string()),
            ("Property", subject.path.display().to_string()),
            ("Property SHA-256", measured.proved.property().to_string()),
            ("Certificate", format!("{} bytes, {} leaves", measured.certificate.len(), measured.proved.leaves())),
            ("Tool", concat!("bartizan ", env!("CARGO_PKG_VERSION")).to_owned()),
            ("Time", format!("{:.3} s", measured.time.as_secs_f64())),
        ],
    };
    render("volume.html", &page, writer)
}

fn region(subject: Subject, measured: &Measured, (place, shares): (usize, &Shares)) -> Region {
    let ends: Vec<Interval> = subject.property.regions()[place].bounds.iter().map(|bound| bound.outer()).collect();
    let map = measured.maps[place].as_ref();
    let (parts, _) = measured.regions[place];
    let [x, y] = map.map_or([0, 0], |map| map.inputs);
    let ticks = |input: usize| -> Vec<String> {
        let at = |tick: usize| ends[input].lo + (ends[input].hi - ends[input].lo) * tick as f64 / TICKS as f64;
        (0..=TICKS).map(|tick| short(at(tick))).collect()
    };
    let ranges = ends.iter().enumerate().take(MOST_RANGES);
    let (certified, violated, undecided) =
        (percent(shares.certified(), false), percent(shares.violated(), false), percent(shares.undecided(), true));
    Region {
        name: format!("Region {place}"),
        statement: format!(
            "At least {certified} % of region {place} is certified and at least {violated} % is violated; at most {undecided} % is undecided."
        ),
        bar: Value::from_safe_string(bar(shares)),
        end: format!(
            "{} parts: {} certified, {} violated, {} undecided. The checker accepted the certificate and computed the shares from it.",
            parts.certified + parts.violated + parts.undecided,
            parts.certified,
            parts.violated,
            parts.undecided
        ),
        shares: vec![
            ("certified", "at least", certified),
            ("violated", "at least", violated),
            ("undecided", "at most", undecided),
        ],
        picture: map.map(|map| Value::from_safe_string(picture(map, &ends))),
        no_picture: "There is a picture where exactly two inputs vary.".to_owned(),
        alt: format!("Certified, violated and undecided parts over inputs X_{x} and X_{y}"),
        x_name: format!("X_{x}"),
        y_name: format!("X_{y}"),
        x_ticks: ticks(x),
        y_ticks: ticks(y).into_iter().rev().collect(),
        ranges: ranges.map(|(i, end)| (format!("X_{i}"), format!("{} to {}", end.lo, end.hi))).collect(),
    }
}

fn bar(shares: &Shares) -> String {
    let points = |share: f64| (BAR * share).round() as usize;
    let counts = Counts {
        points: BAR as usize,
        certified: points(shares.certified()),
        falsified: points(shares.violated()),
        unknown: points(shares.undecided()),
        ..Counts::default()
    };
    charts::bar(&counts, "Millionths of the region")
}

/// The parts as one path a kind; undecided ones last, so that they hide nothing and nothing hides them.
fn picture(map: &Map, ends: &[Interval]) -> String {
    let [x, y] = map.inputs;
    let at = |input: usize, value: f64| SIDE * (value - ends[input].lo) / (ends[input].hi - ends[input].lo);
    let mut svg = String::new();
    let kinds =
        [(PartKind::Certified, "certified"), (PartKind::Violated, "violated"), (PartKind::Undecided, "undecided")];
    for (kind, class) in kinds {
        let _ = write!(svg, r#"<path class="{class}" d=""#);
        for Part { ends: part, .. } in map.parts.iter().filter(|part| part.kind == kind) {
            let (left, right) = (at(x, part[x].lo), at(x, part[x].hi));
            let (top, bottom) = (SIDE - at(y, part[y].hi), SIDE - at(y, part[y].lo));
            let _ = write!(svg, "M{left:.2} {top:.2}H{right:.2}V{bottom:.2}H{left:.2}z");
        }
        svg.push_str(r#""/>"#);
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_drawn_where_they_are() {
        let interval = |lo, hi| Interval { lo, hi };
        let ends = [interval(0.0, 2.0), interval(5.0, 5.0), interval(-1.0, 1.0)];
        let part = |kind, x, y| Part { kind, ends: vec![x, ends[1], y] };
        let parts = vec![
            part(PartKind::Undecided, interval(0.0, 1.0), interval(-1.0, 1.0)),
            part(PartKind::Violated, interval(1.0, 2.0), interval(0.5, 1.0)),
        ];
        let svg = picture(&Map { inputs: [0, 2], parts }, &ends);
        let expected = concat!(
            r#"<path class="certified" d=""/>"#,
            r#"<path class="violated" d="M500.00 0.00H1000.00V250.00H500.00z"/>"#,
            r#"<path class="undecided" d="M0.00 0.00H500.00V1000.00H0.00z"/>"#,
        );
        assert_eq!(svg, expected);
    }
}
