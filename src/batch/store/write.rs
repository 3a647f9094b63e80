//! Writing a run as it goes on.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bartizan_read::ReadError;
use rusqlite::{Connection, ErrorCode, OpenFlags, Params, ToSql, named_params};

use super::{APPLICATION_ID, PATIENCE, RunFacts, StoredPoint, StoredRun, failed};
use crate::batch::BatchError;
use crate::batch::answer::PointAnswer;
use crate::batch::manifest::Manifest;

/// Longest time between two flushes while answers come: rarer ones are flushed one by one, and frequent ones do not wait for the disk.
const FLUSH_INTERVAL: Duration = Duration::from_secs(1);

/// A store that a run writes to.
#[derive(Debug)]
pub struct Store {
    path: PathBuf,
    pub(super) connection: Connection,
    /// When the log was last flushed to the disk.
    flushed: Instant,
    /// Held while the run goes on; the system lets go of it if the process is killed.
    _lock: Lock,
}

/// Keeps other runs away from a store.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Where it stays, it does no harm.
        let _ = fs::remove_file(&self.path);
    }
}

impl Store {
    /// Makes the file and writes down the question.
    ///
    /// # Errors
    ///
    /// There is a file already, or it cannot be written; then none is left behind, unless another run has found it meanwhile.
    pub fn create(path: &Path, facts: &RunFacts) -> Result<Store, BatchError> {
        let place = reserve(path)?;
        let lock = own(path, &place)?;
        let connection = begin(&place, facts).map_err(|error| {
            // Nobody else has written to it; whoever tries again should not find it in the way.
            remove(&place);
            failed(path, "write")(error)
        })?;
        Ok(Store { path: path.to_owned(), connection, flushed: Instant::now(), _lock: lock })
    }

    /// Opens the store of a run that asks the same, to go on with it; makes it where there is none, or one that was killed before it had
    /// written down its question.
    ///
    /// # Errors
    ///
    /// It cannot be read or written, something else was asked, or another run writes to it.
    pub fn resume(path: &Path, facts: &RunFacts) -> Result<Store, BatchError> {
        if !path.exists() {
            return Store::create(path, facts);
        }
        if is_unborn(path).map_err(failed(path, "read"))? {
            let place = fs::canonicalize(path).map_err(failed(path, "read"))?;
            let lock = own(path, &place)?;
            let connection = begin(&place, facts).map_err(failed(path, "write"))?;
            return Ok(Store { path: path.to_owned(), connection, flushed: Instant::now(), _lock: lock });
        }
        let run = StoredRun::open(path)?;
        if let Some(difference) = facts.difference(run.facts()) {
            let place = format!("table `run`, column `{}`", difference.column);
            let expected = format!("{}, as this run asks", difference.expected);
            return Err(BatchError::within(path)(ReadError::part(place, expected, difference.found)));
        }
        drop(run);
        let place = fs::canonicalize(path).map_err(failed(path, "read"))?;
        let lock = lock(path, &place)?;
        let connection = connect(&place).and_then(|connection| {
            // What its points add up to will be another thing.
            connection.execute("DELETE FROM manifest", ())?;
            Ok(connection)
        });
        let connection = connection.map_err(failed(path, "write"))?;
        Ok(Store { path: path.to_owned(), connection, flushed: Instant::now(), _lock: lock })
    }

    /// Commits an answer.
    ///
    /// # Errors
    ///
    /// It cannot be written. Answers that were committed before stay.
    pub fn insert(&mut self, answer: &PointAnswer) -> Result<(), BatchError> {
        self.insert_point(&StoredPoint::of(answer))
    }

    /// Commits what another store says of a point.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn insert_point(&mut self, point: &StoredPoint) -> Result<(), BatchError> {
        let facts = &point.facts;
        let row = named_params! {
            ":point": facts.index,
            ":label": facts.label,
            ":predicted": facts.predicted,
            ":confidence": facts.confidence,
            ":verdict": facts.verdict,
            ":time_s": facts.time.as_secs_f64(),
            ":reason": facts.reason,
            ":property_sha256": facts.property_sha256,
            ":certified_share": facts.certified_share,
            ":leaves": facts.leaves,
            ":certificate_bytes": facts.certificate_bytes,
            ":certificate": point.certificate,
            ":falsified_share": facts.falsified_share,
            ":counterexample": point.counterexample.as_deref().map(bytes_of),
            ":counterexample_output": point.counterexample_output.as_deref().map(bytes_of),
        };
        self.commit(INSERT_POINT, row).map_err(failed(&self.path, "write"))
    }

    /// Commits what all points add up to.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn conclude(&mut self, manifest: &Manifest) -> Result<(), BatchError> {
        self.flushed = Instant::now().checked_sub(FLUSH_INTERVAL).unwrap_or(self.flushed);
        manifest
            .write(|statement, row: &[(&str, &dyn ToSql)]| self.commit(statement, row))
            .map_err(failed(&self.path, "write"))
    }

    /// Runs a statement as a transaction of its own, which flushes the log if that is due.
    fn commit(&mut self, statement: &str, parameters: impl Params) -> rusqlite::Result<()> {
        let is_due = self.flushed.elapsed() >= FLUSH_INTERVAL;
        self.connection.pragma_update(None, "synchronous", if is_due { "FULL" } else { "NORMAL" })?;
        self.connection.prepare(statement)?.execute(parameters)?;
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

    /// Takes the store away again, with all that belongs to it.
    pub fn discard(self) {
        let Store { path, connection, _lock: lock, .. } = self;
        drop(connection);
        remove(&path);
        drop(lock);
    }
}

const INSERT_POINT: &str = "
INSERT INTO points (point, label, predicted, confidence, verdict, time_s, reason, property_sha256, certified_share, leaves,
  certificate_bytes, certificate, falsified_share, counterexample, counterexample_output)
VALUES (:point, :label, :predicted, :confidence, :verdict, :time_s, :reason, :property_sha256, :certified_share, :leaves,
  :certificate_bytes, :certificate, :falsified_share, :counterexample, :counterexample_output)";

/// Makes an empty file where there is none, and tells its absolute path.
fn reserve(path: &Path) -> Result<PathBuf, BatchError> {
    let made = File::create_new(path).and_then(|_| fs::canonicalize(path));
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => taken(path),
        _ => failed(path, "write")(error),
    })
}

fn taken(path: &Path) -> BatchError {
    let expected = "no file of this name (--resume goes on with the run of an existing one)";
    BatchError::within(path)(ReadError::part("store", expected, "one"))
}

/// Removes a database with the files that SQLite keeps beside it.
fn remove(place: &Path) {
    for end in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(beside(place, end));
    }
}

/// The file whose name goes on.
fn beside(place: &Path, end: &str) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Locks a store in which nothing has been written. Before the lock, another run that goes on may find the file: it writes to it still, or
/// has even ended.
pub(super) fn own(path: &Path, place: &Path) -> Result<Lock, BatchError> {
    let lock = lock(path, place)?;
    if is_unborn(place).map_err(failed(path, "read"))? { Ok(lock) } else { Err(taken(path)) }
}

/// Locks a file beside the store: a lock on the store itself would get into the way of SQLite's own.
fn lock(path: &Path, place: &Path) -> Result<Lock, BatchError> {
    let lock = beside(place, "-lock");
    loop {
        let file = File::create(&lock).map_err(failed(path, "write"))?;
        match file.try_lock() {
            Ok(()) if is_at(&file, &lock).map_err(failed(path, "read"))? => {
                return Ok(Lock { path: lock, _file: file });
            }
            // Whoever had it has removed it meanwhile.
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let expected = "nobody else who writes to it";
                return Err(BatchError::within(path)(ReadError::part("store", expected, "another run")));
            }
            Err(TryLockError::Error(error)) => return Err(failed(path, "write")(error)),
        }
    }
}

/// Whether an open file is still the one that its path names.
#[cfg(unix)]
pub(super) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;

    let own = file.metadata()?;
    match fs::metadata(path) {
        Ok(named) => Ok((own.dev(), own.ino()) == (named.dev(), named.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Elsewhere files that are open are not removed.
#[cfg(not(unix))]
pub(super) fn is_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

/// Whether a file is a database in which nothing has been written.
fn is_unborn(path: &Path) -> rusqlite::Result<bool> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(PATIENCE)?;
    let tables = connection.query_row("SELECT count(*) FROM sqlite_master", (), |row| row.get::<_, i64>(0));
    match tables {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => Ok(false),
        tables => {
            Ok(tables? == 0 && connection.pragma_query_value(None, "application_id", |row| row.get::<_, i64>(0))? == 0)
        }
    }
}

fn connect(place: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(place, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

fn begin(place: &Path, facts: &RunFacts) -> rusqlite::Result<Connection> {
    let mut connection = connect(place)?;
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
