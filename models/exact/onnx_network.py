"""Walks an ONNX graph with linear expressions in place of numbers, in float64. Handles the operators of this folder."""

import numpy as np
import onnx
from onnx import numpy_helper

from .relaxation import Tensor


class OnnxNetwork:
    def __init__(self, path):
        graph = onnx.load(path).graph
        self.nodes = list(graph.node)
        self.constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
        (given,) = [v for v in graph.input if v.name not in self.constants]
        self.input_name, self.output_name = given.name, graph.output[0].name
        self.shape = tuple(d.dim_value for d in given.type.tensor_type.shape.dim)[1:]

    def walk(self, encoder, start):
        """The output's expression, given the input's."""
        values = {**self.constants, self.input_name: Tensor(start.rows, start.const, self.shape)}
        for node in self.nodes:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            operator = globals().get(f"_{node.op_type.lower()}")
            if operator is None:
                raise NotImplementedError(f"{node.name}: operator {node.op_type}")
            inputs = [values[name] for name in node.input]
            values[node.output[0]] = operator(encoder, inputs, attributes)
        return values[self.output_name]


def _constant(_, inputs, attributes):
    return numpy_helper.to_array(attributes["value"])


def _relu(encoder, inputs, _):
    return encoder.relu(inputs[0])


def _flatten(_, inputs, attributes):
    assert attributes.get("axis", 1) == 1
    return Tensor(inputs[0].rows, inputs[0].const, (len(inputs[0].const),))


def _reshape(_, inputs, __):
    tensor, shape = inputs
    assert len(shape) == 2, "only to [batch, values]"
    return Tensor(tensor.rows, tensor.const, (len(tensor.const),))


def _gemm(_, inputs, attributes):
    tensor, w, b = inputs
    w = w.T if attributes.get("transB", 0) else w
    assert attributes.get("transA", 0) == 0
    scaled = attributes.get("alpha", 1.0) * w.astype(float)
    return _linear(tensor, lambda x: x @ scaled, attributes.get("beta", 1.0) * b.astype(float))


def _matmul(_, inputs, __):
    return _linear(inputs[0], lambda x: x @ inputs[1].astype(float))


def _transpose(_, inputs, attributes):
    assert isinstance(inputs[0], np.ndarray), "only of constants"
    return inputs[0].transpose(attributes["perm"])


def _sub(_, inputs, __):
    return _linear(inputs[0], lambda x: x, -inputs[1].astype(float))


def _div(_, inputs, __):
    return _linear(inputs[0], lambda x: x / inputs[1].astype(float))


def _add(_, inputs, __):
    first, second = inputs
    if isinstance(first, np.ndarray):
        first, second = second, first
    if isinstance(second, np.ndarray):
        return _linear(first, lambda x: x, second.astype(float))
    width = max(first.rows.shape[1], second.rows.shape[1])
    rows = sum(np.pad(t.rows, ((0, 0), (0, width - t.rows.shape[1]))) for t in inputs)
    assert first.shape == second.shape
    return Tensor(rows, first.const + second.const, first.shape)


def _conv(_, inputs, attributes):
    tensor, w = inputs[:2]
    stride, pads = attributes.get("strides", [1, 1]), attributes.get("pads", [0, 0, 0, 0])
    assert attributes.get("group", 1) == 1 and set(attributes.get("dilations", [1])) == {1}
    bias = inputs[2].astype(float)[:, None, None] if len(inputs) == 3 else 0.0
    return _linear(tensor, lambda x: _convolve(x, w.astype(float), stride, pads), bias)


def _batchnormalization(_, inputs, attributes):
    tensor, scale, shift, mean, variance = inputs
    factor = scale.astype(float) / np.sqrt(variance.astype(float) + attributes.get("epsilon", 1e-5))
    bias = shift.astype(float) - mean.astype(float) * factor
    return _linear(tensor, lambda x: x * factor[:, None, None], bias[:, None, None])


def _averagepool(_, inputs, attributes):
    channels, kernel = inputs[0].shape[0], attributes["kernel_shape"]
    assert not any(attributes.get("pads", [0]))
    w = np.einsum("oi,hw->oihw", np.eye(channels), np.full(kernel, 1 / np.prod(kernel)))
    return _linear(inputs[0], lambda x: _convolve(x, w, attributes["strides"], [0, 0, 0, 0]))


def _maxpool(encoder, inputs, attributes):
    tensor, (kh, kw), (sh, sw) = inputs[0], attributes["kernel_shape"], attributes["strides"]
    assert not any(attributes.get("pads", [0])) and not attributes.get("ceil_mode", 0)
    index = np.arange(len(tensor.const)).reshape(tensor.shape)
    windows = np.lib.stride_tricks.sliding_window_view(index, (kh, kw), axis=(1, 2))[:, ::sh, ::sw]
    return encoder.maximum(tensor, windows.reshape(-1, kh * kw), windows.shape[:3])


def _linear(tensor, function, bias=0.0):
    """`function` acts on batches and has no constant part: apply it to every variable's coefficients at once."""
    width = tensor.rows.shape[1]
    moved = function(tensor.rows.T.reshape(width, *tensor.shape))
    const = function(tensor.const.reshape(1, *tensor.shape))[0] + bias
    return Tensor(moved.reshape(width, -1).T, const.ravel(), const.shape)


def _convolve(x, w, stride, pads):
    top, left, bottom, right = pads
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
    windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axis=(2, 3))
    return np.einsum("bihwkl,oikl->bohw", windows[:, :, :: stride[0], :: stride[1]], w, optimize=True)
