//! Truncated, damaged and oversized files: an error, never a panic, never much memory.

use super::writer::{Message, float, integer, integers, model};
use super::{read_onnx, refusal};

/// A model with an operator of most families.
fn sample() -> Vec<u8> {
    let start = model(&[1, 1, 4, 4]).floats("w", &[2, 1, 2, 2], &[0.5, -1.0, 2.0, 0.25, 1.0, 0.0, -0.5, 1.5]);
    let start = start.floats("b", &[2], &[0.1, -0.1]).integers("shape", &[1, -1]).integers("pick", &[1, 3]);
    let start = start.node("Conv", "x w b -> c", &[integers("pads", &[1, 1, 0, 0]), integers("strides", &[1, 1])]);
    let start =
        start.node("BatchNormalization", "c b b b v -> n", &[float("epsilon", 0.1)]).floats("v", &[2], &[1.0, 2.0]);
    let pooled = start.node("MaxPool", "n -> p", &[integers("kernel_shape", &[2, 2]), integers("strides", &[2, 2])]);
    let flat = pooled.node("LeakyRelu", "p -> l", &[]).node("Reshape", "l shape -> r", &[]);
    let flat =
        flat.node("Gather", "r pick -> g", &[integer("axis", 1)]).node("Concat", "g r -> k", &[integer("axis", 1)]);
    let flat = flat.floats("m", &[10, 2], &[0.5; 20]).node("MatMul", "k m -> q", &[]);
    flat.node("Clip", "q low -> y", &[]).floats("low", &[], &[-1.0]).bytes()
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = sample();
    read_onnx(&bytes).unwrap();
    for length in 0..bytes.len() {
        assert!(read_onnx(&bytes[..length]).is_err(), "{length} bytes");
    }
}

#[test]
fn damaged_and_random_bytes_do_not_panic() {
    let bytes = sample();
    let mut state = 1u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap() % below
    };
    for round in 0..5_000 {
        let mut damaged = bytes.clone();
        for _ in 0..1 + round % 3 {
            let place = random(damaged.len());
            damaged[place] = random(256).to_le_bytes()[0];
        }
        if let Ok(network) = read_onnx(&damaged) {
            assert_eq!(network.evaluate(&vec![0.5; network.input_size()]).len(), network.output_size());
        }
        let noise: Vec<u8> = (0..random(64)).map(|_| random(256).to_le_bytes()[0]).collect();
        assert!(read_onnx(&noise).is_err());
    }
}

#[test]
fn sizes_that_the_file_does_not_justify_are_refused() {
    let large = [1 << 20, 1 << 20];
    let shaped = |operator: &str, list: &[i64]| model(&[1, 2]).integers("s", list).node(operator, "x s -> y", &[]);
    let filled =
        model(&[1, 2]).integers("s", &large).node("ConstantOfShape", "s -> c", &[]).node("Add", "x c -> y", &[]);
    for (model, place) in [
        (filled, "node theConstantOfShape (ConstantOfShape): expected a shape within the limits"),
        (shaped("Expand", &[1 << 20, 1 << 20, 2]), "node theExpand (Expand): expected a shape within the limits"),
        (shaped("Expand", &[1 << 26, 2]), "node theExpand (Expand): expected a model of at most 16777216 elements"),
        (shaped("Pad", &[0, 0, 0, 1 << 62]), "node thePad (Pad): expected a shape within the limits"),
        (shaped("Pad", &[0, i64::MAX, 0, i64::MAX]), "node thePad (Pad): expected pads that leave elements"),
        (shaped("Expand", &[0, 0]), "node theExpand (Expand): expected a shape that broadcasts with [1, 2]"),
        (shaped("Reshape", &[-1, 0, 1 << 62, 4]), "node theReshape (Reshape): expected a shape of 2 elements"),
    ] {
        let found = refusal(&model);
        assert!(found.starts_with(place), "{found}");
    }
    let wide = integers("kernel_shape", &[1 << 24, 1 << 24]);
    let pads = integers("pads", &[1 << 24; 4]);
    let pool = model(&[1, 1, 2, 2]).node("MaxPool", "x -> y", &[wide, pads]);
    assert!(refusal(&pool).starts_with("node theMaxPool (MaxPool): expected a shape within the limits"));
    let mut stepped = model(&[1, 4]);
    for step in 0..40 {
        let from = if step == 0 { "x".to_owned() } else { format!("v{}", step - 1) };
        stepped = stepped.node("Concat", &format!("{from} {from} {from} {from} -> v{step}"), &[integer("axis", 1)]);
    }
    assert!(refusal(&stepped).contains("expected a model of at most 16777216 elements"));
}

#[test]
fn deep_nesting_is_not_followed() {
    let mut nested = Message::default();
    for _ in 0..10_000 {
        nested = Message::default().bytes(6, &nested.0);
    }
    let attribute = Message::default().text(1, "body").message(6, &nested).integer(20, 5);
    let found = refusal(&model(&[1, 2]).node("Loop", "x -> y", &[attribute]));
    assert_eq!(found, "node theLoop (Loop): expected a piecewise linear operator, found Loop");
}
