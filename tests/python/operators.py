"""Compares bartizan's lowering of each ONNX operator with onnxruntime, on small random models.

    python operators.py EVALUATE [NAME]

Checks too that every operator that proofs/read/OPERATORS.md calls accepted is shown by a case in each set that defines it anew.

EVALUATE is the example binary `evaluate` of the crate bartizan-read; NAME selects the cases whose names contain it.
Every case is a model of one or a few operators with weights seeded by its name, so the cases never change. Models of
operator set 6, which onnxruntime no longer runs, are converted to set 7 for it, or compared with an equivalent model of that
set. Exits with 1 if any case differs.
"""

import itertools
import re
import sys
import zlib
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper, version_converter

import cases_of_choice
import cases_of_constants
import cases_of_sizes
from cases import DOUBLE, FLOAT, RECENT, Weights, ints, model, step
from compare_onnxruntime import TOLERANCE, Refused, largest_difference

def elementwise():
    """Add, Sub, Mul, Div with a constant on either side, broadcast, of both element types."""
    shapes = [(2, 3, 4), (1, 2, 3, 4), (4,), (3, 1), (2, 1, 1), (), (1,), (1, 1, 1, 1, 4)]
    operators = ("Add", "Sub", "Mul", "Div")
    for operator, opset, shape, is_left in itertools.product(operators, (7, *RECENT), shapes, (0, 1)):
        if operator == "Div" and is_left:
            continue
        for element in (FLOAT, DOUBLE):
            name = f"{operator}-{opset}-{shape}-{'left' if is_left else 'right'}-{element.__name__}"
            constant = Weights(name, element).positive(*shape)
            operands = (constant, "x") if is_left else ("x", constant)
            yield name, model(opset, ["batch", 2, 3, 4], step(operator, *operands), element=element)
    for operator in ("Add", "Sub"):
        yield f"{operator}-two-values", model(
            13, [1, 2, 3], step("ReduceMean", "x", axes=[2]), step("Relu", "x"), step(operator, "@0.0", "@1.0"))
        yield f"{operator}-same-value", model(13, [1, 5], step(operator, "x", "x"))
    for operator in ("Add", "Mul", "Sub", "Div"):
        weights = Weights(f"fold-{operator}")
        yield f"{operator}-constants", model(
            13, [1, 4], step(operator, weights(3, 1), weights.positive(4)), step("Add", "x", "@"), step("Relu", "@"))


def legacy_broadcast():
    """Operator set 6: `broadcast` and `axis`."""
    variants = [
        ((2, 3, 4), {"axis": 1}), ((4,), {}), ((3,), {"axis": 2}), ((2, 3), {"axis": 1}), ((3, 4), {}), ((1,), {}),
    ]
    for operator, (shape, attributes) in itertools.product(("Add", "Sub", "Mul", "Div"), variants):
        name = f"{operator}-6-{shape}-{attributes}"
        constant = Weights(name).positive(*shape)
        behind = 4 - attributes.get("axis", 4 - len(shape)) - len(shape)
        reference = model(7, [1, 2, 3, 4], step(operator, "x", constant.reshape(shape + (1,) * behind)))
        yield name, model(6, [1, 2, 3, 4], step(operator, "x", constant, broadcast=1, **attributes)), reference
    yield "Add-6-equal", model(6, [1, 3], step("Add", "x", Weights("Add-6-equal")(1, 3)))


def endings():
    """Activations at the very end, which are left out."""
    for opset, operator in itertools.product((6, 11, 13, 21), ("Softmax", "LogSoftmax", "Sigmoid")):
        weights = Weights(f"{operator}-{opset}")(4, 3)
        variants = [{}] + [{"axis": 1}] * (operator != "Sigmoid") + [{"axis": -1}] * (operator != "Sigmoid" and opset > 10)
        for attributes in variants:
            yield f"{operator}-{opset}-{attributes}", model(
                opset, [1, 4], step("MatMul", "x", weights), step(operator, "@", **attributes)), model(
                opset if opset > 6 else 7, [1, 4], step("MatMul", "x", weights))


def sums():
    for operator, opset in itertools.product(("Sum", "Mean"), (6, 8, *RECENT)):
        weights = Weights(f"{operator}-{opset}")
        yield f"{operator}-{opset}-one", model(opset, [1, 3], step(operator, "x"))
        yield f"{operator}-{opset}-three", model(
            opset, [1, 3], step("Relu", "x"), step(operator, "x", weights(1, 3), "@0.0"))
        if opset >= 8:
            yield f"{operator}-{opset}-broadcast", model(
                opset, [1, 2, 3], step("Relu", "x"), step(operator, "x", weights(3), "@0.0", weights(2, 1)))
    for opset in (6, *RECENT):
        yield f"Neg-{opset}", model(opset, [1, 3], step("Neg", "x"))
        yield f"Identity-{opset}", model(opset, [1, 3], step("Identity", "x"), step("Relu", "@"))


def normalisation():
    for opset, shape in itertools.product((6, 7, 9, 14, 15, 21), ([1, 3, 2, 2], ["n", 3], [1, 3, 4])):
        name = f"BatchNormalization-{opset}-{shape}"
        weights = Weights(name)
        attributes = {"is_test": 1} if opset == 6 else {}
        operands = ("x", weights(3), weights(3), weights(3), weights.positive(3))
        yield name, model(opset, shape, step("BatchNormalization", *operands, **attributes))
        yield name + "-epsilon", model(
            opset, shape, step("BatchNormalization", *operands, epsilon=0.3, momentum=0.5, **attributes))
    for opset in (6, 7, 10):
        attributes = {"is_test": 1} if opset == 6 else {}
        yield f"Dropout-{opset}", model(opset, [1, 3], step("Dropout", "x", ratio=0.3, **attributes))
        yield f"Dropout-{opset}-mask", model(opset, [1, 3], step("Dropout", "x", outputs=2, **attributes))
    for opset in (12, *RECENT):
        operands = ("x", np.float32(0.5), np.array(False))
        yield f"Dropout-{opset}-inputs", model(opset, [1, 3], step("Dropout", *operands))


def piecewise():
    for opset in (6, 11, 13, 16, 21):
        for operator, attributes in [
            ("Relu", {}), ("Abs", {}), ("LeakyRelu", {}), ("LeakyRelu", {"alpha": 0.3}), ("LeakyRelu", {"alpha": 1.7}),
            ("LeakyRelu", {"alpha": -0.4}), ("HardSigmoid", {}), ("HardSigmoid", {"alpha": 0.7, "beta": 0.1}),
            ("HardSigmoid", {"alpha": -0.7}),
        ]:
            yield f"{operator}-{opset}-{attributes}", model(opset, [1, 2, 3], step(operator, "x", **attributes))
    for opset in (6, 10):
        for attributes in ({}, {"min": -0.5}, {"max": 0.7}, {"min": -0.3, "max": 0.3}, {"min": 0.0, "max": 6.0}):
            yield f"Clip-{opset}-{attributes}", model(opset, [1, 6], step("Clip", "x", **attributes))
    limits = [(-0.5, 0.7), (-0.5, None), (None, 0.7), (0, 6), (0.9, -0.2), (-np.inf, 1), (0, np.inf)]
    for opset, (low, high) in itertools.product((11, 12, *RECENT), limits):
        operands = ["x"] + [None if limit is None else np.float32(limit) for limit in (low, high)]
        yield f"Clip-{opset}-({low},{high})", model(opset, [1, 6], step("Clip", *operands))
    for opset, shape in itertools.product((7, 9, 16), [(2, 3), (3,), (1,), (2, 1), (1, 1, 3)]):
        name = f"PRelu-{opset}-{shape}"
        yield name, model(opset, [1, 2, 3], step("PRelu", "x", Weights(name)(*shape)))
    for shape in ((1,), (2,)):
        name = f"PRelu-6-{shape}"
        slope = Weights(name)(*shape)
        reference = model(7, [1, 2, 3, 3], step("PRelu", "x", slope.reshape(-1, 1, 1)))
        yield name, model(6, [1, 2, 3, 3], step("PRelu", "x", slope)), reference


def extremes():
    for operator in ("Max", "Min"):
        weights = Weights(f"{operator}-6")(2, 1, 4)
        yield f"{operator}-6", model(6, [1, 4], step("Relu", "x"), step(operator, *weights, "@", "x"))
    for operator, opset in itertools.product(("Max", "Min"), (8, 12, *RECENT)):
        name = f"{operator}-{opset}"
        weights = Weights(name)
        dense = step("MatMul", "x", weights(4, 4))
        yield f"{name}-one", model(opset, [1, 4], step(operator, "x"))
        yield f"{name}-constant", model(opset, [1, 4], step(operator, "x", weights(4)))
        yield f"{name}-scalar-left", model(opset, [1, 4], step(operator, np.float32(0.2), "x"))
        yield f"{name}-two", model(opset, [1, 4], dense, step(operator, "x", "@"))
        yield f"{name}-four", model(
            opset, [1, 4], dense, step("Relu", "x"), step(operator, "x", weights(1, 4), "@0.0", "@1.0"))
        yield f"{name}-broadcast", model(
            opset, [1, 2, 3], step("MatMul", "x", weights(3, 1)), step(operator, "x", "@", weights(3)))


def products():
    for opset, shape, weight in itertools.product(
        (7, *RECENT),
        [[1, 4], [1, 3, 4], [1, 2, 3, 4]],
        [(4, 5), (4,), (1, 4, 5)],
    ):
        name = f"MatMul-{opset}-{shape}-{weight}"
        yield name, model(opset, shape, step("MatMul", "x", Weights(name)(*weight)))
    left = [([1, 4, 3], (5, 4)), ([1, 2, 4, 3], (5, 4)), ([1, 2, 4, 3], (2, 5, 4)), ([1, 4, 3], (4,)),
            ([1, 1, 4, 3], (2, 5, 4)), ([1, 4, 3], (3, 1, 5, 4)), ([4], (5, 4)), ([4], (4,)), ([4], (2, 5, 4))]
    for shape, weight in left:
        name = f"MatMul-left-{shape}-{weight}"
        yield name, model(13, shape, step("MatMul", Weights(name)(*weight), "x"))
    right = [([1, 2, 3, 4], (2, 4, 5)), ([1, 3, 4], (2, 4, 5)), ([4], (4, 5)), ([4], (2, 4, 5)), ([4], (4,))]
    for shape, weight in right:
        name = f"MatMul-right-{shape}-{weight}"
        yield name, model(13, shape, step("MatMul", "x", Weights(name)(*weight)))
        yield name + "-double", model(13, shape, step("MatMul", "x", Weights(name, DOUBLE)(*weight)), element=DOUBLE)
    for rows in (1, 3):
        weights = Weights(f"MatMul-sparse-{rows}")(20, 15)
        weights[np.abs(weights) < 1.5] = 0
        yield f"MatMul-sparse-{rows}", model(13, [1, rows, 20], step("MatMul", "x", weights))
    yield from gemm()


def gemm():
    scales = [{}, {"alpha": 0.3}, {"beta": -2.0}, {"alpha": 1.7, "beta": 0.4}]
    addends = [None, (5,), (1, 5), (1, 1), (1,), ()]
    for opset, turned, scale, addend in itertools.product((7, 9, 11, *RECENT), (0, 1), scales, addends):
        if addend is None and opset < 11:
            continue
        name = f"Gemm-{opset}-{turned}-{scale}-{addend}"
        weights = Weights(name)
        operands = ["x", weights(5, 4) if turned else weights(4, 5)] + ([] if addend is None else [weights(*addend)])
        yield name, model(opset, ["n", 4], step("Gemm", *operands, transB=turned, **scale))
    for is_left, trans_a, trans_b in itertools.product((0, 1), repeat=3):
        name = f"Gemm-matrix-{is_left}-{trans_a}-{trans_b}"
        weights = Weights(name)
        if is_left:  # w [5, 3] times x [3, 4]
            flat = step("Reshape", "x", ints(4, 3) if trans_b else ints(3, 4))
            operands = (weights(3, 5) if trans_a else weights(5, 3), "@", weights(5, 1))
        else:  # x [4, 3] times w [3, 5]
            flat = step("Reshape", "x", ints(3, 4) if trans_a else ints(4, 3))
            operands = ("@", weights(5, 3) if trans_b else weights(3, 5), weights(4, 1))
        product = step("Gemm", *operands, transA=trans_a, transB=trans_b, alpha=0.5)
        yield name, model(13, [1, 12], flat, product)
    weights = Weights("Gemm-addend")
    yield "Gemm-addend-computed", model(
        13, [1, 4], step("MatMul", "x", weights(4, 5)), step("Gemm", "x", weights(4, 5), "@", beta=0.3))
    yield "Gemm-6-broadcast", model(6, [1, 4], step("Gemm", "x", weights(4, 5), weights(5), broadcast=1))
    yield "Gemm-6-equal", model(6, [1, 4], step("Gemm", "x", weights(4, 5), weights(1, 5)))


def convolutions():
    plane = [
        {}, {"strides": [2, 1]}, {"pads": [1, 0, 2, 1]}, {"dilations": [2, 1]}, {"group": 2},
        {"strides": [2, 3], "pads": [1, 2, 0, 1], "dilations": [1, 2], "group": 2},
        {"auto_pad": "SAME_UPPER"}, {"auto_pad": "SAME_LOWER"}, {"auto_pad": "VALID"},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {"auto_pad": "SAME_LOWER", "strides": [2, 3]},
        {"kernel_shape": [3, 2], "pads": [0, 0, 0, 0], "strides": [1, 1], "dilations": [1, 1], "group": 1},
    ]
    for opset, attributes, has_bias in itertools.product((6, 11, 21), plane, (0, 1)):
        name = f"Conv-{opset}-{attributes}-{has_bias}"
        weights = Weights(name)
        operands = [weights(6, 4 // attributes.get("group", 1), 3, 2)] + ([weights(6)] if has_bias else [])
        yield name, model(opset, ["n", 4, 7, 6], step("Conv", "x", *operands, **attributes))
    line = [{}, {"strides": [2]}, {"pads": [2, 1]}, {"dilations": [3]}, {"group": 4}, {"auto_pad": "SAME_UPPER"},
            {"auto_pad": "SAME_LOWER", "strides": [3]}]
    for attributes in line:
        name = f"Conv1d-{attributes}"
        weights = Weights(name)
        operands = (weights(8, 4 // attributes.get("group", 1), 3), weights(8))
        yield name, model(13, [1, 4, 11], step("Conv", "x", *operands, **attributes))
    transposed = [
        {}, {"strides": [2, 3]}, {"pads": [1, 0, 0, 1]}, {"dilations": [2, 3]}, {"group": 2},
        {"strides": [2, 2], "output_padding": [1, 0]},
        {"strides": [3, 2], "pads": [1, 1, 2, 0], "output_padding": [0, 1]},
        {"strides": [2, 2], "pads": [2, 2, 2, 2]}, {"pads": [2, 1, 2, 1], "kernel_shape": [3, 2]},
        {"strides": [2, 3], "group": 2, "pads": [1, 1, 1, 1], "dilations": [1, 2]}, {"auto_pad": "VALID"},
        {"auto_pad": "SAME_UPPER", "strides": [1, 2]}, {"auto_pad": "SAME_LOWER", "strides": [3, 2]},
        {"output_shape": [5, 5]}, {"output_shape": [7, 3]}, {"strides": [3, 2], "output_shape": [13, 8]},
        {"strides": [2, 2], "output_shape": [10, 6], "output_padding": [1, 0]},
    ]
    for opset, attributes, has_bias in itertools.product((6, 11, 21), transposed, (0, 1)):
        name = f"ConvTranspose-{opset}-{attributes}-{has_bias}"
        weights = Weights(name)
        group = attributes.get("group", 1)
        operands = [weights(4, 3, 3, 2)] + ([weights(3 * group)] if has_bias else [])
        yield name, model(opset, [1, 4, 5, 4], step("ConvTranspose", "x", *operands, **attributes))
    for attributes in ({}, {"strides": [2], "pads": [1, 1], "output_padding": [1]}, {"group": 2}):
        name = f"ConvTranspose1d-{attributes}"
        yield name, model(13, [1, 4, 5], step("ConvTranspose", "x", Weights(name)(4, 2, 3), **attributes))


def pools():
    common = [
        {}, {"strides": [2, 2]}, {"strides": [2, 1], "pads": [1, 0, 0, 1]}, {"strides": [3, 3], "pads": [1, 1, 1, 1]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]}, {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"auto_pad": "VALID", "strides": [3, 2]},
    ]
    rounded = [{"ceil_mode": 1, "strides": [2, 2]}, {"ceil_mode": 1, "strides": [3, 2], "pads": [0, 1, 0, 0]}]
    for operator, opset in itertools.product(("MaxPool", "AveragePool"), (6, 8, 10, 12, 19, 21)):
        variants = common + (rounded if opset >= 10 else [])
        if (operator == "MaxPool" and opset >= 10) or opset >= 19:
            dilated = {"dilations": [2, 2], "strides": [2, 1], "pads": [1, 1, 1, 1]}
            variants = variants + [{"dilations": [2, 1]}, dilated]
        for attributes, kernel in itertools.product(variants, ([2, 2], [3, 2])):
            name = f"{operator}-{opset}-{attributes}-{kernel}"
            yield name, model(opset, [1, 2, 7, 6], step(operator, "x", kernel_shape=kernel, **attributes))
            if operator == "AveragePool" and opset >= 7 and "ceil_mode" not in attributes:
                yield name + "-padding", model(
                    opset, [1, 2, 7, 6], step(operator, "x", kernel_shape=kernel, count_include_pad=1, **attributes))
    line = [{}, {"strides": [3]}, {"pads": [1, 1], "strides": [2]}, {"ceil_mode": 1, "strides": [2]}]
    for operator, attributes in itertools.product(("MaxPool", "AveragePool"), line):
        yield f"{operator}1d-{attributes}", model(13, [1, 3, 9], step(operator, "x", kernel_shape=[3], **attributes))
        attributes = {key: value * (3 if isinstance(value, list) else 1) for key, value in attributes.items()}
        yield f"{operator}3d-{attributes}", model(
            13, [1, 2, 4, 5, 6], step(operator, "x", kernel_shape=[2, 3, 2], **attributes))
    yield "MaxPool-overlapping-twice", model(
        13, [1, 1, 8, 8], step("MaxPool", "x", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
        step("MaxPool", "@", kernel_shape=[2, 2], strides=[2, 2]))
    indices = step("MaxPool", "x", kernel_shape=[2, 2], outputs=2, storage_order=1)
    yield "MaxPool-indices", model(13, [1, 1, 4, 4], indices)
    for opset, shape in itertools.product((6, *RECENT), ([1, 2, 3, 4], [1, 2, 5], [1, 2, 3, 2, 2])):
        yield f"GlobalAveragePool-{opset}-{shape}", model(opset, shape, step("GlobalAveragePool", "x"))


def reductions():
    axes = [None, [1], [2, 3], [-1], [1, -1], [0, 1, 2, 3]]
    operators, opsets = ("ReduceSum", "ReduceMean", "ReduceL1", "ReduceMax", "ReduceMin"), (6, 11, 12, 13, 18, 20, 21)
    for operator, opset, chosen, keeps in itertools.product(operators, opsets, axes, (None, 0, 1)):
        takes_input = opset >= (13 if operator == "ReduceSum" else 18)
        if opset < 11 and chosen and min(chosen) < 0:
            continue
        attributes = {} if keeps is None else {"keepdims": keeps}
        operands = ["x"]
        if chosen is not None:
            if takes_input:
                operands.append(ints(*chosen))
            else:
                attributes["axes"] = chosen
        steps = [step(operator, *operands, **attributes)]
        yield f"{operator}-{opset}-{chosen}-{keeps}", model(opset, [1, 3, 2, 4], *steps)
    for operator in ("ReduceSum", "ReduceMean"):
        yield f"{operator}-noop", model(18, [1, 3, 2], step(operator, "x", noop_with_empty_axes=1))
        yield f"{operator}-empty-axes", model(18, [1, 3, 2], step(operator, "x", ints()))
        yield f"{operator}-noop-empty", model(18, [1, 3, 2], step(operator, "x", ints(), noop_with_empty_axes=1))


def shapes():
    for opset in (6, *RECENT):
        for wanted in ([1, -1], [0, 12, 2], [0, 0, -1], [-1], [2, 3, 4], [1, 0, 8], [-1, 4, 2, 3]):
            yield f"Reshape-{opset}-{wanted}", model(opset, ["n", 3, 4, 2], step("Reshape", "x", ints(*wanted)))
        for axis in (0, 1, 2, 3, 4):
            yield f"Flatten-{opset}-{axis}", model(opset, [1, 3, 4, 2], step("Flatten", "x", axis=axis))
        yield f"Flatten-{opset}", model(opset, [1, 3, 4, 2], step("Flatten", "x"))
        for order in (None, [0, 2, 3, 1], [0, 3, 1, 2], [3, 2, 1, 0], [0, 1, 3, 2], [1, 0, 2, 3]):
            attributes = {} if order is None else {"perm": order}
            yield f"Transpose-{opset}-{order}", model(opset, [1, 3, 4, 2], step("Transpose", "x", **attributes))
    yield "Reshape-allowzero", model(14, [1, 6], step("Reshape", "x", ints(2, 3), allowzero=1))
    yield "Flatten-negative", model(13, [1, 3, 4, 2], step("Flatten", "x", axis=-2))
    for opset in (6, 11, 13, 21):
        for name, shape, axes in [("Squeeze", [1, 3, 1, 2, 1], [2]), ("Squeeze", [1, 3, 1, 2, 1], [0, 4]),
                                  ("Squeeze", [1, 3, 1, 2, 1], None), ("Unsqueeze", [1, 3], [1]),
                                  ("Unsqueeze", [1, 3], [3, 0])]:
            operands = ["x"] + ([ints(*axes)] if axes is not None and opset >= 13 else [])
            attributes = {"axes": axes} if axes is not None and opset < 13 else {}
            yield f"{name}-{opset}-{axes}", model(opset, shape, step(name, *operands, **attributes))
    yield "Squeeze-negative", model(13, [1, 3, 1], step("Squeeze", "x", ints(-1)))
    yield "Unsqueeze-negative", model(13, [1, 3], step("Unsqueeze", "x", ints(-1, 1)))


def picking():
    slices = [
        ((1,), (3,), (1,), None),
        ((0, 1), (2, -1), (1, 2), None),
        ((-3,), (1 << 40,), (3,), None),
        ((0,), (1,), None, None),
        ((0,), (9,), (3,), (2,)),
        ((4,), (0,), (3,), (-1,)),
        ((-1,), (-(1 << 62),), (2,), (-2,)),
        ((9, 3), (-9, 0), (3, 1), (-2, -1)),
        ((0, 0, 1, 1), (1, 2, 4, 5), None, (1, 1, 2, 3)),
    ]
    for opset, (starts, ends, axes, steps) in itertools.product((6, 10, 13, 21), slices):
        name = f"Slice-{opset}-{starts}-{ends}-{axes}-{steps}"
        if opset >= 10:
            operands = [ints(*starts), ints(*ends), None if axes is None else ints(*axes)]
            operands += [] if steps is None else [ints(*steps)]
            yield name, model(opset, [1, 3, 4, 5], step("Slice", "x", *operands))
        elif steps is None:
            attributes = {} if axes is None else {"axes": axes}
            yield name, model(opset, [1, 3, 4, 5], step("Slice", "x", starts=starts, ends=ends, **attributes))
    for opset, axis in itertools.product((6, 11, *RECENT), (1, 2)):
        for indices in (ints(2, 0), ints(1), np.array(1), np.array([[0, 2], [1, 1]]), np.array([0, 1], dtype=np.int32)):
            name = f"Gather-{opset}-{axis}-{indices.tolist()}-{indices.dtype}"
            yield name, model(opset, [1, 3, 4], step("Gather", "x", indices, axis=axis))
    yield "Gather-negative", model(13, [1, 3, 4], step("Gather", "x", ints(-1, -3, 0), axis=-2))
    yield "Gather-default", model(13, [1, 3], step("Gather", "x", ints(0, 0)))
    yield from splits()


def splits():
    for opset, chosen in itertools.product((6, 11, 13, 18, 21), range(3)):
        given = (["x"], {"split": [1, 3, 2]}) if opset < 13 else (["x", ints(1, 3, 2)], {})
        equal = (["x"], {"num_outputs": 3} if opset >= 18 else {})
        for name, (operands, attributes) in {"given": given, "equal": equal}.items():
            split = step("Split", *operands, outputs=3, axis=1 if opset < 13 else -2, **attributes)
            yield f"Split-{opset}-{name}-{chosen}", model(opset, [1, 6, 2], split, step("Relu", f"@0.{chosen}"))
    for chosen in range(3):
        yield f"Split-uneven-{chosen}", model(
            18, [1, 7], step("Split", "x", outputs=3, axis=1, num_outputs=3), step("Relu", f"@0.{chosen}"))


def joining():
    for opset, axis in itertools.product((6, *RECENT), (1, 2)):
        weights = Weights(f"Concat-{opset}-{axis}")
        other = weights(1, 2, 4) if axis == 1 else weights(1, 3, 2)
        yield f"Concat-{opset}-{axis}", model(
            opset, [1, 3, 4], step("Relu", "x"), step("Concat", "x", other, "@0.0", "x", axis=axis))
    yield "Concat-one", model(13, [1, 3], step("Concat", "x", axis=1))
    yield "Concat-negative", model(13, [1, 3], step("Concat", "x", Weights("c")(1, 2), axis=-1))
    pads = [[0, 0, 1, 2, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0, 0, 0], [0, 0, -1, 0, 0, 0, 0, -2], [0, 0, 2, -1, 0, 0, -1, 1]]
    for opset, chosen, value in itertools.product((6, 11, 13, 19, 21), pads, (None, 0.0, -1.5)):
        name = f"Pad-{opset}-{chosen}-{value}"
        if opset < 11:
            attributes = {} if value is None else {"value": value}
            yield name, model(opset, [1, 2, 4, 5], step("Pad", "x", mode="constant", pads=chosen, **attributes))
        else:
            operands = [ints(*chosen)] + ([] if value is None else [np.float32(value)])
            yield name, model(opset, [1, 2, 4, 5], step("Pad", "x", *operands))
    yield "Pad-axes", model(18, [1, 2, 4], step("Pad", "x", ints(1, 2, 0, 3), np.float32(2), ints(-1, 1)))
    yield "Pad-axes-no-value", model(18, [1, 2, 4], step("Pad", "x", ints(1, 2), None, ints(2)))
    for opset, wanted in itertools.product((8, *RECENT), ([1, 3, 4], [2, 1, 3, 1], [1, 1], [5, 1, 1, 4])):
        yield f"Expand-{opset}-{wanted}", model(opset, [1, 3, 1], step("Expand", "x", ints(*wanted)))
    weights = Weights("Expand-constant")
    yield "Expand-constant", model(13, [1, 3], step("Expand", weights(1, 1), ints(1, 3)), step("Add", "x", "@"))


def constants():
    forms = {"value": numpy_helper.from_array(np.array([0.5, -1.5, 2.0], dtype=FLOAT)), "value_float": 0.7,
             "value_floats": [0.1, -0.2, 0.3]}
    for form, value in forms.items():
        yield f"Constant-{form}", model(13, [1, 3], step("Constant", **{form: value}), step("Mul", "x", "@"))
    for form, value in {"value_ints": [3, 1], "value": numpy_helper.from_array(ints(1, 3, 1))}.items():
        yield f"Constant-shape-{form}", model(13, [1, 3], step("Constant", **{form: value}), step("Reshape", "x", "@"))
    yield "Constant-int", model(13, [1, 3], step("Constant", value_int=2), step("Gather", "x", "@", axis=1))
    for value in (None, 1.5):
        attributes = {} if value is None else {"value": helper.make_tensor("v", TensorProto.FLOAT, [1], [value])}
        yield f"ConstantOfShape-{value}", model(
            13, [1, 3], step("ConstantOfShape", ints(1, 3), **attributes), step("Add", "x", "@"))
    for opset in (6, 9, *RECENT):
        yield f"Cast-{opset}", model(opset, [1, 3], step("Cast", "x", to=TensorProto.DOUBLE), step("Cast", "@", to=1))
    yield "Cast-integers", model(13, [1, 4], step("Cast", ints(2, 2), to=6), step("Cast", "@", to=7),
                                 step("Reshape", "x", "@"))
    yield "Cast-constant", model(13, [1, 3], step("Cast", ints(2, -3, 7), to=1), step("Mul", "x", "@"))
    yield "Shape-view", model(
        13, ["n", 3, 4], step("Shape", "x"), step("Gather", "@", np.array(0)), step("Unsqueeze", "@", ints(0)),
        step("Concat", "@", ints(-1), axis=0), step("Reshape", "x", "@"), step("Relu", "@"))
    yield "Shape-product", model(
        13, [1, 3, 4], step("Shape", "x"), step("Gather", "@", np.array(1)), step("Gather", "@0.0", np.array(2)),
        step("Mul", "@1.0", "@2.0"), step("Unsqueeze", "@", ints(0)), step("Concat", ints(1), "@", axis=0),
        step("Reshape", "x", "@"))
    yield "Shape-slice", model(
        15, [1, 3, 4], step("Shape", "x", start=1, end=-1), step("Concat", "@", ints(-1), axis=0),
        step("Reshape", "x", "@"))
    yield "Shape-halves", model(
        13, [1, 8], step("Shape", "x"), step("Slice", "@", ints(1), ints(2)), step("Div", "@", ints(2)),
        step("Sub", "@", ints(1)), step("Add", "@", ints(1)), step("Slice", "x", ints(0), "@", ints(1)))
    weights = Weights("Transpose-weights")
    yield "Transpose-weights", model(
        13, [1, 4], step("Transpose", weights(5, 4)), step("MatMul", "x", "@"), step("Add", "@", weights(5)))
    yield "residual", model(
        13, [1, 4, 5, 5], step("Conv", "x", weights(4, 4, 3, 3), weights(4), pads=[1, 1, 1, 1]), step("Relu", "@"),
        step("Add", "@", "x"), step("GlobalAveragePool", "@"), step("Flatten", "@"),
        step("Gemm", "@", weights(3, 4), weights(3), transB=1))


def networks():
    """Random chains of layers, some of them skipped by a residual connection."""
    for number in range(60):
        name = f"network-{number}"
        weights = Weights(name)
        opset = int(weights.generator.integers(8, 22))
        steps = [step("Identity", "x")]
        for _ in range(weights.generator.integers(2, 7)):
            steps.append(weights.generator.choice(LAYERS)(weights))
            if len(steps) > 2 and weights.generator.random() < 0.3:
                steps.append(step("Add", "@", f"@{weights.generator.integers(0, len(steps) - 1)}.0"))
        steps += [step("Flatten", "@"), step("MatMul", "@", weights(54, 3))]
        yield name, model(opset, ["n", 6, 3, 3], *steps)


def layer(operator, operands=lambda weights: [], **attributes):
    """A kind of layer that keeps the shape [1, 6, 3, 3]: makes a step, given weights."""
    return lambda weights: step(operator, "@", *operands(weights), **attributes)


LAYERS = [
    layer("Conv", lambda w: [w(6, 6, 3, 3) / 7, w(6)], pads=[1, 1, 1, 1]),
    layer("Conv", lambda w: [w(6, 2, 1, 1), w(6)], group=3),
    layer("ConvTranspose", lambda w: [w(6, 3, 3, 3) / 5], group=2, pads=[1, 1, 1, 1]),
    layer("BatchNormalization", lambda w: [w(6), w(6), w(6), w.positive(6)]),
    layer("Relu"),
    layer("LeakyRelu", alpha=0.1),
    layer("Abs"),
    layer("MaxPool", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    layer("AveragePool", kernel_shape=[2, 2], auto_pad="SAME_UPPER"),
    layer("MatMul", lambda w: [w(3, 3)]),
    layer("Max", lambda w: [w(6, 1, 1)]),
    layer("Mul", lambda w: [w(3)]),
    layer("Transpose", perm=[0, 1, 3, 2]),
]


# Of each operator of the default domain the sets that define it anew, and of those that were withdrawn the set that did.
VERSIONS, WITHDRAWN = {}, {}
for schema in onnx.defs.get_all_schemas_with_history():
    if schema.domain == "":
        VERSIONS.setdefault(schema.name, []).append(schema.since_version)
        if schema.deprecated:
            WITHDRAWN.setdefault(schema.name, []).append(schema.since_version)
DOCUMENT = Path(__file__).parents[2] / "proofs" / "read" / "OPERATORS.md"

FAMILIES = [elementwise, legacy_broadcast, endings, sums, normalisation, piecewise, extremes, products, convolutions, pools,
            reductions, shapes, picking, joining, constants, *cases_of_choice.FAMILIES,
            *cases_of_constants.FAMILIES, *cases_of_sizes.FAMILIES, networks]


def all_cases():
    """Name, model and perhaps an equivalent model for onnxruntime of every case; those of set 21 again in each later set
    that defines one of their operators anew."""
    for name, case, *reference in itertools.chain.from_iterable(family() for family in FAMILIES):
        yield name, case, *reference
        if case.opset_import[0].version == 21:
            for version in sorted({v for node in case.graph.node for v in VERSIONS[node.op_type] if v > 21}):
                later = onnx.ModelProto.FromString(case.SerializeToString())
                later.opset_import[0].version = version
                yield f"{name}-in-{version}", later


def uncovered(agreeing):
    """What OPERATORS.md says and no agreeing case shows: an accepted operator in a set that defines it anew; and operators of
    which it says nothing, or other sets than ONNX defines."""
    accepted, first = {}, None
    text = DOCUMENT.read_text()
    for cells in (line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")):
        if cells[0] == "Operator":
            first, sets = cells.index("6"), [int(cell) for cell in cells[2:] if cell.isdigit()]
        elif cells[0] != "---":
            signs = dict(zip(sets, cells[first:]))
            accepted[cells[0]] = [int(version) for version in cells[1].split(", ")], signs
    refused = set(re.findall(r"\w+", text.split("## Refused everywhere")[1]))
    for name, versions in sorted(VERSIONS.items()):
        if name not in accepted:
            if name not in refused:
                yield f"{name}: OPERATORS.md does not have it"
            continue
        defined, signs = accepted[name]
        known = [v for v in sorted(versions) if v <= sets[-1] and v not in WITHDRAWN.get(name, ())]
        known = known[max(sum(v <= sets[0] for v in known) - 1, 0):]
        if known != defined:
            yield f"{name}: defined in sets {known}, not in {defined}"
        ends = [*known[1:], *WITHDRAWN.get(name, [sets[-1] + 1])]
        for start, end in zip(known, ends):
            inside = [version for version in sets if start <= version < end]
            if not any((name, version) in agreeing for version in inside):
                yield f"{name}: no case in sets {inside[0]} to {inside[-1]}"
            if any(signs[version] not in "+?" for version in inside):
                yield f"{name}: OPERATORS.md has it in some of the sets {inside[0]} to {inside[-1]} only"
        if any(sign != "-" and not known[0] <= version < ends[-1] for version, sign in signs.items()):
            yield f"{name}: OPERATORS.md has it in sets that do not"


def main(evaluate, selection=""):
    agreeing, problems, shown = 0, [], set()
    for name, case, *reference in all_cases():
        if selection not in name:
            continue
        try:
            models = [m.SerializeToString() for m in (case, reference[0] if reference else runnable(case))]
            difference = largest_difference(evaluate, models[0], zlib.crc32(name.encode()), models[1])
        except Refused as refusal:
            problems.append(f"{name}: refused: {refusal}")
        except Exception as error:  # a case that onnxruntime cannot run is a mistake of this file
            problems.append(f"{name}: onnxruntime: {type(error).__name__}: {error}")
        else:
            if difference <= TOLERANCE:
                agreeing += 1
                shown |= {(node.op_type, case.opset_import[0].version) for node in case.graph.node}
            else:
                problems.append(f"{name}: differs by {difference:.2e}")
    if not selection:
        problems += uncovered(shown)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{agreeing} operator cases agree, {len(problems)} differ")
    return 1 if problems else 0


def runnable(case):
    """The model as onnxruntime can run it."""
    return version_converter.convert_version(case, 7) if case.opset_import[0].version < 7 else case


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
