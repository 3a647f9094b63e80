//! Reading a run, while it goes on or later.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bartizan_read::ReadError;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{APPLICATION_ID, FORMAT, PATIENCE, RunFacts, failed};
use crate::batch::BatchError;

/// A store that is read, by any number of threads.
#[derive(Debug)]
pub struct StoredRun {
    path: PathBuf,
    facts: RunFacts,
    tool: String,
    started_at: String,
    connection: Mutex<Connection>,
}

/// What a store claims of a point. Nothing of it has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPoint {
    /// The point's place in the data set.
    pub index: usize,
    /// Its label.
    pub label: usize,
    /// The verdict's word.
    pub verdict: String,
    /// Digest of the property, in hexadecimal.
    pub property_sha256: String,
    /// The counterexample, a network input.
    pub counterexample: Option<Vec<f64>>,
    /// The certificate.
    pub certificate: Option<Vec<u8>>,
}

impl StoredRun {
    /// Opens a store for reading only; the run may still go on.
    ///
    /// # Errors
    ///
    /// The file cannot be read, is not a store, or one of another version.
    pub fn open(path: &Path) -> Result<StoredRun, BatchError> {
        let refused = |place: &str, expected: &str, found: &str| {
            Err(BatchError::within(path)(ReadError::part(place, expected, found)))
        };
        let expected = "a run that `bartizan certify --store` wrote";
        let place = fs::canonicalize(path).map_err(failed(path, "read"))?;
        let (connection, kind) = match connect(&place) {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => {
                return refused("file", expected, "something else than an SQLite database");
            }
            result => result.map_err(failed(path, "read"))?,
        };
        if kind != APPLICATION_ID {
            return refused("file", expected, "an SQLite database without one");
        }
        let one = |column: &str| format!("SELECT {column} FROM run WHERE id = 1");
        let format: i64 = connection.query_row(&one("format"), (), |row| row.get(0)).map_err(failed(path, "read"))?;
        if format != FORMAT {
            return refused("table `run`, column `format`", &FORMAT.to_string(), &format.to_string());
        }
        let read = |row: &rusqlite::Row| Ok((RunFacts::of(row)?, row.get("tool")?, row.get("started_at")?));
        let (facts, tool, started_at) = connection.query_row(&one("*"), (), read).map_err(failed(path, "read"))?;
        Ok(StoredRun { path: path.to_owned(), facts, tool, started_at, connection: Mutex::new(connection) })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was asked.
    pub fn facts(&self) -> &RunFacts {
        &self.facts
    }

    /// Name and version of the tool that wrote the store.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// When the run began: RFC 3339, UTC.
    pub fn started_at(&self) -> &str {
        &self.started_at
    }

    /// Places of all points with an answer, in ascending order.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn indices(&self) -> Result<Vec<usize>, BatchError> {
        let read = |connection: &Connection| {
            let mut statement = connection.prepare("SELECT point FROM points ORDER BY point")?;
            statement.query_map((), |row| row.get(0))?.collect()
        };
        self.reading(read)
    }

    /// The answer for a point.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be read.
    pub fn point(&self, index: usize) -> Result<StoredPoint, BatchError> {
        let query = "SELECT * FROM points WHERE point = ?1";
        self.reading(|connection| connection.query_row(query, [index], read_point))
    }

    fn reading<R>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<R>) -> Result<R, BatchError> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        read(&connection).map_err(failed(&self.path, "read"))
    }
}

/// Opens a database for reading, with the kind that its header tells.
fn connect(place: &Path) -> rusqlite::Result<(Connection, i64)> {
    let connection = Connection::open_with_flags(place, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(PATIENCE)?;
    let kind = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok((connection, kind))
}

fn read_point(row: &rusqlite::Row) -> rusqlite::Result<StoredPoint> {
    let counterexample: Option<Vec<u8>> = row.get("counterexample")?;
    Ok(StoredPoint {
        index: row.get("point")?,
        label: row.get("label")?,
        verdict: row.get("verdict")?,
        property_sha256: row.get("property_sha256")?,
        counterexample: counterexample.map(|bytes| numbers_of(&bytes)),
        certificate: row.get("certificate")?,
    })
}

/// The numbers in a BLOB; a rest that is no whole number becomes NaN, which no check accepts.
fn numbers_of(bytes: &[u8]) -> Vec<f64> {
    bytes.chunks(size_of::<f64>()).map(|chunk| chunk.try_into().map_or(f64::NAN, f64::from_le_bytes)).collect()
}
