"""moons: three classes in the plane, one crescent each, the tip of each in the hollow of the next.

The square is [-1, 1] x [-1, 1], without units. A point of class k in {0, 1, 2} is
    R(k) (0.3 + 0.5 cos t, 0.5 sin t) + e,
t uniform in [0, pi], R(k) the rotation by 120 k degrees about the origin, e normal with standard deviation 0.09 in
each coordinate; what falls outside the square is moved to its edge. Coordinates are rounded to three decimals.
"""

from decimal import Decimal

import jax
import numpy as np

from . import layers, publish, queries, training
from .onnx_graph import Graph, Style
from .queries import Query

CLASSES = 3
CENTRE, BEND = 0.3, 0.5  # of the arc of class 0: the abscissa of its centre, and its radius
NOISE = 0.09
DIGITS = 3  # decimals of the coordinates
SIZES = [2, 24, 24, CLASSES]
SEED = 6
EPOCHS = 80
TRAIN_POINTS = 3000
POINTS = 400  # in data.csv
SQUARE = [("-1", "1")] * 2


def build(folder):
    random = np.random.default_rng(SEED)
    params = _train(*_draw(random, TRAIN_POINTS))
    _export(folder / "model.onnx", params)
    points, labels = _draw(random, POINTS)
    _save_csv(folder / "data.csv", points, labels)
    publish.save_pairs(folder, -1.0, 1.0, points, SEED)
    publish.save_properties(folder, _properties(points, labels), 2, CLASSES)
    return publish.accuracy(folder, points, labels)


def _draw(random, count):
    """Points, and their classes in turn shuffled: as many of each as possible."""
    labels = random.permutation(np.arange(count) % CLASSES)
    t = random.uniform(0, np.pi, count)
    arc = CENTRE + BEND * np.cos(t) + 1j * BEND * np.sin(t)
    turned = arc * np.exp(2j * np.pi * labels / CLASSES)
    points = np.stack([turned.real, turned.imag], 1) + random.normal(0, NOISE, (count, 2))
    return np.round(np.clip(points, -1, 1), DIGITS), labels


def _train(x, y):
    keys = jax.random.split(jax.random.key(SEED), len(SIZES) - 1)
    params = [layers.dense_init(key, *pair) for key, pair in zip(keys, zip(SIZES, SIZES[1:]))]
    return training.fit(_loss, params, (x.astype(np.float32), y), epochs=EPOCHS, batch=100, rate=5e-3, seed=SEED)


def _loss(params, rows, *_):
    x, y = rows
    return training.cross_entropy(_forward(params, x), y) + 1e-3 * training.weight_decay(params)


def _forward(params, x):
    for p in params[:-1]:
        x = jax.nn.relu(layers.dense(p, x))
    return layers.dense(params[-1], x)


def _save_csv(path, points, labels):
    lines = ["x,y,label"]
    lines += [",".join([*(repr(float(v)) for v in row), str(y)]) for row, y in zip(points, labels)]
    path.write_text("\n".join(lines) + "\n")


def _export(path, params):
    """As an exporter that folds nothing: weights turned by Transpose nodes, MatMul, and Add with the bias first."""
    g = Graph(Style(opset=21, ir=10, batch="s0"))
    value = "point"
    for i, p in enumerate(params):
        last = i == len(params) - 1
        turned = g.add("Transpose", [g.weight(f"layers.{i}.weight", np.asarray(p["w"]).T)], f"t{i}", perm=[1, 0])
        product = g.add("MatMul", [value, turned], f"mm{i}")
        value = g.add("Add", [g.weight(f"layers.{i}.bias", p["b"]), product], "scores" if last else f"add{i}")
        value = value if last else g.add("Relu", [value], f"relu{i}")
    g.save(path, "moons", [2], [CLASSES], ("point", "scores"))


def _properties(points, labels):
    return _robustness(points, labels) + _winners() + _scores() + _constrained()


def _robustness(points, labels):
    centres = [[Decimal(f"{v:.{DIGITS}f}") for v in row] for row in points]

    def around(i, radius, **style):
        return queries.robust(f"robust_{i}_r{radius}", centres[i], labels[i], radius, CLASSES, *SQUARE[0], **style)

    made = [(0, "0.1"), (1, "0.2"), (3, "0.05"), (3, "0.1"), (10, "0.05"), (29, "0.25")]
    return [around(i, r) for i, r in made] + [around(36, "0.2", scientific=True), around(38, "0.15", zipped=True)]


def _winners():
    """Over the whole square, and over boxes in it."""
    square = [
        Query(f"square_{k}_wins", f"Class {k} wins on the square.", queries.box_lines(SQUARE) + _another_wins(k))
        for k in range(CLASSES)
    ]
    right, left = queries.box_lines([("0.5", "1"), ("0.3", "1")]), queries.box_lines([("-1", "-0.5"), ("-0.2", "0.6")])
    below = [("-0.4", "0.4"), ("-1", "-0.7")], [("0.4", "1"), ("-1", "-0.2")]
    boxes = [queries.box_conjunction(box) for box in below]
    return square + [
        Query("right_0_wins", "Class 0 wins on the upper right.", right + _another_wins(0)),
        Query("left_never_2", "Class 2 is never ahead on the left.", left + _never(2)),
        Query("below_2_wins", "Class 2 wins in two boxes.", queries.any_of(boxes) + _another_wins(2)),
    ]


def _another_wins(k):
    return queries.another_wins(k, CLASSES)


def _never(k):
    """Class k has the highest score: a conjunction."""
    return [f"(assert (>= Y_{k} Y_{j}))" for j in range(CLASSES) if j != k]


def _scores():
    square = queries.box_lines(SQUARE)
    total = "The three scores have a sum below {}."
    return [
        Query("score_range", "Score 2 stays in (-8.5, 9.1).", square + ["(assert (or (<= Y_2 -8.5) (>= Y_2 9.1)))"]),
        Query("sum_holds", total.format(1), square + ["(assert (>= (+ Y_0 Y_1 Y_2) 1.0))"]),
        Query("sum_fails", total.format("0.9"), square + ["(assert (<= (- (- Y_0) (+ Y_1 Y_2)) -0.9))"]),
        Query(
            "never_level",
            "The three scores are never all within 0.02 of each other.",
            square + [f"(assert (<= (- Y_{i} Y_{j}) 0.02))" for i in range(CLASSES) for j in range(CLASSES) if i != j],
        ),
    ]


def _constrained():
    square, above = queries.box_lines(SQUARE), "(assert (>= (+ X_1 (* -1.0 X_0)) {}))"
    corner = "Class 1 wins where y - x is at least {}."
    return [
        Query("corner_1_holds", corner.format("1.2"), square + [above.format("1.2")] + _another_wins(1)),
        Query("corner_1_fails", corner.format(1), square + [above.format("1.0")] + _another_wins(1)),
    ]
