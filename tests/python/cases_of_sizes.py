"""Cases of Resize, Upsample and the modes of Pad."""

import itertools

import numpy as np

from cases import FLOAT, ints, model, step

SCALES = [(2, 2), (3, 2), (1, 4), (0.5, 2), (0.5, 0.5), (1.5, 1)]
COORDINATES = ["half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric"]
LEGACY = {"nearest": "nearest", "linear": "bilinear"}
ROUNDINGS = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"]


def resizing():
    shape = [1, 2, 4, 6]
    for opset, (y, x), mode in itertools.product((10, 11, 13, 18, 19, 21), SCALES, ("nearest", "linear")):
        scales, sizes = np.array([1, 1, y, x], dtype=FLOAT), ints(1, 2, int(4 * y), int(6 * x))
        if opset == 10:
            if min(y, x) >= 1:
                yield f"Resize-10-{mode}-{y}-{x}", model(10, shape, step("Resize", "x", scales, mode=mode))
            continue
        modes = itertools.product(COORDINATES, ROUNDINGS if mode == "nearest" else [None])
        for (coordinate, rounding), is_sized in itertools.product(modes, (False, True)):
            attributes = {"mode": mode, "coordinate_transformation_mode": coordinate}
            attributes |= {} if rounding is None else {"nearest_mode": rounding}
            roi = np.array([], dtype=FLOAT) if opset < 13 else None
            none = np.array([], dtype=FLOAT) if opset < 13 else None
            operands = [roi, none, sizes] if is_sized else [roi, scales]
            yield f"Resize-{opset}-{y}-{x}-{is_sized}-{attributes}", model(
                opset, shape, step("Resize", "x", *operands, **attributes))
    for mode, sizes in itertools.product(("nearest", "linear"), ([8, 12], [2, 3], [8, 3], [1, 2], [4, 18])):
        attributes = {"mode": mode, "coordinate_transformation_mode": "half_pixel_symmetric", "axes": [2, 3]}
        yield f"Resize-axes-{mode}-{sizes}", model(
            19, shape, step("Resize", "x", None, None, ints(*sizes), keep_aspect_ratio_policy="stretch", **attributes))
    yield "Resize-defaults", model(13, shape, step("Resize", "x", None, FLOAT([1, 1, 2, 2])))
    for length in (5, 7, 10, 20):
        yield f"Resize-linear-{length}", model(
            13, [1, 1, 3, 6], step("Resize", "x", None, None, ints(1, 1, length, length), mode="linear"))
    for mode in ("nearest", "linear"):
        yield f"Resize-3d-{mode}", model(
            13, [1, 1, 2, 3, 2], step("Resize", "x", None, FLOAT([1, 1, 2, 2, 2]), mode=mode))


def upsampling():
    for (y, x), mode in itertools.product([(2, 2), (3, 1), (1.5, 2)], ("nearest", "linear")):
        scales = np.array([1, 1, y, x], dtype=FLOAT)
        yield f"Upsample-6-{y}-{x}-{mode}", model(
            6, [1, 2, 4, 3], step("Upsample", "x", height_scale=float(y), width_scale=float(x), mode=LEGACY[mode])), model(
            7, [1, 2, 4, 3], step("Upsample", "x", scales=scales.tolist(), mode=mode))
        yield f"Upsample-7-{y}-{x}-{mode}", model(
            7, [1, 2, 4, 3], step("Upsample", "x", scales=scales.tolist(), mode=mode))
        yield f"Upsample-9-{y}-{x}-{mode}", model(9, [1, 2, 4, 3], step("Upsample", "x", scales, mode=mode))


def padding():
    pads = [[0, 0, 1, 2, 0, 0, 2, 1], [0, 0, 0, 3, 0, 0, 3, 0], [0, 1, 1, 1, 0, 1, 1, 1]]
    for opset, mode, chosen in itertools.product((6, 11, 13, 18, 19, 21), ("reflect", "edge", "wrap"), pads):
        if mode == "wrap" and opset < 19:
            continue
        operands, attributes = ([], {"pads": chosen}) if opset < 11 else ([ints(*chosen)], {})
        yield f"Pad-{opset}-{mode}-{chosen}", model(
            opset, [1, 2, 4, 5], step("Pad", "x", *operands, mode=mode, **attributes))
    for mode in ("reflect", "edge", "wrap"):
        yield f"Pad-axes-{mode}", model(19, [1, 2, 5], step("Pad", "x", ints(2, 1), None, ints(-1), mode=mode))
    yield "Pad-edge-far", model(19, [1, 2, 3], step("Pad", "x", ints(5, 7), None, ints(2), mode="edge"))
    yield "Pad-wrap-far", model(19, [1, 2, 3], step("Pad", "x", ints(5, 7), None, ints(2), mode="wrap"))


FAMILIES = [resizing, upsampling, padding]
