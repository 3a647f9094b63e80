//! `bartizan volume`: which share of a region's volume is certified, and which is violated.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bartizan_proof::{Property, Shares};
use serde_json::json;

use super::search::{self, SemanticsArgs};
use super::{CliError, Exit, output};
use crate::batch::output_file::OutputFile;
use crate::batch::{BatchError, files, workers};
use crate::branch::volume::{Parts, Stop};
use crate::report::html::volume::{Subject, write as write_page};
use crate::verify::Verifier;
use crate::volume::{self, Goal, Measured, percent};

/// Arguments of `bartizan volume`.
#[derive(Debug, clap::Args)]
pub struct VolumeArgs {
    /// Network: ONNX or NNet, gzipped or not
    model: PathBuf,
    /// Property: VNN-LIB 1.0, gzipped or not
    property: PathBuf,
    /// Share of each region that may stay undecided
    #[arg(long, value_name = "SHARE", default_value_t = 0.001)]
    undecided: f64,
    /// Time limit in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    timeout: f64,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    #[command(flatten)]
    semantics: SemanticsArgs,
    /// Write the certificate to this file
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Write a self-contained HTML page to this file, with a picture where two inputs vary
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// What the shares say, and what they do not.
const MEANING: &str = "certified: no counterexample; violated: nothing but counterexamples; shares of the volume of the box, in which all \
                       points count alike, whatever the distribution of data";

/// What the shares say, and under which semantics they were proved.
fn meaning(measured: &Measured) -> String {
    format!("{MEANING}; proved {}.", measured.proved.semantics().meaning())
}

/// Runs the command.
pub fn run(args: &VolumeArgs) -> Result<Exit, CliError> {
    let goal = Goal { undecided: share(args.undecided)?, timeout: search::duration(args.timeout)? };
    let proof = args.proof.as_deref().map(OutputFile::prepare).transpose()?;
    let page = args.report.as_deref().map(OutputFile::prepare).transpose()?;
    let property = files::read_property(&args.property)?;
    let verifier = Verifier::new(files::read_model(&args.model, args.semantics.semantics)?);
    let network = (verifier.network(), verifier.model());
    let measured = workers::run_one(search::threads(args.jobs)?, || volume::measure(network, &property, goal))?
        .map_err(|error| CliError::Volume { path: args.property.clone(), error: Box::new(error) })?;
    let meaning = meaning(&measured);
    let subject = Subject { model: &args.model, path: &args.property, property: &property, meaning: &meaning };
    let written = [
        proof.map_or(Ok(()), |file| file.write(|out| out.write_all(&measured.certificate))),
        page.map_or(Ok(()), |file| file.write(|out| write_page(subject, &measured, out))),
    ];
    output::print(|out| match args.json {
        true => writeln!(out, "{}", to_json(&property, &measured, args.proof.as_deref())),
        false => write_text(&property, &measured, out),
    })?;
    let is_late = measured.regions.iter().any(|(_, stop)| *stop == Stop::Late);
    written.into_iter().collect::<Result<(), BatchError>>()?;
    Ok(if is_late { Exit::Unknown } else { Exit::Yes })
}

/// The share that `--undecided` asks for.
pub fn share(undecided: f64) -> Result<f64, CliError> {
    let given = Some(undecided).filter(|share| (0.0..=1.0).contains(share));
    given.ok_or_else(|| CliError::option("--undecided", "a share from 0 to 1", undecided.to_string()))
}

/// Why a region was not split any further.
fn reason(stop: Stop) -> &'static str {
    match stop {
        Stop::Enough => "little enough is undecided",
        Stop::TooNarrow => "what is undecided is too narrow to be split",
        Stop::Full => "there is no memory left for more parts",
        Stop::Late => "the time limit was reached",
    }
}

fn write_text(property: &Property, measured: &Measured, out: &mut dyn Write) -> io::Result<()> {
    for (region, (shares, (parts, stop))) in measured.proved.regions().iter().zip(&measured.regions).enumerate() {
        let Parts { certified, violated, undecided } = parts;
        writeln!(out, "region {region}")?;
        let inputs = property.regions()[region].bounds.iter().map(|bound| bound.outer()).enumerate();
        inputs.into_iter().try_for_each(|(i, ends)| writeln!(out, "  X_{i} in [{}, {}]", ends.lo, ends.hi))?;
        write_shares(shares, out)?;
        let sum = certified + violated + undecided;
        writeln!(out, "  parts      {sum}: {certified} certified, {violated} violated, {undecided} undecided")?;
        writeln!(out, "  end        {}", reason(*stop))?;
    }
    let (leaves, bytes) = (measured.proved.leaves(), measured.certificate.len());
    writeln!(
        out,
        "the checker accepted the certificate (leaves: {leaves}, bytes: {bytes}) and computed the shares from it"
    )?;
    writeln!(out, "{}", meaning(measured))?;
    writeln!(out, "time {:.3} s", measured.time.as_secs_f64())
}

/// The shares of a region in percent, rounded against what is claimed.
pub fn write_shares(shares: &Shares, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "  certified  at least {:>9} %", percent(shares.certified(), false))?;
    writeln!(out, "  violated   at least {:>9} %", percent(shares.violated(), false))?;
    writeln!(out, "  undecided  at most  {:>9} %", percent(shares.undecided(), true))
}

fn to_json(property: &Property, measured: &Measured, proof: Option<&Path>) -> serde_json::Value {
    let region = |(region, (shares, (parts, stop))): (usize, (&Shares, &(Parts, Stop)))| {
        let ends = property.regions()[region].bounds.iter().map(|bound| bound.outer());
        json!({
            "region": region,
            "domain": ends.map(|ends| [ends.lo, ends.hi]).collect::<Vec<_>>(),
            "certified": shares.certified(),
            "violated": shares.violated(),
            "undecided": shares.undecided(),
            "parts": { "certified": parts.certified, "violated": parts.violated, "undecided": parts.undecided },
            "reason": reason(*stop),
        })
    };
    let pairs = measured.proved.regions().iter().zip(&measured.regions).enumerate();
    let (leaves, bytes) = (measured.proved.leaves(), measured.certificate.len());
    json!({
        "regions": pairs.map(region).collect::<Vec<_>>(),
        "semantics": measured.proved.semantics(),
        "meaning": meaning(measured),
        "time_s": measured.time.as_secs_f64(),
        "certificate": { "path": proof, "bytes": bytes, "leaves": leaves },
        "model": measured.proved.network(),
        "property": measured.proved.property(),
    })
}
