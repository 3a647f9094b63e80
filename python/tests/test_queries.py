"""Networks, single queries, and their certificates."""

from __future__ import annotations

import gzip
import html.parser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import CONTROLLER, DIGITS, MODEL, X, y

import bartizan


@pytest.fixture(scope="module")
def net() -> bartizan.Network:
    return bartizan.load(MODEL)


def test_a_network_is_read_from_paths_and_bytes(net: bartizan.Network, tmp_path: Path) -> None:
    content = Path(MODEL).read_bytes()
    packed = tmp_path / "model.onnx.gz"
    packed.write_bytes(gzip.compress(content))
    others = [bartizan.load(content), bartizan.load(Path(MODEL)), bartizan.load(packed), bartizan.load(net)]
    assert {other.sha256 for other in others} == {net.sha256}
    assert (net.input_shape, net.inputs, net.classes, net.class_names) == ((1, 8, 8), 64, 10, None)
    assert net.name == MODEL and others[0].name == "model"


def test_outputs_are_those_of_onnxruntime(net: bartizan.Network) -> None:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(MODEL)
    name = session.get_inputs()[0].name
    expected = np.concatenate([session.run(None, {name: X[i : i + 1]})[0] for i in range(20)])
    np.testing.assert_allclose(net.outputs(X[:20]), expected, rtol=1e-4, atol=1e-5)
    assert (net.predict(X[:20]) == expected.argmax(axis=1)).all()
    assert net.outputs(X[0]).shape == (1, 10)
    assert net.outputs(X[:5].reshape(5, 64)).shape == (5, 10)


def test_points_are_proved_and_refuted(net: bartizan.Network) -> None:
    proved = bartizan.verify(net, X[0], 0.03, clip=(0, 1))
    assert proved.is_verified and proved.label == 8 and proved.reason is None and proved.counterexample is None
    assert proved.certificate is not None and len(proved.certificate) > 50
    refuted = bartizan.verify(net, X[0], "3/8", label=8, clip=(0, 1))
    found = refuted.counterexample
    assert refuted.is_violated and found.shape == (1, 8, 8) and refuted.certificate is None
    assert np.abs(found - X[0]).max() <= 0.375 + 1e-6 and found.min() >= 0 and found.max() <= 1
    assert refuted.predicted != 8 and net.predict(found)[0] == refuted.predicted
    np.testing.assert_allclose(refuted.outputs, net.outputs(found)[0], rtol=1e-9)
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(proved)


def test_a_timeout_is_no_proof(net: bartizan.Network) -> None:
    found = bartizan.verify(net, X[0], 0.06, clip=(0, 1), timeout=0, attack=False)
    assert found.verdict == "timeout" and "timeout" in (found.reason or "")
    with pytest.raises(bartizan.InputError, match="expected a verified property, found one that is timeout"):
        found.save("never.cert")


@pytest.mark.parametrize("norm", ["linf", "l2", "l1"])
def test_norms_mean_what_they_say(net: bartizan.Network, norm: Any) -> None:
    found = bartizan.verify(net, X[0], 6.0, norm=norm, clip=(0, 1))
    change = (found.counterexample - X[0]).ravel()
    size = {"linf": np.abs(change).max(), "l2": np.sqrt((change**2).sum()), "l1": np.abs(change).sum()}
    assert found.is_violated and size[norm] <= 6.0


def test_numbers_are_exact_decimals(net: bartizan.Network) -> None:
    def certificate(radius: Any) -> bytes | None:
        return bartizan.verify(net, X[0], radius, clip=(0, 1)).certificate

    tenths = [certificate(radius) for radius in (0.01, "0.01", "1/100", np.float32(0.01), np.float64(0.01), [0.01] * 64)]
    assert len(set(tenths)) == 1 and tenths[0] is not None
    held = np.full((1, 8, 8), 0.3)
    held[0, :, 2:] = 0
    assert bartizan.verify(net, X[0], held).is_verified or bartizan.verify(net, X[0], held).is_violated
    fixed = bartizan.verify(net, X[0], 0.9, fix=range(64 - 1))
    assert fixed.is_violated is False


def test_mean_and_deviation_are_undone(net: bartizan.Network) -> None:
    raw = 255.0 * X[0]
    scaled = bartizan.verify(net, raw, "255/50", std=255, clip=(0, 255), label=8)
    plain = bartizan.verify(net, X[0], "1/50", clip=(0, 1), label=8)
    assert scaled.is_verified and plain.is_verified
    assert bartizan.verify(net, raw, "255/50", std=255, clip=(0, 255)).label == 8


def test_properties_of_the_field_are_answered() -> None:
    model = str(CONTROLLER / "model.onnx")
    verdicts = {bartizan.verify(model, path).verdict for path in sorted((CONTROLLER / "properties").iterdir())}
    assert verdicts >= {"verified", "violated"}


def test_semantics_are_those_of_the_network(net: bartizan.Network) -> None:
    single = net.under("float32")
    assert (net.semantics, single.semantics, single.under("real").semantics) == ("real", "float32", "real")
    proved = bartizan.verify(single, X[0], 0.02, clip=(0, 1))
    assert proved.is_verified and bartizan.check(proved, single)
    other = bartizan.check(proved.certificate, net, X[0], proved.label, radius=0.02, clip=(0, 1))
    assert not other.accepted and "semantics" in other.text
    with pytest.raises(bartizan.InputError, match="semantics: expected real or float32, found `double`"):
        net.under("double")


def test_certificates_are_judged_again(net: bartizan.Network, tmp_path: Path) -> None:
    proved = bartizan.verify(net, X[0], 0.02, clip=(0, 1))
    assert bartizan.check(proved, net)
    path = tmp_path / "point.cert"
    proved.save(path)
    assert bartizan.check(path, net, X[0], 8, radius=0.02, clip=(0, 1)).accepted
    refused = bartizan.check(path, net, X[0], 8, radius=0.3, clip=(0, 1))
    assert not refused and refused.text.startswith("refused: point 0: the checker refused the certificate: ")
    damaged = bytearray(path.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    other = bartizan.check(bytes(damaged), net, X[1], 2, radius=0.9)
    assert not other.accepted
    with pytest.raises(bartizan.InputError, match="expected property, or X with y and radius"):
        bartizan.check(b"", net)
    with pytest.raises(bartizan.FileError, match="gone.cert: cannot read: No such file or directory"):
        bartizan.check("gone.cert", net, X[0], 8, radius=0.02)


REFUSALS = {
    "x: expected one point of shape [1, 8, 8], found shape [2, 1, 8, 8] of float32": lambda: bartizan.verify(MODEL, X[:2], 0.1),
    "x: expected finite numbers, found NaN or infinity": lambda: bartizan.verify(MODEL, X[0] * np.nan, 0.1),
    "radius: expected a number such as 0.02 or '8/255', found none": lambda: bartizan.verify(MODEL, X[0]),
    "radius: expected a number such as 0.02 or '8/255', found object()": lambda: bartizan.verify(MODEL, X[0], _Odd()),
    "norm: expected linf, l2 or l1, found `l7`": lambda: bartizan.verify(MODEL, X[0], 0.1, norm="l7"),  # type: ignore[arg-type]
    "method: expected ibp, linear, slopes, lp, branch or auto, found `x`": lambda: bartizan.verify(
        MODEL, X[0], 0.1, method="x"  # type: ignore[arg-type]
    ),
    "timeout: expected a number of seconds from 0, found -1": lambda: bartizan.verify(MODEL, X[0], 0.1, timeout=-1),
    "jobs: expected at least one thread, found 0": lambda: bartizan.verify(MODEL, X[0], 0.1, jobs=0),
    "clip: expected two numbers such as (0, 1), found 3": lambda: bartizan.verify(MODEL, X[0], 0.1, clip=3),  # type: ignore[arg-type]
    "clip: expected a lower end below the upper end, found `1,0`": lambda: bartizan.verify(MODEL, X[0], 0.1, clip=(1, 0)),
    "label: expected a class from 0 to 9, as the network has outputs, found 10": lambda: bartizan.verify(
        MODEL, X[0], 0.1, label=10
    ),
    "y: label 0: expected a class index (0, 1, 2, ...), found -1": lambda: bartizan.verify(MODEL, X[0], 0.1, label=-1),
    "X: expected inputs of shape [1, 8, 8], found shape [3, 7]": lambda: bartizan.load(MODEL).predict(np.zeros((3, 7))),
}


class _Odd:
    def __repr__(self) -> str:
        return "object()"


@pytest.mark.parametrize("text", REFUSALS)
def test_nonsense_is_refused_with_its_reason(text: str) -> None:
    with pytest.raises(bartizan.InputError) as refusal:
        REFUSALS[text]()
    assert str(refusal.value) == text
    assert isinstance(refusal.value, ValueError) and isinstance(refusal.value, bartizan.Error)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(bartizan.FileError, match="gone.onnx: cannot read: No such file") as refusal:
        bartizan.load("gone.onnx")
    assert isinstance(refusal.value, OSError)
    cut = tmp_path / "cut.onnx"
    cut.write_bytes(Path(MODEL).read_bytes()[:100])
    with pytest.raises(bartizan.InputError, match="cut.onnx: .*expected .* found"):
        bartizan.load(cut)
    with pytest.raises(TypeError, match="unexpected option 'radios'; there are norm, clip, "):
        bartizan.verify(MODEL, X[0], 0.1, radios=1)  # type: ignore[call-arg]


class _Tags(html.parser.HTMLParser):
    """Notes which tags are open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.open.append(tag)
        self.seen.add(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def tags(text: str) -> set[str]:
    found = _Tags()
    found.feed(text)
    assert found.open == []
    return found.seen


def test_results_show_themselves(net: bartizan.Network) -> None:
    refuted = bartizan.verify(net, X[0], 0.4, clip=(0, 1))
    assert {"svg", "rect", "strong"} <= tags(refuted._repr_html_())
    run = bartizan.certify(net, X[:20], y[:20], radius=0.05, clip=(0, 1), require=0.1)
    assert "table" in tags(run._repr_html_()) and "Estimated" in run._repr_html_()
    assert "Gate met" in run.coverage._repr_html_()
    assert tags(bartizan.check(run, net)._repr_html_())
    hostile = bartizan.load(Path(MODEL).read_bytes())
    hostile.class_names = tuple("<script>" for _ in range(10))
    assert "script" not in tags(bartizan.verify(hostile, X[0], 0.01)._repr_html_())
    assert DIGITS.name in repr(net)
