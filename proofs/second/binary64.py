"""Intervals of two binary64 numbers around a real number, as section 2 and 7 of FORMAT.md ask for.

They make up the canonical form of a property. Each end of a result is rounded to nearest and then moved outward by one
binary64 number, so that an interval always contains the number that the file asked for.
"""

import math
import re
from fractions import Fraction
from typing import NamedTuple

from errors import Unreadable

DECIMAL = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
# Decimals far outside the range of binary64 would be slow to write out as fractions.
MOST_EXPONENT = 5000
# A decimal counts as exact if it has at most so many places after the point, and its digits are below this number.
MOST_PLACES = 27
MOST_DIGITS = 1 << 128


class Interval(NamedTuple):
    """Two binary64 numbers around a real one."""

    low: float
    high: float


def decimal(text):
    """The exact value of a decimal."""
    if not DECIMAL.fullmatch(text):
        raise Unreadable(f"{text!r} is not a decimal")
    exponent = re.search(r"[eE]([+-]?\d+)", text)
    if exponent and abs(int(exponent[1])) > MOST_EXPONENT:
        raise Unreadable(f"{text!r} is out of range")
    return Fraction(text)


def below(number):
    """The next smaller binary64 number."""
    return math.nextafter(number, -math.inf) + 0.0


def above(number):
    """The next larger binary64 number."""
    return math.nextafter(number, math.inf) + 0.0


def nearest(exact):
    """The binary64 number nearest to a fraction."""
    try:
        return exact.numerator / exact.denominator + 0.0
    except OverflowError:
        raise Unreadable("a number is out of the range of binary64") from None


def enclose(exact):
    """The interval of a decimal: one number where it is certainly exact, else the neighbours of the nearest one."""
    number = nearest(exact)
    if Fraction(number) == exact and is_short(exact):
        return Interval(number, number)
    return Interval(finite(below(number)), finite(above(number)))


def is_short(exact):
    """Whether a decimal has few places and digits; zeros after the last place do not count."""
    places = 0
    while exact.denominator != 1 and places < MOST_PLACES:
        exact *= 10
        places += 1
    return exact.denominator == 1 and abs(exact) < MOST_DIGITS


def finite(number):
    """The number, if it is finite."""
    if math.isinf(number):
        raise Unreadable("a number is out of the range of binary64")
    return number


ZERO = Interval(0.0, 0.0)
ONE = Interval(1.0, 1.0)


def negative(a):
    """The interval of -a; zero has no sign."""
    return Interval(0.0 - a.high, 0.0 - a.low)


def outward(low, high):
    """An interval around two exact ends, each rounded to nearest and then moved by one number."""
    return Interval(finite(below(nearest(low))), finite(above(nearest(high))))


def add(a, b):
    """a + b, exact if one of them is 0."""
    if a == ZERO:
        return b
    if b == ZERO:
        return a
    return outward(Fraction(a.low) + Fraction(b.low), Fraction(a.high) + Fraction(b.high))


def multiply(a, b):
    """a b, exact if one of them is 0 or 1."""
    if ZERO in (a, b):
        return ZERO
    if a == ONE:
        return b
    if b == ONE:
        return a
    products = [Fraction(x) * Fraction(y) for x in a for y in b]
    return outward(min(products), max(products))


def divide(a, b):
    """a / b, exact if a is 0."""
    if b.low <= 0 <= b.high:
        raise Unreadable("division by a number that may be zero")
    if a == ZERO:
        return a
    quotients = [Fraction(x) / Fraction(y) for x in a for y in b]
    return outward(min(quotients), max(quotients))
