"""Small random networks with a box of inputs: dense and convolutional, of magnitudes at which binary32 is at its ends."""

import json
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from .arithmetic import FLOAT

OPSET, IR = 13, 8
MAGNITUDES = ("normal", "normal", "cancelling", "huge", "tiny", "mixed", "level", "steep")
LARGE = 2.0**24
LARGEST = 3e38


@dataclass
class Builder:
    random: np.random.Generator
    magnitude: str
    nodes: list = field(default_factory=list)
    constants: list = field(default_factory=list)
    value: str = "x"
    shape: tuple = ()
    earlier: list = field(default_factory=list)

    def add(self, operator, *others, shape=None, **attributes):
        """A node whose first operand is the current value; arrays become constants."""
        names = [self.value, *(other if isinstance(other, str) else self.constant(other) for other in others)]
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, names, [output], **attributes))
        self.earlier.append((self.value, self.shape))
        self.value, self.shape = output, self.shape if shape is None else tuple(shape)

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def weights(self, *shape):
        w = self.random.normal(size=shape)
        if self.magnitude == "cancelling" and w.size > 3:
            flat = w.reshape(-1)
            chosen = self.random.permutation(w.size)[: max(2, w.size // 4) // 2 * 2]
            size = 2.0 ** self.random.integers(10, 26)
            flat[chosen[::2]], flat[chosen[1::2]] = size, -size
        elif self.magnitude in ("huge", "tiny"):
            w *= 10.0 ** self.random.uniform(*((8, 16) if self.magnitude == "huge" else (-40, -30)))
        elif self.magnitude == "level":
            # Sums near a power of two of summands that are half a unit in its last place.
            w = self.random.choice([1.0, -1.0, 1 + 2.0**-23, 1 - 2.0**-24, 2.0**-24, 2.0**-24 + 2.0**-47, 0.75], shape)
        elif self.magnitude == "steep":
            # Values stay moderate where weights alone, or folded into each other, do not.
            w *= 2.0 ** self.random.integers(-20, 120)
        elif self.magnitude == "mixed":
            w *= 10.0 ** self.random.uniform(-18, 12, shape)
        w[self.random.random(shape) < 0.1] = 0
        return np.clip(w, -LARGEST, LARGEST).astype(FLOAT)

    def positive(self, *shape):
        return np.maximum(np.abs(self.random.normal(size=shape)), 0.01).astype(FLOAT)

    def pick(self, *choices):
        return choices[self.random.integers(len(choices))]


def draw(random):
    """(bytes of the model, lower, upper): a network of either kind, and its box."""
    b = Builder(random, str(random.choice(MAGNITUDES)))
    is_image = random.random() < 0.4
    given = (int(random.integers(1, 4)), *random.integers(3, 7, 2).tolist()) if is_image else (int(random.integers(1, 9)),)
    b.shape = given
    for _ in range(random.integers(1, 6)):
        b.pick(*(IMAGE_STEPS if is_image else DENSE_STEPS))(b)
    if is_image:
        b.pick(flatten, global_pool, reshape)(b)
    if random.random() < 0.7 or is_image:
        gemm(b)
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", *s]) for n, s in (("x", given), (b.value, b.shape)))
    graph = helper.make_graph(b.nodes, "random", [x], [y], b.constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    return model.SerializeToString(), *box(random, b.magnitude, given)


def box(random, magnitude, shape):
    size = {"huge": 10.0 ** random.uniform(0, 15), "tiny": 10.0 ** random.uniform(-42, -20), "steep": 2.0 ** random.integers(-140, -40)}.get(magnitude, 1.0)
    centre = (size * random.normal(size=shape)).astype(FLOAT)
    kind = random.choice(["point", "neighbours", "small", "wide"])
    if kind == "point":
        return centre, centre
    if kind == "neighbours":
        return np.nextafter(centre, FLOAT(-np.inf)), np.nextafter(centre, FLOAT(np.inf))
    radius = FLOAT(size * (10.0 ** random.uniform(-6, -3) if kind == "small" else random.uniform(0.05, 1.0)))
    return centre - radius, centre + radius


def gemm(b):
    rows, columns = b.shape[-1], int(b.random.integers(1, 11))
    turned = b.random.random() < 0.5
    w = b.weights(columns, rows) if turned else b.weights(rows, columns)
    attributes = {"transB": int(turned)}
    if b.random.random() < 0.2:
        attributes.update(alpha=float(FLOAT(b.random.normal())), beta=float(FLOAT(b.random.normal())))
    b.add("Gemm", w, *([b.weights(columns)] if b.random.random() < 0.8 else []), shape=[columns], **attributes)


def matmul(b):
    columns = int(b.random.integers(1, 11))
    b.add("MatMul", b.weights(b.shape[-1], columns), shape=[columns])
    if b.random.random() < 0.8:
        b.add("Add", b.weights(columns))


def activation(b):
    operator = b.pick("Relu", "Relu", "Relu", "LeakyRelu", "Abs", "Clip", "Max", "Min")
    if operator == "Clip":
        low, high = np.sort(b.weights(2))
        b.add("Clip", np.array(low), np.array(high))
    elif operator in ("Max", "Min"):
        b.add(operator, b.weights(*b.shape[:1], *[1] * (len(b.shape) - 1)))
    else:
        b.add(operator, **({"alpha": float(FLOAT(b.random.uniform(0, 0.9)))} if operator == "LeakyRelu" else {}))


def elementwise(b):
    channel = (*b.shape[:1], *[1] * (len(b.shape) - 1))
    operator = b.pick("Add", "Sub", "Mul", "Div")
    b.add(operator, b.positive(*channel) if operator == "Div" else b.weights(*channel))


def residual(b):
    same = [name for name, shape in b.earlier if shape == b.shape]
    if same:
        b.add(b.pick("Add", "Add", "Sub", "Max", "Min"), same[b.random.integers(len(same))])


def concat(b):
    same = [(name, shape) for name, shape in b.earlier if shape[1:] == b.shape[1:]]
    if same and b.shape[0] < 12:
        name, shape = same[b.random.integers(len(same))]
        b.add("Concat", name, axis=1, shape=[b.shape[0] + shape[0], *b.shape[1:]])


def slices(b):
    if b.shape[0] > 2:
        keep = int(b.random.integers(1, b.shape[0]))
        b.add("Slice", *(np.array([v]) for v in (0, keep, 1)), shape=[keep, *b.shape[1:]])


def conv(b):
    channels, height, width = b.shape
    group = channels if b.random.random() < 0.2 else 1
    count = group * int(b.random.integers(1, 4))
    kernel = [int(b.random.integers(1, min(4, side + 1))) for side in (height, width)]
    pads, strides = b.random.integers(0, 2, 4).tolist(), b.random.integers(1, 3, 2).tolist()
    w = b.weights(count, channels // group, *kernel)
    bias = [b.weights(count)] if b.random.random() < 0.7 else []
    b.add("Conv", w, *bias, kernel_shape=kernel, pads=pads, strides=strides, group=group,
          shape=[count, *sides(b.shape, kernel, pads, strides)])  # fmt: skip
    if b.random.random() < 0.5:
        normalise(b)


def normalise(b):
    count = b.shape[0]
    b.add("BatchNormalization", b.weights(count), b.weights(count), b.weights(count), b.positive(count))


def pool(b):
    kernel = [min(2, side) for side in b.shape[1:]]
    pads = b.pick([0] * 4, [0] * 4, [0, 1, 0, 1] if kernel[1] > 1 else [0] * 4)
    strides = [int(v) for v in b.random.integers(1, 3, 2)]
    operator = b.pick("MaxPool", "AveragePool")
    extra = {"count_include_pad": int(b.random.integers(2))} if operator == "AveragePool" else {}
    b.add(operator, kernel_shape=kernel, pads=pads, strides=strides, **extra,
          shape=[b.shape[0], *sides(b.shape, kernel, pads, strides)])  # fmt: skip


def sides(shape, kernel, pads, strides):
    return [(n + pads[i] + pads[i + 2] - kernel[i]) // strides[i] + 1 for i, n in enumerate(shape[1:])]


def turn(b):
    b.add("Transpose", perm=[0, 1, 3, 2], shape=[b.shape[0], b.shape[2], b.shape[1]])


def pad(b):
    if max(b.shape[1:]) < 7:
        value = b.weights(1)[0]
        b.add("Pad", np.array([0, 0, 1, 0, 0, 0, 0, 1]), np.array(value), shape=[b.shape[0], b.shape[1] + 1, b.shape[2] + 1])


def flatten(b):
    b.add("Flatten", axis=1, shape=[int(np.prod(b.shape))])


def reshape(b):
    b.add("Reshape", np.array([-1, int(np.prod(b.shape))]), shape=[int(np.prod(b.shape))])


def global_pool(b):
    b.add("GlobalAveragePool", shape=[b.shape[0], 1, 1])
    flatten(b)


DENSE_STEPS = [gemm, gemm, matmul, activation, activation, activation, elementwise, residual, concat, slices]
IMAGE_STEPS = [conv, conv, conv, activation, activation, pool, elementwise, residual, normalise, turn, pad, concat, slices]


def write(folder, name, drawn):
    """NAME.onnx and NAME.json: {"lower": [...], "upper": [...]}, binary32 numbers written exactly."""
    content, lower, upper = drawn
    (folder / f"{name}.onnx").write_bytes(content)
    ends = {"lower": lower.ravel().astype(float).tolist(), "upper": upper.ravel().astype(float).tolist()}
    (folder / f"{name}.json").write_text(json.dumps(ends))


def check_model(content):
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
