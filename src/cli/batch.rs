//! `bartizan batch`: a list of queries.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::search::{SearchArgs, SemanticsArgs};
use super::{CliError, Exit, output, progress};
use crate::batch::files;
use crate::batch::output_file::OutputFile;
use crate::batch::queries::{self, Answer, Instance};
use crate::outcome::Verdict;

/// Arguments of `bartizan batch`.
#[derive(Debug, clap::Args)]
pub struct BatchArgs {
    /// Instances: lines `onnx,vnnlib,timeout` without a header, paths relative to the file's folder
    instances: PathBuf,
    /// Write one line for each instance to this CSV file, in the order of the instances
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Write the certificate of each verified instance into this folder
    #[arg(long, value_name = "FOLDER")]
    proofs: Option<PathBuf>,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    semantics: SemanticsArgs,
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
    let mut log = Log::create(&instances, args.results.as_deref(), args.proofs.as_deref())?;
    let jobs = args.search.jobs()?;
    queries::run(&instances, (&folder, &files::Disk, args.semantics.semantics), (&options, jobs), |place, answer| {
        log.add(place, answer);
        Ok::<(), CliError>(())
    })?;
    log.finish(args.json)
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

/// What is printed of an answer.
struct Row {
    verdict: &'static str,
    time: Duration,
    reason: Option<String>,
    certificate: Option<Written>,
}

/// A certificate that has been written.
#[derive(Debug, serde::Serialize)]
struct Written {
    path: PathBuf,
    bytes: usize,
    leaves: usize,
}

/// Takes answers as they come and writes them in the order of the instances.
struct Log<'i> {
    instances: &'i [Instance],
    results: Option<(PathBuf, csv::Writer<File>)>,
    proofs: Option<PathBuf>,
    waiting: BTreeMap<usize, Answer>,
    next: usize,
    rows: Vec<Row>,
    failure: Option<CliError>,
    progress: ProgressBar,
    start: Instant,
}

impl<'i> Log<'i> {
    fn create(instances: &'i [Instance], results: Option<&Path>, proofs: Option<&Path>) -> Result<Self, CliError> {
        let open = |path: &Path| {
            let mut writer = csv::Writer::from_writer(File::create(path).map_err(CliError::writing(path))?);
            write_row(&mut writer, RESULTS_HEADER).map_err(CliError::writing(path))?;
            Ok::<_, CliError>((path.to_owned(), writer))
        };
        let results = results.map(open).transpose()?;
        proofs.map_or(Ok(()), |folder| fs::create_dir_all(folder).map_err(CliError::writing(folder)))?;
        Ok(Log {
            instances,
            results,
            proofs: proofs.map(Path::to_owned),
            waiting: BTreeMap::new(),
            next: 0,
            rows: Vec::new(),
            failure: None,
            progress: progress::bar(instances.len()),
            start: Instant::now(),
        })
    }

    fn add(&mut self, place: usize, answer: Answer) {
        self.waiting.insert(place, answer);
        while let Some(answer) = self.waiting.remove(&self.next) {
            let certificate = self.write_certificate(self.next, &answer).unwrap_or_else(|error| {
                self.failure.get_or_insert(error);
                None
            });
            let (verdict, time, reason) = (answer.word(), answer.time, answer.reason());
            self.rows.push(Row { verdict, time, reason, certificate });
            if let Err(error) = self.write_result(self.next) {
                self.failure.get_or_insert(error);
            }
            self.next += 1;
        }
        self.progress.set_position((self.rows.len() + self.waiting.len()) as u64);
        let solved = self.rows.iter().filter(|r| r.verdict == "verified" || r.verdict == "violated").count();
        self.progress.set_message(format!("{solved} solved"));
    }

    fn write_certificate(&self, place: usize, answer: &Answer) -> Result<Option<Written>, CliError> {
        let (Some(folder), Some(Verdict::Verified(verified, certificate))) = (&self.proofs, answer.verdict()) else {
            return Ok(None);
        };
        let instance = &self.instances[place];
        let stem = |path: &str| {
            let name = Path::new(path.trim_end_matches(".gz")).file_stem();
            name.unwrap_or_default().to_string_lossy().into_owned()
        };
        let path = folder.join(format!("{place:05}.{}.{}.cert", stem(&instance.model), stem(&instance.property)));
        OutputFile::prepare(&path)?.write(|out| out.write_all(certificate))?;
        Ok(Some(Written { path, bytes: certificate.len(), leaves: verified.leaves() }))
    }

    fn write_result(&mut self, place: usize) -> Result<(), CliError> {
        let Some((path, writer)) = &mut self.results else { return Ok(()) };
        let (instance, row) = (&self.instances[place], &self.rows[place]);
        let time = format!("{:.3}", row.time.as_secs_f64());
        let certificate = row.certificate.as_ref().map(|c| c.path.display().to_string()).unwrap_or_default();
        let bytes = row.certificate.as_ref().map(|c| c.bytes.to_string()).unwrap_or_default();
        let reason = row.reason.clone().unwrap_or_default();
        let fields = [&instance.model, &instance.property, row.verdict, &time, &certificate, &bytes, &reason];
        write_row(writer, fields).map_err(CliError::writing(path))
    }

    fn finish(self, json: bool) -> Result<Exit, CliError> {
        self.progress.finish_and_clear();
        let count = |word: &str| self.rows.iter().filter(|r| r.verdict == word).count();
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
        let rows = self.rows.iter().zip(self.instances).map(|(row, instance)| {
            serde_json::json!({
                "onnx": instance.model, "vnnlib": instance.property, "verdict": row.verdict,
                "time_s": row.time.as_secs_f64(), "certificate": row.certificate, "reason": row.reason,
            })
        });
        serde_json::json!({ "time_s": self.start.elapsed().as_secs_f64(), "results": rows.collect::<Vec<_>>() })
    }

    fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "{:<10} {:>6} {:>10} {:>10} {:>10}", "verdict", "count", "median s", "max s", "sum s")?;
        for word in ["verified", "violated", "unknown", "timeout", "error"] {
            let rows = self.rows.iter().filter(|r| r.verdict == word);
            let mut times: Vec<f64> = rows.map(|r| r.time.as_secs_f64()).collect();
            times.sort_by(f64::total_cmp);
            let (Some(longest), Some(median)) = (times.last(), times.get(times.len() / 2)) else { continue };
            let sum: f64 = times.iter().sum();
            writeln!(out, "{word:<10} {:>6} {median:>10.3} {longest:>10.3} {sum:>10.1}", times.len())?;
        }
        writeln!(out, "{} instances in {:.1} s", self.rows.len(), self.start.elapsed().as_secs_f64())
    }

    fn report_errors(&self) {
        for (row, instance) in self.rows.iter().zip(self.instances).filter(|(row, _)| row.verdict == "error") {
            let reason = row.reason.as_deref().unwrap_or_default();
            eprintln!("error: {}, {}: {reason}", instance.model, instance.property);
        }
    }
}

/// Writes a row at once, so that a run that is killed loses no answer.
fn write_row(writer: &mut csv::Writer<File>, row: [&str; 7]) -> io::Result<()> {
    writer.write_record(row)?;
    writer.flush()
}
