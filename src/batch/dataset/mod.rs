//! Data sets: labelled points in raw units, from `.npy`, `.npz` and `.csv` files.
//!
//! * `source` names files and arrays.
//! * `npy`, `npz`, `csv` read one format each.
//! * `labels` turns numbers into class indices.
//!
//! A point is a row of numbers in row-major order of whatever shape the file gives it. Nothing is scaled or rounded:
//! every element is the binary64 number that the file holds (decimal text is rounded to the nearest one).

mod csv;
mod labels;
mod npy;
mod npz;
mod source;

pub use source::{Format, Source};

use std::fs;
use std::path::Path;

use bartizan_proof::{Digest, Network};
use bartizan_read::ReadError;

use self::csv::Table;
use self::npy::Array;
use self::npz::Archive;
use super::BatchError;

/// Points with labels.
#[derive(Clone, Debug)]
pub struct Dataset {
    values: Vec<f64>,
    /// Shape of one point.
    shape: Vec<usize>,
    labels: Vec<usize>,
    points: Origin,
    labelled_by: Origin,
}

/// Where something was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The file, and the array or column in it.
    pub source: Source,
    /// SHA-256 of the file's bytes.
    pub digest: Digest,
}

/// Keys under which archives are known to keep points and their labels.
const KEY_PAIRS: [(&str, &str); 6] =
    [("x", "y"), ("X", "y"), ("images", "labels"), ("data", "labels"), ("x_test", "y_test"), ("x_train", "y_train")];

/// Points, and the labels where the file holds both.
struct Points {
    shape: Vec<usize>,
    values: Vec<f64>,
    labels: Option<(Vec<usize>, Option<String>)>,
    key: Option<String>,
}

impl Dataset {
    /// Reads points and labels. Without a source of labels they come from the file of the points: the label column of a
    /// table (the one named `label`, or the last, unless `column` says otherwise), or the array that belongs to the
    /// points' in an archive.
    ///
    /// # Errors
    ///
    /// A file cannot be read, is not what it should be, or does not match the other; a value is not finite, a label not a
    /// class index; there are no points.
    pub fn read(data: &Source, labels: Option<&Source>, column: Option<&str>) -> Result<Dataset, BatchError> {
        let bytes = read_file(&data.path)?;
        let within = BatchError::within(&data.path);
        let found = read_points(&bytes, data, labels.is_none(), column).map_err(&within)?;
        let points = Origin { source: data.with_part(found.key), digest: Digest::of(&bytes) };
        let (labels, labelled_by) = match (labels, found.labels) {
            (Some(source), _) => read_labels(source, column)?,
            (None, Some((labels, part))) => (labels, Origin { source: data.with_part(part), digest: points.digest }),
            (None, None) => {
                let expected = "a file of labels (--labels), as this format holds points only";
                return Err(within(ReadError::part("labels", expected, "none")));
            }
        };
        let set = Dataset { values: found.values, shape: found.shape, labels, points, labelled_by };
        set.check(&within)?;
        Ok(set)
    }

    fn check(&self, within: &impl Fn(ReadError) -> BatchError) -> Result<(), BatchError> {
        let width = self.width();
        let points = self.values.len().checked_div(width).unwrap_or(0);
        if points == 0 {
            return Err(within(ReadError::part("points", "at least one point", "none")));
        }
        if let Some(place) = self.values.iter().position(|x| !x.is_finite()) {
            let (point, element) = (place / width, place % width);
            let found = self.values[place].to_string();
            return Err(within(ReadError::part(format!("point {point}, element {element}"), "a finite number", found)));
        }
        if self.labels.len() != points {
            let expected = format!("{points} labels, one for each point of {}", self.points.source);
            let error = ReadError::part("labels", expected, self.labels.len().to_string());
            return Err(BatchError::within(&self.labelled_by.source.path)(error));
        }
        Ok(())
    }

    /// Checks that points and labels fit a network: as many elements as it has inputs, in the same order of dimensions where both
    /// have several, and labels among its classes.
    ///
    /// # Errors
    ///
    /// The first thing that does not fit.
    pub fn fits(&self, network: &Network) -> Result<(), BatchError> {
        let (found, expected) = (&self.shape, network.input_shape());
        let wrong = |expected: String, found: String| {
            Err(BatchError::within(&self.points.source.path)(ReadError::part("points", expected, found)))
        };
        if self.width() != network.input_size() {
            let expected = format!("{} elements, the network's input {expected:?}", network.input_size());
            return wrong(expected, format!("{} elements, shape {found:?}", self.width()));
        }
        let sides = |shape: &[usize]| shape.iter().copied().filter(|side| *side != 1).collect::<Vec<usize>>();
        let (inner, outer) = (sides(found), sides(expected));
        if inner.len() > 1 && outer.len() > 1 && inner != outer {
            let expected = format!("shape {expected:?}, the network's input");
            return wrong(expected, format!("shape {found:?}; transpose the array"));
        }
        let classes = network.output_size();
        if let Some(point) = self.labels.iter().position(|label| *label >= classes) {
            let expected = format!("a class from 0 to {}, as the network has outputs", classes.saturating_sub(1));
            let error = ReadError::part(format!("label of point {point}"), expected, self.labels[point].to_string());
            return Err(BatchError::within(&self.labelled_by.source.path)(error));
        }
        Ok(())
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no points; never true of a data set that was read.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Elements of a point.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// A point, in raw units.
    pub fn point(&self, index: usize) -> &[f64] {
        &self.values[index * self.width()..][..self.width()]
    }

    /// The label of a point.
    pub fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    /// Where the points were read.
    pub fn points_origin(&self) -> &Origin {
        &self.points
    }

    /// Where the labels were read.
    pub fn labels_origin(&self) -> &Origin {
        &self.labelled_by
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, BatchError> {
    fs::read(path).map_err(|error| BatchError::Read { path: path.to_owned(), error })
}

fn read_points(bytes: &[u8], data: &Source, with_labels: bool, column: Option<&str>) -> Result<Points, ReadError> {
    match data.format()? {
        Format::Npy => {
            let (shape, values) = split_points(npy::parse(bytes)?, "array")?;
            Ok(Points { shape, values, labels: None, key: None })
        }
        Format::Npz => {
            let mut archive = Archive::open(bytes)?;
            let key = points_key(&archive, data.part.as_deref())?;
            let (shape, values) = split_points(archive.array(&key)?, &format!("array `{key}`"))?;
            let labels = if with_labels { Some(labels_beside(&mut archive, &key)?) } else { None };
            Ok(Points { shape, values, labels, key: Some(key) })
        }
        Format::Csv => {
            let mut table = Table::parse(bytes, column)?;
            let labels = if with_labels { Some(labels::take(&mut table, column)?) } else { None };
            Ok(Points { shape: vec![table.columns.len()], values: table.cells, labels, key: None })
        }
    }
}

/// The shape of one point, and the elements of all.
fn split_points(array: Array, place: &str) -> Result<(Vec<usize>, Vec<f64>), ReadError> {
    match array.shape.as_slice() {
        [] => Err(ReadError::part(place, "an array of points", "a single number")),
        [_, shape @ ..] => Ok((shape.to_vec(), array.values)),
    }
}

fn points_key(archive: &Archive, asked: Option<&str>) -> Result<String, ReadError> {
    if let Some(key) = asked {
        return Ok(key.to_owned());
    }
    let keys = archive.keys();
    let known = KEY_PAIRS.iter().map(|(points, _)| *points).find(|points| keys.iter().any(|key| key == points));
    known.map(str::to_owned).ok_or_else(|| {
        let expected = "an array `x`, `X`, `images`, `data`, `x_test` or `x_train`, or FILE.npz:ARRAY";
        ReadError::part("archive", expected, archive.listing())
    })
}

/// The labels that an archive keeps for the points under a key.
fn labels_beside(archive: &mut Archive, points: &str) -> Result<(Vec<usize>, Option<String>), ReadError> {
    let keys = archive.keys();
    let pair = KEY_PAIRS.iter().find(|pair| pair.0 == points).map(|pair| pair.1);
    let known = pair.into_iter().chain(["y", "labels", "label"]).find(|name| keys.iter().any(|key| key == name));
    let Some(key) = known else {
        let expected = format!("an array `{}` with labels, or --labels FILE", pair.unwrap_or("y"));
        return Err(ReadError::part("archive", expected, archive.listing()));
    };
    let labels = labels::of_array(&archive.array(key)?, &format!("array `{key}`, "))?;
    Ok((labels, Some(key.to_owned())))
}

fn read_labels(source: &Source, column: Option<&str>) -> Result<(Vec<usize>, Origin), BatchError> {
    let bytes = read_file(&source.path)?;
    let (labels, part) = parse_labels(&bytes, source, column).map_err(BatchError::within(&source.path))?;
    Ok((labels, Origin { source: source.with_part(part), digest: Digest::of(&bytes) }))
}

fn parse_labels(
    bytes: &[u8],
    source: &Source,
    column: Option<&str>,
) -> Result<(Vec<usize>, Option<String>), ReadError> {
    match source.format()? {
        Format::Npy => Ok((labels::of_array(&npy::parse(bytes)?, "")?, None)),
        Format::Csv => labels::take(&mut Table::parse(bytes, column)?, column),
        Format::Npz => {
            let mut archive = Archive::open(bytes)?;
            let Some(key) = &source.part else { return labels_beside(&mut archive, "x") };
            Ok((labels::of_array(&archive.array(key)?, &format!("array `{key}`, "))?, Some(key.clone())))
        }
    }
}

#[cfg(test)]
mod tests;
