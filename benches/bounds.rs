//! Bounds of a 784-256-256-256-256-10 network with random weights: interval and linear bounds of all ReLU inputs for
//! one point and for a batch of 64, and the checker's time for one linear certificate.

use std::time::Duration;

use bartizan::internals::Deadline;
use bartizan::internals::{Bounds, Model, interval, linear};
use bartizan_proof::certificate::{Item, Side, Target, Targets, Witness};
use bartizan_proof::network::{Affine, Dense, Execution, Map, Node, Op, Parts, Term};
use bartizan_proof::property::{Bound, Region};
use bartizan_proof::{Digest, Interval, Network, check};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const WIDTHS: [usize; 6] = [784, 256, 256, 256, 256, 10];
const RADIUS: f64 = 0.02;

/// Weights of variance `2 / inputs` (He et al. 2015), which keeps activations at a steady size.
fn network() -> Network {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let mut nodes = vec![Node { name: "x".to_owned(), size: WIDTHS[0], op: Op::Input }];
    for (layer, pair) in WIDTHS.windows(2).enumerate() {
        let (inputs, size) = (pair[0], pair[1]);
        let scale = (6.0 / inputs as f64).sqrt();
        let weights = (0..inputs * size).map(|_| f64::from(random.random::<f32>() * 2.0 - 1.0) * scale).collect();
        let source = nodes.len() - 1;
        let term = Term { source, map: Map::Dense(Dense { inputs, weights }), roundings: 0 };
        let affine = Affine { terms: vec![term], bias: Vec::new(), execution: Execution::PLAIN };
        nodes.push(Node { name: format!("z{layer}"), size, op: Op::Affine(affine) });
        if layer + 2 < WIDTHS.len() {
            nodes.push(Node { name: format!("h{layer}"), size, op: Op::Relu(nodes.len() - 1) });
        }
    }
    let (output, digest) = (nodes.len() - 1, Digest::of(b"bench"));
    let (input_shape, output_shape) = (vec![WIDTHS[0]], vec![WIDTHS[5]]);
    Network::new(Parts { nodes, output, input_shape, output_shape, dropped: None, real_only: None, digest })
        .expect("well formed")
}

/// Boxes around random images.
fn boxes(count: usize) -> (Array2<f32>, Array2<f32>) {
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let images = Array2::from_shape_simple_fn((count, WIDTHS[0]), || random.random::<f32>());
    let radius = RADIUS as f32;
    (images.mapv(|x| (x - radius).max(0.0)), images.mapv(|x| (x + radius).min(1.0)))
}

fn bench(c: &mut Criterion) {
    let network = network();
    let model = Model::<f32>::of(&network);
    let later = Deadline::after(Duration::from_secs(3600));
    for count in [1, 64] {
        let (lower, upper) = boxes(count);
        let input = Bounds::of_input(lower, upper);
        c.bench_function(&format!("interval bounds, {count} points"), |b| {
            b.iter(|| interval::propagate(&model, input.clone()));
        });
        c.bench_function(&format!("linear bounds of all ReLU inputs, {count} points"), |b| {
            b.iter(|| linear::propagate(&model, input.clone(), later));
        });
    }
    let (lower, upper) = boxes(1);
    let ends = lower.iter().zip(&upper).map(|(l, u)| [*l, *u].map(|e| Interval::point(f64::from(e))));
    let region = Region::of_box(ends.map(|[lower, upper]| Bound { lower, upper }).collect());
    let end = |element, side| Target { element, side, witness: Witness::Default };
    let ends = (0..WIDTHS[5]).flat_map(|element| [end(element, Side::Lower), end(element, Side::Upper)]);
    let both_ends = Targets::Listed(ends.collect());
    let steps = [Item::TightenAll, Item::Tighten(5, both_ends)];
    c.bench_function("checker: the same bounds, rigorously, 1 point", |b| {
        b.iter(|| check::bounds(&network, &region, &steps).expect("a sound witness"));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = bench
}
criterion_main!(benches);
