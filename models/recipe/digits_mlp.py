"""digits_mlp: 64-50-50-10, trained with interval bounds in the loss so that plain bound propagation proves much."""

import jax
import jax.numpy as jnp
import numpy as np

from . import data, layers, publish, queries, training
from .onnx_graph import Graph, Style
from .queries import Query

SIZES = [64, 50, 50, 10]
SEED = 1
EPOCHS = 120
TRAIN_RADIUS = 0.08  # L-infinity radius of the interval loss at the end of the ramp
TRAIN_SHARE = 0.5  # its share of the loss at the end of the ramp
RAMP = 0.5  # share of the training over which both grow from zero


def build(folder):
    split = data.digits()
    trained = _train(split.x_train.reshape(-1, 64), split.y_train)
    _export(folder / "model.onnx", trained)
    np.save(folder / "images.npy", split.x_test)
    np.save(folder / "labels.npy", split.y_test)
    publish.save_pairs(folder, 0.0, 1.0, split.x_test, SEED)
    publish.save_properties(folder, _properties(split.x_test.reshape(-1, 64), split.y_test), 64, 10)
    return publish.accuracy(folder, split.x_test, split.y_test)


def _train(x, y):
    keys = jax.random.split(jax.random.key(SEED), len(SIZES) - 1)
    params = [layers.dense_init(key, *pair) for key, pair in zip(keys, zip(SIZES, SIZES[1:]))]
    return training.fit(_loss, params, (x, y), epochs=EPOCHS, batch=64, rate=2e-3, seed=SEED)


def _loss(params, rows, _, progress):
    x, y = rows
    ramp = jnp.minimum(progress / RAMP, 1.0)
    worst = training.worst_case_logits(params, x, y, TRAIN_RADIUS * ramp)
    share = TRAIN_SHARE * ramp
    plain = training.cross_entropy(_forward(params, x), y)
    return (1 - share) * plain + share * training.cross_entropy(worst, y)


def _forward(params, x):
    for p in params[:-1]:
        x = jax.nn.relu(layers.dense(p, x))
    return layers.dense(params[-1], x)


def _export(path, params):
    """As PyTorch does: Flatten, Gemm with transposed weights, a symbolic batch."""
    g = Graph(Style(opset=13, ir=7))
    value = g.add("Flatten", ["input"], "flat", axis=1)
    for i, p in enumerate(params, 1):
        w, b = g.weight(f"fc{i}.weight", np.asarray(p["w"]).T), g.weight(f"fc{i}.bias", p["b"])
        last = i == len(params)
        value = g.add("Gemm", [value, w, b], "output" if last else f"fc{i}", alpha=1.0, beta=1.0, transB=1)
        value = value if last else g.add("Relu", [value], f"relu{i}")
    g.save(path, "digits_mlp", [1, 8, 8], [10])


def _properties(x, y):
    return _robustness(x, y) + _output_bounds(x) + _regions(x, y)


def _robustness(x, y):
    made = [(0, "0.03"), (3, "0.05"), (6, "0.08"), (4, "0.08"), (19, "0.1")]
    plain = [queries.robust(f"robust_{i}_r{r}", x[i], y[i], r) for i, r in made]
    return plain + [
        queries.robust("robust_8_r0.15", x[8], y[8], "0.15", scientific=True),
        queries.robust("robust_15_r0.1", x[15], y[15], "0.1", zipped=True),
    ]


def _output_bounds(x):
    floor = "The score of class 2 stays above {} within radius 0.05."
    near3, near20 = (queries.box_lines(queries.ball(x[i], r, "0", "1")) for i, r in ((3, "0.05"), (20, "0.1")))
    near10 = queries.box_lines(queries.ball(x[10], "0.06", "0", "1"))
    twice = "Twice the score of class 8, less that of class 2, stays below {} within radius 0.1."
    return [
        Query("floor_3_6.05", floor.format(6.05), near3 + ["(assert (<= Y_2 6.05))"]),
        Query("floor_3_6.1", floor.format(6.1), near3 + ["(assert (>= 6.1 Y_2))"]),
        Query("twice_20_holds", twice.format(-0.15), near20 + ["(assert (>= (+ (* 2.0 Y_8) (* -1.0 Y_2)) -0.15))"]),
        Query("twice_20_fails", twice.format(-0.25), near20 + ["(assert (<= (- Y_2 (* 2.0 Y_8)) 0.25))"]),
        Query(
            "both_10",
            "Classes 8 and 9 do not both reach class 3 within radius 0.06.",
            near10 + ["(assert (>= Y_8 Y_3))", "(assert (>= Y_9 Y_3))"],
        ),
    ]


def _regions(x, y):
    middle = [27, 28, 35, 36]  # the four pixels around the centre
    row = range(24, 32)  # the fourth row
    sixes = [queries.box_conjunction(queries.ball(x[i], "0.1", "0", "1")) for i in (8, 9)]
    return [
        _patch("patch_19_middle", x[19], y[19], middle),
        _patch("patch_19_row", x[19], y[19], row),
        Query(
            "two_boxes_8_9",
            "Class 6 keeps the highest score within radius 0.1 of either of two images.",
            queries.any_of(sixes) + queries.another_wins(6, 10),
        ),
    ]


def _patch(name, point, label, pixels):
    """Some pixels are free in [0, 1]; the others keep their value exactly."""
    box = queries.ball(point, "0")
    for pixel in pixels:
        box[pixel] = (0, 1)
    comment = f"Class {label} keeps the highest score whatever the values of pixels {list(pixels)}."
    return Query(name, comment, queries.box_lines(box) + queries.another_wins(label, 10))
