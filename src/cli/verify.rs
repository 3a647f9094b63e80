//! `bartizan verify`: one query.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bartizan_proof::Semantics;
use serde_json::json;

use super::search::{SearchArgs, SemanticsArgs};
use super::{CliError, Exit, output};
use crate::batch::output_file::OutputFile;
use crate::batch::{BatchError, files, workers};
use crate::outcome::{Outcome, Reason, Verdict};
use crate::verify::Verifier;

/// Arguments of `bartizan verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// Network: ONNX or NNet, gzipped or not
    model: PathBuf,
    /// Property: VNN-LIB 1.0, gzipped or not
    property: PathBuf,
    #[command(flatten)]
    search: SearchArgs,
    #[command(flatten)]
    semantics: SemanticsArgs,
    /// Write the certificate to this file if the property is verified
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t = Format::Text, conflicts_with = "json")]
    format: Format,
}

/// Forms of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A few lines for a person
    Text,
    /// The form of the VNN-COMP competition: sat, unsat, unknown or timeout, and the counterexample
    Vnncomp,
}

/// Runs the command.
pub fn run(args: &VerifyArgs) -> Result<Exit, CliError> {
    let options = args.search.options()?;
    let proof = args.proof.as_deref().map(OutputFile::prepare).transpose()?;
    let property = files::read_property(&args.property)?;
    let verifier = Verifier::new(files::read_model(&args.model, args.semantics.semantics)?);
    let semantics = args.semantics.semantics;
    let outcome = workers::run_one(args.search.jobs()?, || verifier.verify(&property, &options))?
        .map_err(|error| BatchError::Property { path: args.property.clone(), error })?;
    let written = match (&proof, &outcome.verdict) {
        (Some(file), Verdict::Verified(_, certificate)) => file.write(|out| out.write_all(certificate)),
        _ => Ok(()),
    };
    output::print(|out| match args.format {
        _ if args.json => writeln!(out, "{}", to_json(&outcome, (args.proof.as_deref(), semantics))),
        Format::Text => write_text(&outcome, semantics, out),
        Format::Vnncomp => write_vnncomp(&outcome, out),
    })?;
    written?;
    Ok(exit_of(&outcome.verdict))
}

fn exit_of(verdict: &Verdict) -> Exit {
    match verdict {
        Verdict::Verified(..) => Exit::Yes,
        Verdict::Violated(_) => Exit::No,
        Verdict::Unknown(_) => Exit::Unknown,
    }
}

fn to_json(outcome: &Outcome, (proof, semantics): (Option<&Path>, Semantics)) -> serde_json::Value {
    let (model, property) = match &outcome.verdict {
        Verdict::Verified(v, _) => (Some(v.network()), Some(v.property())),
        Verdict::Violated(v) => (Some(v.network()), Some(v.property())),
        Verdict::Unknown(_) => (None, None),
    };
    let counterexample = match &outcome.verdict {
        Verdict::Violated(v) => Some(json!({
            "input": v.point(),
            "output": v.outputs().iter().map(|o| o.middle()).collect::<Vec<f64>>(),
        })),
        _ => None,
    };
    let certificate = match &outcome.verdict {
        Verdict::Verified(v, bytes) => Some(json!({ "path": proof, "bytes": bytes.len(), "leaves": v.leaves() })),
        _ => None,
    };
    json!({
        "verdict": outcome.verdict.word(),
        "semantics": semantics,
        "reason": outcome.verdict.reason().map(|r| r.to_string()),
        "method": outcome.rung.to_string(),
        "domains": outcome.domains,
        "time_s": outcome.time.as_secs_f64(),
        "counterexample": counterexample,
        "certificate": certificate,
        "model": model,
        "property": property,
    })
}

fn write_text(outcome: &Outcome, semantics: Semantics, out: &mut dyn Write) -> io::Result<()> {
    let seconds = outcome.time.as_secs_f64();
    writeln!(out, "{} ({}, {seconds:.3} s)", outcome.verdict.word(), outcome.rung)?;
    match &outcome.verdict {
        Verdict::Verified(v, certificate) => {
            let (cases, leaves, bytes) = (v.cases(), v.leaves(), certificate.len());
            writeln!(out, "{cases} cases refuted; the checker accepted the proof (leaves: {leaves}, bytes: {bytes})")?;
            write_assumptions(semantics, out)
        }
        Verdict::Violated(v) => {
            writeln!(out, "counterexample (replayed with rigorous arithmetic):")?;
            let mut inputs = v.point().iter().enumerate();
            inputs.try_for_each(|(i, x)| writeln!(out, "  X_{i} = {x}"))?;
            let mut outputs = v.outputs().iter().enumerate();
            outputs.try_for_each(|(i, y)| writeln!(out, "  Y_{i} = {}", y.middle()))
        }
        Verdict::Unknown(Reason::Timeout(None)) => {
            writeln!(out, "the time limit was reached before every method was tried")
        }
        Verdict::Unknown(reason) => writeln!(out, "{reason}"),
    }
}

/// What a proof takes for granted beyond the field's usual reading of it.
fn write_assumptions(semantics: Semantics, out: &mut dyn Write) -> io::Result<()> {
    if semantics == Semantics::Real {
        return Ok(());
    }
    writeln!(out, "under {semantics} semantics:")?;
    semantics.assumptions().iter().try_for_each(|assumption| writeln!(out, "  {assumption}"))
}

fn write_vnncomp(outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    match &outcome.verdict {
        Verdict::Verified(..) => writeln!(out, "unsat"),
        Verdict::Violated(v) => {
            let inputs = v.point().iter().enumerate().map(|(i, x)| format!("(X_{i} {x:?})"));
            let outputs = v.outputs().iter().enumerate().map(|(i, y)| format!("(Y_{i} {:?})", y.middle()));
            writeln!(out, "sat\n({})", inputs.chain(outputs).collect::<Vec<_>>().join("\n"))
        }
        Verdict::Unknown(Reason::Timeout(_)) => writeln!(out, "timeout"),
        Verdict::Unknown(_) => writeln!(out, "unknown"),
    }
}
