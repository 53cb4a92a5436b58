"""Data sets made on the fly of clips of one instrument; nothing is stored.

Mixtures of them validate a model that will be given polyphony; phrases, notes of one instrument strung together, let a
network that will be given music learn from a corpus of notes such as NSynth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from helpers import audio
from helpers.config import InputError
from helpers.datasets.base import Clip, ClipDataset, Dataset
from helpers.datasets.nsynth import pitch_of

LEVEL_DB = (-9.0, 0.0)  # of an added clip relative to the first
NOTE_S = (0.15, 1.5)  # shortest and longest note of a phrase
FADE_S = 0.1  # release of a note that is cut off
DETUNE = 3.0  # semitones up or down that a note may be shifted by, as a tape played faster or slower
LEVEL = (0.4, 1.0)  # amplitude of a note
CHORDS = 0.4  # share of phrases in which notes overlap
KEPT_NOTES = 512  # decoded notes kept in memory, of each process
PLAYED = {  # code of IRMAS -> beginning of the names of NSynth instruments, lowest and highest key
    "cel": ("string_acoustic", 36, 76), "cla": ("reed_acoustic", 50, 94), "flu": ("flute_acoustic", 55, 96),
    "gac": ("guitar_acoustic", 40, 88), "gel": ("guitar_electronic", 40, 88), "org": ("organ_electronic", 36, 96),
    "pia": ("keyboard_acoustic", 28, 96), "sax": ("reed_acoustic", 44, 88), "tru": ("brass_acoustic", 50, 86),
    "vio": ("string_acoustic", 55, 100), "voi": ("vocal_acoustic", 43, 84),
}  # fmt: skip
LEAST_NOTES = 5  # of an instrument that plays phrases, if some have so many


class MixtureDataset(Dataset):
    """`n` sums of one to `voices` clips of another data set, with the union of their labels.

    Mixture i depends on (seed, i) alone; its first clip is clip i modulo the number of clips. Sharing clips only
    with `data`, it stands on the side of a split that `data` stands on.
    """

    def __init__(self, data: ClipDataset, n: int, voices: int, seed: int) -> None:
        self.data, self.seed, self.members = data, seed, []
        for index in range(n):
            rng = np.random.default_rng((seed, index))
            others = rng.choice(len(data), int(rng.integers(voices)))
            self.members.append([index % len(data), *others.tolist()])
        self.targets = np.stack([data.targets[members].max(axis=0) for members in self.members])

    def waveform(self, index: int) -> np.ndarray:
        """Mixture [samples], no louder than full scale."""
        rng = np.random.default_rng((self.seed, index, 1))
        mixture = np.zeros(self.data.samples, np.float32)
        for number, member in enumerate(self.members[index]):
            waveform = self.data.waveform(member)
            level = 0.0 if number == 0 else rng.uniform(*LEVEL_DB)
            mixture += waveform * np.float32(10 ** (level / 20) / max(np.sqrt(np.mean(waveform**2)), 1e-6))
        return mixture / max(np.abs(mixture).max(), 1.0)


def playing(notes: Sequence[Clip], codes: Sequence[str]) -> list[Clip]:
    """NSynth notes that stand for codes of IRMAS, labels index `codes`; an InputError if fewer than two have any."""
    found = []
    for number, code in enumerate(codes):
        beginning, low, high = PLAYED[code]
        fitting = [note for note in notes if note.name.startswith(beginning) and low <= (pitch_of(note) or 0) <= high]
        count = Counter(note.group for note in fitting)
        enough = [note for note in fitting if count[note.group] >= LEAST_NOTES]
        found += [replace(note, labels=(number,)) for note in enough or fitting]
    if len({note.labels for note in found}) < 2:
        raise InputError(f"NSynth: no instruments that play {', '.join(codes)} in {len(notes)} notes; give more of it")
    return found


class PhraseDataset(Dataset):
    """`n` phrases as pairs (waveform float32 [samples], one-hot float32 [n_classes]), classes equally often.

    Phrase i depends on (seed, i) alone. Its notes are all of one instrument (group), drawn at random.
    """

    def __init__(
        self, notes: Sequence[Clip], n_classes: int, sample_rate: int, seconds: float, n: int, seed: int
    ) -> None:
        self.sample_rate, self.samples, self.seed = sample_rate, round(seconds * sample_rate), seed
        self.instruments: dict[int, dict[str, list[Clip]]] = {}
        for note in notes:
            self.instruments.setdefault(note.labels[0], {}).setdefault(note.group, []).append(note)
        present = sorted(self.instruments)
        self.targets = np.zeros((n, n_classes), np.float32)
        self.targets[np.arange(n), np.resize(present, n)] = 1.0

    def waveform(self, index: int) -> np.ndarray:
        """Phrase [samples]."""
        rng = np.random.default_rng((self.seed, index))
        groups = self.instruments[int(self.targets[index].argmax())]
        notes = groups[sorted(groups)[int(rng.integers(len(groups)))]]
        phrase = np.zeros(self.samples, np.float32)
        closeness = rng.uniform(0.3, 1.0) if rng.random() < CHORDS else 1.0
        position = -int(rng.integers(self.sample_rate))  # of the next note; the first may have begun before
        while position < self.samples:
            note = self._note(notes[int(rng.integers(len(notes)))], rng)
            first, last = max(position, 0), min(position + len(note), self.samples)
            if last > first:
                phrase[first:last] += note[first - position : last - position]
            position += max(1, int(len(note) * closeness))
        return phrase

    def _note(self, clip: Clip, rng: np.random.Generator) -> np.ndarray:
        """One note: shifted in pitch, cut to a length, faded out, at some level."""
        recorded = _read(clip, self.sample_rate)
        ratio = 2 ** (rng.uniform(-DETUNE, DETUNE) / 12)
        length = min(int(rng.uniform(*NOTE_S) * self.sample_rate), int(len(recorded) / ratio))
        note = np.interp(np.arange(length) * ratio, np.arange(len(recorded)), recorded).astype(np.float32)
        fade = min(length, round(FADE_S * self.sample_rate))
        note[length - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        return note * np.float32(rng.uniform(*LEVEL))


@lru_cache(maxsize=KEPT_NOTES)
def _read(clip: Clip, sample_rate: int) -> np.ndarray:
    return audio.read(clip.path, sample_rate, clip.start, clip.duration)
