"""VNN-LIB 1.0 files as properties: section 7 of FORMAT.md.

`read(text)` returns a `Property`; `Property.digest()` is the SHA-256 of its canonical form.
"""

import hashlib
import re
import struct
from itertools import product
from typing import NamedTuple

from binary64 import ZERO, ONE, Interval, above, add, below, decimal, divide, enclose, multiply, negative
from errors import Unreadable

INPUT, OUTPUT = 0, 1
VARIABLE = re.compile(r"([XY])_(\d+)")
TOKEN = re.compile(r";[^\n]*|[()]|[^\s();]+")
# Files that multiply out to more cases than this are not for this checker.
MOST_CASES = 100_000


class Atom(NamedTuple):
    """`sum of terms <= b`: terms are pairs of a variable (INPUT or OUTPUT, element) and its coefficient."""

    strict: bool
    terms: tuple
    b: Interval


class Case(NamedTuple):
    """Atoms that no point of a region may satisfy together."""

    region: int
    atoms: tuple


class Property(NamedTuple):
    """Numbers of inputs and outputs, regions (a pair of bounds for each input), and cases."""

    inputs: int
    outputs: int
    regions: list
    cases: list

    def canonical(self):
        """The bytes that the property's digest is of. A VNN-LIB file has neither constraints nor balls."""
        parts = [b"bartizan property 1\n", count(self.inputs), count(self.outputs), count(len(self.regions))]
        for region in self.regions:
            parts += [interval(bound) for bounds in region for bound in bounds]
            parts += [count(0), count(0)]
        parts.append(count(len(self.cases)))
        for case in self.cases:
            parts += [count(case.region), count(len(case.atoms))]
            for atom in case.atoms:
                parts += [count(atom.strict), count(len(atom.terms)), interval(atom.b)]
                parts += [count(kind) + count(element) + interval(c) for (kind, element), c in atom.terms]
        return b"".join(parts)

    def digest(self):
        """The property digest."""
        return hashlib.sha256(self.canonical()).digest()


def count(number):
    """A count or an index in the canonical form."""
    return struct.pack("<Q", number)


def interval(bound):
    """An interval in the canonical form."""
    return struct.pack("<dd", bound.low, bound.high)


def read(text):
    """Reads a VNN-LIB file."""
    declared, assertions = set(), []
    for command in expressions(text):
        match command:
            case ["declare-const", str(name), "Real"] | ["declare-fun", str(name), [], "Real"]:
                declared.add(variable(name))
            case ["assert", formula]:
                assertions += conjuncts(formula)
            case _:
                raise Unreadable(f"unknown command {command!r:.80}")
    inputs, outputs = (how_many(declared, kind) for kind in (INPUT, OUTPUT))
    return regions_of(inputs, outputs, cases_of([alternatives(formula) for formula in assertions]), declared)


def expressions(text):
    """The parenthesised expressions of a text, as nested lists of words."""
    stack = [[]]
    for token in TOKEN.findall(text):
        if token.startswith(";"):
            continue
        if token == "(":
            stack.append([])
        elif token == ")":
            if len(stack) == 1:
                raise Unreadable("a parenthesis is closed that was not opened")
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(token)
    if len(stack) > 1:
        raise Unreadable("a parenthesis is not closed")
    return stack[0]


def variable(name):
    """`X_3` as (INPUT, 3)."""
    match = VARIABLE.fullmatch(name)
    if not match:
        raise Unreadable(f"{name!r} is not a variable")
    return (INPUT if match[1] == "X" else OUTPUT, int(match[2]))


def how_many(declared, kind):
    """How many inputs or outputs there are; none may be missing."""
    elements = {element for k, element in declared if k == kind}
    if elements != set(range(len(elements))):
        raise Unreadable("a variable is missing")
    return len(elements)


def conjuncts(formula):
    """A top-level `and` is several assertions."""
    if isinstance(formula, list) and formula[:1] == ["and"]:
        return [part for each in formula[1:] for part in conjuncts(each)]
    return [formula]


# Terms


def linear(term):
    """A term as a dictionary from variables to coefficients; the constant has the key None."""
    if isinstance(term, str):
        if VARIABLE.fullmatch(term):
            return {variable(term): ONE}
        return {None: enclose(decimal(term))}
    match term:
        case ["+", *parts] if parts:
            return fold(parts, plus)
        case ["-", part]:
            return scaled(linear(part), negative)
        case ["-", *parts] if parts:
            return fold(parts, minus)
        case ["*", *parts] if parts:
            return fold(parts, times)
        case ["/", *parts] if len(parts) > 1:
            return fold(parts, over)
    raise Unreadable(f"unknown term {term!r:.80}")


def fold(parts, operation):
    """Applies an operation to terms from left to right."""
    result = linear(parts[0])
    for part in parts[1:]:
        result = operation(result, linear(part))
    return result


def plus(a, b):
    """a + b"""
    total = dict(a)
    for key, c in b.items():
        if key is not None and key in total and c == negative(total[key]) and c.low == c.high:
            del total[key]
        else:
            total[key] = add(total.get(key, ZERO), c)
    return total


def minus(a, b):
    """a - b"""
    return plus(a, scaled(b, negative))


def times(a, b):
    """a b, where one of them is constant."""
    if not is_constant(a):
        a, b = b, a
    if not is_constant(a):
        raise Unreadable("a product of variables")
    return scaled(b, lambda c: multiply(c, a.get(None, ZERO)))


def over(a, b):
    """a / b, where b is constant."""
    if not is_constant(b):
        raise Unreadable("a quotient by a variable")
    return scaled(a, lambda c: divide(c, b.get(None, ZERO)))


def is_constant(term):
    """Whether a term has no variables."""
    return not term.keys() - {None}


def scaled(a, operation):
    """A term with all its coefficients changed; those that become 0 are left out."""
    changed = {key: operation(c) for key, c in a.items()}
    return {key: c for key, c in changed.items() if c != ZERO}


# Formulas


def alternatives(formula, negated=False):
    """The disjunctive normal form: a list of lists of atoms."""
    match formula:
        case ["not", part]:
            return alternatives(part, not negated)
        case ["and" | "or" as word, *parts]:
            lists = [alternatives(part, negated) for part in parts]
            if (word == "or") != negated:
                return [alternative for each in lists for alternative in each]
            return conjunction(lists)
        case ["<=" | ">=" | "<" | ">" | "=" as relation, *terms] if len(terms) > 1:
            lists = [compared(relation, a, b, negated) for a, b in zip(terms, terms[1:])]
            if negated:
                return [alternative for each in lists for alternative in each]
            return conjunction(lists)
    raise Unreadable(f"unknown formula {formula!r:.80}")


def conjunction(lists):
    """All ways to choose one alternative from each list, the first varying slowest."""
    total = 1
    for each in lists:
        total *= len(each)
    if total > MOST_CASES:
        raise Unreadable("too many cases")
    return [[atom for part in choice for atom in part] for choice in product(*lists)]


def compared(relation, a, b, negated):
    """A comparison of two terms as alternatives; those with a false comparison of constants are left out."""
    match relation, negated:
        case ("=", False):
            lists = [[at_most(a, b, False), at_most(b, a, False)]]
        case ("=", True):
            lists = [[at_most(a, b, True)], [at_most(b, a, True)]]
        case ("<=", False) | (">", True):
            lists = [[at_most(a, b, relation == "<")]]
        case ("<", False) | (">=", True):
            lists = [[at_most(a, b, True)]]
        case (">=", False) | ("<", True):
            lists = [[at_most(b, a, False)]]
        case _:
            lists = [[at_most(b, a, True)]]
    return [[atom for atom in each if truth(atom) is None] for each in lists
            if all(truth(atom) is not False for atom in each)]


def at_most(a, b, strict):
    """The atom `a - b <= 0`, with its constant on the right."""
    difference = minus(linear(a), linear(b))
    constant = difference.pop(None, ZERO)
    return Atom(strict, tuple(sorted(difference.items())), negative(constant))


def truth(atom):
    """Whether an atom is a comparison of constants that is certainly true or certainly false."""
    if atom.terms:
        return None
    if atom.b.low > 0 or atom.b.low == 0 and not atom.strict:
        return True
    if atom.b.high < 0 or atom.b.high == 0 and atom.strict:
        return False
    return None


# Cases and regions


def cases_of(assertions):
    """Shared atoms first, then those of one alternative of each other assertion."""
    shared = [atom for each in assertions if len(each) == 1 for atom in each[0]]
    return [shared + own for own in conjunction([each for each in assertions if len(each) != 1])]


def regions_of(inputs, outputs, cases, declared):
    """Splits the atoms of each case into bounds on inputs and the others, and shares equal regions."""
    regions, kept = [], []
    for atoms in cases:
        for atom in atoms:
            if any(key not in declared for key, _ in atom.terms):
                raise Unreadable("a variable is not declared")
        region = box(inputs, [atom for atom in atoms if is_bound(atom)])
        if any(lower.low > upper.high for lower, upper in region):
            continue
        if region not in regions:
            regions.append(region)
        kept.append(Case(regions.index(region), tuple(atom for atom in atoms if not is_bound(atom))))
    return Property(inputs, outputs, regions, kept)


def is_bound(atom):
    """Whether an atom bounds a single input."""
    return len(atom.terms) == 1 and atom.terms[0][0][0] == INPUT


def box(inputs, atoms):
    """The lower and the upper bound of every input."""
    # Upper bounds on the inputs, and on their negatives.
    upper, minus_lower = {}, {}
    for atom in atoms:
        [((_, element), c)] = atom.terms
        if c.low <= 0 <= c.high:
            raise Unreadable("a coefficient that may be zero")
        side = upper if c.low > 0 else minus_lower
        bound = divide(atom.b, c if c.low > 0 else negative(c))
        if atom.strict:
            bound = Interval(below(bound.low), bound.high)
        known = side.get(element, bound)
        side[element] = Interval(min(known.low, bound.low), min(known.high, bound.high))
    if not upper.keys() == minus_lower.keys() == set(range(inputs)):
        raise Unreadable("an input is not bounded on both sides")
    return tuple(apart(negative(minus_lower[i]), upper[i]) for i in range(inputs))


def apart(lower, upper):
    """Two bounds; the same interval twice would look like the same number twice."""
    if lower == upper and lower.low < lower.high:
        upper = Interval(below(upper.low), upper.high)
    return lower, upper
