//! Data sets.

use bartizan::{Arrays, Dataset};
use pyo3::prelude::*;

use crate::error::{raise, refused};

/// Labelled points.
#[pyclass(frozen, module = "bartizan._bartizan")]
pub struct Data(pub Dataset);

/// Points that are being put together.
#[pyclass(module = "bartizan._bartizan")]
pub struct Builder(Option<Arrays>);

#[pymethods]
impl Data {
    /// Reads files.
    #[staticmethod]
    #[pyo3(signature = (data, labels=None, label_column=None))]
    fn open(py: Python<'_>, data: &str, labels: Option<&str>, label_column: Option<&str>) -> PyResult<Data> {
        py.detach(|| Dataset::open_column(data, labels, label_column)).map(Data).map_err(raise)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

#[pymethods]
impl Builder {
    /// No points so far.
    #[new]
    #[pyo3(signature = (shape, columns=None))]
    fn new(shape: Vec<usize>, columns: Option<Vec<String>>) -> Builder {
        Builder(Some(Arrays::new(&shape, columns)))
    }

    /// Appends elements.
    fn push(&mut self, py: Python<'_>, elements: &[u8]) -> PyResult<()> {
        let arrays = self.0.as_mut().ok_or_else(|| refused("points", "a builder that goes on", "one that ended"))?;
        py.detach(|| arrays.push(&numbers(elements))).map_err(raise)
    }

    /// The data set.
    fn finish(&mut self, labels: Vec<usize>) -> PyResult<Data> {
        let arrays = self.0.take().ok_or_else(|| refused("points", "a builder that goes on", "one that ended"))?;
        arrays.finish(labels).map(Data).map_err(raise)
    }
}

/// The numbers in little-endian bytes.
pub fn numbers(bytes: &[u8]) -> Vec<f64> {
    bytes.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
}

/// Numbers as little-endian bytes.
pub fn bytes(numbers: &[f64]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}
