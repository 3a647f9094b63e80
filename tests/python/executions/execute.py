"""Executes a graph in binary32 in one way, or in a different one at every node; and by onnxruntime."""

from dataclasses import dataclass, field, replace

import numpy as np

from . import graph as graphs
from .arithmetic import FLOAT, Unit
from .operators import LINEAR, PICKING
from .sums import ORDERS, Way, sum_products

STYLES = ("scale and shift", "as defined", "inverse first")


@dataclass
class Execution:
    """How a graph is executed: `rewrites` are graphs.folded, graphs.merged; `style` is how a BatchNormalization that
    stands alone is computed; is_mixed: every node adds in a way of its own."""

    way: Way = field(default_factory=Way)
    rewrites: tuple = ()
    style: str = STYLES[0]
    divides: bool = True  # averages are sums divided by the count; else multiplied by its inverse
    is_mixed: bool = False

    def __str__(self):
        words = ["each node its own way" if self.is_mixed else str(self.way), *(f.__name__ for f in self.rewrites)]
        return ", ".join([*words, self.style, "divides" if self.divides else "multiplies by inverse"])

    def at(self, index):
        """The way of the node of this index."""
        if self.is_mixed:
            return replace(drawn_way(np.random.default_rng([self.way.seed, index])), unit=self.way.unit)
        return replace(self.way, seed=self.way.seed + index)


def drawn_way(random):
    fused, first = random.random(2) < 0.5
    order, flushes = random.choice(ORDERS), random.choice(["none", "none", "results", "all"])
    return Way(str(order), bool(fused), bool(first), Unit(str(flushes)), int(random.integers(2**31)))


def drawn(random):
    """An execution."""
    rewrites = tuple(f for f in (graphs.folded, graphs.merged) if random.random() < 0.5)
    mixed, divides = random.random() < 0.25, random.random() < 0.7
    return Execution(drawn_way(random), rewrites, str(random.choice(STYLES)), bool(divides), bool(mixed))


def run(graph, points, execution):
    """Outputs [points, outputs] at points [points, ...], both binary32."""
    for rewrite in execution.rewrites:
        graph = rewrite(graph)
    values = {**graph.constants, graph.given: points.reshape(len(points), *graph.shape)}
    with np.errstate(all="ignore"):
        for index, node in enumerate(graph.nodes):
            inputs = [values[name] for name in node.inputs if name]
            values[node.output] = np.asarray(compute(node, inputs, (execution, execution.at(index))), FLOAT)
    return values[graph.result].reshape(len(points), -1)


def compute(node, inputs, chosen):
    if node.operator in LINEAR:
        return linear(node, inputs, chosen)
    if node.operator in ROUNDING:
        return ROUNDING[node.operator](inputs, node.attributes, chosen)
    return flushed(PICKING[node.operator](inputs, node.attributes), chosen[1])


def flushed(x, way):
    return x if way.unit.flushes != "all" else way.unit.result(x)


def linear(node, inputs, chosen):
    execution, way = chosen
    x, w, bias = LINEAR[node.operator](inputs, node.attributes)
    if node.operator == "Gemm":
        return scaled_gemm((x, w, bias), node.attributes, way)
    total = sum_products(x, w, bias, way)
    if node.operator not in ("AveragePool", "GlobalAveragePool"):
        return total
    count = w.sum(-1, dtype=FLOAT)
    return way.unit.divide(total, count) if execution.divides else way.unit.multiply(total, FLOAT(1) / count)


def scaled_gemm(terms, attributes, way):
    x, w, bias = terms
    alpha, beta = (FLOAT(attributes.get(name, 1.0)) for name in ("alpha", "beta"))
    if bias is not None and beta != 1:
        bias = way.unit.multiply(bias, beta)
    if alpha == 1:
        return sum_products(x, w, bias, way)
    total = sum_products(x, w, None, way)
    if bias is None:
        return way.unit.multiply(total, alpha)
    return way.unit.fused(total, alpha, bias) if way.is_fused else way.unit.add(way.unit.multiply(total, alpha), bias)


def batch_normalization(inputs, attributes, chosen):
    (execution, way), x = chosen, inputs[0]
    unit = way.unit
    scale, shift, mean, variance = (z.reshape(-1, *[1] * (x.ndim - 2)) for z in inputs[1:])
    root = unit.sqrt(unit.add(variance, FLOAT(attributes.get("epsilon", 1e-5))))
    multiply_add = unit.fused if way.is_fused else lambda a, b, c: unit.add(unit.multiply(a, b), c)
    if execution.style == "as defined":
        return multiply_add(unit.divide(unit.subtract(x, mean), root), scale, shift)
    if execution.style == "inverse first":
        return multiply_add(unit.multiply(unit.subtract(x, mean), unit.divide(FLOAT(1), root)), scale, shift)
    factor = unit.divide(scale, root)
    return multiply_add(x, factor, multiply_add(-mean, factor, shift))


def leaky_relu(inputs, attributes, chosen):
    x, alpha = inputs[0], FLOAT(attributes.get("alpha", 0.01))
    return np.where(x < 0, chosen[1].unit.multiply(x, alpha), x)


ROUNDING = {
    "BatchNormalization": batch_normalization,
    "LeakyRelu": leaky_relu,
    "Add": lambda inputs, _, chosen: chosen[1].unit.add(*inputs),
    "Sub": lambda inputs, _, chosen: chosen[1].unit.subtract(*inputs),
    "Mul": lambda inputs, _, chosen: chosen[1].unit.multiply(*inputs),
    "Div": lambda inputs, _, chosen: chosen[1].unit.divide(*inputs),
}


def numpy_products(graph, points):
    """Dense layers by numpy's product of matrices, one point at a time; None where the graph has other operators."""
    values = {**graph.constants, graph.given: points.reshape(len(points), *graph.shape)}
    for node in graph.nodes:
        inputs = [values[name] for name in node.inputs]
        if node.operator in ("Gemm", "MatMul"):
            if any(node.attributes.get(name, 1.0) != 1.0 for name in ("alpha", "beta")):
                return None
            w = inputs[1].T if node.attributes.get("transB", 0) else inputs[1]
            values[node.output] = np.concatenate([row[None] @ w for row in inputs[0]])
            if len(inputs) == 3:
                values[node.output] = values[node.output] + inputs[2]
        elif node.operator in ("Flatten", "Relu", "Add", "Sub", "Div", "Reshape"):
            values[node.output] = compute(node, inputs, (Execution(), Way()))
        else:
            return None
    return values[graph.result].reshape(len(points), -1)


LEVELS = {"off": "ORT_DISABLE_ALL", "basic": "ORT_ENABLE_BASIC", "all": "ORT_ENABLE_ALL"}


def runtime(model, graph, points, setting):
    """Outputs of onnxruntime; `setting` is (level, threads, is_together): all points at once where the batch is free."""
    import onnxruntime

    level, threads, is_together = setting
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, LEVELS[level])
    options.intra_op_num_threads, options.inter_op_num_threads, options.log_severity_level = threads, 1, 4
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    rows = points.reshape(len(points), 1, *graph.shape)
    parts = [points.reshape(len(points), *graph.shape)] if is_together and graph.has_free_batch else rows
    return np.concatenate([session.run(None, {graph.given: part})[0].reshape(len(part), -1) for part in parts])

