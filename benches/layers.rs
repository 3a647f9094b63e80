//! Layers of the kinds and sizes that image networks have, on batches of rows: one pass forward and one backward.

use bartizan::internals::layer::Layer;
use bartizan_proof::network::{Conv, Dense, Map};
use criterion::{Criterion, criterion_group, criterion_main};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Source, result, and kernel and stride of convolutions with one zero on each side.
const CONVOLUTIONS: [([usize; 3], [usize; 3], [usize; 2]); 5] = [
    ([1, 28, 28], [16, 14, 14], [4, 2]),
    ([3, 32, 32], [16, 16, 16], [4, 2]),
    ([16, 16, 16], [32, 8, 8], [4, 2]),
    ([8, 16, 16], [8, 16, 16], [3, 1]),
    ([64, 4, 4], [128, 2, 2], [3, 2]),
];

/// Inputs and outputs of a dense layer.
const DENSE: (usize, usize) = (2048, 100);

const BATCHES: [usize; 3] = [1, 64, 256];

fn random(count: usize) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    (0..count).map(|_| random.random::<f64>() - 0.5).collect()
}

/// Maps with the sizes of their sources and results.
fn maps() -> Vec<(String, Map, usize, usize)> {
    let convolution = |(input, output, [kernel, stride]): ([usize; 3], [usize; 3], [usize; 2])| {
        let weights = random(output[0] * input[0] * kernel * kernel);
        let [kernel, stride, pad, dilation] = [kernel, stride, 1, 1].map(|n| [n, n]);
        let name = format!("convolution {input:?} to {output:?}");
        let conv = Conv { input, output, kernel, stride, pad, dilation, groups: 1, weights };
        (name, Map::Conv(conv), input.iter().product(), output.iter().product())
    };
    let (inputs, outputs) = DENSE;
    let dense = Map::Dense(Dense { inputs, weights: random(inputs * outputs) });
    let mut maps: Vec<_> = CONVOLUTIONS.into_iter().map(convolution).collect();
    maps.push((format!("dense {inputs} to {outputs}"), dense, inputs, outputs));
    maps
}

fn bench(c: &mut Criterion) {
    for (name, map, inputs, outputs) in maps() {
        let layer = Layer::<f32>::of(&map);
        for batch in BATCHES {
            let rows = |size| {
                let values = random(batch * size).into_iter().map(|x| x as f32).collect();
                Array2::from_shape_vec((batch, size), values).expect("a value for each element")
            };
            let (mut x, mut y) = (rows(inputs), rows(outputs));
            c.bench_function(&format!("{name}, forward, {batch} rows"), |b| {
                b.iter(|| layer.forward(x.view(), y.view_mut()));
            });
            y.assign(&rows(outputs));
            c.bench_function(&format!("{name}, backward, {batch} rows"), |b| {
                b.iter(|| layer.backward(y.view(), x.view_mut()));
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = bench
}
criterion_main!(benches);
