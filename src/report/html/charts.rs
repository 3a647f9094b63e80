//! Charts as SVG, without any text: names and numbers stand beside them in the page, where they keep their size on a small screen.
//!
//! Colours are classes of the page's style sheet, so that a dark page has its own; a pattern tells the verdicts apart where colours
//! do not.

use std::fmt::Write;

use crate::batch::summary::Counts;
use crate::coverage::curve::Step;

/// The verdicts in the order of a bar, with their numbers of points.
pub fn parts(counts: &Counts) -> [(&'static str, usize); 4] {
    [
        ("certified", counts.certified),
        ("unknown", counts.unknown),
        ("falsified", counts.falsified),
        ("misclassified", counts.misclassified),
    ]
}

/// The patterns that bars refer to; once a page.
pub const PATTERNS: &str = r#"<svg class="patterns" width="0" height="0" aria-hidden="true" focusable="false"><defs>
<pattern id="p-unknown" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" class="f-unknown"/><path d="M0 8L8 0M-2 2L2 -2M6 10L10 6" class="ink"/></pattern>
<pattern id="p-falsified" width="7" height="7" patternUnits="userSpaceOnUse"><rect width="7" height="7" class="f-falsified"/><circle cx="3.5" cy="3.5" r="1.4" class="dot"/></pattern>
<pattern id="p-misclassified" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" class="f-misclassified"/><path d="M0 0L8 8M0 8L8 0" class="ink"/></pattern>
</defs></svg>"#;

/// A stacked bar of verdicts, as wide as its place.
pub fn bar(counts: &Counts, name: &str) -> String {
    let total = counts.points.max(1) as f64;
    let label = parts(counts).map(|(verdict, count)| format!("{count} {verdict}")).join(", ");
    let mut svg = format!(r#"<svg class="bar" role="img" aria-label="{name}: {label}">"#);
    let mut left = 0.0;
    for (verdict, count) in parts(counts).into_iter().filter(|(_, count)| *count > 0) {
        let width = 100.0 * count as f64 / total;
        let class = if verdict == "certified" { "f-certified" } else { verdict };
        let fill = if verdict == "certified" { String::new() } else { format!(r#" fill="url(#p-{verdict})""#) };
        let _ = write!(
            svg,
            r#"<rect x="{left:.3}%" width="{width:.3}%" height="100%" class="{class}"{fill}><title>{count} {verdict}</title></rect>"#
        );
        left += width;
    }
    svg + "</svg>"
}

/// Width and height of the plot's own units.
const PLOT: (f64, f64) = (1000.0, 500.0);

/// The radius curve: the band, and the two observed shares. Between steps the band is the wider one of both.
pub fn curve(steps: &[Step], most: f64) -> String {
    let x = |radius: f64| if most > 0.0 { PLOT.0 * radius / most } else { 0.0 };
    let y = |share: f64| PLOT.1 * (1.0 - share);
    let path = |values: &[(f64, f64)]| {
        let points = values.iter().map(|(radius, share)| format!("{:.1},{:.1}", x(*radius), y(*share)));
        points.collect::<Vec<String>>().join(" ")
    };
    let lower = |of: fn(&Step) -> f64| falling(steps, (of(&steps[0]), of), true);
    let upper = |of: fn(&Step) -> f64| falling(steps, (1.0, of), false);
    let mut band = upper(|step| step.upper);
    band.extend(lower(|step| step.lower).into_iter().rev());
    let grid = (1..4).map(|i| format!(r#"<path d="M0 {0}H{1}" class="grid"/>"#, PLOT.1 * f64::from(i) / 4.0, PLOT.0));
    format!(
        r#"<svg class="plot" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true" focusable="false">{}<polygon class="band" points="{}"/><polyline class="line upper" points="{}"/><polyline class="line lower" points="{}"/><path class="cursor" d="M-9 0V{}"/></svg>"#,
        PLOT.0,
        PLOT.1,
        grid.collect::<String>(),
        path(&band),
        path(&upper(|step| step.upper_share)),
        path(&lower(|step| step.lower_share)),
        PLOT.1,
    )
}

/// The corners of a falling step function: its value at a step holds before it (`is_lower`) or from it on.
fn falling(steps: &[Step], (first, of): (f64, fn(&Step) -> f64), is_lower: bool) -> Vec<(f64, f64)> {
    let mut corners = vec![(0.0, first)];
    for step in steps {
        let before = corners[corners.len() - 1].1;
        let value = of(step);
        if is_lower {
            let left = corners[corners.len() - 1].0;
            corners.extend([(left, value), (step.radius, value)]);
        } else {
            corners.extend([(step.radius, before), (step.radius, value)]);
        }
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_wide_as_their_counts() {
        let counts = Counts { points: 8, certified: 4, falsified: 2, misclassified: 0, unknown: 2, unanswered: 1 };
        let svg = bar(&counts, "All points");
        assert!(svg.contains(r#"aria-label="All points: 4 certified, 2 unknown, 2 falsified, 0 misclassified""#));
        assert!(
            svg.contains(r#"<rect x="0.000%" width="50.000%" height="100%" class="f-certified"><title>4 certified"#)
        );
        assert!(svg.contains(
            r#"<rect x="75.000%" width="25.000%" height="100%" class="falsified" fill="url(#p-falsified)">"#
        ));
        assert!(!svg.contains("misclassified</title>"));
        assert!(bar(&Counts::default(), "x").ends_with(r#"0 misclassified"></svg>"#));
    }

    #[test]
    fn curves_are_steps_on_the_safe_side() {
        let step = |radius, lower_share, upper_share| Step { radius, lower_share, upper_share, lower: 0.0, upper: 1.0 };
        let steps = [step(0.0, 0.75, 0.75), step(0.5, 0.5, 0.75), step(1.0, 0.5, 0.25)];
        let svg = curve(&steps, 1.0);
        // The certified share between 0 and 0.5 is that at 0.5; the share not falsified up to 1 is that at 0.5.
        assert!(svg.contains(r#"class="line lower" points="0.0,125.0 0.0,125.0 0.0,125.0 0.0,250.0 500.0,250.0 500.0,250.0 1000.0,250.0""#), "{svg}");
        let upper = r#"class="line upper" points="0.0,0.0 0.0,0.0 0.0,125.0 500.0,125.0 500.0,125.0 1000.0,125.0 1000.0,375.0""#;
        assert!(svg.contains(upper), "{svg}");
    }
}
