//! Values computed by hand for each family of operators; onnxruntime is compared in `tests/python/operators.py`.

use super::assert_values;
use super::writer::{float, integer, integers, model, tensor, text};

#[test]
fn arithmetic() {
    let both = |operator: &str| model(&[1, 2, 2]).floats("w", &[2], &[2.0, 4.0]).node(operator, "x w -> y", &[]);
    assert_values(&both("Add"), &[(&[1.0, 2.0, 3.0, 4.0], &[3.0, 6.0, 5.0, 8.0])]);
    assert_values(&both("Sub"), &[(&[1.0, 2.0, 3.0, 4.0], &[-1.0, -2.0, 1.0, 0.0])]);
    assert_values(&both("Mul"), &[(&[1.0, 2.0, 3.0, 4.0], &[2.0, 8.0, 6.0, 16.0])]);
    assert_values(&both("Div"), &[(&[1.0, 2.0, 3.0, 4.0], &[0.5, 0.5, 1.5, 1.0])]);
    let column = model(&[1, 1, 2]).floats("w", &[2, 1], &[2.0, 4.0]).node("Sub", "w x -> y", &[]);
    assert_values(&column, &[(&[1.0, 2.0], &[1.0, 0.0, 3.0, 2.0])]);
    let mean = model(&[1, 2]).node("Neg", "x -> n", &[]).node("Relu", "n -> r", &[]);
    let mean = mean.floats("w", &[1], &[3.0]).node("Mean", "x r w -> y", &[]);
    assert_values(&mean, &[(&[3.0, -6.0], &[2.0, 1.0])]);
    let legacy = model(&[1, 2, 2]).opset(6).floats("w", &[2], &[1.0, 10.0]);
    let legacy = legacy.node("Add", "x w -> y", &[integer("broadcast", 1), integer("axis", 1)]);
    assert_values(&legacy, &[(&[0.0, 0.0, 0.0, 0.0], &[1.0, 1.0, 10.0, 10.0])]);
}

#[test]
fn matrix_products() {
    let w = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let gemm = model(&[0, 2]).floats("w", &[3, 2], &w).floats("c", &[3], &[1.0, 2.0, 3.0]);
    let gemm = gemm.node("Gemm", "x w c -> y", &[integer("transB", 1), float("alpha", 2.0), float("beta", -1.0)]);
    assert_values(&gemm, &[(&[1.0, 0.0], &[1.0, 4.0, 7.0]), (&[0.0, 1.0], &[3.0, 6.0, 9.0])]);
    let right = model(&[1, 2, 2]).floats("w", &[2, 3], &w).node("MatMul", "x w -> y", &[]);
    assert_values(&right, &[(&[1.0, 0.0, 0.0, 1.0], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0])]);
    let left = model(&[1, 3, 1]).floats("w", &[2, 3], &w).node("MatMul", "w x -> y", &[]);
    assert_values(&left, &[(&[1.0, 0.0, -1.0], &[-2.0, -2.0])]);
}

#[test]
fn convolutions() {
    let line = model(&[1, 1, 4]).floats("w", &[1, 1, 2], &[1.0, 10.0]).floats("b", &[1], &[0.5]);
    let padded = line.clone().node("Conv", "x w b -> y", &[integers("pads", &[1, 0]), integers("strides", &[2])]);
    assert_values(&padded, &[(&[1.0, 2.0, 3.0, 4.0], &[10.5, 32.5])]);
    let same = line.clone().node("Conv", "x w -> y", &[text("auto_pad", "SAME_UPPER")]);
    assert_values(&same, &[(&[1.0, 2.0, 3.0, 4.0], &[21.0, 32.0, 43.0, 4.0])]);
    let transposed = model(&[1, 1, 2]).floats("w", &[1, 1, 2], &[1.0, 10.0]);
    let transposed =
        transposed.node("ConvTranspose", "x w -> y", &[integers("strides", &[2]), integers("output_padding", &[1])]);
    assert_values(&transposed, &[(&[1.0, 2.0], &[1.0, 10.0, 2.0, 20.0, 0.0])]);
    let grouped = model(&[1, 2, 1, 1]).floats("w", &[2, 1, 1, 1], &[2.0, 3.0]);
    assert_values(&grouped.node("Conv", "x w -> y", &[integer("group", 2)]), &[(&[5.0, 7.0], &[10.0, 21.0])]);
}

#[test]
fn pools() {
    let pool = |operator: &str, more: &[_]| {
        let attributes =
            [&[integers("kernel_shape", &[2]), integers("pads", &[1, 1]), integers("strides", &[2])], more];
        model(&[1, 1, 4]).node(operator, "x -> y", &attributes.concat())
    };
    let x: &[f64] = &[-1.0, -2.0, -3.0, -4.0];
    assert_values(&pool("MaxPool", &[]), &[(x, &[-1.0, -2.0, -4.0])]);
    assert_values(&pool("AveragePool", &[]), &[(x, &[-1.0, -2.5, -4.0])]);
    assert_values(&pool("AveragePool", &[integer("count_include_pad", 1)]), &[(x, &[-0.5, -2.5, -2.0])]);
    let global = model(&[1, 2, 2]).node("GlobalAveragePool", "x -> y", &[]);
    assert_values(&global, &[(x, &[-1.5, -3.5])]);
    let three = model(&[1, 1, 3]).node("MaxPool", "x -> y", &[integers("kernel_shape", &[3])]);
    assert_values(&three, &[(&[1.0, 2.0, 3.0], &[3.0]), (&[3.0, 2.0, 1.0], &[3.0]), (&[-2.0, -1.0, -3.0], &[-1.0])]);
}

#[test]
fn piecewise() {
    let one = |operator: &str, attributes: &[_]| model(&[1, 3]).node(operator, "x -> y", attributes);
    let x: &[f64] = &[-2.0, 0.5, 3.0];
    assert_values(&one("Relu", &[]), &[(x, &[0.0, 0.5, 3.0])]);
    assert_values(&one("Abs", &[]), &[(x, &[2.0, 0.5, 3.0])]);
    assert_values(&one("LeakyRelu", &[float("alpha", 0.5)]), &[(x, &[-1.0, 0.5, 3.0])]);
    assert_values(&one("HardSigmoid", &[]), &[(x, &[0.1, 0.6, 1.0])]);
    let clip = one("Clip", &[float("min", -1.0), float("max", 2.0)]).opset(6);
    assert_values(&clip, &[(x, &[-1.0, 0.5, 2.0])]);
    let both = model(&[1, 3]).floats("w", &[3], &[0.0, 1.0, -2.0]);
    assert_values(&both.clone().node("PRelu", "x w -> y", &[]), &[(&[-1.0, -2.0, -3.0], &[0.0, -2.0, 6.0])]);
    assert_values(&both.clone().node("Max", "x w -> y", &[]), &[(x, &[0.0, 1.0, 3.0])]);
    assert_values(&one("ThresholdedRelu", &[float("alpha", 0.0)]), &[(x, &[0.0, 0.5, 3.0])]);
    let shrunk = one("Shrink", &[float("bias", 0.5), float("lambd", 0.5)]);
    assert_values(&shrunk, &[(x, &[-1.5, 0.0, 2.5]), (&[0.25, -0.25, 0.75], &[0.0, 0.0, 0.25])]);
    assert_values(&both.node("Neg", "x -> n", &[]).node("Min", "x n w -> y", &[]), &[(x, &[-2.0, -0.5, -3.0])]);
}

#[test]
fn rearrangements() {
    let x: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let one = |operator: &str, attributes: &[_]| model(&[1, 2, 3]).node(operator, "x -> y", attributes);
    let turned: &[f64] = &[1.0, 4.0, 2.0, 5.0, 3.0, 6.0];
    assert_values(&one("Transpose", &[integers("perm", &[0, 2, 1])]), &[(x, turned)]);
    let with = |list: &[i64]| model(&[1, 2, 3]).integers("i", list);
    assert_values(&with(&[2, 0]).node("Gather", "x i -> y", &[integer("axis", 2)]), &[(x, &[3.0, 1.0, 6.0, 4.0])]);
    let reversed = with(&[-1]).integers("end", &[-9]).integers("axis", &[2]).integers("step", &[-2]);
    assert_values(&reversed.node("Slice", "x i end axis step -> y", &[]), &[(x, &[3.0, 1.0, 6.0, 4.0])]);
    let split = with(&[1, 2]).node("Split", "x i -> first y", &[integer("axis", -1)]);
    assert_values(&split, &[(x, &[2.0, 3.0, 5.0, 6.0])]);
    let padded = with(&[0, 0, 1, 0, 0, -2]).floats("v", &[], &[9.0]).node("Pad", "x i v -> y", &[]);
    assert_values(&padded, &[(x, &[9.0, 1.0, 9.0, 4.0])]);
    let joined = with(&[0]).floats("w", &[1, 1, 3], &[7.0, 8.0, 9.0]);
    let joined = joined.node("Concat", "w x -> y", &[integer("axis", 1)]);
    assert_values(&joined, &[(x, &[7.0, 8.0, 9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0])]);
    assert_values(&with(&[-1]).node("ReduceSum", "x i -> y", &[integer("keepdims", 0)]), &[(x, &[6.0, 15.0])]);
    assert_values(&with(&[2, 1, 1]).node("Expand", "x i -> y", &[]), &[(x, &[x, x].concat())]);
}

#[test]
fn shapes_are_computed_while_reading() {
    let view = model(&[0, 2, 3]).node("Shape", "x -> s", &[]).integers("zero", &[0]).integers("rest", &[-1]);
    let view = view.node("Gather", "s zero -> n", &[]).node("Concat", "n rest -> to", &[integer("axis", 0)]);
    let view = view.node("Reshape", "x to -> r", &[]).node("Relu", "r -> y", &[]);
    let network = super::network(&view);
    assert_eq!((network.input_shape(), network.output_shape()), (&[2, 3][..], &[6][..]));
    assert_eq!(network.nodes().len(), 2);
    let halves = model(&[1, 4]).integers("two", &[2]).integers("start", &[1]).integers("end", &[2]);
    let halves = halves.node("Shape", "x -> s", &[]).node("Slice", "s start end -> n", &[]);
    let halves = halves.node("Div", "n two -> half", &[]).node("Slice", "x half n start -> y", &[]);
    assert_values(&halves, &[(&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0])]);
}

#[test]
fn reductions() {
    let x: &[f64] = &[1.0, -2.0, 3.0, -4.0, 5.0, -6.0];
    let one = |operator: &str, more: &[_]| {
        let attributes = [&[integers("axes", &[2]), integer("keepdims", 0)], more].concat();
        model(&[1, 2, 3]).node(operator, "x -> y", &attributes)
    };
    assert_values(&one("ReduceMax", &[]), &[(x, &[3.0, 5.0])]);
    assert_values(&one("ReduceMin", &[]), &[(x, &[-2.0, -6.0])]);
    assert_values(&one("ReduceL1", &[]), &[(x, &[6.0, 15.0])]);
    assert_values(&model(&[1, 2, 3]).node("GlobalMaxPool", "x -> y", &[]), &[(x, &[3.0, 5.0])]);
    let summed = |attributes: &[_]| model(&[1, 2, 3]).integers("i", &[-1]).node("CumSum", "x i -> y", attributes);
    assert_values(&summed(&[]), &[(x, &[1.0, -1.0, 2.0, -4.0, 1.0, -5.0])]);
    let both = [integer("exclusive", 1), integer("reverse", 1)];
    assert_values(&summed(&both), &[(x, &[1.0, 3.0, 0.0, -1.0, -6.0, 0.0])]);
}

#[test]
fn choices() {
    let x: &[f64] = &[1.0, 2.0, 3.0, 4.0];
    let plane = || model(&[1, 2, 2]).opset(16);
    let table = |values: &[i64], shape: &[i64]| {
        let raw: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        tensor("i", 7, shape).bytes(9, &raw)
    };
    let mask = tensor("c", 9, &[2]).bytes(9, &[1, 0]);
    let masked = plane().tensor(&mask).floats("w", &[2, 1], &[8.0, 9.0]).node("Where", "c x w -> y", &[]);
    assert_values(&masked, &[(x, &[1.0, 8.0, 3.0, 9.0])]);
    assert_values(&plane().node("Trilu", "x -> y", &[]), &[(x, &[1.0, 2.0, 0.0, 4.0])]);
    let lower = plane().tensor(&table(&[-1], &[])).node("Trilu", "x i -> y", &[integer("upper", 0)]);
    assert_values(&lower, &[(x, &[0.0, 0.0, 3.0, 0.0])]);
    let elements = plane().tensor(&table(&[-1, 0, 0, 0], &[1, 2, 2]));
    let gathered = elements.clone().node("GatherElements", "x i -> y", &[integer("axis", 2)]);
    assert_values(&gathered, &[(x, &[2.0, 1.0, 3.0, 3.0])]);
    let scattered = plane().tensor(&table(&[1, 0], &[1, 1, 2])).floats("w", &[1, 1, 2], &[8.0, 9.0]);
    let scattered = scattered.node("ScatterElements", "x i w -> y", &[integer("axis", 1)]);
    assert_values(&scattered, &[(x, &[1.0, 9.0, 8.0, 4.0])]);
    let slices = plane().tensor(&table(&[0, 1, 0, 0], &[2, 2]));
    assert_values(&slices.node("GatherND", "x i -> y", &[]), &[(x, &[3.0, 4.0, 1.0, 2.0])]);
    let replaced = plane().tensor(&table(&[0, -1], &[1, 2])).floats("w", &[1, 2], &[8.0, 9.0]);
    assert_values(&replaced.node("ScatterND", "x i w -> y", &[]), &[(x, &[1.0, 2.0, 8.0, 9.0])]);
}

#[test]
fn other_sizes() {
    let x: &[f64] = &[1.0, 2.0, 3.0, 4.0];
    let line = |list: &[i64]| model(&[1, 1, 4]).integers("i", list);
    assert_values(&line(&[1, 1, 2]).node("Tile", "x i -> y", &[]), &[(x, &[x, x].concat())]);
    let resized = |size, attributes: &[_]| line(&[1, 1, size]).node("Resize", "x _ _ i -> y", attributes);
    assert_values(&resized(8, &[]), &[(x, &[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0])]);
    assert_values(&resized(2, &[]), &[(x, &[1.0, 3.0])]);
    let linear = resized(8, &[text("mode", "linear")]);
    assert_values(&linear, &[(x, &[1.0, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4.0])]);
    let corners = [text("mode", "linear"), text("coordinate_transformation_mode", "align_corners")];
    assert_values(&resized(3, &corners), &[(x, &[1.0, 2.5, 4.0])]);
    let padded = |mode| line(&[0, 0, 2, 0, 0, 1]).node("Pad", "x i -> y", &[text("mode", mode)]).opset(19);
    assert_values(&padded("edge"), &[(x, &[1.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.0])]);
    assert_values(&padded("reflect"), &[(x, &[3.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0])]);
    assert_values(&padded("wrap"), &[(x, &[3.0, 4.0, 1.0, 2.0, 3.0, 4.0, 1.0])]);
    let deep = model(&[1, 4, 1, 2]).node("DepthToSpace", "x -> y", &[integer("blocksize", 2)]);
    let eight: &[f64] = &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    assert_values(&deep, &[(eight, &[1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0])]);
    let wide = model(&[1, 1, 2, 4]).node("SpaceToDepth", "x -> y", &[integer("blocksize", 2)]);
    assert_values(&wide, &[(eight, &[1.0, 3.0, 2.0, 4.0, 5.0, 7.0, 6.0, 8.0])]);
}

#[test]
fn constants_are_folded() {
    let rooted = model(&[1, 2]).floats("w", &[2], &[4.0, 9.0]).node("Sqrt", "w -> r", &[]);
    assert_values(&rooted.node("Div", "x r -> y", &[]), &[(&[1.0, 1.0], &[0.5, 1.0 / 3.0])]);
    let power = model(&[1, 2]).floats("w", &[2], &[4.0, 0.25]).floats("e", &[], &[-1.5]);
    let refused = "node thePow (Pow): expected an exponent that is an integer up to 16 or 0.5, found -1.5";
    assert_eq!(super::refusal(&power.node("Pow", "w e -> p", &[]).node("Mul", "x p -> y", &[])), refused);
    let inverse = model(&[1, 2]).floats("w", &[2], &[4.0, 0.25]).floats("e", &[], &[-0.5]);
    let inverse = inverse.node("Pow", "w e -> p", &[]).node("Mul", "x p -> y", &[]);
    assert_values(&inverse, &[(&[1.0, 1.0], &[0.5, 2.0])]);
    let even = model(&[1, 4]).integers("start", &[0]).integers("end", &[4]).integers("step", &[2]);
    let even = even.node("Range", "start end step -> r", &[]).node("Gather", "x r -> y", &[integer("axis", 1)]);
    assert_values(&even, &[(&[1.0, 2.0, 3.0, 4.0], &[1.0, 3.0])]);
    let wild = model(&[1, 4]).integers("start", &[0]).integers("end", &[i64::MAX]).integers("step", &[1]);
    let wild = super::refusal(&wild.node("Range", "start end step -> r", &[]).node("Gather", "x r -> y", &[]));
    assert_eq!(wild, "node theRange (Range): expected a shape within the limits, found [9223372036854775807]");
}
