"""bartizan proves that a trained ReLU network gives the same answer everywhere within a radius of an input, and turns many such proofs into an honest
statement about a whole data set.

>>> import bartizan
>>> run = bartizan.certify("model.onnx", X, y, radius=0.03, clip=(0, 1))  # doctest: +SKIP
>>> run.counts, run.coverage  # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

from ._api import certify, check, coverage, merge, open, radius, verify
from ._bartizan import version as __version__
from ._errors import Error, FileError, InputError
from ._network import Network, load
from ._results import Check, Coverage, Outcome, Point, Run

__all__ = [
    "Check",
    "Coverage",
    "Error",
    "FileError",
    "InputError",
    "Network",
    "Outcome",
    "Point",
    "Run",
    "__version__",
    "assert_robust",
    "certify",
    "check",
    "coverage",
    "load",
    "merge",
    "open",
    "radius",
    "verify",
]

for _class in (Check, Coverage, Network, Outcome, Point, Run):
    _class.__module__ = "bartizan"


def __getattr__(name: str) -> Any:
    """What costs time to import comes when it is asked for."""
    if name == "assert_robust":
        from ._assertions import assert_robust

        return assert_robust
    if name in ("ray", "pytest_plugin", "convert"):
        from importlib import import_module

        return import_module(f"bartizan.{name}")
    raise AttributeError(f"module 'bartizan' has no attribute {name!r}")
