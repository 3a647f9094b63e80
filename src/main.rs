//! The command line tool; see [`bartizan::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    bartizan::cli::run()
}
