//! Reading a run, while it goes on or later.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bartizan_proof::{Digest, Violated};
use bartizan_read::ReadError;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::{APPLICATION_ID, FORMAT, PATIENCE, RunFacts, failed};
use crate::batch::BatchError;
use crate::batch::answer::PointAnswer;
use crate::batch::manifest::{Entry, Manifest};

/// A store that is read, by any number of threads.
#[derive(Debug)]
pub struct StoredRun {
    path: PathBuf,
    facts: RunFacts,
    tool: String,
    started_at: String,
    connection: Mutex<Connection>,
}

/// What a store claims of a point, without the evidence. Nothing of it has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct PointFacts {
    /// The point's place in the data set.
    pub index: usize,
    /// Its label.
    pub label: usize,
    /// The class that the network gives it.
    pub predicted: usize,
    /// That class's share of the outputs' softmax.
    pub confidence: f64,
    /// The verdict's word.
    pub verdict: String,
    /// How long it took.
    pub time: Duration,
    /// Why no more was shown.
    pub reason: Option<String>,
    /// Digest of the property within the whole radius, in hexadecimal.
    pub property_sha256: String,
    /// The certified share of the radius.
    pub certified_share: Option<f64>,
    /// Leaves of the certificate's proof trees.
    pub leaves: Option<usize>,
    /// Bytes of the certificate.
    pub certificate_bytes: Option<usize>,
    /// The falsified share of the radius.
    pub falsified_share: Option<f64>,
}

/// What a store claims of a point. Nothing of it has been checked.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredPoint {
    /// All but the evidence.
    pub facts: PointFacts,
    /// The certificate.
    pub certificate: Option<Vec<u8>>,
    /// The counterexample, a network input.
    pub counterexample: Option<Vec<f64>>,
    /// The network's outputs there.
    pub counterexample_output: Option<Vec<f64>>,
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

    /// From now on the store is read as it is at the first look, whatever a run that goes on adds to it.
    ///
    /// # Errors
    ///
    /// SQLite refuses.
    pub fn hold_still(&self) -> Result<(), BatchError> {
        self.reading(|connection| connection.execute_batch("BEGIN"))
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

    /// What is claimed of every point with an answer, in ascending order.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    pub fn facts_of_points(&self) -> Result<Vec<PointFacts>, BatchError> {
        let read = |connection: &Connection| {
            let mut statement = connection.prepare(&format!("SELECT {PLAIN} FROM points ORDER BY point"))?;
            statement.query_map((), read_facts)?.collect()
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
        self.reading(|connection| connection.prepare(query)?.query_row([index], read_point))
    }

    /// What the points add up to, where the run has ended.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn manifest(&self) -> Result<Option<Manifest>, BatchError> {
        self.reading(|connection| connection.query_row("SELECT * FROM manifest", (), Manifest::of_row).optional())
    }

    /// Copies the store, as it is now, to a new file.
    ///
    /// # Errors
    ///
    /// The file exists, or cannot be written.
    pub fn copy_to(&self, path: &Path) -> Result<(), BatchError> {
        if path.exists() {
            return Err(BatchError::content(path, "store", "no file of this name", "one"));
        }
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let copied = connection.execute("VACUUM INTO ?1", [path.to_string_lossy()]);
        copied.map(|_| ()).map_err(failed(path, "write"))
    }

    /// An error that names a point's row.
    pub(crate) fn odd(&self, index: usize, expected: &str, found: &str) -> BatchError {
        BatchError::within(&self.path)(ReadError::part(format!("table `points`, point {index}"), expected, found))
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

/// The columns of [`PointFacts`].
const PLAIN: &str = "point, label, predicted, confidence, verdict, time_s, reason, property_sha256, certified_share, leaves, \
                     certificate_bytes, falsified_share";

fn read_facts(row: &rusqlite::Row) -> rusqlite::Result<PointFacts> {
    let seconds: f64 = row.get("time_s")?;
    Ok(PointFacts {
        index: row.get("point")?,
        label: row.get("label")?,
        predicted: row.get("predicted")?,
        confidence: row.get("confidence")?,
        verdict: row.get("verdict")?,
        time: Duration::try_from_secs_f64(seconds).unwrap_or_default(),
        reason: row.get("reason")?,
        property_sha256: row.get("property_sha256")?,
        certified_share: row.get("certified_share")?,
        leaves: row.get("leaves")?,
        certificate_bytes: row.get("certificate_bytes")?,
        falsified_share: row.get("falsified_share")?,
    })
}

fn read_point(row: &rusqlite::Row) -> rusqlite::Result<StoredPoint> {
    let numbers = |column: &str| {
        let bytes: Option<Vec<u8>> = row.get(column)?;
        Ok::<_, rusqlite::Error>(bytes.map(|bytes| numbers_of(&bytes)))
    };
    Ok(StoredPoint {
        facts: read_facts(row)?,
        certificate: row.get("certificate")?,
        counterexample: numbers("counterexample")?,
        counterexample_output: numbers("counterexample_output")?,
    })
}

impl StoredPoint {
    /// What a store keeps of an answer.
    pub fn of(answer: &PointAnswer) -> StoredPoint {
        let (certified, falsified) = (answer.certified.as_ref(), answer.falsified.as_ref());
        StoredPoint {
            facts: PointFacts {
                index: answer.index,
                label: answer.label,
                predicted: answer.prediction.class,
                confidence: answer.prediction.confidence,
                verdict: answer.word().to_owned(),
                time: answer.time,
                reason: answer.reason.as_ref().map(ToString::to_string),
                property_sha256: answer.property.to_string(),
                certified_share: certified.map(|certified| certified.share),
                leaves: certified.map(|certified| certified.verified.leaves()),
                certificate_bytes: certified.map(|certified| certified.certificate.len()),
                falsified_share: falsified.map(|falsified| falsified.share),
            },
            certificate: certified.map(|certified| certified.certificate.clone()),
            counterexample: falsified.map(|falsified| falsified.violated.point().to_vec()),
            counterexample_output: falsified.map(|falsified| outputs(&falsified.violated)),
        }
    }

    /// What the manifest's tree knows of the point; none where the digest cannot be read.
    pub fn entry(&self) -> Option<Entry<'_>> {
        let facts = &self.facts;
        Some(Entry {
            index: facts.index,
            label: facts.label,
            property: Digest::try_from(facts.property_sha256.clone()).ok()?,
            verdict: &facts.verdict,
            certified: facts.certified_share.zip(self.certificate.as_deref()),
            falsified: facts.falsified_share.zip(self.counterexample.as_deref()),
        })
    }
}

/// The outputs at a counterexample: the middles of proved enclosures.
pub(in crate::batch) fn outputs(violated: &Violated) -> Vec<f64> {
    violated.outputs().iter().map(|output| output.middle()).collect()
}

/// The numbers in a BLOB; a rest that is no whole number becomes NaN, which no check accepts.
fn numbers_of(bytes: &[u8]) -> Vec<f64> {
    bytes.chunks(size_of::<f64>()).map(|chunk| chunk.try_into().map_or(f64::NAN, f64::from_le_bytes)).collect()
}
