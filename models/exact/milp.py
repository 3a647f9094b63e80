"""The mixed-integer program: one network on one box, asked for a point that satisfies linear atoms with a margin."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from .relaxation import Relaxation, Tensor

OPTIMAL, INFEASIBLE = 0, 2  # status codes of scipy.optimize.milp


@dataclass
class Found:
    """`margin` is None where no point comes within the border; otherwise the best margin, at most the cap."""

    margin: float | None
    point: np.ndarray | None


class Encoder:
    """Collects the constraints while a network is walked. Binary columns are numbered apart from the variables."""

    def __init__(self, lower, upper):
        self.relaxation = Relaxation(lower, upper)
        self.inputs = len(lower)
        self.binaries = 0
        self.constraints = []  # (coefficients over variables, coefficients over binaries, upper limit)
        self.equations = []  # lists of binaries that sum to one

    def input(self):
        return Tensor(np.eye(self.inputs), np.zeros(self.inputs), (self.inputs,))

    def relu(self, z):
        low, high = self.relaxation.bounds(z.rows, z.const)
        active, unknown = low >= 0, (low < 0) & (high > 0)
        rows = np.where(active[:, None], z.rows, 0.0)
        const = np.where(active, z.const, 0.0)
        picked = z.take(np.flatnonzero(unknown))
        low, high = low[unknown], high[unknown]
        variables = self.relaxation.add_relus(picked, low, high)
        rows = self.relaxation.widen(rows)
        rows[np.flatnonzero(unknown), variables] = 1.0
        for i, y in enumerate(variables):
            self._relu_rows(picked.rows[i], picked.const[i], y, low[i], high[i])
        return Tensor(rows, const, z.shape)

    def _relu_rows(self, z, const, y, low, high):
        """y >= z; y <= z - low (1 - d); y <= high d; y >= 0 is a bound."""
        d = self._binary()
        own = np.zeros(y + 1)
        own[y] = 1.0
        wide = np.pad(z, (0, y + 1 - len(z)))
        self.constraints.append((wide - own, {}, -const))
        self.constraints.append((own - wide, {d: -low}, const - low))
        self.constraints.append((own, {d: -high}, 0.0))

    def maximum(self, tensor, windows, shape):
        """The maxima over `windows`, lists of indices into `tensor`."""
        low, high = self.relaxation.bounds(tensor.rows, tensor.const)
        pieces = [self._maximum(tensor, window, low, high) for window in windows]
        rows = np.vstack([self.relaxation.widen(piece.rows) for piece in pieces])
        return Tensor(rows, np.concatenate([piece.const for piece in pieces]), tuple(shape))

    def _maximum(self, tensor, window, low, high):
        window = window[high[window] >= low[window].max()]  # the others are never the largest
        candidates = tensor.take(window)
        if len(window) == 1:
            return candidates
        low, high = low[window], high[window]
        (y,) = self.relaxation.add_maximum(candidates, low, high)
        self._maximum_rows(candidates, y, low, high.max())
        own = np.zeros((1, y + 1))
        own[0, y] = 1.0
        return Tensor(own, np.zeros(1), (1,))

    def _maximum_rows(self, candidates, y, low, top):
        """y >= z_i; y <= z_i + (top - low_i)(1 - d_i); the d_i sum to one."""
        own = np.zeros(y + 1)
        own[y] = 1.0
        chosen = []
        for z, const, least in zip(candidates.rows, candidates.const, low):
            wide = np.pad(z, (0, y + 1 - len(z)))
            d = self._binary()
            chosen.append(d)
            self.constraints.append((wide - own, {}, -const))
            self.constraints.append((own - wide, {d: top - least}, const + top - least))
        self.equations.append(chosen)

    def _binary(self):
        self.binaries += 1
        return self.binaries - 1


def best_margin(encoder, atoms, border, cap, seconds):
    """Looks for the largest t in [-border, cap] such that some point satisfies row.v + t <= limit for all atoms.

    `atoms` are (row over variables, limit). Those on inputs have the margin too; the box itself has none.
    """
    width = encoder.relaxation.width
    columns = width + encoder.binaries + 1
    rows, limits = _matrix(encoder, atoms, columns)
    least = np.full(len(limits), -np.inf)
    ones = np.zeros((len(encoder.equations), columns))
    for row, chosen in zip(ones, encoder.equations):
        row[width + np.array(chosen)] = 1.0
    constraints = [LinearConstraint(csr_array(rows), least, limits)]
    constraints += [LinearConstraint(csr_array(ones), 1, 1)] if len(ones) else []
    lower = np.concatenate([encoder.relaxation.lower, np.zeros(encoder.binaries), [-border]])
    upper = np.concatenate([encoder.relaxation.upper, np.ones(encoder.binaries), [cap]])
    whole = np.concatenate([np.zeros(width), np.ones(encoder.binaries), [0]])
    goal = np.zeros(columns)
    goal[-1] = -1.0
    answer = milp(
        goal, integrality=whole, bounds=Bounds(lower, upper), constraints=constraints, options={"time_limit": seconds}
    )
    return _found(answer, encoder)


def _found(answer, encoder):
    if answer.status == INFEASIBLE:
        return Found(None, None)
    if answer.status != OPTIMAL:
        raise TimeoutError(answer.message)
    return Found(answer.x[-1], answer.x[: encoder.inputs])


def _matrix(encoder, atoms, columns):
    width = encoder.relaxation.width
    rows = np.zeros((len(encoder.constraints) + len(atoms), columns))
    limits = np.zeros(len(rows))
    for i, (row, binaries, limit) in enumerate(encoder.constraints):
        rows[i, : len(row)] = row
        for d, coefficient in binaries.items():
            rows[i, width + d] = coefficient
        limits[i] = limit
    for i, (row, limit) in enumerate(atoms, len(encoder.constraints)):
        rows[i, : len(row)] = row
        rows[i, -1] = 1.0
        limits[i] = limit
    return rows, limits
