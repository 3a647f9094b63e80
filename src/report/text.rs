//! A report as a table for a person.

use std::io::{self, Write};

use super::{ASSUMPTIONS, Report};

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
    let (model, data, options) = (&report.model, &report.data, report.options);
    row(writer, "model", &format!("{} ({} inputs, {} classes)", model.path, model.inputs, model.classes))?;
    if let Some(activation) = &model.dropped_activation {
        row(writer, "", &format!("{activation} at its end left out: it does not change which output is largest"))?;
    }
    row(writer, "data", &format!("{}, labels {}", data.points, data.labels))?;
    let clip = options.clip.as_ref().map_or(String::new(), |clip| format!(", clipped to {clip}"));
    row(writer, "radius", &format!("{} in {}{clip}", options.radius, options.norm))
}

fn write_counts(report: &Report, writer: &mut impl Write) -> io::Result<()> {
    let summary = &report.summary;
    let points = summary.points;
    let available = report.data.available;
    let of = if points < available { format!("  of {available} in the file") } else { String::new() };
    row(writer, "points", &format!("{points:>7}{of}"))?;
    let mut counts = vec![
        ("correct", summary.correct()),
        ("certified", summary.certified),
        ("falsified", summary.falsified),
        ("unknown", summary.unknown),
        ("  timeouts", summary.timeouts),
        ("  unanswered", summary.unanswered),
        ("misclassified", summary.misclassified),
    ];
    counts.retain(|(name, count)| *name != "  unanswered" || *count > 0);
    for (name, count) in counts {
        row(writer, name, &format!("{count:>7}  {:>5.1} %", 100.0 * count as f64 / points.max(1) as f64))?;
    }
    let (median, longest) = (summary.median.as_secs_f64(), summary.longest.as_secs_f64());
    let total = report.time.as_secs_f64();
    row(writer, "time", &format!("median {median:.3} s, longest {longest:.3} s a point; {total:.1} s in all"))?;
    report.store.as_ref().map_or(Ok(()), |store| row(writer, "store", store))
}

fn write_coverage(report: &Report, writer: &mut impl Write) -> io::Result<()> {
    let coverage = &report.coverage;
    let (lower, upper) = (percent_down(coverage.lower), percent_up(coverage.upper));
    let confidence = percent(coverage.confidence);
    writeln!(writer)?;
    writeln!(
        writer,
        "With confidence {confidence} %, the network is correct and robust at between {lower} % and {upper} % of inputs \
         (Clopper-Pearson; unknowns count against both ends)."
    )?;
    writeln!(writer, "Assumed: {ASSUMPTIONS}.")?;
    match (report.options.require, report.gate()) {
        (Some(share), Some(true)) => {
            writeln!(writer, "Gate met: the lower end {lower} % is at least {} %.", percent(share))
        }
        (Some(share), _) => writeln!(writer, "Gate not met: the lower end {lower} % is below {} %.", percent(share)),
        _ => Ok(()),
    }
}

fn row(writer: &mut impl Write, name: &str, value: &str) -> io::Result<()> {
    writeln!(writer, "{name:<14} {value}")
}

/// A share in percent, rounded down to two places.
fn percent_down(share: f64) -> String {
    format!("{:.2}", (10_000.0 * share).floor() / 100.0)
}

/// A share in percent, rounded up to two places.
fn percent_up(share: f64) -> String {
    format!("{:.2}", (10_000.0 * share).ceil() / 100.0)
}

/// A share that somebody typed, in percent and without the last places of binary arithmetic.
fn percent(share: f64) -> f64 {
    const PLACES: f64 = 1e9;
    (100.0 * PLACES * share).round() / PLACES
}
