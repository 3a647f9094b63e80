//! A run over the points of a data set, as `certify` and `radius` make it.

use std::path::PathBuf;
use std::time::Instant;

use indicatif::ProgressBar;
use tempfile::TempDir;

use super::data::{self, DataArgs};
use super::outputs::{self, OutputArgs, Outputs};
use super::search::{self, SearchArgs};
use super::{CliError, Exit, cost, interrupt, progress};
use crate::batch::answer::PointAnswer;
use crate::batch::dataset::Dataset;
use crate::batch::runner::{Aim, End};
use crate::batch::selection::Shard;
use crate::batch::session::{Begun, Session, Settings};
use crate::batch::{BatchError, selection};
use crate::report::inputs::Inputs;
use crate::report::{self, Report};
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
    /// Whether points that stay unknown are asked about again under real semantics.
    pub is_priced: bool,
}

/// Where the answers go while the run goes on.
struct Place {
    path: PathBuf,
    /// Removed in the end, where nobody asked for the file.
    folder: Option<TempDir>,
}

/// Makes a run. Everything that can be wrong with options, files and points is found before it starts.
pub fn run(args: &RunArgs, kind: Kind) -> Result<Exit, CliError> {
    let (settings, outputs) = (args.settings(kind)?, args.outputs()?);
    cost::check(kind.is_priced, args.data.semantics.semantics)?;
    let verifier = Verifier::new(args.data.network()?);
    let dataset = args.data.dataset()?;
    let settings = Settings { chosen: args.selection(&dataset)?, ..settings };
    let model = args.data.model.display().to_string();
    let session = Session::prepare((&verifier, &model), &dataset, &args.data.perturbation(), &settings)?;
    data::tell_of_integers(session.integers());

    interrupt::watch();
    let start = Instant::now();
    let place = args.place()?;
    let mut begun = session.begin(&place.path, args.resume)?;
    let ended = answer(&session, &mut begun);
    let cost = match &ended {
        Ok(end) if kind.is_priced && *end != End::Interruption => cost::of(&session, begun.run()),
        _ => Ok(None),
    };
    let mut report = Report::of(begun.run(), settings.confidence, settings.require)?;
    report.is_kept = place.folder.is_none();
    // A cost that cannot be told does not take the answers along.
    let counted = cost.map(|cost| report.cost = cost);
    report.session = Some(report::Session { time: start.elapsed(), jobs: settings.jobs });
    report.inputs = Inputs::of(Some(&dataset), session.question());
    let nothing = report.points.is_empty() && ended.is_err();
    let delivered = if nothing { Ok(()) } else { outputs.deliver(&report) };
    let gate = report.gate();
    drop(report);
    begun.close();
    // What ended the run early comes before what it may have done to the report.
    let end = ended?;
    delivered?;
    counted?;
    Ok(match (gate, end) {
        (Some(false), _) => Exit::No,
        (None, End::Interruption) => Exit::Unknown,
        _ => Exit::Yes,
    })
}

/// Answers all points, behind a bar.
fn answer(session: &Session, begun: &mut Begun) -> Result<End, BatchError> {
    let bar = progress::bar(session.selection().len());
    bar.set_position(begun.answered().len() as u64);
    bar.reset_eta();
    let mut tally = Tally::default();
    let ended = begun.answer(|progress| tally.show(progress.answer, &bar));
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
    /// All settings but the choice of points, which depends on the data set.
    fn settings(&self, kind: Kind) -> Result<Settings, CliError> {
        let Kind { aim, is_drawn, .. } = kind;
        Ok(Settings {
            options: Options { cancelled: Some(interrupt::flag()), ..self.search.options()? },
            aim,
            is_drawn,
            chosen: None,
            shard: self.shard()?,
            budget: self.budget.map(|seconds| search::seconds("--budget", seconds)).transpose()?,
            jobs: self.search.jobs()?,
            require: outputs::gate(self.require.as_deref(), self.confidence)?,
            confidence: self.confidence,
        })
    }

    fn outputs(&self) -> Result<Outputs, CliError> {
        self.store.as_ref().map_or(Ok(()), |store| self.outputs.spare("--store", store))?;
        self.outputs.prepare()
    }

    fn selection(&self, dataset: &Dataset) -> Result<Option<Vec<usize>>, CliError> {
        let Some(text) = &self.select else { return Ok(None) };
        selection::parse(text, dataset.len()).map(Some).map_err(|error| match error {
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
}
