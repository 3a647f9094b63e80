//! A network, ready for questions.

use std::path::Path;
use std::sync::Arc;

use bartizan_proof::{Digest, Semantics};
use ndarray::{ArrayView1, Axis};

use crate::batch::{BatchError, files};
use crate::verify;

/// A network that has been read and prepared for any number of questions. Clones share it.
///
/// ```
/// let network = bartizan::Network::from_onnx("models/digits_mlp/model.onnx")?;
/// assert_eq!((network.input_shape(), network.classes()), (&[1, 8, 8][..], 10));
/// # Ok::<(), bartizan::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Network {
    verifier: Arc<verify::Verifier>,
    name: Arc<str>,
}

impl Network {
    /// Reads an ONNX file, gzipped or not.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or holds something that is not supported; the message names the place.
    pub fn from_onnx(path: impl AsRef<Path>) -> Result<Network, BatchError> {
        let path = path.as_ref();
        Network::from_onnx_bytes(&files::read_bytes(path)?, &path.display().to_string())
    }

    /// Reads an NNet file, gzipped or not.
    ///
    /// # Errors
    ///
    /// As [`Network::from_onnx`].
    pub fn from_nnet(path: impl AsRef<Path>) -> Result<Network, BatchError> {
        let path = path.as_ref();
        let network = bartizan_read::read_nnet(&files::read_bytes(path)?).map_err(BatchError::within(path))?;
        Ok(Network::of(network, &path.display().to_string()))
    }

    /// Reads a file of the format that its name says: NNet for `.nnet` and `.nnet.gz`, else ONNX.
    ///
    /// # Errors
    ///
    /// As [`Network::from_onnx`].
    pub fn read(path: impl AsRef<Path>) -> Result<Network, BatchError> {
        let path = path.as_ref();
        Ok(Network::of(files::read_model(path, Semantics::Real)?, &path.display().to_string()))
    }

    /// Reads the bytes of a file that [`Network::read`] would read; the name is the file's.
    ///
    /// # Errors
    ///
    /// As [`Network::from_onnx`].
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Network, BatchError> {
        Ok(Network::of(files::unpack_model(bytes, name.as_ref())?, name))
    }

    /// Reads the bytes of an ONNX file; the name stands for it in messages and reports.
    ///
    /// # Errors
    ///
    /// As [`Network::from_onnx`].
    pub fn from_onnx_bytes(bytes: &[u8], name: &str) -> Result<Network, BatchError> {
        let network = bartizan_read::read_onnx(bytes).map_err(BatchError::within(name.as_ref()))?;
        Ok(Network::of(network, name))
    }

    /// The same network under other semantics: everything that is asked of it is meant so.
    ///
    /// # Errors
    ///
    /// The network cannot be judged under them; the message says why.
    pub fn under(&self, semantics: Semantics) -> Result<Network, BatchError> {
        let network = self.verifier.network().clone().under(semantics);
        let network = network.map_err(|error| BatchError::Semantics { path: self.name().into(), error })?;
        Ok(Network::of(network, self.name()))
    }

    /// What is meant by its outputs.
    pub fn semantics(&self) -> Semantics {
        self.verifier.network().semantics()
    }

    fn of(network: bartizan_proof::Network, name: &str) -> Network {
        Network { verifier: Arc::new(verify::Verifier::new(network)), name: name.into() }
    }

    /// The name in messages and reports: the path that was read.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sizes of the input, without the batch dimension.
    pub fn input_shape(&self) -> &[usize] {
        self.verifier.network().input_shape()
    }

    /// Number of input elements.
    pub fn inputs(&self) -> usize {
        self.verifier.network().input_size()
    }

    /// Number of outputs, one a class.
    pub fn classes(&self) -> usize {
        self.verifier.network().output_size()
    }

    /// SHA-256 of the file's bytes.
    pub fn digest(&self) -> Digest {
        self.verifier.network().digest()
    }

    /// A last softmax or sigmoid that was left out, as it does not change which output is largest.
    pub fn dropped_activation(&self) -> Option<&str> {
        self.verifier.network().dropped_activation()
    }

    /// The outputs at an input (row-major, network units): binary64 arithmetic, rounded, no proof.
    ///
    /// # Errors
    ///
    /// Another number of elements than the network has inputs.
    pub fn outputs(&self, input: &[f64]) -> Result<Vec<f64>, BatchError> {
        if input.len() != self.inputs() {
            let expected = format!("{} elements, the network's input {:?}", self.inputs(), self.input_shape());
            return Err(BatchError::setting("input", expected, input.len().to_string()));
        }
        let model = self.verifier.wide_model();
        let values = model.evaluate(ArrayView1::from(input).insert_axis(Axis(0)));
        Ok(values[model.output()].row(0).to_vec())
    }

    /// The class that the network gives an input: the first of the largest outputs.
    ///
    /// # Errors
    ///
    /// As [`Network::outputs`].
    pub fn predict(&self, input: &[f64]) -> Result<usize, BatchError> {
        Ok(crate::batch::answer::Prediction::of(&self.outputs(input)?).class)
    }

    /// What answers queries about it.
    pub(crate) fn verifier(&self) -> &verify::Verifier {
        &self.verifier
    }
}
