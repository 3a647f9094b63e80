"""Cases of operators that are computed from constants while reading."""

import itertools

import numpy as np
from onnx import TensorProto, numpy_helper

from cases import DOUBLE, FLOAT, RECENT, Weights, ints, model, step


def powers():
    for opset, operator in itertools.product((6, *RECENT), ("Sqrt", "Reciprocal")):
        name = f"{operator}-{opset}"
        yield name, model(opset, [1, 4], step(operator, Weights(name).positive(4)), step("Mul", "x", "@", **legacy(opset)))
    operands = (Weights("Pow-6").positive(4), FLOAT(2))
    yield "Pow-6", model(6, [1, 4], step("Pow", *operands, broadcast=1), step("Mul", "x", "@", broadcast=1)), model(
        7, [1, 4], step("Pow", *operands), step("Mul", "x", "@"))
    for opset, exponent in itertools.product((7, 12, 13, 15, 21), (0.5, -0.5, 0, 1, 2, 3, -2)):
        name = f"Pow-{opset}-{exponent}"
        yield name, model(
            opset, [1, 4], step("Pow", Weights(name).positive(4), FLOAT(exponent)), step("Mul", "x", "@"))
    yield "Pow-integer", model(13, [1, 4], step("Pow", Weights("Pow")(4), ints(3)), step("Mul", "x", "@"))
    weights = Weights("normalisation")
    yield "normalisation", model(
        13, [1, 4], step("Sub", "x", weights(4)), step("Add", weights.positive(4), FLOAT(1e-5)), step("Sqrt", "@"),
        step("Div", "@0.0", "@"), step("Mul", "@", weights(4)), step("Add", "@", weights(4)))


def legacy(opset):
    """What NumPy's broadcasting needs before operator set 7."""
    return {"broadcast": 1} if opset < 7 else {}


def truths(opset):
    """Steps that multiply the input by the truth values before them."""
    return [step("Cast", "@", to=6), step("Cast", "@", to=1), step("Mul", "x", "@", **legacy(opset))]


def comparisons():
    for opset, integers in itertools.product((9, 13, 19, 21), (False, True)):
        for operator in ("Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"):
            if (operator == "Equal" and opset < 11 and not integers) or (operator.endswith("OrEqual") and opset < 12):
                continue
            values = [np.array([1, 2, 3, 4]), np.array([[2], [3]])]
            values = values if integers else [value.astype(FLOAT) / 2 for value in values]
            yield f"{operator}-{opset}-{integers}", model(
                opset, [1, 2, 4], step(operator, *values), step("Where", "@", "x", FLOAT(0.5)))
    for opset, operator in itertools.product((7, *RECENT), ("Equal", "Greater", "Less")):
        if opset < 9:
            values = [np.array([True, False]), np.array(True)] if operator == "Equal" else [
                np.array([1, 2], dtype=FLOAT), np.array(1.5, dtype=FLOAT)]
            yield f"{operator}-{opset}-cast", model(
                opset, [1, 2], step(operator, *values), step("Cast", "@", to=6), step("Cast", "@", to=1),
                step("Mul", "x", "@"))
            yield f"{operator}-6", model(
                6, [1, 2], step(operator, *values, broadcast=1), *truths(6)), model(
                7, [1, 2], step(operator, *values), *truths(7))
    yield "Equal-12", model(12, [1, 2], step("Equal", FLOAT([1, 2]), FLOAT([2, 2])), step("Where", "@", "x", FLOAT([3])))
    for opset, operator in itertools.product((6, 7, *RECENT), ("And", "Or", "Xor", "Not")):
        operands = [np.array([True, True, False, False])] + [np.array([True, False] * 2)] * (operator != "Not")
        yield f"{operator}-{opset}", model(opset, [1, 4], step(operator, *operands), *truths(opset)), model(
            max(opset, 7), [1, 4], step(operator, *operands), *truths(7))
    for opset, follows in itertools.product((10, 13, 21), (0, 1)):
        yield f"Mod-{opset}-{follows}", model(
            opset, [1, 4], step("Mod", ints(7, -7, 7, -7), ints(3, 3, -3, -3), fmod=follows), step("Cast", "@", to=1),
            step("Mul", "x", "@"))


def integers():
    for opset, operator in itertools.product((12, *RECENT), ("Max", "Min")):
        yield f"{operator}-{opset}-integers", model(
            opset, [1, 12], step(operator, ints(2, 3), ints(3, 1), ints(1, 4)), step("Concat", "@", ints(-1), axis=0),
            step("Reshape", "x", "@"))
    for opset in (6, 13, 19, 21):
        yield f"Size-{opset}", model(
            opset, ["n", 3, 4], step("Size", "x"), step("Reshape", "@", ints(1)),
            step("Concat", ints(1), "@", axis=0), step("Reshape", "x", "@"))
    for opset, (start, end, delta) in itertools.product((11, *RECENT), ((0, 4, 1), (3, -1, -2), (1, 6, 3), (5, 0, -2))):
        operands = [np.array(n, dtype=np.int64) for n in (start, end, delta)]
        yield f"Range-{opset}-{start}-{end}-{delta}", model(
            opset, [1, 7], step("Range", *operands), step("Gather", "x", "@", axis=1))
    for opset, operator in itertools.product((6, *RECENT), ("Floor", "Ceil")):
        yield f"{operator}-{opset}", model(
            opset, [1, 5], step(operator, FLOAT([1.5, -1.5, 2, -0.25, 0])), step("Add", "x", "@", **legacy(opset)))
    yield "Floor-shape", model(
        13, [1, 2, 3], step("Shape", "x"), step("Cast", "@", to=1), step("Mul", "@", FLOAT([1, 1.5, 2])),
        step("Floor", "@"), step("Cast", "@", to=7), step("Slice", "@", ints(2), ints(3)),
        step("Concat", ints(1), "@", axis=0), step("Reshape", "x", "@"))
    yield "Expand-pattern", model(
        13, [1, 1, 3], step("ConstantOfShape", ints(3), value=ones()), step("Mul", "@", ints(-1)),
        step("Equal", ints(1, -1, 3), "@"), step("Where", "@", "@0.0", ints(1, -1, 3)), step("Expand", "x", "@"))


def shapes():
    for opset in (6, 9, 11, 12, 13, 15, 19, 20, 21):
        held = numpy_helper.from_array(ints(-1), "held")
        yield f"Shape-{opset}", model(
            opset, ["n", 3, 4], step("Shape", "x"), step("Gather", "@", ints(0, 1)), step("Constant", value=held),
            step("Concat", "@1.0", "@", axis=0), step("Reshape", "x", "@"))
        if opset >= 9:
            yield f"ConstantOfShape-{opset}", model(
                opset, [1, 4], step("ConstantOfShape", ints(3), value=ones()), step("Cast", "@", to=1),
                step("Reshape", "@", ints(3, 1)), step("Mul", "x", "@"), step("Flatten", "@", axis=0))


def ones():
    return numpy_helper.from_array(ints(1), "one")


def conversions():
    for opset in (6, 9, 13, 19, 21):
        yield f"Cast-{opset}-to-integers", model(
            opset, [1, 6], step("Cast", FLOAT([2, 3]), to=7), step("Reshape", "x", "@"))
        yield f"Cast-{opset}-truncates", model(
            opset, [1, 3], step("Cast", FLOAT([2.5, -2.5, 0.25]), to=6), step("Cast", "@", to=1),
            step("Add", "x", "@", **legacy(opset)))
        yield f"Cast-{opset}-truth", model(
            opset, [1, 3], step("Cast", ints(0, 3, -1), to=9), step("Cast", "@", to=1),
            step("Add", "x", "@", **legacy(opset)))
    for opset in (15, 19, 21):
        for element in (FLOAT, DOUBLE):
            yield f"CastLike-{opset}-{element.__name__}", model(
                opset, [1, 3], step("CastLike", ints(2, -3, 4), "x"), step("Mul", "x", "@"), element=element)
        yield f"CastLike-{opset}-value", model(
            opset, [1, 3], step("CastLike", "x", FLOAT(1)), step("CastLike", FLOAT([1, 2, 3]), "@"),
            step("Mul", "x", "@"))
    yield "Cast-saturate", model(19, [1, 3], step("Cast", "x", to=TensorProto.DOUBLE, saturate=1), step("Cast", "@", to=1))


FAMILIES = [powers, comparisons, integers, shapes, conversions]
