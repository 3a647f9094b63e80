//! Points as they come, element by element.

use bartizan_read::ReadError;

use super::defect::Defect;
use super::spool::{Spool, Spooled};
use crate::batch::BatchError;

/// Numbers that a part of a column-wise table brings into memory at once.
const NUMBERS_AT_ONCE: usize = 1 << 20;

/// Columns that are turned into rows at once, so that what is written to a row fills whole cache lines.
const COLUMNS_AT_ONCE: usize = 16;

/// Points of one width.
#[derive(Debug)]
pub struct Rows {
    width: usize,
    values: Spool,
    /// Whether each element was an integer so far; shorter than the width until the first point is complete.
    integers: Vec<bool>,
}

/// Points that can be read in any order.
#[derive(Debug)]
pub struct Points {
    values: Spooled,
    /// How many there are.
    pub count: usize,
    /// Whether each element is an integer in all points.
    pub integers: Vec<bool>,
}

/// Numbers that stand column by column: `rows` of the first column, then of the next.
#[derive(Debug)]
pub struct Columns {
    /// The numbers.
    pub values: Spooled,
    /// How many rows there are.
    pub rows: usize,
}

impl Rows {
    /// Points of a width.
    pub fn new(width: usize) -> Self {
        Rows { width, values: Spool::default(), integers: Vec::new() }
    }

    /// Appends elements: the rest of a point, points, the start of a point.
    ///
    /// # Errors
    ///
    /// Names the first element that is not finite; or the temporary file cannot be written.
    pub fn push(&mut self, mut elements: &[f64]) -> Result<(), Defect> {
        while !elements.is_empty() && self.width > 0 {
            let start = self.values.len() % self.width;
            let (row, rest) = elements.split_at(elements.len().min(self.width - start));
            self.check_finite(row, start)?;
            if self.integers.len() < start + row.len() {
                self.integers.resize(start + row.len(), true);
            }
            let flags = self.integers[start..].iter_mut().zip(row);
            flags.for_each(|(is_integer, x)| *is_integer = *is_integer && x.fract() == 0.0);
            self.values.push(row)?;
            elements = rest;
        }
        Ok(())
    }

    fn check_finite(&self, row: &[f64], start: usize) -> Result<(), ReadError> {
        let Some(place) = row.iter().position(|x| !x.is_finite()) else { return Ok(()) };
        let place_name = format!("point {}, element {}", self.values.len() / self.width, start + place);
        Err(ReadError::part(place_name, "a finite number", row[place].to_string()))
    }

    /// Appends points whose elements stand column by column. `column` tells where each element stands.
    ///
    /// # Errors
    ///
    /// As [`Rows::push`]; or the temporary file cannot be read.
    pub fn push_columns(&mut self, columns: &Columns, column: impl Fn(usize) -> usize) -> Result<(), Defect> {
        let at_once = (NUMBERS_AT_ONCE / self.width.max(1)).max(1);
        for first in (0..columns.rows).step_by(at_once) {
            let count = at_once.min(columns.rows - first);
            let mut block = vec![0.0; count * self.width];
            for start in (0..self.width).step_by(COLUMNS_AT_ONCE) {
                let elements = start..self.width.min(start + COLUMNS_AT_ONCE);
                let read = |element| columns.values.read(column(element) * columns.rows + first, count);
                let strip = elements.clone().map(read).collect::<Result<Vec<Vec<f64>>, BatchError>>()?;
                for (row, numbers) in block.chunks_exact_mut(self.width).enumerate() {
                    numbers[elements.clone()].iter_mut().zip(&strip).for_each(|(place, column)| *place = column[row]);
                }
            }
            self.push(&block)?;
        }
        Ok(())
    }

    /// Ends the writing.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be written, or there are no points.
    pub fn finish(self) -> Result<Points, Defect> {
        let count = self.values.len().checked_div(self.width).unwrap_or(0);
        if count == 0 {
            return Err(ReadError::part("points", "at least one point", "none").into());
        }
        Ok(Points { values: self.values.finish()?, count, integers: self.integers })
    }
}

impl Points {
    /// A point.
    ///
    /// # Errors
    ///
    /// The temporary file cannot be read, or there is no such point.
    pub fn point(&self, index: usize) -> Result<Vec<f64>, BatchError> {
        self.values.read(index * self.integers.len(), self.integers.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_in_any_portions() {
        let mut rows = Rows::new(3);
        for portion in [&[1.0, 0.5][..], &[], &[3.0, 4.0, 5.0, 6.0, 7.0], &[8.0, 9.5]] {
            rows.push(portion).unwrap();
        }
        let points = rows.finish().unwrap();
        assert_eq!((points.count, points.integers.as_slice()), (3, &[true, false, false][..]));
        assert_eq!(points.point(2).unwrap(), [7.0, 8.0, 9.5]);
        assert!(points.point(3).is_err());
    }

    #[test]
    fn defects_are_refused_with_their_reason() {
        let mut rows = Rows::new(2);
        let message = rows.push(&[0.0, 1.0, 2.0, f64::INFINITY]).unwrap_err().to_string();
        assert_eq!(message, "point 1, element 1: expected a finite number, found inf");
        for width in [0, 2] {
            let message = Rows::new(width).finish().unwrap_err().to_string();
            assert_eq!(message, "points: expected at least one point, found none");
        }
    }

    #[test]
    fn columns_become_rows() {
        let mut values = Spool::default();
        let width = COLUMNS_AT_ONCE + 2;
        let count = NUMBERS_AT_ONCE / width + 3;
        let number = |column: usize, row: usize| (100 * row + column) as f64;
        for column in 0..width {
            values.push(&(0..count).map(|row| number(column, row)).collect::<Vec<f64>>()).unwrap();
        }
        let mut rows = Rows::new(width);
        let columns = Columns { values: values.finish().unwrap(), rows: count };
        rows.push_columns(&columns, |element| width - 1 - element).unwrap();
        let points = rows.finish().unwrap();
        assert_eq!(points.count, count);
        for row in [0, 1, count - 4, count - 1] {
            let expected: Vec<f64> = (0..width).rev().map(|column| number(column, row)).collect();
            assert_eq!(points.point(row).unwrap(), expected);
        }
    }
}
