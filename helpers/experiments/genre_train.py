"""`genre train`: one model from corpus to checkpoint, scored once, in a sentence."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from helpers.config import ROOT, InputError
from helpers.datasets import gtzan
from helpers.datasets.base import Clip, data_label
from helpers.experiments import genre_lists
from helpers.experiments import genres as study
from helpers.experiments.genre_recipe import SOLVED, ZOO, GenreConfig
from helpers.files import fingerprint

CAVEAT = "neighbours in number often are one artist, so this is optimistic"


def run(
    name: str, root: Path, split: str, out: Path, config: GenreConfig, genres: Sequence[str], augment: bool,
    augmented: Path | None,
) -> str:
    """Train, write the checkpoint, and return what to tell.

    Args:
        name: a key of `ZOO`.
        root: data root of GTZAN.
        split: a protocol; "lists" for train_list.txt and test_list.txt in the data root; "all" for every track with
            scores from cross-validation (solved models only).
        out: checkpoint to write.
        config: the recipe.
        genres: in the order of the labels.
        augment: on the fly.
        augmented: folder of augmented copies (of `python -m helpers augment`); those of training tracks are added.

    Raises:
        InputError: the model is unknown, or cannot be trained by this protocol.
    """
    check(name)
    listed, notes = _listed_or_found(root, split, genres, config.seed)
    place = Path(os.path.relpath(root, ROOT)).as_posix()
    command = f"python -m helpers genre train --model {name} --split {split} --data-root {place}"
    if split == "all":
        scores, windows = cross_validated(name, listed["all"], config, genres)
        trained = study.train(name, {"train": windows}, config, genres, augment)
    else:
        parts = study.cut(listed, name, config) if split == "lists" else study.dealt(listed["all"], name, split, config)
        if augmented is not None:
            parts["train"] = parts["train"] + copies(augmented, parts["train"], name, config, genres)
        windows = parts["train"]
        key = fingerprint([name, split, config, genres, augment, sorted(c.name for c in windows)])
        trained = study.train(name, parts, config, genres, augment, ROOT / "runs" / "genre" / f"{name}_{key}")
        scores = {part: study.votes(trained, parts[part]).accuracy(config.seed) for part in ("valid", "test")}
        scores = {part: {**score, "n": len({c.group for c in parts[part]})} for part, score in scores.items()}
        notes.append(f"baseline (most frequent genre): {study.baseline(parts):.1%}")
    label = data_label(root, sum(map(len, listed.values())), gtzan.OFFICIAL_TRACKS)
    checkpoint = study.save(out, trained, windows, label, scores, command)
    lines = [f"{ZOO[name]}, {split} split of GTZAN ({label}): trained on {checkpoint.data['tracks']} tracks"]
    lines += [f"  {part}: {s['value']:.1%} of {s['n']} tracks (95 % interval {s['low']:.1%} to {s['high']:.1%})"
              for part, s in scores.items()]
    return "\n".join([*lines, *(f"  {note}" for note in notes), f"{out} written; next: python -m helpers genre predict "
                      f"FILE --checkpoint {out}"])


def _listed_or_found(root: Path, split: str, genres: Sequence[str], seed: int) -> tuple[study.Parts, list[str]]:
    """Whole files, by part if list files give the parts, and a line for each file that cannot be read."""
    if split == "lists":
        return genre_lists.parts(root, genres, seed), []
    found = gtzan.tracks(root, genres)
    return {"all": found.clips}, [f"left out: {line}" for line in found.skipped]


def check(name: str) -> None:
    """See that the study has such a model.

    Raises:
        InputError: it has not.
    """
    if name not in ZOO:
        raise InputError(f"model {name!r}: not in the genre study; choose one of {', '.join(ZOO)}")


def cross_validated(
    name: str, clips: Sequence[Clip], config: GenreConfig, genres: Sequence[str]
) -> tuple[dict, list[Clip]]:
    """Accuracy on tracks that were held out, by two ways of holding out, and the windows of all tracks.

    Raises:
        InputError: the model is a network, whose best epoch needs validation tracks.
    """
    if name not in SOLVED:
        raise InputError(f"model {name!r}: --split all is for {' and '.join(SOLVED)}; use --split filtered or track")
    windows = gtzan.windows(clips, *config.window(name), config.heard_s)
    per_genre = max(sum(clip.labels == (label,) for clip in clips) for label in range(len(genres)))
    ways = {f"single tracks held out ({CAVEAT})": (per_genre if per_genre <= 10 else 10, False),
            "runs of neighbouring numbers held out": (3, True)}
    scores = {}
    for way, (folds, contiguous) in ways.items():
        fold = study.number_folds(windows, folds, contiguous)
        result = study.cross_validate(name, windows, fold, config, genres)
        scores[way] = {**result.accuracy(config.seed), "n": len(result.tracks)}
    return scores, windows


def copies(
    folder: Path, training: Sequence[Clip], name: str, config: GenreConfig, genres: Sequence[str]
) -> list[Clip]:
    """Windows of the augmented copies of the training tracks, and of no other track.

    Raises:
        InputError: the folder holds none of them.
    """
    allowed = {clip.group for clip in training}
    originals = {clip.name for clip in training}
    found = [c for c in gtzan.tracks(folder, genres).clips if c.group in allowed and c.name not in originals]
    if not found:
        raise InputError(f"{folder}: no copies of the training tracks; make them with `python -m helpers augment`")
    return gtzan.windows(found, *config.window(name), config.heard_s)
