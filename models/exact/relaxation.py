"""Variables of the encoding and sound bounds on linear expressions over them.

Variables are the network's inputs, then one for each ReLU whose sign is open and one for each maximum that is open, in
the order of the graph. Every value of the network is a linear expression `rows @ variables + const` over them: ReLUs
with a known sign add no variable. Bounds come from substituting variables backwards by a linear lower or upper bound
(a ReLU by its triangle), with interval bounds taken at every step.
"""

from dataclasses import dataclass

import numpy as np

SLACK = 1e-7  # added to every bound outwards: far above the rounding of float64 here, far below a margin


@dataclass
class Tensor:
    """A value of the network, flattened: size x width coefficients, and its shape without the batch dimension."""

    rows: np.ndarray
    const: np.ndarray
    shape: tuple

    def take(self, index):
        return Tensor(self.rows[index], self.const[index], (len(index),))


@dataclass
class Block:
    """Variables `start` up to `stop` of one layer, with linear bounds over the variables before `start`."""

    start: int
    stop: int
    low_rows: np.ndarray
    low_const: np.ndarray
    high_rows: np.ndarray
    high_const: np.ndarray


class Relaxation:
    def __init__(self, lower, upper):
        self.lower, self.upper = np.array(lower, float), np.array(upper, float)
        self.blocks = []

    @property
    def width(self):
        return len(self.lower)

    def widen(self, rows):
        """Coefficients padded with zeros to all variables known by now."""
        return np.pad(rows, ((0, 0), (0, self.width - rows.shape[1])))

    def bounds(self, rows, const):
        """Lower and upper bounds on `rows @ variables + const`."""
        return self._below(rows, const) - SLACK, -self._below(-rows, -const) + SLACK

    def _below(self, rows, const):
        best = self._interval_below(rows, const)
        for block in reversed(self.blocks):
            if block.start >= rows.shape[1]:
                continue
            own = rows[:, block.start : block.stop]
            plus, minus = np.maximum(own, 0), np.minimum(own, 0)
            rows = rows[:, : block.start] + plus @ block.low_rows + minus @ block.high_rows
            const = const + plus @ block.low_const + minus @ block.high_const
            best = np.maximum(best, self._interval_below(rows, const))
        return best

    def _interval_below(self, rows, const):
        width = rows.shape[1]
        return const + np.maximum(rows, 0) @ self.lower[:width] + np.minimum(rows, 0) @ self.upper[:width]

    def add_relus(self, z, low, high):
        """One variable a row of `z`, whose bounds straddle zero. Returns their indices."""
        slope = high / (high - low)
        keep = (high > -low).astype(float)
        rows = self.widen(z.rows)
        block = (keep[:, None] * rows, keep * z.const, slope[:, None] * rows, slope * (z.const - low))
        return self._add(np.zeros(len(low)), high, block)

    def add_maximum(self, candidates, low, high):
        """One variable for the largest row of `candidates`."""
        rows = self.widen(candidates.rows)
        strongest = int(np.argmax(low))
        below = (rows[strongest : strongest + 1], candidates.const[strongest : strongest + 1])
        above = (np.zeros((1, self.width)), np.array([high.max()]))
        return self._add(np.array([low.max()]), np.array([high.max()]), (*below, *above))

    def _add(self, lower, upper, block):
        start = self.width
        self.lower, self.upper = np.append(self.lower, lower), np.append(self.upper, upper)
        self.blocks.append(Block(start, self.width, *block))
        return np.arange(start, self.width)
