"""Who claims bounds: a command, or interval arithmetic of this file with and without what executions round.

A prover takes a folder with NAME.onnx and NAME.json and yields {"name", "lower", "upper"} for each network, with null for
the ends where it refuses.
"""

import json
import shlex
import subprocess
from dataclasses import dataclass

import numpy as np

from . import graph as graphs
from .operators import LINEAR, PICKING

UNIT = 2.0**-24
TINY = 2.0**-126  # what flushing takes away, or underflow, at most
LIMIT = 2.0**120  # beyond it, overflow is not excluded
OUTWARD = 1e-13  # more than these computations in binary64 lose


def command(words):
    """A program that is called with the folder as its last argument and prints a JSON object a line."""

    def prove(folder):
        done = subprocess.run([*shlex.split(words), str(folder)], stdout=subprocess.PIPE, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines() if line.strip()]

    return prove


def interval(rounding=1.0):
    """Interval arithmetic, and `rounding` times the standard bound of what binary32 loses (0: a wrong prover)."""

    def prove(folder):
        for path in sorted(folder.glob("*.onnx")):
            ends = json.loads(path.with_suffix(".json").read_text())
            bounds = Intervals(graphs.read(path), rounding).bounds(ends["lower"], ends["upper"])
            lower, upper = (None, None) if bounds is None else (end.ravel().tolist() for end in bounds)
            yield {"name": path.stem, "lower": lower, "upper": upper}

    return prove


def named(name):
    return {"interval": interval(), "wrong": interval(0.0)}.get(name) or command(name)


@dataclass
class Range:
    """The ends of a value; `load` bounds the sum of the absolute values of the terms that it was added from in `terms` steps."""

    low: np.ndarray
    high: np.ndarray
    load: np.ndarray
    terms: int

    def largest(self):
        return np.maximum(np.abs(self.low), np.abs(self.high))


class Overflow(Exception):
    pass


class Intervals:
    def __init__(self, graph, rounding):
        self.graph, self.rounding = graph, rounding

    def bounds(self, lower, upper):
        low, high = (np.array(end, np.float64).reshape(1, *self.graph.shape) for end in (lower, upper))
        constants = {n: c.astype(np.float64) if c.dtype.kind == "f" else c for n, c in self.graph.constants.items()}
        values = {**constants, self.graph.given: plain(low, high)}
        try:
            with np.errstate(over="ignore", invalid="ignore"):
                for node in self.graph.nodes:
                    values[node.output] = self.node(node, [values[name] for name in node.inputs])
        except Overflow:
            return None
        final = values[self.graph.result]
        return final.low, final.high

    def node(self, node, inputs):
        if node.operator in LINEAR:
            return self.linear(node, inputs)
        rule = {"BatchNormalization": self.normalised, "LeakyRelu": self.leaky, "Add": self.sum, "Sub": self.sum,
                "Mul": self.product, "Div": self.product}.get(node.operator)  # fmt: skip
        return rule(node, inputs) if rule else self.picked(node, inputs)

    def widened(self, low, high, load, terms, under=1.0):
        """The range with what `terms` roundings lose; `under` counts what flushing takes away."""
        if not load.max(initial=0) < LIMIT:
            raise Overflow
        error = self.rounding * (1.01 * terms * UNIT * load + under * TINY) + OUTWARD * load
        return Range(low - error, high + error, load + error, terms)

    def linear(self, node, inputs):
        low, w, bias = LINEAR[node.operator]([inputs[0].low, *inputs[1:]], node.attributes)
        high = LINEAR[node.operator]([inputs[0].high, *inputs[1:]], node.attributes)[0]
        if node.operator in ("AveragePool", "GlobalAveragePool"):
            w = w / w.sum(-1, keepdims=True)
        alpha, beta = (np.float64(node.attributes.get(name, 1.0)) for name in ("alpha", "beta"))
        largest, count = np.maximum(np.abs(low), np.abs(high)), low.shape[-1]
        load = (largest * np.abs(w)).sum(-1)
        if not load.max(initial=0) < LIMIT:
            raise Overflow
        bias = 0.0 if bias is None else bias * beta
        centre, reach = ((low + high) / 2 * w).sum(-1), ((high - low) / 2 * np.abs(w)).sum(-1)
        load = np.abs(alpha) * load + np.abs(bias)
        scale = max(1.0, abs(alpha), abs(beta))
        under = scale * ((largest + np.abs(w)).sum(-1) + 3 * count + 5)
        ends = alpha * centre + bias - abs(alpha) * reach, alpha * centre + bias + abs(alpha) * reach
        return self.widened(*ends, load, count + 4, under)

    def normalised(self, node, inputs):
        x = inputs[0]
        scale, shift, mean, variance = (z.reshape(-1, *[1] * (x.low.ndim - 2)) for z in inputs[1:])
        root = np.sqrt(variance + node.attributes.get("epsilon", 1e-5))
        factor = scale / root
        ends = [(end - mean) * factor + shift for end in (x.low, x.high)]
        inner = (x.load + np.abs(mean)) / np.minimum(root, 1) * np.maximum(1, np.abs(scale))
        if not inner.max() < LIMIT:
            raise Overflow
        load = np.abs(factor) * (x.load + np.abs(mean)) + np.abs(shift)
        under = (1 + np.abs(factor) + 1 / root) * (1 + np.abs(scale)) * (8 * x.terms + 16) * (2 + x.load + np.abs(mean))
        return self.widened(np.minimum(*ends), np.maximum(*ends), load, 10 + x.terms, under)

    def sum(self, node, inputs):
        first, second = (z if isinstance(z, Range) else plain(z, z) for z in inputs)
        sign = -1 if node.operator == "Sub" else 1
        other = sorted([sign * second.low, sign * second.high], key=lambda end: end.sum())
        other = np.minimum(*other), np.maximum(*other)
        load = first.load + second.load
        return self.widened(first.low + other[0], first.high + other[1], load, max(first.terms, second.terms) + 2, 3.0)

    def product(self, node, inputs):
        x, c = inputs if isinstance(inputs[0], Range) else inputs[::-1]
        ends = [end / c if node.operator == "Div" else end * c for end in (x.low, x.high)]
        low, high = np.minimum(*ends), np.maximum(*ends)
        factor = np.abs(1 / c if node.operator == "Div" else c)
        return self.widened(low, high, plain(low, high).load, 2, 3.0 + factor + x.load)

    def leaky(self, node, inputs):
        x, alpha = inputs[0], float(node.attributes.get("alpha", 0.01))
        ends = [np.where(end < 0, end * alpha, end) for end in (x.low, x.high)]
        return self.widened(*ends, plain(*ends).load, 1, 4.0)

    def picked(self, node, inputs):
        """Operators that round nothing and grow with each operand; Abs, which does not grow, on its own."""
        low, high = ([z if not isinstance(z, Range) else getattr(z, end) for z in inputs] for end in ("low", "high"))
        if node.operator == "Abs":
            low, high = low[0], high[0]
            ends = np.where((low < 0) & (high > 0), 0, np.minimum(np.abs(low), np.abs(high))), np.maximum(-low, high)
        else:
            ends = [PICKING[node.operator](z, node.attributes) for z in (low, high)]
        return self.widened(*ends, plain(*ends).load, 0, 1.0)


def plain(low, high):
    return Range(low, high, np.maximum(np.abs(low), np.abs(high)), 0)
