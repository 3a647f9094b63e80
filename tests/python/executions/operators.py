"""The operators, as sums of products and as what only moves or picks values.

`LINEAR[operator](inputs, attributes)` gives (x, w, bias): the factors of the terms of every output along the last axis, x with
the points in front, and the bias or None. `PICKING[operator](inputs, attributes)` computes an operator that does not round.
Values have the points as their first axis.
"""

import itertools

import numpy as np

from .arithmetic import FLOAT


def gemm(inputs, attributes):
    """Without alpha and beta."""
    w = inputs[1] if attributes.get("transB", 0) else inputs[1].T
    bias = np.broadcast_to(inputs[2], (1, len(w)))[0] if len(inputs) == 3 else None
    return inputs[0][:, None, :], w, bias


def matmul(inputs, _):
    x, w = inputs
    return x[..., None, :], w.T, None


def conv(inputs, attributes):
    x, w = inputs[:2]
    group, (count, depth, *kernel) = attributes.get("group", 1), w.shape
    dilations, strides = attributes.get("dilations", [1, 1]), attributes.get("strides", [1, 1])
    seen = windows(padded(x, attributes.get("pads", [0] * 4)), kernel, strides, dilations)
    points, _, height, width = seen.shape[:4]
    seen = seen.reshape(points, group, depth, height, width, -1).transpose(0, 1, 3, 4, 2, 5)
    seen = seen.reshape(points, group, 1, height, width, -1)
    terms = np.broadcast_to(seen, (points, group, count // group, *seen.shape[3:]))
    bias = inputs[2][:, None, None] if len(inputs) == 3 else None
    return terms.reshape(points, count, height, width, -1), w.reshape(count, 1, 1, -1), bias


def average_pool(inputs, attributes):
    """Weights are 1 where the window lies on the image: to be divided by their sum."""
    kernel, strides = attributes["kernel_shape"], attributes.get("strides", [1, 1])
    pads = attributes.get("pads", [0] * 4)
    there = np.ones((1, *inputs[0].shape[1:]), FLOAT)
    terms, inside = (windows(padded(z, pads), kernel, strides, [1, 1]) for z in (inputs[0], there))
    inside = inside if not attributes.get("count_include_pad", 0) else np.ones_like(inside)
    flat = (-1, int(np.prod(kernel)))
    return terms.reshape(*terms.shape[:4], flat[1]), inside[0].reshape(*inside.shape[1:4], flat[1]), None


def global_average_pool(inputs, _):
    terms = inputs[0].reshape(*inputs[0].shape[:2], 1, 1, -1)
    return terms, np.ones(terms.shape[-1], FLOAT), None


LINEAR = {"Gemm": gemm, "MatMul": matmul, "Conv": conv, "AveragePool": average_pool,
          "GlobalAveragePool": global_average_pool}  # fmt: skip


def padded(x, pads, value=0.0):
    top, left, bottom, right = pads
    return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=value)


def windows(x, kernel, strides, dilations):
    """[points, channels, rows, columns, kernel rows, kernel columns]"""
    size = [(k - 1) * d + 1 for k, d in zip(kernel, dilations)]
    view = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    return view[:, :, :: strides[0], :: strides[1], :: dilations[0], :: dilations[1]]


def max_pool(inputs, attributes):
    strides = attributes.get("strides", [1, 1])
    x = padded(inputs[0], attributes.get("pads", [0] * 4), -np.inf)
    return windows(x, attributes["kernel_shape"], strides, attributes.get("dilations", [1, 1])).max((4, 5))


def clip(inputs, _):
    low, high = (inputs[i] if len(inputs) > i else None for i in (1, 2))
    return np.clip(inputs[0], low, high)


def reshape(inputs, _):
    x, shape = inputs
    wanted = [x.shape[i] if size == 0 else int(size) for i, size in enumerate(shape)]
    return x.reshape(len(x), *wanted[1:])


def pad(inputs, _):
    x, pads = inputs[:2]
    edges = np.asarray(pads).reshape(2, -1).T
    return np.pad(x, edges, constant_values=inputs[2] if len(inputs) > 2 else 0)


def slices(inputs, _):
    x, starts, ends, axes, steps = itertools.islice(itertools.chain(inputs, [None] * 3), 5)
    chosen = [slice(None)] * x.ndim
    steps = np.ones_like(starts) if steps is None else steps
    for axis, start, end, step in zip(range(len(starts)) if axes is None else axes, starts, ends, steps):
        chosen[axis] = slice(int(start), int(end), int(step))
    return x[tuple(chosen)]


PICKING = {
    "Relu": lambda inputs, _: np.maximum(inputs[0], 0),
    "Abs": lambda inputs, _: np.abs(inputs[0]),
    "Max": lambda inputs, _: np.maximum.reduce(np.broadcast_arrays(*inputs)),
    "Min": lambda inputs, _: np.minimum.reduce(np.broadcast_arrays(*inputs)),
    "MaxPool": max_pool,
    "Clip": clip,
    "Identity": lambda inputs, _: inputs[0],
    "Flatten": lambda inputs, _: inputs[0].reshape(len(inputs[0]), -1),
    "Reshape": reshape,
    "Transpose": lambda inputs, attributes: inputs[0].transpose(attributes.get("perm")),
    "Concat": lambda inputs, attributes: np.concatenate(inputs, attributes["axis"]),
    "Slice": slices,
    "Pad": pad,
}
