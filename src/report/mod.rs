//! What a run over a data set says in the end; one file a form. All of it comes from the run's store; pictures of points
//! need the data set too.
//!
//! * [`figures`]: what is derived from the answers; [`wording`]: what is said in words; [`numbers`]: as they are printed.
//! * [`inputs`]: points as the data set has them; [`gallery`]: the worst of them; [`image`]: as pictures.
//! * [`text`], [`markdown`], [`html`]: for people.
//! * [`estimates`]: what the run says beyond its points, for people and programs.
//! * [`json`], [`junit`], [`sarif`]: for programs.
//! * [`rows`]: the points as a table, which [`csv`] and [`parquet`] write.

pub mod figures;
pub mod inputs;
pub mod numbers;
pub mod wording;

pub mod gallery;
pub mod image;

pub mod csv;
pub mod estimates;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod parquet;
pub mod rows;
pub mod sarif;
pub mod text;

use std::io::{self, Write};
use std::time::Duration;

use crate::batch::BatchError;
use crate::batch::manifest::{self, Interval, Manifest};
use crate::batch::runner::End;
use crate::batch::store::{PointFacts, RunFacts, StoredRun};
use crate::batch::summary::Summary;
use crate::coverage::Coverage;
use figures::{Figures, Request};
use inputs::Inputs;

/// Everything that a report tells.
#[derive(Debug)]
pub struct Report<'r> {
    /// The run.
    pub run: &'r StoredRun,
    /// Whether the run's file stays.
    pub is_kept: bool,
    /// How the run ended; none where it was killed or still goes on.
    pub end: Option<End>,
    /// What is claimed of each point that was answered, in the order of the data.
    pub points: Vec<PointFacts>,
    /// Counts and times.
    pub summary: Summary,
    /// How the interval was computed.
    pub interval: Interval,
    /// The interval for the share of inputs at which the network is correct and robust.
    pub coverage: Coverage,
    /// The share that the interval's lower end must reach.
    pub require: Option<f64>,
    /// Duration and number of threads of the run that has just ended.
    pub session: Option<Session>,
    /// What float32 semantics cost, where that was asked.
    pub cost: Option<Cost>,
    /// What the store keeps of all points together; none where the run has not ended.
    pub manifest: Option<Manifest>,
    /// The points themselves, where their file can still be read.
    pub inputs: Inputs<'r>,
}

/// A run that has just ended.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Its duration.
    pub time: Duration,
    /// Its threads.
    pub jobs: usize,
}

/// What float32 semantics cost a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Points certified under float32 semantics, which are certified under real ones too.
    pub certified: usize,
    /// Points that stayed unknown, about which real semantics were asked.
    pub asked_again: usize,
    /// Those of them that are certified under real semantics.
    pub only_real: usize,
}

/// Forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// One self-contained page.
    Html,
    /// One JSON object.
    Json,
    /// JUnit's XML: a test case a point, and one for the gate.
    Junit,
    /// SARIF: a result for each point with a counterexample.
    Sarif,
    /// A short summary in Markdown.
    Markdown,
    /// The points as comma-separated text.
    Csv,
    /// The points as a Parquet file.
    Parquet,
    /// What the command line prints.
    Text,
}

impl Form {
    /// Writes a report in this form.
    ///
    /// # Errors
    ///
    /// The writer's.
    pub(crate) fn write(self, report: &Report, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Form::Html => html::write(report, out),
            Form::Json => json::write(report, out),
            Form::Junit => junit::write(report, out),
            Form::Sarif => sarif::write(report, out),
            Form::Markdown => markdown::write(report, out),
            Form::Csv => csv::write(report, out),
            Form::Parquet => parquet::write(report, out),
            Form::Text => text::write(report, out),
        }
    }
}

impl<'r> Report<'r> {
    /// Reads a run.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn of(run: &'r StoredRun, confidence: f64, require: Option<f64>) -> Result<Report<'r>, BatchError> {
        let points = run.facts_of_points()?;
        let answers = points.iter().map(|point| (point.verdict.as_str(), point.time));
        let summary = Summary::of(answers, run.facts().asked_count());
        let coverage = manifest::coverage(run.facts(), &points, confidence)?;
        let interval = Interval::of(run.facts());
        let manifest = run.manifest()?;
        let end = manifest.map(|manifest| manifest.end);
        let (is_kept, session, cost, inputs) = (true, None, None, Inputs::default());
        Ok(Report { run, is_kept, end, points, summary, interval, coverage, require, session, cost, manifest, inputs })
    }

    /// What was asked.
    pub fn facts(&self) -> &RunFacts {
        self.run.facts()
    }

    /// What is derived from the answers.
    ///
    /// # Errors
    ///
    /// The selection of the run is none.
    pub fn figures(&self) -> Result<Figures, BatchError> {
        let asked = self.facts().asked()?;
        let is_open = |index: &&usize| self.points.binary_search_by_key(*index, |point| point.index).is_err();
        let labels: Option<Vec<usize>> = asked.iter().filter(is_open).map(|index| self.inputs.label(*index)).collect();
        let (confidence, require) = (self.coverage.confidence, self.require);
        Ok(Figures::of(self.facts(), &self.points, Request { confidence, require, open_labels: labels.as_deref() }))
    }

    /// Whether the gate is met; `None` without one.
    pub fn gate(&self) -> Option<bool> {
        self.require.map(|share| self.coverage.lower >= share)
    }

    /// What the interval takes for granted.
    pub fn assumptions(&self) -> &'static str {
        match self.interval {
            Interval::Fixed => {
                "the points were drawn independently from the distribution of inputs that the statement is about, and were not chosen by \
                 their outcomes"
            }
            Interval::AnyTime => {
                "the points were drawn independently from the distribution of inputs that the statement is about, and are answered in an \
                 order drawn at random; the run may have been watched and ended at any moment"
            }
        }
    }

    /// How the interval was computed, in words.
    pub fn method(&self) -> &'static str {
        match self.interval {
            Interval::Fixed => "Clopper-Pearson; unknowns count against both ends",
            Interval::AnyTime => "any-time valid beta mixture; unknowns count against both ends",
        }
    }
}

#[cfg(test)]
mod tests;
