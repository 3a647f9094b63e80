"""Reads NNet files: text, with comments (`//`) first, and commas after every number.

After the comments: the number of layers, of inputs, of outputs and the largest layer size; the sizes of all layers; a line
that is not used; the smallest and the largest inputs; the means and the ranges of the inputs and, last in both lines, of
the outputs. Then each layer: a line for each row of its matrix, and a line for each element of its bias.

The network takes inputs x in the units of the file's user: its first layer reads (x - mean) / range, its result is
y range + mean. Limits of inputs are not part of the function. Decimals are exact.
"""

from fractions import Fraction

from binary64 import decimal
from errors import Unreadable
from network import Builder, Network


def read(data):
    """Reads a network."""
    lines = (line.split("//")[0].strip() for line in data.decode("ascii").splitlines())
    lines = iter([[word.strip() for word in line.rstrip(",").split(",")] for line in lines if line])
    try:
        return network(lines)
    except StopIteration:
        raise Unreadable("the NNet file is truncated") from None


def network(lines):
    """The network of a file's lines."""
    layers, inputs, outputs, _ = whole_numbers(next(lines))
    sizes = whole_numbers(next(lines))
    if len(sizes) != layers + 1 or layers < 1 or (sizes[0], sizes[-1]) != (inputs, outputs):
        raise Unreadable("the sizes of the NNet file's layers do not fit")
    next(lines), next(lines), next(lines)
    means, ranges = numbers(lines, inputs + 1), numbers(lines, inputs + 1)
    if 0 in ranges:
        raise Unreadable("a range of 0")
    builder = Builder(inputs)
    factors = [1 / r for r in ranges[:-1]]
    last = builder.scaled(0, factors, [-m * f for m, f in zip(means, factors)])
    for layer, (width, height) in enumerate(zip(sizes, sizes[1:])):
        rows = [list(enumerate(numbers(lines, width))) for _ in range(height)]
        bias = [numbers(lines, 1)[0] for _ in range(height)]
        last = builder.affine([(last, rows)], bias)
        if layer < layers - 1:
            last = builder.relu(last)
    last = builder.scaled(last, [ranges[-1]] * outputs, [means[-1]] * outputs)
    if next(lines, None) is not None:
        raise Unreadable("the NNet file goes on after its last layer")
    return Network(builder.values, last)


def whole_numbers(words):
    """A line of whole numbers."""
    if not all(word.isdigit() for word in words):
        raise Unreadable(f"whole numbers were expected, not {words}")
    return [int(word) for word in words]


def numbers(lines, n):
    """A line of n numbers."""
    words = next(lines)
    if len(words) != n:
        raise Unreadable(f"{n} numbers were expected, not {len(words)}")
    return [Fraction(decimal(word)) for word in words]
