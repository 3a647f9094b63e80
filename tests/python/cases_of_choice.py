"""Cases of operators that choose, repeat or exchange elements, and of those that compare them."""

import itertools

import numpy as np

from cases import FLOAT, RECENT, Weights, ints, model, step


def where():
    masks = {(3, 4): "whole", (4,): "row", (3, 1): "column", (1, 1, 1): "one"}
    for opset, shape in itertools.product((9, 13, 16, 21), masks):
        name = f"Where-{opset}-{masks[shape]}"
        weights = Weights(name)
        mask = weights(*shape) > 0
        yield name, model(opset, [1, 3, 4], step("Relu", "x"), step("Where", mask, "x", "@0.0"))
        yield name + "-yes", model(opset, [1, 3, 4], step("Where", mask, weights(3, 4), "x"))
        yield name + "-no", model(opset, [1, 3, 4], step("Where", mask, "x", np.float32(0.25)))
    weights = Weights("Where-constants")
    yield "Where-constants", model(
        13, [1, 4], step("Where", weights(4) > 0, weights(4), weights(1)), step("Add", "x", "@"))
    yield "Where-integers", model(
        13, [1, 6], step("Where", np.array([True, False]), ints(2), ints(-1)), step("Reshape", "x", "@"))
    yield "Where-broadcasts", model(
        13, [1, 4], step("Where", np.array([[True], [False]]), "x", weights(1, 4)), step("ReduceSum", "@", ints(0)))


def triangles():
    for opset, upper, diagonal in itertools.product((14, 21), (0, 1, None), (None, 0, 1, -2, 9, -9)):
        attributes = {} if upper is None else {"upper": upper}
        operands = [] if diagonal is None else [np.array(diagonal, dtype=np.int64)]
        name = f"Trilu-{opset}-{upper}-{diagonal}"
        yield name, model(opset, [1, 2, 3, 4], step("Trilu", "x", *operands, **attributes))
        yield name + "-constant", model(
            opset, [1, 4], step("Trilu", Weights(name)(4, 3), *operands, **attributes), step("MatMul", "x", "@"))


def gathering():
    for opset, axis in itertools.product((11, *RECENT), (0, 1, 2, -1)):
        generator = Weights(f"GatherElements-{opset}-{axis}").generator
        shape = [1, 3, 4]
        indices = generator.integers(-shape[axis], shape[axis], size=(1, 2, 3))
        yield f"GatherElements-{opset}-{axis}", model(opset, shape, step("GatherElements", "x", indices, axis=axis))
    for opset, depth in itertools.product((11, 12, *RECENT), (1, 2, 3)):
        shape = np.array([1, 3, 4])[:depth]
        indices = Weights(f"GatherND-{opset}-{depth}").generator.integers(-shape, shape, size=(1, 5, depth))
        yield f"GatherND-{opset}-{depth}", model(opset, [1, 3, 4], step("GatherND", "x", indices))
        yield f"GatherND-{opset}-{depth}-one", model(opset, [1, 3, 4], step("GatherND", "x", indices[0, 0]))


def scattering():
    for opset, axis in itertools.product((9, 11, 13, 16, 18, 21), (0, 1, 2, -2)):
        name = f"ScatterElements-{opset}-{axis}"
        weights = Weights(name)
        length = [1, 3, 4][axis]
        order = weights.generator.permuted(np.broadcast_to(np.arange(length), (1, 3, length)), axis=2)
        indices = np.moveaxis(order, 2, axis)[:1, :2, :3]
        indices = np.where(weights(*indices.shape) > 0, indices, indices - length)
        operator = "Scatter" if opset < 11 else "ScatterElements"
        yield name, model(opset, [1, 3, 4], step(operator, "x", indices, weights(*indices.shape), axis=axis))
        if axis == 1:
            slices = step("Slice", "x", ints(0), ints(3), ints(2)) if opset >= 10 else step(
                "Slice", "x", starts=[0], ends=[3], axes=[2])
            update = step("Slice", "@", ints(1), ints(3), ints(1)) if opset >= 10 else step(
                "Slice", "@", starts=[1], ends=[3], axes=[1])
            yield name + "-computed", model(
                opset, [1, 3, 4], slices, update, step(operator, weights(1, 3, 4), indices, "@", axis=axis))
    for opset in (11, 13, 16, 18, 21):
        weights = Weights(f"ScatterND-{opset}")
        rows = np.array([[[0, 2]], [[0, -3]]])
        yield f"ScatterND-{opset}-rows", model(
            opset, [1, 3, 4], step("ScatterND", "x", rows, weights(2, 1, 4)))
        elements = np.array([[0, 2, 1], [0, 0, -1], [-1, 1, 0]])
        yield f"ScatterND-{opset}-elements", model(
            opset, [1, 3, 4], step("Relu", "x"), step("Slice", "@", ints(0), ints(3), ints(2)),
            step("ReduceMax", "@", axes=[0, 1], keepdims=0) if opset < 18 else step(
                "ReduceMax", "@", ints(0, 1), keepdims=0),
            step("ScatterND", "x", elements, "@"))


def repeating():
    for opset, repeats in itertools.product((6, *RECENT), ([1, 2, 1], [1, 1, 3], [1, 2, 2], [1, 1, 1], [2, 1, 1])):
        yield f"Tile-{opset}-{repeats}", model(opset, [1, 3, 2], step("Tile", "x", ints(*repeats)))
    yield "Tile-constant", model(13, [1, 6], step("Tile", Weights("Tile")(1, 3), ints(1, 2)), step("Add", "x", "@"))
    for opset, block, mode in itertools.product((6, 11, 13, 21), (1, 2), (None, "DCR", "CRD")):
        if mode is None or opset >= 11:
            attributes = {} if mode is None else {"mode": mode}
            yield f"DepthToSpace-{opset}-{block}-{mode}", model(
                opset, [1, 8, 2, 3], step("DepthToSpace", "x", blocksize=block, **attributes))
        if mode is None:
            yield f"SpaceToDepth-{opset}-{block}", model(
                opset, ["n", 3, 4, 6], step("SpaceToDepth", "x", blocksize=block))
    for mode in ("DCR", "CRD"):
        yield f"SpaceToDepth-28-{mode}", model(28, [1, 3, 4, 6], step("SpaceToDepth", "x", blocksize=2, mode=mode))


def comparing():
    for opset, shape in itertools.product((6, *RECENT), ([1, 2, 3, 4], [1, 2, 5], [1, 3, 2, 2, 2])):
        yield f"GlobalMaxPool-{opset}-{shape}", model(opset, shape, step("GlobalMaxPool", "x"))
    for opset in (10, 13, 21):
        yield f"ThresholdedRelu-{opset}", model(opset, [1, 5], step("ThresholdedRelu", "x", alpha=0.0))
    for opset, threshold in itertools.product((9, 13, 21), (0.0, 0.5, 0.3)):
        yield f"Shrink-{opset}-{threshold}", model(
            opset, [1, 9], step("Shrink", "x", bias=threshold, lambd=threshold))


def accumulating():
    for opset, axis, reverse, exclusive in itertools.product((11, 14, 21), (1, 2, -1), (0, 1), (0, 1)):
        name = f"CumSum-{opset}-{axis}-{reverse}-{exclusive}"
        where = np.array(axis, dtype=np.int64)
        yield name, model(opset, [1, 3, 4], step("CumSum", "x", where, reverse=reverse, exclusive=exclusive))


FAMILIES = [where, triangles, gathering, scattering, repeating, comparing, accumulating]
