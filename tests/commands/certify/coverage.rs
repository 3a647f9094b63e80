//! `bartizan coverage`.

use serde_json::Value;

use crate::files::{Folder, model, text};

/// A folder with a run over the first 200 points of `models/digits_mlp`.
fn digits() -> Folder {
    let folder = Folder::new();
    let output = folder.certify(&format!("{} --radius 0.05 --clip 0,1 --select 0..200 --store run.db", files()));
    assert_eq!(output.status.code(), Some(0));
    folder
}

fn files() -> String {
    let file = |name: &str| model("digits_mlp").join(name).display().to_string();
    format!("{} --data {} --labels {}", file("model.onnx"), file("images.npy"), file("labels.npy"))
}

fn json(folder: &Folder, args: &str) -> Value {
    let output = folder.run(&format!("coverage {args} --json"));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{args}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn ends(object: &Value) -> (f64, f64) {
    (object["lower"].as_f64().unwrap(), object["upper"].as_f64().unwrap())
}

#[test]
fn the_estimates_of_a_run() {
    let folder = digits();
    let object = json(&folder, "run.db --population 360");
    let certified = object["proved"]["certified"].as_u64().unwrap();
    assert_eq!(object["proved"]["points"], 200);
    let (coverage, population) = (ends(&object["coverage"]), ends(&object["population"]["coverage"]));
    assert!(coverage.0 < population.0 && population.1 < coverage.1, "most of the population is known: {object}");
    let share = certified as f64 / 200.0;
    assert!(coverage.0 < share && share < coverage.1);
    // The truth about the population, which is at hand.
    let output = folder.certify(&format!("{} --radius 0.05 --clip 0,1 --json -", files()));
    let whole: Value = serde_json::from_slice(&output.stdout).unwrap();
    let truth = whole["certified"].as_f64().unwrap() / 360.0;
    assert!(population.0 <= truth && truth <= population.1, "{population:?} {truth}");
    let classes = object["classes"].as_array().unwrap();
    let sum = |name: &str| classes.iter().map(|class| class[name].as_u64().unwrap()).sum::<u64>();
    assert_eq!((classes.len(), sum("points"), sum("certified")), (10, 200, certified));
    assert!(classes.iter().all(|class| class["p_value"].is_null()));
    let global = &object["global"];
    let eps = global["eps"].as_f64().unwrap();
    assert!((0.2..1.0).contains(&eps), "200 points say little: {eps}");
    assert!(global["pairs"].as_array().unwrap().iter().all(|pair| pair["radius"].as_f64().unwrap() <= 0.05));
    let output = folder.run("coverage run.db --require 0.7");
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    for part in ["Proved\n", "Estimated\n", "By class\n", "Radius curve", "Gate met", "p-value", "Assumed: "] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    assert_eq!(folder.run("coverage run.db --require certified>=0.99").status.code(), Some(1));
}

#[test]
fn fresh_inputs_inside_certified_regions() {
    let folder = Folder::new();
    folder.write("data.csv", "a,b,label\n1,0.25,0\n0,0.5,1\n0.25,0.5,0\n");
    let run = "two.nnet --data data.csv --radius 0.1 --clip 0,1 --store run.db";
    assert_eq!(folder.certify(run).status.code(), Some(0));
    folder.write("fresh.csv", "a,b,label\n0.95,0.3,0\n0.05,0.45,1\n0.5,0.5,0\n0.25,0.5,0\n");
    let object = json(&folder, "run.db --fresh fresh.csv");
    assert_eq!((&object["fresh"]["points"], &object["fresh"]["inside"]), (&4.into(), &2.into()));
    let (lower, upper) = ends(&object["fresh"]["coverage"]);
    assert!((lower - 0.067_585_986_488_542_3).abs() < 1e-12 && (upper - 0.932_414_013_511_457_7).abs() < 1e-12);
    let object = json(&folder, "run.db --fresh fresh.csv --fresh-select 0,2");
    assert_eq!((&object["fresh"]["points"], &object["fresh"]["inside"]), (&2.into(), &1.into()));
}

#[test]
fn groups_by_a_column_or_a_file() {
    let folder = Folder::new();
    folder.write("data.csv", "a,b,gear,label\n1,0.25,1,0\n0,0.5,2,1\n0.25,0.5,2,0\n0.5,0.375,1,0\n");
    let layers = "1,3,2,3,\n3,2,\n0,\n-9,-9,-9,\n9,9,9,\n0,0,0,0,\n1,1,1,1,\n1,0,0,\n0,1,0,\n0,\n0,\n";
    folder.write("three.nnet", layers);
    let output = folder.certify("three.nnet --data data.csv --radius 0.1 --store run.db");
    let notice = "held fixed, as they hold integers only: gear (--vary all lets them vary)\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), notice));
    folder.write("groups.csv", "label\n7\n7\n0\n7\n");
    for (args, expected) in
        [("--group-by gear", [("1", 2, 1), ("2", 2, 1)]), ("--groups groups.csv", [("0", 1, 0), ("7", 3, 2)])]
    {
        let object = json(&folder, &format!("run.db {args}"));
        let groups = object["groups"]["groups"].as_array().unwrap();
        let found = |i: usize| (&groups[i]["name"], &groups[i]["points"], &groups[i]["certified"]);
        for (i, (name, points, certified)) in expected.into_iter().enumerate() {
            assert_eq!(found(i), (&name.into(), &points.into(), &certified.into()), "{args}");
        }
        assert_eq!(groups.len(), 2);
    }
}

/// What a domain has no answer to is refused, so that no gate is passed by without being looked at.
#[test]
fn domains_take_no_options_of_runs() {
    let folder = Folder::new();
    let options = [
        "--require 0.9",
        "--confidence 0.9",
        "--population 9",
        "--group-by a",
        "--groups y.npy",
        "--fresh x.npy",
        "--data x.npy",
        "--labels y.npy",
    ];
    for option in options {
        let output = folder.run(&format!("coverage two.nnet --domain 0,1 {option}"));
        let name = option.split(' ').next().unwrap();
        let expected = format!("error: the argument '--domain <LO,HI>' cannot be used with '{name} <");
        assert!(text(&output.stderr).starts_with(&expected), "{}", text(&output.stderr));
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    }
}

#[test]
fn files_of_groups_hold_few_different_numbers_of_any_size() {
    let folder = Folder::new();
    let rows = |of: &dyn Fn(usize) -> String| (0..257).map(of).collect::<String>();
    folder.write("many.csv", format!("a,b,label\n{}", rows(&|_| "1,0.25,0\n".to_owned())));
    assert_eq!(
        folder.certify("two.nnet --data many.csv --radius 0.1 --select 0 --store run.db").status.code(),
        Some(0)
    );
    folder.write("groups.csv", format!("label\n{}", rows(&|i| format!("{}\n", 4_000_000_000_usize + i / 200))));
    let object = json(&folder, "run.db --groups groups.csv");
    assert_eq!(object["groups"]["groups"][0]["name"], "4000000000");
    folder.write("groups.csv", format!("label\n{}", rows(&|i| format!("{i}\n"))));
    let output = folder.run("coverage run.db --groups groups.csv");
    let expected = "error: --groups: expected at most 256 different numbers, found more in `groups.csv`\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), expected));
}

#[test]
fn refusals() {
    let folder = Folder::new();
    assert_eq!(
        folder.certify("two.nnet --data data.csv --radius 0.1 --select 0..3 --store run.db").status.code(),
        Some(0)
    );
    let cases = [
        ("--population 2", "--population: expected at least 3, the points that were drawn from it, found 2"),
        ("--group-by c", "--group-by: expected a column `c` of the data set, found `a`, `b`"),
        (
            "--groups y.npy --fresh data.csv",
            "--fresh: expected inputs that are no points of the run (--fresh-select chooses), found point 0 of the same file",
        ),
        (
            "--fresh data.csv --fresh-select 3..9",
            "selection: expected indices below 4, the number of points, found `3..9`",
        ),
        ("--confidence 2", "--confidence: expected a number between 0 and 1, such as 0.95, found 2"),
    ];
    for (args, expected) in cases {
        let output = folder.run(&format!("coverage run.db {args}"));
        assert_eq!(
            (output.status.code(), text(&output.stderr)),
            (Some(2), format!("error: {expected}\n").as_str()),
            "{args}"
        );
    }
    assert_eq!(folder.run("coverage run.db --fresh data.csv --fresh-select 3").status.code(), Some(0));
}

#[test]
fn classes_of_a_whole_domain() {
    let folder = Folder::new();
    let moons = model("moons/model.onnx").display().to_string();
    let run = |args: &str| -> Value {
        let output = folder.run(&format!("coverage {args} --json"));
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""), "{args}");
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let object = run(&format!("{moons} --domain=-1,1 --undecided 0.02"));
    let classes = object["classes"].as_array().unwrap();
    let share = |class: &Value, name: &str| class[name].as_f64().unwrap();
    assert_eq!(classes.len(), 3);
    for class in classes {
        let [certified, violated, undecided] = ["certified", "violated", "undecided"].map(|name| share(class, name));
        assert!(certified + violated + undecided == 1.0 && undecided <= 0.02, "{class}");
    }
    let certified: f64 = classes.iter().map(|class| share(class, "certified")).sum();
    assert!((0.9..=1.0).contains(&certified), "{certified}");
    // The first of two inputs is the larger one in half of the square.
    let object = run("two.nnet --domain 0,1;0,1 --undecided 0.05");
    let half = share(&object["classes"][0], "certified");
    assert!((0.45..=0.5).contains(&half), "{half}");
    let tram = model("tram/model.onnx").display().to_string();
    let object = run(&format!("{tram} --domain 20,80;3,9;-10,10;2,2.5;0,0.5 --undecided 0.3"));
    assert_eq!(object["classes"].as_array().unwrap().len(), 4);
    let refused = |domain: &str| text(&folder.run(&format!("coverage {moons} --domain={domain}")).stderr).to_owned();
    let expected = "error: --domain: expected 1 or 2 pairs LO,HI for the network's inputs, separated by `;`, found 3\n";
    assert_eq!(refused("0,1;0,1;0,1"), expected);
    assert_eq!(refused("1,0"), "error: --domain: expected a lower end below the upper end, found `1,0`\n");
}
