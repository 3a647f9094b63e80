//! The command line: one file a command. Results go to standard output, everything else to standard error.

mod batch;
mod bounds;
mod certify;
mod check;
mod check_run;
mod cost;
mod coverage;
mod data;
mod domain;
mod error;
mod inspect;
mod interrupt;
mod merge;
mod output;
mod outputs;
mod progress;
mod radius;
mod report;
mod run;
mod search;
mod verify;
mod volume;

pub use error::CliError;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Proves local robustness of ReLU networks. Every "verified" is backed by a certificate that an independent checker
/// has confirmed with rigorous arithmetic, and every "violated" by a counterexample that it has replayed.
#[derive(Debug, Parser)]
#[command(name = "bartizan", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 verified or gate met, 1 violated or gate not met, 2 usage or input error, \
                          3 unknown (timeouts included)";

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer one VNN-LIB query
    Verify(verify::VerifyArgs),
    /// Answer many VNN-LIB queries in one process
    Batch(batch::BatchArgs),
    /// Certify the points of a data set
    Certify(Box<certify::CertifyArgs>),
    /// Find the largest certified and the smallest falsified radius at the points of a data set
    Radius(Box<radius::RadiusArgs>),
    /// Put the stores of a run's shards together
    Merge(merge::MergeArgs),
    /// Tell what a stored run says, as a page and in other forms
    Report(Box<report::ReportArgs>),
    /// Say what the points of a run tell of inputs that are not among them
    Coverage(Box<coverage::CoverageArgs>),
    /// Measure which share of a property's region is certified, and which violated
    Volume(volume::VolumeArgs),
    /// Check certificates again, from the files alone
    Check(check::CheckArgs),
    /// Prove output intervals around a point, to compare methods
    Bounds(bounds::BoundsArgs),
    /// Show what a network consists of
    Inspect(inspect::InspectArgs),
}

/// How a command ended; the only place that knows exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Verified, or a gate was met, or there was nothing to judge.
    Yes,
    /// Violated, or a gate was not met.
    No,
    /// Unknown.
    Unknown,
    /// Some inputs of a batch could not be read; the others were answered.
    Failed,
}

/// Parses the arguments, runs the command and reports errors.
pub fn run() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Verify(args) => verify::run(&args),
        Command::Batch(args) => batch::run(&args),
        Command::Certify(args) => certify::run(&args),
        Command::Radius(args) => radius::run(&args),
        Command::Merge(args) => merge::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Coverage(args) => coverage::run(&args),
        Command::Volume(args) => volume::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Bounds(args) => bounds::run(&args),
        Command::Inspect(args) => inspect::run(&args),
    };
    match result {
        Ok(Exit::Yes) => ExitCode::SUCCESS,
        Ok(Exit::No) => ExitCode::from(1),
        Ok(Exit::Unknown) => ExitCode::from(3),
        Ok(Exit::Failed) => ExitCode::from(2),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
