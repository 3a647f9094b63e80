"""Networks as lists of values (section 1 of FORMAT.md), with all weights as integers.

Every weight is a rational number, and coefficients of a backward pass are multiplied by one weight after the other.
To keep them integers, each value has a `scale`: coefficients on it are counted in units of 1 / (unit * scale), where
`unit` is chosen by the pass. Scales grow from the output towards the input so that every product is an integer again.
"""

from fractions import Fraction
from math import lcm
from typing import NamedTuple

from errors import Unreadable


class Input(NamedTuple):
    """The input: always value 0."""

    size: int


class Affine(NamedTuple):
    """`sum of weights times sources + bias`. Parts are pairs of a source and its rows, a row is a list of
    (element of the source, weight); weights and bias are fractions."""

    size: int
    parts: list
    bias: list


class Relu(NamedTuple):
    """`max(0, z)` of a source, element by element."""

    size: int
    source: int


class Part(NamedTuple):
    """A source of an affine value: its weights are `integers in rows / ratio`."""

    source: int
    rows: list
    ratio: int


class Network:
    """Values in order, their scales, and the places by which certificates name them."""

    def __init__(self, values, output):
        self.values = values
        self.output = output
        relus = [v for v, value in enumerate(values) if isinstance(value, Relu)]
        self.places = [0] + [values[v].source for v in relus] + [output]
        self.place_of_relu = {v: place for place, v in enumerate(relus, 1)}
        self.scales = scales(values)
        self.parts = {v: integer_parts(value, self.scales[v], self.scales)
                      for v, value in enumerate(values) if isinstance(value, Affine)}
        self.biases = {v: over_common_denominator(value.bias)
                       for v, value in enumerate(values) if isinstance(value, Affine)}

    def size(self, place):
        """The number of elements of a place."""
        return self.values[self.places[place]].size


def scales(values):
    """The scale of each value; see above."""
    result = [1] * len(values)
    for v in range(len(values) - 1, 0, -1):
        value = values[v]
        if isinstance(value, Relu):
            result[value.source] = lcm(result[value.source], result[v])
            continue
        for source, rows in value.parts:
            denominator = lcm(*{weight.denominator for row in rows for _, weight in row})
            result[source] = lcm(result[source], result[v] * denominator)
    return result


def integer_parts(value, scale, all_scales):
    """The parts of an affine value with integers as weights."""
    parts = []
    for source, rows in value.parts:
        ratio = all_scales[source] // scale
        integers = [[(j, int(weight * ratio)) for j, weight in row if weight] for row in rows]
        parts.append(Part(source, integers, ratio))
    return parts


def over_common_denominator(numbers):
    """Integers and the denominator that they share."""
    denominator = lcm(*{number.denominator for number in numbers})
    return [int(number * denominator) for number in numbers], denominator


class Builder:
    """Collects values while a file is read."""

    def __init__(self, inputs):
        self.values = [Input(inputs)]

    def affine(self, parts, bias):
        """Adds an affine value and returns its index."""
        return self.add(Affine(len(bias), parts, [Fraction(b) for b in bias]))

    def scaled(self, source, factors, bias):
        """Adds `factors . source + bias`, element by element."""
        return self.affine([(source, [[(i, Fraction(f))] for i, f in enumerate(factors)])], bias)

    def relu(self, source):
        """Adds a ReLU node."""
        return self.add(Relu(self.values[source].size, source))

    def add(self, value):
        """Adds a value."""
        if value.size == 0:
            raise Unreadable("an empty tensor")
        self.values.append(value)
        return len(self.values) - 1
