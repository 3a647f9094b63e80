"""digits_mlp: 64-50-50-10, trained with interval bounds in the loss so that plain bound propagation proves much."""

import jax
import jax.numpy as jnp
import numpy as np

from . import data, layers, publish, training
from .onnx_graph import Graph, Style

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
    return []
