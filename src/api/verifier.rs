//! Settings of the search, and answers.

use std::num::NonZeroUsize;
use std::time::Duration;

use bartizan_proof::{Verified, check};

use super::{Certify, Network, Query};
use crate::batch::dataset::Dataset;
use crate::batch::perturbation::Perturbation;
use crate::batch::runner::Aim;
use crate::batch::{BatchError, workers};
use crate::deadline::Flag;
use crate::deadline::LONGEST_TIMEOUT;
use crate::outcome::Outcome;
use crate::verify::{Method, Options, Split};

/// Answers questions about a network. None of its settings can make a wrong answer.
///
/// ```
/// use std::time::Duration;
/// use bartizan::{Dataset, Network, Perturbation, Query, Verdict, Verifier};
///
/// let network = Network::from_onnx("models/digits_mlp/model.onnx")?;
/// let data = Dataset::open("models/digits_mlp/images.npy", Some("models/digits_mlp/labels.npy"))?;
/// let verifier = Verifier::new(&network).timeout(Duration::from_secs(10));
/// let query = Query::robustness(data.point(0)?, data.label(0), &Perturbation::linf(0.03).clip(0.0, 1.0));
/// match verifier.verify(&query)?.verdict {
///     Verdict::Verified(_, certificate) => println!("proved; the certificate has {} bytes", certificate.len()),
///     Verdict::Violated(counterexample) => println!("another class at {:?}", counterexample.point()),
///     Verdict::Unknown(reason) => println!("nothing shown: {reason}"),
/// }
/// # Ok::<(), bartizan::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Verifier {
    pub(super) network: Network,
    pub(super) options: Options,
    pub(super) jobs: usize,
}

impl Verifier {
    /// Questions about a network, with default settings: 60 seconds a query, all methods, a thread for each core.
    pub fn new(network: &Network) -> Verifier {
        Verifier { network: network.clone(), options: Options::default(), jobs: workers::cores() }
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Time limit of a query, or of a point of a data set.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Verifier {
        self.options.timeout = timeout.min(LONGEST_TIMEOUT);
        self
    }

    /// How far up the ladder of methods to go.
    #[must_use]
    pub fn method(mut self, method: Method) -> Verifier {
        self.options.method = method;
        self
    }

    /// What branch and bound splits.
    #[must_use]
    pub fn split(mut self, split: Split) -> Verifier {
        self.options.split = split;
        self
    }

    /// Whether to look for counterexamples.
    #[must_use]
    pub fn attack(mut self, attack: bool) -> Verifier {
        self.options.attack = attack;
        self
    }

    /// Seed of everything random. The same question, settings and seed get the same answer and certificate, whatever the number of
    /// threads, as long as no time limit is reached.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Verifier {
        self.options.seed = seed;
        self
    }

    /// Number of threads, at least one.
    #[must_use]
    pub fn jobs(mut self, jobs: usize) -> Verifier {
        self.jobs = jobs.max(1);
        self
    }

    /// A flag that ends every search as if its time were over, as soon as somebody sets it.
    #[must_use]
    pub fn cancelled_by(mut self, flag: &'static Flag) -> Verifier {
        self.options.cancelled = Some(flag);
        self
    }

    /// Answers one query.
    ///
    /// # Errors
    ///
    /// The query does not fit the network.
    pub fn verify(&self, query: &Query) -> Result<Outcome, BatchError> {
        let (property, path) = query.property(&self.network)?;
        let outcome = workers::run_one(self.jobs, || self.network.verifier().verify(&property, &self.options))?;
        outcome.map_err(|error| BatchError::Property { path, error })
    }

    /// Has the checker judge a certificate of an earlier answer to the query, from the network and the query alone.
    ///
    /// # Errors
    ///
    /// The checker refuses it, or the query does not fit the network.
    pub fn check(&self, query: &Query, certificate: &[u8]) -> Result<Verified, BatchError> {
        let (property, path) = query.property(&self.network)?;
        let network = self.network.verifier().network();
        property.fits(network).map_err(|error| BatchError::Property { path, error })?;
        let threads = NonZeroUsize::new(self.jobs).unwrap_or(NonZeroUsize::MIN);
        check::verify(network, &property, &certificate.to_vec(), threads).map_err(BatchError::Certificate)
    }

    /// Whether the network gives all inputs near a point the same label, as [`Query::robustness`] asks.
    ///
    /// # Errors
    ///
    /// Point, label or perturbation do not fit the network.
    pub fn robustness(&self, point: &[f64], label: usize, perturbation: &Perturbation) -> Result<Outcome, BatchError> {
        self.verify(&Query::robustness(point, label, perturbation))
    }

    /// The same at every point of a data set.
    pub fn certify<'a>(&'a self, data: &'a Dataset, perturbation: &'a Perturbation) -> Certify<'a> {
        Certify::new(self, (data, perturbation), Aim::Verdict)
    }

    /// The largest certified and the smallest falsified radius at every point of a data set, up to the perturbation's and until they differ
    /// by the given share of it.
    pub fn radius<'a>(&'a self, data: &'a Dataset, largest: &'a Perturbation, precision: f64) -> Certify<'a> {
        Certify::new(self, (data, largest), Aim::Bracket(precision))
    }
}
