//! A project of somebody else, outside this repository, that asserts robustness of its model in its own tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const TEST: &str = r#"
use bartizan::testing::network;
use bartizan::{Dataset, Perturbation, assert_coverage, assert_verified};

#[test]
fn one_digit_is_stable() {
    let data = Dataset::open("images.npy", Some("labels.npy")).unwrap();
    let within = Perturbation::linf(0.03).clip(0, 1);
    assert_verified!(network("model.onnx"), data.point(0).unwrap(), label = data.label(0), within);
}

#[test]
fn most_digits_are_robust() {
    let points: Vec<(Vec<f64>, usize)> =
        Dataset::open("images.npy", Some("labels.npy")).unwrap().iter().take(40).map(Result::unwrap).collect();
    let elements: Vec<f64> = points.iter().flat_map(|(point, _)| point.clone()).collect();
    let data = Dataset::from_points(&[64], &elements, points.iter().map(|(_, label)| *label).collect()).unwrap();
    assert_coverage!(network("model.onnx"), data, Perturbation::linf("1/100").clip(0, 1), 0.75, 0.95);
}
"#;

/// Writes the project. Its dependencies are those of this repository's lock file, so that none is fetched; the engine is not optimised, as
/// that takes longer than the tests.
fn project(folder: &Path) {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = format!(
        "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dev-dependencies]\nbartizan = {{ path = {:?} }}\n\n\
         [profile.release]\ndebug = 1\n\n\
         [profile.release.package.bartizan]\nopt-level = 0\n\n\
         [profile.release.package.bartizan-proof]\nopt-level = 0\n\n\
         [profile.release.package.bartizan-read]\nopt-level = 0\n",
        repository.display().to_string()
    );
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::create_dir_all(folder.join("tests")).unwrap();
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    fs::write(folder.join("tests/robustness.rs"), TEST).unwrap();
    fs::copy(repository.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    for file in ["model.onnx", "images.npy", "labels.npy"] {
        fs::copy(repository.join("models/digits_mlp").join(file), folder.join(file)).unwrap();
    }
}

/// Runs the project's tests; whether they pass, and what they say.
fn test(folder: &Path) -> (bool, String) {
    // The folder that this very test was built in, so that what both need is built once.
    let target: PathBuf = env!("CARGO_BIN_EXE_bartizan").into();
    let target = target.parent().and_then(Path::parent).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["test", "--release", "--offline", "--test", "robustness"])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target)
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), text)
}

/// Turns the signs of all weights of the last layer around: what spoke for a class speaks against it.
fn break_model(path: &Path) {
    let mut bytes = fs::read(path).unwrap();
    // The tensor's name, and the head of the field with its 10 times 50 numbers.
    let head = b"fc3.weight\x4a\xd0\x0f";
    let start = bytes.windows(head.len()).position(|window| window == head).unwrap() + head.len();
    for number in bytes[start..start + 2000].chunks_exact_mut(4) {
        number[3] ^= 0x80;
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_project_tests_its_model_and_a_broken_one_fails_readably() {
    let folder = TempDir::new().unwrap();
    project(folder.path());
    let (passes, text) = test(folder.path());
    assert!(passes && text.contains("2 passed"), "{text}");

    break_model(&folder.path().join("model.onnx"));
    let (passes, text) = test(folder.path());
    assert!(!passes && text.contains("0 passed; 2 failed"), "{text}");
    for part in [
        "panicked at tests/robustness.rs:",
        "model.onnx: expected a point that is robust within 0.03 in linf, clipped to 0,1\n  counterexample: class ",
        ", replayed by the checker\n",
        "\n  see it again:   Verifier::new(&Network::read(\"model.onnx\")?)",
        "model.onnx: expected more coverage within 1/100 in linf, clipped to 0,1\n  proved:         Of 40 points, ",
        "\n  required:       Gate not met: the lower end ",
        "\n  see it again:   bartizan certify model.onnx --data 'X.npy'",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
