//! `bartizan certify`: local robustness at the points of a data set.

use super::run::{self, Kind, RunArgs};
use super::{CliError, Exit};
use crate::batch::runner::Aim;

/// Arguments of `bartizan certify`.
#[derive(Debug, clap::Args)]
pub struct CertifyArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Answer the points in a random order (by --seed) and stop as soon as the gate is decided; the interval holds at any moment
    #[arg(long)]
    sequential: bool,
    /// Ask again, under real semantics, about the points that stay unknown, and count what float32 semantics cost
    #[arg(long)]
    cost: bool,
}

/// Runs the command.
pub fn run(args: &CertifyArgs) -> Result<Exit, CliError> {
    run::run(&args.run, Kind { aim: Aim::Verdict, is_drawn: args.sequential, is_priced: args.cost })
}
