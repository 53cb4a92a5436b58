"""One vector for each note, in torch: what notebook 02 explains and classifies, and `note_statistics` begins with.

Axis letters: B notes, T frames, F bins, D columns.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
import torch
import torchaudio
from torch import nn
from torch.nn.functional import pad

from helpers.features import notes, partials
from helpers.features.mel import power_spectrogram
from helpers.features.notes import HOP, N_CEPSTRUM, N_FFT, N_MELS, OCTAVE_EDGES, SAMPLE_RATE, SAMPLES

AT_ONCE = 4  # notes whose transform fits into a processor's cache
FLAT = ("onset", "early", "late", "end")  # segments whose flatness is a feature
BLOCKS = {  # beginning of a column's name -> what it tells
    "cepstrum": "mel-frequency cepstral coefficients by segment, their spread, speed and changes",
    "flux": "rise and fall of mel levels",
    "bands": "share, decay, release and modulation of eleven bands of an octave or half of one",
    "flatness": "noise against tone in octaves, by segment",
    "envelope": "attack, decay, release, tremolo of the level",
    "partials": "level, tuning, decay and surroundings of the partials",
}


class NoteStatistics(nn.Module):
    """Waveforms [B, SAMPLES] of notes at SAMPLE_RATE -> statistics [B, D], finite and independent of their level."""

    def __init__(self) -> None:
        super().__init__()
        mel = torchaudio.functional.melscale_fbanks(
            N_FFT // 2 + 1, 20.0, SAMPLE_RATE / 2, N_MELS, SAMPLE_RATE, mel_scale="slaney"
        )
        hertz = torch.linspace(0, SAMPLE_RATE / 2, N_FFT // 2 + 1)
        edges = torch.tensor(OCTAVE_EDGES)
        octaves = ((hertz[:, None] >= edges[:-1]) & (hertz[:, None] < edges[1:])).float()  # [F, 11]
        bank = torch.cat([mel, octaves, torch.ones(len(hertz), 1)], 1).T
        tables = {
            "window": torch.hann_window(N_FFT), "long_window": torch.hann_window(partials.LENGTH),
            "bank": bank.contiguous(), "cosines": notes.cosines(N_CEPSTRUM, N_MELS),
        }  # fmt: skip
        for name, table in tables.items():
            self.register_buffer(name, table, persistent=False)
        self.grid = partials.LogSpectrum()

    @cached_property
    def columns(self) -> list[str]:
        """Names of the D columns: `block.feature`, with a number if there are several."""
        blocks = self.blocks(torch.zeros(1, SAMPLES, device=self.window.device))
        return [
            name if values.ndim == 1 else f"{name}_{number:02d}"
            for name, values in blocks.items()
            for number in range(values.shape[-1] if values.ndim > 1 else 1)
        ]

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, SAMPLES] -> [B, D]; a ValueError for waveforms of another length."""
        if waveform.shape[-1] != SAMPLES:
            raise ValueError(f"notes have {SAMPLES} samples, got {waveform.shape[-1]}; cut or pad them")
        with torch.autocast(waveform.device.type, enabled=False):
            blocks = self.blocks(waveform.float()).values()
        return torch.cat([values.reshape(len(values), -1) for values in blocks], 1).nan_to_num(0, 0, 0)

    def blocks(self, waveform: torch.Tensor) -> dict[str, torch.Tensor]:
        """Features by name, [B] or [B, k] each."""
        waveform = waveform / waveform.abs().amax(1, keepdim=True).clamp_min(1e-6)
        tracks, flat = (torch.cat(parts) for parts in zip(*map(self.frames, waveform.split(AT_ONCE)), strict=True))
        mel, octaves, total = tracks.split([N_MELS, len(OCTAVE_EDGES) - 1, 1], 1)  # [B, bands, T]
        mel = notes.decibels(mel, 1e-8)
        mel = torch.maximum(mel, mel.amax((1, 2), keepdim=True) - 80)
        blocks = notes.cepstrum(self.cosines @ mel) | notes.flux(mel) | notes.octave_bands(octaves, total[:, 0])
        for name, power in zip(FLAT, flat.unbind(2), strict=True):
            blocks |= notes.flatness(power, name)
        blocks |= notes.level_course(notes.envelope(waveform))
        return blocks | partials.partial_features(*map(self._long, partials.STARTS.values(), [waveform] * 2), self.grid)

    def frames(self, waveform: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Power in mel bands, octave bands and altogether [B, bands, T], and mean power [B, F, 4] of segments."""
        padded = pad(waveform, (N_FFT // 2, N_FFT // 2))  # silence, which a note begins and ends with
        power = power_spectrogram(padded, self.window, HOP, center=False)
        return self.bank @ power, torch.stack([notes.segment(power, name) for name in FLAT], 2)

    def _long(self, start: int, waveform: torch.Tensor) -> torch.Tensor:
        """Magnitudes of the long spectrum from a sample on, [B, SAMPLES] -> [B, F]."""
        return torch.fft.rfft(waveform[:, start : start + partials.LENGTH] * self.long_window).abs()


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
