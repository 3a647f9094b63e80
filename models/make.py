"""Trains the networks and writes their folders, except for the expected verdicts (see oracle.py).

python make.py [MODEL ...]
"""

import importlib
import sys
from pathlib import Path

MODELS = ["digits_mlp", "digits_conv", "cancer_mlp", "controller", "digits_residual", "moons", "tram", "rounding"]


def main(names):
    for name in names or MODELS:
        folder = Path(__file__).parent / name
        folder.mkdir(exist_ok=True)
        accuracy = importlib.import_module(f"recipe.{name}").build(folder)
        print(f"{name}: test accuracy {accuracy:.4f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
