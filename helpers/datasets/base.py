"""What all corpora share: `Clip` and `Corpus`, subsets, splits and folds by group, targets, reading clips."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from helpers import audio
from helpers.config import DEMO, DataLabel, InputError
from helpers.files import fingerprint

if TYPE_CHECKING:
    from helpers.datasets.archives import Archive

DEMO_MARK = "DEMO.txt"  # lies in the root of every generated corpus
FILM_RATE = 16_000  # Hz, of built films: that of NSynth, whose encoders go on from
FILM_WINDOW_S = 0.03  # s, resolution of the labels of films; here because prediction needs no data set of films


@dataclass(frozen=True)
class Clip:
    """A stretch of an audio file with its labels."""

    path: Path
    labels: tuple[int, ...]  # indices of the classes that are heard
    group: str  # what must not stand on two sides of a split: instrument, recording, film or piece
    start: float = 0.0  # s
    duration: float | None = None  # s; None: to the end of the file
    member: str | None = None  # the file inside an archive, if `path` is one

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


@dataclass(frozen=True)
class Corpus:
    """A corpus as a declaration: all that commands, notebooks, slides and generated data need to know of it."""

    name: str  # key in `helpers.datasets.CORPORA`, and its folder in a data root
    title: str
    classes: tuple[str, ...]  # in the order of label indices
    group: str  # what must not stand on two sides of a split: instrument, recording, track, piece or film
    places: tuple[str, ...]  # patterns of what else in a data root is its folder or archive
    official: Mapping[str, int]  # published number of clips of each split
    licence: str
    citation: str
    clips: Callable[[Path, str], list[Clip]]  # of a data root and a split
    validate: Callable[[Path], Report]  # of a data root
    downloads: Mapping[str, Archive] = field(default_factory=dict)  # part -> archive
    test_places: tuple[str, ...] = ()  # patterns of what nothing can be scored without, if that is not all of it

    def found(self, root: Path) -> list[Path]:
        """The folders and archives of the corpus below a data root; empty if it is not there."""
        return sorted({path for pattern in (self.name, *self.places) for path in Path(root).glob(pattern)})

    def can_be_scored(self, root: Path) -> bool:
        """Whether the corpus is below a data root, with the part of it that it is tested on."""
        return any(any(Path(root).glob(pattern)) for pattern in self.test_places or (self.name, *self.places))

    def label(self, root: Path, split: str, n: int) -> DataLabel:
        """Data label of numbers that stand on `n` clips of a split: 'official' (all of it), 'subset' or 'demo'."""
        labels = [data_label(place, n, self.official.get(split, -1)) for place in (root, *self.found(root))]
        return "demo" if "demo" in labels else labels[0]

    def report(
        self, data: DataLabel, counts: dict[str, int], problems: list[str], notes: Sequence[str] = ()
    ) -> Report:
        """What `validate` found, below what the declaration says of the corpus."""
        archives = ", ".join(f"{part} ({one.size})" for part, one in self.downloads.items()) or "none"
        about = [f"{len(self.classes)} classes, to be split by {self.group}", f"licence: {self.licence}",
                 f"source: {self.citation}", f"archives: {archives}"]
        return Report(self.title, data, counts, problems, [*about, *notes])


def locate(folders: Iterable[str], root: Path, remedy: str) -> Path:
    """The first of the relative `folders` that exists below `root`; an InputError with the remedy if none does."""
    for folder in (folders := list(folders)):
        if (Path(root) / folder).is_dir():
            return Path(root) / folder
    raise InputError(f"{root}: holds none of {', '.join(folders)}; {remedy}")


def data_label(root: Path, n: int, official_n: int) -> DataLabel:
    """'demo' below a generated corpus, 'official' if the corpus is complete, otherwise 'subset'."""
    root = Path(root).resolve()
    if root.is_relative_to(DEMO) or any((folder / DEMO_MARK).is_file() for folder in (root, *root.parents)):
        return "demo"
    return "official" if n == official_n else "subset"


def clips_fingerprint(clips: Sequence[Clip]) -> str:
    """Digest of names, positions and labels of the clips, whatever their order and folder."""
    return fingerprint(sorted((clip.name, clip.start, clip.labels) for clip in clips))


def groups(clips: Sequence[Clip]) -> np.ndarray:
    """Group of every clip, as an array of strings [clips]."""
    return np.array([clip.group for clip in clips])


def split_by_group(clips: Sequence[Clip], fractions: Sequence[float], seed: int = 0) -> list[list[Clip]]:
    """Cut clips to parts of about the given fractions without cutting a group, class by class.

    The groups of each class (by the first label of the group's first clip) are shuffled and go one after the other to
    the part that is furthest behind its share, so that every part holds every class with enough groups.
    """
    members: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        members[clip.group].append(clip)
    by_class: dict[int, list[str]] = defaultdict(list)
    for group in sorted(members):
        by_class[_class(members[group][0])].append(group)
    share, generator = np.asarray(fractions, float) / sum(fractions), np.random.default_rng(seed)
    parts: list[list[Clip]] = [[] for _ in fractions]
    for _, names in sorted(by_class.items()):
        given = np.zeros(len(share))
        for number, group in enumerate(generator.permutation(names), start=1):
            part = int(np.argmax(share * number - given))
            given[part] += 1
            parts[part] += members[str(group)]
    return parts


def subset(clips: Sequence[Clip], most: int, seed: int = 0) -> list[Clip]:
    """At most `most` clips, the same ones for a seed, in their order; all of them if there are no more.

    Classes keep their shares (by first label; each has a clip as long as `most` allows it), and within a class the
    groups give clips in turn, so that a small subset has as many instruments, recordings or tracks as possible.
    """
    if len(clips) <= most:
        return list(clips)
    generator = np.random.default_rng(seed)
    place = {group: generator.random() for group in sorted({clip.group for clip in clips})}
    by_class: dict[int, list[tuple[int, float, int]]] = defaultdict(list)
    turns: Counter[tuple[int, str]] = Counter()
    for index in generator.permutation(len(clips)).tolist():
        label, group = _class(clips[index]), clips[index].group
        by_class[label].append((turns[label, group], place[group], index))
        turns[label, group] += 1
    ranked = sorted((rank / len(members), label, index) for label, members in by_class.items()
                    for rank, (_, _, index) in enumerate(sorted(members)))
    return [clips[index] for index in sorted(index for _, _, index in ranked[: max(most, 0)])]


def grouped_folds(labels: Sequence[int], groups: Sequence[str], n_splits: int, seed: int = 0) -> np.ndarray:
    """Fold 0 … n_splits - 1 of every clip, integers [clips]: groups stay whole, classes keep about their shares."""
    from sklearn.model_selection import StratifiedGroupKFold

    _, numbers = np.unique(labels, return_inverse=True)
    most = min(len(set(groups)), max(np.bincount(numbers), default=0))
    if not 2 <= n_splits <= most:
        raise InputError(f"{n_splits} folds cannot be made of these {len(numbers)} clips; choose from 2 to {most}")
    fold = np.zeros(len(numbers), int)
    splitter = StratifiedGroupKFold(n_splits, shuffle=True, random_state=seed)
    for number, (_, out) in enumerate(splitter.split(numbers, numbers, groups)):
        fold[out] = number
    return fold


def _class(clip: Clip) -> int:
    return clip.labels[0] if clip.labels else -1


def multi_hot(clips: Sequence[Clip], n_classes: int) -> np.ndarray:
    """Targets as float32 [clips, n_classes] of zeros and ones."""
    targets = np.zeros((len(clips), n_classes), np.float32)
    for row, clip in enumerate(clips):
        targets[row, list(clip.labels)] = 1.0
    return targets


class Dataset:
    """Pairs (waveform float32 [samples], target), made when asked for: a map-style data set of torch, without torch."""

    targets: np.ndarray
    waveform: Callable[[int], np.ndarray]

    def __len__(self) -> int:
        return len(self.targets)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.waveform(index), self.targets[index]


class ClipDataset(Dataset):
    """Clips, cut or padded to `seconds`, with targets float32 [n_classes]; holds names, not audio."""

    def __init__(self, clips: Sequence[Clip], n_classes: int, sample_rate: int, seconds: float) -> None:
        self.clips, self.targets = list(clips), multi_hot(clips, n_classes)
        self.sample_rate, self.samples = sample_rate, round(seconds * sample_rate)

    def waveform(self, index: int) -> np.ndarray:
        """Waveform [samples] of one clip."""
        clip, seconds = self.clips[index], self.samples / self.sample_rate
        duration = seconds if clip.duration is None else min(clip.duration, seconds)
        return audio.fit_length(audio.read(clip.path, self.sample_rate, clip.start, duration), self.samples)


class AugmentedDataset:
    """Another data set with a waveform augmentation that depends on nothing but (seed, epoch, index).

    Its keys, `epoch * len(data) + index`, come from the training sampler: workers share no state, and a resumed run
    is given exactly what an uninterrupted one would be.
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


def require(clips: list, what: str) -> list:
    """The clips, if there are any; otherwise an InputError."""
    if not clips:
        raise InputError(f"{what}: no clips found; see data/README.txt for where the corpora go")
    return clips
