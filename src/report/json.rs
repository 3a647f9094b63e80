//! A report as one JSON object; `schema.json` describes it.

use std::io::{self, Write};

use serde::ser::SerializeSeq;
use serde::{Serialize, Serializer};

use super::figures::{ClassFigure, Curve, Figure, Figures, Global, Unit};
use super::{Cost, Report, wording};
use crate::batch::store::PointFacts;

/// The JSON Schema (2020-12) of the object.
pub const SCHEMA: &str = include_str!("schema.json");

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
    semantics_cost: Option<CostObject>,
    gate_met: Option<bool>,
    time_s: Option<f64>,
    median_time_s: f64,
    longest_time_s: f64,
    store: Option<String>,
    merkle_root: Option<String>,
    statement: String,
    figures: FiguresObject,
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
    semantics: &'static str,
    assumptions: &'static [&'static str],
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

/// What float32 semantics cost.
#[derive(Serialize)]
struct CostObject {
    certified: usize,
    asked_again: usize,
    only_real: usize,
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

/// What is derived from the answers. What would say nothing, or would not be true of this kind of run, is null.
#[derive(Serialize)]
struct FiguresObject {
    radius_unit: &'static str,
    classes: Vec<ClassObject>,
    classes_are_complete: bool,
    classes_assumptions: &'static str,
    p_values_assumptions: Option<&'static str>,
    curve: Option<CurveObject>,
    global: Option<GlobalObject>,
    time_quantiles: Vec<QuantileObject>,
}

#[derive(Serialize)]
struct ClassObject {
    class: usize,
    name: Option<String>,
    points: usize,
    certified: usize,
    falsified: usize,
    misclassified: usize,
    unknown: usize,
    unanswered: usize,
    lower: Option<f64>,
    upper: Option<f64>,
    p_value: Option<f64>,
}

#[derive(Serialize)]
struct CurveObject {
    confidence: f64,
    half_width: f64,
    steps: Vec<StepObject>,
    assumptions: &'static str,
}

#[derive(Serialize)]
struct StepObject {
    radius: f64,
    lower_share: f64,
    upper_share: f64,
    lower: f64,
    upper: f64,
}

#[derive(Serialize)]
struct GlobalObject {
    confidence: f64,
    eps: f64,
    pairs: Vec<PairObject>,
    assumptions: &'static str,
}

#[derive(Serialize)]
struct PairObject {
    kappa: f64,
    rho: f64,
}

#[derive(Serialize)]
struct QuantileObject {
    share: f64,
    time_s: f64,
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
    let figures = report.figures().map_err(io::Error::other)?;
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
        semantics_cost: report.cost.map(|Cost { certified, asked_again, only_real }| CostObject {
            certified,
            asked_again,
            only_real,
        }),
        gate_met: report.gate(),
        time_s: report.session.map(|session| session.time.as_secs_f64()),
        median_time_s: summary.median.as_secs_f64(),
        longest_time_s: summary.longest.as_secs_f64(),
        store: report.is_kept.then(|| report.run.path().display().to_string()),
        merkle_root: report.manifest.map(|manifest| manifest.root.to_string()),
        statement: wording::headline(report),
        figures: figures_object(report, &figures),
        results: report,
    };
    serde_json::to_writer(&mut writer, &object)?;
    writeln!(writer)
}

fn options<'r>(report: &'r Report) -> OptionsObject<'r> {
    let facts = report.facts();
    OptionsObject {
        command: facts.command(),
        semantics: facts.semantics.name(),
        assumptions: facts.semantics.assumptions(),
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

fn figures_object(report: &Report, figures: &Figures) -> FiguresObject {
    let quantile =
        |(share, time): &(f64, std::time::Duration)| QuantileObject { share: *share, time_s: time.as_secs_f64() };
    FiguresObject {
        radius_unit: match figures.unit {
            Unit::Raw(_) => "raw",
            Unit::Share => "share",
        },
        classes: figures.classes.iter().map(|class| class_object(report, class)).collect(),
        classes_are_complete: figures.classes_are_complete,
        classes_assumptions: if report.facts().is_drawn { Figure::Drawn } else { Figure::Classes }.assumptions(),
        p_values_assumptions: figures.gate_assumptions(),
        curve: figures.curve.as_ref().map(curve_object),
        global: figures.global.as_ref().map(global_object),
        time_quantiles: figures.times.iter().map(quantile).collect(),
    }
}

fn class_object(report: &Report, figure: &ClassFigure) -> ClassObject {
    let ClassFigure { class, counts, coverage, p_value } = figure;
    ClassObject {
        class: *class,
        name: report.inputs.class_names.as_ref().and_then(|names| names.get(*class).cloned()),
        points: counts.points,
        certified: counts.certified,
        falsified: counts.falsified,
        misclassified: counts.misclassified,
        unknown: counts.unknown,
        unanswered: counts.unanswered,
        lower: coverage.map(|coverage| coverage.lower),
        upper: coverage.map(|coverage| coverage.upper),
        p_value: *p_value,
    }
}

fn curve_object(curve: &Curve) -> CurveObject {
    let step = |step: &crate::coverage::curve::Step| StepObject {
        radius: step.radius,
        lower_share: step.lower_share,
        upper_share: step.upper_share,
        lower: step.lower,
        upper: step.upper,
    };
    CurveObject {
        confidence: curve.confidence,
        half_width: curve.half_width,
        steps: curve.steps.iter().map(step).collect(),
        assumptions: Figure::Curve.assumptions(),
    }
}

fn global_object(global: &Global) -> GlobalObject {
    GlobalObject {
        confidence: global.confidence,
        eps: global.eps,
        pairs: global.pairs.iter().map(|pair| PairObject { kappa: pair.kappa, rho: pair.rho }).collect(),
        assumptions: Figure::Global.assumptions(),
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
