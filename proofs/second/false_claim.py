"""False claims for tests of refusal: a property that the middle of each of its regions violates."""

from fractions import Fraction

from binary64 import Interval, above, nearest
from network import Affine, Input
from vnnlib import INPUT


def evaluate(network, point):
    """The exact output of a network."""
    values = []
    for value in network.values:
        if isinstance(value, Input):
            values.append(point)
        elif isinstance(value, Affine):
            values.append([bias + sum(w * values[source][j] for source, rows in value.parts for j, w in rows[i])
                           for i, bias in enumerate(value.bias)])
        else:
            values.append([max(Fraction(0), z) for z in values[value.source]])
    return values[network.output]


def false_variant(network, prop):
    """The property with bounds of atoms so large that the middle of the region satisfies every case."""
    cases = []
    for case in prop.cases:
        middle = [(Fraction(lower.high) + Fraction(upper.low)) / 2 for lower, upper in prop.regions[case.region]]
        output = evaluate(network, middle)
        atoms = []
        for atom in case.atoms:
            sides = ((Fraction(c.low) + Fraction(c.high)) / 2 * (middle if kind == INPUT else output)[element]
                     for (kind, element), c in atom.terms)
            b = above(above(nearest(sum(sides))))
            atoms.append(atom._replace(b=Interval(b, b)))
        cases.append(case._replace(atoms=tuple(atoms)))
    return prop._replace(cases=cases)


def with_property(data, prop):
    """A certificate that names another property."""
    return data[:42] + prop.digest() + data[74:]
