//! A run from its question to its store. Everything that can be wrong with settings, files and points is found before it begins.

use std::path::Path;
use std::time::Duration;

use bartizan_proof::{Network, Semantics};
use clap::ValueEnum;

use super::BatchError;
use super::answer::PointAnswer;
use super::dataset::Dataset;
use super::gate::Gate;
use super::manifest::Manifest;
use super::perturbation::Perturbation;
use super::points::{Question, has_classes};
use super::runner::{Aim, End, Next, Order, Plan, Run};
use super::selection::{self, Shard};
use super::store::{RunFacts, Store, StoredRun};
use crate::verify::{Options, Verifier};

/// How a run goes about its points, and which of them it takes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Settings of the search; the time limit is that of one point.
    pub options: Options,
    /// What is looked for.
    pub aim: Aim,
    /// Whether points are answered in a drawn order, until what is required is decided.
    pub is_drawn: bool,
    /// The chosen points, in ascending order; none where all are.
    pub chosen: Option<Vec<usize>>,
    /// Which part of these the run answers.
    pub shard: Option<Shard>,
    /// Time limit of the whole run.
    pub budget: Option<Duration>,
    /// Number of threads.
    pub jobs: usize,
    /// The share of correct and robust inputs that is required.
    pub require: Option<f64>,
    /// Confidence of the interval for that share.
    pub confidence: f64,
}

/// A run that is ready to begin.
#[derive(Debug)]
pub struct Session<'a> {
    verifier: &'a Verifier,
    dataset: &'a Dataset,
    settings: &'a Settings,
    perturbation: Perturbation,
    facts: RunFacts,
    question: Question,
    selection: Vec<usize>,
    integers: Vec<String>,
}

/// A run that has a store.
#[derive(Debug)]
pub struct Begun<'s> {
    session: &'s Session<'s>,
    store: Store,
    reader: StoredRun,
    answered: Vec<usize>,
}

/// Something that happened to a run that goes on.
#[derive(Clone, Copy, Debug)]
pub struct Progress<'p> {
    /// The answer that has been stored.
    pub answer: &'p PointAnswer,
    /// How many points have an answer, those of earlier runs on the same store included.
    pub answered: usize,
    /// How many points the run is about.
    pub asked: usize,
}

impl<'a> Session<'a> {
    /// Prepares a run; `model` is the network's name.
    ///
    /// # Errors
    ///
    /// Something does not fit: the data set and the network, the perturbation and the data set, or a chosen point and the question.
    pub fn prepare(
        (verifier, model): (&'a Verifier, &str),
        dataset: &'a Dataset,
        perturbation: &Perturbation,
        settings: &'a Settings,
    ) -> Result<Session<'a>, BatchError> {
        let network = verifier.network();
        has_classes(network, model.as_ref())?;
        dataset.fits(network)?;
        let perturbation = perturbation.inlined()?;
        let (fixed, integers) = perturbation.fixed(dataset)?;
        let question = perturbation.question(network.input_shape(), fixed.as_deref())?;
        let facts = RunFacts { fixed, ..facts((verifier, model), dataset, &perturbation, settings) };
        let selection = facts.asked()?;
        let session = Session { verifier, dataset, settings, perturbation, facts, question, selection, integers };
        session.work(&[]).check()?;
        Ok(session)
    }

    /// How the run goes about its points.
    pub fn settings(&self) -> &Settings {
        self.settings
    }

    /// The network under real semantics.
    ///
    /// # Errors
    ///
    /// The network cannot be meant so.
    pub fn real_network(&self) -> Result<Network, BatchError> {
        let model = Path::new(&self.facts.model);
        self.verifier
            .network()
            .clone()
            .under(Semantics::Real)
            .map_err(|error| BatchError::Semantics { path: model.to_owned(), error })
    }

    /// The same question about the same data set, to another network under other settings.
    ///
    /// # Errors
    ///
    /// As [`Session::prepare`].
    pub fn again<'s>(&'s self, verifier: &'s Verifier, settings: &'s Settings) -> Result<Session<'s>, BatchError> {
        Session::prepare((verifier, &self.facts.model), self.dataset, &self.perturbation, settings)
    }

    /// The question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// What is asked, as a store keeps it.
    pub fn facts(&self) -> &RunFacts {
        &self.facts
    }

    /// The points that the run is about, in ascending order.
    pub fn selection(&self) -> &[usize] {
        &self.selection
    }

    /// Names of the features that are held fixed because they hold integers only, of which the user should know.
    pub fn integers(&self) -> &[String] {
        &self.integers
    }

    /// Makes the store, or opens that of an earlier run that asked the same, to go on with it.
    ///
    /// # Errors
    ///
    /// The store cannot be made, opened or read, something else was asked, or another run writes to it.
    pub fn begin(&self, path: &Path, resume: bool) -> Result<Begun<'_>, BatchError> {
        let open = if resume { Store::resume } else { Store::create };
        let store = open(path, &self.facts)?;
        let reader = StoredRun::open(path)?;
        let answered = reader.indices()?;
        Ok(Begun { session: self, store, reader, answered })
    }

    fn work<'w>(&'w self, answered: &'w [usize]) -> Run<'w> {
        let Settings { options, aim, is_drawn, budget, jobs, .. } = self.settings;
        let order = if *is_drawn { Order::Drawn(options.seed) } else { Order::EasyFirst };
        let plan = Plan { answered, aim: *aim, order, budget: *budget, jobs: *jobs };
        let Session { verifier, dataset, selection, question, .. } = self;
        Run { verifier, dataset, selection, question, options, plan }
    }
}

impl Begun<'_> {
    /// The stored run, for reading.
    pub fn run(&self) -> &StoredRun {
        &self.reader
    }

    /// The points that had an answer at the beginning, in ascending order.
    pub fn answered(&self) -> &[usize] {
        &self.answered
    }

    /// Answers all points that have no answer, until the gate is decided where the order is a drawn one. Each answer is stored as it comes,
    /// then shown to `watch`; in the end the store gets its manifest.
    ///
    /// # Errors
    ///
    /// The store cannot be written or read, or threads cannot be started. Answers that have been stored stay.
    pub fn answer(&mut self, mut watch: impl FnMut(Progress)) -> Result<End, BatchError> {
        let Settings { require, is_drawn, confidence, .. } = self.session.settings;
        let mut gate = require.filter(|_| *is_drawn).map(|share| self.gate(share, *confidence)).transpose()?;
        let (mut answered, asked) = (self.answered.len(), self.session.selection.len());
        let store = &mut self.store;
        let finished = |answer: PointAnswer| {
            store.insert(&answer)?;
            answered += 1;
            watch(Progress { answer: &answer, answered, asked });
            let is_decided = gate.as_mut().is_some_and(|gate| {
                gate.add(answer.index, answer.word());
                gate.is_decided()
            });
            Ok::<Next, BatchError>(if is_decided { Next::Enough } else { Next::More })
        };
        let end = self.session.work(&self.answered).answer(finished)?;
        self.store.conclude(&Manifest::of(&self.reader, end, *confidence)?)?;
        Ok(end)
    }

    /// The store, and the same for reading.
    pub fn into_parts(self) -> (Store, StoredRun) {
        (self.store, self.reader)
    }

    /// Ends the writing: the store is one file again.
    pub fn close(self) {
        let Begun { reader, store, .. } = self;
        drop(reader);
        store.close();
    }

    /// What is required of the run, with what is known of its points.
    fn gate(&self, share: f64, confidence: f64) -> Result<Gate, BatchError> {
        let mut gate = Gate::of(self.reader.facts(), share, confidence)?;
        self.reader.facts_of_points()?.iter().for_each(|point| gate.add(point.index, &point.verdict));
        Ok(gate)
    }
}

/// The question as a store keeps it, without the features that are held fixed.
fn facts(
    (verifier, model): (&Verifier, &str),
    dataset: &Dataset,
    perturbation: &Perturbation,
    settings: &Settings,
) -> RunFacts {
    let (network, named, options) = (verifier.network(), dataset.named(), &settings.options);
    let Perturbation { norm, radius, clip, mean, std, .. } = perturbation.clone();
    RunFacts {
        aim: settings.aim,
        model: model.to_owned(),
        model_sha256: network.digest(),
        input_shape: network.input_shape().to_vec(),
        classes: network.output_size(),
        dropped_activation: network.dropped_activation().map(str::to_owned),
        semantics: network.semantics(),
        data: named.data.clone(),
        data_sha256: dataset.points_origin().digest,
        points_name: dataset.points_origin().source.to_string(),
        labels: named.labels.clone(),
        label_column: named.label_column.clone(),
        labels_sha256: dataset.labels_origin().digest,
        labels_name: dataset.labels_origin().source.to_string(),
        available: dataset.len(),
        selection: settings.chosen.as_deref().map(selection::format),
        selected: settings.chosen.as_ref().map_or(dataset.len(), Vec::len),
        shard: settings.shard,
        is_drawn: settings.is_drawn,
        norm: norm.name().to_owned(),
        radius,
        fixed: None,
        clip,
        mean,
        std,
        method: name_of(options.method),
        split: name_of(options.split),
        timeout: options.timeout.as_secs_f64(),
        attack: options.attack,
        seed: options.seed,
    }
}

/// The name of a choice on the command line.
fn name_of(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
}
