//! A list of queries over a few networks: every network is loaded once and shared by its queries, and queries run in
//! parallel.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bartizan_proof::{Network, Property, Semantics};

use super::{BatchError, workers};
use crate::outcome::{Outcome, Reason, Verdict};
use crate::verify::{Options, Verifier};

/// One line of an instance list.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// The model, as written.
    pub model: String,
    /// The property, as written.
    pub property: String,
    /// The line's own time limit.
    pub timeout: Option<Duration>,
}

/// What became of an instance.
#[derive(Debug)]
pub struct Answer {
    /// The engine's outcome, or the text of the error that prevented one.
    pub outcome: Result<Outcome, String>,
    /// Time from reading the property to the verdict; loading the network is counted to the query that had to wait for it.
    pub time: Duration,
}

impl Answer {
    /// `verified`, `violated`, `unknown`, `timeout` or `error`.
    pub fn word(&self) -> &'static str {
        self.outcome.as_ref().map_or("error", |o| o.verdict.word())
    }

    /// Why there is no verdict.
    pub fn reason(&self) -> Option<String> {
        match &self.outcome {
            Ok(outcome) => outcome.verdict.reason().map(|r| r.to_string()),
            Err(error) => Some(error.clone()),
        }
    }

    /// The verdict, if there was one.
    pub fn verdict(&self) -> Option<&Verdict> {
        self.outcome.as_ref().ok().map(|o| &o.verdict)
    }
}

/// How models and properties are read; errors are complete messages that name the file.
pub trait Files: Sync {
    /// Reads a model, under the semantics that are meant.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn model(&self, path: &Path, semantics: Semantics) -> Result<Network, String>;

    /// Reads a property.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    fn property(&self, path: &Path) -> Result<Property, String>;
}

/// Runs all instances on `jobs` threads; `finished` is called with each instance's place as it ends, on the calling
/// thread.
///
/// Paths are relative to `folder`. A query's time limit is the smaller of its own and the options'. Queries of one
/// network follow each other, and its memory is freed with the last of them.
///
/// # Errors
///
/// The threads cannot be started, or whatever `finished` returns.
pub fn run<E: From<BatchError>>(
    instances: &[Instance],
    (folder, files, semantics): (&Path, &impl Files, Semantics),
    (options, jobs): (&Options, usize),
    mut finished: impl FnMut(usize, Answer) -> Result<(), E>,
) -> Result<(), E> {
    let groups = by_model(instances, semantics);
    let tasks: Vec<(usize, &Group)> = groups.iter().flat_map(|g| g.places.iter().map(move |i| (*i, g))).collect();
    let work = |task: usize| {
        let (place, group) = tasks[task];
        let start = Instant::now();
        let answered = || answer(&instances[place], (folder, group), options, files);
        // One query that hits a bug must not take the others with it.
        let outcome = workers::caught(answered).unwrap_or_else(|text| Err(Reason::Panicked(text).to_string()));
        group.release();
        Answer { outcome, time: start.elapsed() }
    };
    workers::run((tasks.len(), jobs), work, |task, answer| finished(tasks[task].0, answer))
}

/// The instances of one model.
struct Group {
    path: PathBuf,
    semantics: Semantics,
    places: Vec<usize>,
    open: AtomicUsize,
    verifier: Mutex<Option<Result<Arc<Verifier>, String>>>,
}

impl Group {
    /// The network, loaded by whoever asks first.
    fn verifier(&self, folder: &Path, files: &impl Files) -> Result<Arc<Verifier>, String> {
        let load =
            || files.model(&folder.join(&self.path), self.semantics).map(|network| Arc::new(Verifier::new(network)));
        self.slot().get_or_insert_with(load).clone()
    }

    /// Forgets the network once its last instance has ended.
    fn release(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.slot().take();
        }
    }

    fn slot(&self) -> MutexGuard<'_, Option<Result<Arc<Verifier>, String>>> {
        self.verifier.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn by_model(instances: &[Instance], semantics: Semantics) -> Vec<Group> {
    let mut groups: Vec<(PathBuf, Vec<usize>)> = Vec::new();
    let mut known = HashMap::new();
    for (place, instance) in instances.iter().enumerate() {
        let group = *known.entry(instance.model.as_str()).or_insert_with(|| {
            groups.push((PathBuf::from(&instance.model), Vec::new()));
            groups.len() - 1
        });
        groups[group].1.push(place);
    }
    let group = |(path, places): (PathBuf, Vec<usize>)| Group {
        path,
        semantics,
        open: places.len().into(),
        places,
        verifier: Mutex::new(None),
    };
    groups.into_iter().map(group).collect()
}

fn answer(
    instance: &Instance,
    (folder, group): (&Path, &Group),
    options: &Options,
    files: &impl Files,
) -> Result<Outcome, String> {
    let path = folder.join(&instance.property);
    let property = files.property(&path)?;
    let verifier = group.verifier(folder, files)?;
    let timeout = instance.timeout.map_or(options.timeout, |own| own.min(options.timeout));
    let options = Options { timeout, ..options.clone() };
    verifier.verify(&property, &options).map_err(|error| format!("{}: {error}", path.display()))
}
