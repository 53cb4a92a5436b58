"""The split that list files give: `train_list.txt` and `test_list.txt` in the data root, of tracks or fMRI stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from helpers.config import InputError
from helpers.datasets import fmri, gtzan
from helpers.datasets.base import Clip, split_by_group

VALID_SHARE = 0.15  # of the listed training tracks; they choose the epoch


def parts(root: Path, genres: Sequence[str], seed: int) -> dict[str, list[Clip]]:
    """Whole files by part; the training list is dealt out by track to training and validation.

    Raises:
        InputError: a list is missing, names what is not there, or the two lists share a track.
    """
    training, test = (_listed(root, part, genres) for part in ("train", "test"))
    shared = sorted({clip.group for clip in training} & {clip.group for clip in test})
    if shared:
        raise InputError(
            f"{root / 'test_list.txt'}: {shared[0]} stands in train_list.txt too ({len(shared)} such tracks); "
            "take them out of one list, or the score measures memory"
        )
    train, valid = split_by_group(training, (1 - VALID_SHARE, VALID_SHARE), seed)
    return {"train": train, "valid": valid, "test": test}


def _listed(root: Path, part: str, genres: Sequence[str]) -> list[Clip]:
    """Whole files of one list, labels as places in `genres`."""
    path = root / f"{part}_list.txt"
    lines = gtzan.list_lines(path)
    if not any(fmri.is_stimulus(line) for line in lines):
        return gtzan.listed(gtzan.tracks(root, genres).clips, path)
    stimuli = [(clip, gtzan.GENRES[clip.labels[0]]) for clip in fmri.listed(path, root, part)]
    return [replace(clip, labels=(genres.index(genre),)) for clip, genre in stimuli if genre in genres]
