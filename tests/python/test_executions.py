"""The binary32 arithmetic of `executions` against exact rational numbers.

python -m unittest tests/python/test_executions.py
"""

import sys
import unittest
from fractions import Fraction
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from executions.arithmetic import FLOAT, Unit, flush, fma
from executions.sums import ORDERS, Way, sum_products

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
        # a b is just above a tie of binary32 numbers; binary64 rounds the sum to the tie.
        a, b, c = FLOAT(2**-30), FLOAT(2**-30), FLOAT(1 + 2**-23)
        tie = (FLOAT(1 + 2**-12), FLOAT(1 + 2**-12), FLOAT(2**-60))
        for triple in ((a, b, c), tie, (FLOAT(2**-24), FLOAT(1 + 2**-23), FLOAT(1))):
            self.compare(*(np.array([v]) for v in triple))
        wrong = 0
        random = np.random.default_rng(3)
        for _ in range(20):
            c = drawn(random, 500)
            ulp = np.spacing(np.abs(c))
            a, b = (ulp / 2).astype(FLOAT), (1 + FLOAT(2**-23)) * np.ones(500, FLOAT)
            a, b = np.where(random.random(500) < 0.5, a, -a), b
            self.compare(a, b, c)
        small = np.array([2**-29 + 2**-40], FLOAT)
        c = np.array([1 + 2**-23], FLOAT)
        half = np.array([2**-24], FLOAT)
        # half + tiny: the product carries the tie and a bit 2^-60 beyond binary64's reach of the sum.
        a, b = np.array([1 + 2**-23], FLOAT), np.array([2**-24 * (1 - 2**-23)], FLOAT)
        self.compare(a, b, c), self.compare(half, small, c)
        naive = (a.astype(np.float64) * b + c).astype(FLOAT)
        wrong += int((naive != fma(a, b, c)).sum())
        self.assertEqual(wrong, 1, "a case in which rounding twice is wrong")

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
                        w[:: 3] *= FLOAT(2**20)
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
