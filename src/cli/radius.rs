//! `bartizan radius`: the largest certified and the smallest falsified radius at the points of a data set.

use super::run::{self, Kind, RunArgs};
use super::{CliError, Exit};
use crate::batch::runner::Aim;

/// Arguments of `bartizan radius`.
#[derive(Debug, clap::Args)]
pub struct RadiusArgs {
    #[command(flatten)]
    run: RunArgs,
    /// How near the two radii are to come, as a share of --radius, which is the largest that is looked at
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    precision: f64,
}

/// Runs the command.
pub fn run(args: &RadiusArgs) -> Result<Exit, CliError> {
    if !(args.precision > 0.0 && args.precision <= 1.0) {
        let expected = "a share greater than 0 and at most 1, such as 0.01";
        return Err(CliError::option("--precision", expected, args.precision.to_string()));
    }
    run::run(&args.run, Kind { aim: Aim::Bracket(args.precision), is_drawn: false, is_priced: false })
}
