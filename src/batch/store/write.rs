//! Writing a run as it goes on.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bartizan_read::ReadError;
use rusqlite::{Connection, OpenFlags, Params, named_params};

use super::{APPLICATION_ID, PATIENCE, RunFacts, failed};
use crate::batch::BatchError;
use crate::batch::points::{PointAnswer, PointVerdict};

/// Longest time between two flushes while answers come: rarer ones are flushed one by one, and frequent ones do not wait for the disk.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// A store that a run writes to.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    pub(super) connection: Connection,
    /// When the log was last flushed to the disk.
    flushed: Instant,
}

impl Store {
    /// Makes the file and writes down the question.
    ///
    /// # Errors
    ///
    /// There is a file already, or it cannot be written; then none is left behind.
    pub fn create(path: &Path, facts: &RunFacts) -> Result<Store, BatchError> {
        let place = reserve(path)?;
        let begun = begin(&place, facts).map_err(failed(path, "write"));
        let store = |connection| Store { path: path.to_owned(), connection, flushed: Instant::now() };
        begun.map(store).inspect_err(|_| {
            // Nobody else has written to it; whoever tries again should not find it in the way.
            let _ = fs::remove_file(&place);
        })
    }

    /// Commits an answer.
    ///
    /// # Errors
    ///
    /// It cannot be written. Answers that were committed before stay.
    pub fn insert(&mut self, answer: &PointAnswer) -> Result<(), BatchError> {
        let certificate = match &answer.verdict {
            PointVerdict::Certified(verified, bytes) => Some((verified.leaves(), bytes)),
            _ => None,
        };
        let counterexample = answer.verdict.counterexample().map(|violated| bytes_of(violated.point()));
        let row = named_params! {
            ":point": answer.index,
            ":label": answer.label,
            ":verdict": answer.verdict.word(),
            ":time_s": answer.time.as_secs_f64(),
            ":reason": answer.verdict.reason().map(ToString::to_string),
            ":property_sha256": answer.property.to_string(),
            ":counterexample": counterexample,
            ":leaves": certificate.map(|(leaves, _)| leaves),
            ":certificate_bytes": certificate.map(|(_, bytes)| bytes.len()),
            ":certificate": certificate.map(|(_, bytes)| bytes),
        };
        self.commit(INSERT_POINT, row).map_err(failed(&self.path, "write"))
    }

    /// Runs a statement as a transaction of its own, which flushes the log if that is due.
    fn commit(&mut self, statement: &str, parameters: impl Params) -> rusqlite::Result<()> {
        let is_due = self.flushed.elapsed() >= FLUSH_INTERVAL;
        self.connection.pragma_update(None, "synchronous", if is_due { "FULL" } else { "NORMAL" })?;
        self.connection.execute(statement, parameters)?;
        if is_due {
            self.flushed = Instant::now();
        }
        Ok(())
    }

    /// Folds the write-ahead log into the file, so that the store is one file again. Where that fails (a full disk, a reader that
    /// stays), nothing is lost: the log remains beside the file.
    pub fn close(self) {
        let _ = self.connection.pragma_update(None, "journal_mode", "DELETE");
    }
}

const INSERT_POINT: &str = "
INSERT INTO points (point, label, verdict, time_s, reason, property_sha256, counterexample, leaves, certificate_bytes, certificate)
VALUES (:point, :label, :verdict, :time_s, :reason, :property_sha256, :counterexample, :leaves, :certificate_bytes, :certificate)";

/// Makes an empty file where there is none, and tells its absolute path.
fn reserve(path: &Path) -> Result<PathBuf, BatchError> {
    let made = File::create_new(path).and_then(|_| fs::canonicalize(path));
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            let expected = "no file of this name, as a run is never overwritten";
            BatchError::within(path)(ReadError::part("store", expected, "one"))
        }
        _ => failed(path, "write")(error),
    })
}

fn begin(place: &Path, facts: &RunFacts) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_with_flags(place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let transaction = connection.transaction()?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.execute_batch(include_str!("schema.sql"))?;
    facts.insert(&transaction)?;
    transaction.commit()?;
    Ok(connection)
}

fn bytes_of(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}
