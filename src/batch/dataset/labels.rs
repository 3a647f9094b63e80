//! Numbers as class indices.

use std::io::Read;

use bartizan_read::ReadError;

use super::csv::Table;
use super::defect::Defect;
use super::npy::Header;

/// Labels, and the array or column that they stand in.
pub type Labels = (Vec<usize>, Option<String>);

/// The class index that a number stands for. `place` says where it stands.
///
/// # Errors
///
/// The number is no class index.
pub fn class(value: f64, place: impl FnOnce() -> String) -> Result<usize, ReadError> {
    let is_index = value >= 0.0 && value.fract() == 0.0 && value <= f64::from(u32::MAX);
    let refused = || ReadError::part(place(), "a class index (0, 1, 2, ...)", value.to_string());
    is_index.then_some(value as usize).ok_or_else(refused)
}

/// The labels in an array of shape `[n]` or `[n, 1]`.
///
/// # Errors
///
/// Another shape, or a number that is no class index.
pub fn of_array(input: &mut dyn Read) -> Result<Vec<usize>, Defect> {
    let header = Header::read(input)?;
    if !matches!(header.shape.as_slice(), [_] | [_, 1]) {
        let expected = "one label for each point (shape [n] or [n, 1])";
        return Err(ReadError::part("labels", expected, format!("shape {:?}", header.shape)).into());
    }
    let mut labels = Vec::new();
    header.elements(input, |values| {
        for value in values {
            labels.push(class(*value, || format!("label {}", labels.len()))?);
        }
        Ok(())
    })?;
    Ok(labels)
}

/// The labels in a column of a table.
///
/// # Errors
///
/// There is no such column, or a number in it is no class index.
pub fn of_table(input: &mut dyn Read, column: Option<&str>) -> Result<Labels, Defect> {
    let mut table = Table::open(input, column)?;
    let column = table.columns.label(column)?;
    let (mut labels, mut cells) = (Vec::new(), Vec::new());
    while let Some(line) = table.next(&mut cells)? {
        labels.push(class(cells[column], || table.columns.place(line, column))?);
    }
    Ok((labels, table.columns.names.get(column).cloned()))
}

#[cfg(test)]
mod tests {
    use super::super::npy::tests::file;
    use super::*;

    #[test]
    fn whole_numbers_are_labels_whatever_their_type() {
        let data: Vec<u8> = [0.0f64, 9.0, 2.0].iter().flat_map(|x| x.to_le_bytes()).collect();
        assert_eq!(of_array(&mut file("<f8", "False", "(3, 1)", &data).as_slice()).unwrap(), [0, 9, 2]);
        let (labels, column) = of_table(&mut &b"a,label\n0.5,1.0\n0.5,2"[..], None).unwrap();
        assert_eq!((labels, column.as_deref()), (vec![1, 2], Some("label")));
    }

    #[test]
    fn other_numbers_and_shapes_are_refused() {
        let message = |shape: &str, values: &[f64]| {
            let data: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            of_array(&mut file("<f8", "False", shape, &data).as_slice()).unwrap_err().to_string()
        };
        assert_eq!(message("(2,)", &[0.0, -1.0]), "label 1: expected a class index (0, 1, 2, ...), found -1");
        assert_eq!(message("(1,)", &[0.5]), "label 0: expected a class index (0, 1, 2, ...), found 0.5");
        assert_eq!(message("(1,)", &[f64::NAN]), "label 0: expected a class index (0, 1, 2, ...), found NaN");
        assert_eq!(
            message("(1, 2)", &[0.0, 1.0]),
            "labels: expected one label for each point (shape [n] or [n, 1]), found shape [1, 2]"
        );
        let message = of_table(&mut &b"a,label\n\n1,0\n2,-3\n"[..], None).unwrap_err().to_string();
        assert_eq!(message, "line 4, column `label`: expected a class index (0, 1, 2, ...), found -3");
    }
}
