//! Assertions about robustness for tests.
//!
//! ```
//! use bartizan::testing::network;
//! use bartizan::{Dataset, Perturbation, assert_coverage, assert_verified, assert_violated};
//!
//! // In a test of your own: #[test] fn moons_are_robust() { ... }
//! let moons = network("models/moons/model.onnx");
//! assert_verified!(moons, &[0.5, 0.75], 0.05);
//! assert_violated!(moons, &[0.5, 0.75], Perturbation::l2(2.0));
//!
//! let digits = network("models/digits_mlp/model.onnx");
//! let data = Dataset::open("models/digits_mlp/images.npy", Some("models/digits_mlp/labels.npy")).unwrap();
//! assert_coverage!(digits, data, Perturbation::linf(0.02).clip(0.0, 1.0), 0.8, 0.95);
//! ```
//!
//! Whatever fails says what was found, at which inputs the network changes its mind, and which command shows it again. "Not shown" is a
//! failure too, and says so: a test that passes has a proof.

use std::fmt::{self, Display, Formatter, Write};
use std::path::Path;

use crate::batch::store::StoredPoint;
use crate::batch::{BatchError, dataset};
use crate::report::inputs::Inputs;
use crate::{Dataset, Network, Norm, Outcome, Perturbation, Run, Verdict, Verifier};

/// Asserts that the network gives every input within a radius of a point the point's own class (or that of `label = CLASS`), with a
/// proof.
///
/// `assert_verified!(network, point, radius)`: the network is a [`Network`], the point anything that becomes `&[f64]`, in row-major order,
/// and the radius a number, a text such as `"8/255"`, or a [`Perturbation`]. A [`Verifier`] in the network's place brings settings along.
/// The value is the [`Outcome`], with its certificate.
///
/// # Panics
///
/// There is a counterexample, nothing was shown, or something does not fit.
#[macro_export]
macro_rules! assert_verified {
    ($network:expr, $point:expr, $within:expr $(,)?) => {
        $crate::testing::expect_verified(&$network, $point.as_ref(), None, $within)
    };
    ($network:expr, $point:expr, label = $label:expr, $within:expr $(,)?) => {
        $crate::testing::expect_verified(&$network, $point.as_ref(), Some($label), $within)
    };
}

/// Asserts that some input within a radius of a point has another class than the point (or than `label = CLASS`): the opposite of
/// [`assert_verified!`](crate::assert_verified), not its absence.
///
/// # Panics
///
/// There is a proof of the contrary, nothing was shown, or something does not fit.
#[macro_export]
macro_rules! assert_violated {
    ($network:expr, $point:expr, $within:expr $(,)?) => {
        $crate::testing::expect_violated(&$network, $point.as_ref(), None, $within)
    };
    ($network:expr, $point:expr, label = $label:expr, $within:expr $(,)?) => {
        $crate::testing::expect_violated(&$network, $point.as_ref(), Some($label), $within)
    };
}

/// Asserts that the network is correct and robust at a share of inputs of at least `at_least`, as far as the points of a data set tell with
/// the given confidence: the lower end of the interval reaches it.
///
/// `assert_coverage!(network, data, radius, at_least, confidence)`; the value is the [`Run`].
///
/// # Panics
///
/// The lower end is smaller, or something does not fit.
#[macro_export]
macro_rules! assert_coverage {
    ($network:expr, $data:expr, $within:expr, $at_least:expr, $confidence:expr $(,)?) => {
        $crate::testing::expect_coverage(&$network, &$data, $within, ($at_least, $confidence))
    };
}

/// Reads a network for a test.
///
/// # Panics
///
/// It cannot be read; the message says why.
#[track_caller]
pub fn network(path: impl AsRef<Path>) -> Network {
    match Network::read(path) {
        Ok(network) => network,
        Err(error) => panic!("{error}"),
    }
}

/// A network, or a verifier of one with settings.
pub trait Subject {
    /// What answers queries.
    fn verifier(&self) -> Verifier;
}

impl Subject for Network {
    fn verifier(&self) -> Verifier {
        Verifier::new(self)
    }
}

impl Subject for Verifier {
    fn verifier(&self) -> Verifier {
        self.clone()
    }
}

impl<S: Subject> Subject for &S {
    fn verifier(&self) -> Verifier {
        (*self).verifier()
    }
}

/// What [`assert_verified!`](crate::assert_verified) does.
///
/// # Panics
///
/// As the macro.
#[track_caller]
pub fn expect_verified(
    subject: &impl Subject,
    point: &[f64],
    label: Option<usize>,
    within: impl Into<Perturbation>,
) -> Outcome {
    expect(&subject.verifier(), (point, label), &within.into(), true)
}

/// What [`assert_violated!`](crate::assert_violated) does.
///
/// # Panics
///
/// As the macro.
#[track_caller]
pub fn expect_violated(
    subject: &impl Subject,
    point: &[f64],
    label: Option<usize>,
    within: impl Into<Perturbation>,
) -> Outcome {
    expect(&subject.verifier(), (point, label), &within.into(), false)
}

/// What [`assert_coverage!`](crate::assert_coverage) does.
///
/// # Panics
///
/// As the macro.
#[track_caller]
pub fn expect_coverage(
    subject: &impl Subject,
    data: &Dataset,
    within: impl Into<Perturbation>,
    (at_least, confidence): (f64, f64),
) -> Run {
    let (verifier, within) = (subject.verifier(), within.into());
    let run = verifier.certify(data, &within).require(at_least).confidence(confidence).run();
    match run {
        Ok(run) if run.gate() == Some(true) => run,
        Ok(run) => panic!("{}", LowCoverage { run: &run, data, within: &within }),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn expect(
    verifier: &Verifier,
    (point, label): (&[f64], Option<usize>),
    within: &Perturbation,
    is_verified: bool,
) -> Outcome {
    let label = label.map_or_else(|| class_of(verifier.network(), point, within), Ok);
    let answered = label.and_then(|label| Ok((verifier.robustness(point, label, within)?, label)));
    // No closures here: a panic in one would not name the caller's line.
    match answered {
        Ok((outcome, _)) if is_verified && outcome.is_verified() => outcome,
        Ok((outcome, _)) if !is_verified && outcome.is_violated() => outcome,
        Ok((outcome, label)) => {
            panic!("{}", Unexpected { outcome: &outcome, verifier, within, point, label, is_verified })
        }
        Err(error) => panic!("{error}"),
    }
}

/// Most elements of a point that a message shows.
const MOST_ELEMENTS: usize = 8;

/// Most points of a data set that a message shows.
const MOST_POINTS: usize = 5;

/// The message of an assertion about a point.
struct Unexpected<'a> {
    outcome: &'a Outcome,
    verifier: &'a Verifier,
    within: &'a Perturbation,
    point: &'a [f64],
    label: usize,
    is_verified: bool,
}

impl Display for Unexpected<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (network, expected) = (self.verifier.network(), if self.is_verified { "robust" } else { "not robust" });
        writeln!(f, "{}: expected a point that is {expected} {}", network.name(), self.within)?;
        match &self.outcome.verdict {
            Verdict::Verified(verified, certificate) => {
                let (bytes, leaves) = (certificate.len(), verified.leaves());
                writeln!(
                    f,
                    "  found:          a proof that every such input has class {} ({bytes} bytes, {leaves} leaves)",
                    self.label
                )?;
            }
            Verdict::Violated(violated) => {
                let outputs: Vec<f64> = violated.outputs().iter().map(|output| output.middle()).collect();
                let raw = raw(self.within, violated.point(), network.input_shape());
                Counterexample { label: self.label, outputs: &outputs, from: self.point, to: &raw }.fmt(f)?;
            }
            Verdict::Unknown(reason) => {
                writeln!(f, "  found:          nothing, neither a proof nor a counterexample: {reason}")?;
                writeln!(f, "  try:            more time (Verifier::new(&network).timeout(...)) or a smaller radius")?;
            }
        }
        let point = shown(self.point);
        write!(f, "  point:          [{point}], class {}\n  see it again:   ", self.label)?;
        let (name, within) = (network.name(), code(self.within));
        write!(f, "Verifier::new(&Network::read({name:?})?).robustness(&point, {}, &{within})", self.label)
    }
}

/// An input with another class, as a message shows it.
struct Counterexample<'a> {
    label: usize,
    outputs: &'a [f64],
    from: &'a [f64],
    to: &'a [f64],
}

impl Display for Counterexample<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rivals = self.outputs.iter().enumerate().filter(|(class, _)| *class != self.label);
        let (rival, output) = rivals.max_by(|a, b| a.1.total_cmp(b.1)).map_or((self.label, 0.0), |(i, x)| (i, *x));
        let margin = self.outputs.get(self.label).copied().unwrap_or(f64::NAN) - output;
        writeln!(
            f,
            "  counterexample: class {rival} instead of {}, margin {margin:.6}, replayed by the checker",
            self.label
        )?;
        let size = |i: &usize| (self.to[*i] - self.from[*i]).abs();
        let mut changed: Vec<usize> = (0..self.from.len().min(self.to.len())).filter(|i| size(i) > 0.0).collect();
        changed.sort_by(|a, b| size(b).total_cmp(&size(a)).then(a.cmp(b)));
        for i in changed.iter().take(MOST_ELEMENTS) {
            writeln!(f, "    element {i}: {:.6} -> {:.6}", self.from[*i], self.to[*i])?;
        }
        match changed.len().saturating_sub(MOST_ELEMENTS) {
            0 => Ok(()),
            more => writeln!(f, "    and {more} more elements that change by no more"),
        }
    }
}

/// The message of an assertion about a data set.
struct LowCoverage<'a> {
    run: &'a Run,
    data: &'a Dataset,
    within: &'a Perturbation,
}

impl Display for LowCoverage<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let run = self.run;
        writeln!(f, "{}: expected more coverage {}", run.facts().model, self.within)?;
        writeln!(f, "  proved:         {}", run.proved())?;
        writeln!(f, "  estimated:      {}", run.statement())?;
        writeln!(f, "  assumed:        {}", run.assumptions())?;
        writeln!(f, "  required:       {}", run.gate_statement().unwrap_or_default())?;
        let worst = run.points().iter().filter(|point| point.falsified_share.is_some()).take(MOST_POINTS);
        for facts in worst {
            writeln!(f, "  point {}, class {}: {}", facts.index, facts.label, facts.verdict)?;
            let evidence = run.point(facts.index).ok().zip(self.data.point(facts.index).ok());
            if let Some((StoredPoint { counterexample: Some(input), counterexample_output: Some(outputs), .. }, from)) =
                evidence
            {
                let raw = raw(self.within, &input, &run.facts().input_shape);
                let text = Counterexample { label: facts.label, outputs: &outputs, from: &from, to: &raw }.to_string();
                text.lines().try_for_each(|line| writeln!(f, "  {line}"))?;
            }
        }
        write!(f, "  see it again:   {}", command(run))
    }
}

/// The command that makes the same run; arrays that were in memory have to be saved for it.
fn command(run: &Run) -> String {
    let facts = run.facts();
    let is_in_memory = dataset::is_in_memory(&facts.data);
    let (data, labels) = match is_in_memory {
        true => ("X.npy".to_owned(), Some("y.npy".to_owned())),
        false => (facts.data.clone(), facts.labels.clone()),
    };
    let mut text = format!("bartizan certify {} --data '{data}'", facts.model);
    let norm = Some(&facts.norm).filter(|norm| *norm != Norm::Linf.name());
    let radius = Some(&facts.radius);
    let options = [
        ("labels", labels.as_ref()),
        ("radius", radius),
        ("norm", norm),
        ("clip", facts.clip.as_ref()),
        ("mean", facts.mean.as_ref()),
        ("std", facts.std.as_ref()),
        ("fix", facts.fixed.as_ref()),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            // Writing to a string does not fail.
            let _ = write!(text, " --{name} '{value}'");
        }
    }
    if is_in_memory {
        text += "  (X.npy and y.npy: the points and labels, saved)";
    }
    text
}

/// The class that the network gives a point of the data.
fn class_of(network: &Network, point: &[f64], within: &Perturbation) -> Result<usize, BatchError> {
    let question = within.inlined()?.question(network.input_shape(), None)?;
    let query = question.query((point, 0), network.classes());
    let refused = |error| BatchError::Property { path: "point".into(), error };
    if point.len() != network.inputs() {
        return network.predict(point);
    }
    network.predict(&query.network_input().map_err(refused)?)
}

/// A network input in the units of the data, near enough to be shown.
fn raw(within: &Perturbation, input: &[f64], shape: &[usize]) -> Vec<f64> {
    match within.inlined().and_then(|within| within.question(shape, None)) {
        Ok(question) => Inputs::of(None, &question).raw(input),
        Err(_) => input.to_vec(),
    }
}

/// The expression that makes a perturbation.
fn code(within: &Perturbation) -> String {
    let Perturbation { norm, radius, clip, mean, std, fix, vary } = within;
    let mut text = format!("Perturbation::{}({radius:?})", norm.name());
    if let Some((lowest, highest)) = clip.as_ref().and_then(|clip| clip.split_once(',')) {
        let _ = write!(text, ".clip({lowest:?}, {highest:?})");
    }
    for (name, value) in [("mean", mean), ("std", std), ("fix", fix), ("vary", vary)] {
        if let Some(value) = value {
            let _ = write!(text, ".{name}({value:?})");
        }
    }
    text
}

/// The first elements of a point.
fn shown(point: &[f64]) -> String {
    let first: Vec<String> = point.iter().take(MOST_ELEMENTS).map(ToString::to_string).collect();
    let rest = if point.len() > MOST_ELEMENTS { format!(", ... {} elements", point.len()) } else { String::new() };
    first.join(", ") + &rest
}

#[cfg(test)]
mod tests;
