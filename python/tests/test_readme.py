"""The Python examples of the READMEs run as they stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

#: What the package's own README takes for granted.
GIVEN = """
import numpy as np

X = np.load("models/digits_mlp/images.npy")[:60]
y = np.load("models/digits_mlp/labels.npy")[:60]
"""


def blocks(name: str) -> list[str]:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "models").symlink_to(REPOSITORY / "models")
    (tmp_path / "model.onnx").symlink_to(REPOSITORY / "models/digits_mlp/model.onnx")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_first_example_certifies_a_shipped_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("README.md")
    exec(compile(example, "README.md", "exec"), {})
    assert "coverage" in capsys.readouterr().out.lower()
    assert "<html" in (folder / "digits.html").read_text(encoding="utf-8")


def test_examples_of_the_package_run(folder: Path, pytester: pytest.Pytester) -> None:
    run, tests = blocks("python/README.md")
    exec(compile(GIVEN + run, "python/README.md", "exec"), {})
    assert "<html" in (folder / "report.html").read_text(encoding="utf-8")

    model = str(REPOSITORY / "models/digits_mlp")
    pytester.makeconftest(
        f"""
import numpy as np, pytest

@pytest.fixture
def model():
    return {model + "/model.onnx"!r}

@pytest.fixture
def images():
    return np.load({model + "/images.npy"!r})

@pytest.fixture
def labels():
    return np.load({model + "/labels.npy"!r})

@pytest.fixture
def image(images):
    return images[0]
"""
    )
    pytester.makepyfile(tests)
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=2)
