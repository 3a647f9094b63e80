//! Runs over data sets.

use std::path::PathBuf;

use bartizan::{Certify, Figures, Form};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::data::{Data, bytes};
use crate::error::{raise, refused};
use crate::interrupt::{self, Teller};
use crate::network::Network;
use crate::settings::{Search, Within, seconds};

/// A run over the points of a data set.
#[pyclass(frozen, module = "bartizan._bartizan")]
pub struct Run(pub bartizan::Run);

/// Which points a run takes, and where it keeps their answers.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Course {
    precision: Option<f64>,
    select: Option<String>,
    budget: Option<f64>,
    store: Option<PathBuf>,
    resume: bool,
    shard: Option<(usize, usize)>,
    require: Option<f64>,
    confidence: f64,
    sequential: bool,
}

impl Course {
    /// The run, set up.
    pub fn set_up<'a>(
        self,
        verifier: &'a bartizan::Verifier,
        data: &'a Data,
        within: &'a bartizan::Perturbation,
    ) -> Result<Certify<'a>, bartizan::Error> {
        let mut run = match self.precision {
            Some(precision) => verifier.radius(&data.0, within, precision),
            None => verifier.certify(&data.0, within),
        };
        run = run.confidence(self.confidence);
        if let Some(points) = self.select {
            run = run.select(points);
        }
        if let Some(budget) = self.budget {
            run = run.budget(seconds("budget", budget)?);
        }
        if let Some(path) = self.store {
            run = run.store(path);
        }
        if let Some((part, of)) = self.shard {
            run = run.shard(part, of);
        }
        if let Some(share) = self.require {
            run = run.require(share);
        }
        run = if self.resume { run.resume() } else { run };
        Ok(if self.sequential { run.sequential() } else { run })
    }
}

/// Makes a run. `watch` is called with the number of points that have an answer, and of those that are asked for.
#[pyfunction]
#[pyo3(signature = (network, data, settings, watch=None))]
pub fn certify(
    py: Python<'_>,
    network: &Network,
    data: &Data,
    settings: (Within, Search, Course),
    watch: Option<Py<PyAny>>,
) -> PyResult<Run> {
    let (within, search, course) = settings;
    let (verifier, within) = (search.verifier(network)?, within.perturbation()?);
    interrupt::run(py, watch.as_ref(), |flag, teller: &Teller<bartizan::Run>| {
        let verifier = verifier.cancelled_by(flag);
        let run = course.set_up(&verifier, data, &within)?;
        run.watch(|_, answered, asked| teller.tell((answered, asked))).run()
    })
    .map(Run)
}

/// Puts stores together.
#[pyfunction]
pub fn merge(py: Python<'_>, stores: Vec<PathBuf>, store: PathBuf) -> PyResult<Run> {
    py.detach(|| bartizan::Run::merge(&stores, store)).map(Run).map_err(raise)
}

#[pymethods]
impl Run {
    /// Opens a store.
    #[staticmethod]
    fn open(py: Python<'_>, path: PathBuf) -> PyResult<Run> {
        py.detach(|| bartizan::Run::open(path)).map(Run).map_err(raise)
    }

    /// The same run at another confidence and with another share required.
    #[pyo3(signature = (confidence, require=None))]
    fn judged_at(&self, py: Python<'_>, confidence: f64, require: Option<f64>) -> PyResult<Run> {
        py.detach(|| bartizan::Run::open(self.0.path())?.judged_at(confidence, require)).map(Run).map_err(raise)
    }

    /// The store's path.
    #[getter]
    fn path(&self) -> PathBuf {
        self.0.path().to_owned()
    }

    /// Whether the store stays.
    #[getter]
    fn is_kept(&self) -> bool {
        self.0.is_kept()
    }

    /// What was asked.
    #[getter]
    fn facts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (facts, dict) = (self.0.facts(), PyDict::new(py));
        dict.set_item("command", facts.command())?;
        dict.set_item("model", &facts.model)?;
        dict.set_item("model_sha256", facts.model_sha256.to_string())?;
        dict.set_item("input_shape", &facts.input_shape)?;
        dict.set_item("classes", facts.classes)?;
        dict.set_item("semantics", facts.semantics.name())?;
        dict.set_item("data", &facts.data)?;
        dict.set_item("data_sha256", facts.data_sha256.to_string())?;
        dict.set_item("labels", &facts.labels)?;
        dict.set_item("available", facts.available)?;
        dict.set_item("selection", &facts.selection)?;
        dict.set_item("shard", facts.shard.map(|shard| shard.to_string()))?;
        dict.set_item("sequential", facts.is_drawn)?;
        dict.set_item("norm", &facts.norm)?;
        dict.set_item("radius", &facts.radius)?;
        dict.set_item("fixed", &facts.fixed)?;
        dict.set_item("clip", &facts.clip)?;
        dict.set_item("mean", &facts.mean)?;
        dict.set_item("std", &facts.std)?;
        dict.set_item("method", &facts.method)?;
        dict.set_item("split", &facts.split)?;
        dict.set_item("timeout", facts.timeout)?;
        dict.set_item("attack", facts.attack)?;
        dict.set_item("seed", facts.seed)?;
        Ok(dict)
    }

    /// How many points came to what.
    #[getter]
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (counts, dict) = (self.0.counts(), PyDict::new(py));
        dict.set_item("points", counts.points)?;
        dict.set_item("certified", counts.certified)?;
        dict.set_item("falsified", counts.falsified)?;
        dict.set_item("misclassified", counts.misclassified)?;
        dict.set_item("unknown", counts.unknown)?;
        dict.set_item("unanswered", counts.unanswered)?;
        dict.set_item("correct", counts.correct())?;
        Ok(dict)
    }

    /// The interval: lower end, upper end, confidence.
    #[getter]
    fn coverage(&self) -> (f64, f64, f64) {
        let coverage = self.0.coverage();
        (coverage.lower, coverage.upper, coverage.confidence)
    }

    /// What is said in words: proved, statement, method, assumptions.
    #[getter]
    fn words(&self) -> (&str, &str, &str, &str) {
        (self.0.proved(), self.0.statement(), self.0.interval_method(), self.0.assumptions())
    }

    /// Whether the required share is reached.
    #[getter]
    fn gate(&self) -> Option<bool> {
        self.0.gate()
    }

    /// How the run ended.
    #[getter]
    fn end(&self) -> Option<&'static str> {
        self.0.end().map(bartizan::End::name)
    }

    /// The Merkle root.
    #[getter]
    fn root(&self) -> Option<String> {
        self.0.root().map(|root| root.to_string())
    }

    /// The places of the points with an answer.
    #[getter]
    fn indices(&self) -> Vec<usize> {
        self.0.points().iter().map(|point| point.index).collect()
    }

    /// All that is claimed of the points with an answer, column by column, without the evidence.
    #[getter]
    fn columns<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (points, dict) = (self.0.points(), PyDict::new(py));
        let seconds = |point: &bartizan::PointFacts| point.time.as_secs_f64();
        dict.set_item("index", self.indices())?;
        dict.set_item("label", points.iter().map(|point| point.label).collect::<Vec<_>>())?;
        dict.set_item("predicted", points.iter().map(|point| point.predicted).collect::<Vec<_>>())?;
        dict.set_item("confidence", points.iter().map(|point| point.confidence).collect::<Vec<_>>())?;
        dict.set_item("verdict", points.iter().map(|point| point.verdict.as_str()).collect::<Vec<_>>())?;
        dict.set_item("time_s", points.iter().map(seconds).collect::<Vec<_>>())?;
        dict.set_item("reason", points.iter().map(|point| point.reason.as_deref()).collect::<Vec<_>>())?;
        let shares = points.iter().map(|point| point.certified_share).collect::<Vec<_>>();
        dict.set_item("certified_radius_share", shares)?;
        let shares = points.iter().map(|point| point.falsified_share).collect::<Vec<_>>();
        dict.set_item("falsified_radius_share", shares)?;
        let sizes = points.iter().map(|point| point.certificate_bytes).collect::<Vec<_>>();
        dict.set_item("certificate_bytes", sizes)?;
        Ok(dict)
    }

    /// A point's evidence: certificate, counterexample, outputs there.
    fn evidence<'py>(&self, py: Python<'py>, index: usize) -> PyResult<[Option<Bound<'py, PyBytes>>; 3]> {
        let point = py.detach(|| self.0.point(index)).map_err(raise)?;
        let numbers = |numbers: Option<Vec<f64>>| numbers.map(|numbers| PyBytes::new(py, &bytes(&numbers)));
        let certificate = point.certificate.map(|certificate| PyBytes::new(py, &certificate));
        Ok([certificate, numbers(point.counterexample), numbers(point.counterexample_output)])
    }

    /// The run in some form.
    fn form<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyBytes>> {
        let form = form(name)?;
        let bytes = py.detach(|| self.0.to_bytes(form)).map_err(raise)?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Writes the run in some form.
    fn write(&self, py: Python<'_>, name: &str, path: PathBuf) -> PyResult<()> {
        let form = form(name)?;
        py.detach(|| self.0.write(form, path)).map_err(raise)
    }

    /// What the run says beyond its points, as JSON.
    #[pyo3(signature = (population=None))]
    fn estimates(&self, py: Python<'_>, population: Option<usize>) -> PyResult<String> {
        py.detach(|| self.0.estimates(population)).map(|estimates| estimates.to_string()).map_err(raise)
    }

    /// Copies the store.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| self.0.save(path)).map_err(raise)
    }

    /// Judges everything anew: whether it is accepted, counts, refused points, what became of the figures.
    #[pyo3(signature = (network, data=None))]
    fn check<'py>(&self, py: Python<'py>, network: &Network, data: Option<&Data>) -> PyResult<Bound<'py, PyDict>> {
        let audit = interrupt::run(py, None, |_, _: &Teller<_>| self.0.check(&network.0, data.map(|data| &data.0)))?;
        let (findings, dict) = (&audit.findings, PyDict::new(py));
        dict.set_item("accepted", audit.is_accepted())?;
        dict.set_item("certified", findings.certified)?;
        dict.set_item("falsified", findings.falsified)?;
        dict.set_item("misclassified", findings.misclassified)?;
        dict.set_item("unknown", findings.unknown)?;
        let refused = findings.refused.iter().map(|point| (point.index, point.reason.to_string()));
        dict.set_item("refused", refused.collect::<Vec<_>>())?;
        let figures = match &audit.figures {
            Figures::Missing => "the run has not ended".to_owned(),
            Figures::Confirmed(manifest) => format!("those of its points; root {}", manifest.root),
            Figures::Wrong(wrong) => format!("{}: expected {}, found {}", wrong.column, wrong.expected, wrong.found),
        };
        dict.set_item("figures", figures)?;
        Ok(dict)
    }
}

fn form(name: &str) -> PyResult<Form> {
    let forms = [
        ("html", Form::Html),
        ("json", Form::Json),
        ("junit", Form::Junit),
        ("sarif", Form::Sarif),
        ("markdown", Form::Markdown),
        ("csv", Form::Csv),
        ("parquet", Form::Parquet),
        ("text", Form::Text),
    ];
    let found = forms.into_iter().find(|(known, _)| *known == name).map(|(_, form)| form);
    found.ok_or_else(|| refused("form", &forms.map(|(known, _)| known).join(", "), format!("`{name}`")))
}
