"""Files that every model folder has: recorded pairs, properties, the list of instances."""

import numpy as np
import onnxruntime

from . import queries

RANDOM_PAIRS = 15
POINT_PAIRS = 5
TIMEOUT = 60  # seconds, the limit written into instances.csv


def run_model(path, inputs):
    """Outputs of onnxruntime for rows of `inputs`, one at a time, so that a fixed batch of 1 will do."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: row[None].astype(np.float32)})[0] for row in inputs])


def save_pairs(folder, low, high, points, seed):
    """io.npz: random inputs in the data range [low, high] and the first few data points, with their outputs."""
    random = np.random.default_rng(seed)
    shape = (RANDOM_PAIRS, *points.shape[1:])
    inputs = np.concatenate([random.uniform(low, high, shape), points[:POINT_PAIRS]]).astype(np.float32)
    np.savez(folder / "io.npz", input=inputs, output=run_model(folder / "model.onnx", inputs))


def save_properties(folder, made, inputs, outputs, models=("model.onnx",)):
    """properties/ and instances.csv, in the order given."""
    target = folder / "properties"
    target.mkdir(exist_ok=True)
    for old in target.glob("*.vnnlib*"):
        old.unlink()
    for query in made:
        queries.save(query, target, inputs, outputs)
    rows = [f"{model},properties/{query.file},{TIMEOUT}\n" for model in models for query in made]
    (folder / "instances.csv").write_text("".join(rows))


def accuracy(folder, inputs, labels):
    return float((run_model(folder / "model.onnx", inputs).argmax(1) == labels).mean())
