"""The Python examples of the READMEs run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

REPOSITORY = Path(__file__).parents[2]

MODEL = REPOSITORY / "models/digits_mlp"

#: What the package's own README takes for granted.
GIVEN = f"""
import numpy as np

X = np.load({str(MODEL / "images.npy")!r})[:60]
y = np.load({str(MODEL / "labels.npy")!r})[:60]
"""


def blocks(name: str) -> list[str]:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").symlink_to(REPOSITORY / "models")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_example_certifies_a_shipped_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("README.md")
    exec(compile(example, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert printed.startswith("With confidence 95 %, the network gives the right answer everywhere within radius 0.02")
    assert printed.endswith("True\n")
    assert "<html" in (folder / "digits.html").read_text(encoding="utf-8")


def test_examples_of_the_package_run(pytester: pytest.Pytester) -> None:
    run, tests = blocks("python/README.md")
    (pytester.path / "model.onnx").symlink_to(MODEL / "model.onnx")
    exec(compile(GIVEN + run, "python/README.md", "exec"), {})
    assert "<html" in (pytester.path / "report.html").read_text(encoding="utf-8")

    pytester.makeconftest(
        f"""
import numpy as np, pytest

@pytest.fixture
def model():
    return {str(MODEL / "model.onnx")!r}

@pytest.fixture
def images():
    return np.load({str(MODEL / "images.npy")!r})

@pytest.fixture
def labels():
    return np.load({str(MODEL / "labels.npy")!r})

@pytest.fixture
def image(images):
    return images[0]
"""
    )
    pytester.makepyfile(tests)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
