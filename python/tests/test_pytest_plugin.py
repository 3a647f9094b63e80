"""Tests of the pytest plugin: each writes a test file, runs it, and looks at what is said and kept."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from importlib.util import find_spec

import pytest
from written_tests import HEAD, MODELS, MOONS, assert_block, run, table  # noqa: F401  `run` is a fixture

import bartizan
from bartizan import _options
from bartizan._robustness_test import OF_QUESTION

pytest_plugins = ["pytester"]

ASSUMED = (
    "the points were drawn independently from the distribution of inputs that the statement is about, and were not "
    "chosen by their outcomes"
)


# The marker


def test_points_that_are_all_certified_pass(run, pytester):
    result = run(
        "@pytest.mark.robustness(radius=0.05, clip=(-1, 1))\ndef test_moons():\n    return MODEL, X[:70], y[:70]",
        "--strict-markers",
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "PASSED test_file.py::test_moons",
            "  70: 70 certified, 0 falsified, 0 misclassified, 0 unknown; 0.9486 to 1.0000 at confidence 0.95, *",
        ]
    )
    (folder,) = (pytester.path / "kept").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["report.html", "run.db"]
    assert bartizan.check(folder / "run.db", MOONS, table()[0][:70], table()[1][:70]).accepted


def test_one_point_that_is_not_certified_fails(run):
    result = run(
        "@pytest.mark.robustness(radius=0.05, clip=(-1, 1))\ndef test_moons():\n    return MODEL, X[70:100], y[70:100]"
    )
    result.assert_outcomes(failed=1)
    found = bartizan.verify(MOONS, [0.05, -0.388], 0.05, 1, clip=(-1, 1))
    one, two = found.outputs[1], found.outputs[2]
    run_ = bartizan.certify(MOONS, table()[0][70:100], table()[1][70:100], radius=0.05, clip=(-1, 1))
    folder = next(line for line in result.outlines if "report.html" in line).split()[1].rpartition("/")[0]
    ends = f"{int(run_.coverage.lower * 1e4) / 1e4:.4f} to {int(run_.coverage.upper * 1e4) / 1e4 + 1e-4:.4f}"
    assert (run_.certified, run_.falsified, run_.misclassified) == (28, 1, 1)
    assert_block(
        result,
        f"""
not robust: 2 of 30 points are not certified

  model       {MOONS}
  radius      0.05 in linf, clipped to -1,1
  points      30: 28 certified, 1 falsified, 1 misclassified, 0 unknown
  interval    {ends} at confidence 0.95 ({run_.coverage.method})
  assumed     {ASSUMED}
  report      {folder}/report.html
  store       {folder}/run.db

worst points

  point       24: falsified
  class       1 expected; the counterexample gets 2
  margin      output 2 is {two:.6g}, output 1 is {one:.6g}: {two - one:.6g} more
  changed     element              from           to
              0                    0.05 {found.counterexample[0]:>12.6g}
              1                  -0.388 {found.counterexample[1]:>12.6g}

  point       4: misclassified
  class       {table()[1][74]} expected; the point itself gets {run_.point(4).predicted}
""",
    )
    result.stdout.fnmatch_lines(["*Captured robustness call*", "points * 30", "certified * 28 *"])


def test_a_share_that_the_lower_end_reaches_passes(run):
    result = run(
        """
@pytest.mark.robustness(radius=0.05, clip=(-1, 1), at_least=0.9, confidence=0.99)
def test_moons():
    return {"model": MODEL, "X": X, "y": y}
"""
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        ["  400: 376 certified, 15 falsified, 9 misclassified, 0 unknown; 0.90* to 0.96* at confidence 0.99, *"]
    )


def test_a_share_that_it_does_not_reach_fails_although_more_points_are_certified(run):
    result = run(
        "@pytest.mark.robustness(radius=0.05, clip=(-1, 1), at_least=0.93)\ndef test_moons():\n    return MODEL, X, y"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "robustness not shown: the interval's lower end is 0.9120, 0.93 is required",
            "  points      400: 376 certified, 15 falsified, 9 misclassified, 0 unknown",
            "  interval    0.9120 to 0.9612 at confidence 0.95 (*",
            "  required    lower end at least 0.93",
            "  and 19 more",
        ]
    )


def test_too_few_points_are_told(run):
    result = run(
        "@pytest.mark.robustness(radius=0.05, at_least=0.9)\ndef test_moons():\n    return MODEL, X[:20], y[:20]"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["              20 points cannot show this even if all are certified; 36 can"])
    assert bartizan.certify(MOONS, table()[0][:36], radius=0.001).coverage.lower >= 0.9
    assert bartizan.certify(MOONS, table()[0][:35], radius=0.001).coverage.lower < 0.9


def test_unknown_points_fail(run):
    result = run(
        "@pytest.mark.robustness(radius=0.05)\ndef test_moons():\n    return MODEL, X[:3], y[:3]",
        "--bartizan-timeout=0",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["not robust: 3 of 3 points are not certified", "  point       0: timeout", "  reason      timeout with *"]
    )


def test_labels_may_be_left_out_and_files_named(run):
    folder = MODELS / "digits_mlp"
    result = run(
        f"""
@pytest.mark.robustness(radius=0.01)
def test_arrays():
    return MODEL, X[:5]

@pytest.mark.robustness(radius=0.08, clip=(0, 1), select="0..10")
def test_files():
    return {str(folder / "model.onnx")!r}, {str(folder / "images.npy")!r}, {str(folder / "labels.npy")!r}
"""
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["  point       4: falsified", "  class       2 expected; the counterexample gets 0"])


def test_a_run_may_be_judged(run, pytester):
    result = run(
        """
@pytest.fixture(scope="module")
def certified():
    return bartizan.certify(MODEL, X, y, radius=0.05, clip=(-1, 1))

@pytest.mark.robustness(at_least=0.9)
def test_all(certified):
    return certified

@pytest.mark.robustness(at_least=0.95, confidence=0.9)
def test_more(certified):
    return certified

@pytest.mark.robustness(radius=0.05)
def test_radius(certified):
    return certified
"""
    )
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "robustness not shown: the interval's lower end is 0.9*, 0.95 is required",
            "marker robustness: radius: expected none, as the test returned a Run, found 0.05",
        ]
    )
    assert len(list((pytester.path / "kept").glob("*/run.db"))) == 2


def test_classes_and_modules_have_markers_and_functions_say_more(run):
    result = run(
        """
pytestmark = pytest.mark.robustness(radius=0.2, clip=(-1, 1))

@pytest.mark.robustness(radius=0.05)
class TestMoons:
    def test_class(self):
        return MODEL, X[:70], y[:70]

    @pytest.mark.robustness(at_least=0.5)
    def test_share(self):
        return MODEL, X, y

def test_module():
    return MODEL, X[:70], y[:70]
"""
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["  radius      0.2 in linf, clipped to -1,1"])


def test_parametrised_tests_are_apart(run, pytester):
    result = run(
        """
@pytest.mark.parametrize("name", ["a/b", "a b", "a:b", "A/b", "ä" * 200])
@pytest.mark.parametrize("count", [
    pytest.param(10, marks=pytest.mark.robustness(radius=0.05)),
    pytest.param(400, marks=pytest.mark.robustness(radius=0.04)),
])
def test_moons(name, count):
    return MODEL, X[:count], y[:count]
"""
    )
    result.assert_outcomes(passed=5, failed=5)
    folders = [folder.name for folder in (pytester.path / "kept").iterdir()]
    assert len({name.lower() for name in folders}) == 10
    assert all(re.fullmatch(r"[A-Za-z0-9_.=-]{1,100}", name) for name in folders)
    radii = [bartizan.open(pytester.path / "kept" / name / "run.db").radius for name in folders]
    assert sorted(radii) == ["0.04"] * 5 + ["0.05"] * 5


@pytest.mark.parametrize(
    "marker, text",
    [
        ("radius=0.05, epsilon=1", "expected options among at_least, attack, budget, *, found 'epsilon'"),
        ("radius=0.05, store='x.db'", "expected options among at_least, *, found 'store'"),
        ("0.05", "expected options by name, such as radius=0.02, found 0.05"),
        ("radius=0.05, at_least=90", "at_least: expected a share from 0 to 1, found 90"),
        ("radius=0.05, at_least='0.9'", "at_least: expected a share from 0 to 1, found '0.9'"),
        ("radius=0.05, confidence=1", "confidence: expected a number between 0 and 1, such as 0.95, found 1"),
    ],
)
def test_wrong_markers_end_the_session_before_a_test_runs(run, marker, text):
    result = run(
        f"def test_before():\n    pass\n\n@pytest.mark.robustness({marker})\ndef test_moons():\n    return MODEL, X, y"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: test_file.py::test_moons: marker robustness: {text}"])
    result.assert_outcomes()


def test_tests_that_pytest_cannot_judge_are_refused(run):
    result = run("@pytest.mark.robustness(radius=0.05)\nasync def test_moons():\n    return MODEL, X, y")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*marker robustness: expected a plain function, found an async one: run what must be awaited in a fixture"]
    )
    result = run(
        """
import unittest

@pytest.mark.robustness(radius=0.05)
class TestMoons(unittest.TestCase):
    def test_moons(self):
        return MODEL, X, y
"""
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*expected a test function or a method of a plain class, found one that pytest does not call itself"]
    )


RETURNS = "the test is to return (model, X, y), (model, X), a dict with model, X and y, or a bartizan.Run; it returned"


@pytest.mark.parametrize(
    "body, text",
    [
        ("pass", f"{RETURNS} nothing"),
        ("return 1", f"{RETURNS} a int"),
        ("return (MODEL,)", f"{RETURNS} a tuple of 1"),
        ("return {'model': MODEL}", "expected a dict with model, X and y, found one with model"),
        (
            "return {'model': MODEL, 'X': X, 'labels': y}",
            "expected a dict with model, X and y, found one with model, X, labels",
        ),
    ],
)
def test_what_a_test_returns_is_looked_at(run, body, text):
    result = run(f"@pytest.mark.robustness(radius=0.05)\ndef test_moons():\n    {body}")
    result.assert_outcomes(failed=1)
    assert f"marker robustness: {text}" in result.outlines


def test_a_missing_radius_is_told(run):
    result = run("@pytest.mark.robustness(at_least=0.5)\ndef test_moons():\n    return MODEL, X, y")
    result.assert_outcomes(failed=1)
    text = "radius: expected a number such as 0.02 or '8/255', found none (a test that returns a Run needs none)"
    assert f"marker robustness: {text}" in result.outlines


def test_errors_of_the_engine_are_the_tests(run):
    result = run("@pytest.mark.robustness(radius=-1)\ndef test_moons():\n    return MODEL, X, y")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * bartizan.InputError: radius*"])


def test_skips_and_expected_failures_are_what_they_are(run):
    result = run(
        """
@pytest.mark.robustness(radius=0.05)
def test_skipped():
    pytest.skip("not now")

@pytest.mark.xfail(strict=True)
@pytest.mark.robustness(radius=0.05)
def test_expected():
    return MODEL, X, y
"""
    )
    result.assert_outcomes(skipped=1, xfailed=1)


def test_the_marker_has_the_options_of_certify():
    ours = {"store", "resume", "require", "precision", "confidence"}
    known = {*_options.WITHIN, *_options.SEARCH, *_options.COURSE, "radius", "label_column"}
    assert set(OF_QUESTION) == known - ours


# What is carried and kept


def test_junit_files_carry_what_was_shown(run, pytester):
    run(
        """
@pytest.mark.robustness(radius=0.05, clip=(-1, 1), at_least=0.93)
def test_moons():
    return MODEL, X, y

def test_point():
    assert_robust(MODEL, X[0], 0.05)
""",
        "--junit-xml=junit.xml",
    ).assert_outcomes(passed=1, failed=1)
    cases = {case.get("name"): case for case in ElementTree.parse(pytester.path / "junit.xml").iter("testcase")}
    found = {entry.get("name"): entry.get("value") for entry in cases["test_moons"].iter("property")}
    expected = {
        "verdict": "not met",
        "points": "400",
        "certified": "376",
        "falsified": "15",
        "misclassified": "9",
        "unknown": "0",
    }
    expected |= {"at_least": "0.93", "confidence": "0.95", "radius": "0.05", "norm": "linf", "model": MOONS}
    assert {name: found[f"bartizan.{name}"] for name in expected} == expected
    kept = bartizan.open(pytester.path / found["bartizan.store"])
    assert found["bartizan.root"] == kept.root
    assert float(found["bartizan.lower"]) == kept.coverage.lower
    assert (pytester.path / found["bartizan.report"]).is_file()
    assert "the interval's lower end is 0.9120" in cases["test_moons"].find("failure").get("message")
    point = {entry.get("name"): entry.get("value") for entry in cases["test_point"].iter("property")}
    assert (point["bartizan.queries"], point["bartizan.verified"]) == ("1", "1")
    assert (pytester.path / point["bartizan.certificates"] / "1-point-0.cert").is_file()


def test_a_run_replaces_what_the_last_one_left(run, pytester):
    text = "def test_point():\n    for place in range({}):\n        assert_robust(MODEL, X[place], 0.05)"
    run(text.format(3))
    assert len(list((pytester.path / "kept").glob("*/*.cert"))) == 3
    run(text.format(1))
    assert len(list((pytester.path / "kept").glob("*/*.cert"))) == 1
    run("def test_point():\n    assert False")
    assert list((pytester.path / "kept").glob("*/*.cert")) == []


def test_the_configuration_file_may_name_the_folder(run, pytester):
    pytester.makeini("[pytest]\nbartizan_artefacts = from_file")
    run("def test_point():\n    assert_robust(MODEL, X[0], 0.05)", folder=False).assert_outcomes(passed=1)
    assert len(list((pytester.path / "from_file").glob("*/1-point-0.cert"))) == 1


def test_the_cache_keeps_by_default(run, pytester):
    text = "def test_point():\n    assert_robust(MODEL, X[0], 0.05)\n\ndef test_other():\n    pass"
    run(text, "-k", "other", folder=False).assert_outcomes(passed=1, deselected=1)
    assert not (pytester.path / ".pytest_cache" / "d" / "bartizan").exists()
    run(text, folder=False).assert_outcomes(passed=2)
    kept = pytester.path / ".pytest_cache" / "d" / "bartizan"
    assert len(list(kept.glob("*/1-point-0.cert"))) == 1
    run("def test_point():\n    assert False", folder=False)
    assert list(kept.iterdir()) == []


def test_without_a_cache_nothing_is_kept(pytester):
    marked = "@pytest.mark.robustness(radius=0.05)\ndef test_moons():\n    return MODEL, X[:5], y[:5]\n"
    pytester.makepyfile(test_file=HEAD + marked + "def test_point():\n    assert_robust(MODEL, X[94], 0.05, label=1)")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    assert not [
        path
        for path in pytester.path.rglob("*")
        if path.suffix in (".cert", ".db", ".npz", ".html") or "bartizan" in path.name
    ]
    result.stdout.fnmatch_lines(["*numpy.savez('point.npz', x=[[][[]0.05, -0.388]], y=[[]1])"])


def test_a_quiet_run_has_no_summary(run):
    result = run("def test_point():\n    assert_robust(MODEL, X[0], 0.05)", "-q")
    result.stdout.no_fnmatch_line("*asserted*")


@pytest.mark.skipif(find_spec("xdist") is None, reason="needs pytest-xdist")
def test_several_processes_tell_the_same(pytester):
    marked = "@pytest.mark.robustness(radius=0.05, at_least=0.85)\n@pytest.mark.parametrize('part', range(4))\n"
    pytester.makepyfile(
        test_file=HEAD + marked + "def test_moons(part):\n    return MODEL, X[:100 * part + 100], y[:100 * part + 100]"
    )
    result = pytester.runpytest_subprocess("-n2", "--bartizan-artefacts=kept", "--junit-xml=junit.xml")
    result.assert_outcomes(passed=4)
    counts = [line.split(":")[0].strip() for line in result.outlines if "certified" in line]
    assert counts == ["100", "200", "300", "400"]
    assert len(list((pytester.path / "kept").glob("*/run.db"))) == 4
    properties = [entry.get("name") for entry in ElementTree.parse(pytester.path / "junit.xml").iter("property")]
    assert properties.count("bartizan.certified") == 4


def test_what_is_not_used_costs_nothing(pytester):
    pytester.makepyfile(
        test_file="""
import sys

def test_modules():
    assert not {'numpy', 'torch', 'ray', 'pandas'} & set(sys.modules)
"""
    )
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
