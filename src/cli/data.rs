//! Arguments that name a network, labelled points and a question about them.

use std::path::PathBuf;

use bartizan_proof::Network;

use super::CliError;
use super::search::SemanticsArgs;
use crate::batch::dataset::{Dataset, Source};
use crate::batch::files;
use crate::batch::perturbation::{Norm, Perturbation};
use crate::batch::points::has_classes;

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
    #[command(flatten)]
    pub semantics: SemanticsArgs,
}

impl DataArgs {
    /// Reads the network, which must tell classes apart.
    pub fn network(&self) -> Result<Network, CliError> {
        let network = files::read_model(&self.model, self.semantics.semantics)?;
        has_classes(&network, &self.model)?;
        Ok(network)
    }

    /// What may change about a point.
    pub fn perturbation(&self) -> Perturbation {
        let Self { norm, radius, clip, mean, std, fix, vary, .. } = self.clone();
        Perturbation { norm, radius, clip, mean, std, fix, vary }
    }

    /// The labelled points.
    pub fn dataset(&self) -> Result<Dataset, CliError> {
        let labels = self.labels.as_ref().map(|text| Source::parse(text));
        Ok(Dataset::read(&Source::parse(&self.data), labels.as_ref(), self.label_column.as_deref())?)
    }
}

/// Tells of features that are held fixed because they hold integers only.
pub fn tell_of_integers(names: &[String]) {
    if !names.is_empty() {
        eprintln!("held fixed, as they hold integers only: {} (--vary all lets them vary)", names.join(", "));
    }
}
