//! What a run over a data set says in the end; one file a form. All of it comes from the run's store.

pub mod json;
pub mod text;

use std::time::Duration;

use crate::batch::BatchError;
use crate::batch::manifest::{self, Interval};
use crate::batch::runner::End;
use crate::batch::store::{PointFacts, RunFacts, StoredRun};
use crate::batch::summary::Summary;
use crate::coverage::Coverage;

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
}

/// A run that has just ended.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Its duration.
    pub time: Duration,
    /// Its threads.
    pub jobs: usize,
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
        let end = run.manifest()?.map(|manifest| manifest.end);
        Ok(Report { run, is_kept: true, end, points, summary, interval, coverage, require, session: None })
    }

    /// What was asked.
    pub fn facts(&self) -> &RunFacts {
        self.run.facts()
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
