//! `OPERATORS.md` says what the reader accepts. Written anew by
//!
//! ```text
//! WRITE_OPERATORS=1 cargo test -p bartizan-read coverage
//! ```

use std::path::Path;
use std::{env, fs};

use super::super::graph::OPSETS;
use super::super::operators::{OPERATORS, Operator};
use super::refusal;
use super::writer::model;

/// Operators that are refused wherever they stand, and why.
const REFUSED: [(&str, &str); 6] = [
    (
        "They are not piecewise linear.",
        "Acos Acosh Asin Asinh Atan Atanh Attention CausalConvWithState Celu Cos Cosh CumProd Det Elu \
         Erf Exp Gelu GRU GroupNormalization HardSwish InstanceNormalization LayerNormalization \
         LinearAttention Log LpNormalization LRN LSTM MeanVarianceNormalization Mish NegativeLogLikelihoodLoss ReduceL2 \
         ReduceLogSum ReduceLogSumExp ReduceProd ReduceSumSquare RMSNormalization RNN RotaryEmbedding Selu Sin Sinh \
         SoftmaxCrossEntropyLoss Softplus Softsign SwiGLU Swish Tan Tanh",
    ),
    (
        "They jump.",
        "ArgMax ArgMin Hardmax IsInf IsNaN MaxUnpool NonMaxSuppression NonZero OneHot Round Sign \
         Unique",
    ),
    (
        "They are linear or piecewise linear, at least where some operands are constant, but not lowered.",
        "AffineGrid CenterCropPad Col2Im Compress DeformConv DFT Einsum EyeLike GlobalLpPool GridSample LpPool MaxRoiPool \
         ReverseSequence RoiAlign STFT TensorScatter TopK",
    ),
    (
        "They compute with quantised numbers or with bits.",
        "BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor ConvInteger DequantizeLinear DynamicQuantizeLinear \
         MatMulInteger QLinearConv QLinearMatMul QuantizeLinear",
    ),
    (
        "They branch, loop, or hold sequences, optional values, texts or images.",
        "ConcatFromSequence If ImageDecoder Loop Optional OptionalGetElement OptionalHasElement RegexFullMatch Scan \
         SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap \
         SplitToSequence StringConcat StringNormalizer StringSplit TfIdfVectorizer",
    ),
    (
        "They make random numbers or windows of signals.",
        "Bernoulli BlackmanWindow HammingWindow HannWindow MelWeightMatrix Multinomial RandomNormal RandomNormalLike \
         RandomUniform RandomUniformLike",
    ),
];

const INTRODUCTION: &str = "\
# ONNX operators

What the reader accepts, by operator and operator set of the default domain. This file is written by a test
(`WRITE_OPERATORS=1 cargo test -p bartizan-read coverage`) from the table that the reader itself follows (`src/onnx/operators/registry.rs`), and
`tests/python/operators.py` compares every operator in every set that defines it anew with onnxruntime.

A sign for each set: `+` accepted, `?` accepted under the condition in the last column, `-` not an operator of that set (any more): refused.
\"Defined\" lists the sets whose definitions differ.

For all operators: values are FLOAT or DOUBLE, constants may be INT32, INT64 or BOOL too; weights are in the model file, not beside it; the
batch is 1. Attributes and operands that are not understood are refused, as are shapes and indices that depend on the input's values. What cannot be represented
exactly is enclosed or refused. \"Constant\" is whatever does not depend on the input's values: initializers, `Constant`, shapes, and what
the operators below compute from them.

";

/// The sign of an operator in an operator set.
fn sign(operator: &Operator, set: i64) -> &'static str {
    match (operator.is_in(set), operator.when) {
        (false, _) => "-",
        (true, "") => "+",
        (true, _) => "?",
    }
}

fn row(cells: impl IntoIterator<Item = String>) -> String {
    format!("| {} |\n", cells.into_iter().collect::<Vec<_>>().join(" | "))
}

fn document() -> String {
    let head = ["Operator".to_owned(), "Defined".to_owned()];
    let sets = OPSETS.map(|set| set.to_string());
    let mut text = INTRODUCTION.to_owned() + &row(head.into_iter().chain(sets).chain(["When".to_owned()]));
    text += &row(OPSETS.map(|_| "---".to_owned()).chain(["---"; 3].map(str::to_owned)));
    for operator in OPERATORS {
        let defined = operator.versions.iter().map(i64::to_string).collect::<Vec<_>>().join(", ");
        let head = [operator.name.to_owned(), defined];
        let signs = OPSETS.map(|set| sign(operator, set).to_owned());
        text += &row(head.into_iter().chain(signs).chain([operator.when.to_owned()]));
    }
    text += "\n## Refused everywhere\n";
    for (why, names) in REFUSED {
        text += &format!("\n{why} {}.\n", names.split_whitespace().collect::<Vec<_>>().join(", "));
    }
    text
}

#[test]
fn the_document_says_what_the_reader_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("OPERATORS.md");
    if env::var_os("WRITE_OPERATORS").is_some() {
        fs::write(&path, document()).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap();
    assert!(found == document(), "OPERATORS.md is out of date: run the test with WRITE_OPERATORS=1");
}

#[test]
fn operators_are_listed_by_name_with_their_sets_in_order() {
    assert!(OPERATORS.is_sorted_by(|a, b| a.name < b.name));
    for operator in OPERATORS {
        assert!(operator.versions.is_sorted() && operator.versions.iter().skip(1).all(|set| OPSETS.contains(set)));
        assert!(operator.gone.is_none_or(|gone| operator.is_in(gone - 1)));
    }
}

#[test]
fn what_is_listed_as_refused_is_refused_by_name() {
    for name in REFUSED.iter().flat_map(|(_, names)| names.split_whitespace()) {
        for set in OPSETS {
            let expected = format!("node the{name} ({name}): expected a piecewise linear operator, found {name}");
            assert_eq!(refusal(&model(&[1, 2]).opset(set).node(name, "x -> y", &[])), expected);
        }
    }
}

#[test]
fn sets_without_an_operator_refuse_it() {
    let trilu = model(&[1, 2, 2]).opset(13).node("Trilu", "x -> y", &[]);
    assert_eq!(
        refusal(&trilu),
        "node theTrilu (Trilu): expected an operator of set 13, found one of sets 14 and later"
    );
    let scatter = model(&[1, 2]).opset(11).node("Scatter", "x x x -> y", &[]);
    assert_eq!(
        refusal(&scatter),
        "node theScatter (Scatter): expected an operator of set 11, found one of sets 9 to 10"
    );
}
