//! Random networks for tests: every kind of map, residual connections, and views between layers.

use bartizan_proof::network::{Affine, Conv, Dense, Execution, Map, Node, Op, Parts, Sparse, Term};
use bartizan_proof::property::{Bound, Region};
use bartizan_proof::{Digest, Interval, Network};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A seeded builder.
pub struct Builder {
    pub random: ChaCha8Rng,
    nodes: Vec<Node>,
}

impl Builder {
    pub fn new(seed: u64, inputs: usize) -> Self {
        let input = Node { name: "x".to_owned(), size: inputs, op: Op::Input };
        Builder { random: ChaCha8Rng::seed_from_u64(seed), nodes: vec![input] }
    }

    /// The node added last.
    pub fn last(&self) -> usize {
        self.nodes.len() - 1
    }

    pub fn uniform(&mut self, n: usize, scale: f64) -> Vec<f64> {
        (0..n).map(|_| f64::from(self.random.random::<f32>() * 2.0 - 1.0) * scale).collect()
    }

    pub fn relu(&mut self) -> &mut Self {
        let source = self.last();
        let size = self.nodes[source].size;
        self.nodes.push(Node { name: format!("relu{source}"), size, op: Op::Relu(source) });
        self
    }

    pub fn affine(&mut self, size: usize, terms: Vec<(usize, Map)>, with_bias: bool) -> &mut Self {
        let terms = terms.into_iter().map(|(source, map)| Term { source, map, roundings: 0 }).collect();
        let bias = if with_bias { self.uniform(size, 0.3) } else { Vec::new() };
        let bias = bias.into_iter().map(Interval::point).collect();
        let name = format!("affine{}", self.nodes.len());
        self.nodes.push(Node { name, size, op: Op::Affine(Affine { terms, bias, execution: Execution::PLAIN }) });
        self
    }

    pub fn dense(&mut self, size: usize) -> &mut Self {
        let source = self.last();
        let map = self.dense_map(source, size);
        self.affine(size, vec![(source, map)], true)
    }

    /// A dense layer with given weights, row by row.
    pub fn given(&mut self, weights: Vec<f64>, bias: &[f64]) -> &mut Self {
        let source = self.last();
        let map = Map::Dense(Dense { inputs: self.nodes[source].size, weights });
        let bias = bias.iter().copied().map(Interval::point).collect::<Vec<Interval>>();
        let (name, size) = (format!("given{}", self.nodes.len()), bias.len());
        let terms = vec![Term { source, map, roundings: 0 }];
        self.nodes.push(Node { name, size, op: Op::Affine(Affine { terms, bias, execution: Execution::PLAIN }) });
        self
    }

    pub fn dense_map(&mut self, source: usize, size: usize) -> Map {
        let inputs = self.nodes[source].size;
        let weights = self.uniform(size * inputs, 2.0 / (inputs as f64).sqrt());
        Map::Dense(Dense { inputs, weights })
    }

    /// A convolution of the last node, seen as the given channels, height and width.
    pub fn conv(&mut self, input: [usize; 3], output_channels: usize, shape: ConvShape) -> &mut Self {
        let map = self.conv_map(input, output_channels, shape);
        let size = map.output.iter().product();
        let source = self.last();
        self.affine(size, vec![(source, Map::Conv(map))], true)
    }

    pub fn conv_map(&mut self, input: [usize; 3], channels: usize, shape: ConvShape) -> Conv {
        let ConvShape { kernel, stride, pad, dilation, groups } = shape;
        let out = |i: usize| (input[i + 1] + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
        let output = [channels, out(0), out(1)];
        let count = channels * input[0] / groups * kernel[0] * kernel[1];
        Conv { input, output, kernel, stride, pad, dilation, groups, weights: self.uniform(count, 0.5) }
    }

    pub fn scale(&mut self) -> &mut Self {
        let source = self.last();
        let size = self.nodes[source].size;
        let weights = self.uniform(size, 1.5);
        self.affine(size, vec![(source, Map::Scale(weights))], true)
    }

    /// Reverses the elements; the first becomes zero.
    pub fn select(&mut self) -> &mut Self {
        let source = self.last();
        let size = self.nodes[source].size;
        let places = (0..size).map(|i| (i > 0).then(|| size - 1 - i)).collect();
        self.affine(size, vec![(source, Map::Select(places))], false)
    }

    /// Two entries a row; the last node must have at least two elements.
    pub fn sparse(&mut self, size: usize) -> &mut Self {
        let source = self.last();
        let inputs = self.nodes[source].size;
        let weights = self.uniform(2 * size, 1.0);
        let entries = weights.iter().enumerate().map(|(i, w)| ((i + i / 2) % inputs, *w)).collect();
        let starts = (0..=size).map(|i| 2 * i).collect();
        self.affine(size, vec![(source, Map::Sparse(Sparse { inputs, starts, entries }))], true)
    }

    pub fn network(&mut self) -> Network {
        let nodes = self.nodes.clone();
        let output = nodes.len() - 1;
        let (input_shape, output_shape) = (vec![nodes[0].size], vec![nodes[output].size]);
        let digest = Digest::of(b"random");
        Network::new(Parts { nodes, output, input_shape, output_shape, dropped: None, real_only: None, digest })
            .expect("well formed")
    }
}

/// Shape of a convolution.
#[derive(Clone, Copy)]
pub struct ConvShape {
    pub kernel: [usize; 2],
    pub stride: [usize; 2],
    pub pad: [usize; 2],
    pub dilation: [usize; 2],
    pub groups: usize,
}

impl ConvShape {
    pub const PLAIN: ConvShape = ConvShape { kernel: [3, 3], stride: [1, 1], pad: [1, 1], dilation: [1, 1], groups: 1 };
}

/// A few networks of every make, the same for the same seed.
pub fn assorted(seed: u64) -> Vec<Network> {
    let mut all = Vec::new();
    all.push(Builder::new(seed, 3).dense(8).relu().dense(6).relu().dense(2).network());
    all.push(Builder::new(seed, 4).scale().select().dense(7).scale().relu().sparse(9).relu().dense(3).network());
    let strided = ConvShape { stride: [2, 1], dilation: [1, 2], ..ConvShape::PLAIN };
    let grouped = ConvShape { groups: 2, kernel: [2, 3], pad: [0, 1], ..ConvShape::PLAIN };
    let mut conv = Builder::new(seed, 2 * 5 * 6);
    conv.conv([2, 5, 6], 4, strided).relu().conv([4, 3, 4], 2, grouped).relu().dense(3);
    all.push(conv.network());
    let mut residual = Builder::new(seed, 5);
    residual.dense(6).relu();
    let skip = residual.last();
    residual.dense(6).relu();
    let (last, map) = (residual.last(), residual.dense_map(skip, 6));
    residual.affine(6, vec![(last, Map::Identity), (skip, map)], true).relu().dense(2);
    all.push(residual.network());
    all.push(Builder::new(seed, 3).dense(5).relu().scale().select().dense(4).relu().network());
    all
}

/// A box around a random point.
pub fn random_region(builder: &mut Builder, inputs: usize, radius: f64) -> Region {
    let center = builder.uniform(inputs, 1.0);
    let bound = |c: &f64| Bound { lower: Interval::point(c - radius), upper: Interval::point(c + radius) };
    Region::of_box(center.iter().map(bound).collect())
}

/// A random point of a region.
pub fn random_point(builder: &mut Builder, region: &Region) -> Vec<f64> {
    let mut share = || f64::from(builder.random.random::<f32>());
    region.bounds.iter().map(|b| b.lower.lo + share() * (b.upper.hi - b.lower.lo)).collect()
}
