"""The state in which a node of a tree is checked: section 4 of FORMAT.md.

Ends of intervals are integers in units of 2^-1074, the smallest binary64 number, so that every binary64 number is one of
them. Computed ends are rounded outward to such integers.
"""

from fractions import Fraction
from typing import NamedTuple

import forms
from errors import Refused
from forms import GRID
from network import Affine, Input

MOST_ASSUMED = 512


class Cut(NamedTuple):
    """A literal that is assumed, in terms of values instead of places."""

    value: int
    element: int
    upper: bool
    at: Fraction


class Goal:
    """Atoms that must not hold together. Two goals are the same only if they are the same object.

    An atom is a pair of its terms, which are (value, element, low c, high c), and its upper b.
    """

    def __init__(self, atoms):
        self.atoms = atoms


class State:
    """Intervals of all values, cuts, kept slopes, lemmas and open goals."""

    def __init__(self, network, lows, highs, goals):
        self.network = network
        self.lows, self.highs = lows, highs
        # Values from here on have to be enclosed again before they are used.
        self.first_stale = len(network.values)
        self.cuts, self.kept, self.lemmas = [], [], []
        self.assumed = 0
        self.uses_forms = False
        self.goals = goals

    @classmethod
    def root(cls, network, region, goals):
        """The state of a region's outer bounds."""
        lows = [[to_grid(Fraction(lower.low)) for lower, _ in region]]
        highs = [[to_grid(Fraction(upper.high)) for _, upper in region]]
        state = cls(network, lows, highs, goals)
        for v in range(1, len(network.values)):
            low, high = state.forward(v)
            lows.append(low)
            highs.append(high)
        return state

    def copy(self):
        """A copy for a subtree. Lists of ends are never changed in place, so that they may be shared."""
        copy = State(self.network, list(self.lows), list(self.highs), dict(self.goals))
        copy.first_stale, copy.assumed, copy.uses_forms = self.first_stale, self.assumed, self.uses_forms
        copy.cuts, copy.kept, copy.lemmas = list(self.cuts), list(self.kept), list(self.lemmas)
        return copy

    def interval(self, place, element):
        """The interval of an element of a place."""
        value = self.value(place, element)
        self.enclose(value)
        return self.lows[value][element], self.highs[value][element]

    def value(self, place, element):
        """The value of a place that has this element."""
        if place >= len(self.network.places):
            raise Refused("there is no such place")
        if element >= self.network.size(place):
            raise Refused("there is no such element")
        return self.network.places[place]

    def cut(self, place, element, upper, at):
        """Cuts an interval at a bound that is known to hold (an integer of the grid)."""
        value = self.value(place, element)
        ends = self.highs if upper else self.lows
        old = ends[value][element]
        new = min(old, at) if upper else max(old, at)
        if new != old:
            ends[value] = ends[value][:element] + [new] + ends[value][element + 1:]
            self.first_stale = min(self.first_stale, value + 1)

    def assume(self, literal):
        """Assumes a literal."""
        self.assumed += 1
        if self.assumed > MOST_ASSUMED:
            raise Refused("too many literals are assumed")
        value = self.value(literal.place, literal.element)
        at = finite(literal.value)
        self.enclose(value)
        self.cut(literal.place, literal.element, literal.upper, to_grid(at))
        if literal.place != 0:
            self.cuts.append(Cut(value, literal.element, literal.upper, at))

    def use_forms(self):
        """Uses forms from here on."""
        if len(forms.varying(self.lows[0], self.highs[0])) > forms.MOST_VARYING:
            raise Refused("too many inputs vary")
        self.uses_forms, self.first_stale = True, 1

    def enclose_all(self):
        """Encloses all values."""
        self.enclose(len(self.network.values) - 1)

    def enclose(self, last):
        """Encloses the values up to one again that follow one that has changed."""
        first, self.first_stale = self.first_stale, max(self.first_stale, last + 1)
        known = []
        for v in range(last + 1 if first <= last else 0):
            if self.uses_forms:
                known.append(self.form(v, known))
            if v >= first:
                self.intersect(v, *self.forward(v))
                if self.uses_forms:
                    self.intersect(v, *known[v].ends())

    def intersect(self, v, lows, highs):
        """Keeps the tighter ends of a value."""
        self.lows[v] = [max(a, b) for a, b in zip(lows, self.lows[v])]
        self.highs[v] = [min(a, b) for a, b in zip(highs, self.highs[v])]

    def form(self, v, known):
        """The forms of a value, from those of the values before it."""
        value = self.network.values[v]
        if isinstance(value, Input):
            return forms.of_input(self.lows[v], self.highs[v])
        if isinstance(value, Affine):
            return forms.of_affine(self.network.parts[v], *self.network.biases[v], known)
        return forms.of_relu(known[value.source], self.lows[value.source], self.highs[value.source])

    def forward(self, v):
        """The ends of a value by interval arithmetic from its sources."""
        value = self.network.values[v]
        if isinstance(value, Affine):
            return self.affine_ends(v)
        return ([max(0, low) for low in self.lows[value.source]],
                [max(0, high) for high in self.highs[value.source]])

    def affine_ends(self, v):
        """The ends of an affine value, rounded outward."""
        biases, denominator = self.network.biases[v]
        common = denominator
        for part in self.network.parts[v]:
            common *= part.ratio
        ends = [(bias * (common // denominator) * GRID,) * 2 for bias in biases]
        for part in self.network.parts[v]:
            lows, highs, factor = self.lows[part.source], self.highs[part.source], common // part.ratio
            for i, row in enumerate(part.rows):
                low = sum(w * (lows[j] if w > 0 else highs[j]) for j, w in row)
                high = sum(w * (highs[j] if w > 0 else lows[j]) for j, w in row)
                ends[i] = ends[i][0] + low * factor, ends[i][1] + high * factor
        return [low // common for low, _ in ends], [-(-high // common) for _, high in ends]

    def is_empty(self):
        """Whether some interval has its lower end above its upper end."""
        self.enclose_all()
        return any(low > high for lows, highs in zip(self.lows, self.highs) for low, high in zip(lows, highs))


def finite(number):
    """A binary64 number as a fraction, if it is finite."""
    if number in (float("inf"), float("-inf")):
        raise Refused("a value is not finite")
    return Fraction(number)


def to_grid(exact):
    """A binary64 number, or the largest number of the grid that is not above an exact one."""
    return exact.numerator * GRID // exact.denominator
