//! Bad inputs: the complete message, exit code 2, and nothing on standard output.

use crate::files::{Folder, check_refusals, floats, npy, npz, text};

#[test]
fn files() {
    let pair = |shape: &str, values: &[f32]| npy("<f4", shape, &floats(values));
    check_refusals(
        "certify",
        [
            (
                "no model",
                None,
                "gone.onnx --data data.csv --radius 0.1",
                "gone.onnx: cannot read: No such file or directory (os error 2)",
            ),
            (
                "no data",
                None,
                "two.nnet --data gone.npy --radius 0.1",
                "gone.npy: cannot read: No such file or directory (os error 2)",
            ),
            (
                "unknown format",
                Some(("x.mat", b"MATLAB".to_vec())),
                "two.nnet --data x.mat --radius 0.1",
                "x.mat: file name extension: expected `.npy`, `.npz`, `.csv`, `.txt` or `.parquet`, or a folder of PNG images, found `.mat`",
            ),
            (
                "not npy",
                Some(("bad.npy", b"1,2,3".to_vec())),
                "two.nnet --data bad.npy --labels y.npy --radius 0.1",
                r#"bad.npy: byte 0: expected the magic string "\x93NUMPY" of .npy files, found "1,2,3""#,
            ),
            (
                "truncated npy",
                Some(("bad.npy", pair("(4, 2)", &[0.0; 7]))),
                "two.nnet --data bad.npy --labels y.npy --radius 0.1",
                "bad.npy: data: expected 32 bytes (8 elements of <f4), found 28 bytes",
            ),
            (
                "unsupported type",
                Some(("bad.npy", npy("<f2", "(4, 2)", &[0; 16]))),
                "two.nnet --data bad.npy --labels y.npy --radius 0.1",
                "bad.npy: header, `descr`: expected floats f4 or f8, or integers i1 to i8 or u1 to u8, found `<f2`",
            ),
            (
                "not a number",
                Some(("bad.npy", pair("(1, 2)", &[0.0, f32::NAN]))),
                "two.nnet --data bad.npy --labels y.npy --radius 0.1",
                "bad.npy: point 0, element 1: expected a finite number, found NaN",
            ),
            (
                "no points",
                Some(("bad.npy", pair("(0, 2)", &[]))),
                "two.nnet --data bad.npy --labels y.npy --radius 0.1",
                "bad.npy: points: expected at least one point, found none",
            ),
            (
                "other size than the network's input",
                Some(("bad.npy", pair("(4, 1, 3)", &[0.0; 12]))),
                "two.nnet --data bad.npy --labels y.npy --radius 0.1",
                "bad.npy: points: expected 2 elements, the network's input [2], found 3 elements, shape [1, 3]",
            ),
        ],
    );
}

#[test]
fn archives_and_networks() {
    let pair = |shape: &str, values: &[f32]| npy("<f4", shape, &floats(values));
    check_refusals(
        "certify",
        [
            (
                "not an archive",
                Some(("bad.npz", b"PK\x03\x04".to_vec())),
                "two.nnet --data bad.npz --radius 0.1",
                "bad.npz: archive: expected a complete .npz archive, found invalid Zip archive: Could not find EOCD",
            ),
            (
                "no such array",
                Some(("bad.npz", npz("x", &pair("(1, 2)", &[0.0; 2])))),
                "two.nnet --data bad.npz:points --labels y.npy --radius 0.1",
                "bad.npz: archive: expected array `points`, found `x`",
            ),
            (
                "no labels in the archive",
                Some(("bad.npz", npz("x", &pair("(1, 2)", &[0.0; 2])))),
                "two.nnet --data bad.npz --radius 0.1",
                "bad.npz: archive: expected an array `y` with labels, or --labels FILE, found `x`",
            ),
            (
                "one class",
                None,
                "one.nnet --data x.npy --labels y.npy --radius 0.1",
                "one.nnet: output: expected at least two classes, found 1",
            ),
        ],
    );
}

#[test]
fn tables() {
    check_refusals(
        "certify",
        [
            (
                "empty",
                Some(("bad.csv", Vec::new())),
                "two.nnet --data bad.csv --radius 0.1",
                "bad.csv: table: expected at least one row, found an empty file",
            ),
            (
                "header only",
                Some(("bad.csv", b"a,b,label\n".to_vec())),
                "two.nnet --data bad.csv --radius 0.1",
                "bad.csv: points: expected at least one point, found none",
            ),
            (
                "text in a cell",
                Some(("bad.csv", b"a,b,label\n1,0,0\n\n1,high,0\n".to_vec())),
                "two.nnet --data bad.csv --radius 0.1",
                "bad.csv: line 4, column `b`: expected a finite number, found `high`",
            ),
            (
                "ragged",
                Some(("bad.csv", b"1,0,0\n1,0\n".to_vec())),
                "two.nnet --data bad.csv --radius 0.1",
                "bad.csv: line 2: expected 3 cells as in the first line, found 2",
            ),
            (
                "a label that is no index",
                Some(("bad.csv", b"a,b,label\n1,0,0\n1,0,0.5\n".to_vec())),
                "two.nnet --data bad.csv --radius 0.1",
                "bad.csv: line 3, column `label`: expected a class index (0, 1, 2, ...), found 0.5",
            ),
            (
                "no such column",
                None,
                "two.nnet --data data.csv --label-column class --radius 0.1",
                "data.csv: columns: expected `class`, found `a`, `b`, `label`",
            ),
            (
                "labels counted as a feature",
                None,
                "two.nnet --data data.csv --labels y.npy --radius 0.1",
                "data.csv: points: expected 2 elements, the network's input [2], found 3 elements, shape [3]",
            ),
        ],
    );
}

#[test]
fn labels() {
    check_refusals(
        "certify",
        [
            (
                "none",
                None,
                "two.nnet --data x.npy --radius 0.1",
                "x.npy: labels: expected a file of labels (--labels), as this format holds points only, found none",
            ),
            (
                "too few",
                Some(("bad.npy", npy("|u1", "(3,)", &[0, 1, 0]))),
                "two.nnet --data x.npy --labels bad.npy --radius 0.1",
                "bad.npy: labels: expected 4 labels, one for each point of x.npy, found 3",
            ),
            (
                "negative",
                Some(("bad.npy", npy("|i1", "(4,)", &[0, 0xff, 0, 0]))),
                "two.nnet --data x.npy --labels bad.npy --radius 0.1",
                "bad.npy: label 1: expected a class index (0, 1, 2, ...), found -1",
            ),
            (
                "one-hot",
                Some(("bad.npy", npy("|u1", "(4, 2)", &[0; 8]))),
                "two.nnet --data x.npy --labels bad.npy --radius 0.1",
                "bad.npy: labels: expected one label for each point (shape [n] or [n, 1]), found shape [4, 2]",
            ),
            (
                "no such class",
                Some(("bad.txt", b"0\n1\n0\n2\n".to_vec())),
                "two.nnet --data x.npy --labels bad.txt --radius 0.1",
                "bad.txt: label of point 3: expected a class from 0 to 1, as the network has outputs, found 2",
            ),
        ],
    );
}

/// Options after a network and data that fit together.
fn check_options(cases: &[(&'static str, &'static str, &'static str)]) {
    for (name, args, expected) in cases {
        let output = Folder::new().certify(&format!("two.nnet --data data.csv {args}"));
        assert_eq!(text(&output.stderr), format!("error: {expected}\n"), "{name}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{name}");
    }
}

#[test]
fn numbers_of_the_question() {
    check_options(&[
        (
            "radius",
            "--radius two",
            "--radius: expected numbers such as 0.02 or 0.1,0.2,0.3, or a text file of numbers, found `two`",
        ),
        ("radius below zero", "--radius -0.1", "--radius: expected only numbers that are not negative, found `-0.1`"),
        ("three radii", "--radius 1,2,3", "--radius: expected 1 or 2 numbers for the network's input [2], found 3"),
        ("unknown feature", "--radius 0.1 --fix 2", "--fix: expected features from 0 to 1, found `2`"),
        (
            "nothing varies",
            "--radius 0.1 --fix 0,1",
            "--fix: expected at least one feature that varies, found all 2 fixed",
        ),
        ("clip", "--radius 0.1 --clip 0", "--clip: expected two numbers such as 0,1, found `0`"),
        (
            "clip upside down",
            "--radius 0.1 --clip 1,0",
            "--clip: expected a lower end below the upper end, found `1,0`",
        ),
        (
            "point outside the range",
            "--radius 0.1 --clip 0,0.75",
            "data.csv: point 0: element 0 of the point: expected a value in [0, 0.75], found 1",
        ),
        (
            "mean of another size",
            "--radius 0.1 --mean 1,2,3",
            "--mean: expected 1 or 2 numbers for the network's input [2], found 3",
        ),
        (
            "mean that is no number",
            "--radius 0.1 --mean 0.5,x",
            "--mean: expected a number such as 0.02 or 8/255, found `x`",
        ),
        (
            "mean in a file that is not there",
            "--radius 0.1 --mean mean.txt",
            "--mean: expected numbers such as 0.02 or 0.1,0.2,0.3, or a text file of numbers, found `mean.txt`",
        ),
        (
            "mean in a file of something else",
            "--radius 0.1 --mean two.nnet",
            "two.nnet: number 0: expected a number, found `//`",
        ),
        ("deviation of zero", "--radius 0.1 --std 1,0", "--std: expected positive numbers, found 0"),
    ]);
}

#[test]
fn numbers_of_the_run() {
    check_options(&[
        (
            "selection beyond the end",
            "--radius 0.1 --select 2..5",
            "--select: expected indices below 4, the number of points, found `2..5`",
        ),
        (
            "selection of something else",
            "--radius 0.1 --select 1-3",
            "--select: expected indices and ranges such as 0..200 or 0,5,9, found `1-3`",
        ),
        (
            "a point selected twice",
            "--radius 0.1 --select 0..3,2",
            "--select: expected every point once, found 2 twice",
        ),
        (
            "timeout",
            "--radius 0.1 --timeout=-1",
            "--timeout: expected a number of seconds from 0 to 1000000000, found -1",
        ),
        (
            "endless timeout",
            "--radius 0.1 --timeout 1e19",
            "--timeout: expected a number of seconds from 0 to 1000000000, found 10000000000000000000",
        ),
        ("jobs", "--radius 0.1 --jobs 0", "--jobs: expected at least one thread, found 0"),
        (
            "confidence",
            "--radius 0.1 --confidence 95",
            "--confidence: expected a number between 0 and 1, such as 0.95, found 95",
        ),
        (
            "gate",
            "--radius 0.1 --require 90",
            "--require: expected a share from 0 to 1, such as 0.9 or 'certified>=0.9', found 90",
        ),
        (
            "report in a folder that is not there",
            "--radius 0.1 --json no/r.json",
            "no/r.json: cannot write: No such file or directory (os error 2)",
        ),
    ]);
}

#[test]
fn a_missing_option_is_a_usage_error() {
    let output = Folder::new().certify("two.nnet --data data.csv");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--radius <NUMBERS>"), "{}", text(&output.stderr));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported_after_the_table() {
    let output = Folder::new().certify("two.nnet --data data.csv --radius 0.1 --json /dev/full");
    assert_eq!(text(&output.stderr), "error: /dev/full: cannot write: No space left on device (os error 28)\n");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stdout).contains("certified            2   50.0 %"), "{}", text(&output.stdout));
}
