"""Builds ONNX files. The options are the differences between real exporters that a reader has to cope with."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Style:
    """How one file is written."""

    opset: int
    ir: int
    weights: str = "raw"  # raw: bytes; typed: float_data / int64_data; constant: Constant nodes
    weights_are_inputs: bool = False  # list the initializers among the graph inputs, as IR 3 demands
    batch: str | int = "batch"  # a name for a symbolic batch dimension, or its size


@dataclass
class Graph:
    """Collects nodes and weights; node inputs and outputs are named by the caller."""

    style: Style
    nodes: list = field(default_factory=list)
    initializers: list = field(default_factory=list)

    def add(self, op, inputs, output, **attributes):
        name = f"{op}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def weight(self, name, array):
        """A float32 or int64 constant, stored as the style says. Returns its name."""
        array = np.asarray(array)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        if self.style.weights == "constant":
            self.nodes.append(helper.make_node("Constant", [], [name], value=_tensor(name, array, False)))
        else:
            self.initializers.append(_tensor(name, array, self.style.weights == "typed"))
        return name

    def save(self, path, title, in_shape, out_shape, names=("input", "output")):
        """Writes the file after onnx's checker, shape inference included, has accepted it."""
        inputs = [_value(names[0], [self.style.batch, *in_shape])]
        if self.style.weights_are_inputs:
            inputs += [helper.make_tensor_value_info(t.name, t.data_type, t.dims) for t in self.initializers]
        outputs = [_value(names[1], [self.style.batch, *out_shape])]
        graph = helper.make_graph(self.nodes, title, inputs, outputs, self.initializers)
        opset = [helper.make_opsetid("", self.style.opset)]
        model = helper.make_model(graph, opset_imports=opset, ir_version=self.style.ir, producer_name="bartizan")
        onnx.checker.check_model(model, full_check=True)
        Path(path).write_bytes(model.SerializeToString(deterministic=True))


def _tensor(name, array, typed):
    if not typed:
        return numpy_helper.from_array(np.ascontiguousarray(array), name)
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    return helper.make_tensor(name, kind, array.shape, array.flatten().tolist())


def _value(name, shape):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
