"""Which instrument sounds when: a CRNN that decides for every window of 30 ms from the seconds around it; notebook 04.

Axis letters: B batch, C channels, M mel bands, F spectrogram frames, N windows, D features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from helpers.config import InputError, MelConfig
from helpers.datasets.films import WINDOW_S
from helpers.features.mel import MelFrontend
from helpers.models.base import AudioClassifier
from helpers.models.checkpoint import Checkpoint
from helpers.models.notes import CompactCNN

GRID = 32  # windows; the length of a waveform is a multiple of them, so that it is one of frames, too
HOP = 512  # samples between frames: windows need finer time than notes
TRUNK = "compact_cnn"  # the NSynth model whose convolutions a CRNN goes on from


class Trunk(nn.Module):
    """The convolutions of the compact NSynth encoder, with the maps of all their depths instead of one embedding."""

    def __init__(self, n_mels: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        notes = CompactCNN(n_mels, channels)
        self.stem, self.blocks = notes.stem, notes.blocks
        bands = -(-n_mels // 2)
        self.widths = [c * (bands >> depth) for depth, c in enumerate(channels)]  # C·M' at each depth

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """[B, 1, M, F] -> maps [B, C·M', F'], each half as long as the one before."""
        maps = [self.stem(x)]
        for block in self.blocks:
            maps.append(block(maps[-1]))
        return [one.flatten(1, 2) for one in maps]


class FrameHead(nn.Module):
    """Bring all depths to the grid of windows and add them up, then a bidirectional GRU and one decision a window.

    Deep maps know the instrument but blur time (a quarter of a second), shallow ones know when: a feature pyramid
    (Lin et al., CVPR 2017) under a recurrent layer, as in CRNNs for sound events (Cakir et al., TASLP 2017).
    """

    def __init__(self, widths: list[int], n_classes: int, frames_per_window: float, size: int) -> None:
        super().__init__()
        self.frames_per_window = frames_per_window
        self.lateral = nn.ModuleList(
            nn.Sequential(nn.Conv1d(width, size, 1, bias=False), nn.BatchNorm1d(size)) for width in widths
        )
        self.recurrent = nn.GRU(size, size // 2, batch_first=True, bidirectional=True)
        self.decide = nn.Sequential(nn.Dropout(0.3), nn.Linear(size, n_classes))

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        """Maps [B, C·M', F'] -> logits [B, N, classes]; the waveform has a multiple of `GRID` windows."""
        windows = round((maps[0].shape[2] - 1) * 2 / self.frames_per_window)
        grids = [F.interpolate(lateral(one), size=windows, mode="linear")
                 for lateral, one in zip(self.lateral, maps, strict=True)]
        x = torch.relu(torch.stack(grids).sum(dim=0)).transpose(1, 2)  # [B, N, D]
        return self.decide(self.recurrent(x)[0])


def _crnn(n_classes: int, mel: dict, channels: tuple[int, ...] = (16, 32, 64, 128), size: int = 128) -> AudioClassifier:
    config = MelConfig(**mel)
    trunk = Trunk(config.n_mels, tuple(channels))
    return AudioClassifier(
        MelFrontend(config), trunk, FrameHead(trunk.widths, n_classes, config.frame_rate * WINDOW_S, size)
    )


MODELS = {"film_crnn": _crnn}


def arguments_of(notes: Checkpoint) -> dict:
    """The front end and the convolutions of an NSynth checkpoint, as arguments of `film_crnn`.

    Raises:
        InputError: it is of another model.
    """
    _, arguments = _trunk_of(notes)
    found = {name: value for name, value in arguments.items() if name in ("mel", "channels")}
    return found | {"mel": found["mel"] | {"hop_length": HOP}}


def initialise(model: AudioClassifier, notes: Checkpoint) -> None:
    """Copy the front end's statistics and the convolutions of an NSynth checkpoint; the head stays random."""
    prefix, _ = _trunk_of(notes)
    copied = (name for name in model.state_dict() if not name.startswith("head."))
    model.load_state_dict({name: notes.state[prefix + name].float() for name in copied}, strict=False)


def _trunk_of(notes: Checkpoint) -> tuple[str, dict]:
    """Prefix of the weights, and arguments, of the network with the trunk; of an ensemble its first such member."""
    members = [("", {"name": notes.model, **notes.arguments})]
    members += [(f"members.{n}.", member) for n, member in enumerate(notes.arguments.get("members", []))]
    for prefix, member in members:
        if member["name"] == TRUNK:
            return prefix, member
    raise InputError(f"checkpoint of {notes.model}: a film network cannot start from it; train {TRUNK} on NSynth")
