"""Notes as mel spectrograms: which notes, their levels, and what can be read off them in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from helpers.config import MelConfig
from helpers.datasets import nsynth
from helpers.datasets.base import Clip, ClipDataset, clips_fingerprint, groups, require
from helpers.evaluation.results import Result
from helpers.features.mel import centres, decibels, mel_power, torchaudio_filters
from helpers.features.notes import envelope_features

MEL = MelConfig(n_fft=2048, hop_length=512, n_mels=128, f_min=0.0)  # window and hop that the homework asks for
RANGE_DB = 80.0
VISIBLE = 0.01  # share of the largest power below which a linear picture is as dark as silence


def choose(clips: Sequence[Clip], instruments: str, pitches: str) -> tuple[list[Clip], list[str]]:
    """Notes of instruments (names, or families) at MIDI pitches, row by row, and messages about replaced ones.

    A family stands for its instrument that has most of the pitches; a pitch that an instrument lacks is replaced by
    the nearest that it has, a name that does not exist by the first family that is left.
    """
    wanted = [int(pitch) for pitch in pitches.split(",")]
    names, messages = [], []
    for entry in (name.strip() for name in instruments.split(",")):
        names.append(_instrument(clips, entry, wanted, taken=names))
        if not names[-1].startswith(entry):
            messages.append(f"{entry}: no such instrument or family here, {names[-1]} takes its place")
    notes = []
    for name in names:
        for pitch in wanted:
            notes.append(min(_notes_of(clips, name), key=lambda note: (abs(nsynth.pitch_of(note) - pitch), note.name)))
            if nsynth.pitch_of(notes[-1]) != pitch:
                messages.append(f"{name}: has no pitch {pitch}, {nsynth.pitch_of(notes[-1])} is nearest")
    return notes, messages


def title(note: Clip) -> str:
    """Pitch and fundamental frequency."""
    return f"pitch {nsynth.pitch_of(note)}, {fundamental(note):.0f} Hz"


def fundamental(note: Clip) -> float:
    """Frequency in Hz of a note's pitch in equal temperament, A4 = 440 Hz."""
    return 440.0 * 2 ** ((nsynth.pitch_of(note) - 69) / 12)


def waveforms(notes: Sequence[Clip]) -> np.ndarray:
    """Waveforms [notes, samples]."""
    data = ClipDataset(notes, len(nsynth.FAMILIES), nsynth.SAMPLE_RATE, nsynth.SECONDS)
    return np.stack([data.waveform(index) for index in range(len(data))])


def levels(notes: Sequence[Clip]) -> np.ndarray:
    """Mel levels [notes, n_mels, frames] in dB below the loudest point of all of them."""
    power = mel_power(waveforms(notes), MEL, torchaudio_filters(MEL))
    return decibels(power, power.max(), -RANGE_DB)


def scales(notes: Sequence[Clip]) -> tuple[np.ndarray, np.ndarray]:
    """Each note's mel power relative to its own peak, linear (0 to 1) and in dB [notes, n_mels, frames]."""
    power = mel_power(waveforms(notes), MEL, torchaudio_filters(MEL))
    power = power / power.max(axis=(1, 2), keepdims=True)
    return power, decibels(power, 1.0, -RANGE_DB)


def hertz() -> np.ndarray:
    """Centre frequency [n_mels] of the bands."""
    return centres(torchaudio_filters(MEL), MEL)


def readings(notes: Sequence[Clip]) -> list[dict[str, str | float]]:
    """What the pictures show, measured: one row of numbers a note."""
    found = envelope_features(waveforms(notes), nsynth.SAMPLE_RATE)
    return [
        {
            "instrument": note.group,
            "pitch": nsynth.pitch_of(note),
            "fundamental (Hz)": round(fundamental(note)),
            "attack (ms)": round(1000 * 10 ** float(found["attack_time"][number])),
            "level after 2 s (dB)": round(float(found["level_at_2s"][number])),
            "change 0.3 s after release (dB)": round(float(found["release_after_0.3s"][number])),
        }
        for number, note in enumerate(notes)
    ]


def result(root: Path, notes: Sequence[Clip], figures: list[str], seed: int, budget: str, command: str) -> Result:
    """What the report says about the corpus and the pictures."""
    splits = {split: nsynth.clips(root, split) for split in nsynth.OFFICIAL}
    test = require(splits["test"], f"{root}: nsynth-test")
    heard = set(groups(splits["train"]))
    linear, level = scales(notes)
    return Result(
        title="Mel spectrograms", corpus="NSynth", data=nsynth.label_of(root, "test", test), n=len(test),
        groups=len(set(groups(test))), group_kind="instrument", seed=seed, budget=budget, command=command,
        fingerprint=clips_fingerprint([clip for clips in splits.values() for clip in clips]), scores={}, baselines={},
        classes=list(nsynth.FAMILIES), figures=figures,
        details={
            "counts": {split: nsynth.family_counts(clips) for split, clips in splits.items()},
            "instruments": {split: len(set(groups(clips))) for split, clips in splits.items()},
            "shared": len(heard & set(groups(test))),
            "notes": [note.name for note in notes],
            "visible": {"linear": float((linear > VISIBLE).mean()), "log": float((level > -RANGE_DB).mean())},
            "range_db": RANGE_DB,
            "readings": readings(notes),
        },
    )  # fmt: skip


def _notes_of(clips: Sequence[Clip], instrument: str) -> list[Clip]:
    """Notes of an instrument that name their pitch, the loudest stroke of each pitch first."""
    return [clip for clip in clips if clip.group == instrument and nsynth.pitch_of(clip) is not None]


def _instrument(clips: Sequence[Clip], entry: str, pitches: Sequence[int], taken: Sequence[str]) -> str:
    """The instrument that an entry stands for, not one that is taken already."""
    pitches_of: dict[str, set[int | None]] = {}
    for clip in clips:
        pitches_of.setdefault(clip.group, set()).add(nsynth.pitch_of(clip))
    free = sorted(name for name in require(pitches_of, "notes with pitches") if name not in taken)
    matching = [name for name in free if name == entry or name.startswith(f"{entry}_")] or free
    return max(matching, key=lambda name: (len(pitches_of[name] & set(pitches)), [-ord(letter) for letter in name]))
