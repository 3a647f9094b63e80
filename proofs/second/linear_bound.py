"""The linear bound rule: section 5 of FORMAT.md.

Coefficients of a pass are integers in units of 1 / (unit * scale of the value). What does not fit the unit is rounded in a
direction that keeps the bound true: alpha times a coefficient downward, and the slope of a chord to any number, at its exact cost.
"""

from collections import defaultdict
from fractions import Fraction
from math import inf, lcm

from certificate import Alone, Default, Kept, Signs, Slopes
from errors import Refused
from network import Affine, Input
from state import GRID, MOST_ASSUMED, Cut

# Slopes are rounded to multiples of 2^-PRECISION of the smallest denominator that the start allows.
PRECISION = 128
NO_SLOPES = Slopes({}, [], [])


def bound_end(state, place, element, upper, witness):
    """A bound on an end of an element, as an integer of the grid."""
    value = state.value(place, element)
    sign = -1 if upper else 1
    bound = lower_bound(state, {(value, element): Fraction(sign)}, Fraction(0), witness)
    floor = bound.numerator * GRID // bound.denominator
    return sign * floor


def refute(state, goal, multipliers, witness):
    """Refutes a goal, or refuses."""
    state.enclose_all()
    coefficients, constant = defaultdict(Fraction), Fraction(0)
    for (terms, b), factor in zip(goal.atoms, of_atoms(goal, multipliers)):
        constant -= factor * b
        for value, element, low, high in terms:
            coefficients[value, element] += factor * low
            # c v is low v + (c - low) v, and c - low is between 0 and high - low.
            constant += factor * min(0, (high - low) * Fraction(state.lows[value][element], GRID))
    if lower_bound(state, coefficients, constant, witness) <= 0:
        raise Refused("a goal is not refuted")


def of_atoms(goal, multipliers):
    """A multiplier for each atom."""
    if isinstance(multipliers, Alone):
        if multipliers.atom >= len(goal.atoms):
            raise Refused("there is no such atom")
        return [Fraction(k == multipliers.atom) for k in range(len(goal.atoms))]
    if len(multipliers) != len(goal.atoms):
        raise Refused("another number of multipliers than atoms")
    return [multiplier(m) for m in multipliers]


def multiplier(number):
    """A multiplier or a beta as a fraction."""
    if not 0 <= number < inf:
        raise Refused("a multiplier is not finite or negative")
    return Fraction(number)


def lower_bound(state, coefficients, constant, witness):
    """A lower bound on `sum of coefficients times elements + constant`, as a fraction, in enclosed values."""
    if not isinstance(witness, Signs):
        return bound_with(state, coefficients, constant, read_witness(state, witness), [])
    # Those that no leaf uses must fit, too.
    bases = [read_witness(state, base) for base in [witness.base, *witness.others]]
    return min(leaf_bound(state, coefficients, constant, bases[leaf.base], leaf) for leaf in witness.leaves)


def leaf_bound(state, coefficients, constant, base, leaf):
    """The bound of one leaf of a tree of signs."""
    if state.assumed + len(leaf.way) > MOST_ASSUMED:
        raise Refused("too many literals and signs are assumed")
    signs = [cut_of(state, sign) for sign in leaf.way]
    if leaf.slopes is not None:
        own = fitting(state, judged(state.network, leaf.slopes), len(state.cuts) + len(signs))
        alphas = {place: base.alphas.get(place, {}) | own.alphas.get(place, {}) for place in base.alphas | own.alphas}
        return bound_with(state, coefficients, constant, own._replace(alphas=alphas), signs)
    if len(leaf.betas) > len(signs):
        raise Refused("more betas than signs on the way")
    betas = base.betas + [Fraction(0)] * (len(state.cuts) - len(base.betas)) + list(map(multiplier, leaf.betas))
    return bound_with(state, coefficients, constant, base._replace(betas=betas), signs)


def cut_of(state, sign):
    """A sign as a cut; its place must feed a ReLU node."""
    if not 1 <= sign.place < len(state.network.places) - 1:
        raise Refused("the sign of what feeds no ReLU node")
    return Cut(state.value(sign.place, sign.element), sign.element, sign.upper, Fraction(0))


def bound_with(state, coefficients, constant, slopes, signs):
    """The bound with some slopes, whose betas are those of the state's cuts and then of signs."""
    coefficients = defaultdict(Fraction, coefficients)
    for beta, cut in zip(slopes.betas, state.cuts + signs):
        signed = beta if cut.upper else -beta
        coefficients[cut.value, cut.element] += signed
        constant -= signed * cut.at
    # Of two signs of one element the later one counts.
    off = {(sign.value, sign.element): sign.upper for sign in signs}
    return Pass(state, coefficients, slopes.alphas, off).run() + constant


def read_witness(state, witness):
    """The slopes of a witness without a tree of signs."""
    if isinstance(witness, Default):
        return NO_SLOPES
    if not isinstance(witness, Kept):
        witness = judged(state.network, witness)
    elif witness.number < len(state.kept):
        witness = state.kept[witness.number]
    else:
        raise Refused("there are no such slopes")
    return fitting(state, witness, len(state.cuts))


def fitting(state, slopes, cuts):
    """Slopes that have no more multipliers than there is to multiply."""
    if len(slopes.betas) > cuts:
        raise Refused("more betas than cuts")
    if slopes.constraints:
        raise Refused("more multipliers than the region has constraints")
    return slopes


def judged(network, slopes):
    """Slopes whose numbers are allowed: alphas are pairs by place and element, the others are fractions."""
    alphas = {place: alphas_of(network, place, *given) for place, given in slopes.alphas.items()}
    return Slopes(alphas, list(map(multiplier, slopes.betas)), list(map(multiplier, slopes.constraints)))


def alphas_of(network, place, elements, given):
    """The alphas of a place, each as numerator and denominator."""
    if place >= len(network.places) or elements != network.size(place):
        raise Refused("alphas do not fit their place")
    if not all(0 <= alpha <= 1 for alpha in given.values()):
        raise Refused("an alpha is not between 0 and 1")
    return {element: alpha.as_integer_ratio() for element, alpha in given.items()}


class Pass:
    """A walk from the last value to the first; `off` says of elements with assumed signs whether they are at most 0."""

    def __init__(self, state, coefficients, alphas, off):
        self.state, self.network, self.alphas, self.off = state, state.network, alphas, off
        self.unit = lcm(*(c.denominator for c in coefficients.values())) << PRECISION
        self.coefficients = [defaultdict(int) for _ in self.network.values]
        for (v, element), c in coefficients.items():
            self.coefficients[v][element] += int(c * self.unit * self.network.scales[v])
        self.constant = Fraction(0)

    def run(self):
        """The bound."""
        for v in range(len(self.network.values) - 1, -1, -1):
            here = {i: a for i, a in self.coefficients[v].items() if a}
            value = self.network.values[v]
            if not here:
                continue
            if isinstance(value, Input):
                self.add(sum(self.smallest(i, a) for i, a in here.items()), v, GRID)
            elif isinstance(value, Affine):
                self.move_to_sources(v, here)
            else:
                self.move_to_source(v, value, here)
        return self.constant

    def add(self, integer, v, denominator):
        """Adds an integer in units of coefficients on value v over a denominator to the constant."""
        self.constant += Fraction(integer, self.unit * self.network.scales[v] * denominator)

    def smallest(self, i, a):
        """The smallest value of a times input i."""
        return a * (self.state.lows[0][i] if a > 0 else self.state.highs[0][i])

    def move_to_sources(self, v, here):
        """Replaces an affine value by its sources."""
        biases, denominator = self.network.biases[v]
        self.add(sum(a * biases[i] for i, a in here.items()), v, denominator)
        for part in self.network.parts[v]:
            target = self.coefficients[part.source]
            for i, a in here.items():
                for j, w in part.rows[i]:
                    target[j] += a * w

    def move_to_source(self, v, value, here):
        """Replaces `relu(z)` by something linear in z that is not larger, times its coefficient."""
        target, scales = self.coefficients[value.source], self.network.scales
        alphas = self.alphas.get(self.network.place_of_relu[v], {})
        lows, highs = self.state.lows[value.source], self.state.highs[value.source]
        costs = 0
        for i, a in here.items():
            a *= scales[value.source] // scales[v]
            if (value.source, i) in self.off and lows[i] < 0 < highs[i]:
                slope, cost = (0 if self.off[value.source, i] else a), 0
            else:
                slope, cost = relaxed(a, lows[i], highs[i], alphas.get(i))
            target[i] += slope
            costs += cost
        self.add(costs, value.source, GRID)


def relaxed(a, low, high, alpha):
    """A slope and the constant that goes with it, for `a relu(z)` with z between low and high."""
    if low >= 0:
        return a, 0
    if high <= 0:
        return 0, 0
    if a >= 0:
        numerator, denominator = alpha or (int(high > -low), 1)
        return a * numerator // denominator, 0
    slope = a * high // (high - low)
    return slope, min(-slope * low, (a - slope) * high)
