"""controller: scores five commands of a car that keeps its distance to the car ahead; fits a formula, given below.

Inputs, in the units of the road: gap g [m] in [0, 120], own speed v [m/s] in [0, 40], closing speed c [m/s] in
[-15, 15] (positive when the gap shrinks). Command k is an acceleration a_k; kept for T = 2 s it leads to
    gap            g - c T - a_k T^2 / 2
    wanted gap     5 + 1.5 max(0, v + a_k T)
    closing speed  c + a_k T
and its score is minus the cost
    |gap - wanted gap| / 20 + |closing speed| / 20 + |a_k| / 20.
The command with the highest score is given.
"""

import jax
import numpy as np

from . import layers, nnet_file, publish, queries, training
from .onnx_graph import Graph, Style
from .queries import Query

COMMANDS = np.array([-6.0, -3.0, -1.0, 0.0, 1.5])  # m/s^2: brake hard, brake, ease off, hold, speed up
HORIZON = 2.0
LOWER, UPPER = np.array([0.0, 0.0, -15.0]), np.array([120.0, 40.0, 15.0])
FEATURES = ["gap", "speed", "closing"]
SIZES = [3, 32, 32, 5]
SEED = 4
EPOCHS = 60
STATES = 20000  # drawn uniformly for training
POINTS = 200  # in data.csv


def scores(states):
    g, v, c = (states[:, i : i + 1] for i in range(3))
    gap = g - c * HORIZON - COMMANDS * HORIZON**2 / 2
    wanted = 5 + 1.5 * np.maximum(0, v + COMMANDS * HORIZON)
    return -(np.abs(gap - wanted) + np.abs(c + COMMANDS * HORIZON) + np.abs(COMMANDS)) / 20


def build(folder):
    random = np.random.default_rng(SEED)
    states = random.uniform(LOWER, UPPER, (STATES, 3))
    network = _in_road_units(_train(_scaled(states), scores(states).astype(np.float32)))
    _export(folder / "model.onnx", network)
    nnet_file.write(folder / "model.nnet", "controller: scores of five commands; see README.md", network, LOWER, UPPER)
    points = np.round(random.uniform(LOWER, UPPER, (POINTS, 3)), 1)
    labels = scores(points).argmax(1)
    _save_csv(folder / "data.csv", points, labels)
    shaped = points.reshape(-1, 1, 1, 3)
    publish.save_pairs(folder, LOWER, UPPER, shaped, SEED)
    _compare(folder)
    publish.save_properties(folder, _properties(), 3, 5, ("model.onnx", "model.nnet"))
    return publish.accuracy(folder, shaped, labels)


def _scaled(states):
    """To [-1, 1], for training only."""
    return ((states - (LOWER + UPPER) / 2) / ((UPPER - LOWER) / 2)).astype(np.float32)


def _train(x, y):
    keys = jax.random.split(jax.random.key(SEED), len(SIZES) - 1)
    params = [layers.dense_init(key, *pair) for key, pair in zip(keys, zip(SIZES, SIZES[1:]))]
    return training.fit(_loss, params, (x, y), epochs=EPOCHS, batch=200, rate=3e-3, seed=SEED)


def _loss(params, rows, *_):
    x, y = rows
    return ((_forward(params, x) - y) ** 2).mean()


def _forward(params, x):
    for p in params[:-1]:
        x = jax.nn.relu(layers.dense(p, x))
    return layers.dense(params[-1], x)


def _in_road_units(params):
    """The scaling folded into the first layer; float32 weights."""
    network = [(np.asarray(p["w"], float), np.asarray(p["b"], float)) for p in params]
    w, b = network[0]
    centre, reach = (LOWER + UPPER) / 2, (UPPER - LOWER) / 2
    network[0] = (w / reach[:, None], b - (centre / reach) @ w)
    return [(w.astype(np.float32), b.astype(np.float32)) for w, b in network]


def _save_csv(path, points, labels):
    lines = [",".join([*FEATURES, "label"])]
    lines += [",".join([*(repr(float(v)) for v in row), str(y)]) for row, y in zip(points, labels)]
    path.write_text("\n".join(lines) + "\n")


def _export(path, network):
    """In the shape of the ACAS Xu files: input [1, 1, 1, 3] and Flatten; weights as float_data."""
    g = Graph(Style(opset=9, ir=4, weights="typed", batch=1))
    value = g.add("Flatten", ["state"], "flat", axis=1)
    for i, (w, b) in enumerate(network):
        last = i == len(network) - 1
        weights = [g.weight(f"W{i}", w), g.weight(f"B{i}", b)]
        value = g.add("Gemm", [value, *weights], "scores" if last else f"Z{i}", alpha=1.0, beta=1.0)
        value = value if last else g.add("Relu", [value], f"H{i}")
    g.save(path, "controller", [1, 1, 3], [5], ("state", "scores"))


def _compare(folder):
    """The .nnet file computes what the ONNX file computes."""
    pairs = np.load(folder / "io.npz")
    again = nnet_file.evaluate(folder / "model.nnet", pairs["input"].reshape(-1, 3).astype(float))
    np.testing.assert_allclose(again, pairs["output"], rtol=0, atol=1e-5)


def _properties():
    return _commands() + _scores() + _constrained()


def _region(gap, speed, closing):
    return queries.box_lines([gap, speed, closing])


def _never(k):
    """Command k has the highest score: a conjunction."""
    return [f"(assert (>= Y_{k} Y_{j}))" for j in range(5) if j != k]


CLOSE = (("5", "15"), ("15", "30"), ("8", "15"))
FREE = (("90", "120"), ("0", "15"), ("-15", "0"))


def _commands():
    cruise, wide = (("34", "36"), ("19", "20"), ("-0.5", "0.5")), (("30", "40"), ("18", "22"), ("-1", "1"))
    town = queries.box_lines([("9", "12"), ("5", "6.5"), ("0.0125", "1.5")], scientific=True)
    return [
        Query("close_brakes_hard", "Close and closing fast: brake hard.", _region(*CLOSE) + queries.another_wins(0, 5)),
        Query(
            "close_never_speeds_up",
            "Close and closing fast: speeding up is never best.",
            _region(*CLOSE) + _never(4),
            True,
        ),
        Query("free_speeds_up", "A free road: speed up.", _region(*FREE) + queries.another_wins(4, 5)),
        Query("cruise_holds", "At the wanted gap: hold.", _region(*cruise) + queries.another_wins(3, 5)),
        Query("cruise_holds_wide", "Around the wanted gap: hold.", _region(*wide) + queries.another_wins(3, 5)),
        Query("town_holds", "Slow traffic: hold.", town + queries.another_wins(3, 5)),
        Query(
            "middle_never_brakes_hard",
            "At a middling gap braking hard is never best.",
            _region(("20", "60"), ("10", "30"), ("0", "10")) + _never(0),
        ),
    ]


def _scores():
    domain = _region(("0", "120"), ("0", "40"), ("-15", "15"))
    middle = _region(("40", "60"), ("10", "20"), ("-5", "5"))
    twice = "(+ (* 2.0 Y_0) (* -1.0 Y_1))"
    return [
        Query("score_range", "Score 0 stays in (-9.6, 0).", domain + ["(assert (or (<= Y_0 -9.6) (>= Y_0 0.0)))"]),
        Query("score_peak", "Score 4 stays below -0.1.", domain + ["(assert (>= Y_4 -1.0e-1))"]),
        Query("twice_holds", "2 Y_0 - Y_1 stays below -3.", middle + [f"(assert (>= {twice} -3.0))"]),
        Query("twice_fails", "2 Y_0 - Y_1 stays below -3.2.", middle + [f"(assert (<= (- {twice}) 3.2))"]),
    ]


def _constrained():
    domain = _region(("0", "120"), ("0", "40"), ("-15", "15"))
    road = _region(("0", "120"), ("10", "40"), ("3", "15"))
    far = _region(("80", "120"), ("0", "15"), ("-5", "5"))
    boxes = [
        queries.box_conjunction([("5", "12"), ("20", "30"), ("10", "15")]),
        queries.box_conjunction([("0", "8"), ("10", "15"), ("9", "12")]),
    ]
    return [
        Query("two_boxes", "Brake hard in two regions.", queries.any_of(boxes) + queries.another_wins(0, 5)),
        Query(
            "tailgating",
            "Closing in, the gap at most 1.5 s times the speed, less 15 m: speeding up is never best.",
            road + ["(assert (<= (+ X_0 (* -1.5 X_1)) -15.0))"] + _never(4),
        ),
        Query(
            "falls_with_gap",
            "Far away, the score of braking hard is below -0.03 times the gap.",
            far + ["(assert (>= (+ Y_0 (* 0.03 X_0)) 0.0))"],
        ),
        Query(
            "order_of_extremes",
            "Braking hard and speeding up are never within 0.05 of each other while both beat holding.",
            domain
            + ["(assert (<= (- Y_0 Y_4) 0.05))", "(assert (<= (- Y_4 Y_0) 0.05))"]
            + ["(assert (and (>= Y_0 Y_3) (>= Y_4 Y_3)))"],
        ),
    ]
