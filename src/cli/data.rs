//! Arguments that name a network, labelled points and a question about them.

use std::path::PathBuf;

use bartizan_proof::property::{self, Normalisation};
use bartizan_proof::{Interval, Network};
use clap::ValueEnum;

use super::{CliError, decimals, features, files};
use crate::batch::dataset::{Dataset, Source};
use crate::batch::points::Question;
use crate::batch::selection;

/// Arguments that [`certify`](super::certify) and [`bounds`](super::bounds) share.
#[derive(Clone, Debug, clap::Args)]
pub struct DataArgs {
    /// Network: ONNX or NNet, gzipped or not
    pub model: PathBuf,
    /// Points in raw units: .npy, .npz (FILE.npz:ARRAY for a certain array), .csv, .parquet, or a folder of PNG images
    ///
    /// Pixels are the integers of the file, 0 to 255 (or 65535), channel first: scale by --std 255 and --clip 0,255. Images are
    /// labelled by the sub-folders they are in, or by --labels. A .npy or .csv may be gzipped (.npy.gz, .csv.gz).
    #[arg(long, value_name = "PATH")]
    pub data: String,
    /// Labels (class indices), where the file of the points does not hold them; of images: a .csv with columns `file` and `label`
    #[arg(long, value_name = "FILE")]
    pub labels: Option<String>,
    /// The label's column in a .csv or .parquet file: name, or number from 0 [default: `label`, else the last]
    #[arg(long, value_name = "COLUMN")]
    pub label_column: Option<String>,
    /// Radius in raw units, such as 0.02 or 8/255, taken exactly: one number, one a channel, one an element, or a text file of numbers
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    pub radius: String,
    /// What the radius measures
    #[arg(long, value_enum, default_value_t = Norm::Linf)]
    pub norm: Norm,
    /// Features that are held fixed, such as 3,7..9
    #[arg(long, value_name = "COLUMNS")]
    pub fix: Option<String>,
    /// Features that vary although they hold integers only, or `all`
    #[arg(long, value_name = "COLUMNS")]
    pub vary: Option<String>,
    /// Range of valid raw values, such as 0,1 [default: none]
    #[arg(long, value_name = "LO,HI", allow_hyphen_values = true)]
    pub clip: Option<String>,
    /// Mean to subtract before the network: one number, one a channel, one an element, or a text file of numbers
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    pub mean: Option<String>,
    /// Standard deviation to divide by before the network; as --mean
    #[arg(long, value_name = "NUMBERS", allow_hyphen_values = true)]
    pub std: Option<String>,
}

/// Norms of a radius.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Norm {
    /// The largest change of any element, in radii
    Linf,
    /// The Euclidean norm of the changes, in radii
    L2,
    /// The sum of the changes' sizes, in radii
    L1,
}

impl Norm {
    /// The norm's name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Norm::Linf => "linf",
            Norm::L2 => "l2",
            Norm::L1 => "l1",
        }
    }

    /// The norm of the ball; none where the box is the ball.
    fn of_ball(self) -> Option<property::Norm> {
        match self {
            Norm::Linf => None,
            Norm::L2 => Some(property::Norm::L2),
            Norm::L1 => Some(property::Norm::L1),
        }
    }
}

impl DataArgs {
    /// Reads the network, which must tell classes apart.
    pub fn network(&self) -> Result<Network, CliError> {
        let network = files::read_model(&self.model)?;
        match network.output_size() {
            found @ (0 | 1) => Err(CliError::content(&self.model, "output", "at least two classes", found.to_string())),
            _ => Ok(network),
        }
    }

    /// The same with the numbers themselves where files of them were named: each file is read once.
    pub fn inlined(&self) -> Result<DataArgs, CliError> {
        let numbers =
            |option: &str, text: &Option<String>| text.as_ref().map(|text| decimals::inlined(option, text)).transpose();
        Ok(DataArgs {
            radius: decimals::inlined("--radius", &self.radius)?,
            mean: numbers("--mean", &self.mean)?,
            std: numbers("--std", &self.std)?,
            ..self.clone()
        })
    }

    /// What is asked of every point, with some features held fixed.
    pub fn question(&self, network: &Network, fixed: Option<&str>) -> Result<Question, CliError> {
        let Self { norm, radius, clip, mean, std, .. } = self;
        let text = QuestionText {
            norm: *norm,
            radius,
            fixed,
            clip: clip.as_deref(),
            mean: mean.as_deref(),
            std: std.as_deref(),
        };
        text.question(network.input_shape())
    }

    /// The features that are held fixed, as indices and ranges.
    pub fn fixed(&self, dataset: &Dataset) -> Result<Option<String>, CliError> {
        let columns = dataset.columns();
        // Pixels are integers too, and vary.
        let integer =
            if dataset.is_table() { dataset.integer_features().to_vec() } else { vec![false; dataset.width()] };
        let fixed = features::held_fixed(columns, &integer, self.fix.as_deref(), self.vary.as_deref())?;
        features::notice(columns, &integer, &fixed).into_iter().for_each(|notice| eprintln!("{notice}"));
        Ok((!fixed.is_empty()).then(|| selection::format(&fixed)))
    }

    /// The labelled points.
    pub fn dataset(&self) -> Result<Dataset, CliError> {
        let labels = self.labels.as_ref().map(|text| Source::parse(text));
        Ok(Dataset::read(&Source::parse(&self.data), labels.as_ref(), self.label_column.as_deref())?)
    }
}

/// A question as it is typed.
#[derive(Clone, Copy, Debug)]
pub struct QuestionText<'t> {
    /// What the radius measures.
    pub norm: Norm,
    /// The radius, in raw units: a number, or one a channel or an element.
    pub radius: &'t str,
    /// The features that are held fixed, as indices and ranges.
    pub fixed: Option<&'t str>,
    /// The range of valid raw values.
    pub clip: Option<&'t str>,
    /// Means to subtract.
    pub mean: Option<&'t str>,
    /// Deviations to divide by.
    pub std: Option<&'t str>,
}

impl QuestionText<'_> {
    /// The question to a network with inputs of some shape.
    pub fn question(&self, shape: &[usize]) -> Result<Question, CliError> {
        let clip = self.clip.map(|text| decimals::range("--clip", text)).transpose()?;
        let normalisation = self.normalisation(shape)?;
        Ok(Question { norm: self.norm.of_ball(), radii: self.radii(shape)?, clip, normalisation })
    }

    fn radii(&self, shape: &[usize]) -> Result<Vec<Interval>, CliError> {
        let mut radii = decimals::non_negative("--radius", self.radius, shape)?;
        for feature in self.fixed.map_or(Ok(Vec::new()), |text| features::indices(text, radii.len()))? {
            radii[feature] = Interval::point(0.0);
        }
        Ok(radii)
    }

    fn normalisation(&self, shape: &[usize]) -> Result<Option<Normalisation>, CliError> {
        if self.mean.is_none() && self.std.is_none() {
            return Ok(None);
        }
        let numbers = |option: &str, text: Option<&str>, default: f64| match text {
            Some(text) => decimals::per_element(option, text, shape),
            None => Ok(vec![Interval::point(default); shape.iter().product()]),
        };
        let mean = numbers("--mean", self.mean, 0.0)?;
        let deviation = numbers("--std", self.std, 1.0)?;
        if let Some(wrong) = deviation.iter().find(|deviation| deviation.lo <= 0.0) {
            return Err(CliError::option("--std", "positive numbers", wrong.middle().to_string()));
        }
        Ok(Some(Normalisation { mean, deviation }))
    }
}
