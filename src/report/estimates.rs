//! What a run says beyond its points: every estimate with its assumptions, as text and as one JSON object.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::figures::{ClassFigure, Curve, Figure, Figures, Global, Unit};
use super::{Report, numbers, wording};
use crate::batch::BatchError;
use crate::coverage::Coverage;

/// Estimates of a run.
#[derive(Debug)]
pub struct Estimates<'e> {
    /// The run.
    pub report: &'e Report<'e>,
    /// What its answers alone say.
    pub figures: &'e Figures,
    /// Groups that somebody asked for.
    pub groups: Option<Groups>,
    /// A finite population that the points were drawn from.
    pub population: Option<Population>,
    /// Fresh inputs inside certified regions.
    pub fresh: Option<Fresh>,
}

/// Points grouped by something.
#[derive(Debug)]
pub struct Groups {
    /// By what.
    pub by: String,
    /// The groups' names, by number.
    pub names: Vec<String>,
    /// Their figures.
    pub figures: Vec<ClassFigure>,
}

/// The interval for the points of a finite population.
#[derive(Clone, Copy, Debug)]
pub struct Population {
    /// How many points it has.
    pub size: usize,
    /// The interval for the share of them at which the network is correct and robust.
    pub coverage: Coverage,
}

/// A sample of inputs that the run has not seen.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// Its file.
    pub name: String,
    /// How many inputs it has.
    pub points: usize,
    /// How many of them lie in a certified region.
    pub inside: usize,
    /// The interval for the share of inputs that do.
    pub coverage: Coverage,
}

/// Most radii of the curve that are printed.
const RADII: usize = 12;

/// Most pairs of the global statement that are printed.
const PAIRS: usize = 6;

/// What the interval for a finite population takes for granted.
const POPULATION: &str = "the points were drawn at random and without replacement from that population, and their number \
                          was fixed beforehand";

/// What the share of fresh inputs takes for granted.
const FRESH: &str = "the fresh inputs were drawn independently from the distribution of inputs, and not before the run's \
                     points, the network and the radius were chosen";

/// The interval for the points of a finite population of some size.
///
/// # Errors
///
/// The population is smaller than the sample, or the run may have ended when it looked good.
pub fn population(report: &Report, size: usize) -> Result<Population, BatchError> {
    let sample = report.summary.counts.sample();
    if size < sample.points {
        let expected = format!("at least {}, the points that were drawn from it", sample.points);
        return Err(BatchError::setting("population", expected, size.to_string()));
    }
    if report.facts().is_drawn {
        let expected = "a run without --sequential, which may end when it looks good";
        return Err(BatchError::setting("population", expected, "a sequential one"));
    }
    Ok(Population { size, coverage: Coverage::of_population(sample, size, report.coverage.confidence) })
}

/// Writes the estimates for a person.
///
/// # Errors
///
/// Those of the writer.
pub fn write(estimates: &Estimates, writer: &mut dyn Write) -> io::Result<()> {
    let Estimates { report, figures, .. } = estimates;
    writeln!(writer, "Proved")?;
    writeln!(writer, "  {}", wording::proved(report))?;
    for sentence in [wording::scope(report), wording::ending(report)].into_iter().flatten() {
        writeln!(writer, "  {sentence}")?;
    }
    writeln!(writer, "\nEstimated")?;
    writeln!(writer, "  {} ({})", wording::statement(report), report.method())?;
    assumed(writer, report.assumptions())?;
    wording::gate(report).map_or(Ok(()), |gate| writeln!(writer, "  {gate}"))?;
    if let Some(Population { size, coverage }) = &estimates.population {
        writeln!(writer, "\nPopulation of {size} points (hypergeometric inversion)")?;
        writeln!(writer, "  correct and robust at {} of them", between(coverage))?;
        assumed(writer, POPULATION)?;
    }
    write_groups(writer, "class", &figures.classes, |class| report.inputs.class(class))?;
    if let Some(groups) = &estimates.groups {
        write_groups(writer, &groups.by, &groups.figures, |group| groups.names[group].clone())?;
    }
    if let Some(curve) = &figures.curve {
        write_curve(writer, curve, (report, figures.unit))?;
        wording::radius_statement(report).map_or(Ok(()), |statement| writeln!(writer, "  {statement}"))?;
    }
    if let Some(global) = &figures.global {
        write_global(writer, global, (report, figures.unit))?;
    }
    if let Some(Fresh { name, points, inside, coverage }) = &estimates.fresh {
        writeln!(writer, "\nFresh inputs ({name})")?;
        writeln!(
            writer,
            "  {inside} of {points} lie in the certified region of some point: {} of all inputs",
            between(coverage)
        )?;
        assumed(writer, FRESH)?;
    }
    if report.facts().is_drawn {
        writeln!(writer, "\nNote: {}.", Figure::Drawn.assumptions())?;
    }
    Ok(())
}

fn assumed(writer: &mut dyn Write, assumptions: &str) -> io::Result<()> {
    writeln!(writer, "  Assumed: {assumptions}.")
}

/// An interval in words, rounded outward.
fn between(coverage: &Coverage) -> String {
    let confidence = numbers::percent(coverage.confidence);
    let (lower, upper) = (numbers::down(coverage.lower), numbers::up(coverage.upper));
    format!("between {lower} % and {upper} % (confidence {confidence} %)")
}

fn write_groups(
    writer: &mut dyn Write,
    by: &str,
    figures: &[ClassFigure],
    name: impl Fn(usize) -> String,
) -> io::Result<()> {
    if figures.is_empty() {
        return Ok(());
    }
    writeln!(writer, "\nBy {by}")?;
    let with_gate = figures.iter().any(|figure| figure.p_value.is_some());
    let gate = if with_gate { "     p-value" } else { "" };
    writeln!(writer, "  {by:<14} points  certified  falsified  misclassified  unknown   interval{gate}")?;
    for figure in figures {
        let counts = &figure.counts;
        let interval = figure.coverage.map_or(String::new(), |coverage| {
            format!("{:>6} % to {:>6} %", numbers::down(coverage.lower), numbers::up(coverage.upper))
        });
        let p_value = figure.p_value.map_or(String::new(), |p| format!("   {p:.2e}"));
        writeln!(
            writer,
            "  {:<14} {:>6}  {:>9}  {:>9}  {:>13}  {:>7}   {interval}{p_value}",
            name(figure.class),
            counts.points,
            counts.certified,
            counts.falsified,
            counts.misclassified,
            counts.unknown
        )?;
    }
    if figures.iter().any(|figure| figure.coverage.is_some()) {
        assumed(writer, Figure::Classes.assumptions())?;
    }
    if with_gate {
        assumed(writer, Figure::ClassGate.assumptions())?;
    }
    Ok(())
}

fn write_curve(writer: &mut dyn Write, curve: &Curve, (report, unit): (&Report, Unit)) -> io::Result<()> {
    let (conditions, width) = (wording::conditions(report), numbers::up(curve.half_width));
    writeln!(writer, "\nRadius curve ({conditions}; band of {width} percentage points either way)")?;
    writeln!(writer, "  {:>19}   certified   not falsified   band", unit.name())?;
    for (radius, step) in curve.rows(RADII) {
        writeln!(
            writer,
            "  {radius:>19}   {:>7} %   {:>11} %   {:>6} % to {:>6} %",
            numbers::down(step.lower_share),
            numbers::up(step.upper_share),
            numbers::down(step.lower),
            numbers::up(step.upper)
        )?;
    }
    assumed(writer, Figure::Curve.assumptions())
}

fn write_global(writer: &mut dyn Write, global: &Global, (report, unit): (&Report, Unit)) -> io::Result<()> {
    writeln!(writer, "\nProbably approximately global robustness ({})", wording::conditions(report))?;
    let (eps, confidence) = (numbers::up(global.eps), numbers::percent(global.confidence));
    writeln!(
        writer,
        "  With confidence {confidence} %, for each line: of all inputs, at most {eps} % are at least as confident and not robust at \
         the radius."
    )?;
    let count = global.pairs.len().min(PAIRS);
    for row in 0..count {
        let pair = &global.pairs[row * (global.pairs.len() - 1) / (count - 1).max(1)];
        let (kappa, rho) = (numbers::confidence_up(pair.kappa), numbers::radius_down(pair.rho));
        writeln!(writer, "  confidence at least {kappa}, {} {rho}", unit.name())?;
    }
    assumed(writer, Figure::Global.assumptions())
}

/// The estimates as an object; what is not there is null.
pub fn to_json(estimates: &Estimates) -> Value {
    let Estimates { report, figures, groups, population, fresh } = estimates;
    let unit = if figures.unit == Unit::Share { "share" } else { "raw" };
    json!({
        "store": report.run.path().display().to_string(),
        "within": wording::within(report),
        "statement": wording::statement(report),
        "scope": wording::scope(report),
        "proved": {
            "points": report.summary.counts.points,
            "certified": report.summary.counts.certified,
            "falsified": report.summary.counts.falsified,
            "misclassified": report.summary.counts.misclassified,
            "unknown": report.summary.counts.unknown,
            "unanswered": report.summary.counts.unanswered,
        },
        "coverage": interval(&report.coverage, report.method(), report.assumptions()),
        "gate_met": report.gate(),
        "population": population.as_ref().map(|Population { size, coverage }| json!({
            "size": size,
            "coverage": interval(coverage, "hypergeometric inversion", POPULATION),
        })),
        "classes": groups_json(&figures.classes, |class| report.inputs.class(class)),
        "groups": groups.as_ref().map(|groups| json!({
            "by": groups.by,
            "groups": groups_json(&groups.figures, |group| groups.names[group].clone()),
        })),
        "curve": figures.curve.as_ref().map(|curve| json!({
            "unit": unit,
            "half_width": curve.half_width,
            "confidence": curve.confidence,
            "assumptions": Figure::Curve.assumptions(),
            "steps": curve.steps.iter().map(|step| json!({
                "radius": step.radius,
                "certified": step.lower_share,
                "not_falsified": step.upper_share,
                "lower": step.lower,
                "upper": step.upper,
            })).collect::<Vec<_>>(),
        })),
        "global": figures.global.as_ref().map(|global| json!({
            "eps": global.eps,
            "confidence": global.confidence,
            "unit": unit,
            "assumptions": Figure::Global.assumptions(),
            "pairs": global.pairs.iter().map(|pair| json!({ "confidence": pair.kappa, "radius": pair.rho })).collect::<Vec<_>>(),
        })),
        "fresh": fresh.as_ref().map(|fresh| json!({
            "data": fresh.name,
            "points": fresh.points,
            "inside": fresh.inside,
            "coverage": interval(&fresh.coverage, "Clopper-Pearson", FRESH),
        })),
    })
}

fn interval(coverage: &Coverage, method: &str, assumptions: &str) -> Value {
    let Coverage { lower, upper, confidence } = coverage;
    json!({ "lower": lower, "upper": upper, "confidence": confidence, "method": method, "assumptions": assumptions })
}

fn groups_json(figures: &[ClassFigure], name: impl Fn(usize) -> String) -> Vec<Value> {
    let object = |figure: &ClassFigure| {
        let coverage = figure
            .coverage
            .map(|coverage| interval(&coverage, "Clopper-Pearson, Bonferroni", Figure::Classes.assumptions()));
        json!({
            "group": figure.class,
            "name": name(figure.class),
            "points": figure.counts.points,
            "certified": figure.counts.certified,
            "falsified": figure.counts.falsified,
            "misclassified": figure.counts.misclassified,
            "unknown": figure.counts.unknown,
            "coverage": coverage,
            "p_value": figure.p_value,
            "p_value_assumptions": figure.p_value.map(|_| Figure::ClassGate.assumptions()),
        })
    };
    figures.iter().map(object).collect()
}
