//! What the template of the page reads: texts as they are shown.

use std::io;

use minijinja::value::Value;
use serde::Serialize;

use super::{charts, table};
use crate::batch::summary::Counts;
use crate::coverage::curve::Step;
use crate::report::Report;
use crate::report::figures::{ClassFigure, Curve, Figure, Figures, Unit};
use crate::report::gallery::{Change, Exhibit, View};
use crate::report::numbers::{confidence_up, down, percent, radius_down, radius_up, share_of, short, up};
use crate::report::wording;

/// The page.
#[derive(Serialize)]
pub struct Page<'r> {
    title: String,
    statement: String,
    proved: String,
    gate: Option<Gate>,
    ending: Option<String>,
    scope: Option<String>,
    conditions: String,
    estimate: Estimate,
    asked: usize,
    bar: Value,
    counts: Vec<Count>,
    meanings: Vec<(&'static str, String)>,
    curve: Option<CurveView>,
    classes: Vec<ClassView>,
    classes_note: Vec<String>,
    global: Option<GlobalView>,
    drawn: Option<&'static str>,
    gallery: Vec<Card>,
    gallery_total: usize,
    rows: Vec<table::Row<'r>>,
    points: usize,
    shown: usize,
    data: Value,
    unit: &'static str,
    times: Vec<(String, String)>,
    setting: Vec<(&'static str, String)>,
    assumptions: Vec<(&'static str, String)>,
    check: Option<String>,
}

#[derive(Serialize)]
struct Gate {
    is_met: bool,
    text: String,
}

#[derive(Serialize)]
struct Estimate {
    lower: String,
    upper: String,
    /// Place and width of the interval on a scale from 0 to 100.
    left: f64,
    width: f64,
    /// Place of the required share.
    require: Option<f64>,
    radius: String,
    confidence: String,
    method: &'static str,
}

#[derive(Serialize)]
struct Count {
    verdict: &'static str,
    count: usize,
    share: String,
    note: String,
}

#[derive(Serialize)]
struct CurveView {
    svg: Value,
    data: Value,
    axis: &'static str,
    ticks: Vec<String>,
    rows: Vec<[String; 5]>,
    is_thin: bool,
    half_width: String,
    confidence: String,
}

#[derive(Serialize)]
struct ClassView {
    name: String,
    bar: Value,
    counts: [usize; 5],
    lower: Option<String>,
    upper: Option<String>,
    sort: f64,
    p_value: Option<String>,
    reaches: Option<bool>,
}

#[derive(Serialize)]
struct GlobalView {
    eps: String,
    confidence: String,
    pairs: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Card {
    index: usize,
    title: String,
    verdict: String,
    note: String,
    pictures: Option<PictureView>,
    features: Vec<(String, String, String, String)>,
}

#[derive(Serialize)]
struct PictureView {
    original: Option<String>,
    change: Option<String>,
    note: String,
    result: String,
    is_wide: bool,
}

/// Rows of the table beside the curve.
const CURVE_ROWS: usize = 24;

/// Rows of the table of confident inputs.
const PAIRS: usize = 12;

/// Marks on the axis of radii.
const TICKS: usize = 4;

/// Everything that the page shows.
pub fn page<'r>(report: &'r Report, figures: &Figures, exhibits: &[Exhibit]) -> io::Result<Page<'r>> {
    let facts = report.facts();
    let counts = &report.summary.counts;
    let model = facts.model.rsplit(['/', '\\']).next().unwrap_or(&facts.model);
    let rows = table::first_rows(report);
    Ok(Page {
        title: format!("{model}: robustness within {}", wording::within(report)),
        statement: wording::headline(report),
        proved: wording::proved(report),
        gate: wording::gate(report).map(|text| Gate { is_met: report.gate() == Some(true), text }),
        ending: wording::ending(report),
        scope: wording::scope(report),
        conditions: wording::conditions(report),
        estimate: estimate(report),
        asked: counts.points,
        bar: safe(charts::bar(counts, "All points")),
        counts: count_rows(report, counts),
        meanings: wording::meanings(facts.semantics),
        curve: figures.curve.as_ref().map(|curve| curve_view(curve, figures.unit)).transpose()?,
        classes: figures.classes.iter().map(|class| class_view(report, class)).collect(),
        classes_note: classes_note(report, figures),
        global: global_view(figures),
        drawn: facts.is_drawn.then(|| Figure::Drawn.assumptions()),
        gallery: exhibits.iter().map(|exhibit| card(report, exhibit, figures.unit)).collect(),
        gallery_total: counts.refuted(),
        points: report.points.len(),
        shown: rows.len(),
        rows,
        data: safe(table::data(report)?),
        unit: figures.unit.name(),
        times: figures.times.iter().map(|(share, time)| time_row(*share, time.as_secs_f64())).collect(),
        setting: setting(report),
        assumptions: assumptions(report, figures),
        check: check(report),
    })
}

fn safe(text: String) -> Value {
    Value::from_safe_string(text)
}

fn estimate(report: &Report) -> Estimate {
    let coverage = &report.coverage;
    Estimate {
        lower: down(coverage.lower),
        upper: up(coverage.upper),
        left: 100.0 * coverage.lower,
        width: 100.0 * (coverage.upper - coverage.lower),
        require: report.require.map(|share| 100.0 * share),
        radius: wording::within(report),
        confidence: percent(coverage.confidence).to_string(),
        method: report.method(),
    }
}

fn count_rows(report: &Report, counts: &Counts) -> Vec<Count> {
    let (timeouts, unanswered) = (report.summary.timeouts, counts.unanswered);
    charts::parts(counts)
        .into_iter()
        .map(|(verdict, count)| {
            let share = format!("{} %", share_of(count, counts.points));
            let notes = [(timeouts, "out of time"), (unanswered, "without an answer")];
            let told = notes.iter().filter(|(count, _)| verdict == "unknown" && *count > 0);
            let note = told.map(|(count, text)| format!("{count} {text}")).collect::<Vec<_>>().join(", ");
            Count { verdict, count, share, note }
        })
        .collect()
}

fn curve_view(curve: &Curve, unit: Unit) -> io::Result<CurveView> {
    let steps = &curve.steps;
    let most = steps.last().map_or(0.0, |step| step.radius);
    let row = |(radius, step): (String, Step)| {
        [radius, down(step.lower_share), up(step.upper_share), down(step.lower), up(step.upper)]
    };
    let data: Vec<[f64; 5]> =
        steps.iter().map(|s| [s.radius, s.lower_share, s.upper_share, s.lower, s.upper]).collect();
    Ok(CurveView {
        svg: safe(charts::curve(steps, most)),
        data: safe(table::in_page(&serde_json::to_string(&data)?)),
        axis: unit.name(),
        ticks: (0..=TICKS).map(|tick| short(most * tick as f64 / TICKS as f64)).collect(),
        rows: curve.rows(CURVE_ROWS).into_iter().map(row).collect(),
        is_thin: steps.len() > CURVE_ROWS,
        half_width: up(curve.half_width),
        confidence: percent(curve.confidence).to_string(),
    })
}

fn class_view(report: &Report, figure: &ClassFigure) -> ClassView {
    let counts = &figure.counts;
    let name = report.inputs.class(figure.class);
    let coverage = figure.coverage.as_ref();
    ClassView {
        bar: safe(charts::bar(counts, &format!("Class {}", figure.class))),
        name,
        counts: [counts.points, counts.certified, counts.unknown, counts.falsified, counts.misclassified],
        lower: coverage.map(|coverage| down(coverage.lower)),
        upper: coverage.map(|coverage| up(coverage.upper)),
        sort: coverage.map_or(0.0, |coverage| coverage.lower),
        p_value: figure.p_value.map(|value| if value < 1e-3 { format!("{value:.1e}") } else { format!("{value:.3}") }),
        reaches: figure.p_value.map(|value| value <= 1.0 - report.coverage.confidence),
    }
}

fn classes_note(report: &Report, figures: &Figures) -> Vec<String> {
    let mut notes = Vec::new();
    if !report.facts().is_drawn {
        let confidence = percent(report.coverage.confidence);
        notes.push(format!("With confidence {confidence} %, the intervals of all classes hold together."));
    }
    if !figures.classes_are_complete {
        notes.push(
            "Nobody knows to which classes the points without an answer belong; each class has been charged with all of them.".to_owned(),
        );
    }
    notes
}

fn global_view(figures: &Figures) -> Option<GlobalView> {
    let global = figures.global.as_ref()?;
    let shown = global.pairs.iter().step_by(global.pairs.len().div_ceil(PAIRS).max(1));
    let pairs = shown.map(|pair| (confidence_up(pair.kappa), radius_down(pair.rho))).collect();
    Some(GlobalView { eps: up(global.eps), confidence: percent(global.confidence).to_string(), pairs })
}

fn card(report: &Report, exhibit: &Exhibit, unit: Unit) -> Card {
    let point = exhibit.point;
    let class = |class: usize| report.inputs.class(class);
    let rival = exhibit.rival.map_or("another class".to_owned(), class);
    let note = match (point.falsified_share, unit) {
        (Some(0.0), _) => format!("the point itself; confidence {:.3}", point.confidence),
        (Some(share), Unit::Raw(_)) => format!("within radius {}", radius_up(unit.radius(share))),
        (share, _) => format!("within {} % of the radius", radius_up(100.0 * share.unwrap_or(1.0))),
    };
    let (pictures, features) = match &exhibit.view {
        View::Pictures(pictures) => (Some(picture_view(pictures)), Vec::new()),
        View::Features(changes) => (None, changes.iter().map(|change| feature(report, change)).collect()),
    };
    let title = format!("label {} → {rival}", class(point.label));
    Card { index: point.index, title, verdict: point.verdict.clone(), note, pictures, features }
}

fn picture_view(pictures: &crate::report::gallery::Pictures) -> PictureView {
    let note = pictures.change.as_ref().map_or(String::new(), |(_, most)| {
        format!("change ×{:.0}; the strongest colour is ±{}", pictures.factor, short(*most))
    });
    PictureView {
        original: pictures.original.clone(),
        change: pictures.change.as_ref().map(|(uri, _)| uri.clone()),
        note,
        result: pictures.result.clone(),
        is_wide: pictures.sides.1 > 2 * pictures.sides.0,
    }
}

fn feature(report: &Report, change: &Change) -> (String, String, String, String) {
    let difference = change.original.map(|original| change.result - original);
    let signed = |value: f64| format!("{}{}", if value > 0.0 { "+" } else { "" }, short(value));
    (
        report.inputs.feature(change.feature),
        change.original.map_or("–".to_owned(), short),
        short(change.result),
        difference.map_or("–".to_owned(), signed),
    )
}

fn time_row(share: f64, seconds: f64) -> (String, String) {
    let name = match share {
        0.5 => "half of the points".to_owned(),
        1.0 => "all points".to_owned(),
        share => format!("{} % of the points", percent(share)),
    };
    (name, format!("{} s", short(seconds)))
}

/// What was asked, of what, by what.
fn setting(report: &Report) -> Vec<(&'static str, String)> {
    let facts = report.facts();
    let shape = facts.input_shape.iter().map(usize::to_string).collect::<Vec<_>>().join(" × ");
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let mut rows = vec![
        ("Model", facts.model.clone()),
        ("Model SHA-256", facts.model_sha256.to_string()),
        ("Network", format!("input {shape}, {} classes", facts.classes)),
        ("Left out at its end", text(&facts.dropped_activation)),
        ("Semantics", format!("{}. {}", facts.semantics, facts.semantics.assumptions().join(" "))),
        ("Cost of float32 semantics", report.cost.map_or(String::new(), |cost| wording::cost(&cost))),
        ("Data", facts.points_name.clone()),
        ("Data SHA-256", facts.data_sha256.to_string()),
        ("Labels", facts.labels_name.clone()),
        ("Labels SHA-256", facts.labels_sha256.to_string()),
        ("Points", format!("{} of {} in the file", facts.asked_count(), facts.available)),
        ("Selection", text(&facts.selection)),
        ("Shard", facts.shard.map_or(String::new(), |shard| shard.to_string())),
        ("Radius", format!("{} ({})", facts.radius, facts.norm)),
        ("Features that do not vary", text(&facts.fixed)),
        ("Valid range", text(&facts.clip)),
        ("Mean", text(&facts.mean)),
        ("Deviation", text(&facts.std)),
        ("Search", format!("command {}, method {}, split {}", facts.command(), facts.method, facts.split)),
        ("Time limit of a point", format!("{} s", facts.timeout)),
        ("Seed", facts.seed.to_string()),
        ("Tool", report.run.tool().to_owned()),
        ("Started", report.run.started_at().to_owned()),
        ("Ended by", report.end.map_or("not ended".to_owned(), |end| end.name().to_owned())),
        (
            "Duration",
            report.session.map_or(String::new(), |s| format!("{:.1} s on {} threads", s.time.as_secs_f64(), s.jobs)),
        ),
        ("Merkle root", report.manifest.map_or(String::new(), |manifest| manifest.root.to_string())),
        ("Run", if report.is_kept { report.run.path().display().to_string() } else { String::new() }),
    ];
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

fn assumptions(report: &Report, figures: &Figures) -> Vec<(&'static str, String)> {
    let figure = |name, is_there: bool, figure: Figure| is_there.then(|| (name, figure.assumptions().to_owned()));
    let class = figures.classes.first();
    let mut all = vec![
        ("Certified", wording::certified(report.facts().semantics)),
        ("The interval", report.assumptions().to_owned()),
    ];
    all.extend(figure("Classes", class.is_some_and(|class| class.coverage.is_some()), Figure::Classes));
    all.extend(figure("Classes and the gate", class.is_some_and(|class| class.p_value.is_some()), Figure::ClassGate));
    all.extend(figure("The radius curve", figures.curve.is_some(), Figure::Curve));
    all.extend(figure("Confident inputs", figures.global.is_some(), Figure::Global));
    all
}

/// How everything is checked again, where the run is kept.
fn check(report: &Report) -> Option<String> {
    let quoted = |text: &str| match text.chars().all(|c| c.is_ascii_alphanumeric() || "/._-=:+".contains(c)) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    };
    let store = report.run.path().display().to_string();
    report.is_kept.then(|| format!("bartizan check {} --model {}", quoted(&store), quoted(&report.facts().model)))
}
