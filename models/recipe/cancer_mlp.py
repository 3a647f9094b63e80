"""cancer_mlp: 30-32-16-2 on standardised features, trained with noise and weight decay."""

from decimal import Decimal

import jax
import numpy as np

from . import data, layers, publish, queries, training
from .onnx_graph import Graph, Style
from .queries import Query

SIZES = [30, 32, 16, 2]
SEED = 3
EPOCHS = 80
NOISE = 0.3  # standard deviation, in standardised units
DIGITS = 6  # significant digits of the shipped means and deviations


def build(folder):
    split = data.breast_cancer()
    mean, std = (_rounded(v) for v in (split.x_train.mean(0), split.x_train.std(0)))

    def standardise(x):
        return ((x - mean) / std).astype(np.float32)

    trained = _train(standardise(split.x_train), split.y_train)
    _export(folder / "model.onnx", trained)
    for name, values in (("mean", mean), ("std", std)):
        (folder / f"{name}.txt").write_text(",".join(repr(float(v)) for v in values) + "\n")
    _save_csv(folder / "data.csv", split)
    x_test = standardise(split.x_test)
    publish.save_pairs(folder, -2.0, 2.0, x_test, SEED)
    publish.save_properties(folder, _properties(x_test, split.y_test), 30, 2)
    return publish.accuracy(folder, x_test, split.y_test)


def _rounded(values):
    return np.array([float(f"{v:.{DIGITS}g}") for v in values])


def _save_csv(path, split):
    lines = [",".join([*split.features, "label"])]
    lines += [",".join([*(repr(float(v)) for v in row), str(y)]) for row, y in zip(split.x_test, split.y_test)]
    path.write_text("\n".join(lines) + "\n")


def _train(x, y):
    keys = jax.random.split(jax.random.key(SEED), len(SIZES) - 1)
    params = [layers.dense_init(key, *pair) for key, pair in zip(keys, zip(SIZES, SIZES[1:]))]
    return training.fit(_loss, params, (x, y), epochs=EPOCHS, batch=35, rate=2e-3, seed=SEED)


def _loss(params, rows, key, _):
    x, y = rows
    noisy = x + NOISE * jax.random.normal(key, x.shape)
    return training.cross_entropy(_forward(params, noisy), y) + 2e-3 * training.weight_decay(params)


def _forward(params, x):
    for p in params[:-1]:
        x = jax.nn.relu(layers.dense(p, x))
    return layers.dense(params[-1], x)


def _export(path, params):
    """As Keras converters do: MatMul and Add; here with the weights in Constant nodes."""
    g = Graph(Style(opset=11, ir=6, weights="constant", batch="unk__1"))
    value = "dense_input"
    for i, p in enumerate(params):
        last = i == len(params) - 1
        g.add("MatMul", [value, g.weight(f"dense_{i}/kernel", p["w"])], f"dense_{i}/MatMul")
        value = "logits" if last else f"dense_{i}/BiasAdd"
        g.add("Add", [f"dense_{i}/MatMul", g.weight(f"dense_{i}/bias", p["b"])], value)
        value = value if last else g.add("Relu", [value], f"dense_{i}/Relu")
    g.save(path, "cancer_mlp", [30], [2], ("dense_input", "logits"))


def _properties(x, y):
    """Over standardised features, centres rounded to six decimals."""
    centres = [[Decimal(f"{v:.6f}") for v in row] for row in x]
    made = [(0, "0.2"), (1, "0.1"), (3, "0.5"), (11, "0.1"), (14, "0.2"), (17, "0.3"), (7, "0.75")]
    plain = [_robust(f"robust_{i}_r{r}", centres[i], y[i], r) for i, r in made]
    return plain + [
        _robust("robust_12_r0.5", centres[12], y[12], "0.5", scientific=True),
        _robust("robust_6_r0.25", centres[6], y[6], "0.25", zipped=True),
        *_regions(centres),
    ]


def _robust(name, centre, label, radius, scientific=False, zipped=False):
    comment = f"Class {label} keeps the higher score within L-infinity radius {radius} of a standardised row."
    body = queries.box_lines(queries.ball(centre, radius), scientific) + [f"(assert (>= Y_{1 - label} Y_{label}))"]
    return Query(name, comment, body, zipped)


def _regions(centres):
    small = queries.box_lines([("-1.2", "-0.2")] * 30)
    large = queries.box_lines([("0.0", "2.0")] * 30)
    worst = " ".join(f"X_{i}" for i in range(20, 30))
    boxes = [queries.box_conjunction(queries.ball(centres[i], "0.3"), "(<= Y_0 Y_1)") for i in (3, 4)]
    gap = queries.box_lines(queries.ball(centres[12], "0.1"))
    return [
        Query("small_is_benign", "All features between -1.2 and -0.2: benign.", small + ["(assert (>= Y_0 Y_1))"]),
        Query(
            "large_is_malignant",
            "All features in [0, 2] and the ten worst values at least 8 in sum: malignant.",
            large + [f"(assert (>= (+ {worst}) 8.0))", "(assert (>= Y_1 Y_0))"],
        ),
        Query("two_boxes_3_4", "Malignant within radius 0.3 of either of two rows.", queries.any_of(boxes)),
        Query(
            "gap_12",
            "Score 0 exceeds score 1 by more than 16 within radius 0.1.",
            gap + ["(assert (<= (+ Y_0 (* -1.0 Y_1)) 16.0))"],
        ),
    ]
