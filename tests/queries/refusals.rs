//! Bad inputs: the complete message, exit code 2, and nothing on standard output.

use super::files::{Folder, HOLDS, NET, digits, gzipped, patched, text};

/// Name, file to make (name and bytes), arguments, and the message after `error: `.
type Case = (&'static str, Option<(&'static str, Vec<u8>)>, &'static str, &'static str);

fn check(cases: impl IntoIterator<Item = Case>) {
    for (name, file, args, expected) in cases {
        let folder = Folder::new();
        if let Some((path, bytes)) = file {
            folder.write(path, bytes);
        }
        let output = folder.run(args);
        if std::env::var("SHOW").is_ok() {
            println!("{name} || {}", text(&output.stderr));
            continue;
        }
        assert_eq!(text(&output.stderr), format!("error: {expected}\n"), "{name}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{name}");
    }
}

const INSPECT: &str = "inspect bad.onnx";
const INSPECT_NNET: &str = "inspect bad.nnet";
const VERIFY: &str = "verify net.nnet bad.vnnlib";

/// A damaged model.
fn onnx(name: &'static str, bytes: Vec<u8>, expected: &'static str) -> Case {
    (name, Some(("bad.onnx", bytes)), INSPECT, expected)
}

/// The shipped network with one name changed.
fn renamed(name: &'static str, from: &str, to: &str, expected: &'static str) -> Case {
    onnx(name, patched(&digits(), from.as_bytes(), to.as_bytes()), expected)
}

#[test]
fn onnx_models() {
    let whole = digits();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        bytes
    };
    check([
        ("no model", None, "inspect gone.onnx", ""),
        ("folder for a model", None, "inspect .", ""),
        onnx("empty model", Vec::new(), ""),
        onnx("text for a model", b"this is not a network".to_vec(), ""),
        onnx("first half of a model", whole[..whole.len() / 2].to_vec(), ""),
        onnx("all but the last byte of a model", whole[..whole.len() - 1].to_vec(), ""),
        onnx("damaged first byte", flipped(0), ""),
        onnx("damaged gzip", gzipped(&whole)[..9000].to_vec(), ""),
        renamed("operator that is not piecewise linear", "Relu", "Tanh", ""),
        renamed("operator that does not exist", "Gemm", "Gemx", ""),
        renamed("attribute that does not exist", "transB", "transX", ""),
        renamed("NaN weight", "\0", "\0", ""),
    ]);
}

#[test]
fn nnet_models() {
    let nnet = |name, from: &str, to: &str, expected| -> Case {
        (name, Some(("bad.nnet", patched(NET.as_bytes(), from.as_bytes(), to.as_bytes()))), INSPECT_NNET, expected)
    };
    check([
        nnet("letters for a weight", "1,0,\n0,1,", "1,zero,\n0,1,", ""),
        nnet("NaN weight", "1,0,\n0,1,", "1,nan,\n0,1,", ""),
        nnet("row too short", "1,0,\n0,1,", "1,\n0,1,", ""),
        nnet("layer sizes that contradict the header", "2,2,2,\n0", "3,2,2,\n0", ""),
        nnet("range of zero", "1,1,1,", "0,1,1,", ""),
        nnet("huge layer", "2,2,2,2,\n2,2,2,", "2,2,2,2,\n2,99999999999,2,", ""),
        ("truncated", Some(("bad.nnet", NET.as_bytes()[..60].to_vec())), INSPECT_NNET, ""),
        ("no text", Some(("bad.nnet", vec![0xff; 40])), INSPECT_NNET, ""),
    ]);
}

#[test]
fn properties() {
    let vnnlib = |name, from: &str, to: &str, expected| -> Case {
        (name, Some(("bad.vnnlib", patched(HOLDS.as_bytes(), from.as_bytes(), to.as_bytes()))), VERIFY, expected)
    };
    check([
        ("no property", None, "verify net.nnet gone.vnnlib", ""),
        ("empty property", Some(("bad.vnnlib", Vec::new())), VERIFY, ""),
        vnnlib("unbalanced", "1.5)))", "1.5))", ""),
        vnnlib("one parenthesis too many", "1.5)))", "1.5))))", ""),
        vnnlib("undeclared input", "(>= X_1 0)", "(>= X_5 0)", ""),
        vnnlib("missing bound", "(>= X_1 0) ", "", ""),
        vnnlib("empty region", "(>= X_1 0)", "(>= X_1 2)", ""),
        vnnlib("product of variables", "1.5", "(* X_0 X_1)", ""),
        vnnlib("unknown connective", "(and", "(xor", ""),
        vnnlib("number too large", "1.5", "1e999", ""),
        vnnlib("not a number", "1.5", "nan", ""),
        vnnlib("other sort", "X_1 Real", "X_1 Bool", ""),
        vnnlib("gap in the numbering", "declare-const Y_1", "declare-const Y_2", ""),
        vnnlib("version 2", "(declare-const X_0 Real)", "(vnnlib-version <2.0>)", ""),
        (
            "fewer inputs than the network",
            Some((
                "bad.vnnlib",
                HOLDS.replace("(declare-const X_1 Real)\n", "").replace("(>= X_1 0) (<= X_1 1)", "").into(),
            )),
            VERIFY,
            "",
        ),
        (
            "more outputs than the network",
            Some((
                "bad.vnnlib",
                HOLDS.replace("Real)\n(assert (and", "Real)\n(declare-const Y_2 Real)\n(assert (and").into(),
            )),
            VERIFY,
            "",
        ),
    ]);
}

#[test]
fn lists_and_options() {
    let list = |name, content: &str, expected| -> Case {
        (name, Some(("bad.csv", content.as_bytes().to_vec())), "batch bad.csv", expected)
    };
    check([
        ("no list", None, "batch gone.csv", ""),
        list("empty list", "", ""),
        list("one field", "net.nnet\n", ""),
        list("time limit in words", "net.nnet,holds.vnnlib,soon\n", ""),
        list("negative time limit", "net.nnet,holds.vnnlib,-1\n", ""),
        ("negative time limit as option", None, "verify net.nnet holds.vnnlib --timeout=-1", ""),
        ("time limit that is not a number", None, "verify net.nnet holds.vnnlib --timeout NaN", ""),
        (
            "results into a folder that does not exist",
            Some(("list.csv", b"net.nnet,holds.vnnlib,10\n".to_vec())),
            "batch list.csv --results gone/out.csv",
            "",
        ),
    ]);
}
