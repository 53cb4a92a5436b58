"""Train a model of the genre study, let files vote by windows, cross-validate over tracks, write the checkpoint.

Axis letters: W windows, N tracks, C classes, D features.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from scipy.special import log_softmax
from torch.utils.data import DataLoader

from helpers.augmentation.genre import ON_THE_FLY
from helpers.config import InputError
from helpers.datasets import gtzan
from helpers.datasets.base import AugmentedDataset, Clip, ClipDataset, clips_fingerprint, groups
from helpers.evaluation import results as metrics
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.single import majority_baseline, top_k_accuracy
from helpers.experiments.genre_recipe import SOLVED, GenreConfig
from helpers.models import build
from helpers.models.base import AudioClassifier
from helpers.models.checkpoint import Checkpoint, save_checkpoint
from helpers.models.pooled import solve
from helpers.prediction.clips import best_device, predict

TASK = "gtzan"
Parts = dict[str, list[Clip]]


@dataclass(frozen=True)
class Trained:
    """A trained model with what is needed to use it."""

    name: str
    model: AudioClassifier
    config: GenreConfig
    genres: Sequence[str]
    curves: dict[str, list[float]] = field(default_factory=dict)  # of a network: loss and score of each epoch

    @property
    def arguments(self) -> dict:
        """What builds a model that takes this one's weights."""
        duels = getattr(self.model.head, "duels", None)
        return self.config.arguments(self.name) | ({} if duels is None else {"vectors": len(duels.vectors)})


@dataclass(frozen=True)
class Votes:
    """What the windows of each track say together."""

    tracks: np.ndarray  # names [N]
    scores: np.ndarray  # mean log probabilities of the windows [N, C]
    labels: np.ndarray  # [N]

    def accuracy(self, seed: int = 0) -> dict[str, float]:
        """Share of tracks that are right, with its 95 % interval over tracks."""
        return bootstrap(top_k_accuracy, self.tracks, self.scores, self.labels, seed=seed)


def dealt(clips: Sequence[Clip], name: str, protocol: str, config: GenreConfig) -> Parts:
    """Windows of the model's length, dealt out by a protocol.

    Raises:
        InputError: a part that training or testing needs is empty.
    """
    windows = gtzan.windows(clips, *config.window(name), config.heard_s)
    return _limited(gtzan.split(windows, protocol, config.seed), f"protocol {protocol!r}", config)


def cut(parts: Parts, name: str, config: GenreConfig) -> Parts:
    """Windows of the model's length of whole files that were dealt out already.

    Raises:
        InputError: a part is empty.
    """
    windows = {part: gtzan.windows(clips, *config.window(name), config.heard_s) for part, clips in parts.items()}
    return _limited(windows, "list files", config)


def _limited(parts: Parts, split: str, config: GenreConfig) -> Parts:
    """Windows in random order, of each part as many as the recipe allows."""
    for part, windows in parts.items():
        if not windows:
            raise InputError(f"{split}: no {part} tracks among the clips; use another --split, or more tracks")
    generator = np.random.default_rng(config.seed)
    return {part: [windows[index] for index in generator.permutation(len(windows))[: config.max_windows]]
            for part, windows in parts.items()}


def train(
    name: str,
    parts: Parts,
    config: GenreConfig,
    genres: Sequence[str],
    augment: bool = False,
    run_dir: Path | None = None,
) -> Trained:
    """Train on parts["train"]; a network keeps the epoch that is best on parts["valid"].

    Args:
        name: a key of `genre_recipe.ZOO`.
        parts: windows.
        config: the recipe.
        genres: names of the labels.
        augment: change the training windows by the seven augmentations (never the others).
        run_dir: a network's training that was killed goes on from there.
    """
    torch.manual_seed(config.seed)
    model = build(name, len(genres), **config.arguments(name))
    seconds, _ = config.window(name)
    training = ClipDataset(parts["train"], len(genres), config.sample_rate, seconds)
    if name in SOLVED:
        features, labels = _features(name, tuple(parts["train"]), config), _labels(parts["train"])
        if augment:
            changed = AugmentedDataset(training, ON_THE_FLY, config.seed)
            features = torch.cat([features, _changed_features(model.frontend, changed, config.workers)])
            labels = torch.cat([labels, labels])
        solve(model, name, features, labels)
        return Trained(name, model, config, genres)
    from helpers.training.fit import fit

    validation = ClipDataset(parts["valid"], len(genres), config.sample_rate, seconds)
    history = fit(model, training, validation, config.train, augment=ON_THE_FLY if augment else None, run_dir=run_dir)
    names = ("train_loss", "train_score", "valid_loss", "valid_score")
    return Trained(name, model, config, genres, {curve: history.curve(curve) for curve in names})


def votes(trained: Trained, windows: Sequence[Clip]) -> Votes:
    """Scores of every track by its windows."""
    if trained.name in SOLVED:
        embedding = trained.model.encoder(_features(trained.name, tuple(windows), trained.config))
        return vote(trained.model.head(embedding).detach().numpy(), windows)
    seconds, _ = trained.config.window(trained.name)
    logits, unreadable = predict(
        trained.model, windows, trained.config.sample_rate, seconds, batch_size=16, device=best_device())
    if unreadable:
        raise InputError(next(iter(unreadable.values())))
    return vote(logits, windows)


def vote(logits: np.ndarray, windows: Sequence[Clip]) -> Votes:
    """Mean log probability of the windows [W, C] of each track."""
    tracks, which, counts = np.unique(groups(windows), return_inverse=True, return_counts=True)
    scores = np.zeros((len(tracks), logits.shape[1]))
    np.add.at(scores, which, log_softmax(logits, axis=1))
    labels = np.zeros(len(tracks), int)
    labels[which] = [clip.labels[0] for clip in windows]
    return Votes(tracks, scores / counts[:, None], labels)


def number_folds(windows: Sequence[Clip], folds: int, contiguous: bool) -> np.ndarray:
    """Fold [W] of each window, by the place of its track among those of its genre in order of number.

    Contiguous folds hold neighbours together, which in GTZAN often are one artist; otherwise neighbours are dealt
    out to different folds (with as many folds as tracks of a genre: leave one number out).
    """
    place: dict[str, tuple[int, int]] = {}
    for genre in {re.split(r"\.", clip.group)[0] for clip in windows}:
        names = sorted({clip.group for clip in windows if clip.group.startswith(f"{genre}.")})
        place |= {name: (rank, len(names)) for rank, name in enumerate(names)}
    ranks = [place[clip.group] for clip in windows]
    return np.array([rank * folds // count if contiguous else rank % folds for rank, count in ranks])


def cross_validate(
    name: str, windows: Sequence[Clip], fold: np.ndarray, config: GenreConfig, genres: Sequence[str]
) -> Votes:
    """Votes of every track by a solved model that did not see its fold."""
    model = build(name, len(genres), **config.arguments(name))
    features, labels = _features(name, tuple(windows), config), _labels(windows)
    logits = np.zeros((len(windows), len(genres)), np.float32)
    for held_out in np.unique(fold):
        inside = torch.from_numpy(fold != held_out)
        solve(model, name, features[inside], labels[inside])
        with torch.inference_mode():
            logits[~inside.numpy()] = model.head(model.encoder(features[~inside])).numpy()
    return vote(logits, windows)


def save(path: Path, trained: Trained, windows: Sequence[Clip], label: str, scores: dict, command: str) -> Checkpoint:
    """Write the checkpoint of a trained model; `windows` are those it was trained on, `label` that of the corpus."""
    tracks = len({clip.group for clip in windows})
    checkpoint = Checkpoint(
        task=TASK,
        model=trained.name,
        arguments=trained.arguments,
        classes=list(trained.genres),
        sample_rate=trained.config.sample_rate,
        seconds=trained.config.window(trained.name)[0],
        state=trained.model.state_dict(),
        seed=trained.config.seed,
        data={"corpus": "GTZAN", "label": label, "tracks": tracks,
              "windows": len(windows), "fingerprint": clips_fingerprint(windows)},
        scores=scores,
        command=command,
        versions=metrics.versions(),
    )
    save_checkpoint(path, checkpoint)
    return checkpoint


def baseline(parts: Parts) -> float:
    """Accuracy on the test tracks of always saying the most frequent training genre."""
    labels = {part: np.array([label for _, label in sorted({(c.group, c.labels[0]) for c in windows})])
              for part, windows in parts.items()}
    return majority_baseline(labels["train"], labels["test"])["top1"]


@lru_cache(maxsize=8)  # the table asks for the same windows without and with augmentation
def _features(name: str, windows: tuple[Clip, ...], config: GenreConfig) -> torch.Tensor:
    """What the front end of a solved model makes of the windows, [W, D]."""
    frontend = build(name, 1, **config.arguments(name)).frontend
    rows, unreadable = predict(frontend, windows, config.sample_rate, config.window(name)[0], batch_size=16)
    if unreadable:
        raise InputError(next(iter(unreadable.values())))
    return torch.from_numpy(rows)


def _changed_features(frontend: torch.nn.Module, changed: AugmentedDataset, workers: int) -> torch.Tensor:
    """What a front end makes of augmented windows, [W, D]; they are changed in processes of their own."""
    with torch.inference_mode():
        return torch.cat([frontend(waveforms) for waveforms, _ in DataLoader(changed, 16, num_workers=workers)])


def _labels(windows: Sequence[Clip]) -> torch.Tensor:
    return torch.tensor([clip.labels[0] for clip in windows])
