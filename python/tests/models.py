"""The shipped models that tests speak of."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).parents[2]
DIGITS = REPOSITORY / "models/digits_mlp"
MODEL = str(DIGITS / "model.onnx")
CONTROLLER = REPOSITORY / "models/controller"

#: The command line, where it has been built.
BINARY = os.environ.get("BARTIZAN_BINARY")

X = np.load(DIGITS / "images.npy")
y = np.load(DIGITS / "labels.npy")
