"""Ways to bring pooled features to a common scale, to be compared under plain classifiers.

Every scaler is fitted to training notes only and then applied to all others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

SCALERS = ("none", "standardised", "ranks", "unit length")
CLASSIFIERS = ("k-NN", "SVM", "extra-trees")


def fit_plain(scaler: str, classifier: str, matrix: np.ndarray, labels: np.ndarray, seed: int) -> Any:
    """A classifier with fixed hyper-parameters behind a scaler, fitted to features [n, D] and labels [n].

    Args:
        scaler: "none"; "standardised": mean 0 and variance 1 in each column; "ranks": each column mapped to a normal
            distribution by rank; "unit length": standardised, then each note divided by its Euclidean length.
        classifier: one of CLASSIFIERS.
        matrix: features.
        labels: class indices.
        seed: of the classifier.
    """
    from sklearn.pipeline import make_pipeline

    return make_pipeline(*_steps(scaler, len(matrix)), _classifiers()[classifier](seed)).fit(matrix, labels)


def _steps(scaler: str, notes: int) -> list[Any]:
    from sklearn.preprocessing import Normalizer, QuantileTransformer, StandardScaler

    return {
        "none": [],
        "standardised": [StandardScaler()],
        "ranks": [QuantileTransformer(n_quantiles=min(200, notes), output_distribution="normal")],
        "unit length": [StandardScaler(), Normalizer()],
    }[scaler]


def _classifiers() -> dict[str, Callable[[int], Any]]:
    from sklearn.ensemble import ExtraTreesClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.svm import SVC

    return {
        "k-NN": lambda seed: KNeighborsClassifier(5),
        "SVM": lambda seed: SVC(C=10, random_state=seed),
        "extra-trees": lambda seed: ExtraTreesClassifier(100, random_state=seed),
    }
