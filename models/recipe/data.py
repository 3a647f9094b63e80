"""The two data sets, as scikit-learn bundles them, split once for all recipes."""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.model_selection import train_test_split

SPLIT_SEED = 20
TEST_SHARE = 0.2
GREY_LEVELS = 16  # digits' pixels are whole numbers from 0 to 16


@dataclass
class Split:
    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    features: list


def digits():
    """1,437 and 360 images of shape [1, 8, 8], pixels in [0, 1] (multiples of 1/16, so exact in binary and decimal)."""
    bunch = load_digits()
    x = (bunch.images[:, None] / GREY_LEVELS).astype(np.float32)
    return _split(x, bunch.target, [])


def breast_cancer():
    """455 and 114 rows of 30 features in their own units; label 0 is malignant, 1 is benign."""
    bunch = load_breast_cancer()
    return _split(bunch.data, bunch.target, [str(name) for name in bunch.feature_names])


def _split(x, y, features):
    x_train, x_test, y_train, y_test = train_test_split(
        x, y.astype(np.int64), test_size=TEST_SHARE, stratify=y, random_state=SPLIT_SEED
    )
    return Split(x_train, y_train, x_test, y_test, features)
