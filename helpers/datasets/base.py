"""What all corpora share: the clip, where a corpus is found, splits by group, targets, and reading clips one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from helpers import audio
from helpers.config import DEMO, DataLabel, InputError
from helpers.files import fingerprint

DEMO_MARK = "DEMO.txt"  # lies in the root of every generated corpus


@dataclass(frozen=True)
class Clip:
    """A stretch of an audio file with its labels.

    `group` is what must not stand on two sides of a split: instrument, recording, film or piece.
    `member` names the file inside an archive, if `path` is one.
    """

    path: Path
    labels: tuple[int, ...]  # indices of the classes that are heard
    group: str
    start: float = 0.0  # s
    duration: float | None = None  # s; None: to the end of the file
    member: str | None = None

    @property
    def name(self) -> str:
        """File name without folder and suffix."""
        return Path(self.member or self.path).stem


@dataclass(frozen=True)
class Report:
    """What `validate()` of a corpus found; `problems` are one line each and say the remedy."""

    corpus: str
    data: DataLabel
    counts: dict[str, int]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.corpus} ({self.data}): " + ", ".join(f"{name} {n}" for name, n in self.counts.items())]
        lines += [f"  note: {line}" for line in self.notes]
        lines += [f"  problem: {line}" for line in self.problems] or ["  no problems found"]
        return "\n".join(lines)


def locate(folders: Iterable[str], root: Path, remedy: str) -> Path:
    """The first of the relative `folders` that exists below `root`.

    Raises:
        InputError: none does; the message ends with the remedy.
    """
    folders = list(folders)
    for folder in folders:
        if (Path(root) / folder).is_dir():
            return Path(root) / folder
    raise InputError(f"{root}: holds none of {', '.join(folders)}; {remedy}")


def data_label(root: Path, n: int, official_n: int) -> DataLabel:
    """'demo' below a generated corpus, 'official' if the corpus is complete, otherwise 'subset'."""
    root = Path(root).resolve()
    if any((folder / DEMO_MARK).is_file() for folder in (root, *root.parents)) or root.is_relative_to(DEMO):
        return "demo"
    return "official" if n == official_n else "subset"


def clips_fingerprint(clips: Sequence[Clip]) -> str:
    """Digest of names, positions and labels of the clips, whatever their order and folder."""
    return fingerprint(sorted((clip.name, clip.start, clip.labels) for clip in clips))


def groups(clips: Sequence[Clip]) -> np.ndarray:
    """Group of every clip, as an array of strings [clips]."""
    return np.array([clip.group for clip in clips])


def split_by_group(
    clips: Sequence[Clip], fractions: Sequence[float], seed: int = 0
) -> list[list[Clip]]:
    """Deal whole groups out to parts of about the given fractions, class by class.

    The sorted unique groups of each class (by the first label of the group's first clip) are shuffled with a
    local generator and dealt out one after the other to the part that is furthest behind its share, so that every
    part holds every class that has enough groups.
    """
    members: dict[str, list[Clip]] = {}
    for clip in clips:
        members.setdefault(clip.group, []).append(clip)
    by_class: dict[int, list[str]] = {}
    for group in sorted(members):
        by_class.setdefault(members[group][0].labels[0] if members[group][0].labels else -1, []).append(group)
    share = np.asarray(fractions, float) / sum(fractions)
    parts: list[list[Clip]] = [[] for _ in fractions]
    generator = np.random.default_rng(seed)
    for label in sorted(by_class):
        dealt = np.zeros(len(share))
        for number, group in enumerate(generator.permutation(by_class[label])):
            part = int(np.argmax(share * (number + 1) - dealt))
            dealt[part] += 1
            parts[part] += members[str(group)]
    return parts


def multi_hot(clips: Sequence[Clip], n_classes: int) -> np.ndarray:
    """Targets as float32 [clips, n_classes] of zeros and ones."""
    targets = np.zeros((len(clips), n_classes), np.float32)
    for row, clip in enumerate(clips):
        targets[row, list(clip.labels)] = 1.0
    return targets


class ClipDataset:
    """Clips as pairs (waveform float32 [samples], target float32 [n_classes]), read when asked for.

    Holds names, not audio: memory does not grow with the length of the recordings. Waveforms are cut or padded to
    `seconds`. Works as a map-style data set of torch without importing it.
    """

    def __init__(self, clips: Sequence[Clip], n_classes: int, sample_rate: int, seconds: float) -> None:
        self.clips = list(clips)
        self.targets = multi_hot(self.clips, n_classes)
        self.sample_rate = sample_rate
        self.samples = round(seconds * sample_rate)

    def __len__(self) -> int:
        return len(self.clips)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.waveform(index), self.targets[index]

    def waveform(self, index: int) -> np.ndarray:
        """Waveform [samples] of one clip."""
        clip = self.clips[index]
        seconds = self.samples / self.sample_rate
        duration = seconds if clip.duration is None else min(clip.duration, seconds)
        return audio.fit_length(audio.read(clip.path, self.sample_rate, clip.start, duration), self.samples)


class AugmentedDataset:
    """Another data set with a waveform augmentation that depends on nothing but (seed, epoch, index).

    Its keys are `epoch * len(data) + index`, which is what the training sampler hands out: workers need no shared
    state, and a resumed run hears exactly what an uninterrupted one would.
    """

    def __init__(self, data: ClipDataset, augment: Callable | None, seed: int) -> None:
        self.data, self.augment, self.seed = data, augment, seed

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, key: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, index = divmod(int(key), len(self.data))
        waveform, target = self.data[index]
        if self.augment is not None:
            waveform = self.augment(waveform, np.random.default_rng((self.seed, epoch, index)))
        return waveform, target


def require(clips: Sequence[Clip], what: str) -> Sequence[Clip]:
    """The clips, if there are any.

    Raises:
        InputError: there are none.
    """
    if not clips:
        raise InputError(f"{what}: no clips found; see data/README.txt for where the corpora go")
    return clips
