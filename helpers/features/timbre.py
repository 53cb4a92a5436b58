"""What tells instruments apart in music: one vector for some seconds, for linear classifiers; notebooks 04 and 05.

The blocks: cepstrum (timbre on average, when loud, its spread, speed and covariance), change and skew (how bands rise
and fall: struck and plucked tones begin faster than they end), loudness and flux, modulation (loudness fluctuations by
band and rate), contrast (peaks over valleys in octaves), harmonics of the strongest pitch (by subharmonic summation:
Hermes, JASA 1988) and what lies between them, pitch and how steady it is, movement and vibrato (how the spectrum shifts
along a logarithmic frequency axis), texture (lasting against momentary parts). None depends on the level.
Axis letters: B batch, T samples, N frames, F frequency bins, M mel bands, K coefficients, G cells of the logarithmic
grid, P candidates of the pitch, H harmonics.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise

import torch
from torch.nn.functional import avg_pool2d, one_hot, pad

from helpers.features.music import Statistics, contrast, log_covariance, mean_and_spread, modulation, slaney_bank
from helpers.features.notes import cosines

SAMPLE_RATE = 16_000  # Hz
N_FFT, HOP = 2048, 256  # samples
FRAME_RATE = SAMPLE_RATE / HOP
LEVEL = 0.1  # root mean square that every waveform is brought to
N_MELS, N_CEPSTRUM, N_COVARIANCE = 80, 24, 13
N_BANDS = 16  # of change and modulation
FLOOR = 1e-6  # power
SPEED_LAGS, CHANGE_LAGS = (1, 4, 12), (2, 8)  # frames
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
RATES = (0.7, 1.5, 3.0, 4.5, 6.0, 8.0, 12.0, 20.0, 31.0)  # Hz: borders of the modulation
RATES_N_FFT = 512  # frames, padded
CONTRAST_EDGES = (4, 16, 32, 64, 128, 256, 512, 1025)  # bins
LOWEST, PER_OCTAVE, OCTAVES = 55.0, 48, 7.1  # Hz, cells: the logarithmic grid
CANDIDATES = (70.0, 2100.0)  # Hz, of the pitch
HARMONICS = 12
AUDIBLE = 7_600.0  # Hz; harmonics beyond are not looked at
SHIFT_LAG, MOST_SHIFT = 3, 4  # frames between two spectra, cells that one is shifted by against the other
TEXTURE_EDGES = (4, 16, 64, 128, 256, 512, 1025)  # bins
SMOOTHED = 17  # frames or bins


class InstrumentStatistics(Statistics):
    """Waveform [B, T] at 16 kHz, of a second at least -> statistics [B, 593]."""

    width = 593

    def __init__(self) -> None:
        hertz = LOWEST * 2 ** (torch.arange(int(OCTAVES * PER_OCTAVE)) / PER_OCTAVE)
        place = (hertz * N_FFT / SAMPLE_RATE).clamp(max=N_FFT // 2 - 1.001)  # of the grid's cells, in bins
        super().__init__(
            SAMPLE_RATE, window=torch.hann_window(N_FFT), mel=slaney_bank(N_MELS, N_FFT, 30.0, SAMPLE_RATE),
            cosines=cosines(N_CEPSTRUM, N_MELS), below=place.long(), share=(place % 1)[:, None],
        )  # fmt: skip

    @torch.no_grad()
    def blocks(self, waveform: torch.Tensor) -> dict[str, torch.Tensor]:
        """Each block by name, [B, its width]."""
        with torch.autocast(waveform.device.type, enabled=False):
            waveform = waveform.float()
            waveform = waveform * (LEVEL / waveform.square().mean(dim=1, keepdim=True).sqrt().clamp_min(1e-6))
            magnitude = torch.stft(waveform, N_FFT, HOP, window=self.window, return_complex=True).abs()  # [B, F, N]
            power = magnitude.square()
            loudness = torch.log(power.sum(dim=1) + FLOOR)  # [B, N]
            log_mel = torch.log(self.mel @ power + FLOOR)
            return (
                cepstral(self.cosines @ log_mel, loudness)
                | dynamics(log_mel, loudness)
                | contrasts(power)
                | self._pitch(magnitude, loudness)
                | texture(magnitude)
            )

    def _pitch(self, magnitude: torch.Tensor, loudness: torch.Tensor) -> dict[str, torch.Tensor]:
        """Pitch, harmonics, movement and vibrato of magnitudes [B, F, N]."""
        below, above = magnitude[:, self.below], magnitude[:, self.below + 1]
        grid = below * (1 - self.share) + above * self.share  # [B, G, N]
        grid = torch.log1p(200 * grid / grid.amax(dim=(1, 2), keepdim=True).clamp_min(1e-6))
        octave, salience = strongest_pitch(grid)  # [B, N] each
        weight = torch.softmax(0.5 * loudness + 0.3 * salience, dim=1)
        found, tonal = harmonics(magnitude, 2**octave, weight, loudness)
        return found | {"pitch": steadiness(octave, salience, tonal, weight)} | movement(grid[:, PER_OCTAVE:])


@lru_cache
def columns_of(*beginnings: str) -> list[int]:
    """Indices of the columns of all blocks whose names begin so."""
    return InstrumentStatistics().columns(*beginnings)


def quantiles(x: torch.Tensor, shares: tuple[float, ...] = QUANTILES) -> torch.Tensor:
    """Quantiles over time, [B, ..., N] -> [B, ..., Q]."""
    return torch.quantile(x, torch.tensor(shares, device=x.device), dim=-1).movedim(0, -1)


def cepstral(cepstrum: torch.Tensor, loudness: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of coefficients [B, K, N]: mean, spread, what differs when it is loud, speed and log-covariance."""
    mean = cepstrum.mean(dim=2)
    loud = (cepstrum * torch.softmax(0.5 * loudness, dim=1)[:, None]).sum(dim=2)
    speeds = {f"cepstrum speed {lag}": (cepstrum[:, :, lag:] - cepstrum[:, :, :-lag]).std(dim=2) for lag in SPEED_LAGS}
    return {
        "cepstrum mean": mean,
        "cepstrum spread": cepstrum.std(dim=2),
        "cepstrum loud": loud - mean,
        **{name: torch.log(speed + 1e-3) for name, speed in speeds.items()},
        "cepstrum covariance": log_covariance(cepstrum[:, 1:N_COVARIANCE], ridge=0.02),
    }


def dynamics(log_mel: torch.Tensor, loudness: torch.Tensor) -> dict[str, torch.Tensor]:
    """Change, skew and modulation of bands of log mel power [B, M, N], loudness [B, N] and flux."""
    blocks = {}
    bands = log_mel.unflatten(1, (N_BANDS, -1)).mean(dim=2)[:, ::2]  # [B, N_BANDS / 2, N]
    for lag in CHANGE_LAGS:
        change = bands[:, :, lag:] - bands[:, :, :-lag]
        centred = change - change.mean(dim=2, keepdim=True)
        relative = centred / change.std(dim=2, keepdim=True).clamp_min(1e-3)
        blocks[f"change {lag}"] = quantiles(change).flatten(1)
        blocks[f"skew {lag}"] = relative.pow(3).mean(dim=2).clamp(-8, 8)
    steps, level = loudness[:, 2:] - loudness[:, :-2], loudness - loudness.mean(dim=1, keepdim=True)
    blocks["loudness"] = torch.cat([quantiles(steps), loudness.std(dim=1, keepdim=True), quantiles(level)], dim=1)
    change = log_mel.diff(dim=2)
    rise, fall = change.clamp_min(0).mean(dim=1), (-change).clamp_min(0).mean(dim=1)  # [B, N - 1]
    peak = torch.log((rise.amax(dim=1, keepdim=True) + 1e-9) / (rise.mean(dim=1, keepdim=True) + 1e-9))
    blocks["flux"] = torch.cat([torch.log(quantiles(rise) + 1e-2), torch.log(quantiles(fall) + 1e-2), peak], dim=1)
    return blocks | {"modulation": modulation(log_mel, N_BANDS, FRAME_RATE, RATES, RATES_N_FFT)}


def contrasts(power: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of power [B, F, N] in octaves: peaks over valleys, valleys, and noise against tone."""
    log_power = torch.log(power + 1e-8)
    height, valley = contrast(log_power, CONTRAST_EDGES)
    flat = [log_power[:, low:high].mean(dim=1) - torch.log(power[:, low:high].mean(dim=1) + 1e-8)
            for low, high in pairwise(CONTRAST_EDGES)]  # fmt: skip
    blocks = {"height": height, "valley": valley, "flatness": torch.stack(flat, dim=1)}
    return {f"contrast {name}": mean_and_spread(values) for name, values in blocks.items()}


def strongest_pitch(grid: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pitch in octaves above 1 Hz and how far it stands out, [B, N] each, of spectra on the logarithmic grid [B, G, N].

    Each candidate adds up what lies at its multiples, less with their number, and loses what lies half-way between.
    """
    first, last = (int(math.log2(hertz / LOWEST) * PER_OCTAVE) for hertz in CANDIDATES)
    padded = pad(grid, (0, 0, PER_OCTAVE, 5 * PER_OCTAVE))

    def at(ratio: float) -> torch.Tensor:
        start = round(math.log2(ratio) * PER_OCTAVE) + PER_OCTAVE + first
        return padded[:, start : start + last - first]

    score = sum(0.84 ** (number - 1) * at(number) for number in range(1, 13))
    score = score - 0.5 * sum(0.84 ** (number - 1) * at(number - 0.5) for number in range(1, 9))  # [B, P, N]
    salience, best = score.max(dim=1)
    return (best + first) / PER_OCTAVE + math.log2(LOWEST), salience / grid.mean(dim=1).clamp_min(1e-3)


def harmonics(
    magnitude: torch.Tensor, hertz: torch.Tensor, weight: torch.Tensor, loudness: torch.Tensor
) -> tuple[dict[str, torch.Tensor], list[torch.Tensor]]:
    """Levels of the harmonics of a pitch in Hz [B, N], weighted over time.

    Returns:
        the blocks; and by frame [B, N] the logarithms of the share of the power that is harmonic and of odd over even.
    """
    number = torch.arange(1, HARMONICS + 1, device=hertz.device)[None, :, None]

    def bins(multiple: torch.Tensor) -> torch.Tensor:
        return (hertz[:, None] * multiple * N_FFT / SAMPLE_RATE).round().long().clamp(2, N_FFT // 2 - 3)

    peak = torch.stack([magnitude.gather(1, bins(number) + offset) for offset in (-1, 0, 1)]).amax(dim=0)  # [B, H, N]
    peak = peak * (hertz[:, None] * number < AUDIBLE)
    power = peak.square()
    total = torch.log(power.sum(dim=1) + FLOOR)
    level = (torch.log(power + FLOOR) - total[:, None]).clamp_min(-12)
    height = torch.log(peak + 1e-3) - torch.log(magnitude.gather(1, bins(number + 0.5)) + 1e-3)
    weight = weight[:, None]
    mean = (level * weight).sum(dim=2)
    spread = ((level - mean[:, :, None]).square() * weight).sum(dim=2).sqrt()
    blocks = {"harmonics": torch.cat([mean, spread], dim=1), "between": (height[:, :8] * weight).sum(dim=2)}
    odd, even = (torch.log(power[:, first::2].sum(dim=1) + FLOOR) for first in (2, 1))
    return blocks, [total - loudness, odd - even]


def steadiness(
    octave: torch.Tensor, salience: torch.Tensor, tonal: list[torch.Tensor], weight: torch.Tensor
) -> torch.Tensor:
    """Height, range, salience and steadiness of a pitch [B, N], and how tonal the frames are: [B, 13]."""
    step = octave.diff(dim=1).abs() * 12  # semitones
    steady = step < 1.0
    fine = (step * steady).sum(dim=1) / steady.sum(dim=1).clamp_min(1)
    share, odd = tonal
    some = (0.1, 0.5, 0.9)
    scalars = [steady.float().mean(dim=1), torch.log(fine + 1e-2), (share * weight).sum(dim=1), share.std(dim=1),
               (odd * weight).sum(dim=1)]  # fmt: skip
    mean, spread = (octave * weight).sum(dim=1, keepdim=True), octave.std(dim=1, keepdim=True)
    ranges = [mean, quantiles(octave, some), spread, quantiles(salience, some)]
    return torch.cat([*ranges, torch.stack(scalars, dim=1)], dim=1)


def movement(grid: torch.Tensor) -> dict[str, torch.Tensor]:
    """How alike spectra [B, G, N] some frames apart are when shifted, the best shift, and at which rates it swings."""
    grid = grid / grid.norm(dim=1, keepdim=True).clamp_min(1e-3)
    before, after = grid[:, MOST_SHIFT:-MOST_SHIFT, :-SHIFT_LAG], grid[:, :, SHIFT_LAG:]
    shifted = after.unfold(1, before.shape[1], 1)  # [B, shifts, N, G]
    alike = torch.einsum("bgn,bsng->bsn", before, shifted)
    shifts = torch.arange(-MOST_SHIFT, MOST_SHIFT + 1, device=grid.device)
    best = one_hot(alike.argmax(dim=1), len(shifts)).float().mean(dim=1)[:, shifts != 0]
    course = (torch.softmax(20 * alike, dim=1) * shifts[:, None]).sum(dim=1, keepdim=True)  # [B, 1, N]
    still = alike[:, MOST_SHIFT].std(dim=1, keepdim=True)
    return {
        "movement": torch.cat([alike.mean(dim=2), still, best], dim=1),
        "vibrato": modulation(course, 1, FRAME_RATE, RATES, RATES_N_FFT),
    }


def texture(magnitude: torch.Tensor) -> dict[str, torch.Tensor]:
    """How far log magnitudes [B, F, N] lie from their mean over neighbouring frames and over bins, by frequency."""
    level, half = torch.log(magnitude[:, None, TEXTURE_EDGES[0] :] + 1e-3), SMOOTHED // 2
    along_time = (level - avg_pool2d(level, (1, SMOOTHED), 1, (0, half))).abs()
    along_bins = (level - avg_pool2d(level, (SMOOTHED, 1), 1, (half, 0))).abs()
    both = torch.cat([along_time, along_bins], dim=1)  # [B, 2, F, N]
    parts = both.split([high - low for low, high in pairwise(TEXTURE_EDGES)], dim=2)
    return {"texture": torch.cat([part.mean(dim=(2, 3)) for part in parts], dim=1)}
