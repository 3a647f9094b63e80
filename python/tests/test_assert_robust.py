"""Tests of `assert_robust`, in test files and without pytest."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest
from written_tests import MODELS, MOONS, assert_block, lines_of, run, table  # noqa: F401  `run` is a fixture

import bartizan
from bartizan import pytest_plugin

pytest_plugins = ["pytester"]


def test_a_robust_point_passes_and_leaves_a_certificate(run, pytester):
    result = run(
        """
def test_point():
    outcome = assert_robust(MODEL, X[0], 0.05, clip=(-1, 1))
    assert isinstance(outcome, bartizan.Outcome) and outcome.is_verified
"""
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*= robustness =*",
            "PASSED test_file.py::test_point",
            "  1 asserted: 1 verified, 0 violated, 0 unknown, 0 timeout; 0.* s",
        ]
    )
    (folder,) = (pytester.path / "kept").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["1-point-0.cert", "1-point-0.json", "1-point-0.npz"]
    facts = json.loads((folder / "1-point-0.json").read_text())
    assert (facts["verdict"], facts["radius"], facts["options"]) == ("verified", "0.05", {"clip": ["-1", "1"]})
    assert facts["model_sha256"] == bartizan.load(MOONS).sha256
    assert np.load(folder / "1-point-0.npz")["x"].shape == (1, 2)


def test_a_certificate_that_was_left_is_judged_again(run, pytester):
    run("def test_point():\n    assert_robust(MODEL, X[0], '1/20', label=y[0], mean=[0, 0], std=1)").assert_outcomes(
        passed=1
    )
    (folder,) = (pytester.path / "kept").iterdir()
    question = folder / "1-point-0.json"
    assert eval(json.loads(question.read_text())["check_again"], {"bartizan": bartizan}).accepted
    certificate = folder / "1-point-0.cert"
    content = certificate.read_bytes()
    certificate.write_bytes(content[:-1])
    refused = pytest_plugin.check_again(question)
    assert not refused.accepted and "the checker refused the certificate" in refused.text
    certificate.write_bytes(content)
    facts = json.loads(question.read_text())
    question.write_text(json.dumps({**facts, "radius": "0.06"}))
    assert not pytest_plugin.check_again(question, MOONS).accepted


def test_a_counterexample_fails_and_says_all_of_it(run):
    result = run("def test_point():\n    assert_robust(MODEL, X[94], 0.05, label=1, clip=(-1, 1))", folder=False)
    result.assert_outcomes(failed=1)
    found = bartizan.verify(MOONS, [0.05, -0.388], 0.05, 1, clip=(-1, 1))
    one, two = found.outputs[1], found.outputs[2]
    to = [f"{value:>12.6g}" for value in found.counterexample]
    folder = next(line for line in result.outlines if "numpy.load" in line).split("'")[3]
    assert_block(
        result,
        f"""
AssertionError: not robust: there is a counterexample
  verdict     violated (the checker replayed a counterexample; 0.000 s)
  model       {MOONS}
  radius      0.05 in linf, clipped to -1,1
  class       1 expected; the counterexample gets 2
  margin      output 2 is {two:.6g}, output 1 is {one:.6g}: {two - one:.6g} more
  changed     element              from           to
              0                    0.05 {to[0]}
              1                  -0.388 {to[1]}
  reproduce   bartizan.verify({MOONS!r}, numpy.load('{folder}')['x'][0], radius=0.05, label=1, clip=(-1, 1))
              bartizan certify {MOONS} --data {folder} --radius 0.05 --clip -1,1
""",
    )
    assert folder.startswith(".pytest_cache/d/bartizan/")


def test_what_a_failure_tells_to_call_shows_the_same(run, pytester):
    result = run("def test_point():\n    assert_robust(MODEL, X[94], 0.05, label=1, norm='l2')")
    call = next(line for line in result.outlines if "reproduce" in line).partition("reproduce")[2].strip()
    outcome = eval(call, {"bartizan": bartizan, "numpy": np})
    assert outcome.is_violated and outcome.label == 1
    assert "--norm l2" in result.outlines[[call in line for line in result.outlines].index(True) + 1]


def test_a_large_point_shows_what_changed_most(run):
    files = {name: str(MODELS / "digits_mlp" / name) for name in ("model.onnx", "images.npy", "labels.npy")}
    result = run(
        f"""
def test_digit():
    images, labels = np.load({files["images.npy"]!r}), np.load({files["labels.npy"]!r})
    with open({files["model.onnx"]!r}, "rb") as file:
        assert_robust(file.read(), images[4], 0.08, label=labels[4], clip=(0, 1))
"""
    )
    lines = lines_of(result)
    start = next(place for place, line in enumerate(lines) if "changed     " in line)
    rows = lines[start + 1 : start + 9]
    assert all(re.fullmatch(r"\s*\[0, \d, \d\] +\S+ +\S+", row) for row in rows)
    sizes = [abs(float(row.split()[-1]) - float(row.split()[-2])) for row in rows]
    assert sizes == pytest.approx([0.08] * 8, abs=1e-6)
    assert re.fullmatch(r"\s*and \d+ more elements, which change less", lines[start + 9])
    assert re.search(
        r"bartizan certify kept/.*/model.onnx --data kept/.*/1-point-0.npz --radius 0.08", lines[start + 11]
    )


def test_changes_are_in_the_units_of_the_data(run):
    points = MODELS / "cancer_mlp"
    result = run(
        f"""
def test_tumour():
    table = np.genfromtxt({str(points / "data.csv")!r}, delimiter=",", skip_header=1)
    mean, std = {str(points / "mean.txt")!r}, np.loadtxt({str(points / "std.txt")!r}, delimiter=",")
    X, y, options = table[:, :-1], table[:, -1], {{"radius": 0.5 * std, "mean": mean, "std": std}}
    run = bartizan.certify({str(points / "model.onnx")!r}, X, y, **options)
    index = next(point.index for point in run if point.verdict == "falsified")
    print("FEATURES", *X[index])
    assert_robust({str(points / "model.onnx")!r}, X[index], label=int(y[index]), **options)
"""
    )
    lines = lines_of(result)
    features = [float(text) for line in lines if line.startswith("FEATURES") for text in line.split()[1:]]
    std = np.loadtxt(points / "std.txt", delimiter=",")
    start = next(place for place, line in enumerate(lines) if "changed     " in line)
    for line in lines[start + 1 : start + 9]:
        element, before, after = line.split()
        assert float(before) == pytest.approx(features[int(element)], rel=1e-5)
        assert abs(float(after) - float(before)) == pytest.approx(0.5 * std[int(element)], rel=1e-2)
    assert any("radius      30 numbers in linf" in line for line in lines)


def test_a_misclassified_point_is_its_own_counterexample(run):
    result = run("def test_point():\n    assert_robust(MODEL, X[74], 0.05, label=(y[74]))")
    result.stdout.fnmatch_lines(
        ["*changed     nothing to speak of: the counterexample is the point itself, but for rounding"]
    )


def test_an_unknown_fails_but_says_that_nothing_was_shown(run):
    result = run("def test_point():\n    assert_robust(MODEL, X[0], 0.2, method='ibp', attack=False)")
    result.assert_outcomes(failed=1)
    reason = bartizan.verify(MOONS, table()[0][0], 0.2, method="ibp", attack=False).reason
    assert reason.startswith("the method is too weak: 2 of 2 cases stay open")
    folder = next(line for line in result.outlines if "numpy.load" in line).split("'")[3]
    point = f"numpy.load('{folder}')['x'][0]"
    assert_block(
        result,
        f"""
AssertionError: nothing is known: neither robustness nor a counterexample was shown
  verdict     unknown after 0.000 s ({reason})
  model       {MOONS}
  radius      0.2 in linf
  class       0 expected
  try         a smaller radius, or method="auto" where another one was asked for
  reproduce   bartizan.verify({MOONS!r}, {point}, radius=0.2, label=0, method='ibp', attack=False)
              bartizan certify {MOONS} --data {folder} --radius 0.2 --method ibp --no-attack
""",
    )


def test_the_time_limit_of_the_command_line_goes_before_that_of_the_test(run):
    text = "def test_point():\n    assert_robust(MODEL, X[0], 0.05, timeout=60, jobs=1)"
    run(text).assert_outcomes(passed=1)
    result = run(text, "--bartizan-timeout=0", "--bartizan-jobs=2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*verdict     timeout after *", "*try         a longer timeout or a smaller radius"])
    result.stdout.fnmatch_lines(["*radius=0.05, label=0, timeout=0.0, jobs=2)"])


@pytest.mark.parametrize(
    "option, text",
    [
        ("--bartizan-timeout=soon", "expected a number of seconds from 0, found 'soon'"),
        ("--bartizan-timeout=-1", "expected a number of seconds from 0, found '-1'"),
        ("--bartizan-timeout=nan", "expected a number of seconds from 0, found 'nan'"),
        ("--bartizan-jobs=0", "expected at least one thread, found '0'"),
        ("--bartizan-jobs=many", "expected at least one thread, found 'many'"),
    ],
)
def test_wrong_options_are_refused(run, option, text):
    result = run("def test_nothing():\n    pass", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*argument {option.partition('=')[0]}: {text}"])


def test_all_points_of_a_batch_are_tried(run, pytester):
    result = run(
        """
def test_points():
    places = [0, 74, 1, 94]
    assert_robust(MODEL, X[places], 0.05, label=y[places])

def test_robust_points():
    assert [outcome.verdict for outcome in assert_robust(MODEL, X[:3], 0.05)] == ["verified"] * 3
    assert len(assert_robust(MODEL, X[:1], 0.05)) == 1
"""
    )
    result.assert_outcomes(passed=1, failed=1)
    lines = lines_of(result)
    assert any("2 of 4 points are not shown to be robust: 2 violated" in line for line in lines)
    assert [line.strip() for line in lines if "one of" in line] == [
        "point       index 1, one of 4",
        "point       index 3, one of 4",
    ]
    result.stdout.fnmatch_lines(
        ["  4 asserted: 2 verified, 2 violated, 0 unknown, 0 timeout; *", "  4 asserted: 4 verified, *"]
    )
    violated = next((pytester.path / "kept").glob("*test_points*/1-point-3.json"))
    with pytest.raises(bartizan.InputError) as raised:
        pytest_plugin.check_again(violated)
    text = "certificate: expected that of a verified point, found a point that is violated"
    assert str(raised.value) == f"{violated}: {text}"
    kept = sorted(path.name for path in (pytester.path / "kept").glob("*/*.cert"))
    assert kept == [
        "1-point-0.cert",
        "1-point-0.cert",
        "1-point-1.cert",
        "1-point-2.cert",
        "1-point-2.cert",
        "2-point-0.cert",
    ]


@pytest.mark.parametrize(
    "x, label, text",
    [
        (
            [[0.1, 0.2, 0.3]],
            None,
            "x: expected one point of shape [2], or several with one row each, found shape [1, 3]",
        ),
        ([0.1, 0.2, 0.3], None, "x: expected one point of shape [2], or several with one row each, found shape [3]"),
        (
            np.zeros((0, 2)),
            None,
            "x: expected one point of shape [2], or several with one row each, found shape [0, 2]",
        ),
        ([[0.1, 0.2]] * 3, [0, 1], "label: expected 3 labels, one for each point, found 2"),
    ],
)
def test_points_that_do_not_fit_are_refused(x, label, text):
    with pytest.raises(bartizan.InputError) as raised:
        bartizan.assert_robust(MOONS, np.array(x), 0.05, label=label)
    assert str(raised.value) == text


def test_it_needs_no_pytest(pytester):
    pytester.makepyfile(
        script="import sys; sys.modules['pytest'] = None\nimport bartizan\n"
        f"print(bartizan.assert_robust({MOONS!r}, [0.5, 0.75], 0.05).verdict)\n"
        f"try:\n    bartizan.assert_robust({MOONS!r}, [0.05, -0.388], 0.05, label=1)\n"
        "except AssertionError as error:\n    print(error)\n"
    )
    result = pytester.run(sys.executable, "script.py")
    result.stdout.fnmatch_lines(
        [
            "verified",
            "not robust: there is a counterexample",
            f"  reproduce   bartizan.verify({MOONS!r}, [[]0.05, -0.388], radius=0.05, label=1)",
            "              numpy.savez('point.npz', x=[[][[]0.05, -0.388]], y=[[]1])",
            f"              bartizan certify {MOONS} --data point.npz --radius 0.05",
        ]
    )
