//! The question of local robustness, as the points of a data set pose it.

use std::path::Path;

use bartizan_proof::property::{Norm, Normalisation, RobustnessQuery};
use bartizan_proof::{Interval, Network, Property, PropertyError};

use super::BatchError;
use super::answer::WHOLE;
use super::dataset::Dataset;

/// What is asked of every point.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// The norm; none for L-infinity.
    pub norm: Option<Norm>,
    /// The radius of each element, in raw units; elements of radius 0 are held fixed.
    pub radii: Vec<Interval>,
    /// The range of valid raw values, if there is one.
    pub clip: Option<(Interval, Interval)>,
    /// How raw values become network inputs, if not unchanged.
    pub normalisation: Option<Normalisation>,
}

/// What a point poses.
#[derive(Clone, Debug)]
pub struct Posed {
    /// The property that nothing within the radius has another label.
    pub property: Property,
    /// The network input that the point itself is.
    pub centre: Vec<f64>,
}

impl Question {
    /// What a point poses.
    ///
    /// # Errors
    ///
    /// The point does not fit the question.
    pub fn pose(&self, network: &Network, dataset: &Dataset, index: usize) -> Result<Posed, BatchError> {
        self.pose_at(network, (dataset, index), WHOLE)
    }

    /// What a point poses within a share of the radius, which is exact: the bounds are those of the product.
    ///
    /// # Errors
    ///
    /// The point does not fit the question.
    pub fn pose_at(
        &self,
        network: &Network,
        (dataset, index): (&Dataset, usize),
        share: f64,
    ) -> Result<Posed, BatchError> {
        let point = dataset.point(index)?;
        let labelled = (point.as_slice(), dataset.label(index));
        let query = RobustnessQuery { factor: Interval::point(share), ..self.query(labelled, network.output_size()) };
        let state = || {
            let property = query.property()?;
            property.fits(network)?;
            Ok(Posed { property, centre: query.network_input()? })
        };
        state().map_err(|error| refused(dataset, index, error))
    }

    /// The question about one labelled point, to a network with so many outputs.
    pub fn query<'q>(&'q self, (point, label): (&'q [f64], usize), outputs: usize) -> RobustnessQuery<'q> {
        RobustnessQuery {
            point,
            label,
            outputs,
            norm: self.norm,
            radii: &self.radii,
            factor: Interval::point(1.0),
            clip: self.clip,
            normalisation: self.normalisation.as_ref(),
        }
    }
}

/// Checks that a network, read from somewhere, tells classes apart.
pub fn has_classes(network: &Network, path: &Path) -> Result<(), BatchError> {
    match network.output_size() {
        found @ (0 | 1) => Err(BatchError::content(path, "output", "at least two classes", found.to_string())),
        _ => Ok(()),
    }
}

/// Names the point that does not fit.
pub(super) fn refused(dataset: &Dataset, index: usize, error: PropertyError) -> BatchError {
    let path = dataset.points_origin().source.path.clone();
    BatchError::Point { path, index, error }
}
