//! `bartizan certify`: local robustness at the points of a data set.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use bartizan_proof::Interval;
use bartizan_proof::property::Normalisation;
use clap::ValueEnum;

use super::output::{self, OutputFile};
use super::search::SearchArgs;
use super::{CliError, Exit, decimals, files, progress};
use crate::batch::dataset::{Dataset, Source};
use crate::batch::points::{PointAnswer, Question, Run};
use crate::batch::{BatchError, selection};
use crate::report::{self, DataFacts, ModelFacts, OptionFacts, PointRecord, Report};
use crate::verify::{Options, Verifier};

/// Arguments of `bartizan certify`.
#[derive(Debug, clap::Args)]
pub struct CertifyArgs {
    /// Network: ONNX or NNet, gzipped or not
    model: PathBuf,
    /// Points in raw units: .npy, .npz (FILE.npz:ARRAY for a certain array) or .csv
    #[arg(long, value_name = "FILE")]
    data: String,
    /// Labels (class indices), where the file of the points does not hold them
    #[arg(long, value_name = "FILE")]
    labels: Option<String>,
    /// The label's column in a .csv file: name, or number from 0 [default: `label`, else the last]
    #[arg(long, value_name = "COLUMN")]
    label_column: Option<String>,
    /// Radius in raw units, such as 0.02 or 8/255; taken exactly
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true)]
    radius: String,
    /// What the radius measures
    #[arg(long, value_enum, default_value_t = Norm::Linf)]
    norm: Norm,
    /// Range of valid raw values, such as 0,1 [default: none]
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true)]
    clip: Option<String>,
    /// Mean to subtract before the network: one number, one a channel, one an element, or a text file of numbers
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    mean: Option<String>,
    /// Standard deviation to divide by before the network; as --mean
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    std: Option<String>,
    /// Points to take, such as 0..200 or 0,5,9 [default: all]
    #[arg(long, value_name = "INDICES")]
    select: Option<String>,
    #[command(flatten)]
    search: SearchArgs,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
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

/// Norms of a radius.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Norm {
    /// The largest change of any element
    Linf,
}

impl Norm {
    fn name(self) -> &'static str {
        match self {
            Norm::Linf => "linf",
        }
    }
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
    let jobs = args.jobs()?;
    args.check_shares()?;
    let place = JsonPlace::of(args.json.as_deref())?;
    let verifier = Verifier::new(files::read_model(&args.model)?);
    let question = args.question(&verifier)?;
    let dataset = args.dataset()?;
    let selection = args.selection(&dataset)?;
    let work =
        Run { verifier: &verifier, dataset: &dataset, selection: &selection, question: &question, options: &options };
    work.check()?;

    let start = Instant::now();
    let points = answer(&work, jobs)?;
    let (summary, coverage) = Report::figures(&points, args.confidence);
    let report = Report {
        model: ModelFacts::of(args.model.display().to_string(), &verifier),
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
    fn jobs(&self) -> Result<usize, CliError> {
        match self.jobs {
            Some(0) => Err(CliError::option("--jobs", "at least one thread", "0")),
            Some(jobs) => Ok(jobs),
            None => Ok(thread::available_parallelism().map_or(1, usize::from)),
        }
    }

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

    fn question(&self, verifier: &Verifier) -> Result<Question, CliError> {
        let network = verifier.network();
        if network.output_size() < 2 {
            let found = network.output_size().to_string();
            return Err(CliError::content(&self.model, "output", "at least two classes", found));
        }
        let clip = self.clip.as_ref().map(|text| decimals::range("--clip", text)).transpose()?;
        let normalisation = self.normalisation(network.input_shape())?;
        Ok(Question { radius: decimals::non_negative("--radius", &self.radius)?, clip, normalisation })
    }

    fn normalisation(&self, shape: &[usize]) -> Result<Option<Normalisation>, CliError> {
        if self.mean.is_none() && self.std.is_none() {
            return Ok(None);
        }
        let numbers = |option: &str, text: &Option<String>, default: f64| match text {
            Some(text) => decimals::per_element(option, text, shape),
            None => Ok(vec![Interval::point(default); shape.iter().product()]),
        };
        let mean = numbers("--mean", &self.mean, 0.0)?;
        let deviation = numbers("--std", &self.std, 1.0)?;
        if let Some(wrong) = deviation.iter().find(|deviation| deviation.lo <= 0.0) {
            return Err(CliError::option("--std", "positive numbers", wrong.middle().to_string()));
        }
        Ok(Some(Normalisation { mean, deviation }))
    }

    fn dataset(&self) -> Result<Dataset, CliError> {
        let labels = self.labels.as_ref().map(|text| Source::parse(text));
        Ok(Dataset::read(&Source::parse(&self.data), labels.as_ref(), self.label_column.as_deref())?)
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
            norm: self.norm.name(),
            radius: self.radius.clone(),
            clip: self.clip.clone(),
            mean: self.mean.clone(),
            std: self.std.clone(),
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
