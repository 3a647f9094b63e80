//! The models and properties of the samples.

use std::collections::BTreeMap;

use bartizan_proof::certificate::{Header, Proof, encode};
use bartizan_proof::{Network, Property};
use bartizan_read::{read_nnet, read_onnx, read_vnnlib};

use super::writer::{integer, model};

/// y = |x0 - x1| - 0.25 with hidden layer x0 - x1, x1 - x0.
const DISTANCE: &str = "\
// y = |x0 - x1| - 0.25
2,2,1,2,
2,2,1,
0,
0,0,
1,1,
0,0,0,
1,1,1,
1,-1,
-1,1,
0,
0,
1,1,
-0.25,
";

const UNIT_SQUARE: &str = "\
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(assert (>= X_0 0.0))
(assert (<= X_0 1.0))
(assert (>= X_1 0.0))
(assert (<= X_1 1.0))
";

/// Two halves of the unit square; the first case needs both of its atoms, the third speaks of an input, too.
const CORNERS: &str = "\
(declare-const X_0 Real)
(declare-const X_1 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (>= X_1 0.0))
(assert (<= X_1 1.0))
(assert (or
  (and (>= X_0 0.0) (<= X_0 0.5) (<= Y_0 Y_1) (<= Y_1 -0.2))
  (and (>= X_0 0.5) (<= X_0 1.0) (<= Y_0 -0.05))
  (and (>= X_0 0.5) (<= X_0 1.0) (<= (+ Y_1 X_0) -0.75))
))
";

/// A model and a property that belong together.
pub struct Instance {
    pub network: Network,
    pub property: Property,
}

impl Instance {
    /// `NAME.nnet` or `NAME.onnx`, and `NAME.vnnlib`, among files.
    pub fn parse(name: &str, files: &BTreeMap<String, Vec<u8>>) -> Instance {
        let file = |extension: &str| files.get(&format!("{name}.{extension}"));
        let network = file("nnet").map_or_else(|| read_onnx(file("onnx").unwrap()), |nnet| read_nnet(nnet));
        Instance { network: network.unwrap(), property: read_vnnlib(file("vnnlib").unwrap()).unwrap() }
    }

    pub fn header(&self) -> Header {
        Header::of(&self.network, &self.property)
    }

    pub fn certificate(&self, proofs: &[Proof]) -> Vec<u8> {
        encode(&self.header(), proofs)
    }
}

/// Two ReLU layers and a residual connection: y0 = relu(|x0 - x1| - h) + relu(h - 0.5), y1 = 0.5 - 2 h with
/// h = relu(x0 + x1 - 1).
fn corners() -> Vec<u8> {
    let transposed = [integer("transB", 1)];
    let model = model(&[1, 2])
        .floats("w1", &[3, 2], &[1.0, -1.0, -1.0, 1.0, 1.0, 1.0])
        .floats("b1", &[3], &[0.0, 0.0, -1.0])
        .floats("w2", &[2, 3], &[1.0, 1.0, -1.0, 0.0, 0.0, 1.0])
        .floats("b2", &[2], &[0.0, -0.5])
        .floats("w3", &[2, 2], &[1.0, 0.0, 1.0, 0.0])
        .floats("w4", &[3, 2], &[0.0, 0.0, 0.0, 0.0, 0.0, -2.0])
        .floats("b3", &[2], &[0.0, 0.5])
        .node("Gemm", "x w1 b1 -> z1", &transposed)
        .node("Relu", "z1 -> h1", &[])
        .node("Gemm", "h1 w2 b2 -> z2", &transposed)
        .node("Relu", "z2 -> h2", &[])
        .node("MatMul", "h2 w3 -> last", &[])
        .node("MatMul", "h1 w4 -> around", &[])
        .node("Add", "last around -> sum", &[])
        .node("Add", "sum b3 -> y", &[]);
    model.bytes()
}

/// How many inputs the wide instance has, one more than may vary where forms are used.
const WIDE: usize = 65;

/// y = x0 + ... + x64.
fn wide_sum() -> Vec<u8> {
    let row = |number: &str, count: usize| vec![number; count].join(",") + ",\n";
    let limits = [row("0", WIDE), row("1", WIDE), row("0", WIDE + 1), row("1", WIDE + 1)].concat();
    format!("// y = x0 + ... + x64\n1,{WIDE},1,{WIDE},\n{WIDE},1,\n0,\n{limits}{}0,\n", row("1", WIDE)).into_bytes()
}

/// The sum of numbers in [0, 1] is never at most -0.5.
fn wide_claim() -> Vec<u8> {
    let input = |i| format!("(declare-const X_{i} Real)(assert (and (>= X_{i} 0) (<= X_{i} 1)))\n");
    let inputs: String = (0..WIDE).map(input).collect();
    format!("{inputs}(declare-const Y_0 Real)(assert (<= Y_0 -0.5))\n").into_bytes()
}

/// Models and properties by file name.
pub fn files() -> BTreeMap<String, Vec<u8>> {
    let never_at_most = |b: &str| format!("{UNIT_SQUARE}(assert (<= Y_0 {b}))\n").into_bytes();
    let list = [
        ("distance.nnet", DISTANCE.into()),
        ("distance.vnnlib", never_at_most("-0.26")),
        ("distance_false.nnet", DISTANCE.into()),
        ("distance_false.vnnlib", never_at_most("-0.25")),
        ("corners.onnx", corners()),
        ("corners.vnnlib", CORNERS.into()),
        ("wide.nnet", wide_sum()),
        ("wide.vnnlib", wide_claim()),
    ];
    list.map(|(name, bytes)| (name.to_owned(), bytes)).into()
}
