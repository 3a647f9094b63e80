//! A short summary in Markdown, fit for the summary of a CI job.

use std::io::{self, Write};

use super::figures::Figure;
use super::{Report, numbers, wording};

/// Writes the summary.
///
/// # Errors
///
/// Those of the writer.
pub fn write(report: &Report, mut writer: impl Write) -> io::Result<()> {
    let facts = report.facts();
    let out = &mut writer;
    writeln!(out, "## Robustness of {} on {}\n", code(&facts.model), code(&facts.points_name))?;
    if let Some(gate) = wording::gate(report) {
        let sign = if report.gate() == Some(true) { "✅" } else { "❌" };
        writeln!(out, "{sign} **{gate}**\n")?;
    }
    let radius = wording::radius_statement(report);
    for statement in radius.iter().chain([&wording::statement(report)]) {
        writeln!(out, "{statement}\n")?;
    }
    for note in [wording::ending(report), wording::scope(report)].into_iter().flatten() {
        writeln!(out, "> {note}\n")?;
    }
    write_counts(report, out)?;
    if let Some(cost) = &report.cost {
        writeln!(out, "\nOf float32 semantics: {}.", wording::cost(cost))?;
    }
    let (median, longest) = (report.summary.median.as_secs_f64(), report.summary.longest.as_secs_f64());
    writeln!(out, "\nTime of a point: median {median:.3} s, longest {longest:.3} s.")?;
    if radius.is_some() {
        writeln!(out, "\n<sub>Of the radius assumed: {}.</sub>", Figure::Curve.assumptions())?;
    }
    writeln!(out, "\n<sub>Assumed: {}. {}.</sub>", report.assumptions(), report.method())
}

fn write_counts(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let (counts, summary) = (&report.summary.counts, &report.summary);
    let rows = [
        ("certified", counts.certified),
        ("falsified", counts.falsified),
        ("misclassified", counts.misclassified),
        ("unknown", counts.unknown),
        ("of these out of time", summary.timeouts),
        ("of these without an answer", counts.unanswered),
    ];
    writeln!(out, "| | points | share |\n|---|---:|---:|")?;
    for (name, count) in rows.into_iter().filter(|(name, count)| !name.starts_with("of these") || *count > 0) {
        writeln!(out, "| {name} | {count} | {} % |", numbers::share_of(count, counts.points))?;
    }
    writeln!(out, "| **all** | **{}** | |", counts.points)
}

/// A text between backticks, which it may hold itself; line breaks and bars would break a table.
fn code(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let space = if longest > 0 { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", text.replace(['\n', '\r'], " ").replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::code;

    #[test]
    fn names_stay_names() {
        assert_eq!((code("a.onnx"), code("a`b\n|")), ("`a.onnx`".to_owned(), "`` a`b \\| ``".to_owned()));
        assert_eq!(code("<script>"), "`<script>`");
    }
}
