//! Small dense networks with two hidden layers.

use bartizan_proof::network::{Affine, Dense, Execution, Map, Node, Op, Parts, Term};
use bartizan_proof::{Digest, Interval, Network};

use crate::random::Random;

/// Layers of weights and biases; layer `k` computes the value at place `k + 1`.
pub struct Net {
    pub layers: Vec<Layer>,
}

/// A dense affine map, row-major.
pub struct Layer {
    pub inputs: usize,
    pub weights: Vec<f64>,
    pub bias: Vec<f64>,
}

impl Layer {
    fn random(random: &mut Random, inputs: usize, outputs: usize) -> Layer {
        let scale = 1.6 / (inputs as f64).sqrt();
        let weights = (0..inputs * outputs).map(|_| random.range(-scale, scale)).collect();
        Layer { inputs, weights, bias: (0..outputs).map(|_| random.range(-0.3, 0.3)).collect() }
    }

    pub fn rows(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.weights.chunks(self.inputs).zip(self.bias.iter().copied())
    }
}

impl Net {
    pub fn random(random: &mut Random, sizes: &[usize]) -> Net {
        Net { layers: sizes.windows(2).map(|pair| Layer::random(random, pair[0], pair[1])).collect() }
    }

    pub fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    pub fn outputs(&self) -> usize {
        self.layers[self.layers.len() - 1].bias.len()
    }

    /// The outputs, in plain floats.
    pub fn evaluate(&self, point: &[f64]) -> Vec<f64> {
        let mut value = point.to_vec();
        for (k, layer) in self.layers.iter().enumerate() {
            let before = if k == 0 { value } else { value.iter().map(|z| z.max(0.0)).collect() };
            value = layer.rows().map(|(w, b)| w.iter().zip(&before).map(|(w, x)| w * x).sum::<f64>() + b).collect();
        }
        value
    }

    /// The same for the checker; its digest is that of its weights.
    pub fn network(&self) -> Network {
        let mut nodes = vec![Node { name: "x".to_owned(), size: self.inputs(), op: Op::Input }];
        for (k, layer) in self.layers.iter().enumerate() {
            if k > 0 {
                let source = nodes.len() - 1;
                nodes.push(Node { name: format!("h{k}"), size: layer.inputs, op: Op::Relu(source) });
            }
            let map = Map::Dense(Dense { inputs: layer.inputs, weights: layer.weights.clone() });
            let bias = layer.bias.iter().map(|b| Interval::point(*b)).collect();
            let terms = vec![Term { source: nodes.len() - 1, map, roundings: 0 }];
            let op = Op::Affine(Affine { terms, bias, execution: Execution::PLAIN });
            nodes.push(Node { name: format!("z{}", k + 1), size: layer.bias.len(), op });
        }
        let bytes: Vec<u8> = self.layers.iter().flat_map(|l| &l.weights).flat_map(|w| w.to_le_bytes()).collect();
        let (output, digest) = (nodes.len() - 1, Digest::of(&bytes));
        let (input_shape, output_shape) = (vec![self.inputs()], vec![self.outputs()]);
        Network::new(Parts { nodes, output, input_shape, output_shape, dropped: None, real_only: None, digest })
            .unwrap()
    }
}
