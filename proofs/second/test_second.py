"""Tests of the second checker: `python3 -m unittest discover -s proofs/second -p 'test_*.py'`."""

import hashlib
import re
import struct
import sys
import unittest
import zipfile
from fractions import Fraction
from pathlib import Path
from random import Random

import certificate
import check
import forms
import linear_bound
import nnet_file
import rules
import vnnlib
from binary64 import Interval, above, below, enclose, decimal
from errors import Refused, Unreadable
from false_claim import evaluate, false_variant, with_property
from network import Builder, Network
from state import GRID, State

sys.setrecursionlimit(check.RECURSION)
PROOFS = Path(__file__).resolve().parent.parent


def format_example():
    """Model, property and certificate of section 6 of FORMAT.md."""
    section = (PROOFS / "FORMAT.md").read_text().split("\n## 6. ")[1].split("\n## ")[0]
    model, prop, listing = re.findall(r"```\n(.*?)```", section, re.S)
    data = bytes.fromhex("".join(line.split("#")[0] for line in listing.splitlines()))
    return model.encode(), prop, data


class Example(unittest.TestCase):
    """The worked example and its variations."""

    def setUp(self):
        model, prop, self.data = format_example()
        self.network, self.digest = nnet_file.read(model), hashlib.sha256(model).digest()
        self.property = vnnlib.read(prop)

    def check(self, data):
        """Checks a certificate of the example."""
        rules.check(self.network, self.digest, self.property, data)

    def changed(self, old, new):
        """The certificate with its only occurrence of some bytes after the digests changed."""
        old, new = bytes.fromhex(old), bytes.fromhex(new)
        self.assertIn(old, self.data[74:])
        at = self.data.index(old, 74)
        return self.data[:at] + new + self.data[at + len(old):]

    def refused(self, data, reason):
        """A certificate must be refused for this reason."""
        with self.assertRaisesRegex(Refused, reason):
            self.check(data)

    def test_is_accepted(self):
        self.check(self.data)

    def test_every_prefix_is_refused(self):
        for length in range(len(self.data)):
            self.refused(self.data[:length], "not a certificate|truncated")

    def test_header(self):
        self.refused(b"B" + self.data[1:], "not a certificate")
        self.refused(self.data[:8] + b"\x02" + self.data[9:], "version")
        self.refused(self.data[:9] + b"\x01" + self.data[10:], "semantics")
        self.refused(self.data[:10] + bytes(32) + self.data[42:], "another model")
        self.refused(self.data[:42] + bytes(32) + self.data[74:], "another property")
        self.refused(self.data + b"\0", "after the end")

    def test_slopes(self):
        self.refused(self.changed("0080 01 803f", "0081 01 803f"), "alpha is not between")
        self.refused(self.changed("0080 01 803f", "8000 01 803f"), "not refuted")
        self.refused(self.changed("01010203 0080", "01010303 0080"), "truncated|do not fit|unknown")
        self.refused(self.changed("01010203 0080", "01020203 0080"), "do not fit")

    def test_betas(self):
        self.refused(self.changed("0080 01 803f", "0080 01 80bf"), "not finite or negative")
        self.refused(self.changed("0080 01 803f", "0080 01 807f"), "not finite or negative")
        self.refused(self.changed("0080 01 803f", "0080 01 c07f"), "not a number")
        self.refused(self.changed("0080 01 803f", "0080 01 0000"), "not refuted")
        self.refused(self.changed("0080 01 803f", "0080 02 803f 0000"), "more betas than cuts")
        self.refused(self.changed("0080 01 803f 00", "0080 01 803f 01 0000"), "constraints")

    def test_tree(self):
        self.refused(self.changed("8b01 00", "0b01 00"), "truncated")
        self.refused(self.changed("8b01 00 01", "8b01 01 01"), "not open")
        self.refused(self.changed("8b01 00 01", "8b01 00 02"), "no such atom")
        self.refused(self.changed("030100", "030102"), "no such element")
        self.refused(self.changed("030100", "030300"), "no such place")
        self.refused(self.changed("0100 030100", "0101 030100"), "order")
        self.refused(self.data[:74] + b"\0", "no proof")
        self.refused(self.data[:76] + b"\0", "a goal is open")
        self.refused(self.data[:76] + b"\1", "not empty")
        self.refused(self.data[:76] + b"\x0f", "certificate of volume")
        self.refused(self.data[:76] + b"\x10\0", "certificate of volume")

    def test_split_with_a_gap(self):
        values = lambda low, high: self.changed("030100", "040100" + struct.pack("<dd", low, high).hex())
        self.check(values(0.0, 0.0))
        self.check(values(0.0, -0.0625))
        self.refused(values(0.0, above(0.0)), "gap")
        self.refused(values(float("inf"), 0.0), "not finite")

    def test_numbers(self):
        self.refused(self.changed("0100 030100", "8100 0100 030100"), "longer than needed")
        self.refused(self.changed("0100 030100", "01 ffffffffffffffffff02 030100"), "above 64 bits")

    def test_forms(self):
        # y is at most 3/4 by its form, and 7/4 by interval arithmetic; a node where it is at least 1 is empty.
        prove = lambda before, at, inside="": self.changed(
            "030100", before + "09 02 01" + struct.pack("<d", at).hex() + inside + "01 030100")
        self.check(prove("0e", 1.0))
        self.check(prove("0e", above(0.75)))
        self.refused(prove("0e", 0.75), "not empty")
        self.check(prove("", 1.0, "0e"))
        self.refused(prove("", 1.0), "not empty")
        self.refused(prove("8e", 1.0), "a flag")
        # What a subtree uses, the node above it does not.
        self.refused(prove("0c 00 00 0e 00", 1.0), "not empty")

    def test_trees_of_signs(self):
        one = lambda nodes, base="01 01010203 8080 00 00": self.data[:76] + bytes.fromhex("8b01 00 01 04" + base + nodes)
        self.check(one("0700 04803f 02"))
        self.check(one("0700 01 01 0000803f 01 00"))
        self.check(one("0700 00 01 01010202 80 01803f 00 04803f", "01 01010201 80 00 00"))
        # Exactly the betas that are needed, for exactly the signs that are there, in their order.
        self.refused(one("0700 02 04803f"), "not refuted")
        self.refused(one("0700 040000 02"), "not refuted")
        self.refused(one("0700 0480bf 02"), "not finite or negative")
        self.refused(one("0700 06803f803f 02"), "more betas than signs")
        self.check(one("0700 0701 02 06803f0000 0701 060000803f 02"))
        self.refused(one("0700 0701 02 0600000000 0701 060000803f 02"), "not refuted")
        # The last sign of an element counts.
        self.check(one("0700 0700 04803f 02 0700 060000803f 02"))
        self.refused(one("0700 0700 04803f 02 0700 06803f0000 02"), "not refuted")
        self.refused(one("0700 04803f 0700 02 02"), "not refuted")
        # Of the slopes of a leaf, those that are not given are the base's, but no multipliers.
        self.refused(one("0700 00 01 00 00 00 02"), "not refuted")
        self.refused(one("0700 00 01 01010203 8040 01803f 00 02"), "not refuted")
        self.refused(one("0700 00 01 01010203 8081 01803f 00 02"), "alpha is not between")
        self.refused(one("0700 00 01 01010203 8080 02803f803f 00 02"), "more betas than cuts")
        # What stands for the base does so below, and only there.
        ones, zeros, none = "03 01 01010203 8080 00 00", "03 01 01010203 0000 00 00", "03 01 00 00 00"
        weak = "01 01010203 0000 00 00"
        self.refused(one("0700 04803f 02", weak), "not refuted")
        self.check(one(ones + "0700 04803f 02", weak))
        self.refused(one(zeros + "0700 04803f 02"), "not refuted")
        self.check(one("0700" + ones + "04803f 04803f", weak))
        self.refused(one("0700" + ones + "04803f 02", weak), "not refuted")
        self.check(one("0700 04803f" + zeros + "04803f"))
        self.refused(one("0700 04803f" + zeros + "02"), "not refuted")
        self.check(one(zeros + ones + "0700 04803f 02", weak))
        self.refused(one(ones + zeros + "0700 04803f 02"), "not refuted")
        self.check(one(zeros + "0700" + ones + "04803f 04803f"))
        # What is not marked is not the outer base's.
        self.refused(one("0700" + none + "04803f 02"), "not refuted")
        self.refused(one("0700 03 01 01010201 80 00 00 04803f 02"), "not refuted")
        self.check(one("0700 03 01 01010202 80 00 00 04803f 04803f", weak))
        # A leaf's own slopes come before those of the nearest base.
        self.check(one(zeros + "0700" + ones + "00 01 00 01803f 00 04803f"))
        self.refused(one(ones + "0700" + zeros + "00 01 00 01803f 00 02"), "not refuted")
        self.check(one("0700" + zeros + "00 01 01010202 80 01803f 00 02"))
        # Its betas are those of the state's cuts alone, of which there are none; all of them must fit.
        self.refused(one("03 01 00 01803f 00 0700 04803f 02"), "more betas than cuts")
        self.refused(one("0700 03 01 00 01803f 00 04803f 02"), "more betas than cuts")
        self.refused(one("03 01 00 01803f 00" + ones + "0700 04803f 02"), "more betas than cuts")
        self.refused(one("03 01 00 00 01803f" + ones + "0700 04803f 02"), "constraints")
        self.refused(one("03 01 01010203 8081 00 00" + ones + "0700 04803f 02"), "alpha is not between")
        self.refused(one("03 01 01010301 80 00 00" + ones + "0700 04803f 02"), "do not fit")
        self.refused(one("03 03 00"), "unknown slopes")
        self.refused(one(ones), "truncated")
        self.refused(one("0700 04803f" + ones), "truncated")
        self.check(one(("0700" + ones) * 128 + "04803f" + "02" * 128))
        self.refused(one(("0700" + ones) * 129 + "04803f" + "02" * 129), "too deep")
        # Trees that are none.
        self.refused(one("0700 04803f"), "truncated")
        self.refused(one("0700 04803f 02 02"), "after the end")
        self.refused(one("02", "04 00 02"), "the base of a tree")
        self.refused(one("0702 04803f 02"), "no such element")
        self.refused(one("0500 04803f 02"), "feeds no ReLU")
        self.refused(one("0900 04803f 02"), "feeds no ReLU")
        self.check(one("0700" * 128 + "04803f" + "02" * 128))
        self.refused(one("0700" * 129 + "04803f" + "02" * 129), "too deep")

    def test_signs_count_as_assumptions(self):
        tree = lambda depth: "8b01 00 01 04 01 01010203 0000 00 00" + "0700" * depth + "02" * (depth + 1)
        leaf = "8b01 00 01 01 01010203 8080 00 00"
        nested = lambda depth: self.data[:76] + bytes.fromhex("030100" * 400 + tree(depth) + leaf * 400)
        self.check(nested(112))
        self.refused(nested(113), "too many literals and signs")

    def test_trees_of_signs_have_a_most_number_of_nodes(self):
        def grow(depth):
            return [0x07, 0x00, *grow(depth - 1), *grow(depth - 1)] if depth else [0x02]

        read = lambda data: certificate.sign_tree(certificate.Reader(bytes(data)))
        base = [3, 1, 0, 0, 0]
        for data, others, leaves in ((grow(15), 0, 1 << 15), (base * 65535 + [2], 65535, 1)):
            self.assertEqual(tuple(map(len, read(data))), (others, leaves))
        for data in (grow(16)[:-1] + grow(1), grow(16)[:-1] + base + base + [2], base * 131072 + [2]):
            with self.assertRaisesRegex(Refused, "too many nodes"):
                read(data)

    def test_any_true_bound_is_proved_and_no_other(self):
        prove = lambda at: self.changed("030100", "09 02 00" + struct.pack("<d", at).hex() + "8b01 00 01 00 030100")
        self.check(prove(-0.3125))
        self.refused(prove(-0.1875), "not refuted")


class Samples(unittest.TestCase):
    """The certificates in `samples/`."""

    def each(self, folder):
        """Every certificate of a folder with its model and property."""
        found = sorted((PROOFS / "samples" / folder).glob("*.cert"))
        self.assertTrue(found)
        for certificate in found:
            instance = certificate.name.split(".")[-2]
            models = [PROOFS / "samples" / f"{instance}.{kind}" for kind in ("nnet", "onnx")]
            [model] = [path for path in models if path.exists()]
            with self.subTest(certificate.name):
                yield model, PROOFS / "samples" / f"{instance}.vnnlib", certificate

    def test_valid_ones_are_accepted(self):
        for files in self.each("valid"):
            self.assertEqual(check.judged(*files), ("verified", ""))

    def test_rejected_ones_are_refused(self):
        for files in self.each("rejected"):
            self.assertEqual(check.judged(*files)[0], "refused")

    def test_valid_ones_do_not_prove_false_properties(self):
        for files in self.each("valid"):
            self.assertEqual(check.judged(*files, falsify=True)[0], "refused")

    def test_forms_are_needed_where_they_are_used_first(self):
        for model, prop, certificate in self.each("valid"):
            data = certificate.read_bytes()
            if data[76] == 14:
                network, digest = check.read_model(model)
                with self.assertRaises(Refused):
                    rules.check(network, digest, vnnlib.read(prop.read_text()), data[:76] + data[77:])

    def test_damaged_ones_prove_no_false_property(self):
        for model, prop, certificate in self.each("valid"):
            network, digest = check.read_model(model)
            false = false_variant(network, vnnlib.read(prop.read_text()))
            data = with_property(certificate.read_bytes(), false)
            for at in range(74, len(data)):
                for bit in (1, 0x80):
                    damaged = data[:at] + bytes([data[at] ^ bit]) + data[at + 1:]
                    with self.assertRaises(Refused):
                        rules.check(network, digest, false, damaged)


DECLARED = "(declare-const X_0 Real) (declare-const Y_0 Real) "
BOUNDED = "(assert (and (>= X_0 0) (<= X_0 1))) "


class Models(unittest.TestCase):
    """The networks in `models/` compute what onnxruntime recorded in `io.npz`."""

    def test_outputs(self):
        for name in ("controller/model.onnx", "controller/model.nnet", "cancer_mlp/model.onnx", "digits_mlp/model.onnx",
                     "digits_conv/model.onnx", "moons/model.onnx", "tram/model.onnx"):
            path = PROOFS.parent / "models" / name
            network, _ = check.read_model(path)
            inputs, outputs = (recorded(path.parent / "io.npz", key) for key in ("input", "output"))
            for sample in (0, 17):
                n, m = network.size(0), network.size(-1)
                point = [Fraction(x) for x in inputs[sample * n:(sample + 1) * n]]
                for exact, expected in zip(evaluate(network, point), outputs[sample * m:(sample + 1) * m], strict=True):
                    with self.subTest(name):
                        self.assertAlmostEqual(float(exact), expected, delta=1e-4 * (1 + abs(expected)))


def recorded(path, key):
    """The numbers of a float32 array in an .npz file, in row-major order."""
    with zipfile.ZipFile(path) as archive:
        data = archive.read(f"{key}.npy")
    size = struct.unpack("<H", data[8:10])[0]
    header, data = data[10:10 + size], data[10 + size:]
    assert b"'<f4'" in header and b"'fortran_order': False" in header
    return struct.unpack(f"<{len(data) // 4}f", data)


class Properties(unittest.TestCase):
    """Section 7 of FORMAT.md."""

    def region(self, assertions):
        """The bounds of the only input."""
        prop = vnnlib.read(DECLARED + assertions + "(assert (<= Y_0 0))")
        self.assertEqual(len(prop.regions), 1)
        return prop.regions[0][0]

    def bs(self, assertions):
        """Lower ends of the right sides of all atoms, case by case."""
        return [[atom.b.low for atom in case.atoms] for case in vnnlib.read(DECLARED + BOUNDED + assertions).cases]

    def test_numbers(self):
        self.assertEqual(enclose(decimal("0.5")), Interval(0.5, 0.5))
        self.assertEqual(enclose(decimal("0.1")), Interval(below(0.1), above(0.1)))
        self.assertEqual(enclose(decimal("-0.0")), Interval(0.0, 0.0))
        self.assertEqual(enclose(Fraction(1, 2**27)), Interval(2.0**-27, 2.0**-27))
        self.assertEqual(enclose(Fraction(1, 2**28)), Interval(below(2.0**-28), above(2.0**-28)))
        with self.assertRaises(Unreadable):
            decimal("1e9999999")

    def test_bounds(self):
        self.assertEqual(self.region("(assert (= X_0 0.5))"), (Interval(0.5, 0.5),) * 2)
        self.assertEqual(self.region("(assert (> X_0 0)) (assert (< X_0 1))"),
                         (Interval(0.0, above(0.0)), Interval(below(1.0), 1.0)))
        tenth = Interval(below(0.1), above(0.1))
        self.assertEqual(self.region("(assert (= X_0 0.1))"), (tenth, tenth))
        self.assertEqual(self.region("(assert (>= X_0 0.1)) (assert (<= X_0 0.10))"),
                         (tenth, Interval(below(below(0.1)), above(0.1))))

    def test_cases(self):
        self.assertEqual(self.bs("(assert (or (<= Y_0 1) (<= Y_0 2))) (assert (<= Y_0 3)) (assert (or (<= Y_0 4) (<= Y_0 5)))"),
                         [[3, 1, 4], [3, 1, 5], [3, 2, 4], [3, 2, 5]])
        self.assertEqual(self.bs("(assert (not (or (> Y_0 1) (= Y_0 2))))"), [[1, -2], [1, 2]])
        self.assertEqual(self.bs("(assert (or (<= 1 0) (<= Y_0 1))) (assert (<= Y_0 2))"), [[1, 2]])
        self.assertEqual(self.bs("(assert (or (<= 0 1) (<= Y_0 1))) (assert (<= Y_0 2))"), [[2]])
        self.assertEqual(self.bs("(assert (or (and (> X_0 1) (<= Y_0 1)) (<= Y_0 2)))"), [[2]])

    def test_terms(self):
        [case] = vnnlib.read(DECLARED + BOUNDED + "(assert (<= (+ Y_0 X_0 Y_0 (* -1 X_0)) (* 2 X_0)))").cases
        self.assertEqual([(key, c.low) for key, c in case.atoms[0].terms], [((0, 0), -2.0), ((1, 0), 1.0), ((1, 0), 1.0)])

    def test_what_is_not_read(self):
        for text in ("(assert (<= X_0 1))", "(assert (<= Y_1 1))", "(assert (<= (* Y_0 Y_0) 1))", "(assert (and))", "(", ")",
                     "(assert (<= 0.1 0.1))", "(assert (< X_0 0))"):
            with self.assertRaises(Unreadable):
                vnnlib.read(DECLARED + (BOUNDED if "X_0 1" not in text else "") + text)


class Rule(unittest.TestCase):
    """The linear bound rule against values of the network."""

    def test_a_relaxation_is_below_the_relu_on_its_interval(self):
        for a in (-8, -3, 5, 8):
            for low in range(-4, 4):
                for high in range(low, 5):
                    for alpha in (None, (0, 1), (1, 4), (1, 1)):
                        slope, constant = linear_bound.relaxed(a * 12, low, high, alpha)
                        for z in range(low, high + 1):
                            self.assertGreaterEqual(a * 12 * max(0, z), slope * z + constant)

    def test_a_form_is_around_the_relu_on_its_interval(self):
        for low in range(-4, 4):
            for high in range(low, 5):
                slope, reach = forms.relaxed(low, high)
                for z in range(low, high + 1):
                    self.assertTrue(0 <= max(0, z) * forms.SLOPE - slope * z <= reach)

    def test_exact_evaluation(self):
        model, _, _ = format_example()
        network = nnet_file.read(model)
        self.assertEqual(evaluate(network, [Fraction(1, 3), Fraction(1)]), [Fraction(2, 3) - Fraction(1, 4)])


def random_network(random):
    """Two layers of ReLUs and a residual connection, with weights and biases that are small fractions."""
    number = lambda: Fraction(random.randint(-6, 6), random.choice([1, 2, 3, 8]))
    dense = lambda source, n, m: (source, [[(j, number()) for j in range(n)] for _ in range(m)])
    builder = Builder(2)
    first = builder.relu(builder.affine([dense(0, 2, 3)], [number() for _ in range(3)]))
    second = builder.relu(builder.affine([dense(first, 3, 3)], [number() for _ in range(3)]))
    parts = [dense(second, 3, 2), dense(first, 3, 2), dense(0, 2, 2)]
    return Network(builder.values, builder.affine(parts, [0, number()]))


class SignTrees(unittest.TestCase):
    """Trees of signs in random networks against values."""

    def tree(self, random, places, depth):
        """A random tree as a witness."""
        others, leaves, todo = [], [], [((), 0)]
        alphas = lambda: {place: (3, {i: random.random() for i in range(3) if random.random() < 0.5}) for place in places}
        while todo:
            way, base = todo.pop()
            if random.random() < 0.2:
                others.append(certificate.Slopes(alphas(), [], []))
                base = len(others)
            if len(way) < depth and random.random() < 0.8:
                split = random.choice(places), random.randint(0, 2)
                todo += [(way + (certificate.Sign(*split, upper),), base) for upper in (False, True)]
            else:
                betas = [random.choice([0.0, 0.5, 1.0]) for _ in range(random.randint(0, len(way)))]
                own = certificate.Slopes(alphas(), betas, []) if random.random() < 0.4 else None
                leaves.append(certificate.Leaf(way, base, [] if own else betas, own))
        return certificate.Signs(certificate.Default(), others, leaves)

    def test_bounds_are_below_all_values(self):
        random, tight = Random(2), 0
        for _ in range(150):
            network = random_network(random)
            ends = (Interval(-1.0, -1.0), Interval(1.0, 1.0))
            state = State.root(network, [ends] * 2, {})
            inside = [[Fraction(random.randint(-8, 8), 8) for _ in range(2)] for _ in range(40)]
            outputs = [evaluate(network, point)[0] for point in inside]
            plain = linear_bound.bound_end(state, 3, 0, False, certificate.Default())
            for _ in range(4):
                bound = linear_bound.bound_end(state, 3, 0, False, self.tree(random, [1, 2], random.randint(1, 4)))
                self.assertLessEqual(bound, min(outputs) * GRID)
                tight += bound > plain
        self.assertGreater(tight, 50)


class Forms(unittest.TestCase):
    """Forms of random networks against their values."""

    def test_values_are_within_their_bounds_also_after_splits(self):
        random, tighter = Random(1), 0
        for _ in range(150):
            network = random_network(random)
            low, high = sorted(random.sample(range(-4, 5), 2))
            region = [(Interval(low, low), Interval(high, high)), (Interval(-1.0, -1.0), Interval(2.0, 2.0))]
            state = State.root(network, region, {})
            plain = [state.interval(len(network.places) - 1, i) for i in range(2)]
            state.use_forms()
            eighths = lambda first, last: Fraction(random.randint(8 * first, 8 * last), 8)
            inside = [[eighths(low, high), eighths(-1, 2)] for _ in range(20)]
            for at in (2.0, 0.5, -0.25):
                for i in range(2):
                    a, b = state.interval(len(network.places) - 1, i)
                    tighter += plain[i][1] - plain[i][0] > b - a
                    for point in inside:
                        self.assertTrue(a <= evaluate(network, point)[i] * GRID <= b)
                upper, element = random.choice([True, False]), random.randint(0, 1)
                state.assume(certificate.Literal(0, element, upper, at))
                inside = [p for p in inside if (p[element] <= at if upper else p[element] >= at)]
        self.assertGreater(tighter, 300)

    def test_bounds_are_exact(self):
        # relu(x) is 3/4 x + 3/8 up to 3/8 on [-1, 3], and relu(x) - x between -3/4 and 1.
        builder = Builder(1)
        h = builder.relu(builder.affine([(0, [[(0, Fraction(1))]])], [0]))
        network = Network(builder.values, builder.affine([(h, [[(0, Fraction(1))]]), (0, [[(0, Fraction(-1))]])], [0]))
        state = State.root(network, [(Interval(-1.0, -1.0), Interval(3.0, 3.0))], {})
        self.assertEqual(state.interval(2, 0), (-3 * GRID, 4 * GRID))
        state.use_forms()
        # relu(x) = 0 under this literal, and x may still be 3; what was said above is kept if it was asked for.
        literal = certificate.Literal(1, 0, True, 0.0)
        branch = state.copy()
        branch.assume(literal)
        self.assertEqual(branch.interval(2, 0), (-3 * GRID, GRID))
        self.assertEqual(state.interval(2, 0), (-3 * GRID // 4, GRID))
        branch = state.copy()
        branch.assume(literal)
        self.assertEqual(branch.interval(2, 0), (-3 * GRID // 4, GRID))
        branch = state.copy()
        branch.assume(certificate.Literal(1, 0, False, 0.0))
        self.assertEqual(branch.interval(2, 0), (0, 0))
        state.assume(certificate.Literal(0, 0, True, 1.0))
        self.assertEqual(state.interval(2, 0), (-GRID // 2, GRID))

    def test_at_most_64_inputs_vary(self):
        builder = Builder(65)
        network = Network(builder.values, builder.affine([(0, [[(0, Fraction(1))]])], [0]))
        ends = (Interval(0.0, 0.0), Interval(1.0, 1.0))
        state = State.root(network, [ends] * 65, {})
        with self.assertRaisesRegex(Refused, "too many inputs vary"):
            state.use_forms()
        state.assume(certificate.Literal(0, 0, True, 0.0))
        state.use_forms()


if __name__ == "__main__":
    unittest.main()
