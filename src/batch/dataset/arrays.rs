//! Points and labels that are in memory.

use bartizan_proof::Digest;
use bartizan_read::ReadError;
use sha2::{Digest as _, Sha256};

use super::rows::Rows;
use super::{Dataset, Named, Origin, Source};
use crate::batch::BatchError;

/// What stands for the path of points that were in memory.
const POINTS: &str = "X (in memory)";

/// The same of labels.
const LABELS: &str = "y (in memory)";

/// First bytes of what is digested, so that no file has the same digest.
const PREFIX: &[u8] = b"bartizan array 1\n";

/// A data set that is put together in memory, some points at a time.
#[derive(Debug)]
pub struct Arrays {
    shape: Vec<usize>,
    columns: Option<Vec<String>>,
    rows: Rows,
    digest: Sha256,
}

impl Arrays {
    /// Points of a shape, without any so far. Where names of columns are given, the points are rows of a table: features that hold
    /// integers only are then held fixed unless somebody says otherwise.
    pub fn new(shape: &[usize], columns: Option<Vec<String>>) -> Arrays {
        let mut digest = Sha256::new_with_prefix(PREFIX);
        shape.iter().for_each(|side| digest.update((*side as u64).to_le_bytes()));
        Arrays { shape: shape.to_vec(), columns, rows: Rows::new(shape.iter().product()), digest }
    }

    /// Appends the elements of points, in row-major order.
    ///
    /// # Errors
    ///
    /// An element is not finite, or the temporary file that holds many points cannot be written.
    pub fn push(&mut self, elements: &[f64]) -> Result<(), BatchError> {
        for part in elements.chunks(ELEMENTS_AT_ONCE) {
            let bytes: Vec<u8> = part.iter().flat_map(|x| x.to_le_bytes()).collect();
            self.digest.update(&bytes);
        }
        self.rows.push(elements).map_err(|defect| defect.within(POINTS.as_ref()))
    }

    /// The data set, with a label for each point.
    ///
    /// # Errors
    ///
    /// There are no points, or not as many labels.
    pub fn finish(self, labels: Vec<usize>) -> Result<Dataset, BatchError> {
        let Arrays { shape, columns, rows, digest } = self;
        let width: usize = shape.iter().product();
        if let Some(columns) = columns.as_ref().filter(|columns| columns.len() != width) {
            let expected = format!("{width} names, one for each element");
            return Err(BatchError::content(POINTS.as_ref(), "columns", expected, columns.len().to_string()));
        }
        let points = rows.finish().map_err(|defect| defect.within(POINTS.as_ref()))?;
        if labels.len() != points.count {
            let expected = format!("{} labels, one for each point", points.count);
            let error = ReadError::part("labels", expected, labels.len().to_string());
            return Err(BatchError::within(LABELS.as_ref())(error));
        }
        let origin = |name: &str, digest| Origin { source: Source { path: name.into(), part: None }, digest };
        Ok(Dataset {
            points: points.into(),
            shape,
            columns,
            class_names: None,
            read_from: origin(POINTS, Digest::from(<[u8; 32]>::from(digest.finalize()))),
            labelled_by: origin(LABELS, digest_of(&labels)),
            labels,
            named: Named { data: POINTS.to_owned(), labels: Some(LABELS.to_owned()), label_column: None },
        })
    }
}

/// Elements whose bytes are digested at once.
const ELEMENTS_AT_ONCE: usize = 1 << 16;

fn digest_of(labels: &[usize]) -> Digest {
    let mut digest = Sha256::new_with_prefix(PREFIX);
    labels.iter().for_each(|label| digest.update((*label as u64).to_le_bytes()));
    Digest::from(<[u8; 32]>::from(digest.finalize()))
}

/// Whether a name stands for points or labels that were in memory, where nobody finds them again.
pub fn is_in_memory(name: &str) -> bool {
    name == POINTS || name == LABELS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two_points(first: f64) -> Arrays {
        let mut arrays = Arrays::new(&[2], None);
        arrays.push(&[first, 1.0, 2.0]).unwrap();
        arrays.push(&[3.0]).unwrap();
        arrays
    }

    #[test]
    fn points_come_in_any_portions_and_have_a_digest() {
        let set = two_points(0.5).finish(vec![1, 0]).unwrap();
        assert_eq!((set.len(), set.width(), set.label(0)), (2, 2, 1));
        assert_eq!(set.point(1).unwrap(), [2.0, 3.0]);
        let same = two_points(0.5).finish(vec![1, 0]).unwrap();
        let other = two_points(0.25).finish(vec![0, 0]).unwrap();
        assert_eq!(set.points_origin(), same.points_origin());
        assert_ne!(set.points_origin().digest, other.points_origin().digest);
        assert_ne!(set.labels_origin().digest, other.labels_origin().digest);
    }

    #[test]
    fn defects_are_refused_with_their_reason() {
        let message = |set: Result<Dataset, BatchError>| set.unwrap_err().to_string();
        assert_eq!(
            message(two_points(0.0).finish(vec![1])),
            "y (in memory): labels: expected 2 labels, one for each point, found 1"
        );
        assert_eq!(
            message(Arrays::new(&[2], None).finish(Vec::new())),
            "X (in memory): points: expected at least one point, found none"
        );
        let mut arrays = Arrays::new(&[2], None);
        let error = arrays.push(&[0.0, f64::NAN]).unwrap_err().to_string();
        assert_eq!(error, "X (in memory): point 0, element 1: expected a finite number, found NaN");
        let mut table = Arrays::new(&[2], Some(vec!["a".to_owned()]));
        table.push(&[0.0, 1.0]).unwrap();
        assert_eq!(
            message(table.finish(vec![0])),
            "X (in memory): columns: expected 2 names, one for each element, found 1"
        );
    }
}
