//! `bartizan check`: certificates and runs that were written before, checked again from the files alone.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bartizan_proof::{Digest, Semantics};
use serde_json::json;

use super::{CliError, Exit, check_run, output, progress, search, volume};
use crate::batch::recheck::{self, Claim, Fact, Judgement, Library, Unproved};
use crate::batch::store;
use crate::batch::{BatchError, files};

/// Arguments of `bartizan check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Certificate, a folder of certificates (`.cert`), or a run that `certify --store` wrote
    certificate: PathBuf,
    /// Model that certificates or the run speak of, or a folder of models; may be repeated
    #[arg(long, required = true)]
    model: Vec<PathBuf>,
    /// Property that certificates speak of, or a folder of properties; may be repeated
    #[arg(long)]
    property: Vec<PathBuf>,
    /// Points of the run [default: the file that it read]
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// Labels of the run [default: the file that it read]
    #[arg(long, value_name = "FILE")]
    labels: Option<String>,
    /// Check certificates that `volume --proof` wrote: compute the shares again
    #[arg(long)]
    volume: bool,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command. The exit code speaks of the worst certificate: one that could not be checked, then one that was refused.
pub fn run(args: &CheckArgs) -> Result<Exit, CliError> {
    let jobs = search::threads(args.jobs)?;
    if store::is_database(&args.certificate) {
        return check_run::run(args.run_files()?, jobs, args.json);
    }
    args.check_certificate_options()?;
    let certificates = files_of(&args.certificate, &["cert"])?;
    let library = library(args)?;
    let start = Instant::now();
    let bar = progress::bar(certificates.len());
    let mut judged: Vec<Option<Judgement>> = certificates.iter().map(|_| None).collect();
    let claim = if args.volume { Claim::Volume } else { Claim::Property };
    recheck::run((&certificates, claim), (&library, &files::Disk), jobs, |place, judgement| {
        bar.inc(1);
        judged[place] = Some(judgement);
        Ok::<(), CliError>(())
    })?;
    bar.finish_and_clear();
    let judged: Vec<(PathBuf, Judgement)> =
        certificates.into_iter().zip(judged).filter_map(|(path, judgement)| Some((path, judgement?))).collect();
    let report = Report { judged: &judged, is_volume: args.volume, time: start.elapsed() };
    output::print(|out| if args.json { writeln!(out, "{}", report.to_json()) } else { report.write(out) })?;
    Ok(report.exit())
}

impl CheckArgs {
    fn run_files(&self) -> Result<check_run::Files<'_>, CliError> {
        if let Some(property) = self.property.first() {
            let expected = "none for a run, which builds its own properties";
            return Err(CliError::option("--property", expected, format!("`{}`", property.display())));
        }
        let [model] = self.model.as_slice() else {
            return Err(CliError::option("--model", "the one model of a run", self.model.len().to_string()));
        };
        if self.volume {
            return Err(CliError::option("--volume", "certificates of volume", "a run"));
        }
        let (data, labels) = (self.data.as_deref(), self.labels.as_deref());
        Ok(check_run::Files { store: &self.certificate, model, data, labels })
    }

    fn check_certificate_options(&self) -> Result<(), CliError> {
        for (option, given) in [("--data", &self.data), ("--labels", &self.labels)] {
            if let Some(given) = given {
                let expected = "none for certificates, which speak of properties";
                return Err(CliError::option(option, expected, format!("`{given}`")));
            }
        }
        if self.property.is_empty() {
            return Err(CliError::option("--property", "the properties that the certificates speak of", "none"));
        }
        Ok(())
    }
}

fn library(args: &CheckArgs) -> Result<Library, CliError> {
    let mut library = Library::default();
    for path in &args.model {
        for model in files_of(path, &["onnx", "nnet"])? {
            library.add_model(Digest::of(&files::read_bytes(&model)?), model);
        }
    }
    for path in &args.property {
        for property in files_of(path, &["vnnlib"])? {
            library.add_property(files::read_property(&property)?, property);
        }
    }
    Ok(library)
}

/// A file, or the files of a folder with one of the extensions (gzipped or not), in the order of their names.
fn files_of(path: &Path, extensions: &[&str]) -> Result<Vec<PathBuf>, CliError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let reading = |error: io::Error| BatchError::Read { path: path.to_owned(), error };
    let entries = fs::read_dir(path).map_err(reading)?.collect::<Result<Vec<_>, _>>().map_err(reading)?;
    let fits = |path: &PathBuf| {
        let name = path.to_string_lossy().to_ascii_lowercase();
        let name = name.trim_end_matches(".gz");
        extensions.iter().any(|extension| name.ends_with(&format!(".{extension}")))
    };
    let mut found: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(fits).collect();
    found.sort();
    if found.is_empty() {
        let expected = format!("a file that ends in .{}", extensions.join(" or ."));
        return Err(CliError::content(path, "folder", expected, "none"));
    }
    Ok(found)
}

/// What is said in the end.
struct Report<'r> {
    judged: &'r [(PathBuf, Judgement)],
    is_volume: bool,
    time: Duration,
}

impl Report<'_> {
    fn counts(&self) -> [usize; 3] {
        let mut counts = [0; 3];
        for (_, judgement) in self.judged {
            let place = match &judgement.result {
                Ok(_) => 0,
                Err(Unproved::Refused(_)) => 1,
                Err(Unproved::Failed(_)) => 2,
            };
            counts[place] += 1;
        }
        counts
    }

    fn exit(&self) -> Exit {
        match self.counts() {
            [_, 0, 0] => Exit::Yes,
            [_, _, 0] => Exit::No,
            _ => Exit::Failed,
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        for (path, judgement) in self.judged {
            match &judgement.result {
                Ok(Fact::Verified(_)) => {}
                Ok(Fact::Volume(proved)) => {
                    for (region, shares) in proved.regions().iter().enumerate() {
                        writeln!(out, "{}, region {region}", path.display())?;
                        volume::write_shares(shares, out)?;
                    }
                }
                Err(Unproved::Refused(reason)) => writeln!(out, "refused      {}: {reason}", path.display())?,
                Err(Unproved::Failed(reason)) => writeln!(out, "not checked  {}: {reason}", path.display())?,
            }
        }
        let [accepted, refused, failed] = self.counts();
        let seconds = self.time.as_secs_f64();
        let done = if self.is_volume { "measured" } else { "verified" };
        writeln!(out, "{accepted} {done}, {refused} refused, {failed} not checked in {seconds:.3} s")?;
        let meant = self.judged.iter().filter_map(|(_, judgement)| judgement.result.as_ref().ok().map(Fact::semantics));
        match meant.filter(|semantics| *semantics == Semantics::Float32).count() {
            0 => Ok(()),
            count => writeln!(out, "{count} of them {}", Semantics::Float32.meaning()),
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let results = self.judged.iter().map(|(path, judgement)| {
            let (verdict, reason, leaves) = match &judgement.result {
                Ok(Fact::Verified(verified)) => ("verified", None, Some(verified.leaves())),
                Ok(Fact::Volume(proved)) => ("measured", None, Some(proved.leaves())),
                Err(Unproved::Refused(reason)) => ("refused", Some(reason), None),
                Err(Unproved::Failed(reason)) => ("error", Some(reason), None),
            };
            let time = judgement.time.as_secs_f64();
            let mut result =
                json!({ "certificate": path, "verdict": verdict, "reason": reason, "leaves": leaves, "time_s": time });
            if let Ok(fact) = &judgement.result {
                result["semantics"] = json!(fact.semantics());
            }
            if let Ok(Fact::Volume(proved)) = &judgement.result {
                result["regions"] = json!(proved.regions());
            }
            result
        });
        json!({ "time_s": self.time.as_secs_f64(), "results": results.collect::<Vec<_>>() })
    }
}
