"""Wavelet scattering of a waveform as a torch module (Andén and Mallat, Deep scattering spectrum, IEEE TSP 2014).

First-order coefficients are a mel-like spectrum, second-order ones say how fast each band's envelope fluctuates.
Computed by kymatio (Andreux et al., JMLR 2020), whose filters are made for one length of signal.
"""

from __future__ import annotations

import torch
from torch import nn

OCTAVES = 12  # J: coefficients are averaged over 2**12 samples, 0.19 s at 22,050 Hz
PER_OCTAVE = 8  # Q: wavelets an octave in the first order
FLOOR = 1e-5  # scattering of a full-scale signal is about one
SILENCE = 1e-4


class Scattering(nn.Module):
    """Waveform [B, samples] -> mean log coefficients of first and second order and the spread of the first."""

    def __init__(self, samples: int) -> None:
        super().__init__()
        from kymatio.torch import Scattering1D

        self.samples = samples
        octaves = min(OCTAVES, samples.bit_length() - 2)
        self.transform = Scattering1D(J=octaves, Q=PER_OCTAVE, shape=(samples,))
        order = torch.tensor(self.transform.meta()["order"])
        self.first, self.second = torch.nonzero(order == 1)[:, 0], torch.nonzero(order == 2)[:, 0]

    @property
    def widths(self) -> dict[str, int]:
        """Number of values of each block, in their order."""
        return {"first": len(self.first), "second": len(self.second), "spread": len(self.first)}

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, width]; T is fitted to the length that the wavelets were made for."""
        missing = self.samples - waveform.shape[1]
        waveform = nn.functional.pad(waveform, (0, missing)) if missing > 0 else waveform[:, : self.samples]
        level = waveform.square().mean(dim=1, keepdim=True).sqrt().clamp_min(SILENCE)
        coefficients = torch.log(self.transform(waveform / level) + FLOOR)  # [B, paths, frames]
        first = coefficients[:, self.first]
        blocks = [first.mean(dim=2), coefficients[:, self.second].mean(dim=2), first.std(dim=2, correction=0)]
        return torch.cat(blocks, dim=1)
