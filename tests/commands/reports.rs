//! `bartizan report`, and the forms that `certify`, `radius` and `volume` write.

use serde_json::Value;

use crate::files::{Folder, check_refusals, text};

const RUN: &str = "certify two.nnet --data data.csv --radius 0.1 --store run.db";

/// A folder with a run.
fn folder() -> Folder {
    let folder = Folder::new();
    assert_eq!(folder.run(RUN).status.code(), Some(0));
    folder
}

#[test]
fn a_stored_run_tells_the_same_as_the_run_itself() {
    let folder = Folder::new();
    let forms = "--report 1.html --junit 1.xml --sarif 1.sarif --csv 1.csv --parquet 1.parquet --json 1.json";
    let output = folder.run(&format!("{RUN} {forms} --markdown -"));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let printed = text(&output.stdout).to_owned();
    assert!(printed.starts_with("## Robustness of `two.nnet` on `data.csv`\n"), "{printed}");
    let output = folder.run(&format!("report run.db {} --markdown -", forms.replace('1', "2")));
    assert_eq!((output.status.code(), text(&output.stderr), text(&output.stdout)), (Some(0), "", printed.as_str()));
    for name in ["sarif", "csv", "parquet"] {
        assert!(folder.read_bytes(&format!("1.{name}")) == folder.read_bytes(&format!("2.{name}")), "{name}");
    }
    let [one, two] = [1, 2].map(|n| serde_json::from_str::<Value>(&folder.read(&format!("{n}.json"))).unwrap());
    for field in ["results", "figures", "statement", "merkle_root", "points", "coverage"] {
        assert_eq!(one[field], two[field], "{field}");
    }
    assert_eq!(one["ended_by"], "completion");
    assert!(folder.read("2.xml").contains(r#"tests="4" skipped="0" failures="2""#), "{}", folder.read("2.xml"));
    let page = folder.read("2.html");
    assert!(
        page.contains("bartizan check run.db --model two.nnet") && page.contains("<td class=\"r\">0.5</td>"),
        "{page}"
    );
}

#[test]
fn confidence_and_gate_are_those_of_the_report() {
    let folder = folder();
    let exit = |args: &str| folder.run(&format!("report run.db {args}")).status.code().unwrap();
    assert_eq!(
        (exit(""), exit("--require 0.06"), exit("--require 0.2"), exit("--require 0.2 --confidence 0.5")),
        (0, 0, 1, 0)
    );
    let output = folder.run("report run.db --require certified>=0.2");
    assert!(text(&output.stdout).ends_with("Gate not met: the lower end 6.75 % is below 20 %.\n"));
}

#[test]
fn moved_data_is_found_or_done_without() {
    let folder = folder();
    std::fs::rename(folder.path().join("data.csv"), folder.path().join("moved.csv")).unwrap();
    let output = folder.run("report run.db -o r.html");
    let note = "note: the report does without the data set (--data FILE names it): data.csv: cannot read: ";
    assert!(output.status.success() && text(&output.stderr).starts_with(note), "{}", text(&output.stderr));
    assert!(folder.read("r.html").contains("<th class=\"r\">from</th>"));
    let output = folder.run("report run.db -o r.html --data moved.csv");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    folder.write("moved.csv", "a,b,label\n1,0,0\n0,0.5,1\n0.25,0.5,0\n0.5,0.25,0\n");
    let output = folder.run("report run.db -o r.html --data moved.csv");
    let error = text(&output.stderr);
    assert!(error.starts_with("error: moved.csv: SHA-256: expected ") && output.status.code() == Some(2), "{error}");
    assert!(error.contains(", the file that run.db tells of, found "), "{error}");
}

#[test]
fn refusals() {
    check_refusals(
        "certify",
        [
            (
                "one file twice",
                None,
                "two.nnet --data data.csv --radius 0.1 --junit r --sarif ./r",
                "--sarif: expected another file than that of --junit, found `./r`",
            ),
            (
                "standard output twice",
                None,
                "two.nnet --data data.csv --radius 0.1 --json - --markdown -",
                "--markdown: expected another file than that of --json, found `-`",
            ),
            (
                "no folder",
                None,
                "two.nnet --data data.csv --radius 0.1 --csv no/r.csv",
                "no/r.csv: cannot write: No such file or directory (os error 2)",
            ),
            (
                "store",
                None,
                "two.nnet --data data.csv --radius 0.1 --store run.db -o ./run.db",
                "--store: expected another file than that of --report, found `run.db`",
            ),
        ],
    );
    let folder = folder();
    let error = |args: &str| {
        let output = folder.run(&format!("report {args}"));
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{args}");
        text(&output.stderr).to_owned()
    };
    assert_eq!(
        error("run.db --csv run.db"),
        "error: RUN.db: expected another file than that of --csv, found `run.db`\n"
    );
    assert_eq!(error("gone.db"), "error: gone.db: cannot read: No such file or directory (os error 2)\n");
    let expected = "error: --confidence: expected a number between 0 and 1, such as 0.95, found 1\n";
    assert_eq!(error("run.db --confidence 1"), expected);
}

/// A form that cannot be written takes no other with it.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_takes_one_form_only() {
    let folder = folder();
    let output = folder.run("report run.db --csv /dev/full --json r.json -o /dev/full --junit r.xml");
    let errors = "error: /dev/full: cannot write: No space left on device (os error 28)\n".repeat(2);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), errors.as_str()));
    assert!(text(&output.stdout).contains("With confidence 95 %"));
    assert!(folder.read("r.json").ends_with("}\n") && folder.read("r.xml").contains("</testsuites>"));
}

#[test]
fn radius_runs_have_curves_and_the_schema_is_printed() {
    let folder = Folder::new();
    let output = folder.run("radius two.nnet --data data.csv --radius 0.5 --precision 0.05 -o r.html --json -");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    let steps = object["figures"]["curve"]["steps"].as_array().unwrap();
    assert!(steps.len() > 4 && steps.iter().all(|step| step["lower"].as_f64() <= step["upper"].as_f64()));
    assert!(folder.read("r.html").contains("the largest radius that it looked at"));
    let output = folder.run("report --schema");
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}

#[test]
fn volumes_are_drawn_over_two_inputs() {
    let folder = Folder::new();
    let output = folder.run("volume two.nnet fails.vnnlib --undecided 0.1 --report r.html");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let page = folder.read("r.html");
    for class in ["certified", "violated", "undecided"] {
        assert!(page.contains(&format!(r#"<path class="{class}" d="M"#)), "{class}");
    }
    // The part with X_1 - X_0 >= 0.5 is an eighth of the square.
    let share = |name: &str| {
        let part = page.split(name).nth(1).unwrap();
        part.split(" %").next().unwrap().parse::<f64>().unwrap()
    };
    let (certified, violated) = (share("At least "), share("certified and at least "));
    assert!(certified <= 87.5 && violated <= 12.5 && certified + violated >= 90.0, "{certified}, {violated}");

    let model = crate::files::model("controller/model.nnet").display().to_string();
    let property = crate::files::model("controller/properties/cruise_holds.vnnlib").display().to_string();
    let output = folder.run(&format!("volume {model} {property} --report three.html"));
    assert_eq!(text(&output.stderr), "");
    let page = folder.read("three.html");
    assert!(
        page.contains("There is a picture where exactly two inputs vary.") || page.contains("<path class="),
        "{page}"
    );
}
