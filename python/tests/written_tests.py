"""What tests of the pytest plugin share: they write test files, run them, and look at what is said."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

MODELS = Path(__file__).parents[2] / "models"

#: Three crescents in the plane. At radius 0.05, the first 74 points are certified, 94 is falsified, 74 misclassified.
MOONS = str(MODELS / "moons" / "model.onnx")

#: Begins each test file.
HEAD = f"""
import bartizan
import numpy as np
import pytest
from bartizan.pytest_plugin import assert_robust

MODEL = {MOONS!r}
TABLE = np.genfromtxt({str(MODELS / "moons" / "data.csv")!r}, delimiter=",", skip_header=1)
X, y = TABLE[:, :2], TABLE[:, 2].astype(int)
"""


def table() -> tuple[np.ndarray, np.ndarray]:
    """The points of the crescents and their labels."""
    rows = np.genfromtxt(MODELS / "moons" / "data.csv", delimiter=",", skip_header=1)
    return rows[:, :2], rows[:, 2].astype(int)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Writes a test file and runs it."""
    # Where these are set, pytest says each failure twice in full.
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)

    def run_file(text: str, *arguments: str, folder: bool = True) -> pytest.RunResult:
        pytester.makepyfile(test_file=HEAD + text)
        artefacts = ["--bartizan-artefacts=kept"] if folder else []
        return pytester.runpytest_inprocess("-p", "no:xdist", *artefacts, *arguments)

    return run_file


def lines_of(result: pytest.RunResult) -> list[str]:
    """What a run has printed, without times and the margin of errors."""
    lines = [line.removeprefix("E").strip() if line.startswith("E ") else line for line in result.outlines]
    return [re.sub(r"\d+\.\d{3} s", "0.000 s", line) for line in lines]


def assert_block(result: pytest.RunResult, text: str) -> None:
    """The output has these lines in a row; blanks at the ends of lines do not count."""
    found = [line.strip() for line in lines_of(result)]
    wanted = [line.strip() for line in text.strip().splitlines()]
    starts = [place for place in range(len(found)) if found[place : place + len(wanted)] == wanted]
    assert starts, "\n".join(["not found:", *wanted, "in:", *found])
