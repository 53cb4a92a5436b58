"""What the protocol does to a score: the same windows and model, split by the lists, by track, and by window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from helpers.datasets import gtzan
from helpers.datasets.base import Clip
from helpers.evaluation.intervals import bootstrap
from helpers.experiments.genre_recipe import GenreConfig
from helpers.models import build
from helpers.models.pooled import solve
from helpers.prediction.clips import predict

MODEL = "pooled_lda"
LEAK = "leaky minus track"


@dataclass(frozen=True)
class Leak:
    """Accuracies of windows that were not trained on, by protocol, and their difference, with 95 % intervals."""

    scores: dict[str, dict[str, float]]  # filtered, track, leaky, "leaky minus track"
    n: int  # windows that were judged, over all seeds
    tracks: int


def measure(clips: Sequence[Clip], config: GenreConfig, genres: Sequence[str], seeds: int, seconds: float) -> Leak:
    """Train and judge by all three protocols, the random ones for several seeds.

    Track and leaky splits train on equally many windows. Nothing is chosen on validation data, so all windows that
    are not trained on are judged. Features are computed once; the model is statistics with a linear discriminant, so
    that every split costs a fraction of a second.

    Args:
        clips: whole tracks.
        config: the recipe.
        genres: names of the labels.
        seeds: how often the tracks are dealt out anew.
        seconds: length of the windows, which lie side by side.
    """
    windows = gtzan.windows(clips, seconds, seconds, config.heard_s)
    model = build(MODEL, len(genres), **config.arguments(MODEL))
    features = torch.from_numpy(predict(model.frontend, windows, config.sample_rate, seconds)[0])
    labels = torch.tensor([clip.labels[0] for clip in windows])
    groups = np.array([clip.group for clip in windows])
    hits, protocols, tracks = [], [], []
    for protocol in gtzan.PROTOCOLS:
        for seed in range(1 if protocol == "filtered" else seeds):
            train, judged = _sides(windows, protocol, seed)
            solve(model, MODEL, features[train], labels[train])
            with torch.inference_mode():
                said = model.head(model.encoder(features[judged])).argmax(dim=1)
            hits.append((said == labels[judged]).numpy())
            protocols += [protocol] * len(judged)
            tracks.append(groups[judged])
    return _scored(np.concatenate(hits).astype(float), np.array(protocols), np.concatenate(tracks))


def _sides(windows: Sequence[Clip], protocol: str, seed: int) -> tuple[list[int], list[int]]:
    """Indices of the windows to train on and of those to judge."""
    where = {(clip.name, clip.start): index for index, clip in enumerate(windows)}
    parts = gtzan.split(windows, protocol, seed)
    chosen = {part: [where[clip.name, clip.start] for clip in dealt] for part, dealt in parts.items()}
    return chosen["train"], chosen["valid"] + chosen["test"]


def _scored(hits: np.ndarray, protocols: np.ndarray, tracks: np.ndarray) -> Leak:
    def accuracy(protocol: str):
        return lambda hits, of: hits[of == protocol].mean() if (of == protocol).any() else np.nan

    scores = {}
    for protocol in gtzan.PROTOCOLS:
        mine = protocols == protocol
        scores[protocol] = bootstrap(accuracy(protocol), tracks[mine], hits[mine], protocols[mine])
    by_track, leaky = accuracy("track"), accuracy("leaky")
    mine = protocols != "filtered"
    scores[LEAK] = bootstrap(lambda h, p: leaky(h, p) - by_track(h, p), tracks[mine], hits[mine], protocols[mine])
    return Leak(scores, len(hits), len(set(tracks)))
