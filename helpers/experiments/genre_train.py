"""Train a model of the genre study, cross-validate it over tracks, write its checkpoint.

Shown in notebook 06. Axis letters: W windows, N tracks, C classes, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from helpers.augmentation.genre import ON_THE_FLY
from helpers.config import ROOT, InputError
from helpers.datasets import gtzan
from helpers.datasets.base import AugmentedDataset, Clip, ClipDataset, clips_fingerprint, data_label, subset
from helpers.evaluation.intervals import score_text
from helpers.evaluation.results import versions
from helpers.evaluation.single import top_k_accuracy
from helpers.experiments import genres as study
from helpers.experiments.common import command_line, curves, labels_of
from helpers.experiments.genre_files import copies, listed_parts
from helpers.experiments.genres import SOLVED, TASK, TITLES, GenreConfig, Parts, Setting, Votes, model_of, settings
from helpers.models import build
from helpers.models.checkpoint import Checkpoint, save_checkpoint
from helpers.models.pooled import solve
from helpers.prediction.clips import best_device
from helpers.training.fit import fit

WAYS = {  # how tracks are held out by `--split all` -> whether runs of neighbouring numbers are kept together
    "nested, single tracks held out (neighbours in number often are one artist, so this is optimistic)": False,
    "nested, runs of neighbouring numbers held out": True,
}
INNER_FOLDS, OUTER_FOLDS = 5, 10  # at most; of cross-validation that chooses, and of that which reports


@dataclass(frozen=True)
class Trained:
    """A trained model with what is needed to use it."""

    name: str
    model: nn.Module
    setting: Setting
    config: GenreConfig
    windows: list[Clip]  # that it was trained on
    curves: dict[str, list[float]] = field(default_factory=dict)  # of a network: loss and score of each epoch


def train(
    name: str, parts: Parts, config: GenreConfig, classes: int, augment: bool = False, run_dir: Path | None = None
) -> Trained:
    """Train on the tracks of parts["train"].

    A network keeps the epoch that is best on parts["valid"]; the setting of a solved model is chosen by
    cross-validation inside the training tracks.

    Args:
        name: a key of `TITLES`.
        parts: whole tracks.
        config: the recipe.
        classes: number of genres.
        augment: change the training windows by the seven augmentations (never the others).
        run_dir: a network's training that was killed goes on from there.
    """
    setting = choose(settings(name, config), parts["train"], config, classes)
    windows = subset(study.windows_of(parts["train"], setting, config), config.max_windows, config.seed)
    model = build(setting.model, classes, seed=config.seed, **config.arguments(name))
    training = ClipDataset(windows, classes, config.sample_rate, setting.window_s)
    if name in SOLVED:
        rows, labels = study.features(setting, windows, config), torch.from_numpy(labels_of(windows))
        if augment:
            changed = AugmentedDataset(training, ON_THE_FLY, config.seed)
            rows = torch.cat([rows, _changed_features(model.frontend, changed, config.workers)])
            labels = torch.cat([labels, labels])
        solve(model, setting.model, rows, labels, **dict(setting.options))
        return Trained(name, model, setting, config, windows)
    held_out = study.windows_of(parts["valid"], setting, config)
    valid = ClipDataset(held_out, classes, config.sample_rate, setting.window_s)
    history = fit(model, training, valid, config.train, augment=ON_THE_FLY if augment else None, run_dir=run_dir)
    return Trained(name, model, setting, config, windows, curves(history))


def votes(trained: Trained, tracks: Sequence[Clip]) -> Votes:
    """Scores of every track by its windows."""
    windows = study.windows_of(tracks, trained.setting, trained.config)
    if trained.name in SOLVED:
        logits = _decided(trained.model, study.features(trained.setting, windows, trained.config))
    else:
        logits = study.logits_of(trained.model, windows, trained.config, trained.setting.window_s, best_device())
    return study.vote(logits, windows)


def cross_validate(
    setting: Setting, tracks: Sequence[Clip], fold: np.ndarray, config: GenreConfig, classes: int
) -> Votes:
    """Votes of every track by a solved model that was not fitted on its fold [N]."""
    return _together([_judged(setting, tracks, fold == held_out, config, classes) for held_out in np.unique(fold)])


def choose(
    candidates: Sequence[Setting], tracks: Sequence[Clip], config: GenreConfig, classes: int, by_block: bool = False
) -> Setting:
    """The candidate whose held-out votes are best on these tracks: most accurate, of equals the likeliest."""
    if len(candidates) == 1:
        return candidates[0]
    fold = study.folds(tracks, INNER_FOLDS, by_block, config.seed)
    able = [one for one in candidates if _can_be_judged(one, tracks, fold, config)]
    judged = {one: cross_validate(one, tracks, fold, config, classes) for one in able}
    if not judged:  # too few tracks to choose anything by
        return candidates[0]
    return max(judged, key=lambda one: (top_k_accuracy(judged[one].scores, judged[one].labels), judged[one].likelihood))


def nested(
    candidates: Sequence[Setting], tracks: Sequence[Clip], config: GenreConfig, classes: int, by_block: bool = False
) -> tuple[Votes, list[Setting]]:
    """Nested cross-validation: for each outer fold a setting is chosen without it, and judged on it.

    Args:
        candidates: what there is to choose from.
        tracks: whole tracks.
        config: the recipe.
        classes: number of genres.
        by_block: whether neighbours in number stay together on one side.

    Returns:
        The votes of all tracks, each by a model neither fitted nor chosen on it, and what was chosen in each fold.
    """
    outer, chosen, judged = study.folds(tracks, OUTER_FOLDS, by_block, config.seed), [], []
    for held_out in np.unique(outer):
        inside = [clip for clip, fold in zip(tracks, outer, strict=True) if fold != held_out]
        chosen.append(choose(candidates, inside, config, classes, by_block))
        judged.append(_judged(chosen[-1], tracks, outer == held_out, config, classes))
    return _together(judged), chosen


def train_checkpoint(
    name: str, root: Path, split: str, out: Path, config: GenreConfig, genres: Sequence[str], augment: bool,
    augmented: Path | None,
) -> str:  # fmt: skip
    """Train a model, write the checkpoint, and return what to tell.

    Args:
        name: a key of `TITLES`.
        root: data root of GTZAN.
        split: a protocol; "lists" for train_list.txt and test_list.txt in the data root; "all" for every track, with
            scores from nested cross-validation (solved models only).
        out: checkpoint to write.
        config: the recipe.
        genres: in the order of the labels.
        augment: on the fly.
        augmented: folder of augmented copies (of `python -m helpers augment`); those of training tracks are added.

    Raises:
        InputError: the model is unknown, or cannot be trained by this split.
    """
    model, notes = model_of(name), []
    if split == "lists":
        parts = listed_parts(root, genres, config.seed)
    else:
        found = gtzan.tracks(root, genres)
        notes = [f"left out: {line}" for line in found.skipped]
        parts = {"train": found.clips} if split == "all" else study.split_tracks(found.clips, split, config.seed)
    label = data_label(root, sum(map(len, parts.values())), gtzan.OFFICIAL_TRACKS)
    if augmented is not None:
        parts["train"] = parts["train"] + copies(augmented, parts["train"], genres)
    if split == "all":
        scores = cross_validated(name, parts["train"], config, len(genres))
    trained = train(name, parts, config, len(genres), augment, ROOT / "runs" / "genre" / f"{name}_{split}")
    if split != "all":
        scores = {part: votes(trained, parts[part]).accuracy(config.seed) for part in ("valid", "test")}
        scores = {part: {**score, "n": len({c.group for c in parts[part]})} for part, score in scores.items()}
        notes.append(f"baseline (most frequent genre): {study.baseline(parts):.1%}")
    tracks = len({clip.group for clip in trained.windows})
    weights = trained.model.state_dict()
    vectors = [("vectors", len(value)) for key, value in weights.items() if key.endswith(".vectors")]
    save_checkpoint(out, Checkpoint(
        task=TASK, model=model, arguments=config.arguments(name) | dict(vectors),
        classes=list(genres), sample_rate=config.sample_rate, seconds=trained.setting.window_s,
        state=weights, seed=config.seed, scores=scores, versions=versions(),
        data={"corpus": "GTZAN", "label": label, "tracks": tracks, "windows": len(trained.windows),
              "fingerprint": clips_fingerprint(trained.windows), "setting": str(trained.setting)},
        command=command_line(
            "genre", "train", model=name, split=split, data_root=Path(root), augment=augment, augmented=augmented,
            genres=list(genres) if len(genres) < len(gtzan.GENRES) else (), epochs=config.epochs,
            optimizer=config.optimizer, learning_rate=config.learning_rate, normalisation=config.normalisation,
            seed=config.seed, out=Path(out),
        ),
    ))  # fmt: skip
    lines = [f"{TITLES[name]}, {split} split of GTZAN ({label}): trained on {tracks} tracks"]
    lines += [f"  {part}: {score_text(s, percent=True)} of {s['n']} tracks" for part, s in scores.items()]
    lines += [f"  {note}" for note in notes]
    return "\n".join([*lines, f"{out} written; next: python -m helpers genre predict FILE --checkpoint {out}"])


def cross_validated(name: str, tracks: Sequence[Clip], config: GenreConfig, classes: int) -> dict[str, dict]:
    """Accuracy on tracks that a setting was neither fitted to nor chosen on, by two ways of holding out.

    Raises:
        InputError: the model is a network, whose best epoch needs validation tracks.
    """
    if name not in SOLVED:
        raise InputError(f"model {name!r}: --split all is for {' and '.join(SOLVED)}; use --split filtered or track")
    scores = {}
    for way, by_block in WAYS.items():
        voted, _ = nested(settings(name, config), tracks, config, classes, by_block)
        scores[way] = {**voted.accuracy(config.seed), "n": len(voted.tracks)}
    return scores


def _can_be_judged(setting: Setting, tracks: Sequence[Clip], fold: np.ndarray, config: GenreConfig) -> bool:
    """Whether every fold leaves more windows than genres to fit to."""
    sides = [[clip for clip, own in zip(tracks, fold, strict=True) if own != one] for one in np.unique(fold)]
    return all(len(study.windows_of(side, setting, config)) > len({clip.labels for clip in side}) for side in sides)


def _judged(setting: Setting, tracks: Sequence[Clip], held_out: np.ndarray, config: GenreConfig, classes: int) -> Votes:
    """Votes of the tracks that are held out, bool [N], by a solved model that was fitted to the others."""
    inside = study.windows_of([clip for clip, out in zip(tracks, held_out, strict=True) if not out], setting, config)
    judged = study.windows_of([clip for clip, out in zip(tracks, held_out, strict=True) if out], setting, config)
    model = build(setting.model, classes, **config.arguments(setting.model))
    labels = torch.from_numpy(labels_of(inside))
    solve(model, setting.model, study.features(setting, inside, config), labels, **dict(setting.options))
    return study.vote(_decided(model, study.features(setting, judged, config)), judged)


def _together(judged: Sequence[Votes]) -> Votes:
    return Votes(*(np.concatenate([getattr(one, name) for one in judged]) for name in ("tracks", "scores", "labels")))


def _decided(model: nn.Module, features: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return model.head(model.encoder(features)).numpy()


def _changed_features(frontend: nn.Module, changed: AugmentedDataset, workers: int) -> torch.Tensor:
    """What a front end makes of augmented windows, [W, D]; they are changed in processes of their own."""
    with torch.inference_mode():
        return torch.cat([frontend(waveforms) for waveforms, _ in DataLoader(changed, 16, num_workers=workers)])
