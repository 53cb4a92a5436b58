"""A generated corpus in the layout of NSynth (Engel et al. 2017, "Neural Audio Synthesis of Musical Notes").

Every split has its own virtual instruments. The test split has no synth_lead, as the official one.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from helpers import audio
from helpers.datasets.nsynth import SAMPLE_RATE as RATE
from helpers.datasets.nsynth import SECONDS, SOURCES
from helpers.demo.build import Job
from helpers.demo.instruments import Instrument
from helpers.demo.kinds import draw
from helpers.demo.sound import Notes
from helpers.files import write_json

HELD = 3.0  # s
VELOCITIES = (25, 50, 75, 100, 127)
FAMILIES: dict[str, tuple[tuple[str, str], ...]] = {  # (source, kind) that the instruments of a family take in turn
    "bass": (("electronic", "electric_bass"), ("synthetic", "synth_bass"), ("acoustic", "acoustic_bass"),
             ("synthetic", "fm_bass")),
    "brass": (("acoustic", "brass"), ("acoustic", "brass"), ("electronic", "synth_brass")),
    "flute": (("acoustic", "flute"), ("synthetic", "synth_flute")),
    "guitar": (("acoustic", "acoustic_guitar"), ("electronic", "electric_guitar")),
    "keyboard": (("acoustic", "piano"), ("electronic", "electric_piano"), ("synthetic", "synth_keys"),
                 ("acoustic", "harpsichord")),
    "mallet": (("acoustic", "mallet"), ("acoustic", "bell"), ("electronic", "fm_bell")),
    "organ": (("electronic", "drawbar_organ"), ("acoustic", "pipe_organ")),
    "reed": (("acoustic", "saxophone"), ("acoustic", "clarinet"), ("acoustic", "oboe"), ("acoustic", "harmonica")),
    "string": (("acoustic", "strings"), ("acoustic", "string_section")),
    "synth_lead": (("synthetic", "synth_lead"),),
    "vocal": (("acoustic", "voice"), ("synthetic", "synth_voice"), ("acoustic", "choir")),
}  # fmt: skip
SIZES: dict[str, dict[str, tuple[int, int]]] = {  # split -> (instruments of each family, notes of each instrument)
    "tiny": {"train": (3, 2), "valid": (1, 2), "test": (1, 3)},
    "small": {"train": (8, 7), "valid": (3, 6), "test": (3, 6)},
    "large": {"train": (30, 25), "valid": (6, 15), "test": (6, 15)},
}


def jobs(size: str) -> list[Job]:
    """One job for each virtual instrument."""
    found, index = [], 0
    for family_index, (family, recipes) in enumerate(FAMILIES.items()):
        number = 0
        for split, (instruments, notes) in SIZES[size].items():
            for _ in range(0 if (split, family) == ("test", "synth_lead") else instruments):
                source, kind = recipes[number % len(recipes)]
                name = f"{family}_{source}_{number:03d}"
                labels = {
                    "instrument": index, "instrument_str": name, "instrument_family": family_index,
                    "instrument_family_str": family, "instrument_source": SOURCES.index(source),
                    "instrument_source_str": source,
                }  # fmt: skip
                found.append(Job(name, write_instrument, (split, labels, kind, notes)))
                number, index = number + 1, index + 1
    return found


def write_instrument(folder: Path, rng: np.random.Generator, split: str, labels: dict, kind: str, count: int) -> list:
    """Write the notes of one virtual instrument; returns their entries for examples.json."""
    instrument = draw(kind, rng)
    pitches = rng.choice(np.arange(instrument.low, instrument.high + 1), count, replace=False)
    velocities = rng.choice(VELOCITIES, count)
    notes = Notes(pitches, velocities / 127, np.full(count, HELD), SECONDS, RATE, rng)
    entries = []
    for pitch, velocity, waveform in zip(pitches, velocities, instrument.play(notes), strict=True):
        name = f"{labels['instrument_str']}-{pitch:03d}-{velocity:03d}"
        audio.write(folder / f"nsynth-{split}" / "audio" / f"{name}.wav", 0.95 * waveform, RATE)
        found = qualities(waveform, instrument)
        entries.append({
            "split": split, "note_str": name, **labels, "pitch": int(pitch), "velocity": int(velocity),
            "sample_rate": RATE, "qualities": [int(heard) for heard in found.values()],
            "qualities_str": [quality for quality, heard in found.items() if heard],
        })  # fmt: skip
    return entries


def qualities(waveform: np.ndarray, instrument: Instrument) -> dict[str, bool]:
    """The ten note qualities of NSynth in their order, measured on a note [samples] where they can be."""
    power = np.abs(np.fft.rfft(waveform)) ** 2
    centroid = np.fft.rfftfreq(len(waveform), 1 / RATE) @ power / power.sum()
    frames = np.sqrt(np.mean(waveform.reshape(80, -1) ** 2, axis=1))  # 50 ms each
    loudest = int(frames.argmax())
    late, released = frames[50:58].mean() / frames[loudest], frames[70:].mean() / max(frames[50:58].mean(), 1e-9)
    return {
        "bright": centroid > 1800, "dark": centroid < 450,
        "distortion": instrument.room.drive > 2, "fast_decay": late < 0.05,
        "long_release": bool(late > 0.03 and released > 0.12),
        "multiphonic": instrument.kind in ("pipe_organ", "harmonica", "synth_brass"),
        "nonlinear_env": instrument.tremolo > 0.15,
        "percussive": loudest <= 2 and late < 0.35,
        "reverb": instrument.room.wet > 0.15 and instrument.room.reverb > 0.6,
        "tempo-synced": instrument.tremolo > 0.1 and instrument.rate > 3,
    }  # fmt: skip


def finish(folder: Path, results: list[list[dict]]) -> None:
    """Write examples.json of every split."""
    entries = [entry for result in results for entry in result]
    for split in sorted({entry["split"] for entry in entries}):
        chosen = sorted((entry for entry in entries if entry["split"] == split), key=lambda entry: entry["note_str"])
        numbered = ({"note": number, **entry} for number, entry in enumerate(chosen))
        examples = {entry["note_str"]: {k: v for k, v in entry.items() if k != "split"} for entry in numbered}
        write_json(folder / f"nsynth-{split}" / "examples.json", examples)
