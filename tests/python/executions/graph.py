"""Reads an ONNX graph, and rewrites it as runtimes do before they execute it."""

from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import numpy_helper

from .arithmetic import FLOAT


@dataclass(frozen=True)
class Node:
    operator: str
    inputs: tuple
    output: str
    attributes: dict


@dataclass(frozen=True)
class Graph:
    """Nodes in order, constants by name, the shape of one input without the batch dimension."""

    nodes: tuple
    constants: dict
    given: str
    shape: tuple
    result: str
    has_free_batch: bool

    def uses(self, name):
        return sum(node.inputs.count(name) for node in self.nodes) + (name == self.result)

    def producer(self, name):
        return next((node for node in self.nodes if node.output == name), None)

    def constant(self, name):
        return self.constants.get(name)


def read(path_or_bytes):
    model = onnx.load_from_string(path_or_bytes) if isinstance(path_or_bytes, bytes) else onnx.load(path_or_bytes)
    constants = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    nodes = []
    for node in model.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(attributes["value"])
        elif node.op_type == "Transpose" and node.input[0] in constants:
            constants[node.output[0]] = constants[node.input[0]].transpose(attributes.get("perm"))
        else:
            nodes.append(Node(node.op_type, tuple(node.input), node.output[0], attributes))
    (given,) = [value for value in model.graph.input if value.name not in constants]
    dims = given.type.tensor_type.shape.dim
    shape = tuple(d.dim_value for d in dims)[1:]
    return Graph(tuple(nodes), constants, given.name, shape, model.graph.output[0].name, not dims[0].dim_value)


def folded(graph):
    """Every BatchNormalization in the Conv before it, where nothing else reads that: in binary32, as onnxruntime does."""
    for node in graph.nodes:
        if node.operator == "BatchNormalization":
            conv = graph.producer(node.inputs[0])
            if conv is not None and conv.operator == "Conv" and graph.uses(conv.output) == 1:
                graph = _fold(graph, conv, node)
    return graph


def _fold(graph, conv, node):
    weight = graph.constants[conv.inputs[1]]
    bias = graph.constants[conv.inputs[2]] if len(conv.inputs) == 3 else np.zeros(len(weight), FLOAT)
    scale, shift, mean, variance = (graph.constants[name] for name in node.inputs[1:])
    factor = scale / np.sqrt(variance + FLOAT(node.attributes.get("epsilon", 1e-5)))
    names = [f"{node.output}.weight", f"{node.output}.bias"]
    made = [weight * factor.reshape(-1, *[1] * (weight.ndim - 1)), (bias - mean) * factor + shift]
    one = Node("Conv", (conv.inputs[0], *names), node.output, conv.attributes)
    nodes = tuple(one if n is node else n for n in graph.nodes if n is not conv)
    return replace(graph, nodes=nodes, constants={**graph.constants, **dict(zip(names, made))})


def merged(graph):
    """Every MatMul by a constant matrix and the Add of a constant row behind it as one Gemm."""
    for node in graph.nodes:
        if node.operator != "Add":
            continue
        bias, value = sorted(node.inputs, key=lambda name: name not in graph.constants)
        product = graph.producer(value)
        if product is None or bias not in graph.constants or product.operator != "MatMul" or graph.uses(value) != 1:
            continue
        weight = graph.constant(product.inputs[1])
        if weight is None or weight.ndim != 2 or graph.constants[bias].size != weight.shape[1]:
            continue
        one = Node("Gemm", (product.inputs[0], product.inputs[1], bias), node.output, {})
        graph = replace(graph, nodes=tuple(one if n is node else n for n in graph.nodes if n is not product))
    return graph
