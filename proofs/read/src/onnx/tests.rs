mod coverage;
mod hostile;
mod operators;
mod refusals;
mod rounding;
mod semantics;
#[path = "../../tests/onnx_writer/mod.rs"]
mod writer;

use super::read_onnx;
use crate::network::Network;
use writer::Model;

fn network(model: &Model) -> Network {
    read_onnx(&model.bytes()).unwrap_or_else(|error| panic!("{error}"))
}

fn refusal(model: &Model) -> String {
    read_onnx(&model.bytes()).unwrap_err().to_string()
}

/// Asserts what a model computes at points, up to the errors of a plain evaluation.
#[allow(clippy::float_arithmetic)]
fn assert_values(model: &Model, points: &[(&[f64], &[f64])]) {
    let network = network(model);
    for (x, y) in points {
        let found = network.evaluate(x);
        let near =
            found.len() == y.len() && found.iter().zip(*y).all(|(a, b)| (a - b).abs() <= 1e-6 * b.abs().max(1.0));
        assert!(near, "at {x:?}: expected {y:?}, found {found:?}");
    }
}
