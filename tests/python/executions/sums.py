"""Sums of products in binary32: one function, and the ways of adding that it knows.

`x` and `w` hold the factors of the terms along their last axis and broadcast against each other; `bias` is added first or
last. Terms with a factor of zero are computed like the others.
"""

from dataclasses import dataclass, field

import numpy as np

from .arithmetic import FLOAT, Unit

LANES = (2, 4, 8, 16, 32, 64)
ORDERS = ("forward", "backward", "pairwise", "random", "rising", "falling", "plus_first", "minus_first",
          *(f"lanes{n}" for n in LANES), "tree", "double")  # fmt: skip


@dataclass
class Way:
    """How an execution adds."""

    order: str = "forward"
    is_fused: bool = False
    bias_first: bool = False
    unit: Unit = field(default_factory=Unit)
    seed: int = 0

    def __str__(self):
        words = [self.order, "fused" if self.is_fused else "", "bias first" if self.bias_first else "bias last"]
        words.append("" if self.unit.flushes == "none" else f"flushes {self.unit.flushes}")
        return ", ".join(word for word in words if word)


def sum_products(x, w, bias, way):
    """sum of x w along the last axis, plus bias (None: nothing is added)."""
    x, w = np.broadcast_arrays(x, w)
    if way.order == "double":
        exactish = (way.unit.operand(x).astype(np.float64) * way.unit.operand(w)).sum(-1)
        exactish = exactish if bias is None else exactish + bias
        return way.unit.result(exactish.astype(FLOAT))
    x, w = arranged(x, w, way)
    start = np.zeros(x.shape[:-1], FLOAT)
    if bias is not None and way.bias_first:
        start = start + bias
    total = ADDERS.get(way.order.rstrip("0123456789"), run)(x, w, start, way)
    return total if bias is None or way.bias_first else way.unit.add(total, bias)


def arranged(x, w, way):
    """The terms in the order in which they are added."""
    count = x.shape[-1]
    if way.order == "backward":
        return x[..., ::-1], w[..., ::-1]
    if way.order == "random":
        order = np.random.default_rng(way.seed).permutation(count)
        return x[..., order], w[..., order]
    products = np.nan_to_num(x.astype(np.float64) * w)
    keys = {"rising": np.abs(products), "falling": -np.abs(products), "plus_first": -products, "minus_first": products}
    if way.order not in keys:
        return x, w
    order = np.argsort(keys[way.order], axis=-1, kind="stable")
    return np.take_along_axis(x, order, -1), np.take_along_axis(w, order, -1)


def run(x, w, start, way):
    """One accumulator."""
    total = start
    for k in range(x.shape[-1]):
        total = step(total, x[..., k], w[..., k], way)
    return total


def step(total, x, w, way):
    return way.unit.fused(x, w, total) if way.is_fused else way.unit.add(total, way.unit.multiply(x, w))


def lanes(x, w, start, way):
    """One accumulator for every n-th term, as vector instructions do; the accumulators are added in pairs."""
    width = int(way.order.removeprefix("lanes"))
    missing = -x.shape[-1] % width
    edge = [(0, 0)] * (x.ndim - 1) + [(0, missing)]
    x, w = (np.pad(z, edge).reshape(*z.shape[:-1], -1, width) for z in (x, w))
    totals = np.zeros((*start.shape, width), FLOAT)
    totals[..., 0] = start
    for k in range(x.shape[-2]):
        totals = step(totals, x[..., k, :], w[..., k, :], way)
    return halved(totals, way)


def halved(values, way):
    """The sum along the last axis, the first half added to the second until one is left."""
    while values.shape[-1] > 1:
        half = values.shape[-1] // 2
        rest = values[..., 2 * half :]
        values = np.concatenate([way.unit.add(values[..., :half], values[..., half : 2 * half]), rest], -1)
    return values[..., 0]


def pairwise(x, w, start, way):
    """Neighbours are added, then neighbouring sums, and so on; what starts the sum is its first term."""
    values = np.concatenate([start[..., None], way.unit.multiply(x, w)], -1)
    while values.shape[-1] > 1:
        even = values.shape[-1] // 2 * 2
        joined = way.unit.add(values[..., 0:even:2], values[..., 1:even:2])
        values = np.concatenate([joined, values[..., even:]], -1)
    return values[..., 0]


def tree(x, w, start, way):
    """Two terms or sums drawn at random are added until one is left. Where the way is fused, a product that has not been
    rounded yet is drawn as a product, and is rounded together with what it is added to."""
    random = np.random.default_rng(way.seed)
    parts = [(start, None), *((x[..., k], w[..., k]) for k in range(x.shape[-1]))]
    while len(parts) > 1:
        first, second = (parts.pop(int(random.integers(len(parts)))) for _ in range(2))
        if second[1] is None:
            first, second = second, first
        parts.append((joined(first, second, way), None))
    return value(parts[0], way)


def joined(first, second, way):
    if way.is_fused and second[1] is not None:
        return way.unit.fused(second[0], second[1], value(first, way))
    return way.unit.add(value(first, way), value(second, way))


def value(part, way):
    return part[0] if part[1] is None else way.unit.multiply(*part)


ADDERS = {"lanes": lanes, "pairwise": pairwise, "tree": tree}
