//! Numbers as class indices.

use bartizan_read::ReadError;

use super::csv::Table;
use super::npy::Array;

/// The class index that a number stands for.
fn class(value: f64) -> Option<usize> {
    let is_index = value >= 0.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX);
    is_index.then_some(value as usize)
}

fn refused(place: String, value: f64) -> ReadError {
    ReadError::part(place, "a class index (0, 1, 2, ...)", value.to_string())
}

/// The labels in an array of shape `[n]` or `[n, 1]`. `place` is put in front of places.
///
/// # Errors
///
/// Another shape, or a number that is no class index.
pub fn of_array(array: &Array, place: &str) -> Result<Vec<usize>, ReadError> {
    if !matches!(array.shape.as_slice(), [_] | [_, 1]) {
        let expected = "one label for each point (shape [n] or [n, 1])";
        return Err(ReadError::part(format!("{place}labels"), expected, format!("shape {:?}", array.shape)));
    }
    let label = |(i, value): (usize, &f64)| class(*value).ok_or_else(|| refused(format!("{place}label {i}"), *value));
    array.values.iter().enumerate().map(label).collect()
}

/// Takes the labels out of a table, and tells the column's name.
///
/// # Errors
///
/// There is no such column, or a number in it is no class index.
pub fn take(table: &mut Table, column: Option<&str>) -> Result<(Vec<usize>, Option<String>), ReadError> {
    let column = table.label_column(column)?;
    let places: Vec<String> = table.lines.iter().map(|line| table.place(*line, column)).collect();
    let name = table.columns[column].clone();
    let values = table.take_column(column);
    let label = |(value, place): (f64, String)| class(value).ok_or_else(|| refused(place, value));
    let labels = values.into_iter().zip(places).map(label).collect::<Result<_, _>>()?;
    Ok((labels, Some(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_labels_whatever_their_type() {
        let array = Array { shape: vec![3, 1], values: vec![0.0, 9.0, 2.0] };
        assert_eq!(of_array(&array, ""), Ok(vec![0, 9, 2]));
        let mut table = Table::parse(b"a,label\n0.5,1.0\n0.5,2", None).unwrap();
        assert_eq!(take(&mut table, None), Ok((vec![1, 2], Some("label".to_owned()))));
        assert_eq!(table.cells, [0.5, 0.5]);
    }

    #[test]
    fn other_numbers_and_shapes_are_refused() {
        let message = |shape: &[usize], values: &[f64]| {
            let array = Array { shape: shape.to_vec(), values: values.to_vec() };
            of_array(&array, "array `y`, ").unwrap_err().to_string()
        };
        assert_eq!(message(&[2], &[0.0, -1.0]), "array `y`, label 1: expected a class index (0, 1, 2, ...), found -1");
        assert_eq!(message(&[1], &[0.5]), "array `y`, label 0: expected a class index (0, 1, 2, ...), found 0.5");
        assert_eq!(message(&[1], &[f64::NAN]), "array `y`, label 0: expected a class index (0, 1, 2, ...), found NaN");
        assert_eq!(
            message(&[1, 2], &[0.0, 1.0]),
            "array `y`, labels: expected one label for each point (shape [n] or [n, 1]), found shape [1, 2]"
        );
        let mut table = Table::parse(b"a,label\n\n1,0\n2,-3\n", None).unwrap();
        let message = take(&mut table, None).unwrap_err().to_string();
        assert_eq!(message, "line 4, column `label`: expected a class index (0, 1, 2, ...), found -3");
    }
}
