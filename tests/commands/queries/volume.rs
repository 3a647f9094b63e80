//! `bartizan volume`: shares, their certificate, and errors.

use serde_json::Value;

use crate::files::{Folder, check_refusals, model, text};

/// The sum of two inputs between 0 and 1 is at most 1: on half of the square.
const HALF: &str = "(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(assert (and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 1)))
(assert (<= Y_0 1))
";

/// The same, and never above 2, in two regions.
const TWO_REGIONS: &str = "(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(assert (or (and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 1) (<= Y_0 1))
            (and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 0.5) (>= Y_0 2))))
";

fn folder() -> Folder {
    let folder = Folder::new();
    folder.write("half.vnnlib", HALF);
    folder.write("two.vnnlib", TWO_REGIONS);
    folder
}

#[test]
fn half_of_a_square_is_certified_and_half_violated() {
    let folder = folder();
    let output = folder.run("volume one.nnet half.vnnlib --undecided 0.1 --proof half.cert");
    let printed = text(&output.stdout);
    let (shares, time) = printed.rsplit_once("time ").unwrap();
    let expected = "region 0
  X_0 in [0, 1]
  X_1 in [0, 1]
  certified  at least   45.4101 %
  violated   at least   45.4101 %
  undecided  at most     9.1797 %
  parts      292: 52 certified, 52 violated, 188 undecided
";
    assert!(shares.starts_with(expected), "{printed}");
    assert!(
        shares.contains("\n  end        little enough is undecided\nthe checker accepted the certificate (leaves: ")
    );
    assert!(shares.contains("whatever the distribution of data; proved in real arithmetic"), "{printed}");
    assert!(time.ends_with(" s\n"));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));

    let output = folder.run("check half.cert --volume --model one.nnet --property half.vnnlib");
    let printed = text(&output.stdout);
    let shares: Vec<&str> = expected.lines().filter(|line| line.ends_with('%')).collect();
    let start = format!("half.cert, region 0\n{}\n1 measured, 0 refused, 0 not checked in ", shares.join("\n"));
    assert!(printed.starts_with(&start), "{printed}");
    assert_eq!(output.status.code(), Some(0));
    // It is no proof of the property.
    let output = folder.run("check half.cert --model one.nnet --property half.vnnlib");
    assert!(text(&output.stdout).contains("only a certificate of volume may do"), "{}", text(&output.stdout));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn each_region_has_its_shares() {
    let folder = folder();
    let output = folder.run("volume one.nnet two.vnnlib --undecided 0.05 --json --proof two.cert");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let shares = |region: usize| {
        ["certified", "violated", "undecided"].map(|share| answer["regions"][region][share].as_f64().unwrap())
    };
    let [certified, violated, undecided] = shares(0);
    assert!((0.45..=0.5).contains(&certified) && (0.45..=0.5).contains(&violated), "{answer}");
    assert_eq!(certified + violated + undecided, 1.0);
    assert_eq!(shares(1), [1.0, 0.0, 0.0]);
    assert_eq!(answer["regions"][1]["domain"], serde_json::json!([[0.0, 1.0], [0.0, 0.5]]));
    assert_eq!(answer["certificate"]["bytes"], folder.read_bytes("two.cert").len());
    let output = folder.run("check two.cert --volume --json --model one.nnet --property two.vnnlib");
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked["results"][0]["verdict"], "measured");
    assert_eq!(checked["results"][0]["regions"][0]["certified"], certified);
}

#[test]
fn proofs_of_properties_measure_everything_and_borrowed_ones_nothing() {
    let folder = folder();
    folder.run("verify net.nnet holds.vnnlib --proof holds.cert");
    let output = folder.run("check holds.cert --volume --model net.nnet --property holds.vnnlib");
    assert!(text(&output.stdout).contains("  certified  at least  100.0000 %"), "{}", text(&output.stdout));
    let mut bytes = folder.read_bytes("holds.cert");
    bytes.push(0);
    folder.write("holds.cert", bytes);
    let output = folder.run("check holds.cert --volume --model net.nnet --property holds.vnnlib");
    assert!(text(&output.stdout).starts_with("refused      holds.cert: expected the end of the certificate"));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_shipped_model_is_measured() {
    let folder = Folder::new();
    let [network, property] = ["controller/model.onnx", PROPERTY].map(model);
    let arguments = format!("volume {} {} --undecided 0.05 --json", network.display(), property.display());
    let output = folder.run(&arguments);
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{answer}");
    assert!(answer["regions"][0]["undecided"].as_f64().unwrap() <= 0.05, "{answer}");
    assert!(answer["regions"][0]["violated"].as_f64().unwrap() > 0.0, "{answer}");
}

/// A property that is violated in a part of its region.
const PROPERTY: &str = "controller/properties/cruise_holds_wide.vnnlib";

#[test]
fn the_time_limit_ends_a_measurement() {
    let folder = folder();
    let output = folder.run("volume one.nnet half.vnnlib --undecided 0 --timeout 0.2");
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stdout));
    assert!(text(&output.stdout).contains("  end        the time limit was reached\n"), "{}", text(&output.stdout));
}

#[test]
fn bad_inputs() {
    check_refusals(
        "volume",
        [
            (
                "share",
                None,
                "one.nnet holds.vnnlib --undecided 1.5",
                "--undecided: expected a share from 0 to 1, found 1.5",
            ),
            (
                "no share",
                None,
                "one.nnet holds.vnnlib --undecided NaN",
                "--undecided: expected a share from 0 to 1, found NaN",
            ),
            (
                "time",
                None,
                "one.nnet holds.vnnlib --timeout 1e10",
                "--timeout: expected a number of seconds from 0 to 1000000000, found 10000000000",
            ),
            ("sizes", None, "one.nnet holds.vnnlib", "holds.vnnlib: the property has 2 outputs, the network has 1"),
            (
                "no model",
                None,
                "gone.nnet holds.vnnlib",
                "gone.nnet: cannot read: No such file or directory (os error 2)",
            ),
        ],
    );
    check_refusals(
        "check",
        [(
            "a run",
            None,
            "x.npy --volume --model net.nnet",
            "--property: expected the properties that the certificates speak of, found none",
        )],
    );
}
