"""Reads the wire format of protocol buffers: a message is a list of numbered fields."""

import struct
from collections import defaultdict

from errors import Unreadable


def message(data):
    """The fields of a message: number to list of integers (varint, fixed) or bytes (length-delimited)."""
    fields, at = defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 2:
            length, at = varint(data, at)
            value, at = cut(data, at, length)
        elif kind in (1, 5):
            value, at = cut(data, at, 8 if kind == 1 else 4)
        else:
            raise Unreadable("an unknown kind of field")
        fields[key >> 3].append(value)
    return fields


def varint(data, at):
    """A variable-length number, and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise Unreadable("the model file is truncated")
        value |= (data[at] & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def cut(data, at, length):
    """Bytes, and where they end."""
    if length > len(data) - at:
        raise Unreadable("the model file is truncated")
    return data[at:at + length], at + length


def signed(value):
    """A varint as a signed 64-bit number."""
    return value - (1 << 64) if value >= 1 << 63 else value


def integers(values):
    """A repeated whole number, packed or not."""
    result = []
    for value in values:
        if isinstance(value, int):
            result.append(signed(value))
            continue
        at = 0
        while at < len(value):
            number, at = varint(value, at)
            result.append(signed(number))
    return result


def floats(values, form):
    """A repeated floating-point number, packed or not; form is f or d."""
    data = b"".join(values)
    size = struct.calcsize(form)
    if len(data) % size:
        raise Unreadable("a list of numbers is truncated")
    return list(struct.unpack(f"<{len(data) // size}{form}", data))
