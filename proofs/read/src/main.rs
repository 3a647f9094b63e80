//! `bartizan-check [--volume] MODEL PROPERTY CERTIFICATE`: the checker alone, without the engine.
//!
//! The certificate says under which semantics it proves something.
//!
//! Prints `verified` and exits with 0 if the certificate proves that the property holds for the model, prints why not
//! and exits with 1 if it does not, and exits with 2 if a file cannot be read. With `--volume` it prints which share of each region is
//! certified and violated at least, and undecided at most. Files must not be compressed.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread::available_parallelism;

use bartizan_proof::certificate::Header;
use bartizan_proof::{Network, Property, Rejected, Shares, check};
use bartizan_read::{read_nnet, read_onnx, read_vnnlib};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let (check, files): (Check, &[PathBuf]) = match arguments.split_first() {
        Some((option, files)) if option.as_os_str() == "--volume" => (measure, files),
        _ => (verify, &arguments),
    };
    let [model, property, certificate] = files else {
        eprintln!("usage: bartizan-check [--volume] MODEL PROPERTY CERTIFICATE");
        return ExitCode::from(2);
    };
    let judge = |(network, property): (Network, Property)| {
        let refused = |reason: String| format!("{}: {reason}", certificate.display());
        let header = Header::read(certificate).map_err(|error| refused(error.to_string()))?;
        let network = network.under(header.semantics).map_err(|error| refused(error.to_string()))?;
        let threads = available_parallelism().unwrap_or(NonZeroUsize::MIN);
        check(&network, &property, certificate, threads).map_err(|error| refused(error.to_string()))
    };
    match read(model, property).map(judge) {
        Ok(Ok(fact)) => {
            println!("{fact}");
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

/// What a certificate proves, in words.
type Check = fn(&Network, &Property, &PathBuf, NonZeroUsize) -> Result<String, Rejected>;

fn verify(network: &Network, property: &Property, file: &PathBuf, threads: NonZeroUsize) -> Result<String, Rejected> {
    let verified = check::verify(network, property, file, threads)?;
    Ok(format!(
        "verified: {} cases, {} leaves, {} semantics",
        verified.cases(),
        verified.leaves(),
        verified.semantics()
    ))
}

fn measure(network: &Network, property: &Property, file: &PathBuf, threads: NonZeroUsize) -> Result<String, Rejected> {
    let proved = check::volume(network, property, file, threads)?;
    let of = |(region, shares): (usize, &Shares)| {
        let (certified, violated, undecided) = (shares.certified(), shares.violated(), shares.undecided());
        format!(
            "region {region}: certified at least {certified}, violated at least {violated}, undecided at most {undecided}"
        )
    };
    let lines: Vec<String> = proved.regions().iter().enumerate().map(of).collect();
    Ok(lines.join("\n"))
}
