//! A stored run, judged as a whole: what it says of its network, every answer, and what the answers add up to.

use bartizan_proof::{Digest, Network};

use super::BatchError;
use super::dataset::{self, Dataset, Origin, Source};
use super::manifest::{Answered, Manifest, WrongFigure};
use super::perturbation::question_of;
use super::recheck_run::{self, Asked, Findings};
use super::store::StoredRun;
use crate::bound::Model;

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Audit {
    /// What became of the answers.
    pub findings: Findings,
    /// What became of the figures.
    pub figures: Figures,
}

/// What the store says that its points add up to.
#[derive(Clone, Debug, PartialEq)]
pub enum Figures {
    /// Nothing: the run has not ended.
    Missing,
    /// What they do add up to.
    Confirmed(Manifest),
    /// Something else.
    Wrong(WrongFigure),
}

impl Audit {
    /// Judges a run by its network and its points, on `jobs` threads. `finished` is called as each point's check ends, on the calling
    /// thread, with what was found so far. The store is read as it is at the first look, even if the run goes on.
    ///
    /// # Errors
    ///
    /// The network is another one, the data set does not fit, the store cannot be read, or the threads cannot be started.
    pub fn of(
        store: &StoredRun,
        network: (&Network, &str),
        dataset: &Dataset,
        jobs: usize,
        finished: impl FnMut(&Findings),
    ) -> Result<Audit, BatchError> {
        same_network(store, network)?;
        store.hold_still()?;
        let question = question_of(store)?;
        let copy = Model::of(network.0);
        let asked = Asked { network: network.0, model: &copy, dataset, question: &question };
        let (findings, read) = recheck_run::run(store, asked, jobs, finished)?;
        Ok(Audit { findings, figures: Figures::of(store, &read)? })
    }

    /// Whether nothing was refused.
    pub fn is_accepted(&self) -> bool {
        self.findings.refused.is_empty() && !matches!(self.figures, Figures::Wrong(_))
    }
}

impl Figures {
    fn of(store: &StoredRun, read: &[Answered]) -> Result<Figures, BatchError> {
        let Some(stored) = store.manifest()? else { return Ok(Figures::Missing) };
        let computed = Manifest::over(store.facts(), read, stored.end, stored.coverage.confidence)?;
        Ok(computed.wrong_figure(&stored).map_or(Figures::Confirmed(computed), Figures::Wrong))
    }
}

/// Compares what a store says of its network with the network, which has a name.
fn same_network(store: &StoredRun, (network, name): (&Network, &str)) -> Result<(), BatchError> {
    let facts = store.facts();
    if network.digest() != facts.model_sha256 {
        let expected = format!("{}, the model of {}", facts.model_sha256, store.path().display());
        return Err(BatchError::content(name.as_ref(), "SHA-256", expected, network.digest().to_string()));
    }
    let shape = |sides: &[usize]| sides.iter().map(ToString::to_string).collect::<Vec<_>>().join("x");
    let text = |text: Option<&str>| text.map_or("nothing".to_owned(), |text| format!("`{text}`"));
    let columns = [
        ("input_shape", shape(network.input_shape()), shape(&facts.input_shape)),
        ("semantics", network.semantics().to_string(), facts.semantics.to_string()),
        ("classes", network.output_size().to_string(), facts.classes.to_string()),
        ("dropped_activation", text(network.dropped_activation()), text(facts.dropped_activation.as_deref())),
    ];
    match columns.into_iter().find(|(_, expected, found)| expected != found) {
        Some((column, expected, found)) => {
            let expected = format!("{expected}, as the network has");
            Err(BatchError::content(store.path(), &format!("table `run`, column `{column}`"), expected, found))
        }
        None => Ok(()),
    }
}

/// The points of a run, or those in other files, which may hold the same points in another form: every answer is judged by the point
/// itself.
///
/// # Errors
///
/// A file cannot be read; or none is named and the run's own has changed, or there is none.
pub fn points(store: &StoredRun, given: (Option<&str>, Option<&str>)) -> Result<Dataset, BatchError> {
    let (dataset, facts) = (read(store, given)?, store.facts());
    if given.0.is_none() {
        expect_digest(store, dataset.points_origin(), facts.data_sha256)?;
    }
    if given == (None, None) {
        expect_digest(store, dataset.labels_origin(), facts.labels_sha256)?;
    }
    Ok(dataset)
}

/// The points that a run read, perhaps from other places, where their bytes are the same.
///
/// # Errors
///
/// As [`points`], or other bytes.
pub fn same_points(store: &StoredRun, given: (Option<&str>, Option<&str>)) -> Result<Dataset, BatchError> {
    let (dataset, facts) = (read(store, given)?, store.facts());
    expect_digest(store, dataset.points_origin(), facts.data_sha256)?;
    expect_digest(store, dataset.labels_origin(), facts.labels_sha256)?;
    Ok(dataset)
}

fn read(store: &StoredRun, (data, labels): (Option<&str>, Option<&str>)) -> Result<Dataset, BatchError> {
    let facts = store.facts();
    let (data, labels) = (data.unwrap_or(&facts.data), labels.or(facts.labels.as_deref()));
    for (column, name) in [("data", Some(data)), ("labels", labels)] {
        if name.is_some_and(dataset::is_in_memory) {
            let (place, found) = (format!("table `run`, column `{column}`"), "an array that was in memory");
            return Err(BatchError::content(store.path(), &place, "a file, as nobody named one now", found));
        }
    }
    let labels = labels.map(Source::parse);
    Dataset::read(&Source::parse(data), labels.as_ref(), facts.label_column.as_deref())
}

fn expect_digest(store: &StoredRun, found: &Origin, expected: Digest) -> Result<(), BatchError> {
    if found.digest == expected {
        return Ok(());
    }
    let expected = format!("{expected}, the file that {} tells of", store.path().display());
    Err(BatchError::content(&found.source.path, "SHA-256", expected, found.digest.to_string()))
}
