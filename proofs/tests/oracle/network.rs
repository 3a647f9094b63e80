//! A network as exact sparse rows, by the definition of each map.

use bartizan_proof::network::{Conv, Map, Network, Op};

use super::dyadic::Dyadic;
use super::random::Random;

/// A node: what computes its elements.
pub enum ExactNode {
    Input,
    Relu(usize),
    Affine(Vec<Row>),
}

/// One element of an affine node: a sum of weights times elements of nodes, plus a constant.
pub struct Row {
    /// Node, element, weight.
    pub terms: Vec<(usize, usize, Dyadic)>,
    pub bias: Dyadic,
}

pub struct ExactNetwork {
    pub nodes: Vec<ExactNode>,
    pub sizes: Vec<usize>,
    pub output: usize,
}

impl ExactNetwork {
    /// The stored weights; of constants that are not numbers the lower ends.
    pub fn stored(network: &Network) -> Self {
        Self::choose(network, |w, _| Dyadic::of(w), |lower, _| Dyadic::of(lower))
    }

    /// One of the networks that are meant: weights that were rounded and enclosed constants are one of the numbers
    /// that they may be.
    pub fn meant(network: &Network, random: &mut Random) -> Self {
        let random = std::cell::RefCell::new(random);
        let weight = |w: f64, roundings: usize| {
            let off = random.borrow_mut().pick(&[-1.0, 0.0, 1.0]) * roundings as f64;
            &Dyadic::of(w) + &(&Dyadic::of(w) * &Dyadic::of(off)).shifted(-53)
        };
        let bias = |lower: f64, upper: f64| Dyadic::of(random.borrow_mut().pick(&[lower, upper]));
        Self::choose(network, weight, bias)
    }

    fn choose(network: &Network, weight: impl Fn(f64, usize) -> Dyadic, constant: impl Fn(f64, f64) -> Dyadic) -> Self {
        let exact = |op: &Op, size: usize| match op {
            Op::Input => ExactNode::Input,
            Op::Relu(source) => ExactNode::Relu(*source),
            Op::Affine(affine) => {
                let bias = |i: usize| affine.bias.get(i).map_or(Dyadic::zero(), |b| constant(b.lo, b.hi));
                let mut rows: Vec<Row> = (0..size).map(|i| Row { terms: Vec::new(), bias: bias(i) }).collect();
                for term in &affine.terms {
                    for (row, entries) in rows.iter_mut().zip(entries(&term.map, size)) {
                        let terms = entries.into_iter().map(|(at, w)| (term.source, at, weight(w, term.roundings)));
                        row.terms.extend(terms);
                    }
                }
                ExactNode::Affine(rows)
            }
        };
        let nodes = network.nodes().iter().map(|node| exact(&node.op, node.size)).collect();
        let sizes = network.nodes().iter().map(|node| node.size).collect();
        ExactNetwork { nodes, sizes, output: network.output() }
    }

    /// All values at a point.
    pub fn evaluate(&self, point: &[Dyadic]) -> Vec<Vec<Dyadic>> {
        let mut values: Vec<Vec<Dyadic>> = Vec::new();
        for node in &self.nodes {
            let value = match node {
                ExactNode::Input => point.to_vec(),
                ExactNode::Relu(source) => values[*source].iter().map(|z| z.max(&Dyadic::zero()).clone()).collect(),
                ExactNode::Affine(rows) => {
                    let sum = |row: &Row| {
                        let products = row.terms.iter().map(|(node, at, w)| w * &values[*node][*at]);
                        products.fold(row.bias.clone(), |sum, product| &sum + &product)
                    };
                    rows.iter().map(sum).collect()
                }
            };
            values.push(value);
        }
        values
    }
}

/// The rows of a map: source element and weight.
fn entries(map: &Map, size: usize) -> Vec<Vec<(usize, f64)>> {
    let row = |i: usize| match map {
        Map::Identity => vec![(i, 1.0)],
        Map::Dense(m) => (0..m.inputs).map(|j| (j, m.weights[i * m.inputs + j])).collect(),
        Map::Sparse(m) => m.entries[m.starts[i]..m.starts[i + 1]].to_vec(),
        Map::Scale(weights) => vec![(i, weights[i])],
        Map::Select(places) => places[i].map(|at| (at, 1.0)).into_iter().collect(),
        Map::Conv(m) => convolution_row(m, i),
    };
    (0..size).map(row).collect()
}

/// The definition of a convolution, index by index.
fn convolution_row(m: &Conv, element: usize) -> Vec<(usize, f64)> {
    let ([_, rows, columns], [channels, height, width]) = (m.output, m.input);
    let (channel, y, x) = (element / (rows * columns), element / columns % rows, element % columns);
    let (group_inputs, group_outputs) = (channels / m.groups, m.output[0] / m.groups);
    let mut entries = Vec::new();
    for c in 0..group_inputs {
        for ky in 0..m.kernel[0] {
            for kx in 0..m.kernel[1] {
                let at = |place: usize, k: usize, axis: usize| {
                    (place * m.stride[axis] + k * m.dilation[axis]) as i64 - m.pad[axis] as i64
                };
                let (sy, sx) = (at(y, ky, 0), at(x, kx, 1));
                if (0..height as i64).contains(&sy) && (0..width as i64).contains(&sx) {
                    let source = channel / group_outputs * group_inputs + c;
                    let weight = ((channel * group_inputs + c) * m.kernel[0] + ky) * m.kernel[1] + kx;
                    entries.push(((source * height + sy as usize) * width + sx as usize, m.weights[weight]));
                }
            }
        }
    }
    entries
}
