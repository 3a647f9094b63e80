//! What a model means beyond values: exact constants, roundings, shapes, names, dropped activations, data forms.

use super::writer::{Message, Model, float, integer, model, tensor, value_info};
use super::{assert_values, network};
use crate::arith::Interval;
use crate::network::{Affine, Map, Op};

fn affine(model: &Model, node: usize) -> Affine {
    match &network(model).nodes()[node].op {
        Op::Affine(affine) => affine.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn numbers_of_the_file_stay_exact() {
    let gemm =
        model(&[1, 2]).floats("w", &[2, 1], &[0.1, 0.2]).floats("c", &[1], &[0.3]).node("Gemm", "x w c -> y", &[]);
    let found = affine(&gemm, 1);
    assert_eq!((found.terms[0].roundings, found.bias), (0, vec![Interval::point(f64::from(0.3f32))]));
    let Map::Dense(dense) = &found.terms[0].map else { panic!() };
    assert_eq!(dense.weights, [f64::from(0.1f32), f64::from(0.2f32)]);
    let leaky = affine(&model(&[1, 1]).node("LeakyRelu", "x -> y", &[float("alpha", 0.01)]), 2);
    assert!(leaky.terms.iter().all(|term| term.roundings == 0), "1 - 0.01f32 is a binary64 number");
    let scaled = model(&[1, 1]).floats("w", &[1, 1], &[0.1]).node("Gemm", "x w -> y", &[float("alpha", 0.3)]);
    assert_eq!(affine(&scaled, 1).terms[0].roundings, 0, "products of binary32 numbers are binary64 numbers");
}

#[test]
fn rounded_factors_say_so_and_constants_become_enclosures() {
    let div = affine(&model(&[1, 1]).floats("w", &[1], &[3.0]).node("Div", "x w -> y", &[]), 1);
    assert!((1..=4).contains(&div.terms[0].roundings));
    let pool = model(&[1, 1, 3]).node("GlobalAveragePool", "x -> y", &[]);
    assert!(affine(&pool, 1).terms[0].roundings >= 1);
    let normalised = model(&[1, 1]).floats("one", &[1], &[1.0]).floats("three", &[1], &[3.0]);
    let found = affine(&normalised.node("BatchNormalization", "x one one one three -> y", &[float("epsilon", 0.0)]), 1);
    // 1 - 1 / sqrt(3), from below and above.
    let bias = found.bias[0];
    assert!(bias.lo < 0.422_649_730_810_374_2 && bias.hi > 0.422_649_730_810_374_2 && bias.hi - bias.lo < 1e-15);
    assert!((1..=8).contains(&found.terms[0].roundings));
}

#[test]
fn one_node_an_operator_and_names_from_the_file() {
    let model = model(&[1, 2]).floats("w", &[2], &[1.0, 2.0]).node("Sub", "x w -> centered", &[]);
    let model = model.node("Flatten", "centered -> flat", &[]).node("Abs", "flat -> y", &[]);
    let network = network(&model);
    let names: Vec<&str> = network.nodes().iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["x", "centered", "y.0", "y"]);
}

#[test]
fn mostly_zero_matrices_are_sparse() {
    let mut weights = vec![0.0; 40];
    weights[17] = 2.0;
    let sparse = model(&[1, 4]).floats("w", &[4, 10], &weights).node("MatMul", "x w -> y", &[]);
    assert!(matches!(affine(&sparse, 1).terms[0].map, Map::Sparse(ref map) if map.entries == [(1, 2.0)]));
    let mut expected = [0.0; 10];
    expected[7] = 10.0;
    assert_values(&sparse, &[(&[1.0, 5.0, 7.0, 9.0], &expected)]);
}

#[test]
fn batch_dimension_is_dropped() {
    for (declared, shape) in [
        (&[0, 3][..], &[3][..]),
        (&[1, 3], &[3]),
        (&[3], &[3]),
        (&[1, 3, 1], &[3, 1]),
        (&[0, 2, 2, 3], &[2, 2, 3]),
        (&[1], &[1]),
    ] {
        let network = network(&model(declared).node("Relu", "x -> y", &[]));
        assert_eq!((network.input_shape(), network.output_shape()), (shape, shape), "{declared:?}");
    }
}

#[test]
fn trailing_order_preserving_activations_are_dropped() {
    for (operator, attributes) in [("Softmax", vec![]), ("LogSoftmax", vec![integer("axis", -1)]), ("Sigmoid", vec![])]
    {
        let model = model(&[1, 2]).node("Neg", "x -> logits", &[]).node(operator, "logits -> y", &attributes);
        let network = network(&model);
        assert_eq!(network.dropped_activation(), Some(format!("{operator} (the{operator})").as_str()));
        assert_eq!(network.evaluate(&[1.0, 2.0]), [-1.0, -2.0]);
    }
}

#[test]
fn tensors_in_every_form() {
    let packed: Vec<u8> = [1.5f32, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let doubles: Vec<u8> = [1.5f64, -2.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    for form in [
        tensor("w", 1, &[2]).bytes(9, &packed),
        tensor("w", 1, &[2]).bytes(4, &packed),
        tensor("w", 1, &[2]).float(4, 1.5).float(4, -2.0),
        tensor("w", 11, &[2]).bytes(9, &doubles),
        tensor("w", 11, &[2]).bytes(10, &doubles),
    ] {
        let model = model(&[1, 2]).tensor(&form).node("Add", "x w -> y", &[]);
        assert_values(&model, &[(&[0.0, 0.0], &[1.5, -2.0])]);
    }
    for form in [
        tensor("i", 7, &[2]).integer(7, 1).integer(7, -1),
        tensor("i", 6, &[2]).integer(5, 1).integer(5, -1),
        tensor("i", 6, &[2]).bytes(9, &[1, 0, 0, 0, 255, 255, 255, 255]),
    ] {
        let model = model(&[1, 2, 2]).tensor(&form).node("Reshape", "x i -> y", &[]);
        assert_eq!(network(&model).output_shape(), [4]);
    }
}

#[test]
fn initializers_may_be_inputs_and_elements_doubles() {
    let mut listed = model(&[1, 2]).floats("w", &[2], &[1.0, 2.0]).node("Add", "x w -> y", &[]);
    listed.graph = listed.graph.message(11, &value_info("w", 1, &[2]));
    assert_values(&listed, &[(&[0.0, 0.0], &[1.0, 2.0])]);
    let mut double = model(&[1, 2]).node("Cast", "x -> y", &[integer("to", 1)]);
    double.input = value_info("x", 11, &[1, 2]);
    assert_values(&double, &[(&[0.1, 0.2], &[0.1, 0.2])]);
    let constant = Message::default().text(1, "value_float").float(2, 2.0).integer(20, 1);
    let constant = model(&[1, 2]).node("Constant", "-> c", &[constant]).node("Mul", "x c -> y", &[]);
    assert_values(&constant, &[(&[1.0, 2.0], &[2.0, 4.0])]);
}
