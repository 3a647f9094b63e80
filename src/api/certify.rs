//! The same question at all points of a data set.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::{Run, Verifier};
use crate::batch::BatchError;
use crate::batch::answer::PointAnswer;
use crate::batch::dataset::Dataset;
use crate::batch::perturbation::Perturbation;
use crate::batch::runner::Aim;
use crate::batch::selection::{self, Shard};
use crate::batch::session::{Progress, Session, Settings};
use crate::report;

/// A run over the points of a data set, to be set up and started.
///
/// ```
/// use bartizan::{Dataset, Network, Perturbation, Verifier};
///
/// let network = Network::from_onnx("models/digits_mlp/model.onnx")?;
/// let data = Dataset::open("models/digits_mlp/images.npy", Some("models/digits_mlp/labels.npy"))?;
/// let within = Perturbation::linf(0.02).clip(0.0, 1.0);
/// let run = Verifier::new(&network).certify(&data, &within).select("0..50").require(0.8).run()?;
/// println!("{}", run.statement());
/// assert!(run.counts().certified > 40 && run.gate() == Some(true));
/// # Ok::<(), bartizan::Error>(())
/// ```
pub struct Certify<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) data: &'a Dataset,
    pub(super) perturbation: &'a Perturbation,
    aim: Aim,
    select: Option<String>,
    shard: Option<(usize, usize)>,
    is_drawn: bool,
    budget: Option<Duration>,
    require: Option<f64>,
    confidence: f64,
    pub(super) store: Option<PathBuf>,
    pub(super) resume: bool,
    watch: Option<Watch<'a>>,
}

/// What is told of each answer.
type Watch<'a> = Box<dyn FnMut(&PointAnswer, usize, usize) + 'a>;

/// Confidence of intervals where nobody says otherwise.
const CONFIDENCE: f64 = 0.95;

impl<'a> Certify<'a> {
    pub(super) fn new(
        verifier: &'a Verifier,
        (data, perturbation): (&'a Dataset, &'a Perturbation),
        aim: Aim,
    ) -> Certify<'a> {
        Certify {
            verifier,
            data,
            perturbation,
            aim,
            select: None,
            shard: None,
            is_drawn: false,
            budget: None,
            require: None,
            confidence: CONFIDENCE,
            store: None,
            resume: false,
            watch: None,
        }
    }

    /// The points to take, such as `0..200` or `0,5,9`; all by default.
    #[must_use]
    pub fn select(mut self, points: impl Into<String>) -> Self {
        self.select = Some(points.into());
        self
    }

    /// Only part `part` (from 1) of `of` parts of these.
    #[must_use]
    pub fn shard(mut self, part: usize, of: usize) -> Self {
        self.shard = Some((part, of));
        self
    }

    /// Answers the points in an order that the seed draws, and stops as soon as it is decided whether the required share is reached;
    /// the interval holds at any moment.
    #[must_use]
    pub fn sequential(mut self) -> Self {
        self.is_drawn = true;
        self
    }

    /// Time limit of the whole run; what is not answered by then counts as unknown.
    #[must_use]
    pub fn budget(mut self, budget: Duration) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The share of correct and robust inputs that the lower end of the interval must reach ([`Run::gate`]).
    #[must_use]
    pub fn require(mut self, share: f64) -> Self {
        self.require = Some(share);
        self
    }

    /// Confidence of the interval, 0.95 by default.
    #[must_use]
    pub fn confidence(mut self, confidence: f64) -> Self {
        self.confidence = confidence;
        self
    }

    /// Keeps every answer and its certificate in an SQLite file as it comes. The file must not exist, or see [`Certify::resume`].
    #[must_use]
    pub fn store(mut self, path: impl Into<PathBuf>) -> Self {
        self.store = Some(path.into());
        self
    }

    /// Goes on with the run that the store holds, if there is one; another question is refused.
    #[must_use]
    pub fn resume(mut self) -> Self {
        self.resume = true;
        self
    }

    /// Is told of each answer as soon as it is stored, with how many points have one and how many are asked for.
    #[must_use]
    pub fn watch(mut self, watch: impl FnMut(&PointAnswer, usize, usize) + 'a) -> Self {
        self.watch = Some(Box::new(watch));
        self
    }

    /// Answers all points.
    ///
    /// # Errors
    ///
    /// Something does not fit, which is found before the run begins; or the store cannot be written, and then what has been stored stays.
    pub fn run(mut self) -> Result<Run, BatchError> {
        let (settings, network) = (self.settings()?, &self.verifier.network);
        let session = Session::prepare((network.verifier(), network.name()), self.data, self.perturbation, &settings)?;
        let start = Instant::now();
        let (path, folder) = self.place()?;
        let mut begun = session.begin(&path, self.resume)?;
        let mut watch = self.watch.take();
        let ended = begun.answer(|Progress { answer, answered, asked }| {
            watch.iter_mut().for_each(|watch| watch(answer, answered, asked));
        });
        begun.close();
        ended?;
        let mut run = Run::open(&path)?.with((folder, self.data.clone()), (settings.confidence, settings.require))?;
        run.session = Some(report::Session { time: start.elapsed(), jobs: settings.jobs });
        Ok(run)
    }

    pub(super) fn settings(&self) -> Result<Settings, BatchError> {
        Ok(Settings {
            options: self.verifier.options.clone(),
            aim: self.aim()?,
            is_drawn: self.is_drawn,
            chosen: self.select.as_ref().map(|text| selection::parse(text, self.data.len())).transpose()?,
            shard: self.shard.map(shard).transpose()?,
            budget: self.budget,
            jobs: self.verifier.jobs,
            require: self.require.map(|share| within_one("require", share)).transpose()?,
            confidence: proper("confidence", self.confidence)?,
        })
    }

    fn aim(&self) -> Result<Aim, BatchError> {
        match self.aim {
            Aim::Bracket(precision) if !(precision > 0.0 && precision <= 1.0) => {
                let expected = "a share greater than 0 and at most 1, such as 0.01";
                Err(BatchError::setting("precision", expected, precision.to_string()))
            }
            aim => Ok(aim),
        }
    }

    fn place(&self) -> Result<(PathBuf, Option<tempfile::TempDir>), BatchError> {
        match &self.store {
            Some(path) => Ok((path.clone(), None)),
            None => {
                let folder = tempfile::tempdir().map_err(BatchError::writing(&std::env::temp_dir()))?;
                Ok((folder.path().join("run.db"), Some(folder)))
            }
        }
    }
}

fn shard((part, of): (usize, usize)) -> Result<Shard, BatchError> {
    let expected = "part I of N with I from 1 to N, such as 3 of 16";
    let refused = || BatchError::setting("shard", expected, format!("{part} of {of}"));
    Shard::parse(&format!("{part}/{of}")).ok_or_else(refused)
}

/// A share from 0 to 1.
pub(super) fn within_one(name: &str, share: f64) -> Result<f64, BatchError> {
    let is_share = (0.0..=1.0).contains(&share);
    is_share.then_some(share).ok_or_else(|| BatchError::setting(name, "a share from 0 to 1", share.to_string()))
}

/// A share between 0 and 1.
pub(super) fn proper(name: &str, share: f64) -> Result<f64, BatchError> {
    let expected = "a number between 0 and 1, such as 0.95";
    let is_proper = share > 0.0 && share < 1.0;
    is_proper.then_some(share).ok_or_else(|| BatchError::setting(name, expected, share.to_string()))
}
