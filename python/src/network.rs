//! Networks.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::data::{bytes, numbers};
use crate::error::{raise, refused};
use crate::settings::quoted;

/// A network, ready for questions.
#[pyclass(frozen, module = "bartizan._bartizan")]
pub struct Network(pub bartizan::Network);

#[pymethods]
impl Network {
    /// Reads a file.
    #[staticmethod]
    fn read(py: Python<'_>, path: PathBuf) -> PyResult<Network> {
        py.detach(|| bartizan::Network::read(path)).map(Network).map_err(raise)
    }

    /// Reads the bytes of a file.
    #[staticmethod]
    fn of_bytes(py: Python<'_>, bytes: &[u8], name: &str) -> PyResult<Network> {
        py.detach(|| bartizan::Network::from_bytes(bytes, name)).map(Network).map_err(raise)
    }

    /// The same under other semantics.
    fn under(&self, py: Python<'_>, semantics: &str) -> PyResult<Network> {
        let meant = semantics.parse().map_err(|_| refused("semantics", "real or float32", quoted(semantics)))?;
        py.detach(|| self.0.under(meant)).map(Network).map_err(raise)
    }

    /// The name of what is meant by its outputs.
    #[getter]
    fn semantics(&self) -> &'static str {
        self.0.semantics().name()
    }

    /// Its name in messages.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Sizes of the input.
    #[getter]
    fn input_shape(&self) -> Vec<usize> {
        self.0.input_shape().to_vec()
    }

    /// Number of outputs.
    #[getter]
    fn classes(&self) -> usize {
        self.0.classes()
    }

    /// SHA-256 of the file's bytes.
    #[getter]
    fn sha256(&self) -> String {
        self.0.digest().to_string()
    }

    /// The outputs at each of several inputs.
    fn outputs<'py>(&self, py: Python<'py>, inputs: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let (inputs, width) = (numbers(inputs), self.0.inputs());
        if inputs.len() % width.max(1) != 0 {
            return Err(refused("input", &format!("a multiple of {width} elements"), inputs.len()));
        }
        let outputs = py.detach(|| {
            let mut outputs = Vec::with_capacity(inputs.len() / width.max(1) * self.0.classes());
            for input in inputs.chunks_exact(width.max(1)) {
                outputs.extend(self.0.outputs(input)?);
            }
            Ok::<Vec<f64>, bartizan::Error>(outputs)
        });
        Ok(PyBytes::new(py, &bytes(&outputs.map_err(raise)?)))
    }
}
