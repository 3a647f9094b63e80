//! Many certificates at once: models and properties are found by the digests that a certificate names.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use bartizan_proof::certificate::Header;
use bartizan_proof::{Digest, Network, Property, ProvedVolume, Refusal, Rejected, Semantics, Verified, check};

use super::queries::Files;
use super::{BatchError, workers};

/// Models and properties by their digests.
#[derive(Debug, Default)]
pub struct Library {
    models: HashMap<Digest, Model>,
    properties: HashMap<Digest, (PathBuf, Property)>,
}

/// A model, read when it is needed.
#[derive(Debug)]
struct Model {
    path: PathBuf,
    /// The network under each of [`Semantics::ALL`].
    networks: [OnceLock<Result<Arc<Network>, String>>; 2],
}

/// What became of a certificate.
#[derive(Debug)]
pub struct Judgement {
    /// What the checker established; the text says why not.
    pub result: Result<Fact, Unproved>,
    /// How long the check took.
    pub time: Duration,
}

/// What certificates are checked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// That the property holds.
    Property,
    /// Shares of its regions' volume.
    Volume,
}

/// What a certificate proves.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// That the property holds.
    Verified(Verified),
    /// Shares of its regions' volume.
    Volume(ProvedVolume),
}

impl Fact {
    /// What is meant by the network's outputs.
    pub fn semantics(&self) -> Semantics {
        match self {
            Fact::Verified(verified) => verified.semantics(),
            Fact::Volume(proved) => proved.semantics(),
        }
    }
}

/// Why a certificate proves nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Unproved {
    /// The checker refused it.
    Refused(String),
    /// It could not be checked: a file that it needs is missing or cannot be read.
    Failed(String),
}

impl Library {
    /// Knows a model by the digest of its bytes; it is read when a certificate names it.
    pub fn add_model(&mut self, digest: Digest, path: PathBuf) {
        self.models.insert(digest, Model { path, networks: [OnceLock::new(), OnceLock::new()] });
    }

    /// Knows a property.
    pub fn add_property(&mut self, property: Property, path: PathBuf) {
        self.properties.insert(property.digest(), (path, property));
    }

    fn network(&self, (digest, semantics): (Digest, Semantics), files: &impl Files) -> Result<Arc<Network>, String> {
        let model = self.models.get(&digest).ok_or_else(|| missing("model", digest, self.models.len()))?;
        let slot = &model.networks[usize::from(semantics.number())];
        slot.get_or_init(|| files.model(&model.path, semantics).map(Arc::new)).clone()
    }

    fn property(&self, digest: Digest) -> Result<&Property, String> {
        let found = self.properties.get(&digest).map(|(_, property)| property);
        found.ok_or_else(|| missing("property", digest, self.properties.len()))
    }
}

fn missing(what: &str, digest: Digest, known: usize) -> String {
    format!("expected a {what} with SHA-256 {digest}, found none among the {known} given")
}

/// Checks certificates for a claim on `jobs` threads; `finished` is called with each one's place as it ends, on the calling thread.
///
/// # Errors
///
/// The threads cannot be started, or whatever `finished` returns.
pub fn run<E: From<BatchError>>(
    (certificates, claim): (&[PathBuf], Claim),
    (library, files): (&Library, &impl Files),
    jobs: usize,
    mut finished: impl FnMut(usize, Judgement) -> Result<(), E>,
) -> Result<(), E> {
    // What is left over when there are fewer certificates than threads goes into the trees.
    let threads = NonZeroUsize::new(jobs / certificates.len().max(1)).unwrap_or(NonZeroUsize::MIN);
    let work = |place: usize| {
        let start = Instant::now();
        let result = judge((&certificates[place], claim), (library, files), threads);
        Judgement { result, time: start.elapsed() }
    };
    workers::run((certificates.len(), jobs), work, &mut finished)
}

fn judge(
    (path, claim): (&Path, Claim),
    (library, files): (&Library, &impl Files),
    threads: NonZeroUsize,
) -> Result<Fact, Unproved> {
    let source = path.to_owned();
    let header = Header::read(&source).map_err(unproved)?;
    let network = library.network((header.model, header.semantics), files).map_err(Unproved::Failed)?;
    let property = library.property(header.property).map_err(Unproved::Failed)?;
    match claim {
        Claim::Property => check::verify(&network, property, &source, threads).map(Fact::Verified),
        Claim::Volume => check::volume(&network, property, &source, threads).map(Fact::Volume),
    }
    .map_err(unproved)
}

fn unproved(rejected: impl Into<Rejected>) -> Unproved {
    let rejected = rejected.into();
    let text = rejected.to_string();
    if let Refusal::Unreadable(_) = rejected.refusal { Unproved::Failed(text) } else { Unproved::Refused(text) }
}
