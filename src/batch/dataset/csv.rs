//! Comma-separated text: one point a line, one column an element, with or without a header.
//!
//! A first line without any number is a header, and so is one that names the label's column. Numbers are rounded to the nearest
//! binary64 number; that number is the point.

use bartizan_read::ReadError;

/// A table of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Names of the columns: the header's, or their numbers from 0.
    pub columns: Vec<String>,
    /// Whether the file has a header.
    pub has_header: bool,
    /// The cells, row by row.
    pub cells: Vec<f64>,
    /// The line of the file (from 1) that each row stands on.
    pub lines: Vec<u64>,
}

/// The name of a label column that needs no option.
pub const LABEL: &str = "label";

impl Table {
    /// Reads a table whose label column may have a name other than `label`.
    ///
    /// # Errors
    ///
    /// Names line and column of the first cell that is not a finite number, or the first line of another length.
    pub fn parse(bytes: &[u8], label: Option<&str>) -> Result<Table, ReadError> {
        let mut reader =
            ::csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(::csv::Trim::All).from_reader(bytes);
        let mut table: Option<Table> = None;
        for record in reader.records() {
            let record = record.map_err(|e| ReadError::part("table", "comma-separated UTF-8 text", e.to_string()))?;
            let line = record.position().map_or(0, |position| line_of(bytes, position));
            match &mut table {
                None => table = Some(Table::begin(&record, line, label.unwrap_or(LABEL))?),
                Some(table) => table.add(&record, line)?,
            }
        }
        table.ok_or_else(|| ReadError::part("table", "at least one row", "an empty file"))
    }

    /// The table after its first line, which may be a header.
    fn begin(first: &::csv::StringRecord, line: u64, label: &str) -> Result<Table, ReadError> {
        let odd = first.iter().position(|cell| cell.parse::<f64>().is_err());
        let is_header = first.iter().all(|cell| cell.parse::<f64>().is_err()) || first.iter().any(|cell| cell == label);
        match odd {
            Some(column) if !is_header => {
                let found = format!("`{}`, while other cells of the line are numbers", &first[column]);
                Err(ReadError::part(format!("line {line}, column {column}"), "a number", found))
            }
            Some(_) => {
                let columns = first.iter().map(str::to_owned).collect();
                Ok(Table { columns, has_header: true, cells: Vec::new(), lines: Vec::new() })
            }
            None => {
                let columns = (0..first.len()).map(|c| c.to_string()).collect();
                let mut table = Table { columns, has_header: false, cells: Vec::new(), lines: Vec::new() };
                table.add(first, line)?;
                Ok(table)
            }
        }
    }

    fn add(&mut self, record: &::csv::StringRecord, line: u64) -> Result<(), ReadError> {
        if record.len() != self.columns.len() {
            let expected = format!("{} cells as in the first line", self.columns.len());
            return Err(ReadError::part(format!("line {line}"), expected, record.len().to_string()));
        }
        for (column, cell) in record.iter().enumerate() {
            let value = cell.parse::<f64>().ok().filter(|value| value.is_finite());
            let wrong = || ReadError::part(self.place(line, column), "a finite number", format!("`{cell}`"));
            let value = value.ok_or_else(wrong)?;
            self.cells.push(value);
        }
        self.lines.push(line);
        Ok(())
    }

    /// Line and column, for messages.
    pub fn place(&self, line: u64, column: usize) -> String {
        let name = self.columns.get(column).map_or("", String::as_str);
        if self.has_header { format!("line {line}, column `{name}`") } else { format!("line {line}, column {name}") }
    }

    /// The label's column: the one asked for by name or number, else the one named `label`, else the last.
    ///
    /// # Errors
    ///
    /// There is no such column.
    pub fn label_column(&self, asked: Option<&str>) -> Result<usize, ReadError> {
        let named = |name: &str| self.columns.iter().position(|column| column == name);
        let Some(asked) = asked else { return Ok(named(LABEL).unwrap_or(self.columns.len().saturating_sub(1))) };
        let numbered = || asked.parse().ok().filter(|column| *column < self.columns.len());
        let found = || format!("`{}`", self.columns.join("`, `"));
        named(asked).or_else(numbered).ok_or_else(|| ReadError::part("columns", format!("`{asked}`"), found()))
    }

    /// Takes a column out of the table.
    pub fn take_column(&mut self, column: usize) -> Vec<f64> {
        let width = self.columns.len();
        let taken = self.cells.iter().skip(column).step_by(width).copied().collect();
        let mut place = 0;
        self.cells.retain(|_| {
            place += 1;
            (place - 1) % width != column
        });
        self.columns.remove(column);
        taken
    }
}

/// The line of a record, whose position is that of the empty lines in front of it.
fn line_of(bytes: &[u8], position: &::csv::Position) -> u64 {
    let from = usize::try_from(position.byte()).unwrap_or(usize::MAX);
    let skipped = bytes.get(from..).unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + skipped.filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Table {
        Table::parse(text.as_bytes(), None).unwrap()
    }

    #[test]
    fn with_and_without_a_header() {
        let with = table("\u{feff}a, b,label\n1,2.5,0\n\n3,-4e-1,1\n");
        assert_eq!((with.has_header, with.columns.join(" ").as_str()), (true, "a b label"));
        assert_eq!((with.cells, with.lines), (vec![1.0, 2.5, 0.0, 3.0, -0.4, 1.0], vec![2, 4]));
        let without = table("1,2\n3,4");
        assert_eq!((without.has_header, without.cells), (false, vec![1.0, 2.0, 3.0, 4.0]));
        assert!(table("0,1,2,label\n1,2,3,4").has_header);
    }

    #[test]
    fn label_columns() {
        let mut t = table("label,a,b\n1,2,3\n4,5,6");
        assert_eq!(t.label_column(None), Ok(0));
        assert_eq!((t.label_column(Some("b")), t.label_column(Some("1"))), (Ok(2), Ok(1)));
        let message = t.label_column(Some("c")).unwrap_err().to_string();
        assert_eq!(message, "columns: expected `c`, found `label`, `a`, `b`");
        assert_eq!((t.take_column(0), t.cells), (vec![1.0, 4.0], vec![2.0, 3.0, 5.0, 6.0]));
        assert_eq!(table("a,b\n1,2").label_column(None), Ok(1));
    }

    #[test]
    fn defects_are_refused_with_their_reason() {
        let message = |bytes: &[u8]| Table::parse(bytes, None).unwrap_err().to_string();
        assert_eq!(message(b""), "table: expected at least one row, found an empty file");
        assert_eq!(message(b"a,label\n1,0\n2\n"), "line 3: expected 2 cells as in the first line, found 1");
        assert_eq!(message(b"a,label\nabc,0\n"), "line 2, column `a`: expected a finite number, found `abc`");
        assert_eq!(message(b"1,2\n3,nan\n"), "line 2, column 1: expected a finite number, found `nan`");
        assert_eq!(message(b"1,1e999\n"), "line 1, column 1: expected a finite number, found `1e999`");
        assert_eq!(
            message(b"1,,3\n"),
            "line 1, column 1: expected a number, found ``, while other cells of the line are numbers"
        );
        let text = message(b"a,b\n1,\xff\n");
        assert!(text.starts_with("table: expected comma-separated UTF-8 text, found "), "{text}");
    }
}
