//! `bartizan check RUN.db`: whether everything that a stored run claims is true.

use std::io::{self, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use bartizan_proof::{Digest, Network};
use serde_json::json;

use super::{CliError, Exit, output, progress};
use crate::batch::dataset::{Dataset, Origin, Source};
use crate::batch::files::read_model;
use crate::batch::manifest::{Answered, Manifest, WrongFigure};
use crate::batch::perturbation::question_of;
use crate::batch::recheck_run::{self, Asked, Findings};
use crate::batch::store::StoredRun;
use crate::bound::Model;

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
    let Files { store: path, model, .. } = files;
    let store = StoredRun::open(path)?;
    let network = read_model(model)?;
    if network.digest() != store.facts().model_sha256 {
        let expected = format!("{}, the model of {}", store.facts().model_sha256, path.display());
        return Err(CliError::content(model, "SHA-256", expected, network.digest().to_string()));
    }
    same_network(&store, &network)?;
    store.hold_still()?;
    let question = question_of(&store)?;
    let dataset = dataset(&store, &files)?;
    let start = Instant::now();
    let bar = progress::bar(store.indices()?.len());
    let copy = Model::of(&network);
    let asked = Asked { network: &network, model: &copy, dataset: &dataset, question: &question };
    let result = recheck_run::run(&store, asked, jobs, |findings| {
        bar.set_message(format!("{} refused", findings.refused.len()));
        bar.inc(1);
    });
    bar.finish_and_clear();
    let (findings, read) = result?;
    let figures = Figures::of(&store, &read)?;
    let outcome = Outcome { store: &store, model, findings, figures, time: start.elapsed() };
    output::print(|out| if json { writeln!(out, "{}", outcome.to_json()) } else { outcome.write_text(out) })?;
    let is_true = outcome.findings.refused.is_empty() && !matches!(outcome.figures, Figures::Wrong(_));
    Ok(if is_true { Exit::Yes } else { Exit::No })
}

/// Compares what a store says of its network with the network.
fn same_network(store: &StoredRun, network: &Network) -> Result<(), CliError> {
    let facts = store.facts();
    let shape = |sides: &[usize]| sides.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
    let name = |text: Option<&str>| text.map_or("nothing".to_owned(), |text| format!("`{text}`"));
    let columns = [
        ("input_shape", shape(network.input_shape()), shape(&facts.input_shape)),
        ("classes", network.output_size().to_string(), facts.classes.to_string()),
        ("dropped_activation", name(network.dropped_activation()), name(facts.dropped_activation.as_deref())),
    ];
    match columns.into_iter().find(|(_, expected, found)| expected != found) {
        Some((column, expected, found)) => {
            let expected = format!("{expected}, as the network has");
            Err(CliError::content(store.path(), &format!("table `run`, column `{column}`"), expected, found))
        }
        None => Ok(()),
    }
}

/// The points that the run read, or those in other files.
fn dataset(store: &StoredRun, files: &Files) -> Result<Dataset, CliError> {
    let (facts, given) = (store.facts(), (files.data, files.labels));
    let labels = given.1.or(facts.labels.as_deref()).map(Source::parse);
    let data = Source::parse(given.0.unwrap_or(&facts.data));
    let dataset = Dataset::read(&data, labels.as_ref(), facts.label_column.as_deref())?;
    if given.0.is_none() {
        expect_digest(store, dataset.points_origin(), facts.data_sha256)?;
    }
    if given == (None, None) {
        expect_digest(store, dataset.labels_origin(), facts.labels_sha256)?;
    }
    Ok(dataset)
}

/// The points that a run read, perhaps from other places, where their bytes are the same.
pub fn same_dataset(store: &StoredRun, given: (Option<&str>, Option<&str>)) -> Result<Dataset, CliError> {
    let facts = store.facts();
    let labels = given.1.or(facts.labels.as_deref()).map(Source::parse);
    let data = Source::parse(given.0.unwrap_or(&facts.data));
    let dataset = Dataset::read(&data, labels.as_ref(), facts.label_column.as_deref())?;
    expect_digest(store, dataset.points_origin(), facts.data_sha256)?;
    expect_digest(store, dataset.labels_origin(), facts.labels_sha256)?;
    Ok(dataset)
}

fn expect_digest(store: &StoredRun, found: &Origin, expected: Digest) -> Result<(), CliError> {
    if found.digest == expected {
        return Ok(());
    }
    let expected = format!("{expected}, the file that {} tells of", store.path().display());
    Err(CliError::content(&found.source.path, "SHA-256", expected, found.digest.to_string()))
}

/// What the store says that its points add up to.
enum Figures {
    /// Nothing: the run has not ended.
    Missing,
    /// What they do add up to.
    Confirmed(Manifest),
    /// Something else.
    Wrong(WrongFigure),
}

impl Figures {
    fn of(store: &StoredRun, read: &[Answered]) -> Result<Figures, CliError> {
        let Some(stored) = store.manifest()? else { return Ok(Figures::Missing) };
        let computed = Manifest::over(store.facts(), read, stored.end, stored.coverage.confidence)?;
        Ok(computed.wrong_figure(&stored).map_or(Figures::Confirmed(computed), Figures::Wrong))
    }
}

/// What is printed.
struct Outcome<'r> {
    store: &'r StoredRun,
    model: &'r Path,
    findings: Findings,
    figures: Figures,
    time: Duration,
}

impl Outcome<'_> {
    fn write_text(&self, out: &mut dyn Write) -> io::Result<()> {
        let Findings { certified, falsified, misclassified, unknown, refused } = &self.findings;
        for point in refused {
            let verdict = point.verdict.as_deref().unwrap_or("unreadable");
            writeln!(out, "refused      point {} ({verdict}): {}", point.index, point.reason)?;
        }
        let (points, selected) = (self.findings.points(), self.store.facts().asked_count());
        if points < selected {
            writeln!(out, "the run has not ended: {points} of {selected} points are stored")?;
        }
        match &self.figures {
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
        let refused = self.findings.refused.iter().map(|point| {
            let reason = point.reason.to_string();
            json!({ "index": point.index, "verdict": point.verdict, "reason": reason })
        });
        let figures = match &self.figures {
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
            "points": self.findings.points(),
            "accepted": self.findings.accepted(),
            "certified": self.findings.certified,
            "falsified": self.findings.falsified,
            "misclassified": self.findings.misclassified,
            "unknown": self.findings.unknown,
            "refused": refused.collect::<Vec<_>>(),
            "manifest": figures,
            "time_s": self.time.as_secs_f64(),
        })
    }
}
