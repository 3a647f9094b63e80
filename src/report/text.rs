//! A report as a table for a person.

use std::io::{self, Write};

use bartizan_proof::Semantics;

use super::figures::Figure;
use super::{Report, numbers, wording};

/// Writes a report.
///
/// # Errors
///
/// Those of the writer.
pub fn write(report: &Report, mut writer: impl Write) -> io::Result<()> {
    write_setting(report, &mut writer)?;
    write_counts(report, &mut writer)?;
    write_coverage(report, &mut writer)
}

fn write_setting(report: &Report, writer: &mut impl Write) -> io::Result<()> {
    let facts = report.facts();
    let inputs: usize = facts.input_shape.iter().product();
    row(writer, "model", &format!("{} ({inputs} inputs, {} classes)", facts.model, facts.classes))?;
    if let Some(activation) = &facts.dropped_activation {
        row(writer, "", &format!("{activation} at its end left out: it does not change which output is largest"))?;
    }
    if facts.semantics != Semantics::Real {
        row(writer, "semantics", &format!("{}: {}", facts.semantics, facts.semantics.meaning()))?;
    }
    row(writer, "data", &format!("{}, labels {}", facts.points_name, facts.labels_name))?;
    let clip = facts.clip.as_ref().map_or(String::new(), |clip| format!(", clipped to {clip}"));
    let radius = match facts.radius.split(',').count() {
        1 => facts.radius.clone(),
        count => format!("{count} numbers"),
    };
    row(writer, "radius", &format!("{radius} in {}{clip}", facts.norm))?;
    facts.fixed.as_ref().map_or(Ok(()), |fixed| row(writer, "held fixed", &format!("features {fixed}")))
}

fn write_counts(report: &Report, writer: &mut impl Write) -> io::Result<()> {
    let summary = &report.summary;
    let points = summary.counts.points;
    let available = report.facts().available;
    let of = if points < available { format!("  of {available} in the file") } else { String::new() };
    row(writer, "points", &format!("{points:>7}{of}"))?;
    let mut counts = vec![
        ("correct", summary.counts.correct()),
        ("certified", summary.counts.certified),
        ("falsified", summary.counts.falsified),
        ("unknown", summary.counts.unknown),
        ("  timeouts", summary.timeouts),
        ("  unanswered", summary.counts.unanswered),
        ("misclassified", summary.counts.misclassified),
    ];
    counts.retain(|(name, count)| *name != "  unanswered" || *count > 0);
    for (name, count) in counts {
        row(writer, name, &format!("{count:>7}  {:>5} %", numbers::share_of(count, points)))?;
    }
    if let Some(cost) = &report.cost {
        row(writer, "cost", &wording::cost(cost))?;
    }
    let (median, longest) = (summary.median.as_secs_f64(), summary.longest.as_secs_f64());
    let total = report.session.map_or(String::new(), |session| format!("; {:.1} s in all", session.time.as_secs_f64()));
    row(writer, "time", &format!("median {median:.3} s, longest {longest:.3} s a point{total}"))?;
    if !report.is_kept {
        return Ok(());
    }
    row(writer, "store", &report.run.path().display().to_string())
}

fn write_coverage(report: &Report, writer: &mut impl Write) -> io::Result<()> {
    let coverage = &report.coverage;
    let (lower, upper) = (numbers::down(coverage.lower), numbers::up(coverage.upper));
    let confidence = numbers::percent(coverage.confidence);
    writeln!(writer)?;
    writeln!(
        writer,
        "With confidence {confidence} %, the network is correct and robust at between {lower} % and {upper} % of inputs \
         ({}).",
        report.method()
    )?;
    writeln!(writer, "Assumed: {}.", report.assumptions())?;
    if let Some(statement) = wording::radius_statement(report) {
        writeln!(writer, "{statement}\nAssumed: {}.", Figure::Curve.assumptions())?;
    }
    for note in [wording::scope(report), wording::ending(report)].into_iter().flatten() {
        writeln!(writer, "{note}")?;
    }
    wording::gate(report).map_or(Ok(()), |gate| writeln!(writer, "{gate}"))
}

fn row(writer: &mut impl Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(writer, "{name:<14} {value}")
}
