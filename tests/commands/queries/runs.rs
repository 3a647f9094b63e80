//! Good inputs: verdicts, exit codes and the forms of answers.

use serde_json::Value;

use crate::files::{FAILS, Folder, HOLDS, NET, gzipped, model, text};

#[test]
fn verdicts_have_their_exit_codes() {
    let folder = Folder::new();
    for (property, code, word) in [("holds", 0, "verified"), ("fails", 1, "violated")] {
        let output = folder.run(&format!("verify net.nnet {property}.vnnlib"));
        assert_eq!(output.status.code(), Some(code));
        assert!(text(&output.stdout).starts_with(word), "{}", text(&output.stdout));
        assert_eq!(text(&output.stderr), "");
    }
    let output = folder.run("verify net.nnet fails.vnnlib --no-attack --method ibp");
    assert_eq!(output.status.code(), Some(3));
    assert!(text(&output.stdout).starts_with("unknown (ibp"), "{}", text(&output.stdout));
    let output = folder.run("verify net.nnet fails.vnnlib --no-attack --timeout 0");
    assert_eq!((output.status.code(), text(&output.stdout).starts_with("timeout")), (Some(3), true));
}

#[test]
fn gzipped_files_are_the_same_files() {
    let folder = Folder::new();
    folder.write("net.nnet.gz", gzipped(NET.as_bytes()));
    folder.write("q.vnnlib.gz", gzipped(HOLDS.as_bytes()));
    let digests = |args: &str| {
        let output = folder.run(args);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        (answer["verdict"].clone(), answer["model"].clone(), answer["property"].clone())
    };
    let plain = digests("verify net.nnet holds.vnnlib --json");
    assert_eq!(plain, digests("verify net.nnet.gz q.vnnlib.gz --json"));
    assert_eq!(plain.1.as_str().unwrap().len(), 64);
}

#[test]
fn counterexamples_are_inside_the_region_and_violate() {
    let folder = Folder::new();
    let output = folder.run("verify net.nnet fails.vnnlib --json");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let numbers = |key: &str| -> Vec<f64> {
        answer["counterexample"][key].as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let (x, y) = (numbers("input"), numbers("output"));
    assert!(x.iter().all(|x| (0.0..=1.0).contains(x)) && y[0] <= y[1] - 0.5, "{answer}");
    let output = folder.run("verify net.nnet fails.vnnlib --format vnncomp");
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!((lines[0], lines.len()), ("sat", 5));
    assert!(lines[1].starts_with("((X_0 ") && lines[4].starts_with("(Y_1 ") && lines[4].ends_with("))"));
}

#[test]
fn every_method_is_sound_and_each_knows_at_least_what_the_one_before_knows() {
    let folder = Folder::new();
    let mut known = 0;
    for method in ["ibp", "linear", "lp", "auto"] {
        let output = folder.run(&format!("verify net.nnet holds.vnnlib --no-attack --method {method}"));
        let code = output.status.code().unwrap();
        assert!(code == 0 || (code == 3 && known == 0), "{method}: {}", text(&output.stdout));
        known += usize::from(code == 0);
    }
    assert!(known > 0);
}

#[test]
fn a_batch_answers_in_the_order_of_its_instances_and_survives_bad_ones() {
    let folder = Folder::new();
    let list = "net.nnet,fails.vnnlib,10\nnet.nnet,gone.vnnlib,10\nnet.nnet,holds.vnnlib\ngone.onnx,holds.vnnlib,10\n";
    folder.write("list.csv", list);
    let output = folder.run("batch list.csv --results out.csv --jobs 2");
    assert_eq!(output.status.code(), Some(2));
    let rows: Vec<Vec<String>> = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(folder.read("out.csv").as_bytes())
        .records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let header = ["onnx", "vnnlib", "verdict", "time_s", "certificate", "certificate_bytes", "reason"];
    assert_eq!(rows[0], header);
    let verdicts: Vec<&str> = rows[1..].iter().map(|r| r[2].as_str()).collect();
    assert_eq!(verdicts, ["violated", "error", "verified", "error"]);
    assert_eq!(rows[2][6], "gone.vnnlib: cannot read: No such file or directory (os error 2)");
    assert_eq!(rows[4][6], "gone.onnx: cannot read: No such file or directory (os error 2)");
}

#[test]
fn batch_exit_codes_speak_of_the_worst_instance() {
    let folder = Folder::new();
    for (lines, code) in [("net.nnet,holds.vnnlib,10", 0), ("net.nnet,holds.vnnlib,10\nnet.nnet,fails.vnnlib,10", 1)] {
        folder.write("list.csv", lines);
        let output = folder.run("batch list.csv --json");
        assert_eq!(output.status.code(), Some(code));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(answer["results"].as_array().unwrap().len(), lines.lines().count());
    }
}

#[test]
fn the_same_seed_gives_the_same_counterexample_on_any_number_of_threads() {
    let folder = Folder::new();
    folder.write("other.vnnlib", FAILS.replace("0.5", "0.75"));
    folder.write("list.csv", "net.nnet,fails.vnnlib,10\nnet.nnet,other.vnnlib,10\n");
    let answer = |args: &str| text(&folder.run(args).stdout).lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let first = answer("verify net.nnet fails.vnnlib --seed 3");
    assert_eq!(first, answer("verify net.nnet fails.vnnlib --seed 3"));
}

#[test]
fn networks_are_shown() {
    let folder = Folder::new();
    let shown = folder.run(&format!("inspect {}", model("digits_mlp/model.onnx").display()));
    let shown = text(&shown.stdout);
    for part in ["input       [1, 8, 8] = 64 elements", "output      [10] = 10 elements", "ReLUs       100 in 2 layers"]
    {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    let json: Value = serde_json::from_slice(&folder.run("inspect net.nnet --json").stdout).unwrap();
    assert_eq!(json["input_shape"], serde_json::json!([2]));
}

#[test]
fn bounds_get_no_wider_up_the_ladder_and_contain_the_point() {
    let folder = Folder::new();
    let digits = |file: &str| model(&format!("digits_mlp/{file}")).display().to_string();
    let (net, images, labels) = (digits("model.onnx"), digits("images.npy"), digits("labels.npy"));
    let question = format!("{net} --data {images} --labels {labels} --index 3 --radius 0.1 --clip 0,1");
    let widths = |options: &str| -> Vec<f64> {
        let output = folder.run(&format!("bounds {question} {options} --json"));
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
        let outputs = answer["outputs"].as_array().unwrap();
        assert_eq!(outputs.len(), 10);
        let number = |row: &Value, key: &str| row[key].as_f64().unwrap();
        assert!(outputs.iter().all(|o| number(o, "lower") <= number(o, "at_the_point")));
        assert!(outputs.iter().all(|o| number(o, "at_the_point") <= number(o, "upper")));
        outputs.iter().map(|o| number(o, "upper") - number(o, "lower")).collect()
    };
    let ladder = ["--method ibp", "--method linear", "--method lp", "--method lp --hidden-programs"].map(widths);
    for pair in ladder.windows(2) {
        assert!(pair[0].iter().zip(&pair[1]).all(|(looser, tighter)| *tighter <= looser + 1e-9), "{pair:?}");
    }
    assert!(ladder[1].iter().sum::<f64>() < 0.9 * ladder[0].iter().sum::<f64>(), "{ladder:?}");
    let output = folder.run(&format!("bounds {question} --timeout 0"));
    assert_eq!(output.status.code(), Some(3));
    assert_eq!(text(&output.stderr), "no bounds: the time limit was reached\n");
}

#[test]
fn counterexamples_under_float32_can_be_given_to_an_execution() {
    let folder = Folder::new();
    let [network, property] = ["model.onnx", "properties/cruise_holds_wide.vnnlib"]
        .map(|name| model("controller").join(name).display().to_string());
    let output = folder.run(&format!("verify {network} {property} --semantics float32 --json"));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &answer["verdict"]), (Some(1), &Value::from("violated")), "{answer}");
    let input = answer["counterexample"]["input"].as_array().unwrap();
    #[allow(clippy::cast_possible_truncation)]
    let is_single = |x: f64| f64::from(x as f32).to_bits() == x.to_bits();
    assert!(!input.is_empty() && input.iter().all(|x| is_single(x.as_f64().unwrap())), "{answer}");
}
