//! `bartizan certify`: local robustness at the points of a data set.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;

use super::data::DataArgs;
use super::output::{self, OutputFile};
use super::search::SearchArgs;
use super::{CliError, Exit, decimals, files, progress};
use crate::batch::dataset::Dataset;
use crate::batch::points::{PointAnswer, Run};
use crate::batch::store::{RunFacts, Store};
use crate::batch::{BatchError, selection};
use crate::report::{self, DataFacts, ModelFacts, OptionFacts, PointRecord, Report};
use crate::verify::{Options, Verifier};

/// Arguments of `bartizan certify`.
#[derive(Debug, clap::Args)]
pub struct CertifyArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Points to take, such as 0..200 or 0,5,9 [default: all]
    #[arg(long, value_name = "INDICES")]
    select: Option<String>,
    #[command(flatten)]
    search: SearchArgs,
    /// Fail (exit code 1) unless the share of correct and robust inputs is at least this, with the given confidence
    #[arg(long, value_name = "SHARE")]
    require: Option<f64>,
    /// Confidence of the interval for that share
    #[arg(long, value_name = "SHARE", default_value_t = 0.95)]
    confidence: f64,
    /// Write one JSON object to a file, or to standard output (-) instead of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Keep every answer and its certificate in this new SQLite file, as it comes; `sqlite3 FILE .schema` explains the tables
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// Where the JSON object goes.
enum JsonPlace {
    Nowhere,
    StandardOutput,
    File(OutputFile),
}

/// Runs the command. Everything that can be wrong with options, files and points is found before the run starts.
pub fn run(args: &CertifyArgs) -> Result<Exit, CliError> {
    let options = args.search.options()?;
    let jobs = args.search.jobs()?;
    args.check_shares()?;
    let place = JsonPlace::of(args.json.as_deref())?;
    let verifier = Verifier::new(files::read_model(&args.data.model)?);
    let question = args.data.question(verifier.network())?;
    let dataset = args.data.dataset()?;
    let selection = args.selection(&dataset)?;
    let work =
        Run { verifier: &verifier, dataset: &dataset, selection: &selection, question: &question, options: &options };
    work.check()?;
    let mut store = args.create_store(&work)?;

    let start = Instant::now();
    let (points, ended) = answer(&work, jobs, store.as_mut());
    let ended = match ended {
        Err(error) if points.is_empty() => return Err(error),
        ended => ended,
    };
    let (summary, coverage) = Report::figures(&points, selection.len(), args.confidence);
    let report = Report {
        model: ModelFacts::of(args.data.model.display().to_string(), &verifier),
        data: DataFacts::of(&dataset),
        options: &args.facts(&options, jobs),
        summary,
        coverage,
        time: start.elapsed(),
        store: args.store.as_ref().map(|path| path.display().to_string()),
        points: &points,
    };
    if let Some(store) = store {
        store.close();
    }
    let delivered = place.deliver(&report);
    // What ended the run early comes before what it may have done to the report.
    ended.and(delivered)?;
    Ok(if report.gate() == Some(false) { Exit::No } else { Exit::Yes })
}

/// Records of all points that were answered, in the order of the data, and whether these are all that were asked for. Each answer is
/// stored as it comes, and its certificate forgotten.
fn answer(run: &Run, jobs: usize, mut store: Option<&mut Store>) -> (Vec<PointRecord>, Result<(), CliError>) {
    let bar = progress::bar(run.selection.len());
    let mut points: Vec<PointRecord> = Vec::with_capacity(run.selection.len());
    let mut certified = 0;
    let finished = |answer: PointAnswer| {
        let record = PointRecord::of(&answer);
        certified += usize::from(record.verdict == "certified");
        points.push(record);
        bar.set_message(format!("{certified} certified"));
        bar.inc(1);
        store.as_deref_mut().map_or(Ok(()), |store| store.insert(&answer)).map_err(CliError::from)
    };
    let ended = run.answer(jobs, finished);
    bar.finish_and_clear();
    points.sort_unstable_by_key(|point| point.index);
    (points, ended)
}

impl JsonPlace {
    fn of(path: Option<&Path>) -> Result<Self, CliError> {
        match path {
            None => Ok(JsonPlace::Nowhere),
            Some(path) if path == Path::new("-") => Ok(JsonPlace::StandardOutput),
            Some(path) => OutputFile::prepare(path).map(JsonPlace::File),
        }
    }

    /// The table first, so that a disk that is full takes nothing away from it.
    fn deliver(&self, report: &Report) -> Result<(), CliError> {
        if let JsonPlace::StandardOutput = self {
            return output::print(|writer| report::json::write(report, writer));
        }
        output::print(|writer| report::text::write(report, writer))?;
        match self {
            JsonPlace::File(file) => file.write(|writer| report::json::write(report, writer)),
            _ => Ok(()),
        }
    }
}

impl CertifyArgs {
    fn check_shares(&self) -> Result<(), CliError> {
        if !(self.confidence > 0.0 && self.confidence < 1.0) {
            let expected = "a number between 0 and 1, such as 0.95";
            return Err(CliError::option("--confidence", expected, self.confidence.to_string()));
        }
        match self.require {
            Some(share) if !(0.0..=1.0).contains(&share) => {
                Err(CliError::option("--require", "a share from 0 to 1, such as 0.9", share.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn selection(&self, dataset: &Dataset) -> Result<Vec<usize>, CliError> {
        let Some(text) = &self.select else { return Ok((0..dataset.len()).collect()) };
        selection::parse(text, dataset.len()).map_err(|error| match error {
            BatchError::Selection { expected, found } => CliError::option("--select", expected, found),
            other => other.into(),
        })
    }

    /// Makes the store, where one is asked for.
    fn create_store(&self, run: &Run) -> Result<Option<Store>, CliError> {
        let Some(path) = &self.store else { return Ok(None) };
        if self.json.as_ref().is_some_and(|json| is_same(json, path)) {
            let expected = "another file than that of --json";
            return Err(CliError::option("--store", expected, format!("`{}`", path.display())));
        }
        Ok(Some(Store::create(path, &self.run_facts(run)?)?))
    }

    fn run_facts(&self, run: &Run) -> Result<RunFacts, CliError> {
        let Run { verifier, dataset, selection, options, .. } = run;
        let data = &self.data;
        let numbers = |option, text: &Option<String>| match text {
            Some(text) => decimals::inlined(option, text).map(Some),
            None => Ok(None),
        };
        Ok(RunFacts {
            model: data.model.display().to_string(),
            model_sha256: verifier.network().digest(),
            data: data.data.clone(),
            data_sha256: dataset.points_origin().digest,
            labels: data.labels.clone(),
            label_column: data.label_column.clone(),
            labels_sha256: dataset.labels_origin().digest,
            available: dataset.len(),
            selection: self.select.clone(),
            selected: selection.len(),
            norm: data.norm.name().to_owned(),
            radius: data.radius.clone(),
            clip: data.clip.clone(),
            mean: numbers("--mean", &data.mean)?,
            std: numbers("--std", &data.std)?,
            method: method_name(options),
            timeout: options.timeout.as_secs_f64(),
            attack: options.attack,
            seed: options.seed,
        })
    }

    fn facts(&self, options: &Options, jobs: usize) -> OptionFacts {
        OptionFacts {
            norm: self.data.norm.name(),
            radius: self.data.radius.clone(),
            clip: self.data.clip.clone(),
            mean: self.data.mean.clone(),
            std: self.data.std.clone(),
            select: self.select.clone(),
            method: method_name(options),
            timeout: options.timeout.as_secs_f64(),
            seed: options.seed,
            jobs,
            confidence: self.confidence,
            require: self.require,
        }
    }
}

fn method_name(options: &Options) -> String {
    options.method.to_possible_value().map_or(String::new(), |value| value.get_name().to_owned())
}

/// Whether two paths, whose files need not exist, name one place.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::canonicalize(path).ok().or_else(|| Some(fs::canonicalize(folder).ok()?.join(path.file_name()?)))
    };
    place(one).is_some_and(|one| place(other) == Some(one))
}
