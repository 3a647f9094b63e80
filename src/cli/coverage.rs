//! `bartizan coverage`: what the points of a run say of inputs that are not among them.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::PathBuf;

use super::domain::{self, Domain};
use super::outputs::gate;
use super::search::SemanticsArgs;
use super::{CliError, Exit, output, search, volume};
use crate::batch::audit;
use crate::batch::dataset::{Dataset, Source};
use crate::batch::perturbation::question_of;
use crate::batch::store::StoredRun;
use crate::batch::{fresh, selection};
use crate::coverage::global;
use crate::report::Report;
use crate::report::estimates::{self, Estimates, Fresh, Groups};
use crate::report::figures::{self, Request};
use crate::report::inputs::Inputs;
use crate::volume::Goal;

/// Options that say something of a run, and nothing of a domain.
const OF_RUNS: [&str; 10] = [
    "confidence",
    "require",
    "population",
    "group_by",
    "groups",
    "fresh",
    "fresh_labels",
    "fresh_select",
    "data",
    "labels",
];

/// Arguments of `bartizan coverage`.
#[derive(Debug, clap::Args)]
pub struct CoverageArgs {
    /// The store of a run, or with --domain a network
    #[arg(value_name = "RUN.db|MODEL")]
    subject: PathBuf,
    /// Instead of a run: which class the network gives how large a share of a box, LO,HI for all inputs or LO,HI;LO,HI;... one by one
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true, conflicts_with_all = OF_RUNS)]
    domain: Option<String>,
    /// With --domain: share of the box that may stay undecided for each class
    #[arg(long, value_name = "SHARE", default_value_t = 0.001, requires = "domain")]
    undecided: f64,
    /// With --domain: time limit in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0, requires = "domain")]
    timeout: f64,
    /// Confidence of every figure [default: that of the run, else 0.95]
    #[arg(long, value_name = "SHARE")]
    confidence: Option<f64>,
    /// Fail (exit code 1) unless the share of correct and robust inputs is at least this: 0.9, or 'certified>=0.9'
    #[arg(long, value_name = "SHARE")]
    require: Option<String>,
    /// The points were drawn at random from this many; say what holds of these
    #[arg(long, value_name = "N")]
    population: Option<usize>,
    #[command(flatten)]
    semantics: SemanticsArgs,
    /// Also group the points by this column of the table that they come from
    #[arg(long, value_name = "COLUMN", conflicts_with = "groups")]
    group_by: Option<String>,
    /// Also group the points by the numbers in this file, one for each point of the data set, as labels are written
    #[arg(long, value_name = "FILE")]
    groups: Option<String>,
    /// Inputs that the run has not seen: count those inside certified regions
    #[arg(long, value_name = "PATH")]
    fresh: Option<String>,
    /// Their labels, where their file does not hold them; they are not used
    #[arg(long, value_name = "FILE", requires = "fresh")]
    fresh_labels: Option<String>,
    /// Which of them to take, such as 0..200 [default: all]
    #[arg(long, value_name = "INDICES", requires = "fresh")]
    fresh_select: Option<String>,
    /// The points that the run read, where their file has another place now
    #[arg(long, value_name = "PATH")]
    data: Option<String>,
    /// The labels, likewise
    #[arg(long, value_name = "FILE")]
    labels: Option<String>,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Of a run that has not ended and said nothing of it.
const CONFIDENCE: f64 = 0.95;

/// The most groups of a column or a file: each costs confidence of all others.
const MOST_GROUPS: usize = 256;

/// Runs the command.
pub fn run(args: &CoverageArgs) -> Result<Exit, CliError> {
    if let Some(ends) = &args.domain {
        let goal = Goal { undecided: volume::share(args.undecided)?, timeout: search::duration(args.timeout)? };
        let semantics = args.semantics.semantics;
        let (model, jobs, is_json) = (&args.subject, search::threads(args.jobs)?, args.json);
        return domain::run(Domain { model, semantics, ends, goal, jobs, is_json });
    }
    let run = StoredRun::open(&args.subject)?;
    let stored = run.manifest()?.map(|manifest| manifest.coverage.confidence);
    let confidence = args.confidence.or(stored).unwrap_or(CONFIDENCE);
    let require = gate(args.require.as_deref(), confidence)?;
    let jobs = search::threads(args.jobs)?;
    let mut report = Report::of(&run, confidence, require)?;
    let needs_points = args.group_by.is_some() || args.groups.is_some() || args.fresh.is_some();
    let is_open = report.summary.counts.unanswered > 0;
    let dataset = match args.dataset(&run) {
        Ok(dataset) => Some(dataset),
        Err(error) if needs_points || args.data.is_some() || args.labels.is_some() => return Err(error),
        Err(error) if is_open => {
            eprintln!("note: nobody knows the classes of points without an answer (--data names them): {error}");
            None
        }
        Err(_) => None,
    };
    let question = question_of(&run)?;
    report.inputs = Inputs::of(dataset.as_ref(), &question);
    let figures = report.figures()?;
    let estimates = Estimates {
        report: &report,
        figures: &figures,
        groups: dataset.as_ref().map(|dataset| args.groups(dataset, &report)).transpose()?.flatten(),
        population: args.population.map(|size| estimates::population(&report, size)).transpose()?,
        fresh: match (&args.fresh, &dataset) {
            (Some(name), Some(dataset)) => {
                let (sample, chosen) = args.fresh(name, dataset, &run)?;
                let found = fresh::inside(&question, (dataset, &report.points), (&sample, &chosen), jobs)?;
                let inside = found.iter().filter(|is_inside| **is_inside).count();
                let (name, points) = (sample.points_origin().source.to_string(), chosen.len());
                Some(Fresh { name, points, inside, coverage: global::fresh(inside, points, confidence) })
            }
            _ => None,
        },
    };
    output::print(|out| match args.json {
        true => writeln!(out, "{}", estimates::to_json(&estimates)),
        false => estimates::write(&estimates, out),
    })?;
    Ok(if report.gate() == Some(false) { Exit::No } else { Exit::Yes })
}

impl CoverageArgs {
    fn dataset(&self, run: &StoredRun) -> Result<Dataset, CliError> {
        Ok(audit::same_points(run, (self.data.as_deref(), self.labels.as_deref()))?)
    }

    /// The groups that somebody asked for.
    fn groups(&self, dataset: &Dataset, report: &Report) -> Result<Option<Groups>, CliError> {
        let (by, of_point, names) = match (&self.group_by, &self.groups) {
            (Some(column), _) => {
                let (of_point, names) = groups_of_column(dataset, column)?;
                (column.clone(), of_point, names)
            }
            (_, Some(file)) => {
                let of_point = Dataset::read_labels(&Source::parse(file), None)?;
                if of_point.len() != dataset.len() {
                    let expected = format!("{} numbers, one for each point of the data set", dataset.len());
                    return Err(CliError::option("--groups", expected, of_point.len().to_string()));
                }
                let Some((of_point, names)) = numbered(&of_point) else {
                    let expected = format!("at most {MOST_GROUPS} different numbers");
                    return Err(CliError::option("--groups", expected, format!("more in `{file}`")));
                };
                (file.clone(), of_point, names)
            }
            _ => return Ok(None),
        };
        let asked = report.facts().asked()?;
        let is_open = |index: &&usize| report.points.binary_search_by_key(*index, |point| point.index).is_err();
        let open: Vec<usize> = asked.iter().filter(is_open).map(|index| of_point[*index]).collect();
        let (confidence, require) = (report.coverage.confidence, report.require);
        let request = Request { confidence, require, open_labels: Some(&open) };
        let figures = figures::groups(report.facts(), &report.points, |point| of_point[point.index], request);
        Ok(Some(Groups { by, names, figures }))
    }

    /// The fresh inputs, and which of them are meant; none of them is a point of the run.
    fn fresh(&self, name: &str, dataset: &Dataset, run: &StoredRun) -> Result<(Dataset, Vec<usize>), CliError> {
        let labels = self.fresh_labels.as_ref().map(|text| Source::parse(text));
        let sample = Dataset::read(&Source::parse(name), labels.as_ref(), run.facts().label_column.as_deref())?;
        if sample.width() != dataset.width() {
            let expected = format!("{} elements a point, as the run's have", dataset.width());
            return Err(CliError::option("--fresh", expected, sample.width().to_string()));
        }
        let chosen = match &self.fresh_select {
            Some(text) => selection::parse(text, sample.len())?,
            None => (0..sample.len()).collect(),
        };
        let asked = run.facts().asked()?;
        let is_same_file = sample.points_origin().digest == dataset.points_origin().digest;
        match chosen.iter().find(|index| is_same_file && asked.binary_search(index).is_ok()) {
            None => Ok((sample, chosen)),
            Some(index) => {
                let expected = "inputs that are no points of the run (--fresh-select chooses)";
                Err(CliError::option("--fresh", expected, format!("point {index} of the same file")))
            }
        }
    }
}

/// The group of each point by the values of a column, and the groups' names.
fn groups_of_column(dataset: &Dataset, column: &str) -> Result<(Vec<usize>, Vec<String>), CliError> {
    let columns = dataset.columns().unwrap_or_default();
    let Some(place) = columns.iter().position(|name| name == column) else {
        let found = match columns {
            [] => "no table".to_owned(),
            _ => format!("`{}`", columns.join("`, `")),
        };
        return Err(CliError::option("--group-by", format!("a column `{column}` of the data set"), found));
    };
    // Ordered as numbers are, zeros of both signs alike.
    let value = |index: usize| Ok(Ordered(dataset.point(index)?[place] + 0.0));
    let values = (0..dataset.len()).map(value).collect::<Result<Vec<Ordered>, CliError>>()?;
    numbered(&values).ok_or_else(|| {
        let expected = format!("a column of at most {MOST_GROUPS} different values");
        CliError::option("--group-by", expected, format!("more in `{column}`"))
    })
}

/// The place of each value among the different ones in their order, and the names of these; none where they are too many.
fn numbered<V: Ord + Display>(values: &[V]) -> Option<(Vec<usize>, Vec<String>)> {
    let mut numbers = BTreeMap::new();
    for value in values {
        numbers.insert(value, 0);
        if numbers.len() > MOST_GROUPS {
            return None;
        }
    }
    numbers.values_mut().enumerate().for_each(|(number, slot)| *slot = number);
    let names = numbers.keys().map(ToString::to_string).collect();
    Some((values.iter().map(|value| numbers[value]).collect(), names))
}

/// Finite numbers in their order.
#[derive(Clone, Copy, PartialEq)]
struct Ordered(f64);

impl Eq for Ordered {}

impl Display for Ordered {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}
