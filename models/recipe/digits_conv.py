"""digits_conv: two convolutions and two dense layers, trained against a projected gradient attack."""

import jax
import numpy as np

from . import data, layers, publish, queries, training
from .onnx_graph import Graph, Style
from .queries import Query

SEED = 2
EPOCHS = 60
ATTACK_RADIUS = 0.1
POINTS = 200  # of the test set, in data.npz
PADS_STRIDED = (0, 0, 1, 1)  # what "same" padding gives for kernel 3, stride 2 on an even size


def build(folder):
    split = data.digits()
    trained = training.fit(
        _loss, _init(), (split.x_train, split.y_train), epochs=EPOCHS, batch=64, rate=3e-3, seed=SEED
    )
    _export(folder / "model.onnx", trained)
    np.savez_compressed(folder / "data.npz", x=split.x_test[:POINTS], y=split.y_test[:POINTS])
    publish.save_pairs(folder, 0.0, 1.0, split.x_test, SEED)
    publish.save_properties(folder, _properties(split.x_test.reshape(-1, 64), split.y_test), 64, 10)
    return publish.accuracy(folder, split.x_test, split.y_test)


def _init():
    keys = jax.random.split(jax.random.key(SEED), 4)
    return {
        "conv1": layers.conv_init(keys[0], 1, 4),
        "conv2": layers.conv_init(keys[1], 4, 8),
        "fc1": layers.dense_init(keys[2], 128, 24),
        "fc2": layers.dense_init(keys[3], 24, 10),
    }


def _forward(p, x):
    x = jax.nn.relu(layers.conv(p["conv1"], x))
    x = jax.nn.relu(layers.conv(p["conv2"], x, 2, PADS_STRIDED))
    x = jax.nn.relu(layers.dense(p["fc1"], x.reshape(len(x), -1)))
    return layers.dense(p["fc2"], x)


def _loss(params, rows, key, _):
    x, y = rows
    attacked = training.pgd(lambda z: _forward(params, z), x, y, key, ATTACK_RADIUS)
    return training.cross_entropy(_forward(params, attacked), y) + 2e-4 * training.weight_decay(params)


def _export(path, params):
    """As exporters did before IR 4: opset 8, weights listed among the graph's inputs, a batch of 1."""
    g = Graph(Style(opset=8, ir=3, weights_are_inputs=True, batch=1))
    names = {layer: [g.weight(f"{layer}/{part}", p[part]) for part in ("w", "b")] for layer, p in params.items()}
    square = dict(kernel_shape=[3, 3], dilations=[1, 1], group=1)
    g.add("Conv", ["image", *names["conv1"]], "conv1", strides=[1, 1], pads=[1, 1, 1, 1], **square)
    g.add("Relu", ["conv1"], "relu1")
    g.add("Conv", ["relu1", *names["conv2"]], "conv2", strides=[2, 2], pads=list(PADS_STRIDED), **square)
    g.add("Relu", ["conv2"], "relu2")
    g.add("Flatten", ["relu2"], "flat")
    g.add("Gemm", ["flat", *names["fc1"]], "fc1")
    g.add("Relu", ["fc1"], "relu3")
    g.add("Gemm", ["relu3", *names["fc2"]], "scores")
    g.save(path, "digits_conv", [1, 8, 8], [10], ("image", "scores"))


def _properties(x, y):
    made = [(0, "0.05"), (3, "0.1"), (0, "0.1"), (2, "0.04"), (5, "0.08"), (15, "0.15"), (22, "0.1"), (9, "0.15")]
    plain = [queries.robust(f"robust_{i}_r{r}", x[i], y[i], r) for i, r in made]
    return plain + [
        queries.robust("robust_10_r0.02", x[10], y[10], "0.02", scientific=True),
        queries.robust("robust_13_r0.08", x[13], y[13], "0.08", zipped=True),
        *_outputs(x),
    ]


def _outputs(x):
    near3 = queries.box_lines(queries.ball(x[3], "0.05", "0", "1"))
    near17 = queries.box_lines(queries.ball(x[17], "0.1", "0", "1"))
    near11 = queries.box_lines(queries.ball(x[11], "0.01", "0", "1"))
    return [
        Query(
            "range_3", "The score of class 2 stays in (6.8, 11).", near3 + ["(assert (or (<= Y_2 6.8) (>= Y_2 11.0)))"]
        ),
        Query(
            "either_17",
            "Neither class 1 nor class 8 reaches class 3 within radius 0.1.",
            near17 + ["(assert (or (>= Y_1 Y_3) (>= Y_8 Y_3)))"],
        ),
        Query(
            "ranking_11",
            "Within radius 0.01 class 9 is not overtaken by 8 and 5 together, nor by 4.",
            near11 + queries.any_of(["(and (>= Y_8 Y_9) (>= Y_5 Y_9))", "(and (>= Y_4 Y_9))"]),
        ),
    ]
