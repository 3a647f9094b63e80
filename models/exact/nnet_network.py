"""The same walk for a .nnet file. Inputs must lie inside the file's limits, where clipping them changes nothing."""

from pathlib import Path

import numpy as np

from .relaxation import Tensor


class NnetNetwork:
    def __init__(self, path):
        lines = [line for line in Path(path).read_text().splitlines() if not line.startswith("//")]
        numbers = [[float(v) for v in line.rstrip(",").split(",")] for line in lines]
        self.sizes = [int(v) for v in numbers[1]]
        self.lower, self.upper, self.mean, self.scale = (np.array(row) for row in numbers[3:7])
        self.layers, cursor = [], 7
        for width in self.sizes[1:]:
            w, b = numbers[cursor : cursor + width], numbers[cursor + width : cursor + 2 * width]
            self.layers.append((np.array(w), np.array(b)[:, 0]))
            cursor += 2 * width

    def walk(self, encoder, start):
        count = self.sizes[0]
        box = encoder.relaxation
        assert np.all(box.lower[:count] >= self.lower) and np.all(box.upper[:count] <= self.upper)
        scale = self.scale[:count]
        h = Tensor(start.rows / scale[:, None], (start.const - self.mean[:count]) / scale, (count,))
        for index, (w, b) in enumerate(self.layers):
            h = encoder.relu(h) if index > 0 else h
            h = Tensor(w @ h.rows, w @ h.const + b, (len(b),))
        return Tensor(h.rows * self.scale[count], h.const * self.scale[count] + self.mean[count], h.shape)

    def run(self, x):
        """The function itself, in float64, for rows of `x`."""
        count = self.sizes[0]
        h = (np.clip(x, self.lower, self.upper) - self.mean[:count]) / self.scale[:count]
        for index, (w, b) in enumerate(self.layers):
            h = (np.maximum(h, 0) if index > 0 else h) @ w.T + b
        return h * self.scale[count] + self.mean[count]
