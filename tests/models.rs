//! The shipped models: recorded outputs of onnxruntime, and verdicts that an independent oracle has decided.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bartizan::Verdict;
use bartizan::internals::{Options, Verifier};
use bartizan_proof::property::RobustnessQuery;
use bartizan_proof::{Interval, Network, Property, Semantics};
use bartizan_read::enclose_decimal;
use ndarray::{Array1, ArrayD, Axis};
use ndarray_npy::{NpzReader, ReadNpyExt};

const MODELS: [&str; 7] = ["cancer_mlp", "controller", "digits_conv", "digits_mlp", "digits_residual", "moons", "tram"];

fn folder(model: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(model)
}

fn bytes(path: &Path) -> Vec<u8> {
    let raw = fs::read(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if path.extension().is_none_or(|e| e != "gz") {
        return raw;
    }
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(raw.as_slice()).read_to_end(&mut unpacked).unwrap();
    unpacked
}

fn network(path: &Path) -> Network {
    let is_nnet = path.extension().is_some_and(|e| e == "nnet");
    let network = if is_nnet { bartizan_read::read_nnet(&bytes(path)) } else { bartizan_read::read_onnx(&bytes(path)) };
    network.unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn property(path: &Path) -> Property {
    bartizan_read::read_vnnlib(&bytes(path)).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Recorded inputs and outputs, one a row.
fn recorded(model: &str) -> Vec<(Vec<f64>, Vec<f64>)> {
    let mut archive = NpzReader::new(File::open(folder(model).join("io.npz")).unwrap()).unwrap();
    let mut rows = |name: &str| -> Vec<Vec<f64>> {
        let array: ArrayD<f32> = archive.by_name(name).unwrap();
        array.axis_iter(Axis(0)).map(|row| row.iter().map(|x| f64::from(*x)).collect()).collect()
    };
    rows("input").into_iter().zip(rows("output")).collect()
}

#[test]
fn networks_compute_what_onnxruntime_recorded() {
    for model in MODELS {
        let mut files = vec![folder(model).join("model.onnx")];
        files.extend(Some(folder(model).join("model.nnet")).filter(|f| f.exists()));
        for file in files {
            let network = network(&file);
            let pairs = recorded(model);
            assert_eq!(pairs.len(), 20);
            for (input, output) in pairs {
                let found = network.evaluate(&input);
                let scale = output.iter().fold(1.0f64, |s, y| s.max(y.abs()));
                assert_eq!(found.len(), output.len());
                for (f, y) in found.iter().zip(&output) {
                    assert!((f - y).abs() <= 1e-4 * scale, "{}: {f} instead of {y}", file.display());
                }
            }
        }
    }
}

#[test]
fn verdicts_never_contradict_the_oracle() {
    let options = Options { timeout: Duration::from_secs(5), ..Options::default() };
    let (mut decided, mut known) = (0, 0);
    for model in MODELS {
        let list = fs::read_to_string(folder(model).join("expected.csv")).unwrap();
        for line in list.lines().filter(|line| !line.ends_with(",verdict")) {
            let fields: Vec<&str> = line.split(',').collect();
            let verifier = Verifier::new(network(&folder(model).join(fields[0])));
            let outcome = verifier.verify(&property(&folder(model).join(fields[1])), &options).unwrap();
            let found = match outcome.verdict {
                Verdict::Verified(..) => Some("unsat"),
                Verdict::Violated(_) => Some("sat"),
                Verdict::Unknown(_) => None,
            };
            assert!(found.is_none_or(|found| found == fields[2]), "{model}: {line}: found {found:?}");
            decided += usize::from(found.is_some());
            known += 1;
        }
    }
    assert!(decided * 4 >= known * 3, "only {decided} of {known} properties decided");
}

#[test]
fn points_never_contradict_the_oracle() {
    let folder = folder("digits_mlp");
    let images: ArrayD<f32> = ArrayD::read_npy(File::open(folder.join("images.npy")).unwrap()).unwrap();
    let labels: Array1<i64> = Array1::read_npy(File::open(folder.join("labels.npy")).unwrap()).unwrap();
    let verifier = Verifier::new(network(&folder.join("model.onnx")));
    let clip = Some((Interval::point(0.0), Interval::point(1.0)));
    let list = fs::read_to_string(folder.join("expected_points.csv")).unwrap();
    let (mut agreed, mut misclassified) = (0, 0);
    for line in list.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let index: usize = fields[0].parse().unwrap();
        let point: Vec<f64> = images.index_axis(Axis(0), index).iter().map(|x| f64::from(*x)).collect();
        let label = usize::try_from(labels[index]).unwrap();
        assert_eq!(label.to_string(), fields[1]);
        let radius = enclose_decimal(fields[2]).unwrap();
        let (radii, factor, point) = (vec![radius; point.len()], Interval::point(1.0), &point[..]);
        let (norm, normalisation, radii) = (None, None, &radii[..]);
        let query = RobustnessQuery { point, label, outputs: 10, norm, radii, factor, clip, normalisation };
        let outcome = verifier.verify(&query.property().unwrap(), &Options::default()).unwrap();
        match (outcome.verdict, fields[3]) {
            (Verdict::Verified(..), "verified") | (Verdict::Violated(_), "violated") => agreed += 1,
            (Verdict::Violated(_), "misclassified") => misclassified += 1,
            (Verdict::Unknown(_), _) => {}
            (found, expected) => panic!("point {index}: expected {expected}, found {}", found.word()),
        }
    }
    assert!(agreed >= 40, "only {agreed} points decided, {misclassified} misclassified");
}

/// Networks whose class depends on how sums are rounded: what is certified of them in real arithmetic is not true of every execution.
#[test]
fn rounding_decides_some_networks_and_float32_semantics_refuse_them() {
    let folder = folder("rounding");
    let list = fs::read_to_string(folder.join("expected.csv")).unwrap();
    let options = |seconds| Options { timeout: Duration::from_secs(seconds), ..Options::default() };
    let mut certified = 0;
    for line in list.lines() {
        let fields: Vec<&str> = line.split(',').collect();
        let property = property(&folder.join(fields[1]));
        let network = network(&folder.join(fields[0]));
        let single = Verifier::new(network.clone().under(Semantics::Float32).unwrap());
        let real = Verifier::new(network).verify(&property, &options(20)).unwrap();
        match fields[2] {
            "unsat" => {
                assert!(matches!(real.verdict, Verdict::Verified(..)), "{line}: {}", real.verdict.word());
                let found = single.verify(&property, &options(1)).unwrap();
                assert!(!matches!(found.verdict, Verdict::Verified(..)), "{line}");
                certified += 1;
            }
            _ => assert!(!matches!(real.verdict, Verdict::Verified(..)), "{line}"),
        }
    }
    assert_eq!(certified, 12);
}
