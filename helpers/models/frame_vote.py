"""k nearest neighbours on single frames, and a majority vote over the frames of a clip: the baseline of ChMusic."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class FrameVote:
    """Each frame is given the class of its nearest training frames, each clip that of most of its frames.

    Gong et al. (ICBDT 2021) do so with 20 MFCCs a frame. Coefficients are standardised over the training frames.
    """

    def __init__(self, neighbours: int, n_classes: int) -> None:
        from sklearn.neighbors import KNeighborsClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        self.model = make_pipeline(StandardScaler(), KNeighborsClassifier(neighbours))
        self.n_classes = n_classes

    def fit(self, clips: Sequence[np.ndarray], labels: Sequence[int]) -> FrameVote:
        """Learn from clips [frames, D] with a class index each."""
        self.model.fit(np.concatenate(clips), np.repeat(labels, [len(clip) for clip in clips]))
        return self

    def votes(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """Share of its frames that voted for each class, [clips, classes]."""
        counts = [np.bincount(self.model.predict(clip), minlength=self.n_classes) / len(clip) for clip in clips]
        return np.stack(counts)
