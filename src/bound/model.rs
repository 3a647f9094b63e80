//! The search's copy of a network: fused, rounded to the search's precision, and evaluated in batches.

use std::collections::BTreeMap;

use bartizan_proof::certificate::Place;
use bartizan_proof::network::{Network, NodeId};
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::fuse::{DraftOp, DraftRounding, fused};
use super::layer::Layer;
use crate::real::Real;

/// A network for the search. The last node is the output.
#[derive(Clone, Debug)]
pub struct Model<T> {
    nodes: Vec<Node<T>>,
    places: BTreeMap<NodeId, Place>,
}

/// One value of the network.
#[derive(Clone, Debug)]
pub struct Node<T> {
    /// The node of the trusted network that has this value.
    pub origin: NodeId,
    /// Number of elements.
    pub size: usize,
    /// What computes it.
    pub op: Op<T>,
    /// Whether only affine nodes lie between the input and this node, so that interval arithmetic is exact.
    pub is_first: bool,
}

/// What computes a node's value.
#[derive(Clone, Debug)]
pub enum Op<T> {
    /// The input; node 0.
    Input,
    /// Linear maps of earlier nodes plus a constant.
    Affine {
        /// Source and map of each term.
        terms: Vec<(usize, Layer<T>)>,
        /// One constant for each element.
        bias: Array1<T>,
        /// What executions round, where those are what is meant.
        rounding: Option<Rounding<T>>,
    },
    /// The positive part of an earlier node.
    Relu(usize),
}

/// How far what executions compute for the elements of an affine node may be from real arithmetic: `relative` times the sum
/// of the absolute values of all that is added up.
#[derive(Clone, Debug)]
pub struct Rounding<T> {
    /// One factor for each element.
    pub relative: Array1<T>,
    /// For each element the absolute values of its constants.
    pub constant: Array1<T>,
}

/// Unit roundoff of binary32, with room for what the trusted bound adds.
const ROUNDOFF: f64 = 1.02 / 16_777_216.0;

impl<T: Real> Rounding<T> {
    fn of(draft: &DraftRounding) -> Self {
        let relative = draft.number.iter().map(|number| T::of(*number as f64 * ROUNDOFF)).collect();
        Rounding { relative, constant: draft.constant.iter().map(|c| T::of(*c)).collect() }
    }

    /// That of some elements.
    pub fn select(&self, kept: &[usize]) -> Self {
        let of = |values: &Array1<T>| values.select(Axis(0), kept);
        Rounding { relative: of(&self.relative), constant: of(&self.constant) }
    }
}

impl<T: Real> Model<T> {
    /// Fuses and rounds a trusted network.
    pub fn of(network: &Network) -> Self {
        let mut nodes: Vec<Node<T>> = Vec::new();
        for draft in fused(network) {
            let (op, is_first) = match draft.op {
                DraftOp::Input => (Op::Input, true),
                DraftOp::Relu(source) => (Op::Relu(source), false),
                DraftOp::Affine(terms, bias) => {
                    let is_first = matches!(terms.as_slice(), [(source, _)] if *source == 0);
                    let terms = terms.iter().map(|(source, map)| (*source, Layer::of(map))).collect();
                    let mut rounded = Array1::zeros(draft.size);
                    rounded.iter_mut().zip(&bias).for_each(|(r, b)| *r = T::of(*b));
                    let rounding = draft.rounding.as_ref().map(Rounding::of);
                    (Op::Affine { terms, bias: rounded, rounding }, is_first)
                }
            };
            nodes.push(Node { origin: draft.origin, size: draft.size, op, is_first });
        }
        let places = network.relus().map(|(relu, _)| relu).zip(1..).collect();
        Model { nodes, places }
    }

    /// The same places with other nodes.
    pub(super) fn with_nodes(&self, nodes: Vec<Node<T>>) -> Self {
        Model { nodes, places: self.places.clone() }
    }

    /// All nodes in topological order.
    pub fn nodes(&self) -> &[Node<T>] {
        &self.nodes
    }

    /// The output's place.
    pub fn output(&self) -> usize {
        self.nodes.len() - 1
    }

    /// The ReLU nodes with their sources.
    pub fn relus(&self) -> impl Iterator<Item = (usize, usize)> {
        self.nodes.iter().enumerate().filter_map(|(id, node)| match node.op {
            Op::Relu(source) => Some((id, source)),
            _ => None,
        })
    }

    /// The place, in the language of certificates, of a ReLU node's input.
    pub fn place(&self, relu: usize) -> Place {
        self.places[&self.nodes[relu].origin]
    }

    /// Number of ReLUs.
    pub fn relu_count(&self) -> usize {
        self.relus().map(|(id, _)| self.nodes[id].size).sum()
    }

    /// Multiplications of one evaluation, roughly.
    pub fn multiplications(&self) -> usize {
        let of = |node: &Node<T>| match &node.op {
            Op::Affine { terms, .. } => terms.iter().map(|(_, layer)| layer.multiplications()).sum(),
            _ => node.size,
        };
        self.nodes.iter().map(of).sum()
    }

    /// Values of all nodes for a batch of inputs `[batch, inputs]`.
    pub fn evaluate(&self, inputs: ArrayView2<T>) -> Vec<Array2<T>> {
        let mut values: Vec<Array2<T>> = vec![inputs.to_owned()];
        for node in &self.nodes[1..] {
            let value = match &node.op {
                Op::Input => unreachable!("only node 0 is the input"),
                Op::Relu(source) => values[*source].mapv(|x| x.max(T::zero())),
                Op::Affine { .. } => self.affine(node, &values),
            };
            values.push(value);
        }
        values
    }

    /// The value of an affine node, given those of all nodes before it.
    pub fn affine(&self, node: &Node<T>, values: &[Array2<T>]) -> Array2<T> {
        let Op::Affine { terms, bias, .. } = &node.op else { unreachable!("{} is no affine node", node.origin) };
        let shape = (values[0].nrows(), node.size);
        let mut value = bias.broadcast(shape).expect("a row of constants").to_owned();
        terms.iter().for_each(|(source, layer)| layer.forward(values[*source].view(), value.view_mut()));
        value
    }

    /// Gradients with respect to the inputs of `sum_k coefficients[b, k] output_k`, for a batch whose values are given.
    pub fn gradient(&self, values: &[Array2<T>], coefficients: Array2<T>) -> Array2<T> {
        let mut open: Vec<Option<Array2<T>>> = vec![None; self.nodes.len()];
        let batch = coefficients.nrows();
        open[self.output()] = Some(coefficients);
        for (id, node) in self.nodes.iter().enumerate().skip(1).rev() {
            let Some(mut rows) = open[id].take() else { continue };
            match &node.op {
                Op::Input => {}
                Op::Relu(source) => {
                    rows.zip_mut_with(&values[*source], |a, z| {
                        if *z <= T::zero() {
                            *a = T::zero();
                        }
                    });
                    match &mut open[*source] {
                        Some(sum) => *sum += &rows,
                        none => *none = Some(rows),
                    }
                }
                Op::Affine { terms, .. } => {
                    for (source, layer) in terms {
                        let width = self.nodes[*source].size;
                        let into = open[*source].get_or_insert_with(|| Array2::zeros((batch, width)));
                        layer.backward(rows.view(), into.view_mut());
                    }
                }
            }
        }
        open[0].take().unwrap_or_else(|| Array2::zeros((batch, self.nodes[0].size)))
    }
}
