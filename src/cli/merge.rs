//! `bartizan merge`: one store from those of several shards.

use std::path::PathBuf;

use super::{CliError, Exit};
use crate::batch::merge;

/// Arguments of `bartizan merge`.
#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// Stores of runs that ask the same of different points
    #[arg(required = true)]
    stores: Vec<PathBuf>,
    /// The new store
    #[arg(long, value_name = "FILE")]
    store: PathBuf,
}

/// Runs the command.
pub fn run(args: &MergeArgs) -> Result<Exit, CliError> {
    let merged = merge::merge(&args.stores, &args.store)?;
    let missing = merged.asked - merged.points;
    let rest =
        if missing > 0 { format!("; {missing} of {} points have no answer", merged.asked) } else { String::new() };
    eprintln!("{}: {} points of {} stores{rest}", args.store.display(), merged.points, args.stores.len());
    Ok(if missing > 0 { Exit::Unknown } else { Exit::Yes })
}
