//! Certificates as files: written by `verify` and `batch`, judged by `check`.

use serde_json::Value;

use crate::files::{FAILS, Folder, HOLDS, gzipped, model, text};

/// Lists two queries about copies of one network, and one that does not hold.
const LIST: &str = "net.nnet,holds.vnnlib,10\ntwo.nnet,p/other.vnnlib.gz,10\nnet.nnet,fails.vnnlib,10\n";

/// A folder where a batch has written its certificates to `proofs/`.
fn after_a_batch() -> Folder {
    let folder = Folder::new();
    folder.make_folder("p");
    folder.write("p/other.vnnlib.gz", gzipped(HOLDS.replace("1.5", "1.25").as_bytes()));
    folder.write("list.csv", LIST);
    let output = folder.run("batch list.csv --proofs proofs --results out.csv");
    assert_eq!(output.status.code(), Some(1));
    folder
}

const FIRST: &str = "proofs/00000.net.holds.cert";

#[test]
fn batch_writes_a_certificate_for_each_verified_instance_and_check_accepts_them() {
    let folder = after_a_batch();
    let rows: Vec<Vec<String>> = csv::Reader::from_reader(folder.read("out.csv").as_bytes())
        .records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(rows[0][4], FIRST);
    assert_eq!(rows[1][4], "proofs/00001.two.other.cert");
    assert_eq!((rows[2][4].as_str(), rows[2][5].as_str()), ("", ""));
    assert_eq!(rows[0][5], folder.read_bytes(FIRST).len().to_string());

    let output = folder.run("check proofs --model net.nnet --property holds.vnnlib --property p");
    let printed = text(&output.stdout);
    assert!(printed.starts_with("2 verified, 0 refused, 0 not checked in "), "{printed}");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let output = folder.run("check proofs --model . --property . --property p --json --jobs 1");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let verdicts: Vec<&str> =
        answer["results"].as_array().unwrap().iter().map(|r| r["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["verified", "verified"]);
    assert_eq!(answer["results"][0]["leaves"], 1);
}

#[test]
fn verify_writes_the_certificate_that_it_describes() {
    let folder = Folder::new();
    let output = folder.run("verify net.nnet holds.vnnlib --proof q.cert --json");
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    let certificate = &answer["certificate"];
    assert_eq!(certificate["path"], "q.cert");
    assert_eq!(certificate["bytes"], folder.read_bytes("q.cert").len());
    let output = folder.run("check q.cert --model net.nnet --property holds.vnnlib");
    assert!(text(&output.stdout).starts_with("1 verified, 0 refused, 0 not checked"));

    let output = folder.run("verify net.nnet fails.vnnlib --proof r.cert");
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.names().contains(&"r.cert".to_owned()));
}

#[test]
fn damaged_certificates_are_refused_by_name_and_the_others_still_checked() {
    let folder = after_a_batch();
    let mut bytes = folder.read_bytes(FIRST);
    bytes.push(0);
    folder.write(FIRST, &bytes);
    let output = folder.run("check proofs --model . --property . --property p");
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines[0], format!("refused      {FIRST}: expected the end of the certificate, found more bytes"));
    assert!(lines[1].starts_with("1 verified, 1 refused, 0 not checked"), "{}", lines[1]);
    assert_eq!(output.status.code(), Some(1));
    folder.write(FIRST, "no certificate");
    let output = folder.run("check proofs --model . --property . --property p");
    let expected = format!("refused      {FIRST}: expected a certificate, found something else\n");
    assert!(text(&output.stdout).starts_with(&expected), "{}", text(&output.stdout));
}

#[test]
fn what_is_missing_is_named() {
    let folder = after_a_batch();
    folder.write("other.vnnlib", FAILS);
    let output = folder.run(&format!("check {FIRST} --model net.nnet --property other.vnnlib"));
    let printed = text(&output.stdout);
    assert!(printed.starts_with(&format!("not checked  {FIRST}: expected a property with SHA-256 ")), "{printed}");
    assert!(printed.contains(", found none among the 1 given\n0 verified, 0 refused, 1 not checked"), "{printed}");
    assert_eq!(output.status.code(), Some(2));
    let output = folder.run(&format!("check {FIRST} --model one.nnet --property holds.vnnlib"));
    assert!(text(&output.stdout).contains(": expected a model with SHA-256 "), "{}", text(&output.stdout));
    let output = folder.run("check gone.cert --model one.nnet --property holds.vnnlib");
    let printed = text(&output.stdout);
    assert!(printed.starts_with("not checked  gone.cert: cannot read: No such file or directory"), "{printed}");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn certificates_say_which_semantics_they_prove() {
    let folder = Folder::new();
    let network = model("controller/model.onnx").display().to_string();
    let property = model("controller/properties/close_brakes_hard.vnnlib").display().to_string();
    let proved = folder.run(&format!("verify {network} {property} --semantics float32 --proof p.cert --json"));
    let answer: Value = serde_json::from_slice(&proved.stdout).unwrap();
    assert_eq!((proved.status.code(), &answer["semantics"]), (Some(0), &Value::from("float32")), "{answer}");
    let checked = folder.run(&format!("check p.cert --model {network} --property {property}"));
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stderr));
    let said = "\n1 of them in every binary32 execution of the network, whatever the order in which it adds\n";
    assert!(text(&checked.stdout).ends_with(said), "{}", text(&checked.stdout));
    let refused = folder.run(&format!("verify {network} {property} --semantics bfloat16"));
    assert_eq!(refused.status.code(), Some(2));
    assert!(
        text(&refused.stderr).contains("expected `real` or `float32`, found `bfloat16`"),
        "{}",
        text(&refused.stderr)
    );
}
