"""What can be heard in 30 ms: a linear decision for each instrument from the MFCCs of one window alone."""

from __future__ import annotations

import numpy as np


class SingleWindow:
    """Logistic regression, one a class, on standardised features of single windows."""

    def __init__(self) -> None:
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.model = make_pipeline(StandardScaler(), OneVsRestClassifier(LogisticRegression(max_iter=300)))

    def fit(self, features: np.ndarray, targets: np.ndarray) -> SingleWindow:
        """Learn from features [N, D] and labels [N, C]; windows with unknown labels (NaN) are left out."""
        known = ~np.isnan(targets).any(axis=1)
        self.model.fit(features[known], targets[known].astype(int))
        return self

    def probability(self, features: np.ndarray) -> np.ndarray:
        """[N, D] -> [N, C]."""
        return self.model.predict_proba(features)
