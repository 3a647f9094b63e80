"""Writes properties in VNN-LIB 1.0. The assertions describe a counterexample: sat means that the property is violated.

Numbers that must be exact are `Decimal`: a pixel k/16 plus or minus a decimal radius has a finite decimal expansion.
"""

import gzip
from dataclasses import dataclass
from decimal import Decimal


@dataclass
class Query:
    """One property file: `name`, the lines of its assertions and the lines of comment above them."""

    name: str
    comment: str
    body: list
    zipped: bool = False

    @property
    def file(self):
        return f"{self.name}.vnnlib" + (".gz" if self.zipped else "")


def save(query, folder, inputs, outputs):
    lines = [f"; {line}" for line in query.comment.splitlines()] + [""]
    lines += [f"(declare-const X_{i} Real)" for i in range(inputs)] + [""]
    lines += [f"(declare-const Y_{i} Real)" for i in range(outputs)] + [""]
    text = "\n".join(lines + query.body) + "\n"
    data = text.encode()
    # A fixed time stamp, so that the same text gives the same bytes.
    (folder / query.file).write_bytes(gzip.compress(data, mtime=0) if query.zipped else data)


def ball(point, radius, low=None, high=None):
    """The box of `radius` (a decimal string) around `point`, cut to [low, high]: a list of (lower, upper)."""
    r = Decimal(radius)
    box = []
    for value in point:
        centre = value if isinstance(value, Decimal) else Decimal(float(value))
        lower, upper = centre - r, centre + r
        lower = lower if low is None else max(lower, Decimal(low))
        upper = upper if high is None else min(upper, Decimal(high))
        box.append((lower, upper))
    return box


def box_lines(box, scientific=False):
    """One assertion a bound."""
    show = scientific_text if scientific else decimal_text
    lines = []
    for i, (lower, upper) in enumerate(box):
        lines += [f"(assert (>= X_{i} {show(lower)}))", f"(assert (<= X_{i} {show(upper)}))"]
    return lines


def box_conjunction(box, *atoms):
    """The box, and further atoms, as one `and`: a row of a disjunction of boxes."""
    bounds = [
        f"(>= X_{i} {decimal_text(lower)}) (<= X_{i} {decimal_text(upper)})" for i, (lower, upper) in enumerate(box)
    ]
    return "(and " + " ".join([*bounds, *atoms]) + ")"


def any_of(rows):
    return ["(assert (or"] + [f"    {row}" for row in rows] + ["))"]


def another_wins(label, classes):
    """Some rival's score reaches that of `label`."""
    return any_of(f"(and (>= Y_{j} Y_{label}))" for j in range(classes) if j != label)


def robust(name, point, label, radius, classes=10, low="0", high="1", scientific=False, zipped=False):
    """The usual property: within `radius` of `point`, `label` keeps the highest score."""
    comment = f"Class {label} keeps the highest score within L-infinity radius {radius}."
    body = box_lines(ball(point, radius, low, high), scientific) + [""] + another_wins(label, classes)
    return Query(name, comment, body, zipped)


def decimal_text(value):
    """Plain decimal notation with at least one digit after the point."""
    text = format(Decimal(value), "f")
    if "." not in text:
        return text + ".0"
    whole, fraction = text.split(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def scientific_text(value):
    """For example 6.25e-02; exact, and zero stays 0.0."""
    value = Decimal(value)
    if value == 0:
        return "0.0"
    sign, digits, exponent = value.normalize().as_tuple()
    power = exponent + len(digits) - 1
    head, tail = str(digits[0]), "".join(map(str, digits[1:])) or "0"
    return f"{'-' if sign else ''}{head}.{tail}e{'-' if power < 0 else '+'}{abs(power):02d}"
