//! A run in a file: what was asked, and what became of every point, in an embedded SQLite database.
//!
//! The tables are those of `schema.sql`: `run` holds the question in one row, `points` an answer a row, and `manifest`, once the run has
//! ended, what they add up to. Whoever runs SQL on a store finds the same text in it.
//!
//! Every answer is a transaction of its own in SQLite's write-ahead log, which the operating system has before the next one begins: a
//! run that is killed loses the points in flight and nothing else. The log is flushed to the disk when its last flush is a second old, so
//! that a machine that fails takes away what a second brought at most. While a run goes on, and after one that was killed, the newest
//! answers are in `FILE-wal`, which belongs to the store; a run that ends folds it into the file. A lock on `FILE-lock` keeps a second
//! run away meanwhile; after a run that was killed that file means nothing.

mod conclusion;
mod facts;
mod read;
mod write;

pub use facts::RunFacts;
pub(in crate::batch) use read::outputs;
pub use read::{PointFacts, StoredPoint, StoredRun};
pub use write::Store;

use std::fmt::Display;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::BatchError;

/// Version of the tables. A reader takes its own version only.
pub const FORMAT: i64 = 3;

/// What the database's header says of its kind ("brtz").
const APPLICATION_ID: i64 = 0x6272_747a;

/// How long to wait for somebody else who holds the database.
const PATIENCE: Duration = Duration::from_secs(10);

/// First bytes of every SQLite database.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// Whether a file is an SQLite database, and thus a store rather than a certificate.
pub fn is_database(path: &Path) -> bool {
    let mut start = [0; MAGIC.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *MAGIC
}

fn failed<E: Display>(path: &Path, action: &'static str) -> impl FnOnce(E) -> BatchError {
    let path = path.to_owned();
    move |error| BatchError::Store { path, action, error: error.to_string() }
}

#[cfg(test)]
mod tests;
