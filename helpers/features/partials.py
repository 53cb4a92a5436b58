"""Pitch and partials of a note in two long spectra, one while it is young, one while it is held; notebook 02.
Axis letters: B notes, F bins of a long spectrum, G cells of the logarithmic frequency grid, K partials, W places
around a partial.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import pad

from helpers.features.notes import SAMPLE_RATE, decibels, slope

LENGTH = 16_384  # samples of a long spectrum
STARTS = {"early": 1_600, "late": 24_000}  # samples: where the long spectra begin
BINS_PER_HZ = LENGTH / SAMPLE_RATE
PARTIALS = 24
AUDIBLE = 7_600.0  # Hz; partials beyond are not looked at
LOWEST, HIGHEST = 18.0, 5_000.0  # Hz, of a fundamental
PER_OCTAVE = 60  # cells of the logarithmic grid
CELLS = int(math.log2(8_000 / LOWEST) * PER_OCTAVE)
FITTED = 10  # partials that refine the fundamental
CENTS = 1200 / math.log(2)


@dataclass(frozen=True)
class Partials:
    """Partials of a spectrum near whole multiples of a fundamental."""

    fundamental: torch.Tensor  # Hz [B], refined
    stretch: torch.Tensor  # inharmonicity [B]: partial k lies at k f sqrt(1 + stretch k²) (Fletcher, JASA 1964)
    expected: torch.Tensor  # Hz [B, K]
    deviation: torch.Tensor  # cents [B, K], of the peak from where it is expected
    amplitude: torch.Tensor  # [B, K], 0 beyond AUDIBLE
    valley: torch.Tensor  # mean magnitude [B, K] half-way to the next partial
    audible: torch.Tensor  # bool [B, K]


def interpolate(values: torch.Tensor, place: torch.Tensor) -> torch.Tensor:
    """Values [B, n] at fractional places [B, ...], linearly."""
    flat = place.reshape(len(values), -1).clamp(0, values.shape[1] - 1.001)
    below = flat.long()
    share = flat - below
    return (values.gather(1, below) * (1 - share) + values.gather(1, below + 1) * share).reshape(place.shape)


class LogSpectrum(nn.Module):
    """Magnitudes [B, F] on a grid of equal steps in pitch [B, G]: the largest bin of each cell, between bins linear."""

    def __init__(self) -> None:
        super().__init__()
        hertz = torch.arange(1, LENGTH // 2 + 1) / BINS_PER_HZ
        cell = (torch.log2(hertz / LOWEST) * PER_OCTAVE).round().long()
        inside = torch.nonzero((hertz >= 0.99 * LOWEST) & (cell >= 0) & (cell < CELLS))[:, 0]
        self.bins = slice(int(inside[0]) + 1, int(inside[-1]) + 2)
        centres = LOWEST * 2 ** (torch.arange(CELLS) / PER_OCTAVE)
        self.register_buffer("cell", cell[inside], persistent=False)
        self.register_buffer("place", centres * BINS_PER_HZ, persistent=False)

    def forward(self, magnitude: torch.Tensor) -> torch.Tensor:
        """[B, F] -> [B, G]."""
        between = interpolate(magnitude, self.place.expand(len(magnitude), -1))
        return between.scatter_reduce(1, self.cell.expand(len(magnitude), -1), magnitude[:, self.bins], "amax")


def estimate_pitch(grid: torch.Tensor) -> torch.Tensor:
    """Fundamental in Hz [B] of spectra on the logarithmic grid [B, G], by subharmonic summation (Hermes, JASA 1988)."""
    strength = torch.log1p(300 * grid / grid.amax(1, keepdim=True).clamp_min(1e-9))
    margin = PER_OCTAVE + 2
    strength = pad(strength, (margin, 6 * PER_OCTAVE))
    near = torch.maximum(torch.maximum(strength[:, :-2], strength[:, 1:-1]), strength[:, 2:])
    candidates = int(math.log2(HIGHEST / LOWEST) * PER_OCTAVE)

    def at(ratio: float) -> torch.Tensor:
        start = round(math.log2(ratio) * PER_OCTAVE) + margin - 1
        return near[:, start : start + candidates]

    score = torch.zeros_like(near[:, :candidates])
    for number in range(1, 17):
        weight = 0.85 ** (number - 1)
        score += weight * at(number)
        if number < 12:
            score -= 0.55 * weight * at(number - 0.5)
    return LOWEST * 2 ** (score.argmax(1) / PER_OCTAVE)


def find_partials(magnitude: torch.Tensor, fundamental: torch.Tensor) -> Partials:
    """Partials in a long spectrum [B, F] of notes with fundamentals in Hz [B], which are refined twice on the way."""
    stretch = torch.zeros_like(fundamental)
    expected, found, amplitude = _peaks(magnitude, fundamental, stretch, 0.025, 0.4)
    for _ in range(2):
        fundamental, stretch = _refine(found, amplitude)
        expected, found, amplitude = _peaks(magnitude, fundamental, stretch, 0.012, 0.3)
    half_way = (expected + 0.5 * fundamental[:, None])[..., None]
    width = 0.15 * fundamental[:, None, None] * torch.linspace(-1, 1, 15, device=magnitude.device)
    valley = interpolate(magnitude, (half_way + width) * BINS_PER_HZ).mean(-1)
    deviation = (found / expected - 1) * CENTS
    return Partials(fundamental, stretch, expected, deviation, amplitude, valley, expected < AUDIBLE)


def _peaks(
    magnitude: torch.Tensor, fundamental: torch.Tensor, stretch: torch.Tensor, share: float, most: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Expected and found frequency in Hz and amplitude of every partial, [B, K] each.

    A peak is sought within a `share` of its frequency, but not further away than `most` of the fundamental.
    """
    number = _numbers(magnitude)
    expected = fundamental[:, None] * number * torch.sqrt(1 + stretch[:, None] * number**2)
    reach = torch.minimum(share * expected, most * fundamental[:, None]).clamp_min(2.0)  # Hz
    around = torch.linspace(-1, 1, 41, device=magnitude.device)
    near = interpolate(magnitude, (expected[..., None] + reach[..., None] * around) * BINS_PER_HZ)  # [B, K, W]
    amplitude, place = near.max(-1)
    return expected, expected + reach * around[place], amplitude * (expected < AUDIBLE)


def _refine(found: torch.Tensor, amplitude: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Fundamental and stretch, [B] each: (f_k / k)² is a line over k², fitted with weights of root amplitude."""
    number = _numbers(found)[:FITTED]
    y, x = (found[:, :FITTED] / number).square(), number**2
    weight = amplitude[:, :FITTED].sqrt() + 1e-9
    weight = weight / weight.sum(1, keepdim=True)
    x_mean, y_mean = (weight * x).sum(1), (weight * y).sum(1)
    centred = x - x_mean[:, None]
    rise = (weight * centred * (y - y_mean[:, None])).sum(1) / ((weight * centred**2).sum(1) + 1e-6)
    stretch = (rise / (y_mean - rise * x_mean).clamp_min(100)).clamp(0, 2e-3)
    return (y_mean / (1 + stretch * x_mean)).clamp_min(15).sqrt(), stretch


def partial_features(magnitude: torch.Tensor, grid: LogSpectrum) -> dict[str, torch.Tensor]:
    """Descriptors of the partials and of their change: name -> [B] or [B, k].

    Of magnitudes [2 B, F] of long spectra, those of all young notes before those of the same notes later on.
    """
    cells = grid(magnitude)
    pitch = estimate_pitch(cells.chunk(2)[0]).repeat(2)
    found = find_partials(magnitude, pitch)
    power = found.amplitude.square()
    share = power / power.sum(1, keepdim=True).clamp_min(1e-9)
    level = decibels(share, 1e-7)
    depth = 20 * torch.log10((found.amplitude + 1e-5) / (found.valley + 1e-5))
    described = {
        "level": torch.where(found.audible, level, -75.0)[:, :16],
        "level_to_first": (level[:, 1:10] - level[:, :1]).clamp(-60, 60),
        "above_valley": depth[:, [0, 1, 2, 3, 5, 7, 11]].clamp(-20, 80),
        **_shape(share, level),
        "mistuning": (share * found.deviation.abs()).sum(1),  # cents, as the next
        "second_and_third": found.deviation[:, 1:3].clamp(-50, 50),
        "stretch": torch.log10(found.stretch + 1e-6),
        "pitch_shift": torch.log2(found.fundamental / pitch).clamp(-0.2, 0.2) * 12,
        **_surroundings(share, found, magnitude),
        "contour": _contour(cells, pitch),
    }
    blocks = {f"partials.{name}_{what}": values.chunk(2)[number]
              for number, name in enumerate(STARTS) for what, values in described.items()}  # fmt: skip
    (first, second), (loud, soft) = level.chunk(2), (10 ** (level / 20)).chunk(2)
    cosine = (loud * soft).sum(1) / (loud.norm(dim=1) * soft.norm(dim=1)).clamp_min(1e-9)
    around = 1 + 0.015 * torch.linspace(-1, 1, 21, device=magnitude.device)
    multiples = (pitch[:, None] * _numbers(magnitude)[:10])[..., None] * around  # Hz
    at_multiples = interpolate(magnitude, multiples * BINS_PER_HZ).amax(-1) + 1e-4
    before, after = at_multiples.log10().chunk(2)
    return blocks | {
        "partials.same_shape": cosine,
        "partials.changed_shape": (first - second).clamp(-40, 40).abs()[:, :10].mean(1),
        "partials.decay": (20 * (before - after)).clamp(-60, 60),
    }


def _shape(share: torch.Tensor, level: torch.Tensor) -> dict[str, torch.Tensor]:
    """Balance of the partials, from their shares of power [B, K] and the same in dB [B, K]."""
    number, cut = _numbers(share), level.clamp_min(-60)
    even, odd = share[:, 1::2].sum(1), share[:, 2::2].sum(1)
    neighbours = (level[:, :-2] + level[:, 1:-1] + level[:, 2:]) / 3
    return {
        "even_to_odd": decibels(even / odd.clamp_min(1e-9), 1e-5),
        "first": decibels(share[:, 0], 1e-6),
        "second_to_fourth": decibels(share[:, 1:4].sum(1), 1e-6),
        "higher": decibels(share[:, 4:].sum(1), 1e-6),
        "centroid": torch.log2((share * number).sum(1).clamp_min(1.0)),  # 0 for silence
        "tilt": slope(level[:, :12], torch.log2(number[:12])),
        "irregularity": ((level[:, 1:-1] - neighbours).abs() * share[:, 1:-1]).sum(1),
        "jaggedness": (cut[:, 1:11] - (cut[:, :10] + cut[:, 2:12]) / 2).abs().mean(1),
        "above_40": (level > -40).float().sum(1),
        "above_60": (level > -60).float().sum(1),
        "entropy": -(share * torch.log(share + 1e-9)).sum(1),
    }


def _surroundings(share: torch.Tensor, found: Partials, magnitude: torch.Tensor) -> dict[str, torch.Tensor]:
    """What there is beside the partials: noise, a subharmonic, and beating, which widens the strongest of them."""
    power = found.amplitude.square().sum(1).clamp_min(1e-9)
    half = (found.expected[:, :1] * 0.5 * BINS_PER_HZ).long().clamp(0, 8000)
    strongest = share[:, :8].argmax(1, keepdim=True)
    bin_of = (found.expected.gather(1, strongest) * BINS_PER_HZ).round().long()  # [B, 1]
    window = bin_of + torch.arange(-12, 13, device=magnitude.device)
    near = magnitude.gather(1, window.clamp(0, magnitude.shape[1] - 1)).square()  # [B, 25]
    total = near.sum(1).clamp_min(1e-9)
    return {
        "noise": decibels(magnitude[:, 20:].square().sum(1) / 3 / power, 1e-3),
        "subharmonic": 20 * torch.log10(magnitude.gather(1, half)[:, 0] + 1e-4) - 10 * torch.log10(power),
        "width_narrow": decibels(near[:, 10:15].sum(1) / total, 1e-3),
        "width_wide": decibels(near[:, 8:17].sum(1) / total, 1e-3),
    }


def _contour(grid: torch.Tensor, pitch: torch.Tensor) -> torch.Tensor:
    """Level in dB of a spectrum [B, G] in quarter octaves from 1.5 below the pitch to 5 above it, [B, 27]."""
    level = decibels(grid.square() / grid.square().amax(1, keepdim=True).clamp_min(1e-9), 1e-8)
    octaves = torch.arange(-1.5, 5.01, 0.25, device=grid.device)
    centre = (torch.log2(pitch / LOWEST)[:, None] + octaves) * PER_OCTAVE
    around = (centre[..., None] + torch.arange(-7, 8, device=grid.device)).clamp(0, CELLS - 2)
    inside = (centre >= -8) & (centre < CELLS)
    return torch.where(inside, interpolate(level, around).amax(-1), -80.0)


def _numbers(like: torch.Tensor) -> torch.Tensor:
    return torch.arange(1, PARTIALS + 1, device=like.device).float()
