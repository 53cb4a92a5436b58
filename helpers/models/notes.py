"""Single notes (NSynth): short-chunk CNN, compact CNN, spectrogram transformer, averages of classifiers; notebook 03.
Axis letters: B batch, C channels, M mel bands, F frames, D embedding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from helpers.config import MelConfig
from helpers.features.mel import front_ends
from helpers.models import build
from helpers.models.base import AudioClassifier, mel_classifier

FEW = 8  # points of a map: in bfloat16 on processors, gradients of a strided kernel on so few are not finite at times
PATCH = 16  # bands and frames of the transformer's patches


def conv_bn(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution that keeps the size (for stride 1), without the bias that batch normalisation makes idle."""
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))


class PlainBlock(nn.Module):
    """conv - BN - ReLU - max-pool 2; an odd last band or frame is pooled alone."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv, self.pool = conv_bn(inputs, outputs), nn.MaxPool2d(2, ceil_mode=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, inputs, M, F] -> [B, outputs, M/2, F/2]."""
        return self.pool(torch.relu(self.conv(x)))


class ResidualBlock(nn.Module):
    """Two convolutions, the first with stride 2, beside a strided 1x1 shortcut (He et al., CVPR 2016)."""

    STRIDE = 2

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.second = conv_bn(inputs, outputs, stride=self.STRIDE), conv_bn(outputs, outputs)
        self.shortcut = conv_bn(inputs, outputs, kernel=1, stride=self.STRIDE)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, inputs, M, F] -> [B, outputs, M/2, F/2]."""
        few = x[0, 0].numel() < FEW
        with torch.autocast(x.device.type, enabled=False) if few else nullcontext():
            x = x.float() if few else x
            return torch.relu(self.second(torch.relu(self.first(x))) + self.shortcut(x))


class ShortChunkCNN(nn.Module):
    """Seven blocks with a global max: the short-chunk CNN (Won et al., SMC 2020), with or without residuals.

    The original sees 3.69 s in 128 mel bands; here the whole note goes in.
    """

    def __init__(self, block: Callable[[int, int], nn.Module], mel: MelConfig, channels: int = 128) -> None:
        super().__init__()
        widths = [1, *(channels * factor for factor in (1, 1, 2, 2, 2, 2, 4))]
        self.blocks = nn.Sequential(*(block(i, o) for i, o in pairwise(widths)))
        self.width = widths[-1]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]."""
        return self.blocks(x).amax(dim=(2, 3))


class CompactBlock(ResidualBlock):
    """The same behind an average pool that halves time and frequency in the place of the strides."""

    STRIDE = 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, inputs, M, F] -> [B, outputs, M/2, F/2]."""
        return super().forward(nn.functional.avg_pool2d(x, 2))


class CompactCNN(nn.Module):
    """A small residual CNN that keeps frequency and the parts of a note apart until the end.

    A family shows in where along the spectrum energy lies, in what lies between the partials, and in how a note
    begins, lasts and ends. So after the blocks the mel bands are folded into the channels, and four summaries of
    time go on: the onset, the mean of the middle, the maximum, and the release.
    """

    def __init__(self, mel: MelConfig, channels: Sequence[int] = (16, 32, 64, 128)) -> None:
        super().__init__()
        self.stem = nn.Sequential(conv_bn(1, channels[0], kernel=5, stride=2), nn.ReLU())
        self.blocks = nn.Sequential(*(CompactBlock(i, o) for i, o in pairwise(channels)))
        bands = -(-mel.n_mels // 2) // 2 ** len(self.blocks)
        self.width = 256
        mix = nn.Linear(4 * channels[-1] * bands, self.width)
        self.mix = nn.Sequential(nn.Dropout(0.2), mix, nn.BatchNorm1d(self.width), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]; a frame of the last block is about half a second of a note."""
        x = self.blocks(self.stem(x)).flatten(1, 2)  # [B, C*bands, F']
        parts = x[..., 0], x[..., 1:-1].mean(dim=2), x.amax(dim=2), x[..., -1]
        return self.mix(torch.cat(parts, dim=1))


class SpectrogramTransformer(nn.Module):
    """Self-attention over patches of the mel spectrogram, pooled by their mean (after Gong et al., AST, 2021).

    A small convolution cuts patches of 16 bands x 16 frames; positions in time and frequency are learned apart, so
    that shorter inputs work.
    """

    def __init__(self, mel: MelConfig, width: int = 128, depth: int = 4, heads: int = 4) -> None:
        super().__init__()
        bands, frames = mel.n_mels // PATCH, (mel.frames(4 * mel.sample_rate) + 1) // PATCH  # of patches, in 4 s
        self.patches = nn.Sequential(conv_bn(1, 32, stride=2), nn.ReLU(), nn.Conv2d(32, width, 8, stride=8))
        self.of_band = nn.Parameter(torch.randn(1, width, bands, 1) * 0.02)
        self.of_time = nn.Parameter(torch.randn(1, width, 1, frames) * 0.02)
        self.blocks = nn.Sequential(*(
            nn.TransformerEncoderLayer(width, heads, 4 * width, 0.1, "gelu", batch_first=True, norm_first=True)
            for _ in range(depth)
        ))  # fmt: skip
        self.norm, self.width = nn.LayerNorm(width), width

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, M, F] -> [B, D]."""
        x = self.patches(x)  # [B, D, M/16, F/16]
        x = x + self.of_band + self.of_time[..., : x.shape[3]]
        return self.norm(self.blocks(x.flatten(2).transpose(1, 2)).mean(dim=1))  # blocks see [B, patches, D]


class Ensemble(nn.Module):
    """Classifiers whose log-probabilities are averaged with weights: seeds of one recipe, or different models.

    Spectra that several members begin with are computed once.
    """

    def __init__(self, members: Sequence[AudioClassifier], weights: Sequence[float]) -> None:
        super().__init__()
        self.members, self.weights = nn.ModuleList(members), [weight / sum(weights) for weight in weights]

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> log-probabilities [B, classes]."""
        features = front_ends([member.frontend for member in self.members], waveform)
        logits = (member.head(member.encoder(seen)) for member, seen in zip(self.members, features, strict=True))
        mean = sum(weight * one.log_softmax(dim=-1) for weight, one in zip(self.weights, logits, strict=True))
        return mean.log_softmax(dim=-1)


def average(
    kind: type[Ensemble], n_classes: int, members: Sequence[dict[str, Any]], weights: Sequence[float] = ()
) -> Ensemble:
    """`members`: the arguments of `models.build` of each but the classes; no weights: all alike."""
    return kind([build(n_classes=n_classes, **member) for member in members], weights or [1.0] * len(members))


def add_priors(head: nn.Sequential, expected: Sequence[float], drawn: Sequence[float]) -> None:
    """Move a head from the class frequencies that it was trained with to those that are expected.

    log p(class | note) + log expected - log drawn, as for any classifier whose priors change (Saerens et al., Neural
    Computation 2002); in the bias it costs nothing.
    """
    with torch.no_grad():
        head[-1].bias += torch.tensor(expected).log() - torch.tensor(drawn).log()


def _notes(kind: Callable[..., nn.Module], n_classes: int, mel: dict, **options: Any) -> AudioClassifier:
    """Silence before and after a note; input statistics are means over all batches of the training."""
    model = mel_classifier(kind, n_classes, mel, **options)
    model.frontend.pad_mode, model.frontend.standardise.momentum = "constant", None
    return model


MODELS = {
    "short_chunk_cnn": partial(_notes, partial(ShortChunkCNN, PlainBlock), dropout=0.5),
    "short_chunk_cnn_res": partial(_notes, partial(ShortChunkCNN, ResidualBlock), dropout=0.5),
    "compact_cnn": partial(_notes, CompactCNN),
    "spectrogram_transformer": partial(_notes, SpectrogramTransformer),
    "ensemble": partial(average, Ensemble),
}
