"""Decides every property of the models exactly and writes expected.csv, and expected_points.csv for digits_mlp.

    python oracle.py [MODEL ...]

Reads only the files of a model's folder. A verdict is refused, and nothing is written for that model, when the optimum
lies within decide.BORDER of the border or one program reaches its time limit.
"""

import csv
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnxruntime

from exact import decide, vnnlib_query
from exact.nnet_network import NnetNetwork
from exact.onnx_network import OnnxNetwork
from exact.vnnlib_query import Atom, Case

MODELS = ["digits_mlp", "digits_conv", "cancer_mlp", "controller", "digits_residual", "moons", "tram", "rounding"]
REAL = "rounding"  # its executions differ from real arithmetic: the encoding itself is what is run
POINTS_MODEL, POINTS, POINTS_RADIUS = "digits_mlp", 50, "0.08"
AGREEMENT = 1e-4  # largest difference between our evaluation and onnxruntime's, in float32


def main(names):
    for name in names or MODELS:
        folder = Path(__file__).parent / name
        write_expected(folder)
        if name == POINTS_MODEL:
            write_expected_points(folder)


def write_expected(folder):
    with open(folder / "instances.csv", newline="") as file:
        instances = [row[:2] for row in csv.reader(file)]
    loaded = {model: load(folder / model) for model in dict.fromkeys(model for model, _ in instances)}
    for network, run in loaded.values():
        if folder.name != REAL:
            compare(folder, network, run)
    rows = []
    for model, query in instances:
        began = time.time()
        answer = decide.decide(*loaded[model], vnnlib_query.read(folder / query))
        rows.append(f"{model},{query},{answer.verdict}\n")
        margin = "" if answer.margin is None else f" margin {answer.margin:.1e}"
        print(f"{folder.name} {model} {query} {answer.verdict}{margin} {time.time() - began:.1f} s", flush=True)
    (folder / "expected.csv").write_text("".join(rows))


def write_expected_points(folder):
    """Robustness of the first test points, the pixels clipped to [0, 1]."""
    network, run = load(folder / "model.onnx")
    images, labels = np.load(folder / "images.npy"), np.load(folder / "labels.npy")
    lines = ["index,label,radius,verdict"]
    for index, (x, label) in enumerate(zip(images[:POINTS].reshape(POINTS, -1), labels)):
        lines.append(f"{index},{label},{POINTS_RADIUS},{point_verdict(network, run, x, label)}")
        print(folder.name, lines[-1], flush=True)
    (folder / "expected_points.csv").write_text("\n".join(lines) + "\n")


def point_verdict(network, run, x, label):
    scores = run(x)
    if scores.argmax() != label:
        return "misclassified"
    radius = Fraction(POINTS_RADIUS)
    lower = [max(Fraction(float(v)) - radius, Fraction(0)) for v in x]
    upper = [min(Fraction(float(v)) + radius, Fraction(1)) for v in x]
    rivals = [j for j in range(len(scores)) if j != label]
    behind = {j: Atom(((f"Y_{label}", Fraction(1)), (f"Y_{j}", Fraction(-1))), Fraction(0)) for j in rivals}
    answer = decide.decide(network, run, [Case(lower, upper, [behind[j]]) for j in rivals])
    return {"unsat": "verified", "sat": "violated"}[answer.verdict]


def load(path):
    """The network for the encoding, and a function that runs one float32 input for real."""
    if path.suffix == ".nnet":
        network = NnetNetwork(path)
        return network, lambda x: network.run(x[None].astype(float))[0]
    network = OnnxNetwork(path)
    if path.parent.name == REAL:
        return network, lambda x: decide.evaluate(network, x)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return network, lambda x: session.run(None, {network.input_name: x.reshape(1, *network.shape)})[0][0]


def compare(folder, network, run):
    """The encoding at a point agrees with the recorded outputs, and so does `run`."""
    pairs = np.load(folder / "io.npz")
    for x, y in zip(pairs["input"].reshape(len(pairs["input"]), -1), pairs["output"]):
        for again in (decide.evaluate(network, x), run(x)):
            difference = np.abs(again - y).max()
            assert difference < AGREEMENT, f"{folder.name}: outputs differ by {difference:.1e}"


if __name__ == "__main__":
    main(sys.argv[1:])
