//! Proves bounds on the outputs of many networks: `output_bounds SEMANTICS METHODS FOLDER`.
//!
//! For each `NAME.onnx` of the folder, `NAME.json` holds the box of its inputs: `{"lower": [...], "upper": [...]}`, binary32 numbers.
//! For each of the methods, a comma apart, a line `{"name", "method", "lower", "upper"}` says what the checker has proved of the
//! outputs. An end is null where nothing is proved of it, and both lists are null where the network or its proof is refused, with the reason
//! on the standard error. The tests execute the networks in many ways and look for outputs outside these bounds.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use bartizan::internals::{BoundsRequest, Deadline, Verifier, prove_bounds};
use bartizan::{Method, Semantics};
use bartizan_proof::Interval;
use bartizan_proof::property::{Bound, Region};
use clap::ValueEnum;
use serde_json::{Value, json};

/// For one network and method.
const TIME: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [semantics, methods, folder] = arguments.as_slice() else {
        eprintln!("usage: output_bounds real|float32 METHOD,... FOLDER");
        return ExitCode::from(2);
    };
    match run(semantics, methods, Path::new(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

fn run(semantics: &str, methods: &str, folder: &Path) -> Result<(), Box<dyn Error>> {
    let semantics: Semantics = semantics.parse()?;
    let methods = methods.split(',').map(|name| Method::from_str(name, false).map(|method| (name, method)));
    let methods = methods.collect::<Result<Vec<_>, _>>()?;
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        files.push(entry?.path());
    }
    files.retain(|file| file.extension().is_some_and(|extension| extension == "onnx"));
    files.sort_unstable();
    files.iter().for_each(|file| print_bounds(file, semantics, &methods));
    Ok(())
}

fn print_bounds(file: &PathBuf, semantics: Semantics, methods: &[(&str, Method)]) {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    let question = question(file, semantics);
    for (method_name, method) in methods {
        let request = BoundsRequest { method: *method, hidden_programs: false, deadline: Deadline::after(TIME) };
        let proved = match &question {
            Ok((verifier, region)) => prove_bounds(verifier, region, &request).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let (lower, upper) = match proved {
            Ok(proved) => (ends(proved.outputs(), |o| o.lo), ends(proved.outputs(), |o| o.hi)),
            Err(error) => {
                eprintln!("{name}, {method_name}: {error}");
                (Value::Null, Value::Null)
            }
        };
        println!("{}", json!({ "name": name, "method": method_name, "lower": lower, "upper": upper }));
    }
}

fn question(file: &PathBuf, semantics: Semantics) -> Result<(Verifier, Region), Box<dyn Error>> {
    let network = bartizan_read::read_onnx(&std::fs::read(file)?)?.under(semantics)?;
    let ends: Value = serde_json::from_slice(&std::fs::read(file.with_extension("json"))?)?;
    // Rounded to binary32, what serde_json reads is the number that was written, though its binary64 number may be a neighbour.
    let [lower, upper] = ["lower", "upper"].map(|name| serde_json::from_value::<Vec<f32>>(ends[name].clone()));
    let point = |x: f32| Interval::point(f64::from(x));
    let bounds = lower?.into_iter().zip(upper?).map(|(l, u)| Bound { lower: point(l), upper: point(u) }).collect();
    Ok((Verifier::new(network), Region::of_box(bounds)))
}

/// JSON has no infinities: what is not finite becomes null.
fn ends(outputs: &[Interval], end: fn(&Interval) -> f64) -> Value {
    outputs.iter().map(end).collect()
}
