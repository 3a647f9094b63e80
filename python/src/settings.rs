//! Keyword arguments, which the Python side has put in order.

use std::str::FromStr;
use std::time::Duration;

use bartizan::{Error, Norm, Perturbation, Verifier};
use pyo3::prelude::*;

use crate::error::{raise, refused, senseless};
use crate::network::Network;

/// What may change about a point, in decimal texts.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Within {
    norm: String,
    radius: String,
    clip: Option<(String, String)>,
    mean: Option<String>,
    std: Option<String>,
    fix: Option<String>,
    vary: Option<String>,
}

/// Settings of the search.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Search {
    timeout: f64,
    method: String,
    split: String,
    attack: bool,
    seed: u64,
    jobs: Option<usize>,
}

impl Within {
    /// The perturbation.
    pub fn perturbation(self) -> PyResult<Perturbation> {
        let norm = Norm::parse(&self.norm).ok_or_else(|| refused("norm", "linf, l2 or l1", quoted(&self.norm)))?;
        let mut within = Perturbation::within(norm, self.radius);
        if let Some((lowest, highest)) = self.clip {
            within = within.clip(lowest, highest);
        }
        for (text, add) in [
            (self.mean, Perturbation::mean as Step),
            (self.std, Perturbation::std),
            (self.fix, Perturbation::fix),
            (self.vary, Perturbation::vary),
        ] {
            within = text.into_iter().fold(within, add);
        }
        Ok(within)
    }
}

/// What adds a text to a perturbation.
type Step = fn(Perturbation, String) -> Perturbation;

impl Search {
    /// A verifier with these settings.
    pub fn verifier(&self, network: &Network) -> PyResult<Verifier> {
        let methods = "ibp, linear, slopes, lp, branch or auto";
        let method = FromStr::from_str(&self.method).map_err(|_| refused("method", methods, quoted(&self.method)))?;
        let splits = "auto, inputs or signs";
        let split = FromStr::from_str(&self.split).map_err(|_| refused("split", splits, quoted(&self.split)))?;
        let verifier = Verifier::new(&network.0).method(method).split(split);
        let verifier =
            verifier.timeout(seconds("timeout", self.timeout).map_err(raise)?).attack(self.attack).seed(self.seed);
        match self.jobs {
            Some(0) => Err(refused("jobs", "at least one thread", 0)),
            Some(jobs) => Ok(verifier.jobs(jobs)),
            None => Ok(verifier),
        }
    }
}

/// A time that a setting asks for.
pub fn seconds(name: &str, seconds: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(seconds).map_err(|_| senseless(name, "a number of seconds from 0", seconds))
}

/// A text as messages show it.
pub fn quoted(text: &str) -> String {
    format!("`{text}`")
}
