//! The question of a run, as the table `run` keeps it.

use bartizan_proof::Digest;
use rusqlite::types::Type;
use rusqlite::{Connection, Row, named_params};

/// What was asked, as it was typed: decimal texts are exact where binary floats are not.
#[derive(Clone, Debug, PartialEq)]
pub struct RunFacts {
    /// Path of the network.
    pub model: String,
    /// SHA-256 of its bytes.
    pub model_sha256: Digest,
    /// Path of the points, and the array in it where one was named.
    pub data: String,
    /// SHA-256 of its bytes.
    pub data_sha256: Digest,
    /// Path of the labels; none where they are in the file of the points.
    pub labels: Option<String>,
    /// Column of the labels.
    pub label_column: Option<String>,
    /// SHA-256 of the bytes of the file that holds the labels.
    pub labels_sha256: Digest,
    /// Points in the file.
    pub available: usize,
    /// The points that were chosen; all where nothing was typed.
    pub selection: Option<String>,
    /// How many these are.
    pub selected: usize,
    /// The norm of the radius.
    pub norm: String,
    /// The radius, in raw units.
    pub radius: String,
    /// The valid range.
    pub clip: Option<String>,
    /// Means to subtract: the numbers themselves, where a file of them was typed.
    pub mean: Option<String>,
    /// Deviations to divide by, likewise.
    pub std: Option<String>,
    /// How far up the ladder of methods to go.
    pub method: String,
    /// Time limit of a point, in seconds.
    pub timeout: f64,
    /// Whether counterexamples are looked for.
    pub attack: bool,
    /// Seed of everything random.
    pub seed: u64,
}

/// Who writes stores.
const TOOL: &str = concat!("bartizan ", env!("CARGO_PKG_VERSION"));

const INSERT: &str = "
INSERT INTO run (id, format, tool, started_at, model, model_sha256, data, data_sha256, labels, label_column, labels_sha256,
  available, selection, selected, norm, radius, clip, mean, std, method, timeout_s, attack, seed)
VALUES (1, :format, :tool, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), :model, :model_sha256, :data, :data_sha256, :labels,
  :label_column, :labels_sha256, :available, :selection, :selected, :norm, :radius, :clip, :mean, :std, :method, :timeout_s,
  :attack, :seed)";

impl RunFacts {
    /// Writes the row.
    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let row = named_params! {
            ":format": super::FORMAT,
            ":tool": TOOL,
            ":model": self.model,
            ":model_sha256": self.model_sha256.to_string(),
            ":data": self.data,
            ":data_sha256": self.data_sha256.to_string(),
            ":labels": self.labels,
            ":label_column": self.label_column,
            ":labels_sha256": self.labels_sha256.to_string(),
            ":available": self.available,
            ":selection": self.selection,
            ":selected": self.selected,
            ":norm": self.norm,
            ":radius": self.radius,
            ":clip": self.clip,
            ":mean": self.mean,
            ":std": self.std,
            ":method": self.method,
            ":timeout_s": self.timeout,
            ":attack": self.attack,
            ":seed": self.seed.to_string(),
        };
        connection.execute(INSERT, row).map(|_| ())
    }

    /// Reads the row.
    pub(super) fn of(row: &Row) -> rusqlite::Result<RunFacts> {
        Ok(RunFacts {
            model: row.get("model")?,
            model_sha256: digest(row, "model_sha256")?,
            data: row.get("data")?,
            data_sha256: digest(row, "data_sha256")?,
            labels: row.get("labels")?,
            label_column: row.get("label_column")?,
            labels_sha256: digest(row, "labels_sha256")?,
            available: row.get("available")?,
            selection: row.get("selection")?,
            selected: row.get("selected")?,
            norm: row.get("norm")?,
            radius: row.get("radius")?,
            clip: row.get("clip")?,
            mean: row.get("mean")?,
            std: row.get("std")?,
            method: row.get("method")?,
            timeout: row.get("timeout_s")?,
            attack: row.get("attack")?,
            seed: parsed(row, "seed", |text| text.parse().map_err(|error| format!("{error}: `{text}`")))?,
        })
    }
}

fn digest(row: &Row, column: &str) -> rusqlite::Result<Digest> {
    parsed(row, column, Digest::try_from)
}

/// A text that stands for something else.
fn parsed<T>(row: &Row, column: &str, parse: impl FnOnce(String) -> Result<T, String>) -> rusqlite::Result<T> {
    let place = row.as_ref().column_index(column)?;
    let refused = |error: String| rusqlite::Error::FromSqlConversionFailure(place, Type::Text, error.into());
    parse(row.get(place)?).map_err(refused)
}
