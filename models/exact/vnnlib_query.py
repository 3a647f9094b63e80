"""Reads VNN-LIB 1.0 into cases. A counterexample is a point of a case's box that satisfies all its atoms."""

import gzip
import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path


@dataclass(frozen=True)
class Atom:
    """sum of coefficient * name <= limit, over names such as X_0 and Y_3."""

    terms: tuple  # of (name, Fraction)
    limit: Fraction

    def holds(self, value):
        return sum(c * Fraction(value(name)) for name, c in self.terms) <= self.limit

    def on_inputs(self):
        return all(name.startswith("X_") for name, _ in self.terms)


@dataclass
class Case:
    lower: list
    upper: list
    atoms: list


def read(path):
    """The cases of a file, those with the same box next to each other."""
    data = Path(path).read_bytes()
    text = (gzip.decompress(data) if str(path).endswith(".gz") else data).decode()
    text = re.sub(r";[^\n]*", "", text)
    inputs, alternatives = 0, [[]]
    for form in _parse(re.findall(r"[()]|[^\s()]+", text)):
        if form[0] == "declare-const":
            inputs += form[1].startswith("X_")
        else:
            assert form[0] == "assert", form[0]
            alternatives = [old + new for old in alternatives for new in _choices(form[1])]
    return [_case(atoms, inputs) for atoms in alternatives]


def _parse(tokens):
    stack = [[]]
    for token in tokens:
        if token == "(":
            stack.append([])
        elif token == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    (forms,) = stack
    return forms


def _choices(form):
    """A formula as a list of conjunctions, each a list of atoms."""
    head, *parts = form
    if head == "or":
        return [choice for part in parts for choice in _choices(part)]
    if head == "and":
        product = [[]]
        for part in parts:
            product = [old + new for old in product for new in _choices(part)]
        return product
    left, right = (_linear(part) for part in parts)
    sign = {"<=": 1, ">=": -1}[head]
    total = {name: sign * (left.get(name, 0) - right.get(name, 0)) for name in {**left, **right}}
    limit = -total.pop("", Fraction(0))
    return [[Atom(tuple((name, c) for name, c in total.items() if c), limit)]]


def _linear(form):
    """A linear expression as {name: coefficient}, the constant under the empty name."""
    if isinstance(form, str):
        return {form: Fraction(1)} if form[0] in "XY" else {"": Fraction(form)}
    head, *parts = form
    parts = [_linear(part) for part in parts]
    if head == "*":
        (factor,) = [p[""] for p in parts if set(p) == {""}]
        (body,) = [p for p in parts if set(p) != {""}]
        return {name: factor * c for name, c in body.items()}
    assert head in "+-", head
    signs = [1] + [1 if head == "+" else -1] * (len(parts) - 1)
    signs = [-1] if head == "-" and len(parts) == 1 else signs
    total = {}
    for sign, part in zip(signs, parts):
        for name, c in part.items():
            total[name] = total.get(name, Fraction(0)) + sign * c
    return total


def _case(atoms, inputs):
    lower, upper, rest = [None] * inputs, [None] * inputs, []
    for atom in atoms:
        if len(atom.terms) > 1 or not atom.on_inputs():
            rest.append(atom)
            continue
        ((name, c),) = atom.terms
        index, value = int(name[2:]), atom.limit / c
        if c > 0:
            upper[index] = value if upper[index] is None else min(upper[index], value)
        else:
            lower[index] = value if lower[index] is None else max(lower[index], value)
    assert None not in lower + upper, "an input without bounds"
    return Case(lower, upper, rest)
