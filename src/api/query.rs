//! One question about a network.

use std::path::{Path, PathBuf};

use bartizan_proof::Property;

use super::Network;
use crate::batch::dataset::Arrays;
use crate::batch::files;
use crate::batch::perturbation::Perturbation;
use crate::batch::{BatchError, points};

/// One question about a network: whether a property holds.
#[derive(Clone, Debug)]
pub struct Query(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Property(Box<Property>, PathBuf),
    Robustness(Vec<f64>, usize, Box<Perturbation>),
}

/// The name of a property that came from no file.
const TEXT: &str = "property";

impl Query {
    /// Whether a network gives all inputs near a point the same label. The point is in row-major order and in the units of the data.
    pub fn robustness(point: impl Into<Vec<f64>>, label: usize, perturbation: &Perturbation) -> Query {
        Query(Kind::Robustness(point.into(), label, Box::new(perturbation.clone())))
    }

    /// Reads a VNN-LIB file, gzipped or not. It states the counterexamples: a property is verified where there are none.
    ///
    /// # Errors
    ///
    /// The file cannot be read or is not what it should be.
    pub fn from_vnnlib(path: impl AsRef<Path>) -> Result<Query, BatchError> {
        let path = path.as_ref();
        Ok(Query(Kind::Property(Box::new(files::read_property(path)?), path.to_owned())))
    }

    /// Reads the text of a VNN-LIB file.
    ///
    /// # Errors
    ///
    /// The text is not what it should be.
    pub fn parse_vnnlib(text: &str) -> Result<Query, BatchError> {
        let path = Path::new(TEXT);
        let property = bartizan_read::read_vnnlib(text.as_bytes()).map_err(BatchError::within(path))?;
        Ok(Query(Kind::Property(Box::new(property), path.to_owned())))
    }

    /// The property to be verified of a network, and what to call it.
    pub(super) fn property(&self, network: &Network) -> Result<(Property, PathBuf), BatchError> {
        match &self.0 {
            Kind::Property(property, path) => Ok((*property.clone(), path.clone())),
            Kind::Robustness(point, label, perturbation) => {
                points::has_classes(network.verifier().network(), network.name().as_ref())?;
                fits(network, point, *label)?;
                let mut arrays = Arrays::new(&[point.len()], None);
                arrays.push(point)?;
                let dataset = arrays.finish(vec![*label])?;
                let perturbation = perturbation.inlined()?;
                let (fixed, _) = perturbation.fixed(&dataset)?;
                let question = perturbation.question(network.input_shape(), fixed.as_deref())?;
                let posed = question.pose(network.verifier().network(), &dataset, 0)?;
                Ok((posed.property, PathBuf::from(TEXT)))
            }
        }
    }
}

/// Checks that a point has as many elements as the network has inputs, and that its label is one of the classes.
fn fits(network: &Network, point: &[f64], label: usize) -> Result<(), BatchError> {
    if point.len() != network.inputs() {
        let expected = format!("{} elements, the network's input {:?}", network.inputs(), network.input_shape());
        return Err(BatchError::setting("point", expected, point.len().to_string()));
    }
    if label >= network.classes() {
        let expected = format!("a class from 0 to {}, as the network has outputs", network.classes() - 1);
        return Err(BatchError::setting("label", expected, label.to_string()));
    }
    Ok(())
}
