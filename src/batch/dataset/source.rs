//! How the command line names a file of points or labels.

use std::fmt;
use std::path::{Path, PathBuf};

use bartizan_read::ReadError;

/// A file, and which array or column of it is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file.
    pub path: PathBuf,
    /// An array of an archive or a column of a table; none where the file decides.
    pub part: Option<String>,
}

/// Formats of data files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One NumPy array.
    Npy,
    /// An archive of NumPy arrays.
    Npz,
    /// Comma-separated text.
    Csv,
    /// A Parquet table.
    Parquet,
    /// A folder of PNG images.
    Images,
}

impl Source {
    /// A source as it is typed: a path, or `FILE.npz:ARRAY`.
    pub fn parse(text: &str) -> Source {
        match text.rsplit_once(':') {
            Some((path, part)) if !part.is_empty() && has_extension(Path::new(path), "npz") => {
                Source { path: path.into(), part: Some(part.to_owned()) }
            }
            _ => Source { path: text.into(), part: None },
        }
    }

    /// The format, which the file's name says (that of a gzipped table or array may end with `.gz`); a folder holds images.
    ///
    /// # Errors
    ///
    /// The name says something else.
    pub fn format(&self) -> Result<Format, ReadError> {
        if self.path.is_dir() {
            return Ok(Format::Images);
        }
        let bare = self.path.with_extension("");
        let is_gzipped = has_extension(&self.path, "gz");
        let path = if is_gzipped { &bare } else { &self.path };
        let formats = [
            ("npy", Format::Npy),
            ("npz", Format::Npz),
            ("csv", Format::Csv),
            ("txt", Format::Csv),
            ("parquet", Format::Parquet),
        ];
        let known = formats.iter().find(|(extension, _)| has_extension(path, extension)).map(|(_, format)| *format);
        let found = || path.extension().map_or("none".to_owned(), |e| format!("`.{}`", e.to_string_lossy()));
        match known {
            Some(Format::Npz | Format::Parquet) if is_gzipped => {
                let expected = "an archive or Parquet file that is not gzipped, as it is compressed inside";
                Err(ReadError::part("file name extension", expected, "`.gz`"))
            }
            Some(format) => Ok(format),
            None => {
                let expected = "`.npy`, `.npz`, `.csv`, `.txt` or `.parquet`, or a folder of PNG images";
                Err(ReadError::part("file name extension", expected, found()))
            }
        }
    }

    /// The same file, with the array or column that was chosen in it.
    pub fn with_part(&self, part: Option<String>) -> Source {
        Source { path: self.path.clone(), part: part.or_else(|| self.part.clone()) }
    }
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.part {
            None => write!(f, "{}", self.path.display()),
            Some(part) => write!(f, "{}:{part}", self.path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_named_after_archives_only() {
        let parsed = |text: &str| (Source::parse(text).path.display().to_string(), Source::parse(text).part);
        assert_eq!(parsed("a/b.npz:x"), ("a/b.npz".to_owned(), Some("x".to_owned())));
        assert_eq!(parsed("C:images.npy"), ("C:images.npy".to_owned(), None));
        assert_eq!(parsed("b.npz"), ("b.npz".to_owned(), None));
        assert_eq!(Source::parse("b.npz:x").to_string(), "b.npz:x");
    }

    #[test]
    fn formats_are_known_by_extension() {
        assert_eq!(Source::parse("A.NPY").format(), Ok(Format::Npy));
        assert_eq!(Source::parse("a.npz:k").format(), Ok(Format::Npz));
        assert_eq!(Source::parse("a.csv.gz").format(), Ok(Format::Csv));
        assert_eq!(Source::parse("a.parquet").format(), Ok(Format::Parquet));
        assert_eq!(Source::parse(".").format(), Ok(Format::Images));
        let message = |name: &str| Source::parse(name).format().unwrap_err().to_string();
        let expected = "`.npy`, `.npz`, `.csv`, `.txt` or `.parquet`, or a folder of PNG images";
        assert_eq!(message("a.mat"), format!("file name extension: expected {expected}, found `.mat`"));
        assert_eq!(message("a.mat.gz"), format!("file name extension: expected {expected}, found `.mat`"));
        assert_eq!(message("a"), format!("file name extension: expected {expected}, found none"));
        assert_eq!(
            message("a.npz.gz"),
            "file name extension: expected an archive or Parquet file that is not gzipped, as it is compressed inside, found `.gz`"
        );
    }
}
