//! Evaluates a network at points: `evaluate MODEL INPUTS OUTPUTS`.
//!
//! `INPUTS` holds rows of little-endian binary64 numbers, one row of all input elements for each point; `OUTPUTS`
//! receives a row of all output elements for each. A model whose name ends in `.nnet` is read as NNet, any other as
//! ONNX. The tests compare the results with those of onnxruntime.
#![allow(clippy::expect_used, clippy::float_arithmetic)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, inputs, outputs] = arguments.as_slice() else {
        eprintln!("usage: evaluate MODEL INPUTS OUTPUTS");
        return ExitCode::from(2);
    };
    let bytes = std::fs::read(model).expect("the model can be read");
    let read = if model.ends_with(".nnet") { bartizan_read::read_nnet } else { bartizan_read::read_onnx };
    let started = std::time::Instant::now();
    let network = match read(&bytes) {
        Ok(network) => network,
        Err(error) => {
            eprintln!("{model}: {error}");
            return ExitCode::from(2);
        }
    };
    eprintln!("read in {:.1} ms", started.elapsed().as_secs_f64() * 1e3);
    let points = std::fs::read(inputs).expect("the inputs can be read");
    let numbers: Vec<f64> = points.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let results = numbers.chunks_exact(network.input_size()).flat_map(|point| network.evaluate(point));
    let results: Vec<u8> = results.flat_map(f64::to_le_bytes).collect();
    std::fs::write(outputs, results).expect("the outputs can be written");
    ExitCode::SUCCESS
}
