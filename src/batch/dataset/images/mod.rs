//! Folders of PNG images of one size: an image is a point, a pixel's channel an element.
//!
//! Elements are the integers that the file holds, 0 to 255 (0 to 65,535 where samples have 16 bits): dividing by 255 would round, so
//! that is left to the question, as in `--radius 2 --clip 0,255 --std 255`. The shape is `[1, height, width]` for grey images and
//! `[3, height, width]` for colours, also those of a palette. Transparency, animation and grey of less than 8 bits are refused;
//! colour profiles are not applied.
//!
//! Labels come from the sub-folder that an image is in, at any depth, in the order of the paths; or from a table with the columns
//! `file` and `label`, in the order of its lines. Sub-folders whose names are all integers are the class indices themselves, otherwise
//! a class is its sub-folder's rank in the order of all names. Hidden files and files that are no images are skipped.
//!
//! The digest of a folder is the SHA-256 of, for each image in ascending order of the paths: the path from the folder on in UTF-8
//! with `/` between names, a zero byte, and the 32 bytes of the SHA-256 of the file. The digest of the labels that sub-folders give has
//! the label in 8 bytes in the place of the latter, the least significant first.
//!
//! * `listing` finds the images.
//! * `png` decodes one.

mod listing;
mod png;

use std::collections::HashMap;
use std::fs;
use std::io::BufRead;
use std::path::Path;

use bartizan_proof::Digest;
use bartizan_read::ReadError;
use sha2::{Digest as _, Sha256};

use self::listing::Listing;
use super::csv::{LABEL, Lines};
use super::defect::Defect;
use super::rows::{Points, Rows};
use super::{Origin, Source, input, labels};
use crate::batch::BatchError;

/// The column that names the image.
const FILE: &str = "file";

/// The images of a folder.
pub struct Images {
    /// The points.
    pub points: Points,
    /// The shape of one.
    pub shape: Vec<usize>,
    /// The labels.
    pub labels: Vec<usize>,
    /// The digest of the folder.
    pub digest: Digest,
    /// Where the labels were read.
    pub labelled_by: Origin,
    /// Names of the classes, where sub-folders have names that are no numbers.
    pub class_names: Option<Vec<String>>,
}

/// Which images are meant: their places in the listing, in the order of the points, and their labels.
struct Order {
    images: Vec<usize>,
    labels: Vec<usize>,
}

/// Reads the images of a folder with their labels, from a table if there is one, whose label column may have another name than `label`.
///
/// # Errors
///
/// Names the image or line that is not as it should be.
pub fn read(data: &Source, labels: Option<&Source>, column: Option<&str>) -> Result<Images, BatchError> {
    let listing = Listing::of(&data.path)?;
    let (order, by_table) = match labels {
        Some(source) => {
            let parse = |input: &mut dyn BufRead| table_order(input, (&data.path, &listing), column);
            let (order, digest) = input::read(&source.path, parse)?;
            let part = Some(column.unwrap_or(LABEL).to_owned());
            (order, Some(Origin { source: source.with_part(part), digest }))
        }
        None => {
            let labels = listing.labels().map_err(|error| Defect::from(error).within(&data.path))?;
            (Order { images: (0..listing.paths.len()).collect(), labels }, None)
        }
    };
    let (points, shape, digest) = decode(&data.path, &listing, &order.images)?;
    let class_names = if labels.is_none() { listing.class_names() } else { None };
    let by_folders = || Origin { source: data.clone(), digest: labels_digest(&listing, &order.labels) };
    let labelled_by = by_table.unwrap_or_else(by_folders);
    Ok(Images { points, shape, labels: order.labels, digest, labelled_by, class_names })
}

/// The digest of the labels that sub-folders give: also those without images have a say in it.
fn labels_digest(listing: &Listing, labels: &[usize]) -> Digest {
    let mut hash = Sha256::new();
    for (path, label) in listing.paths.iter().zip(labels) {
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update((*label as u64).to_le_bytes());
    }
    Digest::from(<[u8; 32]>::from(hash.finalize()))
}

/// Decodes the images one by one, and takes the digest of the folder.
fn decode(folder: &Path, listing: &Listing, order: &[usize]) -> Result<(Points, Vec<usize>, Digest), BatchError> {
    let mut first: Option<(Vec<usize>, Rows)> = None;
    let mut digests = vec![None; listing.paths.len()];
    for image in order {
        let path = folder.join(&listing.paths[*image]);
        let bytes = fs::read(&path).map_err(|error| Defect::from(error).within(&path))?;
        let add = || -> Result<Digest, Defect> {
            let (shape, elements) = png::decode(&bytes)?;
            let (expected, rows) = first.get_or_insert_with(|| (shape.clone(), Rows::new(elements.len())));
            if *expected != shape {
                let expected = format!("{expected:?} as of {}", listing.paths[order[0]]);
                return Err(ReadError::part("channels, height and width", expected, format!("{shape:?}")).into());
            }
            rows.push(&elements)?;
            Ok(Digest::of(&bytes))
        };
        digests[*image] = Some({ add }().map_err(|defect| defect.within(&path))?);
    }
    let (shape, rows) = first.unwrap_or_else(|| (vec![0], Rows::new(0)));
    let points = rows.finish().map_err(|defect| defect.within(folder))?;
    let mut hash = Sha256::new();
    for (path, digest) in listing.paths.iter().zip(digests.iter().flatten()) {
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(digest.bytes());
    }
    Ok((points, shape, Digest::from(<[u8; 32]>::from(hash.finalize()))))
}

/// The order that a table gives.
fn table_order(
    input: &mut dyn BufRead,
    (folder, listing): (&Path, &Listing),
    column: Option<&str>,
) -> Result<Order, Defect> {
    let mut lines = Lines::new(input);
    let Some((header, _)) = lines.next()? else {
        return Err(ReadError::part("table", "at least one row", "an empty file").into());
    };
    let place = |name: &str| {
        let found = || format!("`{}`", header.iter().collect::<Vec<&str>>().join("`, `"));
        let place = header.iter().position(|cell| cell == name);
        place.ok_or_else(|| ReadError::part("first line", format!("a column `{name}`"), found()))
    };
    let (file, label, cells) = (place(FILE)?, place(column.unwrap_or(LABEL))?, header.len());
    let label_name = column.unwrap_or(LABEL);
    let mut order = Order { images: Vec::new(), labels: Vec::new() };
    let mut seen: HashMap<usize, u64> = HashMap::new();
    while let Some((record, line)) = lines.next()? {
        if record.len() != cells {
            let expected = format!("{cells} cells as in the first line");
            return Err(ReadError::part(format!("line {line}"), expected, record.len().to_string()).into());
        }
        let file_place = || format!("line {line}, column `{FILE}`");
        let Some(image) = listing.find(&record[file]) else {
            let expected = format!("an image in {}", folder.display());
            return Err(ReadError::part(file_place(), expected, format!("`{}`", &record[file])).into());
        };
        if let Some(other) = seen.insert(image, line) {
            let found = format!("`{}` in line {other}, too", &record[file]);
            return Err(ReadError::part(file_place(), "each image once", found).into());
        }
        let label_place = || format!("line {line}, column `{label_name}`");
        let wrong = |_| ReadError::part(label_place(), "a class index (0, 1, 2, ...)", format!("`{}`", &record[label]));
        let number = record[label].parse::<f64>().map_err(wrong)?;
        order.labels.push(labels::class(number, label_place)?);
        order.images.push(image);
    }
    match (0..listing.paths.len()).find(|image| !seen.contains_key(image)) {
        Some(image) => {
            let expected = format!("a line for each image in {}", folder.display());
            Err(ReadError::part("table", expected, format!("none for `{}`", listing.paths[image])).into())
        }
        None => Ok(order),
    }
}

#[cfg(test)]
pub(crate) mod tests;
