//! A report as one HTML file that needs nothing else: no network, no other files.
//!
//! * `page.html` is the template, `style.css` and `script.js` stand inside it. Everything that comes from files or options is escaped.
//! * [`charts`] draws, `table` holds the points, `context` is what the template reads.
//! * [`volume`] is the page of a volume.
//!
//! The page forbids all requests by a content security policy. Without scripts it shows everything but the points beyond the first
//! page.

pub mod charts;
mod context;
mod table;
pub mod volume;

use std::io::{self, Write};

use minijinja::Environment;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::Report;

/// The templates; names that end in `.html` are escaped.
const TEMPLATES: [(&str, &str); 2] =
    [("page.html", include_str!("page.html")), ("volume.html", include_str!("volume.html"))];

/// The style of both pages.
const STYLE: &str = include_str!("style.css");

/// What makes a page move.
const SCRIPT: &str = include_str!("script.js");

/// Writes a report.
///
/// # Errors
///
/// Those of the writer, or the store cannot be read.
pub fn write(report: &Report, writer: impl Write) -> io::Result<()> {
    let figures = report.figures().map_err(io::Error::other)?;
    let exhibits = super::gallery::gallery(report).map_err(io::Error::other)?;
    render("page.html", &context::page(report, &figures, &exhibits)?, writer)
}

/// Fills a template.
fn render(name: &str, context: &impl Serialize, writer: impl Write) -> io::Result<()> {
    let mut environment = Environment::new();
    for (name, source) in TEMPLATES {
        environment.add_template(name, source).map_err(io::Error::other)?;
    }
    let safe = |text: &str| Value::from_safe_string(text.to_owned());
    environment.add_global("style", safe(STYLE));
    environment.add_global("script", safe(SCRIPT));
    environment.add_global("patterns", safe(charts::PATTERNS));
    let template = environment.get_template(name).map_err(io::Error::other)?;
    template.render_captured_to(Value::from(Serde(context)), writer).map_err(broken).map(|_| ())
}

/// The writer's own error where it is one, so that a full disk is called a full disk.
fn broken(error: minijinja::Error) -> io::Error {
    let source = std::error::Error::source(&error).and_then(|source| source.downcast_ref::<io::Error>());
    let own = source.and_then(io::Error::raw_os_error).map(io::Error::from_raw_os_error);
    own.unwrap_or_else(|| io::Error::other(error))
}

#[cfg(test)]
mod tests;
