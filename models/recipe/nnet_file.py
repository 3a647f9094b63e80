"""The text format .nnet of the Stanford NNet repository: header, sizes, input limits, normalisation, weights."""

from pathlib import Path

import numpy as np


def write(path, title, layers, lower, upper):
    """`layers` is a list of (w [in, out], b), ReLU between. Normalisation is left at mean 0 and range 1.

    Nine significant digits name a float32 exactly.
    """
    sizes = [layers[0][0].shape[0]] + [w.shape[1] for w, _ in layers]
    lines = [f"// {title}"]
    lines.append(_row([len(layers), sizes[0], sizes[-1], max(sizes)]))
    lines += [_row(sizes), "0,", _row(lower), _row(upper)]
    lines += [_row([0.0] * (sizes[0] + 1)), _row([1.0] * (sizes[0] + 1))]
    for w, b in layers:
        lines += [_row(row) for row in w.T]
        lines += [_row([value]) for value in b]
    Path(path).write_text("\n".join(lines) + "\n")


def evaluate(path, x):
    """The file's function on rows of `x`, read back independently of `write`, in float64."""
    rows = [line for line in Path(path).read_text().splitlines() if not line.startswith("//")]
    rows = [np.array([float(v) for v in row.rstrip(",").split(",")]) for row in rows]
    sizes = rows[1].astype(int)
    lower, upper, mean, scale = rows[3:7]
    count = sizes[0]
    h = (np.clip(x, lower, upper) - mean[:count]) / scale[:count]
    cursor = 7
    for index, width in enumerate(sizes[1:]):
        w, b = np.array(rows[cursor : cursor + width]), np.concatenate(rows[cursor + width : cursor + 2 * width])
        h = h @ w.T + b
        h = np.maximum(h, 0) if index < len(sizes) - 2 else h
        cursor += 2 * width
    return h * scale[count] + mean[count]


def _row(values):
    return ",".join(f"{v:.9g}" for v in values) + ","
