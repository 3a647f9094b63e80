//! Runs whose points are answered elsewhere: by other processes, or on other machines.
//!
//! A [`Plan`] holds the store of a run and gives out tasks; whoever can reach the network's bytes answers one with [`answer`]; the plan
//! takes the answers in, in any order, and any number of times. The store is the one that a single process would have written: a task
//! consists of whole batches of the run, so that certificates are the same, and a task that was lost is simply answered again.

use std::collections::BTreeSet;

use bartizan_proof::certificate::Header;

use super::{Certify, Network, Run, Verifier};
use crate::batch::BatchError;
use crate::batch::answer::PointAnswer;
use crate::batch::dataset::{Arrays, Dataset};
use crate::batch::manifest::Manifest;
use crate::batch::perturbation::Perturbation;
use crate::batch::points::Question;
use crate::batch::runner::{Aim, End, Next, Plan as Course, Run as Work};
use crate::batch::session::{Session, Settings};
use crate::batch::store::{RunFacts, Store, StoredPoint, StoredRun};

/// A run whose points are answered elsewhere.
#[derive(Debug)]
pub struct Plan {
    network: Network,
    data: Dataset,
    question: Question,
    facts: RunFacts,
    selection: Vec<usize>,
    settings: Settings,
    store: Store,
    reader: StoredRun,
    answered: BTreeSet<usize>,
}

/// Some points to be answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Places of the points in the data set.
    pub indices: Vec<usize>,
    /// Which of these have an answer already, as positions in `indices`: they are here for the sake of their batch.
    pub answered: Vec<usize>,
    /// Shape of one point.
    pub shape: Vec<usize>,
    /// The points one after the other, in row-major order and raw units.
    pub elements: Vec<f64>,
    /// Their labels.
    pub labels: Vec<usize>,
}

impl Plan {
    /// Begins a run, or goes on with one, and keeps its store until the end. The store must have been named; orders that may end early
    /// and time limits of the whole run are not for runs that are spread.
    ///
    /// # Errors
    ///
    /// As [`Certify::run`]; another run writes to the store.
    pub fn new(certify: &Certify<'_>) -> Result<Plan, BatchError> {
        let (settings, network, data) = (certify.settings()?, certify.verifier.network.clone(), certify.data.clone());
        for (name, is_given) in [("sequential", settings.is_drawn), ("budget", settings.budget.is_some())] {
            if is_given {
                return Err(BatchError::setting(name, "none, as the run is spread", "one"));
            }
        }
        let Some(path) = certify.store.clone() else {
            return Err(BatchError::setting("store", "a file", "none"));
        };
        let model = (network.verifier(), network.name());
        let session = Session::prepare(model, &data, certify.perturbation, &settings)?;
        let (question, facts) = (session.question().clone(), session.facts().clone());
        let selection = session.selection().to_vec();
        let begun = session.begin(&path, certify.resume)?;
        let answered = begun.answered().iter().copied().collect();
        let (store, reader) = begun.into_parts();
        Ok(Plan { network, data, question, facts, selection, settings, store, reader, answered })
    }

    /// Points without an answer.
    pub fn open(&self) -> usize {
        self.selection.len() - self.answered.len()
    }

    /// Points that the run is about.
    pub fn asked(&self) -> usize {
        self.selection.len()
    }

    /// The places of the points of each task, of about so many points: whole batches, in which at least one point has no answer.
    pub fn blocks(&self, points: usize) -> Vec<Vec<usize>> {
        let batch = self.network.verifier().batch_size(&self.settings.options).max(1);
        let size = points.div_ceil(batch).max(1) * batch;
        let is_open = |block: &&[usize]| block.iter().any(|index| !self.answered.contains(index));
        self.selection.chunks(size).filter(is_open).map(<[usize]>::to_vec).collect()
    }

    /// The task of a block.
    ///
    /// # Errors
    ///
    /// The temporary file that holds the points cannot be read.
    pub fn task(&self, block: &[usize]) -> Result<Task, BatchError> {
        let mut elements = Vec::with_capacity(block.len() * self.data.width());
        for index in block {
            elements.extend(self.data.point(*index)?);
        }
        let is_answered = |place: &usize| self.answered.contains(&block[*place]);
        Ok(Task {
            indices: block.to_vec(),
            answered: (0..block.len()).filter(is_answered).collect(),
            shape: self.data.shape().to_vec(),
            elements,
            labels: block.iter().map(|index| self.data.label(*index)).collect(),
        })
    }

    /// The features that are held fixed, which depend on the data set as a whole: what tasks have to be told.
    pub fn fixed(&self) -> Option<&str> {
        self.facts.fixed.as_deref()
    }

    /// Takes answers in; points that have one are left alone. Returns how many were new.
    ///
    /// # Errors
    ///
    /// An answer to another question; or the store cannot be written.
    pub fn absorb(&mut self, answers: &[StoredPoint]) -> Result<usize, BatchError> {
        let mut fresh = 0;
        for answer in answers {
            let index = answer.facts.index;
            if self.selection.binary_search(&index).is_err() {
                return Err(self.reader.odd(index, "a point that the run asks for", "another"));
            }
            if self.answered.contains(&index) {
                continue;
            }
            let posed = self.question.pose(self.network.verifier().network(), &self.data, index)?;
            let (expected, found) = (posed.property.digest().to_string(), &answer.facts.property_sha256);
            if expected != *found || answer.facts.label != self.data.label(index) {
                return Err(self.reader.odd(index, "an answer to the run's question", "one to another question"));
            }
            let header = answer.certificate.as_ref().map(|certificate| Header::read(certificate)).transpose();
            let header = header.map_err(|refusal| self.reader.odd(index, "a certificate", &refusal.to_string()))?;
            if header.is_some_and(|header| header.semantics != self.facts.semantics) {
                return Err(self.reader.odd(index, "a certificate under the run's semantics", "one under others"));
            }
            self.store.insert_point(answer)?;
            self.answered.insert(index);
            fresh += 1;
        }
        Ok(fresh)
    }

    /// Writes down what the points add up to and ends. A run in which points have no answer counts as interrupted, and can be gone on with.
    ///
    /// # Errors
    ///
    /// The store cannot be written or read.
    pub fn conclude(self) -> Result<Run, BatchError> {
        let Plan { data, settings, mut store, reader, .. } = self;
        let end = if self.answered.len() < self.selection.len() { End::Interruption } else { End::Completion };
        store.conclude(&Manifest::of(&reader, end, settings.confidence)?)?;
        let path = reader.path().to_owned();
        drop(reader);
        store.close();
        Run::open(&path)?.with((None, data), (settings.confidence, settings.require))
    }
}

/// Answers a task of a run with the same settings; `precision` is that of a search for radii. Answers come in the order of the points.
///
/// # Errors
///
/// The points do not fit the network or the question, or threads cannot be started.
pub fn answer(
    verifier: &Verifier,
    perturbation: &Perturbation,
    precision: Option<f64>,
    task: &Task,
) -> Result<Vec<StoredPoint>, BatchError> {
    let mut arrays = Arrays::new(&task.shape, None);
    arrays.push(&task.elements)?;
    let dataset = arrays.finish(task.labels.clone())?;
    let (fixed, _) = perturbation.fixed(&dataset)?;
    let question = perturbation.question(verifier.network.input_shape(), fixed.as_deref())?;
    let aim = precision.map_or(Aim::Verdict, Aim::Bracket);
    let plan = Course { answered: &task.answered, aim, ..Course::simple(verifier.jobs) };
    let selection: Vec<usize> = (0..dataset.len()).collect();
    let work = Work {
        verifier: verifier.network.verifier(),
        dataset: &dataset,
        selection: &selection,
        question: &question,
        options: &verifier.options,
        plan,
    };
    work.check()?;
    let mut answers = Vec::new();
    work.answer(|answer: PointAnswer| {
        answers.push(StoredPoint::of(&PointAnswer { index: task.indices[answer.index], ..answer }));
        Ok::<Next, BatchError>(Next::More)
    })?;
    answers.sort_unstable_by_key(|answer| answer.facts.index);
    Ok(answers)
}
