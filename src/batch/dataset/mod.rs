//! Data sets: labelled points in raw units, from memory or from `.npy`, `.npz`, `.csv` and `.parquet` files and folders of PNG images.
//!
//! * `source` names files and arrays, `input` reads files and takes their digests, `defect` is what can be wrong in them.
//! * `npy`, `npz`, `csv`, `parquet`, `images` read one format each.
//! * `arrays` takes points from memory.
//! * `labels` turns numbers into class indices.
//! * `rows`, `spool` keep the points: in little memory, and on disk beyond a limit.
//!
//! A point is a row of numbers in row-major order of whatever shape the file gives it. Nothing is scaled or rounded:
//! every element is the binary64 number that the file holds (decimal text is rounded to the nearest one).
//!
//! Files are read as streams. What is needed later is a copy, so that a file that changes during a run does not change the run.

mod arrays;
mod csv;
mod defect;
mod images;
mod input;
mod labels;
mod npy;
mod npz;
mod parquet;
mod rows;
mod source;
mod spool;

pub use arrays::{Arrays, is_in_memory};
pub use source::{Format, Source};

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::sync::Arc;

use bartizan_proof::{Digest, Network};
use bartizan_read::ReadError;

use self::csv::Table;
use self::defect::Defect;
use self::images::Images;
use self::labels::Labels;
use self::npz::Archive;
use self::rows::{Points, Rows};
use super::BatchError;

/// Points with labels.
#[derive(Clone, Debug)]
pub struct Dataset {
    points: Arc<Points>,
    /// Shape of one point.
    shape: Vec<usize>,
    labels: Vec<usize>,
    /// Names of the elements, in a table.
    columns: Option<Vec<String>>,
    /// Names of the classes, where folders have them.
    class_names: Option<Vec<String>>,
    read_from: Origin,
    labelled_by: Origin,
    named: Named,
}

/// How somebody named a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The points, as they were named.
    pub data: String,
    /// The labels; none where they are where the points are.
    pub labels: Option<String>,
    /// The label's column in a table, where one was named.
    pub label_column: Option<String>,
}

/// Where something was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// The file, and the array or column in it.
    pub source: Source,
    /// SHA-256 of the file's bytes; of a folder, of the paths and digests of its images.
    pub digest: Digest,
}

/// Keys under which archives are known to keep points and their labels.
const KEY_PAIRS: [(&str, &str); 6] =
    [("x", "y"), ("X", "y"), ("images", "labels"), ("data", "labels"), ("x_test", "y_test"), ("x_train", "y_train")];

/// Points, and the labels where the file holds both.
struct Found {
    shape: Vec<usize>,
    points: Points,
    labels: Option<Labels>,
    /// The array that holds the points.
    key: Option<String>,
    columns: Option<Vec<String>>,
}

impl Dataset {
    /// Reads points and labels. Without a source of labels they come from the file of the points: the label column of a
    /// table (the one named `label`, or the last, unless `column` says otherwise), or the array that belongs to the
    /// points' in an archive, or the sub-folder that an image is in.
    ///
    /// # Errors
    ///
    /// A file cannot be read, is not what it should be, or does not match the other; a value is not finite, a label not a
    /// class index; there are no points; or a temporary file cannot be written.
    pub fn read(data: &Source, labels: Option<&Source>, column: Option<&str>) -> Result<Dataset, BatchError> {
        let within = BatchError::within(&data.path);
        let format = data.format().map_err(&within)?;
        let named = Named {
            data: data.to_string(),
            labels: labels.map(ToString::to_string),
            label_column: column.map(str::to_owned),
        };
        if format == Format::Images {
            return Ok(Dataset::of_images(data, images::read(data, labels, column)?, named));
        }
        let (found, digest) = read_points((data, format), labels.is_none(), column)?;
        let read_from = Origin { source: data.with_part(found.key), digest };
        let (labels, labelled_by) = match (labels, found.labels) {
            (Some(source), _) => read_labels(source, column)?,
            (None, Some((labels, part))) => (labels, Origin { source: data.with_part(part), digest }),
            (None, None) => {
                let expected = "a file of labels (--labels), as this format holds points only";
                return Err(within(ReadError::part("labels", expected, "none")));
            }
        };
        if labels.len() != found.points.count {
            let expected = format!("{} labels, one for each point of {}", found.points.count, read_from.source);
            let error = ReadError::part("labels", expected, labels.len().to_string());
            return Err(BatchError::within(&labelled_by.source.path)(error));
        }
        let (points, shape, columns) = (Arc::new(found.points), found.shape, found.columns);
        Ok(Dataset { points, shape, labels, columns, class_names: None, read_from, labelled_by, named })
    }

    fn of_images(data: &Source, images: Images, named: Named) -> Dataset {
        let Images { points, shape, labels, digest, labelled_by, class_names } = images;
        let read_from = Origin { source: data.clone(), digest };
        Dataset { points: Arc::new(points), shape, labels, columns: None, class_names, read_from, labelled_by, named }
    }

    /// Reads a file of labels alone, or of other numbers of points that are written as labels are.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is not what it should be.
    pub fn read_labels(source: &Source, column: Option<&str>) -> Result<Vec<usize>, BatchError> {
        read_labels(source, column).map(|(labels, _)| labels)
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
            Err(BatchError::within(&self.read_from.source.path)(ReadError::part("points", expected, found)))
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

    /// Reads points, and labels where their file does not hold them, as the command line does: `.npy`, `.npz` (`FILE.npz:ARRAY` for
    /// a certain array), `.csv`, `.parquet` or a folder of PNG images.
    ///
    /// # Errors
    ///
    /// As [`Dataset::read`].
    pub fn open(data: &str, labels: Option<&str>) -> Result<Dataset, BatchError> {
        Dataset::open_column(data, labels, None)
    }

    /// The same where the labels are in the given column of a table.
    ///
    /// # Errors
    ///
    /// As [`Dataset::read`].
    pub fn open_column(data: &str, labels: Option<&str>, column: Option<&str>) -> Result<Dataset, BatchError> {
        Dataset::read(&Source::parse(data), labels.map(Source::parse).as_ref(), column)
    }

    /// Points of a shape that are in memory, one after the other in row-major order, with a label for each.
    ///
    /// # Errors
    ///
    /// Not as many labels as points, none at all, or an element that is not finite.
    pub fn from_points(shape: &[usize], elements: &[f64], labels: Vec<usize>) -> Result<Dataset, BatchError> {
        let mut arrays = Arrays::new(shape, None);
        arrays.push(elements)?;
        arrays.finish(labels)
    }

    /// The points in their order, each with its label.
    pub fn iter(&self) -> impl Iterator<Item = Result<(Vec<f64>, usize), BatchError>> + '_ {
        (0..self.len()).map(|index| Ok((self.point(index)?, self.label(index))))
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no points; never true of a data set that was read.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Shape of a point.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Elements of a point.
    pub fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// A point, in raw units.
    ///
    /// # Errors
    ///
    /// The temporary file that holds the points cannot be read, or there is no such point.
    pub fn point(&self, index: usize) -> Result<Vec<f64>, BatchError> {
        self.points.point(index)
    }

    /// The label of a point.
    pub fn label(&self, index: usize) -> usize {
        self.labels[index]
    }

    /// Whether each element has a column of its own.
    pub fn is_table(&self) -> bool {
        self.columns.is_some()
    }

    /// Names of a table's columns, the label's left out; their numbers where there is no header.
    pub fn columns(&self) -> Option<&[String]> {
        self.columns.as_deref()
    }

    /// For each element, whether it is an integer in all points.
    pub fn integer_features(&self) -> &[bool] {
        &self.points.integers
    }

    /// Names of the classes; none where class indices are all there is.
    pub fn class_names(&self) -> Option<&[String]> {
        self.class_names.as_deref()
    }

    /// How it was named.
    pub(crate) fn named(&self) -> &Named {
        &self.named
    }

    /// Where the points were read.
    pub fn points_origin(&self) -> &Origin {
        &self.read_from
    }

    /// Where the labels were read.
    pub fn labels_origin(&self) -> &Origin {
        &self.labelled_by
    }
}

/// Reads the points, and the labels where they are asked for and the file holds both. A folder of images is none of this.
fn read_points(
    (data, format): (&Source, Format),
    with_labels: bool,
    column: Option<&str>,
) -> Result<(Found, Digest), BatchError> {
    let unlabelled =
        |shape, rows: Rows| Ok(Found { shape, points: rows.finish()?, labels: None, key: None, columns: None });
    match format {
        Format::Npy => input::read(&data.path, |input| {
            let (shape, rows) = npy::read_points(&mut &mut *input, "array")?;
            unlabelled(shape, rows)
        }),
        Format::Npz => input::read_at_random(&data.path, |file| {
            let mut archive = Archive::open(BufReader::new(file))?;
            let key = points_key(&archive, data.part.as_deref())?;
            let array = archive.array(&key, |input| npy::read_points(input, &format!("array `{key}`")));
            let (shape, rows) = array?;
            let labels = if with_labels { Some(labels_beside(&mut archive, &key)?) } else { None };
            Ok(Found { labels, key: Some(key), ..unlabelled(shape, rows)? })
        }),
        Format::Csv => input::read(&data.path, |input| read_table(input, with_labels, column)),
        Format::Parquet => input::read_at_random(&data.path, |file| {
            let found = parquet::Table::read(file, |table| table.points(with_labels, column))?;
            Ok(Found { labels: found.labels, columns: found.names, ..unlabelled(vec![found.width], found.rows)? })
        }),
        Format::Images => Err(BatchError::within(&data.path)(ReadError::part("points", "a file", "a folder"))),
    }
}

fn read_table(input: &mut dyn BufRead, with_labels: bool, column: Option<&str>) -> Result<Found, Defect> {
    let mut table = Table::open(input, column)?;
    let label = if with_labels { Some(table.columns.label(column)?) } else { None };
    let mut names = table.columns.names.clone();
    let label_name = label.map(|label| names.remove(label));
    let (mut rows, mut labels, mut cells) = (Rows::new(names.len()), Vec::new(), Vec::new());
    while let Some(line) = table.next(&mut cells)? {
        if let Some(label) = label {
            labels.push(labels::class(cells.remove(label), || table.columns.place(line, label))?);
        }
        rows.push(&cells)?;
    }
    let labels = label.map(|_| (labels, label_name));
    Ok(Found { shape: vec![names.len()], points: rows.finish()?, labels, key: None, columns: Some(names) })
}

fn points_key<R: Read + Seek>(archive: &Archive<R>, asked: Option<&str>) -> Result<String, ReadError> {
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
fn labels_beside<R: Read + Seek>(archive: &mut Archive<R>, points: &str) -> Result<Labels, Defect> {
    let keys = archive.keys();
    let pair = KEY_PAIRS.iter().find(|pair| pair.0 == points).map(|pair| pair.1);
    let known = pair.into_iter().chain(["y", "labels", "label"]).find(|name| keys.iter().any(|key| key == name));
    let Some(key) = known else {
        let expected = format!("an array `{}` with labels, or --labels FILE", pair.unwrap_or("y"));
        return Err(ReadError::part("archive", expected, archive.listing()).into());
    };
    Ok((archive.array(key, labels::of_array)?, Some(key.to_owned())))
}

fn read_labels(source: &Source, column: Option<&str>) -> Result<(Vec<usize>, Origin), BatchError> {
    let within = BatchError::within(&source.path);
    let ((labels, part), digest) = match source.format().map_err(&within)? {
        Format::Npy => input::read(&source.path, |input| Ok((labels::of_array(&mut &mut *input)?, None)))?,
        Format::Csv => input::read(&source.path, |input| labels::of_table(&mut &mut *input, column))?,
        Format::Parquet => {
            input::read_at_random(&source.path, |file| parquet::Table::read(file, |table| table.labels(column)))?
        }
        Format::Npz => input::read_at_random(&source.path, |file: File| {
            let mut archive = Archive::open(BufReader::new(file))?;
            let Some(key) = &source.part else { return labels_beside(&mut archive, "x") };
            Ok((archive.array(key, labels::of_array)?, Some(key.clone())))
        })?,
        Format::Images => return Err(within(ReadError::part("labels", "a file", "a folder"))),
    };
    Ok((labels, Origin { source: source.with_part(part), digest }))
}

#[cfg(test)]
mod tests;
