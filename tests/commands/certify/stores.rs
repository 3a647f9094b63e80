//! `bartizan certify --store`, and `bartizan check` of what it wrote.

use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::files::{Folder, check_refusals, model, text};

const RUN: &str = "two.nnet --data data.csv --radius 0.1 --clip 0,1 --store run.db";

fn stored() -> Folder {
    let folder = Folder::new();
    let output = folder.certify(RUN);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    folder
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

fn count(connection: &Connection, condition: &str) -> u64 {
    connection.query_row(&format!("SELECT count(*) FROM points WHERE {condition}"), (), |row| row.get(0)).unwrap()
}

/// Arguments that name the network and the data of `models/digits_mlp`.
fn digits() -> String {
    let file = |name: &str| model("digits_mlp").join(name).display().to_string();
    format!("{} --data {} --labels {}", file("model.onnx"), file("images.npy"), file("labels.npy"))
}

#[test]
fn the_store_and_the_object_tell_the_same() {
    let folder = Folder::new();
    let args = format!("{} --radius 0.05 --clip 0,1 --select 0..60 --seed 7 --store run.db --json -", digits());
    let output = folder.certify(&args);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&object["store"], &object["unanswered"]), (&"run.db".into(), &0.into()));
    let store = open(&folder.path().join("run.db"));
    for word in ["certified", "falsified", "misclassified"] {
        assert_eq!(object[word], count(&store, &format!("verdict = '{word}'")), "{word}");
    }
    assert_eq!(object["unknown"], count(&store, "verdict IN ('unknown', 'timeout')"));
    for result in object["results"].as_array().unwrap() {
        let row = "label = {label} AND verdict = '{verdict}' AND abs(time_s - {time_s}) < 1e-9 AND point = {index}";
        let condition = ["label", "verdict", "time_s", "index"].iter().fold(row.to_owned(), |row, name| {
            row.replace(&format!("{{{name}}}"), result[name].to_string().trim_matches('"'))
        });
        assert_eq!(count(&store, &condition), 1, "{condition}");
    }
    let columns = "SELECT concat_ws('|', model_sha256, data_sha256, labels_sha256, radius, clip, selection, selected, \
                   available, method, seed, norm) FROM run";
    let row: String = store.query_row(columns, (), |row| row.get(0)).unwrap();
    let (model, data) =
        (object["model"]["sha256"].as_str().unwrap(), object["data"]["points_sha256"].as_str().unwrap());
    let labels = object["data"]["labels_sha256"].as_str().unwrap();
    assert_eq!(row, format!("{model}|{data}|{labels}|0.05|0,1|0..60|60|360|auto|7|linf"));
    assert_eq!(folder.names().iter().filter(|name| name.starts_with("run.db")).count(), 1);
}

#[test]
fn a_finished_run_is_accepted() {
    let folder = stored();
    let output = folder.run("check run.db --model two.nnet");
    let shown = text(&output.stdout);
    let expected = "2 certified, 1 falsified and 1 misclassified confirmed, 0 unknown, 0 refused in ";
    let lines: Vec<&str> = shown.lines().collect();
    let root = lines[0].strip_prefix("the figures of the manifest are those of its points; root ").unwrap();
    assert!(root.len() == 64 && lines[1].starts_with(expected) && lines.len() == 2, "{shown}");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    // The same points in other files, and a network of the same bytes.
    let output = folder.run("check run.db --model net.nnet --data x.npy --labels y.npy --jobs 3 --json");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&object["accepted"], &object["selected"], &object["points"]), (&4.into(), &4.into(), &4.into()));
    assert_eq!((&object["certified"], &object["refused"]), (&2.into(), &serde_json::json!([])));
}

#[test]
fn numbers_of_files_are_kept_in_the_store() {
    let folder = Folder::new();
    folder.write("mean.txt", "0.25\n0.1");
    let output = folder.certify("two.nnet --data data.csv --radius 1/20 --mean mean.txt --std 1,2 --store run.db");
    assert_eq!(output.status.code(), Some(0));
    folder.write("mean.txt", "0.3\n0.1");
    assert_eq!(folder.run("check run.db --model two.nnet").status.code(), Some(0));
}

#[test]
fn balls_and_radii_of_files_are_checked_again() {
    let folder = Folder::new();
    folder.write("radii.txt", "0.03 0.039");
    let output = folder.certify("two.nnet --data data.csv --radius radii.txt --norm l2 --store run.db");
    assert_eq!(output.status.code(), Some(0));
    folder.write("radii.txt", "0.3 0.3");
    let output = folder.run("check run.db --model two.nnet");
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("\n3 certified, 0 falsified and 1 misclassified confirmed"));
    let store = Connection::open(folder.path().join("run.db")).unwrap();
    // A store tells its question itself.
    store.execute_batch("UPDATE run SET norm = 'l3', radius = 'radii.txt'").unwrap();
    let output = folder.run("check run.db --model two.nnet");
    let expected = "error: run.db: table `run`, column `norm`: expected linf, l2 or l1, found l3\n";
    assert_eq!(text(&output.stderr), expected);
}

#[test]
fn a_damaged_certificate_is_found_and_named() {
    let folder = stored();
    let store = Connection::open(folder.path().join("run.db")).unwrap();
    let damage = "UPDATE points SET certificate = zeroblob(length(certificate)) WHERE point = 1";
    assert_eq!(store.execute(damage, ()).unwrap(), 1);
    let output = folder.run("check run.db --model two.nnet");
    let shown: Vec<&str> = text(&output.stdout).lines().collect();
    assert!(
        shown[0].starts_with("refused      point 1 (certified): the checker refused the certificate: "),
        "{shown:?}"
    );
    assert!(shown[1].starts_with("refused      manifest: root: expected "));
    assert!(shown[2].starts_with("1 certified, 1 falsified and 1 misclassified confirmed, 0 unknown, 1 refused in "));
    assert_eq!((output.status.code(), shown.len()), (Some(1), 3));
    let output = folder.run("check run.db --model two.nnet --json");
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&object["refused"][0]["index"], &object["refused"][0]["verdict"]), (&1.into(), &"certified".into()));
}

#[test]
fn files_that_are_there_are_not_touched() {
    let cases = [
        (
            "store",
            "two.nnet --data data.csv --radius 0.1 --store taken.db",
            "taken.db: store: expected no file of this name (--resume goes on with the run of an existing one), found one",
        ),
        (
            "folder",
            "two.nnet --data data.csv --radius 0.1 --store gone/run.db",
            "gone/run.db: cannot write: No such file or directory (os error 2)",
        ),
        (
            "report",
            "two.nnet --data data.csv --radius 0.1 --store run.db --json ./run.db",
            "--store: expected another file than that of --json, found `run.db`",
        ),
    ];
    check_refusals(
        "certify",
        cases.map(|(name, args, message)| (name, Some(("taken.db", b"1".to_vec())), args, message)),
    );
    let folder = stored();
    let before = std::fs::read(folder.path().join("run.db")).unwrap();
    assert_eq!(folder.certify(RUN).status.code(), Some(2));
    assert_eq!(std::fs::read(folder.path().join("run.db")).unwrap(), before);
}

/// Kills a run of many points in its middle.
#[test]
fn a_killed_run_keeps_what_was_answered() {
    let folder = Folder::new();
    let path = folder.path().join("run.db");
    let args = format!("certify {} --radius 0.1 --clip 0,1 --jobs 1 --store run.db", digits());
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("bartizan"));
    command.current_dir(folder.path()).args(args.split_whitespace()).stdout(Stdio::null());
    let mut run = command.spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let answered = || {
        let read = |connection: Connection| connection.query_row("SELECT count(*) FROM points", (), |row| row.get(0));
        Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY).and_then(read).unwrap_or(0)
    };
    let mut seen: u64 = 0;
    while seen < 3 && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(2));
        seen = answered();
    }
    run.kill().unwrap();
    run.wait().unwrap();
    let store = open(&path);
    let kept = count(&store, "TRUE");
    assert!(kept >= seen && (3..360).contains(&kept), "{seen} seen, {kept} kept");
    assert_eq!(count(&store, "verdict = 'certified' AND (certificate IS NULL OR leaves IS NULL)"), 0);
    let model = model("digits_mlp/model.onnx").display().to_string();
    let output = folder.run(&format!("check run.db --model {model}"));
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}");
    assert!(shown.starts_with(&format!("the run has not ended: {kept} of 360 points are stored\n")), "{shown}");
    assert!(shown.contains(" 0 refused "), "{shown}");
}

/// A limit on the size of files stands for a disk that is full.
#[cfg(unix)]
#[test]
fn a_full_disk_ends_the_run_and_the_table_is_printed() {
    let folder = Folder::new();
    let binary = assert_cmd::cargo::cargo_bin("bartizan");
    let script = format!(
        "trap '' XFSZ; ulimit -f 256; exec {} certify {} --radius 0.05 --clip 0,1 --store run.db",
        binary.display(),
        digits()
    );
    let output = Command::new("sh").args(["-c", &script]).current_dir(folder.path()).output().unwrap();
    let (shown, error) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(2), "{shown}{error}");
    assert!(error.starts_with("error: run.db: cannot write: ") && error.lines().count() == 1, "{error}");
    let line =
        |name: &str| shown.lines().find(|line| line.starts_with(name)).unwrap_or_default().split_whitespace().nth(1);
    let number = |name: &str| line(name).and_then(|text| text.parse::<u64>().ok()).unwrap();
    let store = open(&folder.path().join("run.db"));
    let kept = count(&store, "TRUE");
    assert_eq!((number("points"), 360 - number("  unanswered")), (360, kept));
    assert!(kept > 0 && number("certified") == count(&store, "verdict = 'certified'"), "{kept}");
}

#[test]
fn runs_over_a_folder_of_images_are_checked() {
    let folder = Folder::new();
    folder.make_folder("images");
    for (class, pixels) in [("0", [255, 0]), ("1", [0, 127])] {
        folder.make_folder(&format!("images/{class}"));
        let mut image = Vec::new();
        png::Encoder::new(&mut image, 2, 1).write_header().unwrap().write_image_data(&pixels).unwrap();
        folder.write(&format!("images/{class}/a.png"), image);
    }
    let output = folder.certify("two.nnet --data images --radius 2 --clip 0,255 --std 255 --store run.db");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let output = folder.run("check run.db --model two.nnet");
    let summary = text(&output.stdout);
    assert!(summary.contains("2 certified, 0 falsified and 0 misclassified confirmed, 0 unknown, "), "{summary}");
    folder.write("images/1/b.png", "");
    let output = folder.run("check run.db --model two.nnet");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("b.png: image: expected a complete PNG file, found "));
    std::fs::rename(folder.path().join("images/1/a.png"), folder.path().join("images/1/b.png")).unwrap();
    let output = folder.run("check run.db --model two.nnet");
    let message = text(&output.stderr);
    assert!(message.contains("images: SHA-256: expected "), "{message}");
}

#[test]
fn checks_that_cannot_be_made() {
    let cases = [
        ("another model", "one.nnet", "one.nnet: SHA-256: expected "),
        ("another file of points", "two.nnet --labels y.npy", "data.csv: points: expected 2 elements"),
        (
            "a property",
            "two.nnet --property holds.vnnlib",
            "--property: expected none for a run, which builds its own properties, found `holds.vnnlib`",
        ),
        ("two models", "two.nnet --model net.nnet", "--model: expected the one model of a run, found 2"),
        ("no threads", "two.nnet --jobs 0", "--jobs: expected at least one thread, found 0"),
    ];
    let folder = stored();
    let refused = |args: &str, message: &str, name: &str| {
        let output = folder.run(&format!("check {args}"));
        let error = text(&output.stderr);
        assert!(error.starts_with(&format!("error: {message}")) && error.lines().count() == 1, "{name}: {error}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{name}");
    };
    for (name, args, message) in cases {
        refused(&format!("run.db --model {args}"), message, name);
    }
    folder.write("data.csv", "a,b,label\n1,0,0\n0,0.5,1\n0.25,0.5,0\n0.5,0.25,0\n");
    refused("run.db --model two.nnet", "data.csv: SHA-256: expected ", "changed points");
    let certificate = "x.cert --model two.nnet --property holds.vnnlib";
    refused(&format!("{certificate} --data x.npy"), "--data: expected none for certificates", "data for a certificate");
    refused("x.cert --model two.nnet", "--property: expected the properties", "a certificate without property");
    // Other points than those of the run are refused one by one.
    let output = folder.run("check run.db --model two.nnet --data data.csv");
    assert!(text(&output.stdout).starts_with("refused      point 3 (falsified): digest of the property: expected "));
    assert_eq!(output.status.code(), Some(1));
    let store = Connection::open(folder.path().join("run.db")).unwrap();
    store.execute_batch("UPDATE run SET radius = 'wide'").unwrap();
    let message = "run.db: table `run`, column `radius`: expected numbers, found `wide`";
    refused("run.db --model two.nnet --data data.csv", message, "a changed question");
    store.execute_batch("UPDATE run SET format = 4").unwrap();
    refused("run.db --model two.nnet", "run.db: table `run`, column `format`: expected 3, found 4", "another version");
}
