"""What the package costs before it does anything."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

#: What `import bartizan` must not bring along.
HEAVY = ("numpy", "pandas", "torch", "sklearn", "onnx", "skl2onnx", "ray", "pytest", "scipy")

TIMED = "import time; t = time.perf_counter(); import bartizan; print(time.perf_counter() - t)"


def output(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout


def test_the_wheel_is_small() -> None:
    wheel = os.environ.get("BARTIZAN_WHEEL")
    if wheel is None:
        pytest.skip("BARTIZAN_WHEEL does not name the wheel")
    assert Path(wheel).stat().st_size < 15e6


def test_importing_is_quick() -> None:
    output(TIMED)
    assert statistics.median(float(output(TIMED)) for _ in range(9)) < 0.05


def test_importing_brings_nothing_heavy() -> None:
    found = output("import sys, bartizan; print(*sys.modules)").split()
    assert not set(HEAVY) & set(found)


def test_types_are_right() -> None:
    pytest.importorskip("mypy")
    configuration = Path(__file__).parents[1] / "pyproject.toml"
    command = [sys.executable, "-m", "mypy", "--config-file", str(configuration), "--cache-dir", os.devnull]
    found = subprocess.run(command, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
