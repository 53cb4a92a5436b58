"""What leakage does to a score: the same windows, model and seeds, split by track and split by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from helpers.datasets import gtzan
from helpers.datasets.base import Clip
from helpers.evaluation.intervals import bootstrap
from helpers.models import build
from helpers.models.pooled import solve
from helpers.models.predict import predict
from helpers.studies.genre_recipe import GenreConfig

MODEL = "pooled_lda"


@dataclass(frozen=True)
class Leak:
    """Accuracies of test windows with 95 % intervals over tracks."""

    scores: dict[str, dict[str, float]]  # track, leaky, and "leaky minus track"
    n: int  # test windows of all seeds together
    tracks: int
    chance: float


def measure(clips: Sequence[Clip], config: GenreConfig, genres: Sequence[str], seeds: int, seconds: float) -> Leak:
    """Split, solve and score by both protocols for several seeds.

    Both see as many windows in training. Features are computed once; the model is statistics with a linear
    discriminant, so every split costs a fraction of a second.

    Args:
        clips: whole tracks.
        config: the recipe.
        genres: names of the labels.
        seeds: how often the tracks are dealt out anew.
        seconds: length of the windows, which lie side by side.
    """
    windows = gtzan.windows(clips, seconds, seconds, config.heard_s)
    where = {(clip.name, clip.start): index for index, clip in enumerate(windows)}
    model = build(MODEL, len(genres), **config.arguments(MODEL))
    features = torch.from_numpy(predict(model.frontend, windows, config.sample_rate, seconds)[0])
    labels = torch.tensor([clip.labels[0] for clip in windows])
    hits, leaky, tracks = [], [], []
    for seed in range(seeds):
        for protocol in ("track", "leaky"):
            parts = gtzan.split(windows, protocol, seed)
            train, test = ([where[c.name, c.start] for c in parts[part]] for part in ("train", "test"))
            solve(model, MODEL, features[train], labels[train])
            with torch.inference_mode():
                said = model.head(model.encoder(features[test])).argmax(dim=1)
            hits += (said == labels[test]).tolist()
            leaky += [protocol == "leaky"] * len(test)
            tracks += [windows[index].group for index in test]
    return _scored(np.array(hits, float), np.array(leaky), np.array(tracks), len(genres))


def _scored(hits: np.ndarray, leaky: np.ndarray, tracks: np.ndarray, n_genres: int) -> Leak:
    def accuracy(of_leaky: bool):
        return lambda hits, leaky: hits[leaky == of_leaky].mean() if (leaky == of_leaky).any() else np.nan

    metrics = {"track": accuracy(False), "leaky": accuracy(True),
               "leaky minus track": lambda hits, leaky: accuracy(True)(hits, leaky) - accuracy(False)(hits, leaky)}
    scores = {name: bootstrap(metric, tracks, hits, leaky) for name, metric in metrics.items()}
    return Leak(scores, len(hits), len(set(tracks)), 1 / n_genres)
