//! The question of a run, as the table `run` keeps it.

use std::fmt::Display;

use bartizan_proof::{Digest, Semantics};
use rusqlite::types::Type;
use rusqlite::{Connection, Row, named_params};

use crate::batch::BatchError;
use crate::batch::dataset::Source;
use crate::batch::runner::Aim;
use crate::batch::selection::{self, Shard};

/// What was asked, as it was typed: decimal texts are exact where binary floats are not.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RunFacts {
    /// What was looked for.
    pub aim: Aim,
    /// Path of the network.
    pub model: String,
    /// SHA-256 of its bytes.
    pub model_sha256: Digest,
    /// Sizes of the network's input.
    pub input_shape: Vec<usize>,
    /// Number of the network's outputs.
    pub classes: usize,
    /// A trailing activation that was left out because it does not change which output is largest.
    pub dropped_activation: Option<String>,
    /// What is meant by the network's outputs.
    pub semantics: Semantics,
    /// Path of the points, and the array in it where one was named.
    pub data: String,
    /// SHA-256 of its bytes.
    pub data_sha256: Digest,
    /// The same with the array that was read.
    pub points_name: String,
    /// Path of the labels; none where they are in the file of the points.
    pub labels: Option<String>,
    /// Column of the labels.
    pub label_column: Option<String>,
    /// SHA-256 of the bytes of the file that holds the labels.
    pub labels_sha256: Digest,
    /// Where the labels were: file, and array or column.
    pub labels_name: String,
    /// Points in the file.
    pub available: usize,
    /// The points that were chosen, in ascending order; none where all were.
    pub selection: Option<String>,
    /// How many these are.
    pub selected: usize,
    /// Which of these the run answers.
    pub shard: Option<Shard>,
    /// Whether points are answered in the order that the seed draws, so that the run may end at any moment.
    pub is_drawn: bool,
    /// The norm of the radius.
    pub norm: String,
    /// The radius, in raw units: one number, or one for each feature.
    pub radius: String,
    /// Features that do not vary.
    pub fixed: Option<String>,
    /// The valid range.
    pub clip: Option<String>,
    /// Means to subtract: the numbers themselves, where a file of them was typed.
    pub mean: Option<String>,
    /// Deviations to divide by, likewise.
    pub std: Option<String>,
    /// How far up the ladder of methods to go.
    pub method: String,
    /// What branch and bound splits.
    pub split: String,
    /// Time limit of a point, in seconds.
    pub timeout: f64,
    /// Whether counterexamples are looked for.
    pub attack: bool,
    /// Seed of everything random.
    pub seed: u64,
}

/// What two runs do not have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The column of the table `run`.
    pub column: &'static str,
    /// What one has there.
    pub expected: String,
    /// What the other has.
    pub found: String,
}

/// Who writes stores.
const TOOL: &str = concat!("bartizan ", env!("CARGO_PKG_VERSION"));

const INSERT: &str = "
INSERT INTO run (id, format, tool, started_at, command, model, model_sha256, input_shape, classes,
  dropped_activation, semantics, data, data_sha256, points_name, labels, label_column, labels_sha256, labels_name, available, selection, selected, shard, drawn, norm, radius, fixed, clip, mean, std, precision, method, split, timeout_s, attack,
  seed)
VALUES (1, :format, :tool, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), :command, :model, :model_sha256, :input_shape, :classes,
  :dropped_activation, :semantics, :data, :data_sha256, :points_name, :labels, :label_column, :labels_sha256, :labels_name, :available, :selection, :selected, :shard, :drawn, :norm, :radius, :fixed, :clip, :mean, :std,
  :precision, :method, :split, :timeout_s, :attack, :seed)";

impl RunFacts {
    /// The command that makes such a run.
    pub fn command(&self) -> &'static str {
        match self.aim {
            Aim::Verdict => "certify",
            Aim::Bracket(_) => "radius",
        }
    }

    /// The points that the run answers, in ascending order.
    ///
    /// # Errors
    ///
    /// The text of the selection is none.
    pub fn asked(&self) -> Result<Vec<usize>, BatchError> {
        let chosen = self.chosen()?;
        Ok(self.shard.map_or(chosen.clone(), |shard| shard.of(&chosen)))
    }

    /// The points that the run and the other shards of it answer, in ascending order.
    ///
    /// # Errors
    ///
    /// The text of the selection is none.
    pub fn chosen(&self) -> Result<Vec<usize>, BatchError> {
        match &self.selection {
            Some(text) => selection::parse(text, self.available),
            None => Ok((0..self.available).collect()),
        }
    }

    /// How many points the run answers.
    pub fn asked_count(&self) -> usize {
        self.shard.map_or(self.selected, |shard| shard.count(self.selected))
    }

    /// What two runs do not have in common that would make their answers differ: column, and the two values. Paths do not count where
    /// the bytes behind them are the same.
    pub fn difference(&self, other: &RunFacts) -> Option<Difference> {
        let pairs = |facts: &RunFacts| {
            let text = |value: &Option<String>| shown(value.as_ref());
            vec![
                ("command", facts.command().to_owned()),
                ("model_sha256", facts.model_sha256.to_string()),
                ("semantics", facts.semantics.to_string()),
                ("data_sha256", facts.data_sha256.to_string()),
                ("labels_sha256", facts.labels_sha256.to_string()),
                ("label_column", text(&facts.label_column)),
                ("points_name", shown(facts.points_part().as_ref())),
                ("labels_name", shown(facts.labels_part().as_ref())),
                ("available", facts.available.to_string()),
                ("selection", text(&facts.selection)),
                ("shard", shown(facts.shard.as_ref())),
                ("drawn", u8::from(facts.is_drawn).to_string()),
                ("norm", facts.norm.clone()),
                ("radius", facts.radius.clone()),
                ("fixed", text(&facts.fixed)),
                ("clip", text(&facts.clip)),
                ("mean", text(&facts.mean)),
                ("std", text(&facts.std)),
                ("precision", shown(facts.precision().as_ref())),
                ("method", facts.method.clone()),
                ("split", facts.split.clone()),
                ("timeout_s", facts.timeout.to_string()),
                ("attack", u8::from(facts.attack).to_string()),
                ("seed", facts.seed.to_string()),
            ]
        };
        let differs = |((column, expected), (_, found)): ((&'static str, String), (_, String))| {
            (expected != found).then_some(Difference { column, expected, found })
        };
        pairs(self).into_iter().zip(pairs(other)).find_map(differs)
    }

    /// The array or column that the points were read from, where there are several.
    fn points_part(&self) -> Option<&str> {
        part(&self.points_name, &self.data)
    }

    /// The array or column of the labels, likewise.
    fn labels_part(&self) -> Option<&str> {
        part(&self.labels_name, self.labels.as_ref().unwrap_or(&self.data))
    }

    fn precision(&self) -> Option<f64> {
        match self.aim {
            Aim::Verdict => None,
            Aim::Bracket(precision) => Some(precision),
        }
    }

    /// Writes the row.
    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let row = named_params! {
            ":format": super::FORMAT,
            ":tool": TOOL,
            ":command": self.command(),
            ":model": self.model,
            ":model_sha256": self.model_sha256.to_string(),
            ":input_shape": sides(&self.input_shape),
            ":classes": self.classes,
            ":dropped_activation": self.dropped_activation,
            ":semantics": self.semantics.name(),
            ":data": self.data,
            ":points_name": self.points_name,
            ":data_sha256": self.data_sha256.to_string(),
            ":labels": self.labels,
            ":label_column": self.label_column,
            ":labels_sha256": self.labels_sha256.to_string(),
            ":labels_name": self.labels_name,
            ":available": self.available,
            ":selection": self.selection,
            ":selected": self.selected,
            ":shard": self.shard.map(|shard| shard.to_string()),
            ":drawn": self.is_drawn,
            ":norm": self.norm,
            ":radius": self.radius,
            ":fixed": self.fixed,
            ":clip": self.clip,
            ":mean": self.mean,
            ":std": self.std,
            ":precision": self.precision(),
            ":method": self.method,
            ":split": self.split,
            ":timeout_s": self.timeout,
            ":attack": self.attack,
            ":seed": self.seed.to_string(),
        };
        connection.execute(INSERT, row).map(|_| ())
    }

    /// Reads the row.
    pub(super) fn of(row: &Row) -> rusqlite::Result<RunFacts> {
        let precision: Option<f64> = row.get("precision")?;
        Ok(RunFacts {
            aim: precision.map_or(Aim::Verdict, Aim::Bracket),
            model: row.get("model")?,
            model_sha256: digest(row, "model_sha256")?,
            input_shape: parsed(row, "input_shape", |text| shape(&text).ok_or(format!("no shape: `{text}`")))?,
            classes: row.get("classes")?,
            dropped_activation: row.get("dropped_activation")?,
            semantics: parsed(row, "semantics", |text| text.parse())?,
            data: row.get("data")?,
            points_name: row.get("points_name")?,
            labels_name: row.get("labels_name")?,
            data_sha256: digest(row, "data_sha256")?,
            labels: row.get("labels")?,
            label_column: row.get("label_column")?,
            labels_sha256: digest(row, "labels_sha256")?,
            available: parsed_number(row, "available", MOST_POINTS)?,
            selection: row.get("selection")?,
            selected: row.get("selected")?,
            shard: match row.get::<_, Option<String>>("shard")? {
                None => None,
                Some(_) => Some(parsed(row, "shard", |text| Shard::parse(&text).ok_or(format!("no shard: `{text}`")))?),
            },
            is_drawn: row.get("drawn")?,
            norm: row.get("norm")?,
            radius: row.get("radius")?,
            fixed: row.get("fixed")?,
            clip: row.get("clip")?,
            mean: row.get("mean")?,
            std: row.get("std")?,
            method: row.get("method")?,
            split: row.get("split")?,
            timeout: row.get("timeout_s")?,
            attack: row.get("attack")?,
            seed: parsed(row, "seed", |text| text.parse().map_err(|error| format!("{error}: `{text}`")))?,
        })
    }
}

/// What a name says besides the path, which was typed with or without an array.
fn part<'n>(name: &'n str, typed: &str) -> Option<&'n str> {
    name.strip_prefix(&Source::parse(typed).path.display().to_string())?.strip_prefix(':')
}

/// A shape as text: `1x28x28`.
fn sides(shape: &[usize]) -> String {
    shape.iter().map(ToString::to_string).collect::<Vec<_>>().join("x")
}

fn shape(text: &str) -> Option<Vec<usize>> {
    text.split('x').map(|side| side.parse().ok()).collect()
}

/// The text of something that may be missing.
fn shown<T: Display>(value: Option<&T>) -> String {
    value.map_or("nothing".to_owned(), |value| format!("`{value}`"))
}

/// The most points that a data set may have, so that a damaged store cannot ask for any memory.
const MOST_POINTS: usize = 1 << 28;

/// A number up to a limit.
fn parsed_number(row: &Row, column: &str, most: usize) -> rusqlite::Result<usize> {
    let place = row.as_ref().column_index(column)?;
    let number: usize = row.get(place)?;
    let refused = || format!("expected at most {most}, found {number}");
    let error = || rusqlite::Error::FromSqlConversionFailure(place, Type::Integer, refused().into());
    (number <= most).then_some(number).ok_or_else(error)
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
