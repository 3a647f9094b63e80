"""One query on one network: sat or unsat, with a margin on either side, and a counterexample that was run."""

from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

import numpy as np

from .milp import Encoder, Found, best_margin

BORDER = 1e-4  # a query whose optimum is this close to zero is refused: rounding could turn it
CAP = 1e-2  # a counterexample this clear is clear enough; looking for a better one costs time
SECONDS = 300  # limit of one mixed-integer program
SAMPLES = 200  # points tried in each box of an unsat query


class TooClose(Exception):
    """The optimum lies within BORDER of zero."""


@dataclass
class Answer:
    verdict: str
    margin: float | None  # of the counterexample, in units of the atoms
    point: np.ndarray | None


def decide(network, run, cases):
    """`run` evaluates one float32 input in the real runtime; it has to confirm what is found."""
    near, encoder, previous = None, None, None
    for case in cases:
        if previous is None or (case.lower, case.upper) != previous:
            encoder, output = _encode(network, case)
            previous = (case.lower, case.upper)
        found = _search(encoder, output, case)
        if found.margin is None:
            continue
        if found.margin >= BORDER:
            point = _confirm(run, case, found.point)
            return Answer("sat", found.margin, point)
        near = found.margin
    if near is not None:
        raise TooClose(f"optimum {near:.2e}")
    _sample(run, cases)
    return Answer("unsat", None, None)


def evaluate(network, x):
    """The network's outputs at one point, by the encoding: on a box without extent every expression is a constant."""
    encoder = Encoder(x, x)
    output = network.walk(encoder, encoder.input())
    return output.rows @ (encoder.relaxation.lower + encoder.relaxation.upper) / 2 + output.const


def _encode(network, case):
    encoder = Encoder([float(v) for v in case.lower], [float(v) for v in case.upper])
    return encoder, network.walk(encoder, encoder.input())


def _search(encoder, output, case):
    atoms = [_row(atom, output) for atom in case.atoms]
    for row, limit in atoms:
        low, _ = encoder.relaxation.bounds(row[None], np.zeros(1))
        if low[0] > limit + BORDER:
            return Found(None, None)
    return best_margin(encoder, atoms, BORDER, CAP, SECONDS)


def _row(atom, output):
    """An atom over X and Y as (row over variables, limit)."""
    row, limit = np.zeros(output.rows.shape[1]), float(atom.limit)
    for name, c in atom.terms:
        index = int(name[2:])
        if name[0] == "X":
            row[index] += float(c)
        else:
            row += float(c) * output.rows[index]
            limit -= float(c) * output.const[index]
    return row, limit


def _confirm(run, case, point):
    """The point as float32 inside the box, where the runtime's outputs must satisfy every atom."""
    x = np.array([_inside(v, lo, hi) for v, lo, hi in zip(point, case.lower, case.upper)], np.float32)
    if not _violates(run, case, x):
        raise AssertionError("the runtime does not confirm the counterexample")
    return x


def _inside(value, lower, upper):
    """The float32 nearest to `value` that is not outside [lower, upper]."""
    x = np.float32(float(min(max(Fraction(float(value)), lower), upper)))
    while Fraction(float(x)) > upper:
        x = np.nextafter(x, np.float32(-np.inf))
    while Fraction(float(x)) < lower:
        x = np.nextafter(x, np.float32(np.inf))
    return x


def _violates(run, case, x):
    return _satisfied(case, x, run(x))


def _satisfied(case, x, y):
    def value(name):
        return float((x if name[0] == "X" else y)[int(name[2:])])

    return all(atom.holds(value) for atom in case.atoms)


def _sample(run, cases):
    """A cheap cross-check of unsat: neither random points nor corners of the boxes are counterexamples."""
    random = np.random.default_rng(0)
    for (lower, upper), same in groupby(cases, key=lambda case: (case.lower, case.upper)):
        same = list(same)
        for index in range(SAMPLES):
            share = random.integers(0, 2, len(lower)) if index % 2 else random.random(len(lower))
            x = [_inside(float(lo) + s * float(hi - lo), lo, hi) for s, lo, hi in zip(share, lower, upper)]
            x = np.array(x, np.float32)
            y = run(x)
            assert not any(_satisfied(case, x, y) for case in same), "a sample violates an unsat query"
