//! Settings of the search that several commands share.

use std::time::Duration;

use bartizan_proof::Semantics;

use super::CliError;
use crate::batch::workers;
use crate::deadline::LONGEST_TIMEOUT;
use crate::verify::{Method, Options, Split};

/// What is meant by the network's outputs.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct SemanticsArgs {
    /// What is meant by the network's outputs
    ///
    /// `real`: real arithmetic on the stored weights. `float32`: every execution in binary32, whatever the order in which it adds, with or
    /// without fused multiply-add.
    #[arg(long = "semantics", value_name = "SEMANTICS", default_value = "real", value_parser = semantics)]
    pub semantics: Semantics,
}

fn semantics(text: &str) -> Result<Semantics, String> {
    text.parse()
}

/// Arguments that become [`Options`].
#[derive(Debug, clap::Args)]
pub struct SearchArgs {
    /// How far up the ladder of methods to go
    #[arg(long, value_enum, default_value_t = Method::Auto)]
    method: Method,
    /// What branch and bound splits
    #[arg(long, value_enum, default_value_t = Split::Auto)]
    split: Split,
    /// Time limit of a query (or of a point) in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    timeout: f64,
    /// Do not look for counterexamples
    #[arg(long)]
    no_attack: bool,
    /// Seed of everything random
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

impl SearchArgs {
    /// The engine's options.
    pub fn options(&self) -> Result<Options, CliError> {
        let timeout = duration(self.timeout)?;
        Ok(Options {
            method: self.method,
            split: self.split,
            timeout,
            attack: !self.no_attack,
            seed: self.seed,
            cancelled: None,
        })
    }

    /// The number of threads.
    pub fn jobs(&self) -> Result<usize, CliError> {
        threads(self.jobs)
    }
}

/// The time limit that `--timeout` asks for.
pub fn duration(seconds: f64) -> Result<Duration, CliError> {
    self::seconds("--timeout", seconds)
}

/// A time that an option asks for.
pub fn seconds(option: &str, seconds: f64) -> Result<Duration, CliError> {
    let timeout = Duration::try_from_secs_f64(seconds).ok().filter(|t| *t <= LONGEST_TIMEOUT);
    let expected = || format!("a number of seconds from 0 to {}", LONGEST_TIMEOUT.as_secs());
    timeout.ok_or_else(|| CliError::option(option, expected(), seconds.to_string()))
}

/// The number of threads that `--jobs` asks for.
pub fn threads(jobs: Option<usize>) -> Result<usize, CliError> {
    match jobs {
        Some(0) => Err(CliError::option("--jobs", "at least one thread", "0")),
        jobs => Ok(jobs.unwrap_or_else(workers::cores)),
    }
}
