//! Parquet files: one point a row, and a column for each element, or one column of lists of numbers that all have one length.
//!
//! Columns hold booleans, integers or floats; a cell that is null is refused. One page of one column is in memory at a time; what it
//! holds goes through a spool from columns into rows, row group by row group.
//!
//! * `column` says what a column holds, and reads it.
//! * `pages` checks what the decoder does not.

mod column;
mod pages;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, RowGroupReader, SerializedFileReader};
use bartizan_read::ReadError;

use self::column::{Column, Part};
use super::csv::Columns as Names;
use super::defect::Defect;
use super::labels::{self, Labels};
use super::rows::{Columns, Rows};
use super::spool::Spool;

/// An opened file.
pub struct Table {
    reader: SerializedFileReader<File>,
    columns: Vec<Column>,
}

/// The points of a file.
pub struct Found {
    /// The points.
    pub rows: Rows,
    /// Elements of a point.
    pub width: usize,
    /// The labels, where they were asked for, and the column that holds them.
    pub labels: Option<Labels>,
    /// Names of the elements; none where a list holds them.
    pub names: Option<Vec<String>>,
}

impl Table {
    /// Opens a file.
    ///
    /// # Errors
    ///
    /// It is not a Parquet file.
    pub fn open(file: File) -> Result<Table, Defect> {
        let refused = |e: ParquetError| ReadError::part("file", "a complete Parquet file", e.to_string());
        let length = file.metadata()?.len();
        let reader = SerializedFileReader::new(file).map_err(refused)?;
        check_places(&reader, length)?;
        let schema = reader.metadata().file_metadata().schema_descr();
        let columns = (0..schema.num_columns()).map(|leaf| Column::of(schema, leaf)).collect::<Result<_, _>>()?;
        Ok(Table { reader, columns })
    }

    /// Opens a file and reads it.
    ///
    /// The decoder asserts some things that a damaged file may break; what it says then counts as content.
    ///
    /// # Errors
    ///
    /// As [`Table::open`], and whatever `read` finds wrong.
    pub fn read<T>(file: File, read: impl FnOnce(&Table) -> Result<T, Defect>) -> Result<T, Defect> {
        let work = AssertUnwindSafe(|| read(&Table::open(file)?));
        catch_unwind(work).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("what it cannot decode");
            Err(ReadError::part("file", "intact data", text).into())
        })
    }

    /// The label's column, chosen as in a table of text.
    fn label(&self, asked: Option<&str>) -> Result<&Column, Defect> {
        let names = self.columns.iter().map(|column| column.name.clone()).collect();
        let label = Names { names, has_header: true }.label(asked)?;
        match self.columns.get(label) {
            Some(column) if !column.is_list => Ok(column),
            Some(column) => {
                let expected = "a column of labels, which --label-column names, not lists";
                Err(ReadError::part(format!("column `{}`", column.name), expected, "lists").into())
            }
            None => Err(ReadError::part("columns", "at least one column", "none").into()),
        }
    }

    /// Reads the labels alone.
    ///
    /// # Errors
    ///
    /// There is no such column, it is damaged, or a number in it is no class index.
    pub fn labels(&self, asked: Option<&str>) -> Result<Labels, Defect> {
        let label = self.label(asked)?;
        let mut labels = Vec::new();
        self.each_group(|group, part| add_labels(&mut labels, label, (group, part)))?;
        Ok((labels, Some(label.name.clone())))
    }

    /// Reads the points, and the labels if they are in the same file.
    ///
    /// # Errors
    ///
    /// Names the first defect.
    pub fn points(&self, with_labels: bool, asked: Option<&str>) -> Result<Found, Defect> {
        let label = if with_labels { Some(self.label(asked)?) } else { None };
        let elements: Vec<&Column> =
            self.columns.iter().filter(|column| label.is_none_or(|label| label.leaf != column.leaf)).collect();
        let mut labels = Vec::new();
        let mut add = |group: &dyn RowGroupReader, part: &Part| match label {
            Some(label) => add_labels(&mut labels, label, (group, part)),
            None => Ok(()),
        };
        let (rows, width) = match elements.iter().find(|column| column.is_list) {
            Some(list) if elements.len() == 1 => self.lists(list, &mut add)?,
            Some(list) => {
                let found = format!("{} other columns", elements.len() - 1);
                let expected = "no other column than the label's beside a column of lists";
                return Err(ReadError::part(format!("column `{}`", list.name), expected, found).into());
            }
            None => (self.rows(&elements, &mut add)?, elements.len()),
        };
        let is_list = elements.iter().any(|column| column.is_list);
        let names = (!is_list).then(|| elements.iter().map(|column| column.name.clone()).collect());
        Ok(Found { rows, width, labels: label.map(|label| (labels, Some(label.name.clone()))), names })
    }

    /// The points of which each element has a column.
    fn rows(&self, elements: &[&Column], add: &mut Visit) -> Result<Rows, Defect> {
        let mut rows = Rows::new(elements.len());
        self.each_group(|group, part| {
            let mut values = Spool::default();
            for element in elements {
                element.read(group, part, |numbers| Ok(values.push(numbers)?))?;
            }
            add(group, part)?;
            rows.push_columns(&Columns { values: values.finish()?, rows: part.rows }, |element| element)
        })?;
        Ok(rows)
    }

    /// The points that are lists, and their length.
    fn lists(&self, list: &Column, add: &mut Visit) -> Result<(Rows, usize), Defect> {
        let mut rows: Option<Rows> = None;
        let mut width = 0;
        self.each_group(|group, part| {
            add(group, part)?;
            if rows.is_none() {
                width = list.first_length(group, part)?;
            }
            let rows = rows.get_or_insert_with(|| Rows::new(width));
            list.read(group, &part.of_lists(width), |numbers| rows.push(numbers))
        })?;
        Ok((rows.unwrap_or_else(|| Rows::new(0)), width))
    }

    fn each_group(
        &self,
        mut visit: impl FnMut(&dyn RowGroupReader, &Part) -> Result<(), Defect>,
    ) -> Result<(), Defect> {
        let mut first_row = 0;
        for index in 0..self.reader.num_row_groups() {
            let place = format!("row group {index}");
            let group = self.reader.get_row_group(index);
            let group = group.map_err(|e| ReadError::part(&place, "intact data", e.to_string()))?;
            let rows = group.metadata().num_rows();
            let refused = |_| ReadError::part(&place, "a number of rows", rows.to_string());
            let rows = usize::try_from(rows).map_err(refused)?;
            if rows > 0 {
                visit(group.as_ref(), &Part { group: index, first_row, rows, length: 1 })?;
            }
            first_row += rows;
        }
        Ok(())
    }
}

/// Checks that all columns stand inside the file.
fn check_places(reader: &SerializedFileReader<File>, length: u64) -> Result<(), ReadError> {
    for (index, group) in reader.metadata().row_groups().iter().enumerate() {
        for column in group.columns() {
            let start = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
            let size = column.compressed_size();
            let end = u64::try_from(start).ok().zip(u64::try_from(size).ok()).and_then(|(a, b)| a.checked_add(b));
            if end.is_none_or(|end| end > length) {
                let place = format!("row group {index}, column `{}`", column.column_path().string());
                let found = format!("{size} bytes from byte {start} on");
                return Err(ReadError::part(place, format!("data within the {length} bytes of the file"), found));
            }
        }
    }
    Ok(())
}

/// What is done with each row group.
type Visit<'v> = dyn FnMut(&dyn RowGroupReader, &Part) -> Result<(), Defect> + 'v;

fn add_labels(
    labels: &mut Vec<usize>,
    label: &Column,
    (group, part): (&dyn RowGroupReader, &Part),
) -> Result<(), Defect> {
    label.read(group, part, |numbers| {
        for number in numbers {
            labels.push(labels::class(*number, || label.place(labels.len()))?);
        }
        Ok(())
    })
}

#[cfg(test)]
pub(crate) mod tests;
