"""One vector for each note, in torch: what notebook 02 explains and classifies, and `note_statistics` begins with.
Axis letters: B notes, T frames, F bins, D columns.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import torch
import torchaudio

from helpers.features import notes, partials
from helpers.features.mel import FilterBank, SpectralFrontend
from helpers.features.notes import HOP, N_CEPSTRUM, N_FFT, N_MELS, OCTAVE_BINS, SAMPLE_RATE, SAMPLES, segment

FLAT = ("onset", "early", "late", "end")  # segments whose flatness is a feature
BLOCKS = {  # beginning of a column's name -> what it tells
    "cepstrum": "mel-frequency cepstral coefficients by segment, their spread, speed and changes",
    "flux": "rise and fall of mel levels",
    "bands": "share, decay, release and modulation of eleven bands of an octave or half of one",
    "flatness": "noise against tone in octaves, by segment",
    "envelope": "attack, decay, release, tremolo of the level",
    "partials": "level, tuning, decay and surroundings of the partials",
}


class NoteStatistics(SpectralFrontend):
    """Waveforms [B, SAMPLES] of notes at SAMPLE_RATE -> statistics [B, D], finite and independent of their level."""

    width = 668  # D
    n_fft, hop_length, pad_mode = N_FFT, HOP, "constant"  # silence, which a note begins and ends with

    def __init__(self) -> None:
        super().__init__()
        mel = torchaudio.functional.melscale_fbanks(
            N_FFT // 2 + 1, 20.0, SAMPLE_RATE / 2, N_MELS, SAMPLE_RATE, mel_scale="slaney"
        )
        tables = {
            "window": torch.hann_window(N_FFT), "long_window": torch.hann_window(partials.LENGTH),
            "mel": mel, "cosines": notes.cosines(N_CEPSTRUM, N_MELS),
        }  # fmt: skip
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=False)
        self.bank, self.grid = FilterBank(mel), partials.LogSpectrum()

    @cached_property
    def columns(self) -> list[str]:
        """Names of the D columns: `block.feature`, with a number if there are several."""
        silence = torch.zeros(1, SAMPLES, device=self.window.device)
        reduced = self.reduce(torch.zeros(1, SAMPLES // HOP + 1, N_FFT // 2 + 1, device=silence.device))
        return [
            name if values.ndim == 1 else f"{name}_{number:02d}"
            for name, values in self.blocks(silence, *reduced).items()
            for number in range(values.shape[-1] if values.ndim > 1 else 1)
        ]

    def reduce(self, power: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Power [B, T, F] in mel bands [B, M, T], in octave bands [B, O, T], and its mean in segments [B, 4, F]."""
        octaves = [power[..., a:b].sum(-1) for a, b in pairwise(OCTAVE_BINS)]
        means = [segment(power, name, 1) for name in FLAT]
        return self.bank(self.mel, power), torch.stack(octaves, 1), torch.stack(means, 1)

    def features(self, waveform: torch.Tensor, *reduced: torch.Tensor) -> torch.Tensor:
        """[B, SAMPLES] and the reduced spectra -> [B, D]; a ValueError for waveforms of another length."""
        if waveform.shape[-1] != SAMPLES:
            raise ValueError(f"notes have {SAMPLES} samples, got {waveform.shape[-1]}; cut or pad them")
        blocks = self.blocks(waveform, *reduced).values()
        return torch.cat([values.reshape(len(values), -1) for values in blocks], 1).nan_to_num(0, 0, 0)

    def blocks(
        self, waveform: torch.Tensor, mel: torch.Tensor, octaves: torch.Tensor, flat: torch.Tensor
    ) -> dict[str, torch.Tensor]:
        """Features by name, [B] or [B, k] each."""
        peak = waveform.abs().amax(1, keepdim=True).clamp_min(1e-6)
        waveform = waveform / peak
        mel, octaves, flat = (power / peak.square()[..., None] for power in (mel, octaves, flat))
        mel = notes.decibels(mel, 1e-8)
        mel = torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 80)
        blocks = notes.cepstrum(self.cosines @ mel) | notes.flux(mel) | notes.octave_bands(octaves)
        for name, power in zip(FLAT, flat.unbind(1), strict=True):
            blocks |= notes.flatness(power, name)
        blocks |= notes.level_course(notes.envelope(waveform))
        young, held = (waveform[:, start : start + partials.LENGTH] for start in partials.STARTS.values())
        spectra = torch.fft.rfft(torch.cat([young, held]) * self.long_window).abs()  # [2 B, F]
        return blocks | partials.partial_features(spectra, self.grid)


@lru_cache(1)
def note_statistics() -> NoteStatistics:
    """The module, made once a process."""
    return NoteStatistics()


def columns_of(*beginnings: str) -> np.ndarray:
    """Indices of the columns whose names begin so."""
    return np.array([n for n, name in enumerate(note_statistics().columns) if name.startswith(beginnings)])


@torch.inference_mode()
def pool_notes(waveforms: np.ndarray) -> np.ndarray:
    """Statistics float32 [B, D] of waveforms float32 [B, SAMPLES]."""
    return torch.cat([note_statistics()(part) for part in torch.from_numpy(waveforms).split(16)]).numpy()
