"""NSynth folders of a few generated notes, and checkpoints with random weights, for several tests."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from helpers import audio
from helpers.datasets import nsynth
from helpers.models import build
from helpers.models.checkpoint import Checkpoint, save_checkpoint

RATE = nsynth.SAMPLE_RATE
NAMES = ("bass_electronic_018-040-100", "flute_acoustic_002-077-100", "guitar_acoustic_010-060-075",
         "organ_electronic_028-061-050", "synth_lead_synthetic_011-053-127", "vocal_acoustic_000-057-100")  # fmt: skip
MEL = {"n_fft": 512, "hop_length": 512, "n_mels": 16}
ARGUMENTS = {"mel": MEL, "channels": [4, 8]}


def tone(frequency: float = 440.0, seconds: float = 1.0, rate: int = RATE, level: float = 0.5) -> np.ndarray:
    """A sine as float32 [samples]."""
    return (level * np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def loudest_frequency(waveform: np.ndarray) -> float:
    """Peak of the spectrum at RATE in Hz, as fine as one over the duration."""
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return float(spectrum.argmax() * RATE / len(waveform))


def write_notes(folder: Path, names: tuple[str, ...] = NAMES, suffix: str = ".wav", seconds: float = 0.5) -> Path:
    """Tones under NSynth names, each of its own pitch."""
    for number, name in enumerate(names):
        audio.write(folder / f"{name}{suffix}", tone(200.0 + 100 * number, seconds), RATE)
    return folder


def example(name: str) -> dict:
    """What the official examples.json says of a note, as far as it is read."""
    said = nsynth.NAME.fullmatch(name)
    return {"note_str": name, "instrument_str": said["instrument"], "instrument_family_str": said["family"],
            "instrument_family": nsynth.FAMILIES.index(said["family"])}  # fmt: skip


def write_split(root: Path, split: str = "test", names: tuple[str, ...] = NAMES, suffix: str = ".wav") -> Path:
    """`nsynth-<split>` in the official layout; returns its folder."""
    folder = root / f"nsynth-{split}"
    write_notes(folder / "audio", names, suffix)
    write_examples(folder, {name: example(name) for name in names})
    return folder


def write_examples(folder: Path, examples: object) -> None:
    """examples.json as given."""
    (folder / "examples.json").write_text(json.dumps(examples), encoding="utf-8")


def checkpoint(**changes: object) -> Checkpoint:
    """A complete checkpoint of a very small model with random weights."""
    state = build("compact_cnn", len(nsynth.FAMILIES), **ARGUMENTS).state_dict()
    fields = {"task": nsynth.TASK, "model": "compact_cnn", "arguments": ARGUMENTS, "classes": list(nsynth.FAMILIES),
              "sample_rate": RATE, "seconds": nsynth.SECONDS, "state": state, "seed": 3, "data": {"n": 7}}  # fmt: skip
    return Checkpoint(**{**fields, **changes})


def write_checkpoint(path: Path, **changes: object) -> Path:
    """The same on disk."""
    save_checkpoint(path, checkpoint(**changes))
    return path
