"""Compares bartizan's reading of ONNX files with onnxruntime: the same outputs at random inputs.

    python compare_onnxruntime.py EVALUATE MODEL.onnx[.gz] ...

EVALUATE is the example binary `evaluate` of the crate bartizan-read. Random inputs are seeded by the model's name.
Prints a line for each model that differs or is refused, then a summary; exits with 1 if there is any.
"""

import gzip
import math
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import onnxruntime

POINTS = 20
# onnxruntime adds in binary32, in an order of its own; bartizan's example in binary64.
TOLERANCE = 1e-4


class Refused(Exception):
    """The model was not read; the text is bartizan's message."""


def main(evaluate, paths):
    agreeing, problems = 0, []
    for path in paths:
        content = Path(path).read_bytes()
        model = gzip.decompress(content) if path.endswith(".gz") else content
        try:
            difference = largest_difference(evaluate, model, zlib.crc32(Path(path).name.encode()))
        except Refused as refusal:
            problems.append(f"{path}: refused: {refusal}")
            continue
        if difference <= TOLERANCE:
            agreeing += 1
        else:
            problems.append(f"{path}: differs by {difference:.2e}")
    print(*problems, sep="\n", end="\n" if problems else "")
    print(f"{agreeing} models agree, {len(problems)} do not")
    return 1 if problems else 0


def largest_difference(evaluate, model, seed, reference=None):
    """The largest relative difference from onnxruntime over `POINTS` random inputs of a model given as bytes.

    onnxruntime runs `reference` where that is given, an equivalent form of the model."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(reference or model, options, providers=["CPUExecutionProvider"])
    description = session.get_inputs()[0]
    shape = [n if isinstance(n, int) and n > 0 else 1 for n in description.shape]
    element = np.float64 if "double" in description.type else np.float32
    generator = np.random.default_rng(seed)
    points = generator.normal(scale=generator.choice([0.3, 1.0, 3.0], (POINTS, 1)), size=(POINTS, math.prod(shape)))
    points = points.astype(element)
    expected = [session.run(None, {description.name: x.reshape(shape)})[0].ravel() for x in points]
    return relative(np.array(expected, dtype=np.float64), outputs(evaluate, model, points))


def outputs(evaluate, model, points):
    """bartizan's outputs at rows of points."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in ("model.onnx", "inputs", "outputs")]
        files[0].write_bytes(model)
        files[1].write_bytes(points.astype("<f8").tobytes())
        run = subprocess.run([evaluate, *files], capture_output=True, text=True)
        if run.returncode != 0:
            raise Refused(run.stderr.replace(str(files[0]) + ": ", "").strip())
        return np.frombuffer(files[2].read_bytes(), dtype="<f8").reshape(len(points), -1)


def relative(expected, found):
    """The largest difference, relative to the largest value of its point; infinite where shapes differ."""
    if expected.shape != found.shape:
        return math.inf
    scale = np.maximum(1.0, np.abs(expected).max(axis=1, keepdims=True))
    difference = np.abs(expected - found) / scale
    return math.inf if np.isnan(difference).any() else float(difference.max())


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
