"""Looks for executions in binary32 that leave the bounds which a prover claims for every execution.

    orders.py --prover COMMAND [--networks N] [--seed S] [--executions E] [--points P] [--runtime K] [--keep FOLDER]
    orders.py --show MODEL POINTS.npy|.csv

Random small networks with a box of inputs (executions/networks.py) are written into a folder as NAME.onnx and NAME.json, and
COMMAND FOLDER must print one line or more for each: {"name": ..., "method": ..., "lower": [...], "upper": [...]}, an end null where
nothing is claimed of it, both lists null where it refuses. examples/output_bounds.rs is such a command.
`interval` and `wrong` name two provers of executions/provers.py, the second of which must be caught.
Each network is then executed at points of its box in E ways that are drawn, and every K-th one by onnxruntime as well.
A result outside the bounds, infinite or not a number is printed with all that is needed to see it again; the exit
status is then 1. --show prints the classes that a model gives in each order, by numpy and by onnxruntime.
"""

import argparse
import json
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from executions import graph as graphs
from executions import networks, provers
from executions.arithmetic import FLOAT
from executions.execute import LEVELS, Execution, drawn, numpy_products, run, runtime
from executions.sums import ORDERS, Way

PART = 250  # networks that are written and proved at a time
SHOWN = 20  # failures that are printed in full


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--prover")
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--executions", type=int, default=10)
    parser.add_argument("--points", type=int, default=24)
    parser.add_argument("--runtime", type=int, default=10, help="run every K-th network by onnxruntime; 0: none")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", type=Path, help="keep the networks in this folder")
    parser.add_argument("--show", nargs=2, metavar=("MODEL", "POINTS"))
    arguments = parser.parse_args()
    if arguments.show:
        return show(*arguments.show)
    if not arguments.prover:
        parser.error("--prover is needed")
    return check(arguments)


def check(arguments):
    start, failures, counts = time.monotonic(), [], {"networks": 0, "refused": 0, "values": 0}
    parts = [(arguments, first) for first in range(0, arguments.networks, PART)]
    with multiprocessing.Pool(arguments.jobs) as pool:
        for part_counts, part_failures in pool.imap_unordered(check_part, parts):
            failures += part_failures
            counts = {key: counts[key] + part_counts[key] for key in counts}
    print(*failures[:SHOWN], sep="\n", end="\n" if failures else "")
    told = ", ".join(f"{count} {key}" for key, count in counts.items())
    print(f"{told}, {len(failures)} networks leave their bounds; {time.monotonic() - start:.0f} s")
    return 1 if failures or counts["networks"] == counts["refused"] else 0


def check_part(job):
    """Counts and failures of the networks first, first + 1, ... of one part."""
    arguments, first = job
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(arguments.keep or temporary) / f"{first:07}"
        folder.mkdir(parents=True, exist_ok=True)
        numbers = range(first, min(first + PART, arguments.networks))
        for number in numbers:
            networks.write(folder, f"n{number:07}", networks.draw(np.random.default_rng([arguments.seed, number])))
        claims = {}
        for claim in provers.named(arguments.prover)(folder):
            claims.setdefault(claim["name"], []).append(claim)
        counts, failures = {"networks": len(numbers), "refused": 0, "values": 0}, []
        for number in numbers:
            path = folder / f"n{number:07}.onnx"
            if path.stem not in claims:
                failures.append(f"{path.stem}: the prover says nothing")
                continue
            made = [claim for claim in claims[path.stem] if says_something(claim)]
            counts["refused"] += not made
            if made:
                values, failure = check_network(arguments, path, made)
                counts["values"] += values
                failures += failure
    return counts, failures


def says_something(claim):
    return claim["lower"] is not None and any(end is not None for end in claim["lower"] + claim["upper"])


def check_network(arguments, path, claims):
    """How many values were compared, and the first failure, if any."""
    number = int(path.stem[1:])
    random = np.random.default_rng([arguments.seed, number, 1])
    graph, ends = graphs.read(path), json.loads(path.with_suffix(".json").read_text())
    claims = [(claim.get("method", ""), claimed(claim["lower"], -np.inf), claimed(claim["upper"], np.inf)) for claim in claims]
    points = sample(random, *(np.array(ends[end], FLOAT) for end in ("lower", "upper")), arguments.points)
    compared = 0
    for name, outputs in outcomes(arguments, random, path, graph, points):
        compared += outputs.size
        wide = outputs.astype(np.float64)
        for method, lower, upper in claims:
            nothing = np.isinf(lower) & np.isinf(upper)
            bad = ~((wide >= lower) & (wide <= upper) | nothing)
            if bad.any():
                what = f"{method}, {name}" if method else name
                return compared, [tell(path, what, (points, wide), (lower, upper), np.argwhere(bad)[0], int(bad.sum()))]
    return compared, []


def claimed(ends, otherwise):
    return np.array([otherwise if end is None else end for end in ends], np.float64)


def outcomes(arguments, random, path, graph, points):
    """(name of the execution, outputs)"""
    for _ in range(arguments.executions):
        execution = drawn(random)
        yield str(execution), run(graph, points, execution)
    if arguments.runtime and int(path.stem[1:]) % arguments.runtime == 0:
        for setting in (("off", 1, True), ("basic", 2, False), ("all", 1, True), ("all", 2, False)):
            yield f"onnxruntime {setting}", runtime(str(path), graph, points, setting)


def sample(random, lower, upper, count):
    """Points of the box: its ends, corners, neighbours of corners, and anything between."""
    shares = random.random((count, lower.size))
    shares[: count // 2] = random.integers(0, 2, (count // 2, lower.size))
    shares[:3] = np.array([0.0, 1.0, 0.5])[: len(shares[:3]), None]
    x = (lower.astype(np.float64) + shares * (upper.astype(np.float64) - lower)).astype(FLOAT)
    moved = slice(count // 4, count // 2)
    x[moved] = np.nextafter(x[moved], random.choice(np.array([-np.inf, np.inf], FLOAT), x[moved].shape))
    return np.clip(x, lower, upper)


def tell(path, name, values, bounds, place, count):
    (points, outputs), (row, output) = values, place
    found, low, high = outputs[row, output], bounds[0][output], bounds[1][output]
    point = " ".join(float(v).hex() for v in points[row])
    head = f"{path.stem}: output {output} is {float(found)!r}, outside [{float(low)!r}, {float(high)!r}] ({count} such)"
    return f"{head}\n  {name}\n  at {point}"


def show(model, points):
    graph = graphs.read(model)
    rows = read_points(points, graph)
    doubles = run_in_double(graph, rows)
    print(f"{'binary64':<40}", classes(doubles))
    for order in ORDERS:
        for is_fused in (False, True):
            name = Way(order, is_fused)
            print(f"{str(name):<40}", classes(run(graph, rows, Execution(name))))
    for rewrites in ((graphs.folded,), (graphs.folded, graphs.merged)):
        name = ", ".join(f.__name__ for f in rewrites)
        print(f"{name:<40}", classes(run(graph, rows, Execution(rewrites=rewrites))))
    products = numpy_products(graph, rows)
    if products is not None:
        print(f"{'numpy, one point at a time':<40}", classes(products))
    for level in LEVELS:
        for together in (False, True):
            name = f"onnxruntime, {level}, {'all points' if together else 'one point'} at a time"
            print(f"{name:<40}", classes(runtime(model, graph, rows, (level, 1, together))))
    return 0


def read_points(path, graph):
    """Of a .npy, or of a .csv with a header, whose last columns are not inputs."""
    if path.endswith(".npy"):
        return np.load(path).astype(FLOAT)
    return np.loadtxt(path, delimiter=",", skiprows=1)[:, : graph.shape[0]].astype(FLOAT)


def run_in_double(graph, rows):
    """The middle of the interval bounds at each point, which are some units of binary64 wide."""
    bounds = [provers.Intervals(graph, 0.0).bounds(row, row) for row in rows.reshape(len(rows), -1)]
    return np.array([(low[0] + high[0]) / 2 for low, high in bounds])


def classes(outputs):
    return " ".join(map(str, outputs.argmax(1)))


if __name__ == "__main__":
    sys.exit(main())
