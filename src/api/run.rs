//! What became of the points of a data set.

use std::path::{Path, PathBuf};

use bartizan_proof::Digest;
use tempfile::TempDir;

use super::{Network, certify};
use crate::batch::audit::{self, Audit};
use crate::batch::dataset::Dataset;
use crate::batch::manifest::Manifest;
use crate::batch::output_file::OutputFile;
use crate::batch::perturbation::question_of;
use crate::batch::runner::End;
use crate::batch::store::{PointFacts, RunFacts, StoredPoint, StoredRun};
use crate::batch::summary::Counts;
use crate::batch::{BatchError, merge, workers};
use crate::coverage::Coverage;
use crate::report::estimates::{self, Estimates};
use crate::report::inputs::Inputs;
use crate::report::{self, Form, Report, wording};

/// A run over the points of a data set, that has just ended or that a file holds: what is proved of the points, and what is estimated
/// of inputs like them.
#[derive(Debug)]
pub struct Run {
    stored: StoredRun,
    data: Option<Dataset>,
    /// Keeps the file of a run that nobody wanted to keep.
    folder: Option<TempDir>,
    confidence: f64,
    require: Option<f64>,
    pub(super) session: Option<report::Session>,
    said: Said,
}

/// What a run says, computed once.
#[derive(Debug)]
struct Said {
    points: Vec<PointFacts>,
    counts: Counts,
    coverage: Coverage,
    manifest: Option<Manifest>,
    gate: Option<bool>,
    gate_statement: Option<String>,
    proved: String,
    statement: String,
    method: &'static str,
    assumptions: &'static str,
}

/// Of a run that has not ended and said nothing of it.
const CONFIDENCE: f64 = 0.95;

impl Run {
    /// Opens the store of a run; the run may still go on. Nothing in it is checked ([`Run::check`]).
    ///
    /// # Errors
    ///
    /// The file cannot be read, or is no store of a run.
    pub fn open(path: impl AsRef<Path>) -> Result<Run, BatchError> {
        let stored = StoredRun::open(path.as_ref())?;
        let confidence = stored.manifest()?.map_or(CONFIDENCE, |manifest| manifest.coverage.confidence);
        let said = Said::of(&stored, confidence, None)?;
        Ok(Run { stored, data: None, folder: None, confidence, require: None, session: None, said })
    }

    /// Puts the stores of several runs that ask the same of different points together in a new file.
    ///
    /// # Errors
    ///
    /// A store cannot be read, asks something else or has a point that another has too; the new one exists or cannot be written.
    pub fn merge(stores: &[PathBuf], store: impl AsRef<Path>) -> Result<Run, BatchError> {
        merge::merge(stores, store.as_ref())?;
        Run::open(store)
    }

    /// The run with what only its maker knows.
    pub(super) fn with(
        self,
        (folder, data): (Option<TempDir>, Dataset),
        (confidence, require): (f64, Option<f64>),
    ) -> Result<Run, BatchError> {
        let said = Said::of(&self.stored, confidence, require)?;
        Ok(Run { folder, data: Some(data), confidence, require, said, ..self })
    }

    /// The same at another confidence and with another share required.
    ///
    /// # Errors
    ///
    /// Shares that make no sense, or the store cannot be read.
    pub fn judged_at(self, confidence: f64, require: Option<f64>) -> Result<Run, BatchError> {
        let confidence = certify::proper("confidence", confidence)?;
        let require = require.map(|share| certify::within_one("require", share)).transpose()?;
        let said = Said::of(&self.stored, confidence, require)?;
        Ok(Run { confidence, require, said, ..self })
    }

    /// The run with its data set, which shows points in reports; without it they do without.
    ///
    /// # Errors
    ///
    /// It has another number of points than the run's.
    pub fn with_data(self, data: &Dataset) -> Result<Run, BatchError> {
        let available = self.facts().available;
        if data.len() != available {
            let (path, expected) = (&data.points_origin().source.path, format!("{available}, as the run read"));
            return Err(BatchError::content(path, "points", expected, data.len().to_string()));
        }
        Ok(Run { data: Some(data.clone()), ..self })
    }

    /// The store; of a run that nobody wanted to keep, a file that goes with this value.
    pub fn path(&self) -> &Path {
        self.stored.path()
    }

    /// Whether the store stays.
    pub fn is_kept(&self) -> bool {
        self.folder.is_none()
    }

    /// What was asked.
    pub fn facts(&self) -> &RunFacts {
        self.stored.facts()
    }

    /// How many points came to what. This is proved.
    pub fn counts(&self) -> Counts {
        self.said.counts
    }

    /// The interval for the share of inputs at which the network is correct and robust. This is estimated: see
    /// [`Run::assumptions`].
    pub fn coverage(&self) -> Coverage {
        self.said.coverage
    }

    /// Whether the lower end of the interval reaches the required share; none where nothing was required.
    pub fn gate(&self) -> Option<bool> {
        self.said.gate
    }

    /// The same in a sentence.
    pub fn gate_statement(&self) -> Option<&str> {
        self.said.gate_statement.as_deref()
    }

    /// What is proved of the points, in a sentence.
    pub fn proved(&self) -> &str {
        &self.said.proved
    }

    /// What is estimated of inputs like them, in a sentence.
    pub fn statement(&self) -> &str {
        &self.said.statement
    }

    /// How the interval was computed.
    pub fn interval_method(&self) -> &'static str {
        self.said.method
    }

    /// What the interval takes for granted.
    pub fn assumptions(&self) -> &'static str {
        self.said.assumptions
    }

    /// How the run ended; none where it goes on or was killed.
    pub fn end(&self) -> Option<End> {
        self.said.manifest.map(|manifest| manifest.end)
    }

    /// The root of the Merkle tree over all answers; none where the run has not ended.
    pub fn root(&self) -> Option<Digest> {
        self.said.manifest.map(|manifest| manifest.root)
    }

    /// What became of each point with an answer, in the order of the data, without the evidence.
    pub fn points(&self) -> &[PointFacts] {
        &self.said.points
    }

    /// What became of a point, with certificate and counterexample.
    ///
    /// # Errors
    ///
    /// It has no answer, or the store cannot be read.
    pub fn point(&self, index: usize) -> Result<StoredPoint, BatchError> {
        if self.said.points.binary_search_by_key(&index, |point| point.index).is_err() {
            return Err(BatchError::setting("point", "one with an answer", index.to_string()));
        }
        self.stored.point(index)
    }

    /// Writes the run in some form.
    ///
    /// # Errors
    ///
    /// The file cannot be written.
    pub fn write(&self, form: Form, path: impl AsRef<Path>) -> Result<(), BatchError> {
        let file = OutputFile::prepare(path.as_ref())?;
        file.write(|out| form.write(&self.report().map_err(std::io::Error::other)?, out))
    }

    /// The run in some form, as bytes.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn to_bytes(&self, form: Form) -> Result<Vec<u8>, BatchError> {
        let mut bytes = Vec::new();
        form.write(&self.report()?, &mut bytes).map_err(BatchError::writing(self.path()))?;
        Ok(bytes)
    }

    /// What the run says beyond its points, as one JSON object: intervals by class, the radius curve with its band, the statement over
    /// confident inputs, each with its assumptions; and of the points of a finite population that they were drawn from at random.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or the population makes no sense.
    pub fn estimates(&self, population: Option<usize>) -> Result<serde_json::Value, BatchError> {
        let report = self.report()?;
        let figures = report.figures()?;
        let population = population.map(|size| estimates::population(&report, size)).transpose()?;
        Ok(estimates::to_json(&Estimates { report: &report, figures: &figures, groups: None, population, fresh: None }))
    }

    /// Copies the store to a new file.
    ///
    /// # Errors
    ///
    /// The file exists or cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), BatchError> {
        self.stored.copy_to(path.as_ref())
    }

    /// Has the checker judge every stored answer anew, and computes the figures again: nothing in the store is believed but the
    /// question. The points are those of the data set that is given, else those that the run knows.
    ///
    /// # Errors
    ///
    /// Another network, or points that do not fit or cannot be read.
    pub fn check(&self, network: &Network, data: Option<&Dataset>) -> Result<Audit, BatchError> {
        let read;
        let data = match data.or(self.data.as_ref()) {
            Some(data) => data,
            None => {
                read = audit::points(&self.stored, (None, None))?;
                &read
            }
        };
        let stored = StoredRun::open(self.stored.path())?;
        let named = (network.verifier().network(), network.name());
        Audit::of(&stored, named, data, workers::cores(), |_| ())
    }

    fn report(&self) -> Result<Report<'_>, BatchError> {
        let mut report = Report::of(&self.stored, self.confidence, self.require)?;
        report.is_kept = self.is_kept();
        report.session = self.session;
        report.inputs = Inputs::of(self.data.as_ref(), &question_of(&self.stored)?);
        Ok(report)
    }
}

impl Said {
    fn of(stored: &StoredRun, confidence: f64, require: Option<f64>) -> Result<Said, BatchError> {
        let report = Report::of(stored, confidence, require)?;
        Ok(Said {
            counts: report.summary.counts,
            coverage: report.coverage,
            manifest: report.manifest,
            gate: report.gate(),
            gate_statement: wording::gate(&report),
            proved: wording::proved(&report),
            statement: wording::headline(&report),
            method: report.method(),
            assumptions: wording::headline_assumptions(&report),
            points: report.points,
        })
    }
}
