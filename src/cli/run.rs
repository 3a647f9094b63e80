//! A run over the points of a data set, as `certify` and `radius` make it.

use std::path::PathBuf;
use std::time::Instant;

use clap::ValueEnum;
use indicatif::ProgressBar;
use tempfile::TempDir;

use super::data::DataArgs;
use super::outputs::{self, OutputArgs};
use super::search::{self, SearchArgs};
use super::{CliError, Exit, interrupt, progress};
use crate::batch::answer::PointAnswer;
use crate::batch::dataset::Dataset;
use crate::batch::gate::Gate;
use crate::batch::manifest::Manifest;
use crate::batch::runner::{Aim, End, Next, Order, Plan, Run};
use crate::batch::selection::Shard;
use crate::batch::store::{RunFacts, Store, StoredRun};
use crate::batch::{BatchError, selection};
use crate::report::inputs::Inputs;
use crate::report::{Report, Session};
use crate::verify::{Options, Verifier};

/// Arguments that `certify` and `radius` share.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Points to take, such as 0..200 or 0,5,9 [default: all]
    #[arg(long, value_name = "INDICES")]
    select: Option<String>,
    #[command(flatten)]
    search: SearchArgs,
    /// Time limit of the whole run in seconds; what is not answered by then counts as unknown [default: none]
    #[arg(long, value_name = "SECONDS")]
    budget: Option<f64>,
    /// Keep every answer and its certificate in this SQLite file, as it comes; `sqlite3 FILE .schema` explains the tables
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Go on with the run that --store holds, if there is one; another question is refused
    #[arg(long, requires = "store")]
    resume: bool,
    /// Answer only part I of N of the chosen points; `merge` puts the stores together
    #[arg(long, value_name = "I/N", requires = "store")]
    shard: Option<String>,
    /// Fail (exit code 1) unless the share of correct and robust inputs is at least this, with the given confidence: 0.9, or 'certified>=0.9'
    #[arg(long, value_name = "SHARE")]
    require: Option<String>,
    /// Confidence of the interval for that share
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
    #[command(flatten)]
    outputs: OutputArgs,
}

/// What kind of run it is.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What is looked for.
    pub aim: Aim,
    /// Whether points are answered in a drawn order, until the gate is decided.
    pub is_drawn: bool,
}

/// Where the answers go while the run goes on.
struct Place {
    path: PathBuf,
    /// Removed in the end, where nobody asked for the file.
    folder: Option<TempDir>,
}

/// Makes a run. Everything that can be wrong with options, files and points is found before it starts.
pub fn run(args: &RunArgs, kind: Kind) -> Result<Exit, CliError> {
    let options = Options { cancelled: Some(interrupt::flag()), ..args.search.options()? };
    let (jobs, require) = (args.search.jobs()?, outputs::gate(args.require.as_deref(), args.confidence)?);
    let budget = args.budget.map(|seconds| search::seconds("--budget", seconds)).transpose()?;
    args.store.as_ref().map_or(Ok(()), |store| args.outputs.spare("--store", store))?;
    let outputs = args.outputs.prepare()?;
    let verifier = Verifier::new(args.data.network()?);
    let dataset = args.data.dataset()?;
    dataset.fits(verifier.network())?;
    let fixed = args.data.fixed(&dataset)?;
    let data = args.data.inlined()?;
    let question = data.question(verifier.network(), fixed.as_deref())?;
    let chosen = args.selection(&dataset)?;
    let facts = RunFacts { fixed, ..args.facts((&data, &verifier, &dataset), &options, (kind, &chosen))? };
    let selection = facts.asked()?;
    let order = if kind.is_drawn { Order::Drawn(options.seed) } else { Order::EasyFirst };
    let plan = Plan { answered: &[], aim: kind.aim, order, budget, jobs };
    let (selection, question, options) = (&selection, &question, &options);
    let work = Run { verifier: &verifier, dataset: &dataset, selection, question, options, plan };
    work.check()?;

    interrupt::watch();
    let start = Instant::now();
    let kept = args.place()?;
    let mut store = args.open(&kept, &facts)?;
    let reader = StoredRun::open(&kept.path)?;
    let answered = reader.indices()?;
    let work = Run { plan: Plan { answered: &answered, ..plan }, ..work };
    let watched = require.filter(|_| kind.is_drawn);
    let gate = watched.map(|share| gate(&reader, share, args.confidence)).transpose()?;
    let ended = answer(&work, &mut store, gate);
    let ended = ended.and_then(|end| {
        store.conclude(&Manifest::of(&reader, end, args.confidence)?)?;
        Ok(end)
    });
    let mut report = Report::of(&reader, args.confidence, require)?;
    report.is_kept = kept.folder.is_none();
    report.session = Some(Session { time: start.elapsed(), jobs });
    report.inputs = Inputs::of(Some(&dataset), question);
    let nothing = report.points.is_empty() && ended.is_err();
    let delivered = if nothing { Ok(()) } else { outputs.deliver(&report) };
    let gate = report.gate();
    drop(report);
    drop(reader);
    store.close();
    // What ended the run early comes before what it may have done to the report.
    let end = ended?;
    delivered?;
    Ok(match (gate, end) {
        (Some(false), _) => Exit::No,
        (None, End::Interruption) => Exit::Unknown,
        _ => Exit::Yes,
    })
}

/// What is required of a run, with what is known of its points.
fn gate(run: &StoredRun, share: f64, confidence: f64) -> Result<Gate, BatchError> {
    let mut gate = Gate::of(run.facts(), share, confidence)?;
    run.facts_of_points()?.iter().for_each(|point| gate.add(point.index, &point.verdict));
    Ok(gate)
}

/// Answers all points, until the gate is decided if there is one, and stores each answer as it comes.
fn answer(run: &Run, store: &mut Store, mut gate: Option<Gate>) -> Result<End, CliError> {
    let bar = progress::bar(run.selection.len());
    bar.set_position(run.plan.answered.len() as u64);
    bar.reset_eta();
    let mut tally = Tally::default();
    let finished = |answer: PointAnswer| {
        store.insert(&answer)?;
        tally.show(&answer, &bar);
        let is_decided = gate.as_mut().is_some_and(|gate| {
            gate.add(answer.index, answer.word());
            gate.is_decided()
        });
        Ok::<Next, CliError>(if is_decided { Next::Enough } else { Next::More })
    };
    let ended = run.answer(finished);
    bar.finish_and_clear();
    ended
}

/// Counts of the answers of this session, for the progress bar.
#[derive(Default)]
struct Tally {
    certified: usize,
    falsified: usize,
    misclassified: usize,
    unknown: usize,
}

impl Tally {
    fn show(&mut self, answer: &PointAnswer, bar: &ProgressBar) {
        match answer.word() {
            "certified" => self.certified += 1,
            "falsified" => self.falsified += 1,
            "misclassified" => self.misclassified += 1,
            _ => self.unknown += 1,
        }
        let Tally { certified, falsified, misclassified, unknown } = self;
        bar.set_message(format!(
            "{certified} certified, {falsified} falsified, {misclassified} misclassified, {unknown} unknown"
        ));
        bar.inc(1);
    }
}

impl RunArgs {
    fn selection(&self, dataset: &Dataset) -> Result<Vec<usize>, CliError> {
        let Some(text) = &self.select else { return Ok((0..dataset.len()).collect()) };
        selection::parse(text, dataset.len()).map_err(|error| match error {
            BatchError::Selection { expected, found } => CliError::option("--select", expected, found),
            other => other.into(),
        })
    }

    fn shard(&self) -> Result<Option<Shard>, CliError> {
        let Some(text) = &self.shard else { return Ok(None) };
        let expected = "I/N with I from 1 to N, such as 3/16";
        Shard::parse(text).map(Some).ok_or_else(|| CliError::option("--shard", expected, format!("`{text}`")))
    }

    /// Where answers go: the file that was asked for, or one that is removed in the end.
    fn place(&self) -> Result<Place, CliError> {
        match &self.store {
            Some(path) => Ok(Place { path: path.clone(), folder: None }),
            None => {
                let folder = tempfile::tempdir().map_err(CliError::writing(&std::env::temp_dir()))?;
                interrupt::remove_at_once(folder.path());
                Ok(Place { path: folder.path().join("run.db"), folder: Some(folder) })
            }
        }
    }

    fn open(&self, place: &Place, facts: &RunFacts) -> Result<Store, CliError> {
        let open = if self.resume { Store::resume } else { Store::create };
        Ok(open(&place.path, facts)?)
    }

    fn facts(
        &self,
        (data, verifier, dataset): (&DataArgs, &Verifier, &Dataset),
        options: &Options,
        (kind, chosen): (Kind, &[usize]),
    ) -> Result<RunFacts, CliError> {
        let network = verifier.network();
        Ok(RunFacts {
            aim: kind.aim,
            model: data.model.display().to_string(),
            model_sha256: network.digest(),
            input_shape: network.input_shape().to_vec(),
            classes: network.output_size(),
            dropped_activation: network.dropped_activation().map(str::to_owned),
            data: data.data.clone(),
            data_sha256: dataset.points_origin().digest,
            points_name: dataset.points_origin().source.to_string(),
            labels: data.labels.clone(),
            label_column: data.label_column.clone(),
            labels_sha256: dataset.labels_origin().digest,
            labels_name: dataset.labels_origin().source.to_string(),
            available: dataset.len(),
            selection: self.select.as_ref().map(|_| selection::format(chosen)),
            selected: chosen.len(),
            shard: self.shard()?,
            is_drawn: kind.is_drawn,
            norm: data.norm.name().to_owned(),
            radius: data.radius.clone(),
            fixed: None,
            clip: data.clip.clone(),
            mean: data.mean.clone(),
            std: data.std.clone(),
            method: name_of(options.method),
            split: name_of(options.split),
            timeout: options.timeout.as_secs_f64(),
            attack: options.attack,
            seed: options.seed,
        })
    }
}

/// The name of a choice on the command line.
fn name_of(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
}
