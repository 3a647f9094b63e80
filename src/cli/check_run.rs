//! `bartizan check RUN.db`: whether everything that a stored run claims is true.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{CliError, Exit, output, progress};
use crate::batch::audit::{self, Audit, Figures};
use crate::batch::files;
use crate::batch::manifest::WrongFigure;
use crate::batch::recheck_run::Findings;
use crate::batch::store::StoredRun;

/// Which run, and what it speaks of.
#[derive(Clone, Copy, Debug)]
pub struct Files<'a> {
    /// The store.
    pub store: &'a Path,
    /// The model.
    pub model: &'a Path,
    /// The points (`FILE.npz:ARRAY` names an array); those that the run read where nothing is given. Another file that holds the same
    /// points passes.
    pub data: Option<&'a str>,
    /// The labels, likewise.
    pub labels: Option<&'a str>,
}

/// Runs the command on a store.
pub fn run(files: Files, jobs: usize, json: bool) -> Result<Exit, CliError> {
    let Files { store: path, model, data, labels } = files;
    let store = StoredRun::open(path)?;
    let network = files::read_model(model, store.facts().semantics)?;
    let dataset = audit::points(&store, (data, labels))?;
    let start = Instant::now();
    let bar = progress::bar(store.indices()?.len());
    let audit = Audit::of(&store, (&network, &model.display().to_string()), &dataset, jobs, |findings| {
        bar.set_message(format!("{} refused", findings.refused.len()));
        bar.inc(1);
    });
    bar.finish_and_clear();
    let outcome = Outcome { store: &store, model, audit: audit?, time: start.elapsed() };
    output::print(|out| if json { writeln!(out, "{}", outcome.to_json()) } else { outcome.write_text(out) })?;
    Ok(if outcome.audit.is_accepted() { Exit::Yes } else { Exit::No })
}

/// What is printed.
struct Outcome<'r> {
    store: &'r StoredRun,
    model: &'r Path,
    audit: Audit,
    time: Duration,
}

impl Outcome<'_> {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Findings { certified, falsified, misclassified, unknown, refused } = &self.audit.findings;
        for point in refused {
            let verdict = point.verdict.as_deref().unwrap_or("unreadable");
            writeln!(out, "refused      point {} ({verdict}): {}", point.index, point.reason)?;
        }
        let (points, selected) = (self.audit.findings.points(), self.store.facts().asked_count());
        if points < selected {
            writeln!(out, "the run has not ended: {points} of {selected} points are stored")?;
        }
        match &self.audit.figures {
            Figures::Missing => {}
            Figures::Confirmed(manifest) => {
                writeln!(out, "the figures of the manifest are those of its points; root {}", manifest.root)?
            }
            Figures::Wrong(WrongFigure { column, expected, found }) => {
                writeln!(out, "refused      manifest: {column}: expected {expected}, found {found}")?;
            }
        }
        let (refused, seconds) = (refused.len(), self.time.as_secs_f64());
        writeln!(
            out,
            "{certified} certified, {falsified} falsified and {misclassified} misclassified confirmed, {unknown} unknown, \
             {refused} refused in {seconds:.3} s"
        )
    }

    fn to_json(&self) -> serde_json::Value {
        let refused = self.audit.findings.refused.iter().map(|point| {
            let reason = point.reason.to_string();
            json!({ "index": point.index, "verdict": point.verdict, "reason": reason })
        });
        let figures = match &self.audit.figures {
            Figures::Missing => json!(null),
            Figures::Confirmed(manifest) => json!({
                "root": manifest.root,
                "ended_by": manifest.end.name(),
                "coverage": {
                    "lower": manifest.coverage.lower,
                    "upper": manifest.coverage.upper,
                    "confidence": manifest.coverage.confidence,
                    "interval": manifest.interval.name(),
                },
            }),
            Figures::Wrong(WrongFigure { column, expected, found }) => {
                json!({ "refused": column, "expected": expected, "found": found })
            }
        };
        json!({
            "store": self.store.path().display().to_string(),
            "model": { "path": self.model.display().to_string(), "sha256": self.store.facts().model_sha256 },
            "selected": self.store.facts().asked_count(),
            "points": self.audit.findings.points(),
            "accepted": self.audit.findings.accepted(),
            "certified": self.audit.findings.certified,
            "falsified": self.audit.findings.falsified,
            "misclassified": self.audit.findings.misclassified,
            "unknown": self.audit.findings.unknown,
            "refused": refused.collect::<Vec<_>>(),
            "manifest": figures,
            "time_s": self.time.as_secs_f64(),
        })
    }
}
