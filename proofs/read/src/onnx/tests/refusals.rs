//! Every refusal names the place, what was expected and what was found.

use super::writer::{Message, Model, float, integer, integers, model, tensor, text, value_info};
use super::{read_onnx, refusal};

fn assert_refusals(cases: &[(Model, &str)]) {
    for (model, message) in cases {
        assert_eq!(refusal(model), *message);
    }
}

#[test]
fn operators() {
    let one = |operator: &str| model(&[1, 2]).node(operator, "x -> h", &[]).node("Relu", "h -> y", &[]);
    let mut domain = model(&[1, 2]);
    let node = Message::default().text(1, "x").text(2, "y").text(4, "Relu").text(7, "com.microsoft");
    domain.graph = domain.graph.message(1, &node);
    let product = model(&[1, 2]).node("Neg", "x -> n", &[]);
    assert_refusals(&[
        (one("Sign"), "node theSign (Sign): expected a piecewise linear operator, found Sign"),
        (one("Loop"), "node theLoop (Loop): expected a piecewise linear operator, found Loop"),
        (
            one("Sigmoid"),
            "node theSigmoid (Sigmoid): expected a piecewise linear operator, or this one only at the very end, \
             found Sigmoid",
        ),
        (domain, "node #0 (Relu): expected an operator of the default domain, found com.microsoft"),
        (
            product.clone().node("Mul", "x n -> y", &[]),
            "node theMul (Mul): expected a constant factor, found two computed values",
        ),
        (
            product.clone().node("MatMul", "x n -> y", &[]),
            "node theMatMul (MatMul): expected 2 rows of the second factor, found 1",
        ),
        (
            product.node("Div", "x n -> y", &[]),
            "node theDiv (Div): expected a constant divisor, found a computed value",
        ),
        (
            model(&[1, 2, 3]).node("Softmax", "x -> y", &[integer("axis", 1)]),
            "node theSoftmax (Softmax): expected the classes of one row as its axis, found axis 1 of [1, 2, 3]",
        ),
    ]);
}

#[test]
fn attributes_and_operands() {
    let with = |operator: &str, attributes: &[_]| model(&[1, 1, 4]).node(operator, "x -> y", attributes);
    let divided = model(&[1, 2]).floats("w", &[2], &[1.0, 0.0]).node("Div", "x w -> y", &[]);
    assert_refusals(&[
        (
            with("Relu", &[integer("alpha", 1)]),
            "node theRelu (Relu): expected attributes that are supported, found attribute alpha",
        ),
        (
            with("LeakyRelu", &[integer("alpha", 1)]),
            "node theLeakyRelu (LeakyRelu): expected a float as attribute alpha, found attribute type 2",
        ),
        (
            with("LeakyRelu", &[float("alpha", f32::NAN)]),
            "node theLeakyRelu (LeakyRelu): expected a finite number as attribute alpha, found NaN",
        ),
        (
            with("Pad", &[text("mode", "mirror")]),
            "node thePad (Pad): expected one of [\"constant\", \"edge\", \"reflect\", \"wrap\"] as attribute mode, found mirror",
        ),
        (
            with("Cast", &[integer("to", 10)]),
            "node theCast (Cast): expected a conversion to FLOAT or DOUBLE, or of constants to INT32, INT64 or BOOL, \
             found FLOAT16",
        ),
        (with("Dropout", &[]).opset(6), "node theDropout (Dropout): expected inference mode, found training mode"),
        (with("Concat", &[integer("axis", 3)]), "node theConcat (Concat): expected an axis or index below 3, found 3"),
        (divided, "node theDiv (Div): expected a divisor without zeros, found a zero"),
        (model(&[1, 2]).node("Relu", "x x -> y", &[]), "node theRelu (Relu): expected at most 1 inputs, found 2"),
        (model(&[1, 2]).node("Relu", "x -> y z", &[]), "node theRelu (Relu): expected 1 outputs, found 2"),
        (model(&[1, 2]).node("Add", "x _ -> y", &[]), "node theAdd (Add): expected input 1, found none"),
    ]);
}

#[test]
fn jumps() {
    let with = |operator: &str, attributes: &[_]| model(&[1, 4]).node(operator, "x -> y", attributes);
    let compared = model(&[1, 2]).floats("w", &[2], &[0.5, 1.0]).node("Greater", "x w -> y", &[]);
    let condition = model(&[1, 2]).node("Where", "x x x -> y", &[]);
    let near = model(&[1, 2]).floats("v", &[1], &[1.0]).floats("w", &[1], &[1.000_000_1]);
    let near = near.node("Less", "v w -> c", &[]).node("Where", "c x x -> y", &[]);
    let almost = model(&[1, 2]).floats("w", &[1], &[1.999_999_9]).node("Floor", "w -> f", &[]);
    assert_refusals(&[
        (
            with("ThresholdedRelu", &[]),
            "node theThresholdedRelu (ThresholdedRelu): expected alpha 0, elsewhere it jumps, found 1",
        ),
        (
            with("Shrink", &[float("bias", 0.25)]),
            "node theShrink (Shrink): expected a bias equal to lambd and not negative, elsewhere it jumps, \
             found bias 0.25 and lambd 0.5",
        ),
        (compared, "node theGreater (Greater): expected constants, found a computed value"),
        (condition, "node theWhere (Where): expected a constant condition, found a computed value"),
        (near, "node theLess (Less): expected numbers that are equal or not near each other, found others"),
        (
            almost.node("Add", "x f -> y", &[]),
            "node theFloor (Floor): expected numbers that are integers or not near one, found others",
        ),
        (with("Sqrt", &[]), "node theSqrt (Sqrt): expected a constant of floats, found a computed value"),
    ]);
}

#[test]
fn places() {
    let with = |list: &[i64]| model(&[1, 3]).integers("i", list).floats("w", &[2], &[1.0, 2.0]);
    let pairs = |list: &[i64]| {
        let raw: Vec<u8> = list.iter().flat_map(|v| v.to_le_bytes()).collect();
        let pairs = tensor("i", 7, &[i64::try_from(list.len()).unwrap() / 2, 2]).bytes(9, &raw);
        model(&[1, 3]).tensor(&pairs).floats("w", &[2], &[1.0, 2.0])
    };
    assert_refusals(&[
        (
            pairs(&[0, 1, 0, 1]).node("ScatterND", "x i w -> y", &[]),
            "node theScatterND (ScatterND): expected distinct indices, found one of them twice",
        ),
        (
            pairs(&[0, 3]).node("GatherND", "x i -> y", &[]),
            "node theGatherND (GatherND): expected an axis or index below 3, found 3",
        ),
        (
            pairs(&[0, 0, 0, 1]).node("ScatterND", "x i w -> y", &[text("reduction", "add")]).opset(16),
            "node theScatterND (ScatterND): expected reduction none, found add",
        ),
        (
            with(&[0, 1, 2]).node("GatherElements", "x i -> y", &[]),
            "node theGatherElements (GatherElements): expected indices within [1, 3], found [3]",
        ),
        (with(&[2]).node("Tile", "x i -> y", &[]), "node theTile (Tile): expected 2 repeats, found [2]"),
        (
            with(&[1, 1 << 40]).node("Tile", "x i -> y", &[]),
            "node theTile (Tile): expected a shape within the limits, found [1, 3298534883328]",
        ),
        (
            model(&[1, 6, 2, 2]).node("DepthToSpace", "x -> y", &[integer("blocksize", 2)]),
            "node theDepthToSpace (DepthToSpace): expected sizes that blocks of 2 divide, found [1, 6, 2, 2]",
        ),
    ]);
}

#[test]
fn sizes() {
    let resized = |sizes: &[i64], attributes: &[_]| {
        model(&[1, 1, 6, 6]).integers("i", sizes).node("Resize", "x _ _ i -> y", attributes)
    };
    let scaled = model(&[1, 3]).floats("s", &[2], &[1.0, 1.5]).node("Resize", "x _ s -> y", &[]);
    let half = integer("antialias", 1);
    assert_refusals(&[
        (
            resized(&[1, 1, 1, 6], &[]),
            "node theResize (Resize): expected a known nearest_mode and elements with one that is surely the nearest, \
             found round_prefer_floor",
        ),
        (
            resized(&[1, 1, 3, 3], &[half]).opset(18),
            "node theResize (Resize): expected attribute antialias = 0, found 1",
        ),
        (
            resized(&[1, 1, 3, 3], &[text("mode", "cubic")]),
            "node theResize (Resize): expected mode nearest or linear, found cubic",
        ),
        (
            model(&[1]).tensor(&tensor("e", 1, &[0])).integers("i", &[2]).node("Resize", "e _ _ i -> y", &[]),
            "node theResize (Resize): expected elements to resize, found none",
        ),
        (
            model(&[1]).tensor(&tensor("e", 1, &[0])).integers("i", &[1, 1]).node(
                "Pad",
                "e i -> y",
                &[text("mode", "edge")],
            ),
            "node thePad (Pad): expected elements for mode edge, found none",
        ),
        (scaled, "node theResize (Resize): expected scales that give integers, found others"),
    ]);
}

#[test]
fn windows() {
    let pool = |operator: &str, pads: &[i64], stride, more: &[_]| {
        let window = [integers("kernel_shape", &[2]), integers("pads", pads), integers("strides", &[stride])];
        model(&[1, 1, 4]).node(operator, "x -> y", &[&window, more].concat())
    };
    let (up, padding) = (integer("ceil_mode", 1), integer("count_include_pad", 1));
    assert_refusals(&[
        (
            model(&[1, 1, 4]).node("MaxPool", "x -> y", &[]),
            "node theMaxPool (MaxPool): expected attribute kernel_shape, found none",
        ),
        (
            pool("MaxPool", &[0, 0], 0, &[]),
            "node theMaxPool (MaxPool): expected 1 numbers from 1 to 16777216 as attribute strides, found [0]",
        ),
        (
            pool("MaxPool", &[2, 0], 1, &[]),
            "node theMaxPool (MaxPool): expected windows that reach the source, found one of padding only",
        ),
        (
            pool("AveragePool", &[0, 0], 3, &[up.clone(), padding]),
            "node theAveragePool (AveragePool): expected windows that end in the padding, found ceil_mode beyond it",
        ),
        (
            pool("MaxPool", &[0, 1], 4, &[up]),
            "node theMaxPool (MaxPool): expected windows that begin before the padding behind the source, \
             found one that does not",
        ),
        (
            pool("MaxPool", &[0, 0], 1, &[text("auto_pad", "SAME")]),
            "node theMaxPool (MaxPool): expected one of [\"NOTSET\", \"VALID\", \"SAME_UPPER\", \
             \"SAME_LOWER\"] as attribute auto_pad, found SAME",
        ),
        (
            pool("MaxPool", &[0, 1], 1, &[text("auto_pad", "SAME_UPPER")]),
            "node theMaxPool (MaxPool): expected neither pads nor ceil_mode with auto_pad SAME_UPPER, \
             found one of them",
        ),
    ]);
}

#[test]
fn tensors() {
    let raw = |element, shape: &[i64], bytes: usize| tensor("w", element, shape).bytes(9, &vec![0; bytes]);
    let types = "FLOAT, DOUBLE, INT32, INT64 or BOOL elements";
    let inside = "numbers inside the model file";
    for (tensor, expected, found) in [
        (raw(10, &[2], 4), types, "FLOAT16"),
        (raw(16, &[2], 4), types, "BFLOAT16"),
        (raw(3, &[2], 2), types, "INT8"),
        (raw(0, &[2], 2), types, "UNDEFINED"),
        (raw(99, &[2], 2), types, "type 99"),
        (raw(1, &[2], 4), "2 elements of its type", "1"),
        (raw(1, &[-1], 8), "a shape within limits", "[-1]"),
        (raw(1, &[1 << 40, 1 << 40], 8), "a shape within limits", "[1099511627776, 1099511627776]"),
        (raw(1, &[0, 2], 0), "a shape within limits", "[0, 2]"),
        (tensor("w", 1, &[2]).integer(14, 1), inside, "external data"),
        (tensor("w", 1, &[2]).message(13, &Message::default()), inside, "external data"),
        (tensor("w", 1, &[2]).bytes(9, &[0, 0, 0, 0, 0, 0, 0xc0, 0x7f]), "finite numbers", "NaN at element 1"),
        (tensor("w", 1, &[2]).bytes(9, &[0, 0, 0x80, 0x7f, 0, 0, 0, 0]), "finite numbers", "inf at element 0"),
    ] {
        let model = model(&[1, 2]).tensor(&tensor).node("Add", "x w -> y", &[]);
        assert_eq!(refusal(&model), format!("tensor w: expected {expected}, found {found}"));
    }
    for (tensor, message) in [
        (raw(1, &[2], 7), "byte 21: expected field 9 in elements of 4 bytes, found 7 bytes"),
        (raw(1, &[2], 8).float(4, 1.0), "byte 30: expected a supported field of TensorProto, found field 4"),
    ] {
        assert_eq!(refusal(&model(&[1, 2]).tensor(&tensor).node("Add", "x w -> y", &[])), message);
    }
    let integers = tensor("w", 7, &[2]).integer(7, 1).integer(7, 2);
    let added = model(&[1, 2]).tensor(&integers).node("Add", "x w -> y", &[]);
    assert_eq!(refusal(&added), "node theAdd (Add): expected a constant of floats, found integers");
}

#[test]
fn graphs() {
    let relu = model(&[1, 2]).node("Relu", "x -> y", &[]);
    let changed = |change: &dyn Fn(&mut Model)| {
        let mut model = relu.clone();
        change(&mut model);
        model
    };
    let input = |element, shape: &[i64]| changed(&|model| model.input = value_info("x", element, shape));
    let graph = |add: &dyn Fn(Message) -> Message| changed(&|model| model.graph = add(model.graph.clone()));
    assert_refusals(&[
        (relu.clone().opset(5), "model: expected one opset from 6 to 28 of the default domain, found opsets [5]"),
        (relu.clone().opset(29), "model: expected one opset from 6 to 28 of the default domain, found opsets [29]"),
        (input(1, &[2, 2]), "input x: expected a batch dimension that is symbolic or 1, found [2, 2]"),
        (input(1, &[1, 0]), "input x: expected known dimensions after the batch, found a symbolic one"),
        (input(1, &[0]), "input x: expected known dimensions after the batch, found a symbolic one"),
        (input(10, &[1, 2]), "input x: expected FLOAT or DOUBLE elements, found FLOAT16"),
        (changed(&|m| m.input = Message::default().text(1, "x")), "input x: expected a shape, found none"),
        (
            changed(&|m| m.output = Message::default().text(1, "z")),
            "output z: expected a value that depends on the input, found none or a constant",
        ),
        (changed(&|m| m.output = value_info("y", 1, &[1, 3])), "output y: expected shape [1, 3], found [1, 2]"),
        (
            graph(&|g| g.message(11, &value_info("u", 1, &[1, 2]))),
            "graph: expected one input that is not an initializer, found [\"u\", \"x\"]",
        ),
        (
            graph(&|g| g.message(12, &value_info("u", 1, &[1, 2]))),
            "graph: expected one output that is not an initializer, found [\"u\", \"y\"]",
        ),
        (
            graph(&|g| g.message(15, &Message::default())),
            "byte 35: expected a supported field of GraphProto, which excludes quantization annotations (14) and \
             sparse initializers (15), found field 15",
        ),
        (
            graph(&|g| g.message(14, &Message::default())),
            "byte 35: expected a supported field of GraphProto, which excludes quantization annotations (14) and \
             sparse initializers (15), found field 14",
        ),
        (
            relu.clone().node("Relu", "x -> y", &[]),
            "graph: expected values with names of their own, found `y` without or again",
        ),
        (
            model(&[1, 2]).node("Relu", "h -> y", &[]),
            "node theRelu (Relu): expected operands defined before, found `h`",
        ),
        (
            model(&[1, 2]).node("Add", "x b -> a", &[]).node("Relu", "a -> b", &[]).node("Relu", "b -> y", &[]),
            "node theAdd (Add): expected operands defined before, found `b`",
        ),
    ]);
    for field in [20, 25] {
        let bytes = [relu.bytes(), Message::default().message(field, &Message::default()).0].concat();
        let expected =
            "a supported field of ModelProto, which excludes training information (20) and local functions (25)";
        let message = format!("byte {}: expected {expected}, found field {field}", bytes.len());
        assert_eq!(read_onnx(&bytes).unwrap_err().to_string(), message);
    }
}
