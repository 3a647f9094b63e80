//! Single queries.

use std::path::PathBuf;

use bartizan::{Query, Verdict};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::data::{bytes, numbers};
use crate::error::raise;
use crate::interrupt;
use crate::network::Network;
use crate::settings::{Search, Within};

/// The answer to a query.
#[pyclass(frozen, module = "bartizan._bartizan")]
pub struct Outcome(bartizan::Outcome);

/// What is asked: a file, or a point with its label and what may change about it.
#[derive(FromPyObject)]
pub enum Question {
    /// A VNN-LIB file.
    File(PathBuf),
    /// A point.
    Point(Vec<u8>, usize, Within),
}

impl Question {
    fn query(self) -> PyResult<Query> {
        match self {
            Question::File(path) => Query::from_vnnlib(path).map_err(raise),
            Question::Point(point, label, within) => {
                Ok(Query::robustness(numbers(&point), label, &within.perturbation()?))
            }
        }
    }
}

/// Answers a query.
#[pyfunction]
pub fn verify(py: Python<'_>, network: &Network, question: Question, search: Search) -> PyResult<Outcome> {
    let (query, verifier) = (question.query()?, search.verifier(network)?);
    interrupt::run(py, None, |flag, _| verifier.cancelled_by(flag).verify(&query)).map(Outcome)
}

/// Judges a certificate; returns how many leaves its proof has.
#[pyfunction]
pub fn check(
    py: Python<'_>,
    network: &Network,
    question: Question,
    certificate: &[u8],
    search: Search,
) -> PyResult<usize> {
    let (query, verifier) = (question.query()?, search.verifier(network)?);
    interrupt::run(py, None, |_, _| verifier.check(&query, certificate)).map(|verified| verified.leaves())
}

#[pymethods]
impl Outcome {
    /// The verdict's word.
    #[getter]
    fn verdict(&self) -> &'static str {
        self.0.verdict.word()
    }

    /// Why nothing was shown.
    #[getter]
    fn reason(&self) -> Option<String> {
        self.0.verdict.reason().map(ToString::to_string)
    }

    /// Seconds.
    #[getter]
    fn time_s(&self) -> f64 {
        self.0.time.as_secs_f64()
    }

    /// The certificate.
    #[getter]
    fn certificate<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.0.certificate().map(|certificate| PyBytes::new(py, certificate))
    }

    /// Leaves of the certificate's proof.
    #[getter]
    fn leaves(&self) -> Option<usize> {
        match &self.0.verdict {
            Verdict::Verified(verified, _) => Some(verified.leaves()),
            _ => None,
        }
    }

    /// The counterexample and the outputs there.
    #[getter]
    fn counterexample<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let violated = self.0.counterexample()?;
        let outputs: Vec<f64> = violated.outputs().iter().map(|output| output.middle()).collect();
        Some((PyBytes::new(py, &bytes(violated.point())), PyBytes::new(py, &bytes(&outputs))))
    }
}
