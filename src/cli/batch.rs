//! `bartizan batch`: a list of queries.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bartizan_proof::{Network, Property};
use indicatif::ProgressBar;

use super::search::SearchArgs;
use super::{CliError, Exit, files, output, progress};
use crate::batch::queries::{self, Answer, Instance};

/// Arguments of `bartizan batch`.
#[derive(Debug, clap::Args)]
pub struct BatchArgs {
    /// Instances: lines `onnx,vnnlib,timeout` without a header, paths relative to the file's folder
    instances: PathBuf,
    /// Write one line for each instance to this CSV file, in the order of the instances
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    #[command(flatten)]
    search: SearchArgs,
    /// Print one JSON object instead of the table
    #[arg(long)]
    json: bool,
}

const RESULTS_HEADER: [&str; 7] = ["onnx", "vnnlib", "verdict", "time_s", "certificate", "certificate_bytes", "reason"];

/// Runs the command. The exit code speaks of the worst instance: an error, then a violation, then an unknown.
pub fn run(args: &BatchArgs) -> Result<Exit, CliError> {
    let options = args.search.options()?;
    let instances = read_instances(&args.instances)?;
    let folder = args.instances.parent().unwrap_or(Path::new("")).to_owned();
    let mut log = Log::create(&instances, args.results.as_deref())?;
    let jobs = args.search.jobs()?;
    queries::run(&instances, (&folder, &Disk), (&options, jobs), |place, answer| {
        log.add(place, answer);
        Ok::<(), CliError>(())
    })?;
    log.finish(args.json)
}

/// Reads files for the runner.
struct Disk;

impl queries::Files for Disk {
    fn model(&self, path: &Path) -> Result<Network, String> {
        files::read_model(path).map_err(|e| e.to_string())
    }

    fn property(&self, path: &Path) -> Result<Property, String> {
        files::read_property(path).map_err(|e| e.to_string())
    }
}

fn read_instances(path: &Path) -> Result<Vec<Instance>, CliError> {
    let bytes = files::read_bytes(path)?;
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(&bytes[..]);
    let mut instances = Vec::new();
    for (line, record) in reader.records().enumerate() {
        let place = format!("line {}", line + 1);
        let record = record.map_err(|e| CliError::content(path, &place, "comma-separated text", e.to_string()))?;
        let fields: Vec<&str> = record.iter().collect();
        let (model, property, timeout) = match fields.as_slice() {
            [model, property] => (model, property, None),
            [model, property, seconds] => {
                let limit = seconds.parse().ok().and_then(|s| Duration::try_from_secs_f64(s).ok());
                let expected = "a time limit in seconds as third field";
                let limit = limit.ok_or_else(|| CliError::content(path, &place, expected, format!("`{seconds}`")))?;
                (model, property, Some(limit))
            }
            other => {
                let expected = "model, property and time limit";
                return Err(CliError::content(path, &place, expected, format!("{} fields", other.len())));
            }
        };
        instances.push(Instance { model: (*model).to_owned(), property: (*property).to_owned(), timeout });
    }
    if instances.is_empty() {
        return Err(CliError::content(path, "file", "at least one instance", "none"));
    }
    Ok(instances)
}

/// Takes answers as they come and writes them in the order of the instances.
struct Log<'i> {
    instances: &'i [Instance],
    results: Option<(PathBuf, csv::Writer<File>)>,
    waiting: BTreeMap<usize, Answer>,
    next: usize,
    rows: Vec<(usize, &'static str, f64, Option<String>)>,
    failure: Option<CliError>,
    progress: ProgressBar,
    start: Instant,
}

impl<'i> Log<'i> {
    fn create(instances: &'i [Instance], results: Option<&Path>) -> Result<Self, CliError> {
        let open = |path: &Path| {
            let mut writer = csv::Writer::from_writer(File::create(path).map_err(CliError::writing(path))?);
            write_row(&mut writer, RESULTS_HEADER).map_err(CliError::writing(path))?;
            Ok::<_, CliError>((path.to_owned(), writer))
        };
        let results = results.map(open).transpose()?;
        let progress = progress::bar(instances.len());
        let (waiting, rows) = (BTreeMap::new(), Vec::new());
        Ok(Log { instances, results, waiting, next: 0, rows, failure: None, progress, start: Instant::now() })
    }

    fn add(&mut self, place: usize, answer: Answer) {
        self.waiting.insert(place, answer);
        while let Some(answer) = self.waiting.remove(&self.next) {
            if let Err(error) = self.write(self.next, &answer) {
                self.failure.get_or_insert(error);
            }
            self.rows.push((self.next, answer.word(), answer.time.as_secs_f64(), answer.reason()));
            self.next += 1;
        }
        self.progress.set_position((self.rows.len() + self.waiting.len()) as u64);
        let solved = self.rows.iter().filter(|r| r.1 == "verified" || r.1 == "violated").count();
        self.progress.set_message(format!("{solved} solved"));
    }

    fn write(&mut self, place: usize, answer: &Answer) -> Result<(), CliError> {
        let Some((path, writer)) = &mut self.results else { return Ok(()) };
        let instance = &self.instances[place];
        let time = format!("{:.3}", answer.time.as_secs_f64());
        let reason = answer.reason().unwrap_or_default();
        let row = [&instance.model, &instance.property, answer.word(), &time, "", "", &reason];
        write_row(writer, row).map_err(CliError::writing(path))
    }

    fn finish(self, json: bool) -> Result<Exit, CliError> {
        self.progress.finish_and_clear();
        let count = |word: &str| self.rows.iter().filter(|r| r.1 == word).count();
        let (errors, violated) = (count("error"), count("violated"));
        let open = count("unknown") + count("timeout");
        output::print(|out| if json { writeln!(out, "{}", self.to_json()) } else { self.write_table(out) })?;
        self.report_errors();
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        Ok(match (errors, violated, open) {
            (0, 0, 0) => Exit::Yes,
            (0, 0, _) => Exit::Unknown,
            (0, _, _) => Exit::No,
            _ => Exit::Failed,
        })
    }

    fn to_json(&self) -> serde_json::Value {
        let rows = self.rows.iter().map(|(place, verdict, time, reason)| {
            let instance = &self.instances[*place];
            serde_json::json!({
                "onnx": instance.model, "vnnlib": instance.property,
                "verdict": verdict, "time_s": time, "reason": reason,
            })
        });
        serde_json::json!({ "time_s": self.start.elapsed().as_secs_f64(), "results": rows.collect::<Vec<_>>() })
    }

    fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{:<10} {:>6} {:>10} {:>10} {:>10}", "verdict", "count", "median s", "max s", "sum s")?;
        for word in ["verified", "violated", "unknown", "timeout", "error"] {
            let mut times: Vec<f64> = self.rows.iter().filter(|r| r.1 == word).map(|r| r.2).collect();
            times.sort_by(f64::total_cmp);
            let (Some(longest), Some(median)) = (times.last(), times.get(times.len() / 2)) else { continue };
            let sum: f64 = times.iter().sum();
            writeln!(out, "{word:<10} {:>6} {median:>10.3} {longest:>10.3} {sum:>10.1}", times.len())?;
        }
        writeln!(out, "{} instances in {:.1} s", self.rows.len(), self.start.elapsed().as_secs_f64())
    }

    fn report_errors(&self) {
        for (place, _, _, reason) in self.rows.iter().filter(|r| r.1 == "error") {
            let instance = &self.instances[*place];
            eprintln!("error: {}, {}: {}", instance.model, instance.property, reason.as_deref().unwrap_or_default());
        }
    }
}

/// Writes a row at once, so that a run that is killed loses no answer.
fn write_row(writer: &mut csv::Writer<File>, row: [&str; 7]) -> io::Result<()> {
    writer.write_record(row)?;
    writer.flush()
}
