//! Comma-separated text: one point a line, one column an element, with or without a header.
//!
//! A first line without any number is a header, and so is one that names the label's column. Numbers are rounded to the nearest
//! binary64 number; that number is the point. Lines end with `\n` or `\r\n`; empty ones are skipped. One line at a time is held.

use std::io::{self, Read};

use ::csv::StringRecord;
use bartizan_read::ReadError;

use super::defect::Defect;

/// Bytes that are parsed at once.
const CHUNK: usize = 1 << 16;

/// The name of a label column that needs no option.
pub const LABEL: &str = "label";

/// Lines of cells.
pub struct Lines<R> {
    reader: ::csv::Reader<io::Chain<R, &'static [u8]>>,
    record: StringRecord,
    /// The line of the file (from 1) that the record stands on.
    line: u64,
}

/// A table of numbers, read line by line.
pub struct Table<R> {
    lines: Lines<R>,
    /// Names of the columns.
    pub columns: Columns,
    /// Whether the first row has been read, but not been passed on.
    is_first_pending: bool,
}

/// Names of the columns.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// The header's, or their numbers from 0.
    pub names: Vec<String>,
    /// Whether the file has a header.
    pub has_header: bool,
}

impl<R: Read> Lines<R> {
    /// The lines of a text.
    pub fn new(input: R) -> Self {
        // The last line ends as all others do, so that the parser counts it.
        let input = input.chain(&b"\n"[..]);
        let mut options = ::csv::ReaderBuilder::new();
        options.has_headers(false).flexible(true).trim(::csv::Trim::All).buffer_capacity(CHUNK);
        let reader = options.terminator(::csv::Terminator::Any(b'\n')).from_reader(input);
        Lines { reader, record: StringRecord::new(), line: 0 }
    }

    /// The cells of the next line that is not empty, and its number from 1.
    ///
    /// # Errors
    ///
    /// The text cannot be read, or is not text.
    pub fn next(&mut self) -> Result<Option<(&StringRecord, u64)>, Defect> {
        loop {
            match self.reader.read_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(error) => return Err(refused(error)),
            }
            self.line = self.reader.position().line().saturating_sub(1);
            let is_blank = self.record.len() == 1 && self.record[0].is_empty();
            if !is_blank {
                return Ok(Some((&self.record, self.line)));
            }
        }
    }
}

fn refused(error: ::csv::Error) -> Defect {
    let text = error.to_string();
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error.into(),
        _ => ReadError::part("table", "comma-separated UTF-8 text", text).into(),
    }
}

impl<R: Read> Table<R> {
    /// Begins to read a table whose label column may have a name other than `label`.
    ///
    /// # Errors
    ///
    /// There is no first line, or one of which only a part is numbers.
    pub fn open(input: R, label: Option<&str>) -> Result<Self, Defect> {
        let mut lines = Lines::new(input);
        let Some((first, line)) = lines.next()? else {
            return Err(ReadError::part("table", "at least one row", "an empty file").into());
        };
        let columns = Columns::of(first, line, label.unwrap_or(LABEL))?;
        let is_first_pending = !columns.has_header;
        Ok(Table { lines, columns, is_first_pending })
    }

    /// Reads the next row into `cells`, and tells the line it stands on.
    ///
    /// # Errors
    ///
    /// Names line and column of a cell that is not a finite number, or the line that has another length.
    pub fn next(&mut self, cells: &mut Vec<f64>) -> Result<Option<u64>, Defect> {
        let (record, line) = if std::mem::take(&mut self.is_first_pending) {
            (&self.lines.record, self.lines.line)
        } else {
            let Some(next) = self.lines.next()? else { return Ok(None) };
            next
        };
        if record.len() != self.columns.names.len() {
            let expected = format!("{} cells as in the first line", self.columns.names.len());
            return Err(ReadError::part(format!("line {line}"), expected, record.len().to_string()).into());
        }
        cells.clear();
        for (column, cell) in record.iter().enumerate() {
            let value = cell.parse::<f64>().ok().filter(|value| value.is_finite());
            let wrong = || ReadError::part(self.columns.place(line, column), "a finite number", format!("`{cell}`"));
            cells.push(value.ok_or_else(wrong)?);
        }
        Ok(Some(line))
    }
}

impl Columns {
    /// The columns that the first line names or has.
    fn of(first: &StringRecord, line: u64, label: &str) -> Result<Columns, ReadError> {
        if first.iter().any(|cell| cell.contains('\r')) {
            let expected = r"lines that end with `\n` or `\r\n`";
            return Err(ReadError::part(format!("line {line}"), expected, r"lines that end with `\r` alone"));
        }
        let odd = first.iter().position(|cell| cell.parse::<f64>().is_err());
        let is_header = first.iter().all(|cell| cell.parse::<f64>().is_err()) || first.iter().any(|cell| cell == label);
        match odd {
            Some(column) if !is_header => {
                let found = format!("`{}`, while other cells of the line are numbers", &first[column]);
                Err(ReadError::part(format!("line {line}, column {column}"), "a number", found))
            }
            Some(_) => Ok(Columns { names: first.iter().map(str::to_owned).collect(), has_header: true }),
            None => Ok(Columns { names: (0..first.len()).map(|c| c.to_string()).collect(), has_header: false }),
        }
    }

    /// Line and column, for messages.
    pub fn place(&self, line: u64, column: usize) -> String {
        let name = self.names.get(column).map_or("", String::as_str);
        if self.has_header { format!("line {line}, column `{name}`") } else { format!("line {line}, column {name}") }
    }

    /// The label's column: the one asked for by name or number, else the one named `label`, else the last.
    ///
    /// # Errors
    ///
    /// There is no such column.
    pub fn label(&self, asked: Option<&str>) -> Result<usize, ReadError> {
        let named = |name: &str| self.names.iter().position(|column| column == name);
        let Some(asked) = asked else { return Ok(named(LABEL).unwrap_or(self.names.len().saturating_sub(1))) };
        let numbered = || asked.parse().ok().filter(|column| *column < self.names.len());
        let found = || format!("`{}`", self.names.join("`, `"));
        named(asked).or_else(numbered).ok_or_else(|| ReadError::part("columns", format!("`{asked}`"), found()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A whole table: its columns, and each row with its line.
    type Whole = (Columns, Vec<(u64, Vec<f64>)>);

    fn parse(bytes: &[u8]) -> Result<Whole, Defect> {
        let mut table = Table::open(bytes, None)?;
        let (mut rows, mut cells) = (Vec::new(), Vec::new());
        while let Some(line) = table.next(&mut cells)? {
            rows.push((line, cells.clone()));
        }
        Ok((table.columns, rows))
    }

    fn table(text: &str) -> Whole {
        parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn with_and_without_a_header() {
        for end in ["\n", "\r\n"] {
            let text = "\u{feff}a, b,label\n1,2.5,0\n\n\n3,-4e-1,1".replace('\n', end);
            let (columns, rows) = table(&text);
            assert_eq!((columns.has_header, columns.names.join(" ").as_str()), (true, "a b label"));
            assert_eq!(rows, [(2, vec![1.0, 2.5, 0.0]), (5, vec![3.0, -0.4, 1.0])]);
            assert_eq!(table(&(text + end)).1, rows);
        }
        let (columns, rows) = table("1,\"2\"\n3,4");
        assert_eq!((columns.has_header, columns.names.join(" ").as_str()), (false, "0 1"));
        assert_eq!(rows, [(1, vec![1.0, 2.0]), (2, vec![3.0, 4.0])]);
        assert!(table("0,1,2,label\n1,2,3,4").0.has_header);
    }

    #[test]
    fn label_columns() {
        let (columns, _) = table("label,a,b\n1,2,3\n4,5,6");
        assert_eq!(columns.label(None), Ok(0));
        assert_eq!((columns.label(Some("b")), columns.label(Some("1"))), (Ok(2), Ok(1)));
        let message = columns.label(Some("c")).unwrap_err().to_string();
        assert_eq!(message, "columns: expected `c`, found `label`, `a`, `b`");
        assert_eq!(table("a,b\n1,2").0.label(None), Ok(1));
    }

    #[test]
    fn defects_are_refused_with_their_reason() {
        let message = |bytes: &[u8]| parse(bytes).unwrap_err().to_string();
        assert_eq!(message(b""), "table: expected at least one row, found an empty file");
        assert_eq!(message(b"a,label\n1,0\n2\n"), "line 3: expected 2 cells as in the first line, found 1");
        assert_eq!(message(b"a,label\nabc,0\n"), "line 2, column `a`: expected a finite number, found `abc`");
        assert_eq!(message(b"1,2\n3,nan\n"), "line 2, column 1: expected a finite number, found `nan`");
        assert_eq!(message(b"1,1e999\n"), "line 1, column 1: expected a finite number, found `1e999`");
        assert_eq!(
            message(b"1,,3\n"),
            "line 1, column 1: expected a number, found ``, while other cells of the line are numbers"
        );
        let message_of_old_lines = message(b"a,label\r1,2\r");
        assert_eq!(
            message_of_old_lines,
            r"line 1: expected lines that end with `\n` or `\r\n`, found lines that end with `\r` alone"
        );
        let text = message(b"a,b\n1,\xff\n");
        assert!(text.starts_with("table: expected comma-separated UTF-8 text, found "), "{text}");
    }
}
