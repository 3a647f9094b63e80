//! The points of a run as an Apache Parquet file.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use parquet::errors::Result;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::Report;
use super::rows::{COLUMNS, Cell, rows};

/// The definition level of a value that is there.
const PRESENT: i16 = 1;

/// The definition level of a value that is not.
const MISSING: i16 = 0;

/// Writes the table. A value that a point does not have is null.
///
/// # Errors
///
/// Those of the writer.
pub fn write(report: &Report, mut writer: impl Write) -> io::Result<()> {
    // The library wants a writer that other threads may have.
    let mut bytes = Vec::new();
    write_table(report, &mut bytes).map_err(io::Error::other)?;
    writer.write_all(&bytes)
}

fn write_table(report: &Report, writer: &mut Vec<u8>) -> Result<()> {
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut file = SerializedFileWriter::new(writer, schema()?, Arc::new(properties))?;
    let rows: Vec<_> = rows(report).collect();
    let mut group = file.next_row_group()?;
    let mut column = 0;
    while let Some(mut writer) = group.next_column()? {
        write_column(&mut writer, kind(COLUMNS[column]), rows.iter().map(|row| &row[column]))?;
        writer.close()?;
        column += 1;
    }
    group.close()?;
    file.close()?;
    Ok(())
}

/// The type of a column.
fn kind(name: &str) -> Physical {
    match name {
        "index" | "label" | "predicted" | "certificate_bytes" | "leaves" => Physical::INT64,
        "verdict" | "reason" | "property_sha256" => Physical::BYTE_ARRAY,
        _ => Physical::DOUBLE,
    }
}

/// All columns may be null, so that one writer of each kind is enough.
fn schema() -> Result<TypePtr> {
    let column = |name: &str| {
        let physical = kind(name);
        let logical = (physical == Physical::BYTE_ARRAY).then_some(LogicalType::String);
        let builder = Type::primitive_type_builder(name, physical).with_repetition(Repetition::OPTIONAL);
        builder.with_logical_type(logical).build().map(Arc::new)
    };
    let columns = COLUMNS.into_iter().map(column).collect::<Result<Vec<TypePtr>>>()?;
    Ok(Arc::new(Type::group_type_builder("points").with_fields(columns).build()?))
}

/// Writes the values that are there, and where they are.
fn write_column<'c>(
    writer: &mut SerializedColumnWriter,
    kind: Physical,
    cells: impl Iterator<Item = &'c Cell<'c>>,
) -> Result<()> {
    let (mut integers, mut floats, mut texts, mut levels) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        let value = match cell {
            Cell::Integer(number) => number.map(|number| integers.push(i64::try_from(number).unwrap_or(i64::MAX))),
            Cell::Float(number) => number.map(|number| floats.push(number)),
            Cell::Text(text) => text.map(|text| texts.push(ByteArray::from(text))),
        };
        levels.push(value.map_or(MISSING, |()| PRESENT));
    }
    match kind {
        Physical::INT64 => writer.typed::<Int64Type>().write_batch(&integers, Some(&levels), None)?,
        Physical::BYTE_ARRAY => writer.typed::<ByteArrayType>().write_batch(&texts, Some(&levels), None)?,
        _ => writer.typed::<DoubleType>().write_batch(&floats, Some(&levels), None)?,
    };
    Ok(())
}
