//! Runs whose points are answered in other processes.

use std::sync::{Mutex, PoisonError};

use bartizan::cluster::{self, Task};
use bartizan::{Error, PointFacts, StoredPoint};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::data::{Data, bytes, numbers};
use crate::error::{raise, refused};
use crate::interrupt::{self, Teller};
use crate::network::Network;
use crate::run::{Course, Run};
use crate::settings::{Search, Within};

/// A run whose points are answered elsewhere.
#[pyclass(frozen, module = "bartizan._bartizan")]
pub struct Plan(Mutex<Option<cluster::Plan>>);

/// A task as Python carries it: indices, positions of those with an answer, shape, elements, labels.
type TaskParts<'py> = (Vec<usize>, Vec<usize>, Vec<usize>, Bound<'py, PyBytes>, Vec<usize>);

/// What is claimed of a point, as Python carries it.
type Claim = (
    (usize, usize, usize, f64, String),
    (f64, Option<String>, String),
    (Option<f64>, Option<usize>, Option<Vec<u8>>),
    (Option<f64>, Option<Vec<u8>>, Option<Vec<u8>>),
);

#[pymethods]
impl Plan {
    /// Begins a run.
    #[new]
    fn new(network: &Network, data: &Data, within: Within, search: Search, course: Course) -> PyResult<Plan> {
        let (verifier, within) = (search.verifier(network)?, within.perturbation()?);
        let plan = course.set_up(&verifier, data, &within).and_then(|run| cluster::Plan::new(&run));
        plan.map(|plan| Plan(Mutex::new(Some(plan)))).map_err(raise)
    }

    /// Points without an answer.
    #[getter]
    fn open(&self) -> PyResult<usize> {
        self.with(|plan| Ok(plan.open()))
    }

    /// Points that the run is about.
    #[getter]
    fn asked(&self) -> PyResult<usize> {
        self.with(|plan| Ok(plan.asked()))
    }

    /// The features that are held fixed.
    #[getter]
    fn fixed(&self) -> PyResult<Option<String>> {
        self.with(|plan| Ok(plan.fixed().map(str::to_owned)))
    }

    /// The places of the points of each task.
    fn blocks(&self, points: usize) -> PyResult<Vec<Vec<usize>>> {
        self.with(|plan| Ok(plan.blocks(points)))
    }

    /// A task.
    fn task<'py>(&self, py: Python<'py>, block: Vec<usize>) -> PyResult<TaskParts<'py>> {
        let task = self.with(|plan| plan.task(&block))?;
        Ok((task.indices, task.answered, task.shape, PyBytes::new(py, &bytes(&task.elements)), task.labels))
    }

    /// Takes answers in.
    fn absorb(&self, py: Python<'_>, claims: Vec<Claim>) -> PyResult<usize> {
        let answers: Vec<StoredPoint> = claims.into_iter().map(stored).collect::<Result<_, _>>().map_err(raise)?;
        py.detach(|| self.with(|plan| plan.absorb(&answers)))
    }

    /// Ends the run.
    fn conclude(&self, py: Python<'_>) -> PyResult<Run> {
        let plan = self.0.lock().unwrap_or_else(PoisonError::into_inner).take().ok_or_else(ended)?;
        py.detach(|| plan.conclude()).map(Run).map_err(raise)
    }
}

impl Plan {
    fn with<R>(&self, work: impl FnOnce(&mut cluster::Plan) -> Result<R, Error>) -> PyResult<R> {
        let mut plan = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        plan.as_mut().ok_or_else(ended).and_then(|plan| work(plan).map_err(raise))
    }
}

fn ended() -> PyErr {
    refused("plan", "one that goes on", "one that has ended")
}

/// Answers a task.
#[pyfunction]
pub fn answer(
    py: Python<'_>,
    network: &Network,
    task: TaskParts<'_>,
    settings: (Within, Search, Option<f64>),
) -> PyResult<Vec<Claim>> {
    let (within, search, precision) = settings;
    let (verifier, within) = (search.verifier(network)?, within.perturbation()?);
    let (indices, answered, shape, elements, labels) = task;
    let task = Task { indices, answered, shape, elements: numbers(elements.as_bytes()), labels };
    let answers = interrupt::run(py, None, |flag, _: &Teller<_>| {
        cluster::answer(&verifier.cancelled_by(flag), &within, precision, &task)
    })?;
    Ok(answers.into_iter().map(claim).collect())
}

fn claim(point: StoredPoint) -> Claim {
    let StoredPoint { facts, certificate, counterexample, counterexample_output } = point;
    let numbers = |numbers: Option<Vec<f64>>| numbers.map(|numbers| bytes(&numbers));
    (
        (facts.index, facts.label, facts.predicted, facts.confidence, facts.verdict),
        (facts.time.as_secs_f64(), facts.reason, facts.property_sha256),
        (facts.certified_share, facts.leaves, certificate),
        (facts.falsified_share, numbers(counterexample), numbers(counterexample_output)),
    )
}

fn stored(claim: Claim) -> Result<StoredPoint, Error> {
    let ((index, label, predicted, confidence, verdict), (time, reason, property_sha256), certified, falsified) = claim;
    let (certified_share, leaves, certificate) = certified;
    let (falsified_share, counterexample, counterexample_output) = falsified;
    let facts = PointFacts {
        index,
        label,
        predicted,
        confidence,
        verdict,
        time: crate::settings::seconds("time", time)?,
        reason,
        property_sha256,
        certified_share,
        leaves,
        certificate_bytes: certificate.as_ref().map(Vec::len),
        falsified_share,
    };
    let counterexample = counterexample.as_deref().map(numbers);
    let counterexample_output = counterexample_output.as_deref().map(numbers);
    Ok(StoredPoint { facts, certificate, counterexample, counterexample_output })
}
