"""A network after the auditory pathway: A1 -> belt -> parabelt -> T2/T3 (notebook 06).

The document's idea, built like CORnet-S (Kubilius et al., Brain-like object recognition with high-performing shallow
recurrent ANNs, NeurIPS 2019), whose areas V1, V2, V4 and IT have their counterparts in the areas of the auditory
cortex (Kaas and Hackett, PNAS 2000): the core A1 answers to spectro-temporal patterns, belt and parabelt combine them
over more and more bands and time, the temporal areas T2/T3 hold what the sound is. An area is recurrent: it applies
the same convolutions several times, with a normalisation of its own at each time.

Axis letters: B batch, C channels, M mel bands, F frames.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn

from helpers.models.base import AudioClassifier, mel_classifier
from helpers.models.base import normalisation as named_normalisation

WIDTHS = {"A1": 32, "belt": 64, "parabelt": 128, "T2/T3": 256}  # channels
TIMES = {"belt": 2, "parabelt": 4, "T2/T3": 2}  # how often an area goes round, as V2, V4 and IT of CORnet-S
EXPANSION = 2  # channels inside an area relative to outside


class A1(nn.Module):
    """The core: spectro-temporal receptive fields long in time and tall in frequency, side by side."""

    def __init__(self, channels: int, kind: str) -> None:
        super().__init__()
        self.tall = nn.Conv2d(1, channels // 2, (15, 3), stride=2, padding=(7, 1), bias=False)
        self.long = nn.Conv2d(1, channels // 2, (3, 15), stride=2, padding=(1, 7), bias=False)
        self.norm = named_normalisation(kind, channels)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, C, M/4, F/4]."""
        return self.pool(torch.relu(self.norm(torch.cat([self.tall(x), self.long(x)], dim=1))))


class Area(nn.Module):
    """A recurrent area: a bottleneck whose output is its input again; the first round halves bands and frames."""

    def __init__(self, inputs: int, outputs: int, times: int, kind: str) -> None:
        super().__init__()
        inner = outputs * EXPANSION
        self.times = times
        self.enter = nn.Conv2d(inputs, outputs, 1, bias=False)
        skip = nn.Conv2d(outputs, outputs, 1, stride=2, bias=False)
        self.skip = nn.Sequential(skip, named_normalisation(kind, outputs))
        self.widen = nn.Conv2d(outputs, inner, 1, bias=False)
        self.first = nn.Conv2d(inner, inner, 3, stride=2, padding=1, bias=False)
        self.again = nn.Conv2d(inner, inner, 3, padding=1, bias=False)
        self.narrow = nn.Conv2d(inner, outputs, 1, bias=False)
        self.norms = nn.ModuleList(
            nn.ModuleList(named_normalisation(kind, width) for width in (inner, inner, outputs)) for _ in range(times)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, inputs, M, F] -> [B, outputs, M/2, F/2]."""
        x = self.enter(x)
        for time, (widened, convolved, narrowed) in enumerate(self.norms):
            carried = x if time else self.skip(x)
            x = torch.relu(widened(self.widen(x)))
            x = torch.relu(convolved(self.again(x) if time else self.first(x)))
            x = torch.relu(narrowed(self.narrow(x)) + carried)
        return x


class AuditoryPathway(nn.Module):
    """A1, belt, parabelt and T2/T3 one after the other, then a mean over bands and frames."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([A1(WIDTHS["A1"], kind)])
        self.blocks.extend(Area(WIDTHS[before], WIDTHS[name], TIMES[name], kind) for before, name in pairwise(WIDTHS))
        self.width = WIDTHS["T2/T3"]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, C]; needs 4 bands and 4 frames."""
        for area in self.blocks:
            x = area(x)
        return x.mean(dim=(2, 3))


def _auditory(n_classes: int, mel: dict, normalisation: str = "batch") -> AudioClassifier:
    return mel_classifier(mel, AuditoryPathway(normalisation), n_classes)


MODELS = {"auditory_pathway": _auditory}
