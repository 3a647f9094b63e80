"""rounding: networks whose class in real arithmetic is not the class that executions in binary32 give.

Each is a classifier and a detector. The detector is a sum that is zero in real arithmetic at every input, and at least 1
in some executions: a number near 1 is lost beside LARGE in one order, precision or way of multiplying, and not in another.
Its value, times a weight, is added to the score of one class. Every weight is a binary32 number.
"""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from . import publish, queries
from .onnx_graph import Graph, Style
from .queries import Query

LARGE = 2.0**26  # binary32 numbers are 4 apart below it, 8 above it: what lies below 2 is lost beside it
SPLIT = 4097.0  # 2^12 + 1: its product with a number of more than 12 bits is rarely a binary32 number
MARGIN = Decimal("0.5")  # the distance that the properties `margin` ask for
STYLE = {"opset": 13, "ir": 7}

LOADS = [("0.3", "0.2"), ("0.1", "0.4"), ("0.07", "0.1"), ("0.45", "0.15"), ("0.2", "0.05"), ("0.35", "0.33")]
LOAD_RADIUS, LOAD_WIDE = "0.0625", "0.5"
IMAGES = 20
IMAGE_RADIUS, IMAGE_WIDE = "0.02", "0.3"
RAISED = 8  # the digit whose score the detector raises
PIXEL = 27  # the pixel that the detector reads, one of the four in the middle


def build(folder):
    folder.joinpath("properties").mkdir(exist_ok=True)
    small = {"precision": precision(), "backward": backward(), "fused": fused()}
    base = digits_layers(folder.parent)
    wide = {"forward": forward(base), "lanes": lanes(base)}
    for name, layers in small.items():
        save_dense(folder / f"{name}.onnx", name, layers, [2])
    for name, layers in wide.items():
        save_dense(folder / f"{name}.onnx", name, layers, [1, 8, 8])
    save_folded(folder / "folded.onnx", base)
    images, labels = select(folder.parent, base)
    np.save(folder / "images.npy", images)
    np.save(folder / "labels.npy", labels)
    save_loads(folder / "loads.csv")
    groups = [([*small], load_queries(), 2, 2), ([*wide, "folded"], image_queries(images, labels), 64, 10)]
    save_properties(folder, groups)
    scores = np.concatenate([run(layers, loads()) for layers in small.values()])
    return float((scores.argmax(1) == 0).mean())


@dataclass
class Layer:
    """Weights [in, out] and biases of one dense layer; ReLU follows all but the last."""

    w: np.ndarray
    b: np.ndarray


def alarm(depth):
    """Two loads in [0, 1]; class 1, the alarm, where they exceed 1 together. The scores are 4 relu(1 - x - y) and
    4 relu(x + y - 1). `depth` hidden layers, of which all but the first pass on what they get."""
    first = Layer(np.array([[-1.0, 1.0], [-1.0, 1.0]]), np.array([1.0, -1.0]))
    return [first, *(Layer(np.eye(2), np.zeros(2)) for _ in range(depth - 1)), Layer(4 * np.eye(2), np.zeros(2))]


def precision():
    """p + LARGE is rounded to LARGE: what is left of it less LARGE, and p, differ by p."""
    layers = alarm(3)
    p = neuron(layers[0], {0: 1.0}, 1.0)
    sums, same = neuron(layers[1], {p: 1.0}, LARGE), neuron(layers[1], {p: 1.0})
    difference, again = neuron(layers[2], {sums: 1.0}, -LARGE), neuron(layers[2], {same: 1.0})
    return output(layers, 1, {again: 8.0, difference: -8.0})


def backward():
    """p + LARGE - LARGE - p: forwards -p, which the ReLU cuts off, backwards p."""
    layers = alarm(2)
    p, one, one_again, p_again = (neuron(layers[0], {0: share}, 1.0) for share in (1.0, 0.0, 0.0, 1.0))
    r = neuron(layers[1], {p: 1.0, one: LARGE, one_again: -LARGE, p_again: -1.0})
    return output(layers, 1, {r: 8.0})


def fused():
    """q = SPLIT p is rounded: SPLIT p - q is 0 where the product is rounded once more, else what was lost."""
    layers = alarm(3)
    p = neuron(layers[0], {0: 1.0}, 1.0)
    q, same = neuron(layers[1], {p: SPLIT}), neuron(layers[1], {p: 1.0})
    over, under = (neuron(layers[2], {q: -sign, same: sign * SPLIT}) for sign in (1.0, -1.0))
    return output(layers, 1, {over: 2.0**17, under: 2.0**17})


def forward(base):
    """LARGE - p - LARGE + p: forwards p, backwards 0."""
    layers = [Layer(layer.w.copy(), layer.b.copy()) for layer in base]
    one, p, one_again, p_again = (neuron(layers[0], {PIXEL: share}, 1.0) for share in (0.0, 1.0, 0.0, 1.0))
    r = neuron(layers[1], {one: LARGE, p: -1.0, one_again: -LARGE, p_again: 1.0})
    return output(layers, RAISED, {r: 32.0})


def lanes(base):
    """LARGE - LARGE at places 1 and 0, -q + q at places 64 and 66, 2 < q < 4: 0 from either end. Where every 2nd, 4th, ...
    or 64th term is added on its own, -LARGE and -q meet first and q is lost; the other q is not: 4 or q is left."""
    first, hidden = base[0], base[0].w.shape[1]
    constant, spare = np.zeros((64, 2)), 64 - 2 - hidden
    w = np.concatenate([constant, first.w, np.zeros((64, spare))], 1)
    layers = [Layer(w, np.concatenate([np.ones(2), first.b, np.zeros(spare)])), *base[1:]]
    q, _, q_again = (neuron(layers[0], {PIXEL: share}, 2.5 * share) for share in (1.0, 0.0, 1.0))
    kept = np.zeros((layers[0].w.shape[1], layers[1].w.shape[1]))
    kept[2 : 2 + hidden] = base[1].w
    layers[1:] = [Layer(kept, base[1].b.copy()), Layer(base[2].w.copy(), base[2].b.copy())]
    r = neuron(layers[1], {0: -LARGE, 1: LARGE, q: -1.0, q_again: 1.0})
    return output(layers, RAISED, {r: 32.0})


def neuron(layer, weights, bias=0.0):
    """Adds a neuron to the layer; `weights` by the index of its input. Returns its index.

    Neurons that earlier layers gained are inputs that the layer does not know yet: it gets rows of zeros for them."""
    grow(layer, max(weights) + 1)
    column = np.zeros((len(layer.w), 1))
    for index, value in weights.items():
        column[index] = value
    layer.w, layer.b = np.concatenate([layer.w, column], 1), np.append(layer.b, bias)
    return layer.w.shape[1] - 1


def grow(layer, rows):
    missing = max(0, rows - len(layer.w))
    layer.w = np.concatenate([layer.w, np.zeros((missing, layer.w.shape[1]))])


def output(layers, score, weights):
    """Adds the detector to a score, and gives every layer a row for each neuron of the one before it."""
    for before, layer in zip(layers, layers[1:]):
        grow(layer, before.w.shape[1])
    for index, value in weights.items():
        layers[-1].w[index, score] = value
    return layers


def digits_layers(models):
    """The dense layers of digits_mlp."""
    stored = onnx.load(models / "digits_mlp" / "model.onnx").graph.initializer
    tensors = {t.name: numpy_helper.to_array(t).astype(float) for t in stored}
    return [Layer(tensors[f"fc{i}.weight"].T, tensors[f"fc{i}.bias"]) for i in (1, 2, 3)]


def save_dense(path, title, layers, shape):
    g = Graph(Style(**STYLE))
    value = "input" if len(shape) == 1 else g.add("Flatten", ["input"], "flat", axis=1)
    append_dense(g, value, layers)
    g.save(path, title, shape, [len(layers[-1].b)])


def append_dense(g, value, layers):
    for i, layer in enumerate(layers, 1):
        last = i == len(layers)
        w, b = g.weight(f"fc{i}.weight", exact(layer.w.T)), g.weight(f"fc{i}.bias", exact(layer.b))
        value = g.add("Gemm", [value, w, b], "output" if last else f"fc{i}", transB=1)
        value = value if last else g.add("Relu", [value], f"relu{i}")


def exact(array):
    """As binary32, without loss."""
    stored = array.astype(np.float32)
    assert np.array_equal(stored, array)
    return stored


def save_folded(path, base):
    """A convolution of one pixel, and a normalisation that leaves its value alone: both channels are x + 1, and their
    difference is 0. As one convolution, its bias is (1 + LARGE) - LARGE, and the 1 is lost in the first sum."""
    g = Graph(Style(**STYLE))
    kernel = g.weight("conv.weight", np.ones((2, 1, 1, 1)))
    value = g.add("Conv", ["input", kernel, g.weight("conv.bias", [1.0, 1.0])], "conv", kernel_shape=[1, 1])
    normal = {"scale": [1.0, 1.0], "shift": [-LARGE, 0.0], "mean": [-LARGE, 0.0], "variance": [1.0, 1.0]}
    operands = [g.weight(f"bn.{name}", np.array(values)) for name, values in normal.items()]
    value = g.add("BatchNormalization", [value, *operands], "bn", epsilon=0.0)
    value = g.add("Flatten", [g.add("Relu", [value], "relu0")], "flat", axis=1)
    first = base[0]
    plain = np.concatenate([np.zeros_like(first.w), first.w])
    bias = (first.b - first.w.sum(0)).astype(np.float32).astype(float)
    layers = [Layer(plain, bias), *(Layer(layer.w.copy(), layer.b.copy()) for layer in base[1:])]
    r = neuron(layers[0], {PIXEL: -1.0, 64 + PIXEL: 1.0})
    r = neuron(layers[1], {r: 1.0})
    append_dense(g, value, output(layers, RAISED, {r: 32.0}))
    g.save(path, "folded", [1, 8, 8], [10])


def run(layers, x):
    """Scores in binary64."""
    for layer in layers[:-1]:
        x = np.maximum(x @ layer.w + layer.b, 0)
    return x @ layers[-1].w + layers[-1].b


def select(models, base):
    """The first images that are no eights and that interval bounds certify with a margin above MARGIN."""
    images, labels = (np.load(models / "digits_mlp" / f"{name}.npy") for name in ("images", "labels"))
    kept = [i for i in range(len(images)) if labels[i] != RAISED and margin(base, images[i], labels[i]) > MARGIN]
    return images[kept[:IMAGES]], labels[kept[:IMAGES]]


def margin(layers, image, label):
    """How far the label's score stays ahead of each other one within IMAGE_RADIUS, by interval bounds."""
    x, r = image.ravel().astype(float), float(IMAGE_RADIUS)
    low, high = np.clip(x - r, 0, 1), np.clip(x + r, 0, 1)
    for layer in layers[:-1]:
        low, high = (np.maximum(z, 0) for z in spread(layer.w, layer.b, low, high))
    rivals = [j for j in range(len(layers[-1].b)) if j != label]
    w, b = layers[-1].w, layers[-1].b
    return spread(w[:, [label]] - w[:, rivals], b[label] - b[rivals], low, high)[0].min()


def spread(w, b, low, high):
    centre, reach = (low + high) / 2 @ w + b, (high - low) / 2 @ np.abs(w)
    return centre - reach, centre + reach


def loads():
    return np.array([[float(v) for v in row] for row in LOADS])


def save_loads(path):
    path.write_text("\n".join(["x,y,label", *(f"{x},{y},0" for x, y in LOADS)]) + "\n")


def load_queries():
    centre = [Decimal(v) for v in LOADS[0]]
    return around(centre, 0, (LOAD_RADIUS, LOAD_WIDE), 2)


def image_queries(images, labels):
    return around(images[0].ravel(), labels[0], (IMAGE_RADIUS, IMAGE_WIDE), 10)


def around(point, label, radii, classes):
    """Robust at the smaller radius, even with a margin; not robust at the larger one."""
    near, far = radii
    rivals = [j for j in range(classes) if j != label]
    close = queries.any_of(f"(and (>= Y_{j} (- Y_{label} {MARGIN})))" for j in rivals)
    comment = f"Class {label} is ahead by more than {MARGIN} within L-infinity radius {near}."
    return [
        queries.robust("robust", point, label, near, classes),
        Query("margin", comment, queries.box_lines(queries.ball(point, near, "0", "1")) + close),
        queries.robust("wide", point, label, far, classes),
    ]


def save_properties(folder, groups):
    """One set of properties for the networks of each group."""
    target, rows = folder / "properties", []
    for old in target.glob("*.vnnlib"):
        old.unlink()
    for names, made, inputs, outputs in groups:
        for query in made:
            query.name = f"{'loads' if inputs == 2 else 'images'}_{query.name}"
            queries.save(query, target, inputs, outputs)
        rows += [f"{name}.onnx,properties/{query.file},{publish.TIMEOUT}\n" for name in names for query in made]
    (folder / "instances.csv").write_text("".join(rows))
