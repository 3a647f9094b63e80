"""What tests of conversions have in common: onnxruntime as the judge, and what is refused."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

import bartizan
from bartizan import convert

#: Largest difference from a model in binary32, relative to the largest output: the two add in different orders.
SINGLE = 1e-5

#: The same in binary64.
DOUBLE = 1e-12


def needs(*packages: str) -> pytest.MarkDecorator:
    """Skips tests where a package is missing."""
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


def softmax(scores: Any) -> Any:
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shares / shares.sum(axis=1, keepdims=True)


def runtime_outputs(model: bytes, points: Any) -> Any:
    """What onnxruntime computes at each point."""
    from onnxruntime import InferenceSession

    session = InferenceSession(model, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: point[None]})[0] for point in points])


def assert_near(found: Any, expected: Any, tolerance: float) -> None:
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= tolerance * max(1.0, np.abs(expected).max())


def refusal(model: Any, example: Any = None) -> str:
    with pytest.raises(bartizan.InputError) as caught:
        convert.onnx_bytes(model, example)
    assert isinstance(caught.value, ValueError)
    return str(caught.value)
