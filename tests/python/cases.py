"""Small ONNX models for the comparison with onnxruntime: constants seeded by a case's name, steps, chains of steps."""

import zlib

import numpy as np
from onnx import helper, numpy_helper

FLOAT, DOUBLE, INT64 = np.float32, np.float64, np.int64
RECENT = (13, 21)


class Weights:
    """Random constants for one case."""

    def __init__(self, name, element=FLOAT):
        self.generator = np.random.default_rng(zlib.crc32(name.encode()))
        self.element = element

    def __call__(self, *shape):
        return np.asarray(self.generator.normal(size=shape), dtype=self.element)

    def positive(self, *shape):
        return np.asarray(self.generator.uniform(0.2, 2.0, size=shape), dtype=self.element)


def step(operator, *operands, outputs=1, **attributes):
    """One node: operands are names, arrays (which become initializers) or None for one that is left out."""
    return operator, operands, outputs, attributes


def model(opset, shape, *steps, element=FLOAT):
    """A chain of steps: "x" is the input, "@" the previous step's result and "@K.I" result I of step K. The last
    step's first result is the output."""
    nodes, initializers = [], []
    for index, (operator, operands, outputs, attributes) in enumerate(steps):
        names = [operand_name(operand, index, initializers) for operand in operands]
        results = [f"s{index}.{i}" for i in range(outputs)]
        nodes.append(helper.make_node(operator, names, results, name=f"{operator}_{index}", **attributes))
    kind = helper.np_dtype_to_tensor_dtype(np.dtype(element))
    graph = helper.make_graph(
        nodes,
        "case",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info(f"s{len(steps) - 1}.0", kind, None)],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def operand_name(operand, index, initializers):
    if operand is None:
        return ""
    if isinstance(operand, str):
        return operand.replace("@", f"s{index - 1}.0" if operand == "@" else "s")
    name = f"w{index}.{len(initializers)}"
    initializers.append(numpy_helper.from_array(np.asarray(operand), name))
    return name


def ints(*values):
    return np.array(values, dtype=INT64)
