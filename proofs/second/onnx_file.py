"""Reads ONNX files: the graph's nodes become values of the network in their order.

While the graph is read, a name stands for a `Tensor`: either constant numbers, or a value of the network with a shape. Each
node whose result is an affine function of a value adds one value; reshaping adds none. Numbers are the exact ones of the file.
"""

import struct
from fractions import Fraction
from itertools import product
from math import isfinite, prod
from typing import NamedTuple, Optional

import protobuf
from errors import Unreadable
from network import Builder, Network

# Element types of tensors: struct's letters for raw data.
RAW = {1: "f", 11: "d", 10: "e", 6: "i", 7: "q", 3: "b", 2: "B"}


class Tensor(NamedTuple):
    """A shape with either constant numbers, or the value that holds the elements."""

    shape: tuple
    numbers: Optional[list]
    value: Optional[int] = None


class Node(NamedTuple):
    """A node: its operator, names of inputs and outputs, and attributes."""

    operator: str
    inputs: list
    outputs: list
    attributes: dict


def read(data):
    """Reads a network."""
    model = protobuf.message(data)
    graph = protobuf.message(only(model[7], "graph"))
    if graph[15]:
        raise Unreadable("sparse initializers are not supported")
    tensors = dict(map(initializer, graph[5]))
    name, info = only([each for each in map(named, graph[11]) if each[0] not in tensors], "input")
    shape = shape_of(info)
    builder = Builder(prod(shape))
    tensors[name] = Tensor(shape, None, 0)
    for each in map(node, graph[1]):
        arguments = [found(tensors, name) if name else None for name in each.inputs]
        tensors[only(each.outputs, "output of a node")] = operate(builder, each, arguments)
    result = found(tensors, named(only(graph[12], "output"))[0])
    if result.value is None:
        raise Unreadable("the output is constant")
    return Network(builder.values, result.value)


def only(items, what):
    """The only one of a list."""
    if len(items) != 1:
        raise Unreadable(f"one {what} was expected, not {len(items)}")
    return items[0]


def found(tensors, name):
    """The tensor of a name."""
    if name not in tensors:
        raise Unreadable(f"{name!r} is not defined before it is used")
    return tensors[name]


# Messages


def named(data):
    """A graph's input or output: its name, and all of its fields."""
    info = protobuf.message(data)
    return only(info[1], "name").decode(), info


def shape_of(info):
    """The shape of a graph's input; an unknown batch size is 1."""
    tensor = protobuf.message(only(protobuf.message(only(info[2], "type"))[1], "tensor"))
    sizes = []
    for dimension in protobuf.message(b"".join(tensor[2]))[1]:
        size = protobuf.integers(protobuf.message(dimension)[1])
        sizes.append(size[0] if size and size[0] > 0 else None)
    if None in sizes[1:]:
        raise Unreadable("an unknown size")
    return tuple(size or 1 for size in sizes)


def initializer(data):
    """A named constant."""
    return only(protobuf.message(data)[8], "name").decode(), constant(data)


def constant(data):
    """A TensorProto."""
    fields = protobuf.message(data)
    shape = tuple(protobuf.integers(fields[1]))
    kind = only(fields[2], "element type")
    if kind not in RAW or 14 in fields and fields[14] != [0]:
        raise Unreadable(f"tensors of element type {kind}, or outside the file, are not supported")
    if fields[9]:
        raw, form = fields[9][0], RAW[kind]
        if len(raw) % struct.calcsize(form):
            raise Unreadable("a tensor is truncated")
        numbers = struct.unpack(f"<{len(raw) // struct.calcsize(form)}{form}", raw)
    elif kind == 1:
        numbers = protobuf.floats(fields[4], "f")
    elif kind == 11:
        numbers = protobuf.floats(fields[10], "d")
    elif kind in (6, 7):
        numbers = protobuf.integers(fields[5 if kind == 6 else 7])
    else:
        raise Unreadable(f"typed data of element type {kind} is not supported")
    if len(numbers) != prod(shape):
        raise Unreadable("a tensor has another number of elements than its shape says")
    return Tensor(shape, exact(numbers))


def exact(numbers):
    """Numbers as fractions."""
    if not all(map(isfinite, numbers)):
        raise Unreadable("a number is not finite")
    return [Fraction(number) for number in numbers]


def node(data):
    """A NodeProto."""
    fields = protobuf.message(data)
    if fields[7] not in ([], [b""], [b"ai.onnx"]):
        raise Unreadable("an unknown operator domain")
    attributes = dict(map(attribute, fields[5]))
    return Node(only(fields[4], "operator").decode(), [name.decode() for name in fields[1]],
                [name.decode() for name in fields[2]], attributes)


def attribute(data):
    """Name and value of an AttributeProto: a fraction, integer, text, tensor, or a list of integers."""
    fields = protobuf.message(data)
    name = only(fields[1], "name of an attribute").decode()
    if fields[2]:
        return name, exact(protobuf.floats(fields[2], "f"))[0]
    if fields[5]:
        return name, constant(fields[5][0])
    if fields[4]:
        return name, fields[4][0].decode()
    if fields[7]:
        return name, Tensor((len(fields[7]),), exact(protobuf.floats(fields[7], "f")))
    return name, protobuf.integers(fields[3])[0] if fields[3] else protobuf.integers(fields[8])


# Operators


def operate(builder, node, arguments):
    """The result of a node."""
    if node.operator not in OPERATORS:
        raise Unreadable(f"the operator {node.operator} is not supported")
    operator, known = OPERATORS[node.operator]
    unknown = node.attributes.keys() - known
    if unknown:
        raise Unreadable(f"{node.operator} with {sorted(unknown)} is not supported")
    return operator(builder, node.attributes, *arguments)


def constant_node(_, attributes):
    """Constant"""
    value = attributes.get("value", attributes.get("value_floats"))
    if isinstance(value, Tensor):
        return value
    if "value_ints" in attributes:
        return Tensor((len(attributes["value_ints"]),), exact(attributes["value_ints"]))
    return Tensor((), [Fraction(attributes.get("value_float", attributes.get("value_int")))])


def identity(_, attributes, x):
    """Identity"""
    return x


def relu(builder, attributes, x):
    """Relu"""
    if x.value is None:
        return Tensor(x.shape, [max(Fraction(0), n) for n in x.numbers])
    return Tensor(x.shape, None, builder.relu(x.value))


def flatten(_, attributes, x):
    """Flatten"""
    axis = attributes.get("axis", 1)
    axis = axis + len(x.shape) if axis < 0 else axis
    return x._replace(shape=(prod(x.shape[:axis]), prod(x.shape[axis:])))


def reshape(_, attributes, x, sizes=None):
    """Reshape"""
    wanted = [int(n) for n in sizes.numbers] if sizes else list(attributes["shape"])
    if not attributes.get("allowzero", 0):
        wanted = [x.shape[i] if size == 0 else size for i, size in enumerate(wanted)]
    if wanted.count(-1) == 1:
        rest = -prod(wanted)
        wanted = [prod(x.shape) // rest if size == -1 else size for size in wanted]
    if prod(wanted) != prod(x.shape):
        raise Unreadable(f"a shape of {x.shape} cannot become {wanted}")
    return x._replace(shape=tuple(wanted))


def squeeze(_, attributes, x, axes=None):
    """Squeeze"""
    given = [int(n) for n in axes.numbers] if axes else attributes.get("axes")
    if given is None:
        return x._replace(shape=tuple(size for size in x.shape if size != 1))
    given = {axis % len(x.shape) for axis in given}
    if any(x.shape[axis] != 1 for axis in given):
        raise Unreadable("an axis that is not of size 1 cannot be left out")
    return x._replace(shape=tuple(size for axis, size in enumerate(x.shape) if axis not in given))


def unsqueeze(_, attributes, x, axes=None):
    """Unsqueeze"""
    given = [int(n) for n in axes.numbers] if axes else attributes["axes"]
    rank = len(x.shape) + len(given)
    given, rest = {axis % rank for axis in given}, iter(x.shape)
    return x._replace(shape=tuple(1 if axis in given else next(rest) for axis in range(rank)))


def transpose(builder, attributes, x):
    """Transpose"""
    order = attributes.get("perm", list(reversed(range(len(x.shape)))))
    shape = tuple(x.shape[axis] for axis in order)
    places = [at(x.shape, [index[order.index(axis)] for axis in range(len(order))]) for index in indices(shape)]
    if x.value is None:
        return Tensor(shape, [x.numbers[place] for place in places])
    rows = [[(place, Fraction(1))] for place in places]
    return Tensor(shape, None, builder.affine([(x.value, rows)], [0] * len(rows)))


def indices(shape):
    """All indices of a shape in row-major order."""
    return product(*map(range, shape))


def at(shape, index):
    """The row-major position of an index."""
    position = 0
    for size, i in zip(shape, index):
        position = position * size + i
    return position


def broadcast(a, b):
    """The common shape of two shapes, and for both the position of each of its elements."""
    rank = max(len(a), len(b))
    a, b = ((1,) * (rank - len(shape)) + shape for shape in (a, b))
    if any(i != j and 1 not in (i, j) for i, j in zip(a, b)):
        raise Unreadable(f"shapes {a} and {b} do not fit")
    shape = tuple(max(i, j) for i, j in zip(a, b))
    places = [[at(s, [i if size > 1 else 0 for size, i in zip(s, index)]) for index in indices(shape)] for s in (a, b)]
    return shape, places


def sum_of(builder, a, b, sign):
    """a + sign b"""
    shape, places = broadcast(a.shape, b.shape)
    bias, parts = [Fraction(0)] * prod(shape), []
    for x, place, factor in zip((a, b), places, (Fraction(1), Fraction(sign))):
        if x.value is None:
            bias = [n + factor * x.numbers[i] for n, i in zip(bias, place)]
        else:
            parts.append((x.value, [[(i, factor)] for i in place]))
    if not parts:
        return Tensor(shape, bias)
    return Tensor(shape, None, builder.affine(parts, bias))


def add(builder, attributes, a, b):
    """Add"""
    return sum_of(builder, a, b, 1)


def subtract(builder, attributes, a, b):
    """Sub"""
    return sum_of(builder, a, b, -1)


def multiply(builder, attributes, a, b):
    """Mul by a constant"""
    shape, (of_a, of_b) = broadcast(a.shape, b.shape)
    if a.value is not None and b.value is not None:
        raise Unreadable("products of values are not supported")
    if a.value is None:
        a, b, of_a, of_b = b, a, of_b, of_a
    if a.value is None:
        return Tensor(shape, [a.numbers[i] * b.numbers[j] for i, j in zip(of_a, of_b)])
    rows = [[(i, b.numbers[j])] for i, j in zip(of_a, of_b)]
    return Tensor(shape, None, builder.affine([(a.value, rows)], [0] * len(rows)))


def divide(builder, attributes, a, b):
    """Div by a constant"""
    if b.value is not None or 0 in b.numbers:
        raise Unreadable("quotients by values or by 0 are not supported")
    return multiply(builder, attributes, a, Tensor(b.shape, [1 / n for n in b.numbers]))


def product_with(builder, x, matrix, bias):
    """`x matrix + bias` for x of shape [..., k], a matrix of shape [k, n] and a bias for each column."""
    k, n = matrix.shape
    if x.shape[-1:] != (k,) or x.value is None or matrix.value is not None:
        raise Unreadable("only products of a value with a constant matrix on its right are supported")
    columns = [[(i, matrix.numbers[i * n + j]) for i in range(k)] for j in range(n)]
    blocks = prod(x.shape[:-1])
    rows = [[(block * k + i, w) for i, w in column if w] for block in range(blocks) for column in columns]
    return Tensor(x.shape[:-1] + (n,), None, builder.affine([(x.value, rows)], list(bias) * blocks))


def matmul(builder, attributes, a, b):
    """MatMul"""
    if len(b.shape) != 2:
        raise Unreadable("only products with matrices are supported")
    return product_with(builder, a, b, [0] * b.shape[1])


def gemm(builder, attributes, a, b, c=None):
    """Gemm: alpha a' b' + beta c"""
    if len(a.shape) != 2 or a.shape[0] != 1 or len(b.shape) != 2 or b.value is not None:
        raise Unreadable("Gemm of these arguments is not supported")
    if attributes.get("transA", 0):
        a = a._replace(shape=(a.shape[1], a.shape[0]))
    if attributes.get("transB", 0):
        b = transpose(builder, {}, b)
    alpha, beta = attributes.get("alpha", Fraction(1)), attributes.get("beta", Fraction(1))
    b = b._replace(numbers=[alpha * n for n in b.numbers])
    bias = [Fraction(0)] * b.shape[1]
    if c is not None:
        if c.value is not None:
            raise Unreadable("Gemm with a bias that is not constant is not supported")
        shape, (_, places) = broadcast((1, b.shape[1]), c.shape)
        if shape != (1, b.shape[1]):
            raise Unreadable("the bias of a Gemm does not fit")
        bias = [beta * c.numbers[i] for i in places]
    return product_with(builder, a, b, bias)


def conv(builder, attributes, x, kernel, bias=None):
    """Conv of images (two spatial dimensions)"""
    if x.value is None or len(x.shape) != 4 or len(kernel.shape) != 4 or kernel.value is not None or x.shape[0] != 1:
        raise Unreadable("Conv of these arguments is not supported")
    (_, channels, height, width), (filters, depth, kh, kw) = x.shape, kernel.shape
    groups = attributes.get("group", 1)
    if channels != depth * groups or filters % groups or attributes.get("kernel_shape", [kh, kw]) != [kh, kw]:
        raise Unreadable("the kernel of a Conv does not fit")
    strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
    extent = [(size - 1) * d + 1 for size, d in zip((kh, kw), dilations)]
    top, left, bottom, right = padding(attributes, (height, width), extent, strides)
    out = [(size - e) // s + 1 for size, e, s in zip((height + top + bottom, width + left + right), extent, strides)]

    def row(f, y, z):
        """The weights of one element of the result."""
        weights = []
        for c, i, j in indices((depth, kh, kw)):
            u, v = y * strides[0] + i * dilations[0] - top, z * strides[1] + j * dilations[1] - left
            if 0 <= u < height and 0 <= v < width:
                channel = f // (filters // groups) * depth + c
                weights.append((at(x.shape[1:], (channel, u, v)), kernel.numbers[at(kernel.shape, (f, c, i, j))]))
        return weights

    shape = (filters, *out)
    rows = [row(*index) for index in indices(shape)]
    numbers = bias.numbers if bias else [Fraction(0)] * filters
    return Tensor((1, *shape), None, builder.affine([(x.value, rows)], [numbers[i[0]] for i in indices(shape)]))


def padding(attributes, sizes, extent, strides):
    """Rows and columns of zeros: above, left, below, right."""
    mode = attributes.get("auto_pad", "NOTSET")
    if mode == "NOTSET":
        return attributes.get("pads", [0, 0, 0, 0])
    if mode == "VALID":
        return [0, 0, 0, 0]
    if mode not in ("SAME_UPPER", "SAME_LOWER"):
        raise Unreadable(f"auto_pad {mode} is not supported")
    total = [max(0, (-(-n // s) - 1) * s + e - n) for n, e, s in zip(sizes, extent, strides)]
    half, rest = [n // 2 for n in total], [n - n // 2 for n in total]
    return half + rest if mode == "SAME_UPPER" else rest + half


# Operators with the attributes that are taken into account.
OPERATORS = {
    "Add": (add, {}), "Sub": (subtract, {}), "Mul": (multiply, {}), "Div": (divide, {}),
    "MatMul": (matmul, {}), "Gemm": (gemm, {"alpha", "beta", "transA", "transB"}),
    "Conv": (conv, {"auto_pad", "dilations", "group", "kernel_shape", "pads", "strides"}),
    "Relu": (relu, {}), "Identity": (identity, {}), "Flatten": (flatten, {"axis"}),
    "Reshape": (reshape, {"shape", "allowzero"}), "Squeeze": (squeeze, {"axes"}), "Unsqueeze": (unsqueeze, {"axes"}),
    "Transpose": (transpose, {"perm"}),
    "Constant": (constant_node, {"value", "value_float", "value_floats", "value_int", "value_ints"}),
}
