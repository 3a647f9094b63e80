"""The binary32 arithmetic of `executions` against exact rational numbers, and the check that is built on it.

python -m unittest tests/python/test_executions.py
"""

import argparse
import sys
import tempfile
import unittest
from fractions import Fraction
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

import orders
from executions import graph as graphs
from executions import networks, provers
from executions.arithmetic import FLOAT, Unit, flush, fma
from executions.execute import Execution, run, runtime
from executions.sums import ORDERS, Way, sum_products

ROUNDING = Path(__file__).parents[2] / "models" / "rounding"
LEAST = Fraction(1, 2**149)
LARGEST = Fraction(2**24 - 1) * 2**104


def rounded(value):
    """A rational number as binary32: nearest, ties to even, by integers alone. None where it overflows."""
    magnitude, spacing = abs(value), LEAST
    while magnitude >= spacing * 2**24:
        spacing *= 2
    units = magnitude / spacing
    whole = units.numerator // units.denominator
    rest = units - whole
    whole += rest > Fraction(1, 2) or (rest == Fraction(1, 2) and whole % 2 == 1)
    return None if whole * spacing > LARGEST else (whole if value > 0 else -whole) * spacing


def drawn(random, count):
    """Numbers of all magnitudes, many with few bits, so that ties and cancellation are common."""
    bits = random.integers(1, 25, count)
    mantissa = random.integers(2**23, 2**24, count) >> (24 - bits) << (24 - bits)
    exponent = random.choice([random.integers(-150, 20, count), random.integers(-3, 4, count) - 23])
    return (np.ldexp(mantissa.astype(np.float64), exponent) * random.choice([-1, 1], count)).astype(FLOAT)


def exact(x):
    return Fraction(float(x))


class Fma(unittest.TestCase):
    def test_random(self):
        random = np.random.default_rng(1)
        for _ in range(40):
            a, b, c = (drawn(random, 500) for _ in range(3))
            self.compare(a, b, c)

    def test_cancelling(self):
        random = np.random.default_rng(2)
        a, b = drawn(random, 2000), drawn(random, 2000)
        with np.errstate(over="ignore"):
            self.compare(a, b, -(a * b))

    def test_double_rounding(self):
        # The product is 2^-24 (1 - 2^-46): with 1 + 2^-23 just below a tie that binary64 rounds to, and the tie to 1 + 2^-22.
        a, b, c = (np.array([v], FLOAT) for v in (1 + 2**-23, 2**-24 * (1 - 2**-23), 1 + 2**-23))
        self.compare(a, b, c)
        naive = (a.astype(np.float64) * b + c).astype(FLOAT)
        self.assertNotEqual(naive[0], fma(a, b, c)[0], "a case in which rounding twice is wrong")

    def test_near_ties(self):
        random = np.random.default_rng(3)
        for _ in range(20):
            c = drawn(random, 500)
            half = (np.spacing(np.abs(c)) / 2).astype(FLOAT)
            sign, nudge = random.choice(np.array([-1, 1], FLOAT), (2, 500))
            self.compare(sign * half, 1 + nudge * FLOAT(2**-23), c)

    def compare(self, a, b, c):
        with np.errstate(over="ignore"):
            found = fma(a, b, c)
        for x, y, z, f in zip(a, b, c, found):
            if not np.isfinite(z):
                continue
            wanted = rounded(exact(x) * exact(y) + exact(z))
            if wanted is None:
                self.assertTrue(np.isinf(f))
            else:
                self.assertEqual(exact(f), wanted, (x, y, z))


class Sums(unittest.TestCase):
    """Each order against the same additions in rational numbers, written out one by one."""

    def test_orders(self):
        random = np.random.default_rng(4)
        for order in ("forward", "backward", "pairwise", "lanes8", "lanes64", "rising", "plus_first"):
            for is_fused in (False, True):
                for bias_first in (False, True):
                    for count in (1, 2, 7, 17, 70):
                        x, w = random.normal(size=(2, count)).astype(FLOAT)
                        w[::3] *= FLOAT(2**20)
                        bias = FLOAT(random.normal())
                        way = Way(order, is_fused, bias_first)
                        self.assertEqual(exact(sum_products(x, w, bias, way)), slowly(x, w, bias, way), str(way))

    def test_every_order_is_close(self):
        random = np.random.default_rng(5)
        x, w = random.normal(size=(2, 30, 40)).astype(FLOAT)
        true = (x.astype(np.float64) * w).sum(-1)
        for order in ORDERS:
            for seed in range(3):
                found = sum_products(x, w, None, Way(order, is_fused=seed > 0, seed=seed))
                self.assertLess(np.abs(found - true).max(), 1e-4)
                self.assertGreater(len(set(found.tolist())), 20)

    def test_flushed(self):
        tiny = np.array([2.0**-130], FLOAT)
        ways = [Way(unit=Unit(flushes)) for flushes in ("none", "results", "all")]
        found = [float(sum_products(tiny, np.ones(1, FLOAT) * 8, None, way)) for way in ways]
        self.assertEqual(found, [2.0**-127, 0.0, 0.0])
        up = [float(sum_products(tiny, np.ones(1, FLOAT) * 2**10, None, way)) for way in ways]
        self.assertEqual(up, [2.0**-120, 2.0**-120, 0.0])
        self.assertTrue(np.signbit(flush(-tiny))[0])


class Witnesses(unittest.TestCase):
    """The networks of models/rounding in the executions that their README speaks of."""

    FORWARD, BACKWARD = Execution(Way("forward")), Execution(Way("backward"))
    LANES, FUSED = Execution(Way("lanes8")), Execution(Way("forward", is_fused=True))
    FOLDED = Execution(rewrites=(graphs.folded,))
    # The executions that give the class of real arithmetic at every point, and those that give another at each.
    CASES = {
        "precision": ([], [FORWARD, BACKWARD, LANES, FUSED]),
        "backward": ([FORWARD, LANES, FUSED], [BACKWARD]),
        "fused": ([FORWARD, BACKWARD, LANES], [FUSED]),
        "forward": ([BACKWARD, LANES], [FORWARD, FUSED]),
        "lanes": ([FORWARD, BACKWARD, FUSED], [LANES]),
        "folded": ([FORWARD, BACKWARD, LANES, FUSED], [FOLDED]),
    }

    def test_classes(self):
        for name, cases in self.CASES.items():
            graph = graphs.read(ROUNDING / f"{name}.onnx")
            table = np.loadtxt(ROUNDING / "loads.csv", delimiter=",", skiprows=1)
            is_table = len(graph.shape) == 1
            points = (table[:, :2] if is_table else np.load(ROUNDING / "images.npy")).astype(FLOAT)
            labels = table[:, 2] if is_table else np.load(ROUNDING / "labels.npy")
            for is_right, executions in zip((True, False), cases):
                for execution in executions:
                    agree = run(graph, points, execution).argmax(1) == labels
                    self.assertTrue((agree == is_right).all(), f"{name}: {execution}")


class Provers(unittest.TestCase):
    """The check accepts bounds that account for rounding, and catches those that do not."""

    def failures(self, rounding, count=40):
        found = 0
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            for number in range(count):
                networks.write(folder, f"n{number:07}", networks.draw(np.random.default_rng([0, number])))
            arguments = argparse.Namespace(seed=0, points=24, executions=10, runtime=0)
            for claim in provers.interval(rounding)(folder):
                if claim["lower"] is not None:
                    found += len(orders.check_network(arguments, folder / f"{claim['name']}.onnx", [claim])[1])
        return found

    def test_sound(self):
        self.assertEqual(self.failures(1.0), 0)

    def test_wrong(self):
        self.assertGreater(self.failures(0.0), 15)

    def test_operators(self):
        """The executions compute what onnxruntime computes, and what binary64 does, but for rounding."""
        import onnxruntime  # noqa: F401

        compared = 0
        for number in range(150):
            content, lower, _ = networks.draw(np.random.default_rng([7, number]))
            graph, points = graphs.read(content), lower.reshape(1, -1)
            bounds = provers.Intervals(graph, 1.0).bounds(lower, lower)
            if bounds is not None:
                found = runtime(content, graph, points, ("off", 1, True))
                self.assertTrue(((bounds[0].ravel() <= found) & (found <= bounds[1].ravel())).all(), number)
                compared += 1
        self.assertGreater(compared, 120)


def slowly(x, w, bias, way):
    """The sum by the definition of its order, rounding each step by integers."""
    terms = list(zip(map(exact, x), map(exact, w)))
    if way.order == "backward":
        terms.reverse()
    if way.order == "rising":
        terms.sort(key=lambda t: abs(t[0] * t[1]))
    if way.order == "plus_first":
        terms.sort(key=lambda t: -t[0] * t[1])
    bias = exact(bias)
    start = bias if way.bias_first else Fraction(0)
    if way.order == "pairwise":
        total = levels([start, *(rounded(a * b) for a, b in terms)], neighbours)
    elif way.order.startswith("lanes"):
        width = int(way.order[5:])
        starts = [start, *[Fraction(0)] * (width - 1)]
        total = levels([chain(terms[i::width], starts[i], way.is_fused) for i in range(width)], halves)
    else:
        total = chain(terms, start, way.is_fused)
    return total if way.bias_first else rounded(total + bias)


def chain(terms, total, is_fused):
    for a, b in terms:
        total = rounded(total + (a * b if is_fused else rounded(a * b)))
    return total


def levels(values, pairs):
    while len(values) > 1:
        values = [rounded(sum(pair)) for pair in pairs(values)]
    return values[0]


def neighbours(values):
    return [values[i : i + 2] for i in range(0, len(values), 2)]


def halves(values):
    half = len(values) // 2
    return [(values[i], values[half + i]) for i in range(half)]


if __name__ == "__main__":
    unittest.main()
