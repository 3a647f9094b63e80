//! Columns of numbers in a Parquet file.

use ::parquet::basic::{ConvertedType, LogicalType, Type};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl, get_column_reader};
use ::parquet::data_type::DataType;
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::RowGroupReader;
use ::parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};
use bartizan_read::ReadError;

use super::pages::CheckedPages;
use crate::batch::dataset::defect::Defect;
use crate::batch::dataset::npy::LARGEST_EXACT_INTEGER;

/// Numbers that are decoded at once.
const NUMBERS_AT_ONCE: usize = 1 << 16;

/// Elements of the largest point that a list may be.
const LARGEST_POINT: u64 = 1 << 26;

/// Names on the path of a list's numbers: the column, its repeated group, the number.
const LONGEST_PATH: usize = 3;

/// A column of numbers, or of lists of numbers.
#[derive(Clone, Debug)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The place among all leaves of the schema.
    pub leaf: usize,
    /// Whether a cell is a list.
    pub is_list: bool,
    is_unsigned: bool,
    /// The definition level of a number that is there.
    present: i16,
}

/// A row group, and what is expected in it.
#[derive(Clone, Debug)]
pub struct Part {
    /// The row group, from 0.
    pub group: usize,
    /// The row of the file that its first one is.
    pub first_row: usize,
    /// How many rows it has.
    pub rows: usize,
    /// How many numbers a cell has.
    pub length: usize,
}

impl Part {
    /// The same with lists of a length in each cell.
    pub fn of_lists(&self, length: usize) -> Part {
        Part { length, ..self.clone() }
    }
}

impl Column {
    /// The column that a leaf of the schema stands for.
    ///
    /// # Errors
    ///
    /// It holds something else than numbers and lists of numbers.
    pub fn of(schema: &SchemaDescriptor, leaf: usize) -> Result<Column, ReadError> {
        let descriptor = schema.column(leaf);
        let name = schema.get_column_root(leaf).name().to_owned();
        let place = || format!("column `{}`", descriptor.path().string());
        let is_list = descriptor.max_rep_level() == 1 && descriptor.path().parts().len() <= LONGEST_PATH;
        let is_flat = descriptor.max_rep_level() == 0 && descriptor.path().parts().len() == 1;
        if !is_list && !is_flat {
            return Err(ReadError::part(place(), "a column of numbers or of lists of numbers", "a nested one"));
        }
        let is_unsigned = is_unsigned(&descriptor).ok_or_else(|| {
            let logical = descriptor.logical_type_ref().map_or(String::new(), |logical| format!(" ({logical:?})"));
            let found = format!("{}{logical}", descriptor.physical_type());
            ReadError::part(place(), "booleans, integers, floats or doubles", found)
        })?;
        Ok(Column { name, leaf, is_list, is_unsigned, present: descriptor.max_def_level() })
    }

    /// Row and column, for messages.
    pub fn place(&self, row: usize) -> String {
        format!("row {row}, column `{}`", self.name)
    }

    /// Passes on all numbers of a row group.
    ///
    /// # Errors
    ///
    /// The data are damaged, a cell is null, a list has another length, or an integer is no binary64 number; or whatever `take`
    /// finds wrong.
    pub fn read(
        &self,
        group: &dyn RowGroupReader,
        part: &Part,
        take: impl FnMut(&[f64]) -> Result<(), Defect>,
    ) -> Result<(), Defect> {
        let walk = Walk { column: self, part, done: 0 };
        match self.reader(group, part)? {
            ColumnReader::BoolColumnReader(r) => walk.run(r, |x| Ok(f64::from(u8::from(*x))), take),
            ColumnReader::Int32ColumnReader(r) if self.is_unsigned => walk.run(r, |x| Ok(f64::from(*x as u32)), take),
            ColumnReader::Int32ColumnReader(r) => walk.run(r, |x| Ok(f64::from(*x)), take),
            ColumnReader::Int64ColumnReader(r) if self.is_unsigned => {
                walk.run(r, |x| exact(*x as u64, *x as u64 as f64, || (*x as u64).to_string()), take)
            }
            ColumnReader::Int64ColumnReader(r) => {
                walk.run(r, |x| exact(x.unsigned_abs(), *x as f64, || x.to_string()), take)
            }
            ColumnReader::FloatColumnReader(r) => walk.run(r, |x| Ok(f64::from(*x)), take),
            ColumnReader::DoubleColumnReader(r) => walk.run(r, |x| Ok(*x), take),
            _ => Err(ReadError::part(self.place(part.first_row), "a number", "another type").into()),
        }
    }

    fn reader(&self, group: &dyn RowGroupReader, part: &Part) -> Result<ColumnReader, ReadError> {
        let chunk = group.metadata().column(self.leaf);
        let values = u64::try_from(chunk.num_values()).unwrap_or(0);
        if values / part.rows.max(1) as u64 > LARGEST_POINT {
            let expected = format!("at most {LARGEST_POINT} values a row");
            let found = format!("{values} values in {} rows", part.rows);
            return Err(ReadError::part(self.place(part.first_row), expected, found));
        }
        let pages = group.get_column_page_reader(self.leaf).map_err(|error| self.damaged(part, &error))?;
        Ok(get_column_reader(chunk.column_descr_ptr(), Box::new(CheckedPages::new(pages, values))))
    }

    fn damaged(&self, part: &Part, error: &ParquetError) -> ReadError {
        let place = format!("row group {}, column `{}`", part.group, self.name);
        ReadError::part(place, "intact data", error.to_string())
    }

    /// The length of the first list in a row group.
    ///
    /// # Errors
    ///
    /// The data are damaged.
    pub fn first_length(&self, group: &dyn RowGroupReader, part: &Part) -> Result<usize, Defect> {
        let length = match self.reader(group, part)? {
            ColumnReader::BoolColumnReader(r) => first_length(r),
            ColumnReader::Int32ColumnReader(r) => first_length(r),
            ColumnReader::Int64ColumnReader(r) => first_length(r),
            ColumnReader::FloatColumnReader(r) => first_length(r),
            ColumnReader::DoubleColumnReader(r) => first_length(r),
            _ => Ok(0),
        };
        length.map_err(|error| self.damaged(part, &error).into())
    }
}

/// Whether a column of numbers has no sign; none where it holds something else.
fn is_unsigned(descriptor: &ColumnDescriptor) -> Option<bool> {
    use ConvertedType::{INT_8, INT_16, INT_32, INT_64, NONE, UINT_8, UINT_16, UINT_32, UINT_64};
    let is_plain = matches!(
        descriptor.converted_type(),
        NONE | INT_8 | INT_16 | INT_32 | INT_64 | UINT_8 | UINT_16 | UINT_32 | UINT_64
    );
    let is_known =
        matches!(descriptor.physical_type(), Type::BOOLEAN | Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE);
    match descriptor.logical_type_ref() {
        _ if !is_plain || !is_known => None,
        Some(LogicalType::Integer(integer)) => Some(!integer.is_signed),
        None => Some(matches!(descriptor.converted_type(), UINT_8 | UINT_16 | UINT_32 | UINT_64)),
        Some(_) => None,
    }
}

fn exact(size: u64, number: f64, text: impl FnOnce() -> String) -> Result<f64, String> {
    if size > LARGEST_EXACT_INTEGER { Err(text()) } else { Ok(number) }
}

fn first_length<T: DataType>(mut reader: ColumnReaderImpl<T>) -> Result<usize, ParquetError> {
    let (mut present, mut repeated, mut values) = (Vec::new(), Vec::new(), Vec::new());
    let (_, length, _) = reader.read_records(1, Some(&mut present), Some(&mut repeated), &mut values)?;
    Ok(length)
}

/// The way through a column's part in a row group.
struct Walk<'w> {
    column: &'w Column,
    part: &'w Part,
    /// Rows that have been read.
    done: usize,
}

impl Walk<'_> {
    fn run<T: DataType>(
        mut self,
        mut reader: ColumnReaderImpl<T>,
        number: impl Fn(&T::T) -> Result<f64, String>,
        mut take: impl FnMut(&[f64]) -> Result<(), Defect>,
    ) -> Result<(), Defect> {
        let at_once = (NUMBERS_AT_ONCE / self.part.length.max(1)).max(1);
        let (mut present, mut repeated, mut values, mut numbers) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        while self.done < self.part.rows {
            present.clear();
            repeated.clear();
            values.clear();
            numbers.clear();
            let count = at_once.min(self.part.rows - self.done);
            let read = reader.read_records(count, Some(&mut present), Some(&mut repeated), &mut values);
            let (count, ..) = read.map_err(|error| self.column.damaged(self.part, &error))?;
            if count == 0 {
                let place = format!("row group {}, column `{}`", self.part.group, self.column.name);
                let expected = format!("{} rows", self.part.rows);
                return Err(ReadError::part(place, expected, format!("{} rows", self.done)).into());
            }
            self.check_shape(&present, &repeated)?;
            for (i, value) in values.iter().enumerate() {
                let wrong = |found| {
                    let expected = format!("an integer of at most {LARGEST_EXACT_INTEGER}");
                    ReadError::part(self.place(i / self.part.length.max(1)), expected, found)
                };
                numbers.push(number(value).map_err(wrong)?);
            }
            take(&numbers)?;
            self.done += count;
        }
        Ok(())
    }

    fn place(&self, row: usize) -> String {
        self.column.place(self.part.first_row + self.done + row)
    }

    /// Checks that there is no null, and that all lists have the length that they should have.
    fn check_shape(&self, present: &[i16], repeated: &[i16]) -> Result<(), ReadError> {
        let row_of = |place: usize| match repeated.get(..=place) {
            Some(levels) => levels.iter().filter(|level| **level == 0).count().saturating_sub(1),
            None => place,
        };
        if let Some(place) = present.iter().position(|level| *level != self.column.present) {
            let expected = if self.column.is_list { "a list of numbers" } else { "a number" };
            let found = if self.column.is_list { "a null or an empty list" } else { "a null" };
            return Err(ReadError::part(self.place(row_of(place)), expected, found));
        }
        let length = self.part.length.max(1);
        let mut starts = repeated.iter().enumerate().filter(|(_, level)| **level == 0).map(|(place, _)| place);
        let Some(mut start) = starts.next() else { return Ok(()) };
        for (row, next) in starts.chain([repeated.len()]).enumerate() {
            if next - start != length {
                let expected = format!("a list of {length} numbers, as in the first row");
                return Err(ReadError::part(self.place(row), expected, (next - start).to_string()));
            }
            start = next;
        }
        Ok(())
    }
}
