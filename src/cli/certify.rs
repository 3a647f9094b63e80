//! `bartizan certify`: local robustness at the points of a data set.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::ValueEnum;

use super::data::DataArgs;
use super::output::{self, OutputFile};
use super::search::SearchArgs;
use super::{CliError, Exit, files, progress};
use crate::batch::dataset::Dataset;
use crate::batch::points::{PointAnswer, Run};
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
    let question = args.data.question(&verifier)?;
    let dataset = args.data.dataset()?;
    let selection = args.selection(&dataset)?;
    let work =
        Run { verifier: &verifier, dataset: &dataset, selection: &selection, question: &question, options: &options };
    work.check()?;

    let start = Instant::now();
    let points = answer(&work, jobs)?;
    let (summary, coverage) = Report::figures(&points, args.confidence);
    let report = Report {
        model: ModelFacts::of(args.data.model.display().to_string(), &verifier),
        data: DataFacts::of(&dataset),
        options: &args.facts(&options, jobs),
        summary,
        coverage,
        time: start.elapsed(),
        points: &points,
    };
    place.deliver(&report)?;
    Ok(if report.gate() == Some(false) { Exit::No } else { Exit::Yes })
}

/// Records of all points, in the order of the data.
fn answer(run: &Run, jobs: usize) -> Result<Vec<PointRecord>, CliError> {
    let bar = progress::bar(run.selection.len());
    let mut points: Vec<PointRecord> = Vec::with_capacity(run.selection.len());
    let mut certified = 0;
    let finished = |answer: PointAnswer| {
        let record = PointRecord::of(&answer);
        certified += usize::from(record.verdict == "certified");
        points.push(record);
        bar.set_message(format!("{certified} certified"));
        bar.inc(1);
        Ok::<(), CliError>(())
    };
    let ended = run.answer(jobs, finished);
    bar.finish_and_clear();
    ended?;
    points.sort_unstable_by_key(|point| point.index);
    Ok(points)
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

    fn facts(&self, options: &Options, jobs: usize) -> OptionFacts {
        let method = options.method.to_possible_value();
        OptionFacts {
            norm: self.data.norm.name(),
            radius: self.data.radius.clone(),
            clip: self.data.clip.clone(),
            mean: self.data.mean.clone(),
            std: self.data.std.clone(),
            select: self.select.clone(),
            method: method.map_or(String::new(), |value| value.get_name().to_owned()),
            timeout: options.timeout.as_secs_f64(),
            seed: options.seed,
            jobs,
            confidence: self.confidence,
            require: self.require,
        }
    }
}
