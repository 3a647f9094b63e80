//! What can go wrong on the command line. Every message names the file, the place, what was expected and what was
//! found.

use std::io;
use std::path::{Path, PathBuf};

use bartizan_read::ReadError;

use crate::batch::BatchError;
use crate::output_bounds::BoundsError;
use crate::volume::VolumeError;

/// An error that ends a command with exit code 2.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A file that cannot be written.
    #[error("{}: cannot write: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file whose content is not what it should be.
    #[error("{}: {error}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// Place, expected and found.
        error: ReadError,
    },
    /// A property whose volume cannot be measured.
    #[error("{}: {error}", path.display())]
    Volume {
        /// The file that states the property.
        path: PathBuf,
        /// Why.
        error: Box<VolumeError>,
    },
    /// A data set, or a run over it.
    #[error(transparent)]
    Batch(BatchError),
    /// Bounds that cannot be proved.
    #[error(transparent)]
    Bounds(#[from] BoundsError),
    /// An option whose value makes no sense.
    #[error("{option}: expected {expected}, found {found}")]
    Option {
        /// The option, as it is typed.
        option: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl From<BatchError> for CliError {
    fn from(error: BatchError) -> CliError {
        match error {
            BatchError::Setting { name, expected, found } => {
                CliError::Option { option: format!("--{}", name.replace('_', "-")), expected, found }
            }
            error => CliError::Batch(error),
        }
    }
}

impl CliError {
    /// An error in the content of a file, at a named part.
    pub fn content(path: &Path, part: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        CliError::Content { path: path.to_owned(), error: ReadError::part(part, expected, found) }
    }

    /// An option whose value makes no sense.
    pub fn option(option: &str, expected: impl Into<String>, found: impl Into<String>) -> Self {
        CliError::Option { option: option.to_owned(), expected: expected.into(), found: found.into() }
    }

    /// A closure that turns an I/O error into a write error of a file.
    pub fn writing(path: &Path) -> impl FnOnce(io::Error) -> CliError + '_ {
        move |error| CliError::Write { path: path.to_owned(), error }
    }
}
