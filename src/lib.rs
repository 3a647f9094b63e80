//! bartizan proves that a trained ReLU network gives the same answer everywhere within a radius of an input, and
//! estimates from many such proofs how much of the input distribution is covered.
//!
//! # One point
//!
//! ```
//! use bartizan::{Network, Perturbation, Verifier};
//!
//! let network = Network::from_onnx("models/moons/model.onnx")?;
//! let outcome = Verifier::new(&network).robustness(&[0.5, 0.75], 0, &Perturbation::linf(0.05))?;
//! println!("{outcome}");
//! # assert!(outcome.is_verified());
//! # Ok::<(), bartizan::Error>(())
//! ```
//!
//! "Verified" and "violated" are facts: a [`Verified`] exists only where the checker has accepted a certificate, a [`Violated`] only where
//! it has replayed a counterexample, both with rigorous arithmetic and from the bytes of the model file. Everything else is unknown,
//! with a [`Reason`].
//!
//! # A data set
//!
//! ```
//! use bartizan::{Dataset, Form, Network, Perturbation, Verifier};
//!
//! let network = Network::from_onnx("models/digits_mlp/model.onnx")?;
//! let data = Dataset::open("models/digits_mlp/images.npy", Some("models/digits_mlp/labels.npy"))?;
//! let within = Perturbation::linf(0.03).clip(0.0, 1.0);
//! let run = Verifier::new(&network).certify(&data, &within).select("0..40").run()?;
//! println!("{}\n{}", run.proved(), run.statement());
//! # let folder = std::env::temp_dir().join(format!("bartizan-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # let report = folder.join("report.html");
//! run.write(Form::Html, &report)?;
//! # std::fs::remove_dir_all(&folder).unwrap();
//! # Ok::<(), bartizan::Error>(())
//! ```
//!
//! What is proved of points ([`Run::counts`]) and what is estimated of inputs like them ([`Run::coverage`]) are never mixed, and an estimate
//! comes with its assumptions. A run can be kept in a file, resumed and checked again: see [`Certify`]. In tests: [`testing`].
//!
//! # How it is built
//!
//! This crate searches; [`bartizan_proof`] judges. What the crate root exports is its public face, and only that is kept stable. Modules,
//! in the order in which they build on each other:
//!
//! * `real`, `matrix`: the search's floating-point types and matrix products.
//! * `deadline`: when a search must end.
//! * `bound`: interval and linear bounds, in batches.
//! * `query`: a property as the search sees it.
//! * `attack`: the search for counterexamples.
//! * `branch`: branch and bound over the input region.
//! * `refine`: refined bounds of hidden neurons, and branch and bound over the signs of ReLUs.
//! * `lp`: the linear programming engine.
//! * `certify`: from what the search found to a certificate.
//! * `outcome`, `verify`: the ladder for one query, on one page.
//! * `output_bounds`: proved output intervals, to compare methods.
//! * `volume`: which share of a region's volume is certified or violated.
//! * `coverage`: from outcomes at sampled points to a statement about their distribution.
//! * `batch`: many queries in one process: lists of properties, and data sets; runs in a file, and their check.
//! * `report`: what a run over a data set says in the end.
//! * `api`: the public face; [`testing`]: assertions for other people's tests.
//! * `cli`: the command line.

#[cfg(test)]
mod random_networks;

/// The README's examples are tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod deadline;
mod matrix;
mod real;

mod bound;
mod query;

mod attack;
mod branch;
mod lp;
mod refine;

mod certify;
mod outcome;
mod output_bounds;
mod verify;
mod volume;

mod coverage;

mod batch;
mod report;

mod api;
pub mod testing;

#[doc(hidden)]
pub mod cli;

pub use api::{Certify, Network, Query, Run, Verifier, cluster};
pub use batch::BatchError as Error;
pub use batch::answer::{Certified, Falsified, PointAnswer, Prediction};
pub use batch::audit::{Audit, Figures};
pub use batch::dataset::{Arrays, Dataset};
pub use batch::manifest::{Manifest, WrongFigure};
pub use batch::perturbation::{Norm, Numbers, Perturbation};
pub use batch::recheck_run::{Findings, RefusedPoint};
pub use batch::runner::End;
pub use batch::store::{PointFacts, RunFacts, StoredPoint};
pub use batch::summary::Counts;
pub use coverage::Coverage;
pub use deadline::Flag;
pub use outcome::{Outcome, Reason, Verdict};
pub use report::Form;
pub use verify::{Method, Split};

pub use bartizan_proof::{Digest, Semantics, Verified, Violated};

/// The engine's parts, for this project's own tests and benchmarks. Nothing here is stable.
#[doc(hidden)]
pub mod internals {
    pub use crate::bound::{Bounds, Model, interval, layer, linear};
    pub use crate::deadline::Deadline;
    pub use crate::output_bounds::{Request as BoundsRequest, prove as prove_bounds};
    pub use crate::verify::{Options, Verifier};
}
