//! What can be wrong with a file. Every message says where, what was expected and what was found; callers put the
//! file's name in front.

use std::fmt;

use bartizan_proof::error::NetworkError;

/// A place in a model or property file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Offset in a binary file.
    Byte(usize),
    /// Line and column (both from 1) in a text file.
    Text {
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
    },
    /// A named part of the file: `node conv1 (Conv)`, `initializer W`, `graph`.
    Part(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Byte(offset) => write!(f, "byte {offset}"),
            Place::Text { line, column } => write!(f, "line {line}, column {column}"),
            Place::Part(name) => write!(f, "{name}"),
        }
    }
}

/// A model or property that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: expected {expected}, found {found}")]
pub struct ReadError {
    /// Where.
    pub place: Place,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl ReadError {
    /// An error at a named part of a file.
    pub fn part(name: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Self {
        ReadError { place: Place::Part(name.into()), expected: expected.into(), found: found.into() }
    }

    /// An error at a byte of a binary file.
    pub fn byte(offset: usize, expected: impl Into<String>, found: impl Into<String>) -> Self {
        ReadError { place: Place::Byte(offset), expected: expected.into(), found: found.into() }
    }

    /// An error at a line and column (from 1) of a text file.
    pub fn text((line, column): (usize, usize), expected: impl Into<String>, found: impl Into<String>) -> Self {
        ReadError { place: Place::Text { line, column }, expected: expected.into(), found: found.into() }
    }
}

impl From<NetworkError> for ReadError {
    fn from(error: NetworkError) -> Self {
        ReadError::part(
            format!("node {}", error.node),
            "nodes that fit together",
            format!("a node that {}", error.what),
        )
    }
}
