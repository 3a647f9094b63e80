//! The language of networks: a list of nodes in topological order, each an affine map or a ReLU.
//!
//! Values are flattened tensors in row-major order without the batch dimension. Node 0 is the input. The readers lower
//! everything that they accept to these nodes, one operator at a time and without fusing operators, so that a node's
//! output is a value that an execution of the model computes.

use std::sync::Arc;

use crate::arith::{Interval, Rounded, Single};
use crate::digest::Digest;
use crate::error::{NetworkError, SemanticsError};
use crate::semantics::Semantics;

/// The place of a node in [`Network::nodes`].
pub type NodeId = usize;

/// A feed-forward network of affine maps and ReLUs.
#[derive(Clone, Debug)]
pub struct Network {
    nodes: Vec<Node>,
    output: NodeId,
    input_shape: Vec<usize>,
    output_shape: Vec<usize>,
    dropped: Option<String>,
    real_only: Option<String>,
    digest: Digest,
    /// What executions in binary32 round, where those are what is meant.
    single: Option<Arc<Single>>,
    /// The output of the model, where a last node copies it.
    copied: Option<NodeId>,
}

/// One value of the network: what computes it and how many elements it has.
#[derive(Clone, Debug)]
pub struct Node {
    /// Name of the value in the model file (made up where lowering an operator takes several nodes).
    pub name: String,
    /// Number of elements, at least one.
    pub size: usize,
    /// What computes it.
    pub op: Op,
}

/// What computes a node's value.
#[derive(Clone, Debug)]
pub enum Op {
    /// The network's input; node 0 and no other.
    Input,
    /// A sum of linear maps of earlier nodes, plus a constant.
    Affine(Affine),
    /// `max(0, z)` of every element of an earlier node.
    Relu(NodeId),
}

/// `sum_t map_t(source_t) + bias`.
#[derive(Clone, Debug)]
pub struct Affine {
    /// The linear maps; at least one.
    pub terms: Vec<Term>,
    /// The constant: empty for zero, or one enclosure for each element.
    pub bias: Vec<Interval>,
    /// How executions of the model compute it.
    pub execution: Execution,
}

/// How executions of the model in floating point compute an affine node.
#[derive(Clone, Debug, PartialEq)]
pub enum Execution {
    /// Nothing is rounded: elements are copied, or the node belongs to how an operator that rounds nothing, such as a
    /// maximum, is written with ReLUs, and no execution computes its value.
    Exact,
    /// Each element is a sum of products and the constant.
    Sum {
        /// The most roundings behind a summand beside that of its product and those of the sum: of factors that are
        /// computed from several numbers of the model.
        extra: usize,
        /// Bounds on the sum of the absolute values of everything that the constant is the sum of: empty where that is
        /// the absolute value of the constant, else one number for each element.
        constant: Vec<f64>,
    },
}

impl Execution {
    /// Sums of products of numbers in the model.
    pub const PLAIN: Execution = Execution::Sum { extra: 0, constant: Vec::new() };
}

/// One linear map of an affine node.
#[derive(Clone, Debug)]
pub struct Term {
    /// The node that is mapped.
    pub source: NodeId,
    /// The map.
    pub map: Map,
    /// How many roundings (each by a relative `2^-53` at most) separate the stored weights from the true ones:
    /// 0 for weights taken from the file, more where lowering had to divide or take roots.
    pub roundings: usize,
}

/// A linear map between flattened tensors.
#[derive(Clone, Debug)]
pub enum Map {
    /// The same elements.
    Identity,
    /// A dense matrix.
    Dense(Dense),
    /// A sparse matrix.
    Sparse(Sparse),
    /// A two-dimensional convolution.
    Conv(Conv),
    /// Multiplies each element by a weight of its own.
    Scale(Vec<f64>),
    /// For each output the source element it copies, or none for zero.
    Select(Vec<Option<usize>>),
}

/// A dense matrix, row-major: `outputs` rows of `inputs` weights.
#[derive(Clone, Debug)]
pub struct Dense {
    /// Number of columns.
    pub inputs: usize,
    /// Row-major weights; their number is a multiple of `inputs`.
    pub weights: Vec<f64>,
}

/// A sparse matrix by rows: row `i` holds the entries `starts[i]..starts[i + 1]`.
#[derive(Clone, Debug)]
pub struct Sparse {
    /// Number of columns.
    pub inputs: usize,
    /// Where each row starts in `entries`; one more element than there are rows.
    pub starts: Vec<usize>,
    /// Column and weight of each entry.
    pub entries: Vec<(usize, f64)>,
}

/// A two-dimensional convolution in the sense of ONNX `Conv`; one-dimensional ones have height 1.
#[derive(Clone, Debug)]
pub struct Conv {
    /// Channels, height and width of the source.
    pub input: [usize; 3],
    /// Channels, height and width of the result.
    pub output: [usize; 3],
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Step of the kernel's place along height and width.
    pub stride: [usize; 2],
    /// Zeros in front of the source along height and width.
    pub pad: [usize; 2],
    /// Distance of neighbouring kernel elements along height and width.
    pub dilation: [usize; 2],
    /// Number of groups that channels fall into.
    pub groups: usize,
    /// Weights, row-major `[output channels][input channels / groups][kernel height][kernel width]`.
    pub weights: Vec<f64>,
}

impl Conv {
    /// Input channels that one output channel sees.
    pub fn group_inputs(&self) -> usize {
        let [channels, _, _] = self.input;
        channels / self.groups.max(1)
    }

    /// Output channels of one group.
    pub fn group_outputs(&self) -> usize {
        let [channels, _, _] = self.output;
        channels / self.groups.max(1)
    }

    /// Number of weights of one output channel.
    pub fn patch(&self) -> usize {
        let [height, width] = self.kernel;
        self.group_inputs() * height * width
    }

    fn is_well_formed(&self) -> bool {
        let sizes = [self.input.as_slice(), &self.output, &self.kernel, &self.stride, &self.dilation, &[self.groups]];
        let [inputs, _, _] = self.input;
        let [outputs, _, _] = self.output;
        sizes.iter().all(|s| s.iter().all(|n| *n > 0))
            && inputs % self.groups == 0
            && outputs % self.groups == 0
            && self.weights.len() == outputs * self.patch()
    }
}

impl Map {
    /// Number of elements of the source, given that of the result.
    pub(crate) fn inputs(&self, outputs: usize) -> usize {
        match self {
            Map::Identity | Map::Scale(_) => outputs,
            Map::Dense(m) => m.inputs,
            Map::Sparse(m) => m.inputs,
            Map::Conv(m) => m.input.iter().product(),
            Map::Select(places) => places.iter().flatten().max().map_or(0, |last| last + 1),
        }
    }

    /// Number of elements of the result, given the size of the source; `None` when the map does not fit the source or
    /// is malformed.
    fn output_size(&self, source: usize) -> Option<usize> {
        match self {
            Map::Identity => Some(source),
            Map::Dense(m) => {
                (m.inputs == source && source > 0 && m.weights.len() % source == 0).then(|| m.weights.len() / source)
            }
            Map::Sparse(m) => {
                let in_order = m.starts.first() == Some(&0)
                    && m.starts.last() == Some(&m.entries.len())
                    && m.starts.is_sorted()
                    && m.entries.iter().all(|(column, _)| *column < source);
                (m.inputs == source && in_order).then(|| m.starts.len() - 1)
            }
            Map::Conv(c) => {
                (c.is_well_formed() && c.input.iter().product::<usize>() == source).then(|| c.output.iter().product())
            }
            Map::Scale(weights) => (weights.len() == source).then_some(source),
            Map::Select(places) => places.iter().flatten().all(|i| *i < source).then_some(places.len()),
        }
    }

    /// All weights of the map that are not one or zero by nature.
    fn weights_are_finite(&self) -> bool {
        match self {
            Map::Identity | Map::Select(_) => true,
            Map::Dense(m) => m.weights.iter().all(|w| w.is_finite()),
            Map::Sparse(m) => m.entries.iter().all(|(_, w)| w.is_finite()),
            Map::Conv(m) => m.weights.iter().all(|w| w.is_finite()),
            Map::Scale(weights) => weights.iter().all(|w| w.is_finite()),
        }
    }
}

/// Everything that a [`Network`] consists of, as a reader found it.
#[derive(Clone, Debug)]
pub struct Parts {
    /// All nodes; each reads only nodes before it.
    pub nodes: Vec<Node>,
    /// The node whose value is the network's output.
    pub output: NodeId,
    /// Shape of the input without its batch dimension.
    pub input_shape: Vec<usize>,
    /// Shape of the output without its batch dimension.
    pub output_shape: Vec<usize>,
    /// A trailing order-preserving activation that was left out (its operator and name).
    pub dropped: Option<String>,
    /// Why the network speaks of real arithmetic only, if it does: where executions may round more than its nodes tell.
    pub real_only: Option<String>,
    /// SHA-256 of the model's bytes.
    pub digest: Digest,
}

impl Network {
    /// Checks that the parts fit together: node 0 alone is the input, every other node reads only earlier nodes, every
    /// map fits its source and its node, every weight is finite.
    ///
    /// # Errors
    ///
    /// Names the first node that does not fit.
    pub fn new(parts: Parts) -> Result<Network, NetworkError> {
        let Parts { nodes, output, input_shape, output_shape, dropped, real_only, digest } = parts;
        for (id, node) in nodes.iter().enumerate() {
            check_node(&nodes, id, node).map_err(|what| NetworkError { node: node.name.clone(), what })?;
        }
        let size_of = |id: NodeId| nodes.get(id).map(|n| n.size);
        let product = |shape: &[usize]| Some(shape.iter().product());
        if size_of(0) != product(&input_shape) || size_of(output) != product(&output_shape) {
            let what = "the shapes of input and output do not match their nodes".to_owned();
            return Err(NetworkError { node: "network".to_owned(), what });
        }
        Ok(Network { nodes, output, input_shape, output_shape, dropped, real_only, digest, single: None, copied: None })
    }

    /// The same network under other semantics: everything that is proved of it is meant so.
    ///
    /// # Errors
    ///
    /// Says what in the network stands against it.
    pub fn under(self, semantics: Semantics) -> Result<Network, SemanticsError> {
        let network = self.without_copy();
        if semantics == Semantics::Real {
            return Ok(Network { single: None, ..network });
        }
        let dropped =
            network.dropped.as_ref().map(|name| format!("it ends with {name}, whose rounding may level outputs"));
        if let Some(why) = network.real_only.clone().or(dropped) {
            return Err(SemanticsError { semantics, why });
        }
        let network = network.with_sum_at_end();
        let single = Some(Arc::new(Single::of(&network)));
        Ok(Network { single, ..network })
    }

    /// The network with a sum as its output: a copy of the model's output, where that is none. What executions round or flush to zero
    /// before, and that values may have overflowed, is accounted for in sums.
    fn with_sum_at_end(mut self) -> Network {
        let Some(node) = self.nodes.get(self.output) else { return self };
        if matches!(&node.op, Op::Affine(affine) if affine.execution != Execution::Exact) {
            return self;
        }
        let terms = vec![Term { source: self.output, map: Map::Identity, roundings: 0 }];
        let copy = Affine { terms, bias: Vec::new(), execution: Execution::PLAIN };
        let copy = Node { name: node.name.clone(), size: node.size, op: Op::Affine(copy) };
        self.copied = Some(self.output);
        self.output = self.nodes.len();
        self.nodes.push(copy);
        self
    }

    /// The network as its reader made it.
    fn without_copy(mut self) -> Network {
        if let Some(output) = self.copied.take() {
            self.nodes.pop();
            self.output = output;
        }
        self
    }

    /// What is meant by the network's outputs.
    pub fn semantics(&self) -> Semantics {
        if self.single.is_some() { Semantics::Float32 } else { Semantics::Real }
    }

    /// What executions in binary32 round in an affine node, where those are what is meant.
    pub fn rounded(&self, node: NodeId) -> Option<Rounded<'_>> {
        self.single.as_ref()?.rounded(node)
    }

    /// What executions in binary32 round, where those are what is meant.
    pub(crate) fn single(&self) -> Option<&Single> {
        self.single.as_deref()
    }

    /// All nodes in topological order.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node whose value is the output.
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// Number of input elements.
    pub fn input_size(&self) -> usize {
        self.input_shape.iter().product()
    }

    /// Number of output elements.
    pub fn output_size(&self) -> usize {
        self.output_shape.iter().product()
    }

    /// Shape of the input, without the batch dimension.
    pub fn input_shape(&self) -> &[usize] {
        &self.input_shape
    }

    /// Shape of the output, without the batch dimension.
    pub fn output_shape(&self) -> &[usize] {
        &self.output_shape
    }

    /// A trailing Softmax-like activation that the reader left out; then only properties that compare outputs with
    /// each other may be decided ([`crate::Property::compares_outputs_only`]).
    pub fn dropped_activation(&self) -> Option<&str> {
        self.dropped.as_deref()
    }

    /// SHA-256 of the bytes of the model file (uncompressed).
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The nodes behind the places of a certificate: the input, the input of every ReLU node, and the output.
    pub fn places(&self) -> Vec<NodeId> {
        let sources = self.relus().map(|(_, source)| source);
        [0].into_iter().chain(sources).chain([self.output]).collect()
    }

    /// The ReLU nodes and their sources, in topological order.
    pub fn relus(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        self.nodes.iter().enumerate().filter_map(|(id, node)| match node.op {
            Op::Relu(source) => Some((id, source)),
            _ => None,
        })
    }
}

fn check_node(nodes: &[Node], id: NodeId, node: &Node) -> Result<(), String> {
    let source_size = |source: NodeId| match nodes.get(source) {
        Some(n) if source < id => Ok(n.size),
        _ => Err(format!("reads node {source}, which is not before node {id}")),
    };
    if node.size == 0 {
        return Err("has no elements".to_owned());
    }
    match &node.op {
        Op::Input if id == 0 => Ok(()),
        Op::Input => Err(format!("is an input at place {id}; only node 0 may be one")),
        _ if id == 0 => Err("is node 0 but not the input".to_owned()),
        Op::Relu(source) => same_size(node.size, source_size(*source)?),
        Op::Affine(affine) => {
            for term in &affine.terms {
                let result = term.map.output_size(source_size(term.source)?);
                same_size(node.size, result.ok_or("has a map that does not fit its source")?)?;
                if !term.map.weights_are_finite() {
                    return Err("has a weight that is not a finite number".to_owned());
                }
            }
            if !affine.bias.iter().all(|b| b.is_finite()) {
                return Err("has a bias that is not a finite number".to_owned());
            }
            if affine.terms.is_empty() {
                return Err("has no terms".to_owned());
            }
            if let Execution::Sum { constant, .. } = &affine.execution
                && !constant.is_empty()
            {
                let bounds = constant.len() == node.size && constant.iter().all(|c| *c >= 0.0);
                let bounds = bounds && constant.iter().zip(&affine.bias).all(|(c, b)| *c >= b.magnitude());
                return if bounds {
                    same_size(node.size, affine.bias.len())
                } else {
                    Err("has a constant that is larger than its parts".to_owned())
                };
            }
            if affine.bias.is_empty() { Ok(()) } else { same_size(node.size, affine.bias.len()) }
        }
    }
}

fn same_size(expected: usize, found: usize) -> Result<(), String> {
    if expected == found { Ok(()) } else { Err(format!("has {expected} elements but its operator gives {found}")) }
}
