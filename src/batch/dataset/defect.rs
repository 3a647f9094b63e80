//! What is wrong with an input, before it is known which file to blame.

use std::io;
use std::path::Path;

use bartizan_read::ReadError;

use crate::batch::BatchError;

/// A defect of an input that is being read.
#[derive(Debug, thiserror::Error)]
pub enum Defect {
    /// The content is not what it should be.
    #[error("{0}")]
    Content(#[from] ReadError),
    /// The bytes cannot be had.
    #[error("cannot read: {0}")]
    Read(#[from] io::Error),
    /// Something that names its own file.
    #[error(transparent)]
    Elsewhere(#[from] BatchError),
}

impl Defect {
    /// The error that names the file.
    pub fn within(self, path: &Path) -> BatchError {
        match self {
            Defect::Content(error) => BatchError::Content { path: path.to_owned(), error },
            Defect::Read(error) => BatchError::Read { path: path.to_owned(), error },
            Defect::Elsewhere(error) => error,
        }
    }

    /// The defect with a place put in front of its own. Bytes that cannot be unpacked count as content there.
    pub fn in_part(self, place: &str) -> Defect {
        match self {
            Defect::Content(e) => ReadError::part(format!("{place}, {}", e.place), e.expected, e.found).into(),
            Defect::Read(e) => ReadError::part(place, "intact data", e.to_string()).into(),
            Defect::Elsewhere(_) => self,
        }
    }
}
