//! `bartizan-check MODEL PROPERTY CERTIFICATE`: the checker alone, without the engine.
//!
//! Prints `verified` and exits with 0 if the certificate proves that the property holds for the model, prints why not
//! and exits with 1 if it does not, and exits with 2 if a file cannot be read. Files must not be compressed.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;

use bartizan_proof::{Network, Property, Verified, check};
use bartizan_read::{read_nnet, read_onnx, read_vnnlib};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [model, property, certificate] = arguments.as_slice() else {
        eprintln!("usage: bartizan-check MODEL PROPERTY CERTIFICATE");
        return ExitCode::from(2);
    };
    match read(model, property).map(|(network, property)| judge(&network, &property, certificate)) {
        Ok(Ok(verified)) => {
            println!("verified: {} cases, {} leaves", verified.cases(), verified.leaves());
            ExitCode::SUCCESS
        }
        Ok(Err(refused)) => {
            println!("refused: {refused}");
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn read(model: &Path, property: &Path) -> Result<(Network, Property), String> {
    let bytes = |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let is_nnet = model.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("nnet"));
    let network = if is_nnet { read_nnet(&bytes(model)?) } else { read_onnx(&bytes(model)?) };
    let network = network.map_err(|error| format!("{}: {error}", model.display()))?;
    let property = read_vnnlib(&bytes(property)?).map_err(|error| format!("{}: {error}", property.display()))?;
    Ok((network, property))
}

fn judge(network: &Network, property: &Property, certificate: &PathBuf) -> Result<Verified, String> {
    let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
    check::verify(network, property, certificate, threads)
        .map_err(|refused| format!("{}: {refused}", certificate.display()))
}
