//! Real runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::{Folder, text};

/// A trained network of the repository.
fn model(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name)
}

fn json(folder: &Folder, args: &str) -> Value {
    let output = folder.certify(&format!("{args} --json -"));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{args}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn verdicts(object: &Value) -> Vec<&str> {
    object["results"].as_array().unwrap().iter().map(|result| result["verdict"].as_str().unwrap()).collect()
}

#[test]
fn the_table_and_the_object_tell_the_same() {
    let folder = Folder::new();
    let output = folder.certify("two.nnet --data x.npy --labels y.npy --radius 0.1 --clip 0,1 --json r.json");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let table = text(&output.stdout);
    let shown: Vec<&str> = table.lines().filter(|line| !line.starts_with("time ")).collect();
    let expected = "\
model          two.nnet (2 inputs, 2 classes)
data           x.npy, labels y.npy
radius         0.1 in linf, clipped to 0,1
points               4
correct              3   75.0 %
certified            2   50.0 %
falsified            1   25.0 %
unknown              0    0.0 %
  timeouts           0    0.0 %
misclassified        1   25.0 %

With confidence 95 %, the network is correct and robust at between 6.75 % and 93.25 % of inputs (Clopper-Pearson; \
                    unknowns count against both ends).
Assumed: the points were drawn independently from the distribution of inputs that the statement is about, and were not \
                    chosen by their outcomes.";
    assert_eq!(shown.join("\n"), expected);

    let object: Value = serde_json::from_str(&folder.read("r.json")).unwrap();
    assert_eq!(verdicts(&object), ["certified", "certified", "misclassified", "falsified"]);
    for (name, count) in [("points", 4), ("correct", 3), ("certified", 2), ("falsified", 1), ("unknown", 0)] {
        assert_eq!(object[name], count, "{name}");
    }
    assert!((object["coverage"]["lower"].as_f64().unwrap() - 0.067_585_986_488_542_3).abs() < 1e-12);
    assert_eq!(object["results"][2]["counterexample"]["input"], serde_json::json!([0.25, 0.5]));
    assert_eq!(object["results"][0].get("counterexample"), None);
    assert!(folder.names().iter().all(|name| !name.contains("bartizan")), "{:?}", folder.names());
}

#[test]
fn gates_look_at_the_lower_end_of_the_interval() {
    let folder = Folder::new();
    let exit = |gate: &str| {
        let output = folder.certify(&format!("two.nnet --data data.csv --radius 0.1 {gate}"));
        output.status.code().unwrap()
    };
    assert_eq!((exit("--require 0.06"), exit("--require 0.5"), exit("--require 0")), (0, 1, 0));
    // The lower end is the 2.5 % quantile of Beta(2, 3), 0.0676; at 50 % it is the 25 % quantile, 0.2430.
    assert_eq!((exit("--require 0.2"), exit("--require 0.2 --confidence 0.5")), (1, 0));
}

#[test]
fn selections_and_normalisation() {
    let folder = Folder::new();
    let object = json(&folder, "two.nnet --data data.csv --radius 0.1 --select 3,0");
    assert_eq!((verdicts(&object), &object["results"][1]["index"]), (vec!["certified", "falsified"], &3.into()));
    assert_eq!((&object["points"], &object["data"]["available"]), (&2.into(), &4.into()));
    // The network sees the points (0.25, 0.2) and (0.5, 0.1375), and changes of 0.05 and 0.025.
    let object = json(&folder, "two.nnet --data data.csv --radius 0.05 --mean 0,0.1 --std 1,2 --select 2..4");
    assert_eq!(verdicts(&object), ["falsified", "certified"]);
    assert_eq!(object["options"]["mean"], "0,0.1");
}

#[test]
fn norms_radii_of_each_element_and_features_held_fixed() {
    let folder = Folder::new();
    folder.write("radii.txt", "0.1\n0.15");
    // The outputs are the inputs (0.5, 0.375), which are 0.125 apart: 0.0625 in L-infinity, 0.0884 in L2 and 0.125 in L1.
    let cases = [
        ("--radius 0.062", "certified"),
        ("--radius 0.063", "falsified"),
        ("--radius 0.088 --norm l2", "certified"),
        ("--radius 0.0885 --norm l2", "falsified"),
        ("--radius 0.1249 --norm l1", "certified"),
        ("--radius 0.1251 --norm l1", "falsified"),
        // The root of the sum of squares counts, and 0.075 and 0.1 make 0.125.
        ("--radius 0.075,0.099 --norm l2", "certified"),
        ("--radius 0.075,0.101 --norm l2", "falsified"),
        ("--radius radii.txt --norm l1", "falsified"),
        ("--radius radii.txt --norm l1 --fix 1", "certified"),
        ("--radius 0.124 --fix 0", "certified"),
        ("--radius 0.126 --fix 0..1", "falsified"),
    ];
    for (args, expected) in cases {
        let object = json(&folder, &format!("two.nnet --data data.csv --select 3 {args}"));
        assert_eq!(verdicts(&object), [expected], "{args}");
    }
}

/// No answer contradicts the exact ones, whatever the number of threads, and the answers do not depend on it.
#[test]
fn answers_agree_with_exact_ones() {
    let folder = Folder::new();
    let file = |name: &str| model("digits_mlp").join(name).display().to_string();
    let args = format!("{} --data {} --labels {}", file("model.onnx"), file("images.npy"), file("labels.npy"));
    let expected = std::fs::read_to_string(file("expected_points.csv")).unwrap();
    let expected: BTreeMap<usize, &str> = expected.lines().skip(1).map(exact_verdict).collect();
    assert!(expected.len() > 20);
    let run = |jobs: usize| {
        json(&folder, &format!("{args} --radius 0.08 --clip 0,1 --select 0..{} --jobs {jobs}", expected.len()))
    };
    let (one, three) = (run(1), run(3));
    assert_eq!(verdicts(&one), verdicts(&three));
    assert!(verdicts(&one).iter().filter(|word| **word != "unknown").count() > expected.len() / 2);
    for (index, word) in verdicts(&one).into_iter().enumerate() {
        let permitted = match expected[&index] {
            "verified" => ["certified", "unknown"],
            "violated" => ["falsified", "unknown"],
            _ => ["misclassified", "misclassified"],
        };
        assert!(permitted.contains(&word), "point {index} is {}, certify says {word}", expected[&index]);
    }
}

/// Index and verdict of a line `index,label,radius,verdict`.
fn exact_verdict(line: &str) -> (usize, &str) {
    let fields: Vec<&str> = line.split(',').collect();
    (fields[0].parse().unwrap(), fields[3])
}

#[test]
fn archives_tables_and_files_of_means() {
    let folder = Folder::new();
    let file = |network: &str, name: &str| model(network).join(name).display().to_string();
    let args = format!("{} --data {}", file("digits_conv", "model.onnx"), file("digits_conv", "data.npz"));
    let object = json(&folder, &format!("{args} --radius 1/100 --clip 0,1 --select 0..10"));
    assert!(object["certified"].as_u64().unwrap() > 5, "{object}");
    let (model, data) = (file("cancer_mlp", "model.onnx"), file("cancer_mlp", "data.csv"));
    let (mean, std) = (file("cancer_mlp", "mean.txt"), file("cancer_mlp", "std.txt"));
    let object = json(&folder, &format!("{model} --data {data} --mean {mean} --std {std} --radius 0.0001"));
    assert!(object["correct"].as_u64().unwrap() > 100 && object["certified"].as_u64().unwrap() > 90, "{object}");
}
