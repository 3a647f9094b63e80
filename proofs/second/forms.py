"""Forms: every element as a linear function of the inputs that vary, up to a radius (section 4 of FORMAT.md).

Numbers are integers, those of one value in the same unit. Nothing is rounded but the slope of a ReLU, at its exact cost.
"""

from math import lcm
from typing import NamedTuple

# Ends of intervals count in units of 1 / GRID; see state.py.
GRID = 1 << 1074
# The slope of a ReLU is rounded down to a multiple of 1 / SLOPE.
SLOPE = 1 << 128
MOST_VARYING = 64


class Forms(NamedTuple):
    """The forms of a value's elements. A line is the constant and then the slopes; `unit` is a multiple of GRID."""

    lines: list
    radii: list
    unit: int

    def ends(self):
        """The ends of all elements, rounded outward to the grid."""
        step = self.unit // GRID
        reach = [sum(map(abs, line[1:])) + radius for line, radius in zip(self.lines, self.radii)]
        lows = [(line[0] - r) // step for line, r in zip(self.lines, reach)]
        return lows, [-(-(line[0] + r) // step) for line, r in zip(self.lines, reach)]


def varying(lows, highs):
    """The input elements that vary."""
    return [i for i, (low, high) in enumerate(zip(lows, highs)) if low < high]


def of_input(lows, highs):
    """The middle of each interval, and half of its width for the element itself."""
    inputs = varying(lows, highs)
    lines = [[low + high] + [high - low if i == j else 0 for j in inputs]
             for i, (low, high) in enumerate(zip(lows, highs))]
    return Forms(lines, [0] * len(lines), 2 * GRID)


def of_affine(parts, biases, denominator, forms):
    """Weights times the lines of the sources, absolute values of weights times their radii."""
    unit = lcm(denominator, *(forms[part.source].unit * part.ratio for part in parts))
    others = [0] * (len(forms[0].lines[0]) - 1)
    lines, radii = [[bias * (unit // denominator)] + others for bias in biases], [0] * len(biases)
    for part in parts:
        source = forms[part.source]
        factor = unit // (source.unit * part.ratio)
        for i, row in enumerate(part.rows):
            for j, w in row:
                lines[i] = [a + factor * w * b for a, b in zip(lines[i], source.lines[j])]
                radii[i] += factor * abs(w) * source.radii[j]
    return Forms(lines, radii, unit)


def of_relu(source, lows, highs):
    """The forms of `relu(z)` for the forms and the ends of z."""
    lines, radii = [], []
    for line, radius, low, high in zip(source.lines, source.radii, lows, highs):
        slope, reach = relaxed(low, high)
        # Units of 1 / (2 * SLOPE * GRID), and those of the result.
        half = reach * (source.unit // GRID)
        line = [2 * slope * a for a in line]
        lines.append([line[0] + half] + line[1:])
        radii.append(2 * slope * radius + half)
    return Forms(lines, radii, 2 * SLOPE * source.unit)


def relaxed(low, high):
    """A slope and the most that `relu(z) - slope z` is for z between low and high, both times SLOPE."""
    if low >= 0:
        return SLOPE, 0
    if high <= 0:
        return 0, 0
    slope = high * SLOPE // (high - low)
    return slope, max(-slope * low, (SLOPE - slope) * high)
