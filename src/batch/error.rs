//! What can be wrong with a data set or a run over it. Every message names the file, the place, what was expected and
//! what was found.

use std::io;
use std::path::{Path, PathBuf};

use bartizan_proof::{PropertyError, Rejected, SemanticsError};
use bartizan_read::ReadError;

/// An error that prevents an answer or a run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BatchError {
    /// A file that cannot be opened or read.
    #[error("{}: cannot read: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that cannot be written.
    #[error("{}: cannot write: {error}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A network that cannot be judged under the semantics that are meant.
    #[error("{}: {error}", path.display())]
    Semantics {
        /// The file of the network.
        path: PathBuf,
        /// What stands against it.
        error: SemanticsError,
    },
    /// A property that the network does not fit.
    #[error("{}: {error}", path.display())]
    Property {
        /// The file that states the property.
        path: PathBuf,
        /// What does not fit.
        error: PropertyError,
    },
    /// A certificate that does not prove its property.
    #[error("the checker refused the certificate: {0}")]
    Certificate(Rejected),
    /// A temporary file, in which points are kept that do not fit into memory.
    #[error("temporary file in {}: cannot {action}: {error}", folder.display())]
    Temporary {
        /// The folder, which the environment variable `TMPDIR` names.
        folder: PathBuf,
        /// `create`, `read` or `write`.
        action: &'static str,
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
    /// A point about which the question cannot be asked.
    #[error("{}: point {index}: {error}", path.display())]
    Point {
        /// The file that holds the point.
        path: PathBuf,
        /// The point, from 0.
        index: usize,
        /// What does not fit.
        error: PropertyError,
    },
    /// A setting whose value makes no sense.
    #[error("{name}: expected {expected}, found {found}")]
    Setting {
        /// The setting's name; on the command line it stands behind two dashes.
        name: String,
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A choice of points that the data set cannot meet.
    #[error("selection: expected {expected}, found {found}")]
    Selection {
        /// What it should be.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A store of a run that cannot be read or written.
    #[error("{}: cannot {action}: {error}", path.display())]
    Store {
        /// The file.
        path: PathBuf,
        /// `read` or `write`.
        action: &'static str,
        /// Why.
        error: String,
    },
    /// Threads that the system does not give.
    #[error("cannot start {threads} threads: {error}")]
    Threads {
        /// How many were asked for.
        threads: usize,
        /// Why.
        error: String,
    },
}

impl BatchError {
    /// An error in the content of a file, at a named part.
    pub fn content(path: &Path, part: &str, expected: impl Into<String>, found: impl Into<String>) -> BatchError {
        BatchError::Content { path: path.to_owned(), error: ReadError::part(part, expected, found) }
    }

    /// A setting whose value makes no sense.
    pub fn setting(name: &str, expected: impl Into<String>, found: impl Into<String>) -> BatchError {
        BatchError::Setting { name: name.to_owned(), expected: expected.into(), found: found.into() }
    }

    /// A closure that turns an I/O error into a write error of a file.
    pub(crate) fn writing(path: &Path) -> impl FnOnce(io::Error) -> BatchError + '_ {
        move |error| BatchError::Write { path: path.to_owned(), error }
    }

    /// A closure that names the file in which something was found wrong.
    pub(crate) fn within(path: &Path) -> impl Fn(ReadError) -> BatchError + '_ {
        move |error| BatchError::Content { path: path.to_owned(), error }
    }
}
