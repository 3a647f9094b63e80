"""Binary32 operations on arrays, rounded once, as hardware does them."""

import numpy as np

FLOAT = np.float32
LEAST_NORMAL = np.finfo(FLOAT).smallest_normal


def fma(a, b, c):
    """a b + c rounded once to binary32.

    The product of two binary32 numbers is a binary64 number. The sum is rounded to binary64 to odd, that is to the
    neighbour with an odd last bit where it is not exact; from there the rounding to binary32 is that of the exact value
    (Boldo and Melquiond, "Emulation of a FMA and correctly rounded sums", 2008: 53 >= 2 * 24 + 2 bits are enough).
    """
    product, addend = a.astype(np.float64) * b.astype(np.float64), c.astype(np.float64)
    total = product + addend
    # The error of the sum, exactly (Knuth's TwoSum): all are multiples of 2^-298, so nothing underflows.
    part = total - product
    error = (product - (total - part)) + (addend - part)
    even = (total.view(np.int64) & 1) == 0
    towards = np.where(error > 0, np.inf, -np.inf)
    inexact = even & (error != 0) & np.isfinite(error)
    return np.where(inexact, np.nextafter(total, towards), total).astype(FLOAT)


def flush(x):
    """Numbers below the normal range become zero with their sign."""
    return np.where(np.abs(x) < LEAST_NORMAL, np.copysign(FLOAT(0), x), x)


class Unit:
    """What computes: `flushes` is "none", "results" (FTZ) or "all" (operands too: FTZ and DAZ)."""

    def __init__(self, flushes="none"):
        self.flushes = flushes

    def operand(self, x):
        return flush(x) if self.flushes == "all" else x

    def result(self, x):
        return x if self.flushes == "none" else flush(x)

    def add(self, a, b):
        return self.result(self.operand(a) + self.operand(b))

    def subtract(self, a, b):
        return self.result(self.operand(a) - self.operand(b))

    def multiply(self, a, b):
        return self.result(self.operand(a) * self.operand(b))

    def divide(self, a, b):
        return self.result(self.operand(a) / self.operand(b))

    def fused(self, a, b, c):
        return self.result(fma(self.operand(a), self.operand(b), self.operand(c)))

    def sqrt(self, x):
        return self.result(np.sqrt(self.operand(x)))
