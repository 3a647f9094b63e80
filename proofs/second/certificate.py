"""Reads certificates: section 3 of FORMAT.md.

A tree becomes a list of items, the last of which ends it. Nothing is judged here but the bytes.
"""

import math
import struct
from typing import NamedTuple

from errors import Refused

MOST_ELEMENTS = 1 << 24
DEEPEST = 512
MOST_SIGN_NODES = 1 << 17
MOST_SIGNS = 128


class Literal(NamedTuple):
    """An element of a place is at most (upper) or at least a value."""

    place: int
    element: int
    upper: bool
    value: float


class Slopes(NamedTuple):
    """Alphas (place: number of elements and alpha of each marked one), betas, multipliers of constraints."""

    alphas: dict
    betas: list
    constraints: list


class Default(NamedTuple):
    """The witness without slopes."""


class Kept(NamedTuple):
    """The witness that names kept slopes, from 0."""

    number: int


class Sign(NamedTuple):
    """An element of a place is at most 0 (upper), or at least 0."""

    place: int
    element: int
    upper: bool


class Leaf(NamedTuple):
    """A leaf of a tree of signs: the signs from the root on, which base counts, from 0 for the tree's own, and betas for the
    signs or, if there are any, slopes of the leaf's own."""

    way: tuple
    base: int
    betas: list
    slopes: Slopes | None


class Signs(NamedTuple):
    """The witness that is a tree of signs: a witness, all slopes that stand for it somewhere, and all leaves."""

    base: tuple
    others: list
    leaves: list


class Alone(NamedTuple):
    """The multipliers that stand for one atom with multiplier 1."""

    atom: int


class End(NamedTuple):
    """All goals are refuted."""


class Empty(NamedTuple):
    """No point satisfies what is assumed."""


class Middle(NamedTuple):
    """A split in the middle of an input."""

    element: int
    first: list
    second: list


class Values(NamedTuple):
    """A split at values: at most `below`, or at least `above`."""

    place: int
    element: int
    below: float
    above: float
    first: list
    second: list


class TightenAll(NamedTuple):
    """Bounds all undecided elements that feed ReLU nodes."""


class TightenUndecided(NamedTuple):
    """Bounds the undecided elements of a place."""

    place: int


class TightenMarked(NamedTuple):
    """Bounds marked ends of a place."""

    place: int
    elements: int
    lows: list
    highs: list


class TightenListed(NamedTuple):
    """Bounds ends of a place, pairs of (element, whether upper) and a witness."""

    place: int
    ends: list


class Prove(NamedTuple):
    """Proves a literal by refuting its negation."""

    literal: Literal
    tree: list


class Keep(NamedTuple):
    """Keeps slopes for later witnesses."""

    slopes: Slopes


class Close(NamedTuple):
    """Refutes goals: case, multipliers, witness."""

    goals: list


class Lemma(NamedTuple):
    """Refutes cases under further literals."""

    literals: list
    cases: list
    tree: list


class Apply(NamedTuple):
    """Uses a lemma."""

    lemma: int


class Forms(NamedTuple):
    """Uses forms from here on."""


class Certificate(NamedTuple):
    """Digests and the proofs: pairs of a region's index and a tree."""

    model: bytes
    property: bytes
    proofs: list


def read(data):
    """Reads a certificate."""
    reader = Reader(data)
    if reader.take(8) != b"bartizan":
        raise Refused("not a certificate")
    if reader.u8() != 1:
        raise Refused("an unknown version")
    if reader.u8() != 0:
        raise Refused("unknown semantics")
    result = Certificate(reader.take(32), reader.take(32), reader.list(lambda: (reader.num(), tree(reader, 0))))
    if reader.at != len(data):
        raise Refused("bytes after the end")
    return result


class Reader:
    """Reads the notations of section 3 one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        """The next bytes."""
        if length > len(self.data) - self.at:
            raise Refused("truncated")
        self.at += length
        return self.data[self.at - length:self.at]

    def u8(self):
        """One byte."""
        return self.take(1)[0]

    def num(self):
        """An unsigned LEB128 number below 2^64, in its shortest form."""
        value, shift = 0, 0
        while True:
            byte = self.u8()
            value |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                break
        if byte == 0 and shift > 7:
            raise Refused("a number is longer than needed")
        if value >= 1 << 64:
            raise Refused("a number is above 64 bits")
        return value

    def count(self):
        """A number of elements."""
        value = self.num()
        if value > MOST_ELEMENTS:
            raise Refused("a list is too long")
        return value

    def list(self, read_one):
        """A list."""
        return [read_one() for _ in range(self.count())]

    def f32(self):
        """A binary32 number."""
        return self.number("<f", self.take(4))

    def bf16(self):
        """The upper half of a binary32 number."""
        return self.number("<f", b"\0\0" + self.take(2))

    def f64(self):
        """A binary64 number."""
        return self.number("<d", self.take(8))

    @staticmethod
    def number(form, data):
        """A number that is not NaN."""
        [value] = struct.unpack(form, data)
        if math.isnan(value):
            raise Refused("not a number")
        return value

    def marks(self, n):
        """The marked ones of n elements."""
        bits = int.from_bytes(self.take((n + 7) // 8), "little")
        if bits >> n:
            raise Refused("a mark after the last element")
        return [i for i in range(n) if bits >> i & 1]

    def end(self):
        """An element, and whether its upper end is meant."""
        value = self.num()
        return value // 2, value % 2 == 1

    def literal(self):
        """A literal."""
        return Literal(self.num(), *self.end(), self.f64())


def tree(reader, depth):
    """A tree; those of splits, proved bounds and lemmas are one level deeper."""
    if depth > DEEPEST:
        raise Refused("too deep")
    items = []
    while True:
        byte = reader.u8()
        code, flag = byte & 0x7f, byte >= 0x80
        if flag and code not in (2, 3, 4, 11, 13):
            raise Refused("a flag where there is none")
        items.append(item(reader, code, flag, depth))
        if flag and code in (11, 13):
            items.append(End())
        if isinstance(items[-1], (End, Empty, Middle, Values)):
            return items


def item(reader, code, flag, depth):
    """What follows an item's code."""
    match code:
        case 0:
            return End()
        case 1:
            return Empty()
        case 2:
            return Middle(reader.num(), *subtrees(reader, flag, depth))
        case 3:
            return Values(reader.num(), reader.num(), 0.0, 0.0, *subtrees(reader, flag, depth))
        case 4:
            return Values(reader.num(), reader.num(), reader.f64(), reader.f64(), *subtrees(reader, flag, depth))
        case 5:
            return TightenAll()
        case 6:
            return TightenUndecided(reader.num())
        case 7:
            place, n = reader.num(), reader.count()
            return TightenMarked(place, n, reader.marks(n), reader.marks(n))
        case 8:
            return TightenListed(reader.num(), reader.list(lambda: (reader.end(), witness(reader))))
        case 9:
            return Prove(reader.literal(), tree(reader, depth + 1))
        case 10:
            return Keep(slopes(reader, reader.u8()))
        case 11:
            return Close(reader.list(lambda: (reader.num(), multipliers(reader), witness(reader))))
        case 12:
            return Lemma(reader.list(reader.literal), reader.list(reader.num), tree(reader, depth + 1))
        case 13:
            return Apply(reader.num())
        case 14:
            return Forms()
        case 15 | 16:
            raise Refused("a certificate of volume, which this checker does not know")
    raise Refused("an unknown item")


def subtrees(reader, measured, depth):
    """The two trees of a split, the first of which may be preceded by its length."""
    length = reader.num() if measured else None
    start = reader.at
    first = tree(reader, depth + 1)
    if measured and reader.at - start != length:
        raise Refused("a subtree has another length")
    return first, tree(reader, depth + 1)


def multipliers(reader):
    """One atom alone, or a list of multipliers."""
    number = reader.num()
    return Alone(number - 1) if number else reader.list(reader.f32)


def witness(reader):
    """One without a tree of signs, or one with such a tree."""
    kind = reader.u8()
    if kind != 4:
        return plain_witness(reader, kind)
    kind = reader.u8()
    if kind == 4:
        raise Refused("the base of a tree of signs is a tree of signs")
    return Signs(plain_witness(reader, kind), *sign_tree(reader))


def plain_witness(reader, kind):
    """The default, kept slopes or new ones."""
    if kind == 0:
        return Default()
    return Kept(reader.num()) if kind == 3 else slopes(reader, kind)


def sign_tree(reader):
    """The slopes that stand for the base, and the leaves of a tree of signs. Of the subtrees that are still to be read, the
    next one last, `todo` has the way and the number of the base."""
    others, leaves, todo, nodes = [], [], [((), 0)], 0
    while todo:
        (way, base), number = todo.pop(), reader.num()
        nodes += 1
        if nodes > MOST_SIGN_NODES:
            raise Refused("a tree of signs has too many nodes")
        if number == 0:
            leaves.append(Leaf(way, base, [], slopes(reader, reader.u8())))
        elif number == 1:
            leaves.append(Leaf(way, base, reader.list(reader.f32), None))
        elif number % 2 == 0:
            betas = number // 2 - 1
            if betas > MOST_ELEMENTS:
                raise Refused("a list is too long")
            leaves.append(Leaf(way, base, [reader.bf16() for _ in range(betas)], None))
        elif number == 3:
            others.append(slopes(reader, reader.u8()))
            todo.append((way, len(others)))
        else:
            place, element = (number - 5) // 2, reader.num()
            if len(way) == MOST_SIGNS:
                raise Refused("a tree of signs is too deep")
            todo += [(way + (Sign(place, element, upper),), base) for upper in (False, True)]
    return others, leaves


def slopes(reader, kind):
    """Slopes in short (1) or long (2) form."""
    if kind not in (1, 2):
        raise Refused("unknown slopes")
    number = reader.bf16 if kind == 1 else reader.f32
    alpha = (lambda: reader.u8() / 128) if kind == 1 else reader.f32
    places = reader.list(lambda: alphas_of_place(reader, alpha))
    if len({place for place, _ in places}) != len(places):
        raise Refused("a place is named twice")
    return Slopes(dict(places), reader.list(number), reader.list(number))


def alphas_of_place(reader, alpha):
    """A place, and its number of elements with the alphas of the marked ones."""
    place, n = reader.num(), reader.count()
    return place, (n, {element: alpha() for element in reader.marks(n)})
