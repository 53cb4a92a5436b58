"""The mel front end as a torch module, so that a checkpoint carries it and inference needs only audio.

Axis letters: B batch, T samples, M mel bands, F frames.
"""

from __future__ import annotations

import torch
import torchaudio
from torch import nn

from helpers.config import MelConfig

LOG_FLOOR = 1e-10  # relative to the loudest bin; 100 dB, because the noise between the partials tells families apart
LINEAR_ROOM = 1e-6  # keeps the level of a silent clip finite


class MelFrontend(nn.Module):
    """Mel power spectrogram relative to its clip's peak, logarithmic or linear, with learned input statistics.

    The power spectrogram (Hann window, centred frames, Slaney-free HTK mel scale of torchaudio) is divided by its
    largest value, which makes the result independent of playback level. `compression="log"` takes
    log10(power + 1e-10), a range of 100 dB; `compression="linear"` keeps power as it is. Both are standardised per mel
    band by batch statistics that are frozen into the module after training: linear power is spread over six decades
    and very unequal between bands, so without its own scale per band the loudest few bands would be all a network
    sees.
    """

    def __init__(self, config: MelConfig) -> None:
        super().__init__()
        self.config = config
        self.mel = torchaudio.transforms.MelSpectrogram(
            sample_rate=config.sample_rate,
            n_fft=config.n_fft,
            hop_length=config.hop_length,
            n_mels=config.n_mels,
            f_min=config.f_min,
            f_max=config.f_max,
            power=2.0,
        )
        self.standardise = nn.BatchNorm1d(config.n_mels, affine=False)

    def power(self, waveform: torch.Tensor) -> torch.Tensor:
        """Mel power relative to the clip's peak: [B, T] -> [B, M, F], in 0..1."""
        power = self.mel(waveform)
        return power / power.amax(dim=(1, 2), keepdim=True).clamp_min(LINEAR_ROOM)

    def compress(self, power: torch.Tensor) -> torch.Tensor:
        """Logarithm (or not) and standardisation of `power`: [B, M, F] -> [B, 1, M, F]."""
        mel = torch.log10(power + LOG_FLOOR) if self.config.compression == "log" else power
        return self.standardise(mel).unsqueeze(1)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, 1, M, F]."""
        with torch.autocast(waveform.device.type, enabled=False):
            return self.compress(self.power(waveform.float()))
