//! Progress of long work: a bar on standard error where that is a terminal, nothing otherwise.

use std::fmt::Write;
use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

/// A bar for so many steps.
pub fn bar(steps: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(steps as u64), draw_target());
    let style = ProgressStyle::with_template("{bar:20} {pos}/{len} {msg} [{rate}, {elapsed}, {eta} left]");
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{:.1}/s", state.per_sec());
    };
    bar.set_style(style.map_or_else(|_| ProgressStyle::default_bar(), |style| style.with_key("rate", rate)));
    bar
}

/// Standard error when it is a terminal, nothing otherwise.
fn draw_target() -> ProgressDrawTarget {
    if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() }
}
