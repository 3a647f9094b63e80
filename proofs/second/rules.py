"""Checks a certificate: one function for each item of section 4 of FORMAT.md."""

from fractions import Fraction

import certificate as c
from errors import Refused, Unreadable
from linear_bound import bound_end, read_witness, refute
from state import GRID, Goal, State, to_grid
from vnnlib import INPUT

MOST_ON_A_PATH = 1 << 12


def check(network, model_digest, prop, data):
    """Returns if the certificate in `data` proves the property for the network, and raises `Refused` otherwise."""
    if (network.values[0].size, network.size(-1)) != (prop.inputs, prop.outputs):
        raise Unreadable("the property speaks of other numbers of inputs or outputs than the network has")
    claim = c.read(data)
    if claim.model != model_digest:
        raise Refused("the certificate is for another model")
    if claim.property != prop.digest():
        raise Refused("the certificate is for another property")
    order = [region for region, _ in claim.proofs]
    if any(a >= b for a, b in zip(order, order[1:])) or any(region >= len(prop.regions) for region in order):
        raise Refused("proofs are not in the order of their regions")
    if {case.region for case in prop.cases} - set(order):
        raise Refused("a region has no proof")
    for region, tree in claim.proofs:
        goals = {number: goal_of(network, case) for number, case in enumerate(prop.cases) if case.region == region}
        check_tree(State.root(network, prop.regions[region], goals), tree)


def goal_of(network, case):
    """A case as a goal: variables become elements of values, and atoms get their outer ends."""
    def term(key, coefficient):
        kind, element = key
        return 0 if kind == INPUT else network.output, element, Fraction(coefficient.low), Fraction(coefficient.high)

    return Goal([([term(*each) for each in atom.terms], Fraction(atom.b.high)) for atom in case.atoms])


def check_tree(state, tree):
    """Checks the items of a tree one after the other."""
    for item in tree:
        RULES[type(item)](state, item)
        if max(len(state.kept), len(state.lemmas)) > MOST_ON_A_PATH:
            raise Refused("too many kept slopes or lemmas")


def end(state, _):
    """No goal may be open."""
    if state.goals:
        raise Refused("a goal is open")


def empty(state, _):
    """No point may be left."""
    if not state.is_empty():
        raise Refused("the node is not empty")


def middle(state, item):
    """The binary64 number next to the middle of an input, where it is between its ends."""
    low, high = state.interval(0, item.element)
    try:
        at = (low + high) / (2 * GRID)
    except OverflowError:
        raise Refused("the middle is out of range") from None
    split(state, 0, item.element, (at, at), (item.first, item.second))


def values(state, item):
    """Any two values that leave no gap."""
    if not item.above <= item.below:
        raise Refused("a split leaves a gap")
    split(state, item.place, item.element, (item.below, item.above), (item.first, item.second))


def split(state, place, element, ends, trees):
    """Checks both trees of a split."""
    for at, upper, tree in zip(ends, (True, False), trees):
        branch = state.copy()
        branch.assume(c.Literal(place, element, upper, at))
        check_tree(branch, tree)


def tighten_all(state, _):
    """Tightens the undecided elements that feed ReLU nodes."""
    done = set()
    for place in sorted(range(1, len(state.network.places) - 1), key=lambda p: state.network.places[p]):
        if state.network.places[place] not in done:
            done.add(state.network.places[place])
            tighten_undecided(state, c.TightenUndecided(place))


def tighten_undecided(state, item):
    """Tightens both ends of the elements with a negative lower and a positive upper end."""
    value = state.value(item.place, 0)
    state.enclose(value)
    undecided = [i for i, (low, high) in enumerate(zip(state.lows[value], state.highs[value])) if low < 0 < high]
    tighten(state, item.place, [((i, upper), c.Default()) for i in undecided for upper in (False, True)])


def tighten_marked(state, item):
    """Tightens marked ends."""
    if item.elements != state.network.values[state.value(item.place, 0)].size:
        raise Refused("another number of elements than the place has")
    ends = [(i, False) for i in item.lows] + [(i, True) for i in item.highs]
    tighten(state, item.place, [(end, c.Default()) for end in ends])


def tighten_listed(state, item):
    """Tightens listed ends."""
    tighten(state, item.place, item.ends)


def tighten(state, place, ends):
    """Bounds all ends in the state before, and then cuts the intervals at the bounds; the place must exist in any case."""
    state.enclose(state.value(place, 0))
    for _, witness in ends:
        enclose_signs(state, witness)
    bounds = [bound_end(state, place, element, upper, witness) for (element, upper), witness in ends]
    for ((element, upper), _), bound in zip(ends, bounds):
        state.cut(place, element, upper, bound)


def enclose_signs(state, witness):
    """Encloses the values whose signs a witness assumes."""
    if isinstance(witness, c.Signs):
        for place in {sign.place for leaf in witness.leaves for sign in leaf.way}:
            state.enclose(state.value(place, 0))


def prove(state, item):
    """Refutes the negation of a literal, which holds from there on."""
    literal = item.literal
    negation = literal._replace(upper=not literal.upper)
    branch = state.copy()
    branch.assume(negation)
    sign = 1 if negation.upper else -1
    value = state.value(literal.place, literal.element)
    at = Fraction(literal.value)
    branch.goals = {0: Goal([([(value, literal.element, sign, sign)], sign * at)])}
    check_tree(branch, item.tree)
    state.enclose(value)
    state.cut(literal.place, literal.element, literal.upper, to_grid(at))


def keep(state, item):
    """Keeps slopes, which are judged at once."""
    state.kept.append(read_witness(state, item.slopes))


def close(state, item):
    """Refutes goals."""
    for number, multipliers, witness in item.goals:
        refute(state, opened(state, number), multipliers, witness)
        del state.goals[number]


def opened(state, number):
    """A goal that is open."""
    if number not in state.goals:
        raise Refused("a goal is not open")
    return state.goals[number]


def lemma(state, item):
    """Refutes goals under literals."""
    if len(set(item.cases)) != len(item.cases):
        raise Refused("a goal is named twice")
    goals = {number: opened(state, number) for number in item.cases}
    branch = state.copy()
    branch.goals = dict(goals)
    for literal in item.literals:
        branch.assume(literal)
    check_tree(branch, item.tree)
    if item.literals:
        state.lemmas.append((item.literals, list(goals.values())))
    else:
        remove(state, goals.values())


def apply(state, item):
    """Uses a lemma whose literals hold."""
    if item.lemma >= len(state.lemmas):
        raise Refused("there is no such lemma")
    literals, goals = state.lemmas[item.lemma]
    for literal in literals:
        low, high = state.interval(literal.place, literal.element)
        at = to_grid(Fraction(literal.value))
        if (high > at) if literal.upper else (low < at):
            raise Refused("a lemma does not apply")
    remove(state, goals)


def remove(state, goals):
    """The goals that are among the open ones are refuted."""
    refuted = set(map(id, goals))
    state.goals = {number: goal for number, goal in state.goals.items() if id(goal) not in refuted}


def forms(state, _):
    """Forms are in use from here on."""
    state.use_forms()


RULES = {
    c.End: end, c.Empty: empty, c.Middle: middle, c.Values: values,
    c.TightenAll: tighten_all, c.TightenUndecided: tighten_undecided, c.TightenMarked: tighten_marked,
    c.TightenListed: tighten_listed, c.Prove: prove, c.Keep: keep, c.Close: close, c.Lemma: lemma, c.Apply: apply,
    c.Forms: forms,
}
