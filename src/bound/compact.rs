//! A network without the ReLUs that a region leaves no chance to be active.
//!
//! Products shrink in both factors. Only ReLUs between dense layers can be left out; elsewhere everything stays.

use ndarray::{Array1, Axis};

use super::frame::Assumed;
use super::interval::Bounds;
use super::layer::Layer;
use super::model::{Model, Node, Op};

/// A network with fewer ReLUs that computes the same outputs wherever the left-out ones are inactive.
#[derive(Clone, Debug)]
pub struct Compact {
    /// The network.
    pub model: Model<f32>,
    /// For each node the elements of the original node that are left, in ascending order.
    pub kept: Vec<Vec<usize>>,
}

impl Compact {
    /// Leaves out what is inactive in a single domain, unless it is assumed to be.
    pub fn of(model: &Model<f32>, bounds: &Bounds<f32>, assumed: &[Assumed]) -> Self {
        let kept = kept(model, bounds, assumed);
        let nodes = model.nodes().iter().enumerate().map(|(id, node)| {
            let op = match &node.op {
                Op::Input => Op::Input,
                Op::Relu(source) => Op::Relu(*source),
                Op::Affine { terms, bias, rounding } => {
                    let terms = terms.iter().map(|(source, layer)| {
                        let places = [(&kept[id], node.size), (&kept[*source], model.nodes()[*source].size)];
                        (*source, restricted(layer, places))
                    });
                    let rounding = rounding.as_ref().map(|rounding| rounding.select(&kept[id]));
                    Op::Affine { terms: terms.collect(), bias: bias.select(Axis(0), &kept[id]), rounding }
                }
            };
            Node { origin: node.origin, size: kept[id].len(), op, is_first: node.is_first }
        });
        Compact { model: model.with_nodes(nodes.collect::<Vec<Node<f32>>>()), kept }
    }

    /// Bounds of the original nodes, restricted to what is left.
    pub fn bounds(&self, bounds: &Bounds<f32>) -> Bounds<f32> {
        let of = |ends: &[ndarray::Array2<f32>]| {
            ends.iter().zip(&self.kept).map(|(ends, kept)| ends.select(Axis(1), kept)).collect()
        };
        let rounded = bounds.rounded.iter().zip(&self.kept);
        let rounded = rounded.map(|(of, kept)| of.as_ref().map(|of| of.select(kept))).collect();
        Bounds { lower: of(&bounds.lower), upper: of(&bounds.upper), rounded, ball: bounds.ball.clone() }
    }

    /// Coefficients on an original node, restricted to what is left.
    pub fn coefficients(&self, node: usize, coefficients: &Array1<f32>) -> Array1<f32> {
        coefficients.select(Axis(0), &self.kept[node])
    }
}

fn restricted(layer: &Layer<f32>, [(rows, all_rows), (columns, all_columns)]: [(&Vec<usize>, usize); 2]) -> Layer<f32> {
    if rows.len() == all_rows && columns.len() == all_columns {
        return layer.clone();
    }
    match layer {
        Layer::Dense(dense) => Layer::Dense(dense.restricted(rows, columns)),
        _ => unreachable!("only dense layers are restricted"),
    }
}

fn kept(model: &Model<f32>, bounds: &Bounds<f32>, assumed: &[Assumed]) -> Vec<Vec<usize>> {
    let nodes = model.nodes();
    let is_dense = |op: &Op<f32>| match op {
        Op::Affine { terms, .. } => terms.iter().all(|(_, layer)| matches!(layer, Layer::Dense(_))),
        _ => false,
    };
    // Whether all readers of a node can do without some of its elements.
    let readers = |id: usize, accept: &dyn Fn(usize, &Op<f32>) -> bool| {
        let reads = |op: &Op<f32>| match op {
            Op::Input => false,
            Op::Relu(source) => *source == id,
            Op::Affine { terms, .. } => terms.iter().any(|(source, _)| *source == id),
        };
        id != model.output()
            && nodes.iter().enumerate().all(|(reader, node)| !reads(&node.op) || accept(reader, &node.op))
    };
    let mut kept: Vec<Vec<usize>> = nodes.iter().map(|node| (0..node.size).collect()).collect();
    for id in 1..nodes.len() {
        let may_shrink = is_dense(&nodes[id].op)
            && readers(id, &|reader, op| matches!(op, Op::Relu(_)) && readers(reader, &|_, op| is_dense(op)));
        if may_shrink {
            let is_assumed = |j: usize| assumed.iter().any(|sign| (sign.node, sign.element) == (id, j));
            kept[id].retain(|j| bounds.upper[id][[0, *j]] > 0.0 || is_assumed(*j));
            // An empty matrix is nothing that products know.
            if kept[id].is_empty() {
                kept[id].push(0);
            }
        }
        if let Op::Relu(source) = nodes[id].op {
            kept[id] = kept[source].clone();
        }
    }
    kept
}
