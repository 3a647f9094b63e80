//! What executions of operators are said to round.

use super::network;
use super::writer::{Model, float, integer, integers, model, tensor, text};
use crate::network::{Execution, Op};
use bartizan_proof::Semantics;

fn pairs(list: &[i64], shape: &[i64]) -> Model {
    let raw: Vec<u8> = list.iter().flat_map(|v| v.to_le_bytes()).collect();
    model(&[1, 4, 4]).opset(18).tensor(&tensor("i", 7, shape).bytes(9, &raw)).floats("w", &[1], &[0.1])
}

fn resized(size: i64, mode: &str) -> Model {
    pairs(&[1, 4, size], &[3]).node("Resize", "x _ _ i -> y", &[text("mode", mode)])
}

/// Whether each affine node rounds.
fn rounds(model: &Model) -> Vec<bool> {
    let network = network(model);
    let rounds = network.nodes().iter().filter_map(|node| match &node.op {
        Op::Affine(affine) => Some(affine.execution != Execution::Exact),
        _ => None,
    });
    rounds.collect()
}

#[test]
fn copies_and_comparisons_round_nothing() {
    let mask = tensor("c", 9, &[4]).bytes(9, &[1, 0, 0, 1]);
    let plane = model(&[1, 4, 2, 2]);
    for model in [
        pairs(&[], &[0]).tensor(&mask).node("Where", "c x w -> y", &[]),
        model(&[1, 4, 4]).opset(18).node("Trilu", "x -> y", &[]),
        pairs(&[0, 1, 0, 2], &[2, 2]).node("GatherND", "x i -> y", &[]),
        pairs(&[0, 1, 2], &[1, 3]).node("ScatterND", "x i w -> y", &[]),
        pairs(&[1, 1, 2], &[3]).node("Tile", "x i -> y", &[]),
        pairs(&[0, 1, 1, 0, 1, 1], &[6]).node("Pad", "x i -> y", &[text("mode", "reflect")]),
        pairs(&[2], &[1]).node("ReduceMax", "x i -> y", &[]),
        pairs(&[2], &[1]).node("ReduceMin", "x i -> y", &[]),
        plane.clone().node("GlobalMaxPool", "x -> y", &[]),
        plane.node("DepthToSpace", "x -> y", &[integer("blocksize", 2)]),
        resized(8, "nearest"),
    ] {
        assert!(!rounds(&model).contains(&true) && !rounds(&model).is_empty());
        assert!(network(&model).under(Semantics::Float32).is_ok());
    }
}

#[test]
fn sums_round() {
    let shrunk = model(&[1, 4]).node("Shrink", "x -> y", &[float("bias", 0.5)]);
    assert_eq!(rounds(&shrunk), [true, true, false]);
    let sizes = model(&[1, 4, 4]).node("ReduceL1", "x -> y", &[integers("axes", &[1])]);
    assert_eq!(rounds(&sizes), [false, true]);
    assert_eq!(rounds(&pairs(&[1], &[1]).node("CumSum", "x i -> y", &[])), [true]);
    assert_eq!(rounds(&resized(8, "linear")), [true]);
    for model in [shrunk, sizes, resized(8, "linear"), resized(2, "linear")] {
        assert!(network(&model).under(Semantics::Float32).is_ok());
    }
}

#[test]
fn what_executions_compute_from_constants_is_real_only() {
    let folded = |operator: &str, names: &str| {
        let model = model(&[1, 4]).floats("w", &[1], &[2.0]).floats("e", &[], &[3.0]);
        model.node(operator, names, &[]).node("Mul", "x f -> y", &[])
    };
    let root = folded("Sqrt", "w -> f");
    for model in [&root, &folded("Reciprocal", "w -> f"), &folded("Pow", "w e -> f"), &resized(12, "linear")] {
        assert!(network(model).under(Semantics::Float32).is_err());
    }
    let why = network(&root).under(Semantics::Float32).unwrap_err().why;
    assert_eq!(why, "node theSqrt (Sqrt) computes constants from constants");
    assert!(network(&folded("Floor", "w -> f")).under(Semantics::Float32).is_ok());
}
