//! Runs under float32 semantics.

use serde_json::Value;

use crate::files::{Folder, model, text};

/// Arguments of a run over some points of `models/digits_mlp`.
fn digits(select: &str, radius: &str) -> String {
    let file = |name: &str| model("digits_mlp").join(name).display().to_string();
    let files = format!("{} --data {} --labels {}", file("model.onnx"), file("images.npy"), file("labels.npy"));
    format!("{files} --select {select} --radius {radius} --clip 0,1")
}

#[test]
fn reports_say_which_semantics_are_meant() {
    let folder = Folder::new();
    let run = format!("{} --semantics float32 --json r.json --markdown r.md --report r.html", digits("0..20", "0.02"));
    let output = folder.certify(&run);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let table = text(&output.stdout);
    assert!(table.contains("\nsemantics      float32: in every binary32 execution of the network,"), "{table}");
    let object: Value = serde_json::from_str(&folder.read("r.json")).unwrap();
    assert_eq!((&object["options"]["semantics"], &object["semantics_cost"]), (&Value::from("float32"), &Value::Null));
    assert!(object["options"]["assumptions"].as_array().unwrap().len() > 1);
    assert!(folder.read("r.html").contains("fused multiply-add"));
    // Real semantics are what is meant where nothing is said.
    let output = folder.certify(&format!("{} --json -", digits("0..5", "0.02")));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["options"]["semantics"], "real");
}

#[test]
fn verdicts_of_trained_networks_are_those_of_real_semantics() {
    let verdicts = |semantics: &str| -> Vec<String> {
        let output = Folder::new().certify(&format!("{} --semantics {semantics} --json -", digits("0..120", "0.07")));
        let object: Value = serde_json::from_slice(&output.stdout).unwrap();
        object["results"].as_array().unwrap().iter().map(|result| result["verdict"].to_string()).collect()
    };
    let real = verdicts("real");
    assert_eq!(real, verdicts("float32"));
    for verdict in ["certified", "falsified", "misclassified"] {
        assert!(real.contains(&format!("\"{verdict}\"")), "{verdict}");
    }
}

#[test]
fn a_store_keeps_the_semantics_of_its_run() {
    let folder = Folder::new();
    let run = digits("0..20", "0.02");
    let made = folder.certify(&format!("{run} --semantics float32 --store run.db"));
    assert_eq!((made.status.code(), text(&made.stderr)), (Some(0), ""));
    let other = folder.certify(&format!("{run} --store run.db --resume"));
    let expected = "error: run.db: table `run`, column `semantics`: expected real, as this run asks, found float32\n";
    assert_eq!((other.status.code(), text(&other.stderr)), (Some(2), expected));
    let again = folder.certify(&format!("{run} --semantics float32 --store run.db --resume"));
    assert_eq!((again.status.code(), text(&again.stderr)), (Some(0), ""));
    let network = model("digits_mlp").join("model.onnx").display().to_string();
    let checked = folder.run(&format!("check run.db --model {network} --json"));
    let object: Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(checked.status.code(), Some(0), "{object}");
}

#[test]
fn the_cost_of_float32_is_counted() {
    let folder = Folder::new();
    // Intervals alone leave many points unknown, under either semantics.
    let run = format!("{} --method ibp --no-attack --semantics float32 --cost --json r.json", digits("0..40", "0.02"));
    let output = folder.certify(&run);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let object: Value = serde_json::from_str(&folder.read("r.json")).unwrap();
    let (cost, number) = (&object["semantics_cost"], |value: &Value| value.as_u64().unwrap());
    assert_eq!(cost["certified"], object["certified"]);
    assert_eq!((&cost["asked_again"], number(&cost["only_real"])), (&object["unknown"], 0));
    assert!(number(&cost["asked_again"]) > 0 && number(&cost["certified"]) > 0, "{cost}");
    let row =
        format!("\ncost           0 of the {} points that are certified under real semantics", object["certified"]);
    assert!(text(&output.stdout).contains(&row), "{}", text(&output.stdout));
}
