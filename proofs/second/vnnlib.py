"""VNN-LIB 1.0 files as properties: section 7 of FORMAT.md.

`read(text)` returns a `Property`; `Property.digest()` is the SHA-256 of its canonical form.
"""

import hashlib
import re
import struct
from functools import reduce
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
    """`sum of terms <= b`: terms are pairs of a variable (INPUT or OUTPUT, element) and its coefficient. The origin is the pair
    of terms that the file compares."""

    strict: bool
    terms: tuple
    b: Interval
    origin: frozenset


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
            case ["set-logic" | "set-info" | "check-sat" | "get-model" | "exit", *_]:
                pass
            case _:
                raise Unreadable(f"unknown command {command!r:.80}")
    inputs, outputs = (how_many(declared, kind) for kind in (INPUT, OUTPUT))
    return regions_of(inputs, outputs, cases_of(assertions), declared)


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
    if formula[:1] == ["and"] and len(formula) > 1:
        return [conjunct for part in formula[1:] for conjunct in conjuncts(part)]
    return [formula]


# Terms


class Linear(NamedTuple):
    """A linear term: pairs of a variable and a coefficient, as they stand in the file, and a constant."""

    terms: list
    constant: Interval


def linear(term):
    """Reads a term."""
    if isinstance(term, str):
        if VARIABLE.fullmatch(term):
            return Linear([(variable(term), ONE)], ZERO)
        return Linear([], enclose(decimal(term)))
    match term:
        case ["+", *parts] if parts:
            return reduce(plus, map(linear, parts))
        case ["-", part]:
            return scaled(linear(part), negative)
        case ["-", *parts] if parts:
            return reduce(minus, map(linear, parts))
        case ["*", *parts] if parts:
            return reduce(times, map(linear, parts))
        case ["/", *parts] if len(parts) > 1:
            return reduce(over, map(linear, parts))
    raise Unreadable(f"unknown term {term!r:.80}")


def plus(a, b):
    """a + b"""
    return Linear(a.terms + b.terms, add(a.constant, b.constant))


def minus(a, b):
    """a - b"""
    return plus(a, scaled(b, negative))


def times(a, b):
    """a b, where one of them is constant."""
    if a.terms:
        a, b = b, a
    if a.terms:
        raise Unreadable("a product of variables")
    return scaled(b, lambda c: multiply(c, a.constant))


def over(a, b):
    """a / b, where b is constant."""
    if b.terms:
        raise Unreadable("a quotient by a variable")
    return scaled(a, lambda c: divide(c, b.constant))


def scaled(a, operation):
    """A term with all its coefficients changed; those that become 0 are left out."""
    changed = [(key, operation(c)) for key, c in a.terms]
    return Linear([(key, c) for key, c in changed if c != ZERO], operation(a.constant))


# Formulas


def alternatives(formula, negated=False):
    """The disjunctive normal form: a list of lists of atoms."""
    match formula:
        case ["not", part]:
            return alternatives(part, not negated)
        case ["and" | "or" as word, *parts] if parts:
            lists = [alternatives(part, negated) for part in parts]
            return disjunction(lists) if (word == "or") != negated else conjunction(lists)
        case ["=>", *parts, last] if parts:
            return alternatives(["or", *(["not", part] for part in parts), last], negated)
        case ["<=" | ">=" | "<" | ">" | "=" as relation, *terms] if len(terms) > 1:
            lists = [compared(relation, a, b, negated) for a, b in zip(terms, terms[1:])]
            return disjunction(lists) if negated else conjunction(lists)
    raise Unreadable(f"unknown formula {formula!r:.80}")


def disjunction(lists):
    """All alternatives of all lists in order; if one of them has no atoms, all of it is true."""
    result = [alternative for each in lists for alternative in each]
    return result if all(result) else [[]]


def conjunction(lists):
    """All ways to choose one alternative from each list, the first varying slowest."""
    total = 1
    for each in lists:
        total *= len(each)
    if total > MOST_CASES:
        raise Unreadable("too many cases")
    return [[atom for part in choice for atom in part] for choice in product(*lists)]


def compared(relation, a, b, negated):
    """A comparison of two terms as alternatives. The negation of `a <= b` is `b < a`."""
    if relation == "=":
        both = [at_most(b, a, True), at_most(a, b, True)] if negated else [at_most(a, b, False), at_most(b, a, False)]
        return disjunction(both) if negated else conjunction(both)
    if relation in (">", ">="):
        a, b = b, a
    strict = relation in ("<", ">")
    return at_most(b, a, not strict) if negated else at_most(a, b, strict)


def at_most(a, b, strict):
    """The atom `a - b <= 0` with its constant on the right, as alternatives: none if it is certainly false, one with no
    atoms if it is certainly true."""
    left, right = linear(a), linear(b)
    difference = minus(left, right)
    terms = []
    for key, c in sorted(difference.terms, key=lambda term: term[0]):
        if terms and terms[-1] == (key, negative(c)) and c.low == c.high:
            terms.pop()
        else:
            terms.append((key, c))
    if terms:
        return [[Atom(strict, tuple(terms), negative(difference.constant), frozenset((str(a), str(b))))]]
    return [[]] if certainly_less(left.constant, right.constant, strict) else []


def certainly_less(a, b, strict):
    """Whether a < b (a <= b unless strict), where that is certain."""
    if a.high < b.low or a.high == b.low and not strict:
        return True
    if a.low > b.high or a.low == b.high and strict:
        return False
    raise Unreadable("constants whose order is not certain are compared")


# Cases and regions


def cases_of(assertions):
    """The atoms of each case: first those of the assertions with one alternative, which all cases share."""
    choices = [alternatives(formula) for formula in assertions]
    shared = [atom for each in choices if len(each) == 1 for atom in each[0]]
    return [shared + own for own in conjunction([each for each in choices if len(each) != 1])]


def regions_of(inputs, outputs, cases, declared):
    """Splits the atoms of each case into bounds on inputs and the others, and shares equal regions."""
    regions, kept = [], []
    for atoms in cases:
        if any(key not in declared for atom in atoms for key, _ in atom.terms):
            raise Unreadable("a variable is not declared")
        region = box(inputs, [atom for atom in atoms if is_bound(atom)])
        if region is None:
            continue
        if region not in regions:
            regions.append(region)
        kept.append(Case(regions.index(region), tuple(atom for atom in atoms if not is_bound(atom))))
    if not kept:
        raise Unreadable("the assertions contradict each other")
    return Property(inputs, outputs, regions, kept)


def is_bound(atom):
    """Whether an atom bounds a single input."""
    return atom.terms[0][0][0] == INPUT and len({key for key, _ in atom.terms}) == 1


class Bound(NamedTuple):
    """An upper bound on an input or on its negative. Bounds with the same origin are the same number."""

    interval: Interval
    strict: bool
    origin: object


def box(inputs, atoms):
    """The lower and the upper bound of every input, or None if they certainly contradict each other."""
    uppers, minus_lowers = {}, {}
    for atom in atoms:
        element = atom.terms[0][0][1]
        c = reduce(add, (c for _, c in atom.terms))
        if c.low <= 0 <= c.high:
            raise Unreadable("a coefficient that may be zero")
        side, size = (uppers, c) if c.low > 0 else (minus_lowers, negative(c))
        bound = Bound(atom.b if size == ONE else divide(atom.b, size), atom.strict, atom.origin)
        side[element] = tighter(side.get(element, bound), bound)
    if not uppers.keys() == minus_lowers.keys() == set(range(inputs)):
        raise Unreadable("an input is not bounded on both sides")
    pairs = [(minus_lowers[i], uppers[i]) for i in range(inputs)]
    if any(contradict(*pair) for pair in pairs):
        return None
    return tuple(ends(*pair) for pair in pairs)


def tighter(a, b):
    """The tighter one of two upper bounds, or a bound around it."""
    if a.origin == b.origin and a.interval == b.interval:
        return a._replace(strict=a.strict or b.strict)
    if a.interval.high < b.interval.low:
        return a
    if b.interval.high < a.interval.low:
        return b
    if a.interval == b.interval and a.interval.low == a.interval.high:
        return a._replace(strict=a.strict or b.strict)
    a, b = opened(a), opened(b)
    return Bound(Interval(min(a.low, b.low), min(a.high, b.high)), False, object())


def opened(bound):
    """The interval of a bound; that of a strict one begins one number lower."""
    return Interval(below(bound.interval.low), bound.interval.high) if bound.strict else bound.interval


def contradict(minus_lower, upper):
    """Whether two bounds certainly leave no number between them."""
    lower, higher = negative(minus_lower.interval), upper.interval
    if same_number(minus_lower, upper):
        return minus_lower.strict or upper.strict
    return lower.low > higher.high


def same_number(minus_lower, upper):
    """Whether the lower and the upper bound are certainly the same number."""
    lower, higher = negative(minus_lower.interval), upper.interval
    return lower == higher and (lower.low == lower.high or minus_lower.origin == upper.origin)


def ends(minus_lower, upper):
    """Both bounds as intervals. The same interval twice would look like the same number twice."""
    lower, higher = negative(opened(minus_lower)), opened(upper)
    if lower == higher and not same_number(minus_lower, upper):
        higher = Interval(below(higher.low), higher.high)
    return lower, higher
