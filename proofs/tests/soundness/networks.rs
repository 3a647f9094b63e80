//! Random networks of ordinary numbers: every kind of map, residual connections, and views between layers.

use bartizan_proof::network::{Affine, Conv, Dense, Execution, Map, Node, Op, Parts, Sparse, Term};
use bartizan_proof::{Digest, Interval, Network};

use crate::oracle::random::Random;

/// The widest layer, and the most layers.
const WIDEST: usize = 40;
const MOST_LAYERS: usize = 4;

pub struct Builder<'r> {
    random: &'r mut Random,
    nodes: Vec<Node>,
}

/// A network with up to four hidden layers.
pub fn network(random: &mut Random) -> Network {
    let inputs = random.between(1, 12);
    let widest = random.pick(&[3, 8, 16, WIDEST]);
    let input = Node { name: "x".to_owned(), size: inputs, op: Op::Input };
    let mut builder = Builder { random, nodes: vec![input] };
    for _ in 0..builder.random.between(1, MOST_LAYERS) {
        builder.layer(widest);
    }
    let outputs = builder.random.between(1, 4);
    builder.dense(outputs);
    let output = builder.nodes.len() - 1;
    let (input_shape, output_shape) = (vec![inputs], vec![outputs]);
    let digest = Digest::of(b"random");
    let parts =
        Parts { nodes: builder.nodes, output, input_shape, output_shape, dropped: None, real_only: None, digest };
    Network::new(parts).unwrap()
}

impl Builder<'_> {
    fn last(&self) -> usize {
        self.nodes.len() - 1
    }

    fn push(&mut self, size: usize, op: Op) {
        self.nodes.push(Node { name: format!("n{}", self.nodes.len()), size, op });
    }

    /// As models store weights: binary32, and now and then binary64.
    fn weights(&mut self, n: usize, scale: f64) -> Vec<f64> {
        let is_wide = self.random.chance(0.2);
        let weight = |random: &mut Random| random.range(-scale, scale);
        let mut all: Vec<f64> = (0..n).map(|_| weight(self.random)).collect();
        all.iter_mut().for_each(|w| *w = if is_wide { *w } else { f64::from(*w as f32) });
        all
    }

    fn affine(&mut self, size: usize, terms: Vec<(usize, Map)>) {
        let terms = terms.into_iter().map(|(source, map)| Term { source, map, roundings: 0 }).collect();
        let bias = if self.random.chance(0.8) { self.weights(size, 0.3) } else { Vec::new() };
        let bias = bias.into_iter().map(Interval::point).collect();
        self.push(size, Op::Affine(Affine { terms, bias, execution: Execution::PLAIN }));
    }

    fn dense_map(&mut self, source: usize, size: usize) -> Map {
        let inputs = self.nodes[source].size;
        Map::Dense(Dense { inputs, weights: self.weights(size * inputs, 2.0 / (inputs as f64).sqrt()) })
    }

    fn dense(&mut self, size: usize) {
        let map = self.dense_map(self.last(), size);
        self.affine(size, vec![(self.last(), map)]);
    }

    /// An affine node, perhaps a view of it, and a ReLU.
    fn layer(&mut self, widest: usize) {
        let size = self.random.between(1, widest);
        match self.random.below(6) {
            0 => self.convolution(),
            1 => self.sparse(size),
            2 if self.nodes.len() > 2 => self.residual(),
            _ => self.dense(size),
        }
        if self.random.chance(0.3) {
            self.view();
        }
        let source = self.last();
        self.push(self.nodes[source].size, Op::Relu(source));
    }

    /// Of a dense map's result, seen as channels of a small picture.
    fn convolution(&mut self) {
        let groups = self.random.between(1, 2);
        let input = [groups * self.random.between(1, 2), self.random.between(2, 4), self.random.between(1, 3)];
        self.dense(input.iter().product());
        let (height, width) = (self.random.between(1, 2), self.random.between(1, 3));
        let (stride, dilation) = ([self.random.between(1, 2), 1], [1, self.random.between(1, 2)]);
        let (kernel, pad) = ([height, width], [height - 1, dilation[1] * (width - 1)]);
        let out = |i: usize| (input[i + 1] + 2 * pad[i] - dilation[i] * (kernel[i] - 1) - 1) / stride[i] + 1;
        let output = [groups * self.random.between(1, 2), out(0), out(1)];
        let weights = self.weights(output[0] * input[0] / groups * height * width, 0.7);
        let map = Map::Conv(Conv { input, output, kernel, stride, pad, dilation, groups, weights });
        self.affine(output.iter().product(), vec![(self.last(), map)]);
    }

    fn sparse(&mut self, size: usize) {
        let inputs = self.nodes[self.last()].size;
        let weights = self.weights(3 * size, 1.0);
        let entries = weights.into_iter().map(|w| (self.random.below(inputs), w)).collect();
        let map = Map::Sparse(Sparse { inputs, starts: (0..=size).map(|i| 3 * i).collect(), entries });
        self.affine(size, vec![(self.last(), map)]);
    }

    /// The last node plus a dense map of an earlier one, or twice the same node.
    fn residual(&mut self) {
        let (last, earlier) = (self.last(), self.random.below(self.nodes.len()));
        let size = self.nodes[last].size;
        let map = self.dense_map(earlier, size);
        self.affine(size, vec![(last, Map::Identity), (earlier, map)]);
    }

    fn view(&mut self) {
        let source = self.last();
        let size = self.nodes[source].size;
        let map = match self.random.below(3) {
            0 => Map::Identity,
            1 => Map::Select((0..size).map(|i| (i > 0).then(|| size - 1 - i)).collect()),
            _ => Map::Scale(self.weights(size, 1.5)),
        };
        self.affine(size, vec![(source, map)]);
    }
}
