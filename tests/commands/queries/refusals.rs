//! Bad inputs: the complete message, exit code 2, and nothing on standard output.

use crate::files::{HOLDS, NET, Refusal, check_refusals, digits, gzipped, patched};

const INSPECT: &str = "inspect bad.onnx";
const INSPECT_NNET: &str = "inspect bad.nnet";
const VERIFY: &str = "verify net.nnet bad.vnnlib";

/// A damaged model.
fn onnx(name: &'static str, bytes: Vec<u8>, expected: &'static str) -> Refusal {
    (name, Some(("bad.onnx", bytes)), INSPECT, expected)
}

/// The shipped network with one name changed.
fn renamed(name: &'static str, from: &str, to: &str, expected: &'static str) -> Refusal {
    onnx(name, patched(&digits(), from.as_bytes(), to.as_bytes()), expected)
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn onnx_models() {
    let whole = digits();
    let flipped = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        bytes
    };
    check_refusals(
        "",
        [
            ("no model", None, "inspect gone.onnx", "gone.onnx: cannot read: No such file or directory (os error 2)"),
            ("folder for a model", None, "inspect .", ".: cannot read: Is a directory (os error 21)"),
            onnx(
                "empty model",
                Vec::new(),
                "bad.onnx: model: expected one opset from 6 to 28 of the default domain, found opsets []",
            ),
            onnx(
                "text for a model",
                b"this is not a network".to_vec(),
                "bad.onnx: byte 0: expected wire type 0, 1, 2 or 5, found wire type 4",
            ),
            onnx(
                "first half of a model",
                whole[..whole.len() / 2].to_vec(),
                "bad.onnx: byte 16: expected 25851 more bytes, found 12920",
            ),
            onnx(
                "all but the last byte of a model",
                whole[..whole.len() - 1].to_vec(),
                "bad.onnx: byte 25869: expected 4 more bytes, found 3",
            ),
            onnx(
                "damaged first byte",
                flipped(0),
                "bad.onnx: byte 0: expected wire type 0, 1, 2 or 5, found wire type 7",
            ),
            onnx(
                "damaged gzip",
                gzipped(&whole)[..9000].to_vec(),
                "bad.onnx: cannot read: not a complete gzip file (incomplete deflate stream)",
            ),
            renamed(
                "operator that is not piecewise linear",
                "\x22\x04Relu",
                "\x22\x04Tanh",
                "bad.onnx: node Relu_2 (Tanh): expected a piecewise linear operator, found Tanh",
            ),
            renamed(
                "operator that does not exist",
                "\x22\x04Gemm",
                "\x22\x04Gemx",
                "bad.onnx: node Gemm_1 (Gemx): expected a piecewise linear operator, found Gemx",
            ),
            renamed(
                "attribute that does not exist",
                "transB",
                "transX",
                "bad.onnx: node Gemm_1 (Gemm): expected 64 rows of the second factor, found 50",
            ),
            renamed(
                "value that nothing computes",
                "input",
                "inpux",
                "bad.onnx: node Flatten_0 (Flatten): expected operands defined before, found `inpux`",
            ),
            onnx(
                "NaN weight",
                [&whole[..5000], &[0xff; 8], &whole[5008..]].concat(),
                "bad.onnx: tensor fc1.weight: expected finite numbers, found NaN at element 1137",
            ),
        ],
    );
}

#[test]
fn nnet_models() {
    let nnet = |name, from: &str, to: &str, expected| -> Refusal {
        (name, Some(("bad.nnet", patched(NET.as_bytes(), from.as_bytes(), to.as_bytes()))), INSPECT_NNET, expected)
    };
    check_refusals(
        "",
        [
            nnet(
                "letters for a weight",
                "1,0,\n0,1,",
                "1,zero,\n0,1,",
                "bad.nnet: line 9, column 3: expected a decimal number, found `zero`",
            ),
            nnet(
                "NaN weight in text",
                "1,0,\n0,1,",
                "1,nan,\n0,1,",
                "bad.nnet: line 9, column 3: expected a decimal number, found `nan`",
            ),
            nnet(
                "row too short",
                "1,0,\n0,1,",
                "1,\n0,1,",
                "bad.nnet: line 9, column 1: expected weights of neuron 0 of layer 1, 2 numbers, found 1",
            ),
            nnet(
                "layer sizes that contradict the header",
                "2,2,2,\n0",
                "3,2,2,\n0",
                "bad.nnet: line 3, column 1: expected sizes from 2 to 2, found [3, 2, 2]",
            ),
            nnet(
                "range of zero",
                "1,1,1,",
                "0,1,1,",
                "bad.nnet: line 8, column 1: expected ranges that are not 0, found 0",
            ),
            nnet(
                "huge layer",
                "2,2,2,2,\n2,2,2,",
                "2,2,2,2,\n2,99999999999,2,",
                "bad.nnet: line 11, column 1: expected weights of neuron 2 of layer 1, 2 numbers, found 1",
            ),
            (
                "truncated",
                Some(("bad.nnet", NET.as_bytes()[..60].to_vec())),
                INSPECT_NNET,
                "bad.nnet: line 10, column 1: expected weights of neuron 1 of layer 1, 2 numbers, found 1",
            ),
            (
                "no text",
                Some(("bad.nnet", vec![0xff; 40])),
                INSPECT_NNET,
                "bad.nnet: byte 0: expected text in UTF-8, found other bytes",
            ),
        ],
    );
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn properties() {
    let vnnlib = |name, from: &str, to: &str, expected| -> Refusal {
        (name, Some(("bad.vnnlib", patched(HOLDS.as_bytes(), from.as_bytes(), to.as_bytes()))), VERIFY, expected)
    };
    check_refusals(
        "",
        [
            (
                "no property",
                None,
                "verify net.nnet gone.vnnlib",
                "gone.vnnlib: cannot read: No such file or directory (os error 2)",
            ),
            (
                "empty property",
                Some(("bad.vnnlib", Vec::new())),
                VERIFY,
                "bad.vnnlib: declarations of inputs: expected at least one, found none",
            ),
            vnnlib(
                "unbalanced",
                "1.5)))",
                "1.5))",
                "bad.vnnlib: line 7, column 1: expected `)` for the `(` at line 6, column 1, found the end of the file",
            ),
            vnnlib(
                "one parenthesis too many",
                "1.5)))",
                "1.5))))",
                "bad.vnnlib: line 6, column 30: expected `(` or the end of the file, found `)`",
            ),
            vnnlib(
                "undeclared input",
                "(>= X_1 0)",
                "(>= X_5 0)",
                "bad.vnnlib: line 5, column 40: expected a declared variable, found `X_5`",
            ),
            vnnlib("missing bound", "(>= X_1 0) ", "", "bad.vnnlib: input X_1: expected a lower bound, found none"),
            vnnlib(
                "empty region",
                "(>= X_1 0)",
                "(>= X_1 2)",
                "bad.vnnlib: input X_1: expected a number that satisfies its bounds, found none between the lower bound 2 and the upper bound 1",
            ),
            vnnlib(
                "product of variables",
                "1.5",
                "(* X_0 X_1)",
                "bad.vnnlib: line 6, column 25: expected a linear product: all factors but one constant, found variables in two factors",
            ),
            vnnlib(
                "unknown connective",
                "(and",
                "(xor",
                "bad.vnnlib: line 5, column 10: expected a comparison, and, or, not or =>, found `xor`",
            ),
            vnnlib(
                "number too large",
                "1.5",
                "1e999",
                "bad.vnnlib: line 6, column 24: expected a number in the range of 64-bit floats, a variable or an arithmetic term, found `1e999`",
            ),
            vnnlib(
                "not a number",
                "1.5",
                "nan",
                "bad.vnnlib: line 6, column 24: expected a number in the range of 64-bit floats, a variable or an arithmetic term, found `nan`",
            ),
            vnnlib(
                "other sort",
                "X_1 Real",
                "X_1 Bool",
                "bad.vnnlib: line 2, column 20: expected the sort Real, found `Bool`",
            ),
            vnnlib(
                "gap in the numbering",
                "declare-const Y_1",
                "declare-const Y_2",
                "bad.vnnlib: line 6, column 20: expected a declared variable, found `Y_1`",
            ),
            vnnlib(
                "version 2",
                "(declare-const X_0 Real)",
                "(vnnlib-version <2.0>)",
                "bad.vnnlib: line 1, column 17: expected VNN-LIB 1.0, which names no version; version 2 is not supported yet, found `<2.0>`",
            ),
            (
                "fewer inputs than the network",
                Some((
                    "bad.vnnlib",
                    HOLDS.replace("(declare-const X_1 Real)\n", "").replace("(>= X_1 0) (<= X_1 1)", "").into(),
                )),
                VERIFY,
                "bad.vnnlib: the property has 1 inputs, the network has 2",
            ),
            (
                "more outputs than the network",
                Some((
                    "bad.vnnlib",
                    HOLDS.replace("Real)\n(assert (and", "Real)\n(declare-const Y_2 Real)\n(assert (and").into(),
                )),
                VERIFY,
                "bad.vnnlib: the property has 3 outputs, the network has 2",
            ),
        ],
    );
}

#[test]
fn lists_and_options() {
    let list = |name, content: &str, expected| -> Refusal {
        (name, Some(("bad.csv", content.as_bytes().to_vec())), "batch bad.csv", expected)
    };
    check_refusals(
        "",
        [
            ("no list", None, "batch gone.csv", "gone.csv: cannot read: No such file or directory (os error 2)"),
            list("empty list", "", "bad.csv: file: expected at least one instance, found none"),
            list("one field", "net.nnet\n", "bad.csv: line 1: expected model, property and time limit, found 1 fields"),
            list(
                "time limit in words",
                "net.nnet,holds.vnnlib,soon\n",
                "bad.csv: line 1: expected a time limit in seconds as third field, found `soon`",
            ),
            list(
                "negative time limit",
                "net.nnet,holds.vnnlib,-1\n",
                "bad.csv: line 1: expected a time limit in seconds as third field, found `-1`",
            ),
            (
                "negative time limit as option",
                None,
                "verify net.nnet holds.vnnlib --timeout=-1",
                "--timeout: expected a number of seconds from 0 to 1000000000, found -1",
            ),
            (
                "time limit that is not a number",
                None,
                "verify net.nnet holds.vnnlib --timeout NaN",
                "--timeout: expected a number of seconds from 0 to 1000000000, found NaN",
            ),
            (
                "certificate into a folder that does not exist",
                None,
                "verify net.nnet holds.vnnlib --proof gone/q.cert",
                "gone/q.cert: cannot write: No such file or directory (os error 2)",
            ),
            (
                "certificates into a file",
                Some(("list.csv", b"net.nnet,holds.vnnlib,10\n".to_vec())),
                "batch list.csv --proofs net.nnet",
                "net.nnet: cannot write: File exists (os error 17)",
            ),
            (
                "folder without certificates",
                None,
                "check . --model net.nnet --property holds.vnnlib",
                ".: folder: expected a file that ends in .cert, found none",
            ),
            (
                "results into a folder that does not exist",
                Some(("list.csv", b"net.nnet,holds.vnnlib,10\n".to_vec())),
                "batch list.csv --results gone/out.csv",
                "gone/out.csv: cannot write: No such file or directory (os error 2)",
            ),
        ],
    );
}
