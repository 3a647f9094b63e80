//! What the points of a run add up to, as the table `manifest` keeps it.

use bartizan_proof::Digest;
use rusqlite::types::Type;
use rusqlite::{Row, ToSql};

use crate::batch::manifest::{Interval, Manifest};
use crate::batch::runner::End;
use crate::batch::summary::Counts;
use crate::coverage::Coverage;

const INSERT: &str = "
INSERT OR REPLACE INTO manifest (id, ended_at, ended_by, root, points, certified, falsified, misclassified, unknown, unanswered,
  interval, lower, upper, confidence)
VALUES (1, strftime('%Y-%m-%dT%H:%M:%SZ', 'now'), :ended_by, :root, :points, :certified, :falsified, :misclassified, :unknown,
  :unanswered, :interval, :lower, :upper, :confidence)";

impl Manifest {
    /// Writes the row with whatever runs a statement.
    pub(super) fn write<R>(&self, run: impl FnOnce(&str, &[(&str, &dyn ToSql)]) -> R) -> R {
        let (counts, coverage) = (&self.counts, &self.coverage);
        run(
            INSERT,
            &[
                (":ended_by", &self.end.name()),
                (":root", &self.root.to_string()),
                (":points", &counts.points),
                (":certified", &counts.certified),
                (":falsified", &counts.falsified),
                (":misclassified", &counts.misclassified),
                (":unknown", &counts.unknown),
                (":unanswered", &counts.unanswered),
                (":interval", &self.interval.name()),
                (":lower", &coverage.lower),
                (":upper", &coverage.upper),
                (":confidence", &coverage.confidence),
            ],
        )
    }

    /// Reads the row.
    pub(super) fn of_row(row: &Row) -> rusqlite::Result<Manifest> {
        let (lower, upper) = (row.get("lower")?, row.get("upper")?);
        Ok(Manifest {
            end: named(row, "ended_by", End::parse)?,
            root: named(row, "root", |text| Digest::try_from(text.to_owned()).ok())?,
            counts: Counts {
                points: row.get("points")?,
                certified: row.get("certified")?,
                falsified: row.get("falsified")?,
                misclassified: row.get("misclassified")?,
                unknown: row.get("unknown")?,
                unanswered: row.get("unanswered")?,
            },
            interval: named(row, "interval", Interval::parse)?,
            coverage: Coverage { lower, upper, confidence: row.get("confidence")? },
        })
    }
}

/// A text that stands for one of several things.
fn named<T>(row: &Row, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> rusqlite::Result<T> {
    let place = row.as_ref().column_index(column)?;
    let text: String = row.get(place)?;
    let refused =
        || rusqlite::Error::FromSqlConversionFailure(place, Type::Text, format!("unknown word `{text}`").into());
    parse(&text).ok_or_else(refused)
}
