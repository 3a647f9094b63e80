"""digits_residual: a residual block with batch normalisation and both kinds of pooling, trained against an attack."""

import jax
import numpy as np

from . import data, layers, publish, queries, training
from .onnx_graph import Graph, Style
from .queries import Query

SEED = 5
EPOCHS = 60
ATTACK_RADIUS = 0.1
CHANNELS = 6
POINTS = 100  # of the test set, in images.npy
NORMS = ("bn1", "bn2", "bn3")


def build(folder):
    split = data.digits()
    trained = training.fit(
        _loss, _init(), (split.x_train, split.y_train), epochs=EPOCHS, batch=64, rate=3e-3, seed=SEED
    )
    # Mean and variance of the whole training set, layer by layer, in place of a running average.
    _, stats = _forward(trained, split.x_train)
    _export(folder / "model.onnx", trained, stats)
    np.save(folder / "images.npy", split.x_test[:POINTS])
    np.save(folder / "labels.npy", split.y_test[:POINTS])
    publish.save_pairs(folder, 0.0, 1.0, split.x_test, SEED)
    publish.save_properties(folder, _properties(split.x_test.reshape(-1, 64), split.y_test), 64, 10)
    return publish.accuracy(folder, split.x_test, split.y_test)


def _init():
    keys = jax.random.split(jax.random.key(SEED), 4)
    params = {
        f"conv{i}": layers.conv_init(keys[i - 1], 1 if i == 1 else CHANNELS, CHANNELS, bias=False) for i in (1, 2, 3)
    }
    params |= {name: layers.batch_norm_init(CHANNELS) for name in NORMS}
    return params | {"fc": layers.dense_init(keys[3], CHANNELS * 4, 10)}


def _forward(p, x):
    """Scores, and the statistics that the three normalisations took from the batch."""
    stats = {}
    x, stats["bn1"] = layers.batch_norm(p["bn1"], layers.conv(p["conv1"], x))
    x = layers.max_pool(jax.nn.relu(x))
    h, stats["bn2"] = layers.batch_norm(p["bn2"], layers.conv(p["conv2"], x))
    h, stats["bn3"] = layers.batch_norm(p["bn3"], layers.conv(p["conv3"], jax.nn.relu(h)))
    x = layers.average_pool(jax.nn.relu(x + h))
    return layers.dense(p["fc"], x.reshape(len(x), -1)), stats


def _loss(params, rows, key, _):
    x, y = rows
    attacked = training.pgd(lambda z: _forward(params, z)[0], x, y, key, ATTACK_RADIUS)
    return training.cross_entropy(_forward(params, attacked)[0], y) + 2e-4 * training.weight_decay(params)


def _export(path, params, stats):
    """A recent opset; the normalisations are nodes of their own, Reshape in place of Flatten."""
    g = Graph(Style(opset=18, ir=8, batch="N"))
    g.add("Conv", ["x", g.weight("conv1.weight", params["conv1"]["w"])], "c1", **_SQUARE)
    _norm(g, params, stats, "bn1", "c1", "n1")
    g.add("Relu", ["n1"], "r1")
    g.add("MaxPool", ["r1"], "p1", kernel_shape=[2, 2], strides=[2, 2])
    g.add("Conv", ["p1", g.weight("conv2.weight", params["conv2"]["w"])], "c2", **_SQUARE)
    _norm(g, params, stats, "bn2", "c2", "n2")
    g.add("Relu", ["n2"], "r2")
    g.add("Conv", ["r2", g.weight("conv3.weight", params["conv3"]["w"])], "c3", **_SQUARE)
    _norm(g, params, stats, "bn3", "c3", "n3")
    g.add("Add", ["n3", "p1"], "sum")
    g.add("Relu", ["sum"], "r3")
    g.add("AveragePool", ["r3"], "p2", kernel_shape=[2, 2], strides=[2, 2])
    g.add("Reshape", ["p2", g.weight("shape", np.array([-1, CHANNELS * 4]))], "flat")
    w, b = g.weight("fc.weight", np.asarray(params["fc"]["w"]).T), g.weight("fc.bias", params["fc"]["b"])
    g.add("Gemm", ["flat", w, b], "y", transB=1)
    g.save(path, "digits_residual", [1, 8, 8], [10], ("x", "y"))


_SQUARE = dict(kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])


def _norm(g, params, stats, name, source, target):
    p, (mean, variance) = params[name], stats[name]
    parts = {"weight": p["scale"], "bias": p["shift"], "running_mean": mean, "running_var": variance}
    weights = [g.weight(f"{name}.{part}", value) for part, value in parts.items()]
    g.add("BatchNormalization", [source, *weights], target, epsilon=layers.BATCH_NORM_EPSILON)


def _properties(x, y):
    made = [(0, "0.02"), (3, "0.03"), (1, "0.04"), (4, "0.01"), (10, "0.03"), (20, "0.04"), (8, "0.06"), (23, "0.05")]
    plain = [queries.robust(f"robust_{i}_r{r}", x[i], y[i], r) for i, r in made]
    near8 = queries.box_lines(queries.ball(x[8], "0.02", "0", "1"))
    lead = "Within radius 0.02 class 6 leads class 8 by more than half of the score of class 0, plus {}."
    ahead = "(assert (<= (+ (* 1.0 Y_6) (* -1.0 Y_8) (* -0.5 Y_0)) {}))"
    return plain + [
        queries.robust("robust_7_r0.015", x[7], y[7], "0.015", scientific=True),
        queries.robust("robust_14_r0.05", x[14], y[14], "0.05", zipped=True),
        _brighter("brighter_21", x[21], y[21], "0.05"),
        Query("lead_8_holds", lead.format("0"), near8 + [ahead.format("0.0")]),
        Query("lead_8_fails", lead.format("4.7"), near8 + [ahead.format("4.7")]),
    ]


def _brighter(name, point, label, amount):
    """Pixels may only grow."""
    box = [
        (lower, upper)
        for (lower, _), (_, upper) in zip(queries.ball(point, "0"), queries.ball(point, amount, "0", "1"))
    ]
    comment = f"Class {label} keeps the highest score when pixels grow by up to {amount}."
    return Query(name, comment, queries.box_lines(box) + queries.another_wins(label, 10))
