//! The points of a run as comma-separated text, with a header.

use std::io::{self, Write};

use super::Report;
use super::rows::{COLUMNS, Cell, rows};

/// Writes the table. A value that a point does not have is an empty field.
///
/// # Errors
///
/// Those of the writer.
pub fn write(report: &Report, writer: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(writer);
    writer.write_record(COLUMNS)?;
    rows(report).try_for_each(|row| writer.write_record(row.iter().map(text)))?;
    writer.flush()
}

fn text(cell: &Cell) -> String {
    match cell {
        Cell::Integer(number) => number.map_or(String::new(), |number| number.to_string()),
        Cell::Float(number) => number.map_or(String::new(), |number| number.to_string()),
        Cell::Text(text) => text.unwrap_or_default().to_owned(),
    }
}
