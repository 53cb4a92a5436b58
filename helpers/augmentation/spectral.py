"""Augmentation of spectrograms in torch: another note of a family behind a power spectrum, masks on mel bands.

`SpectralAugmentation` stands in the place of a front end's mel filters, so that it costs less than the network: pitch
by stretched mel filters, timbre by smooth random frequency responses, time by decays and rooms. See notebook 03.
Axis letters: B batch, K bins of the spectrum, M mel bands, F frames. Random numbers come from torch's global
generators, which `training.fit` seeds for each epoch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch
from torchaudio.functional import mask_along_axis_iid

from helpers.config import MelConfig
from helpers.features.mel import mel_filters, relative

FOLD_GAIN = 10**-0.6  # of what is mirrored at the Nyquist frequency
OCTAVES = 9  # below the Nyquist frequency that responses span
SECONDS_PER_60_DB = (0.1, 0.6)  # of a room


@dataclass(frozen=True)
class SpecAugment:
    """Bands and stretches of a standardised spectrogram set to zero, its mean (Park et al., Interspeech 2019)."""

    masks: int = 2  # of each kind
    band_share: float = 0.12  # largest height of a mask
    time_share: float = 0.12  # largest length of a mask

    def __call__(self, features: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> the same, each item masked elsewhere."""
        for axis, share in [(2, self.band_share), (3, self.time_share)] * self.masks:
            features = mask_along_axis_iid(features, round(share * features.shape[axis]), 0.0, axis)
        return features


@dataclass(frozen=True)
class SpectralAugmentation:
    """Power spectrograms [B, K, F] -> mel power [B, M, F] of other instruments, notes and rooms.

    The level of the valleys between partials tells breath, bow and hammer apart; so noise and rooms stay soft.
    """

    mel: MelConfig
    semitones: float = 4.0  # largest pitch shift up or down; formants move along, as on a tape
    step: float = 0.5  # semitones between the shifts that are drawn from
    equalise_db: float = 10.0  # standard deviation of the response at each of its points
    points: int = 7  # of the response, evenly over the octaves
    decay_db_per_s: float = 10.0  # steepest additional fall

    steps = ("pitch", "response", "decay", "noise", "room")  # what changes, in this order

    def __call__(self, power: torch.Tensor) -> torch.Tensor:
        mel = self.decay(self.equalise(self.pitch(power)))
        return self.room(self.noise(relative(mel)))

    def pitch(self, power: torch.Tensor) -> torch.Tensor:
        """Mel bands [B, M, F] of spectra of which most are shifted."""
        most = self.semitones / self.step
        steps = uniform(-most, most, len(power)) * (torch.rand(len(power)) < 0.85)
        shifts = (self.step * steps.round()).tolist()
        filters = torch.stack([shifted_filters(self.mel, shift) for shift in shifts]).to(power)  # [B, M, K]
        return filters @ power

    def equalise(self, mel: torch.Tensor) -> torch.Tensor:
        """Another body, room, microphone or velocity: smooth gains over octaves."""
        position = ((octaves(self.mel).to(mel) / OCTAVES + 1) * (self.points - 1)).clamp(0, self.points - 1.0001)
        below, gains = position.long(), torch.randn(len(mel), self.points).to(mel) * self.equalise_db
        share = position - below
        response = gains[:, below] * (1 - share) + gains[:, below + 1] * share  # [B, M]
        return mel * 10 ** (response[:, :, None] * sometimes(0.8, mel) / 10)

    def decay(self, mel: torch.Tensor) -> torch.Tensor:
        """A steeper fall over the note."""
        time = torch.arange(mel.shape[2]).to(mel) / self.mel.frame_rate
        rate = uniform(0, self.decay_db_per_s, len(mel), 1, 1).to(mel) * sometimes(0.25, mel)
        return mel * 10 ** (-rate * time / 10)

    def noise(self, mel: torch.Tensor) -> torch.Tensor:
        """Coloured noise 55 to 95 dB below the peak."""
        level = uniform(-9.5, -5.5, len(mel), 1, 1).to(mel)
        colour = (octaves(self.mel).to(mel)[:, None] + 4) * uniform(-0.6, 0.1, len(mel), 1, 1).to(mel)
        speckle = -torch.rand_like(mel).clamp_min(1e-7).log()  # power of a bin of noise is exponential
        return mel + speckle * 10 ** (level + colour) * sometimes(0.4, mel)

    def room(self, mel: torch.Tensor) -> torch.Tensor:
        """Reverberation: each band rings on, falling exponentially."""
        frame = torch.arange(mel.shape[2]).to(mel)
        delay = (frame[:, None] - frame) / self.mel.frame_rate  # [F, F] s, from column to row
        decay = uniform(*SECONDS_PER_60_DB, len(mel), 1, 1).to(mel)
        ring = torch.where(delay > 0, 10 ** (-6 * delay / decay), 0.0)
        ring = ring / ring.sum(dim=1, keepdim=True).amax(dim=2, keepdim=True).clamp_min(1e-9)
        wet = 10 ** uniform(-3.5, -1.2, len(mel), 1, 1).to(mel) * sometimes(0.15, mel)
        return mel + mel @ (wet * ring).transpose(1, 2)


def uniform(low: float, high: float, *shape: int) -> torch.Tensor:
    """Uniform random numbers from low to high."""
    return low + (high - low) * torch.rand(*shape)


def sometimes(probability: float, mel: torch.Tensor) -> torch.Tensor:
    """1 with a probability for each item, else 0: [B, 1, 1]."""
    return (torch.rand(len(mel), 1, 1) < probability).to(mel)


@lru_cache
def shifted_filters(config: MelConfig, semitones: float) -> torch.Tensor:
    """Mel filters [M, K] that see a spectrum as if it were so many semitones higher.

    What would come from above the Nyquist frequency is mirrored there, softer, so that a shift down leaves no hole.
    """
    filters = mel_filters(config).double()
    top = len(filters) - 1
    source = torch.arange(top + 1, dtype=torch.float64) / 2 ** (semitones / 12)  # bin that each bin is read from
    gain = torch.where(source > top, FOLD_GAIN, 1.0)
    source = torch.where(source > top, 2 * top - source, source).clamp(0, top)
    below = source.long().clamp(max=top - 1)
    share = (source - below)[:, None]
    shifted = torch.zeros_like(filters)
    shifted.index_add_(0, below, (1 - share) * gain[:, None] * filters)
    shifted.index_add_(0, below + 1, share * gain[:, None] * filters)
    return shifted.float().T.contiguous()


@lru_cache
def octaves(config: MelConfig) -> torch.Tensor:
    """Centre [M] of every mel band in octaves below the Nyquist frequency: 0 there, at least -9."""
    filters = mel_filters(config)
    centre = torch.linspace(0, 1, len(filters)) @ filters / filters.sum(dim=0).clamp_min(1e-9)
    return torch.log2(centre.clamp_min(2.0**-OCTAVES))
