//! `bartizan radius`.

use serde_json::Value;

use crate::files::{Folder, check_refusals, model, text};

#[test]
fn brackets_hold_the_true_radius_and_are_checked() {
    // The outputs are the inputs' positive parts: half of the difference is the radius.
    let folder = Folder::new();
    folder.write("data.csv", "a,b,label\n1,0.25,0\n0,0.5,1\n0.25,0.5,0\n0.5,0.375,0\n");
    let run = "radius two.nnet --data data.csv --radius 0.3 --precision 0.001 --store run.db --json -";
    let output = folder.run(run);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let share = |index: usize, name: &str| object["results"][index][name].as_f64();
    let words: Vec<&str> = (0..4).map(|index| object["results"][index]["verdict"].as_str().unwrap()).collect();
    assert_eq!(words, ["certified", "falsified", "misclassified", "falsified"]);
    for (index, truth) in [(1, 0.25), (3, 0.0625)] {
        let (low, high) =
            (0.3 * share(index, "certified_share").unwrap(), 0.3 * share(index, "falsified_share").unwrap());
        assert!(low <= truth && truth <= high && high - low < 0.0004, "{index}: {low} {high}");
    }
    assert_eq!((share(0, "certified_share"), share(0, "falsified_share")), (Some(1.0), None));
    assert_eq!((share(2, "certified_share"), share(2, "falsified_share")), (None, Some(0.0)));
    let output = folder.run("check run.db --model two.nnet");
    let shown = text(&output.stdout);
    assert!(
        output.status.success() && shown.contains("1 certified, 2 falsified and 1 misclassified confirmed"),
        "{shown}"
    );
    let output = folder.run(&format!("{run} --resume"));
    let again: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(again["results"], object["results"]);
}

/// A point is certified at a radius where its bracket says so, and falsified there.
#[test]
fn brackets_agree_with_verdicts() {
    let folder = Folder::new();
    let file = |name: &str| model("digits_mlp").join(name).display().to_string();
    let files = format!("{} --data {} --labels {}", file("model.onnx"), file("images.npy"), file("labels.npy"));
    let run = |args: &str| -> Value {
        let output = folder.run(&format!("{args} --clip 0,1 --select 0..30 --json -"));
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{args}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let brackets = run(&format!("radius {files} --radius 0.2 --precision 0.02"));
    let verdicts = run(&format!("certify {files} --radius 0.08"));
    let mut narrow = 0;
    for index in 0..30 {
        let (bracket, verdict) = (&brackets["results"][index], verdicts["results"][index]["verdict"].as_str().unwrap());
        let low = bracket["certified_share"].as_f64().map_or(0.0, |share| 0.2 * share);
        let high = bracket["falsified_share"].as_f64().map_or(f64::INFINITY, |share| 0.2 * share);
        let permitted: &[&str] = match () {
            () if high == 0.0 => &["misclassified"],
            () if high <= 0.08 => &["falsified"],
            () if low >= 0.08 => &["certified"],
            () => &["certified", "falsified"],
        };
        assert!(permitted.contains(&verdict), "point {index}: {low} {high} {verdict}");
        narrow += usize::from(high - low < 0.005);
    }
    assert!(narrow > 20, "{narrow} of 30 brackets are narrow");
}

#[test]
fn refusals() {
    let expected = "--precision: expected a share greater than 0 and at most 1, such as 0.01, found 0";
    check_refusals("radius", [("precision", None, "two.nnet --data data.csv --radius 0.1 --precision 0", expected)]);
}
