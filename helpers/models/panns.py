"""PANNs backbones (Cnn6, Cnn10, Cnn14) that take the published weights, with their front end: notebook 05.

Kong et al., PANNs: large-scale pretrained audio neural networks for audio pattern recognition, TASLP 2020; weights on
Zenodo, record 3987831. Their conventions: 32 kHz, Hann window of 1024 samples every 320, 64 Slaney mel bands from 50
to 14,000 Hz, decibels re 1 with a floor of 1e-10, batch normalisation over mel bands (bn0), time before frequency.
Axis letters: B batch, T samples, F frames, M mel bands, C channels, D embedding.
"""

from __future__ import annotations

import codecs
import pickle
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torchaudio.functional import melscale_fbanks

from helpers.config import InputError
from helpers.features.mel import power_spectrogram
from helpers.models.base import AudioClassifier, linear_head

SAMPLE_RATE = 32_000  # Hz
N_FFT, HOP_LENGTH = 1024, 320  # samples
N_MELS, F_MIN, F_MAX = 64, 50.0, 14_000.0  # bands, Hz, Hz
FLOOR = 1e-10  # power
MEL_KEY = "logmel_extractor.melW"  # the file's own mel matrix [bins, M]
UNUSED = ("spectrogram_extractor.", "logmel_extractor.", "fc_audioset.")  # rebuilt, or AudioSet's own classes


class PannsFrontend(nn.Module):
    """Log-mel spectrogram as PANNs take it: waveform at 32 kHz [B, T] -> decibels [B, 1, F, M]."""

    def __init__(self) -> None:
        super().__init__()
        mel = melscale_fbanks(N_FFT // 2 + 1, F_MIN, F_MAX, N_MELS, SAMPLE_RATE, norm="slaney", mel_scale="slaney")
        self.register_buffer("mel", mel)  # [bins, M]
        self.register_buffer("window", torch.hann_window(N_FFT), persistent=False)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """[B, T] -> [B, 1, F, M]; a clip shorter than the window is padded with silence."""
        waveform = F.pad(waveform.float(), (0, max(0, N_FFT - waveform.shape[1])))
        power = power_spectrogram(waveform, self.window, HOP_LENGTH).transpose(1, 2) @ self.mel  # [B, F, M]
        return (10 * torch.log10(power.clamp_min(FLOOR))).unsqueeze(1)


class ConvBlock(nn.Sequential):
    """One or two convolutions with BN and ReLU; parameters are named as in the weight files."""

    def __init__(self, inputs: int, outputs: int, kernel: int, convolutions: int) -> None:
        super().__init__()
        for number in range(1, convolutions + 1):
            convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
            self.add_module(f"conv{number}", convolution)
            self.add_module(f"bn{number}", nn.BatchNorm2d(outputs))
            self.add_module(f"relu{number}", nn.ReLU())
            inputs = outputs


class Panns(nn.Module):
    """bn0, blocks, mean over mel bands, maximum plus mean over time, one linear layer; dropout as published."""

    def __init__(self, channels: Sequence[int], kernel: int, convolutions: int) -> None:
        super().__init__()
        self.bn0 = nn.BatchNorm2d(N_MELS)
        for number, (inputs, outputs) in enumerate(pairwise([1, *channels]), start=1):
            self.add_module(f"conv_block{number}", ConvBlock(inputs, outputs, kernel, convolutions))
        self.width = channels[-1]
        self.fc1 = nn.Linear(self.width, self.width)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[B, 1, F, M] -> [B, D]."""
        blocks = [module for module in self.children() if isinstance(module, ConvBlock)]
        shortest = 2 ** min(len(blocks), 5)  # frames
        x = F.pad(x, (0, 0, 0, max(0, shortest - x.shape[2])), value=10 * np.log10(FLOOR))
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)
        for number, block in enumerate(blocks):
            x = F.avg_pool2d(block(x), 2 if number < 5 else 1)
            x = F.dropout(x, 0.2, self.training)
        x = x.mean(dim=3)  # [B, C, F]
        x = F.dropout(x.amax(dim=2) + x.mean(dim=2), 0.5, self.training)
        return torch.relu(self.fc1(x))


def read_panns(path: Path) -> dict[str, torch.Tensor]:
    """State dictionary of a published PANNs file, without running any code that the file may hold.

    Beside weights the files hold the state of a sampler in NumPy arrays, which are let through. An InputError if the
    file is missing, no PyTorch file, holds code, or holds no PANNs weights.
    """
    if not Path(path).is_file():
        raise InputError(f"{path}: no such file; get e.g. Cnn10_mAP=0.380.pth from Zenodo record 3987831")
    try:
        with torch.serialization.safe_globals(_numpy_arrays()):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise InputError(f"{path}: refused, it holds code beside weights; get it from Zenodo record 3987831") from None
    except (RuntimeError, EOFError, ValueError, KeyError, OSError):
        raise InputError(f"{path}: damaged, or not a PyTorch file; download it again") from None
    state = content.get("model", content) if isinstance(content, dict) else None
    if not isinstance(state, dict) or "conv_block1.conv1.weight" not in state:
        raise InputError(f"{path}: holds no weights of a PANNs CNN; Cnn6, Cnn10 and Cnn14 can be used")
    return state


def _numpy_arrays() -> list:
    """What plain NumPy arrays in a pickle consist of, under the names of old and new NumPy."""
    from numpy._core.multiarray import _reconstruct, scalar

    kinds = [type(np.dtype(kind)) for kind in ("bool", "int32", "int64", "uint32", "float32", "float64")]
    renamed = [(part, f"numpy.{core}.multiarray.{part.__name__}")
               for part in (_reconstruct, scalar) for core in ("core", "_core")]
    return [np.ndarray, np.dtype, *kinds, *renamed, (codecs.encode, "_codecs.encode")]


def load_backbone(model: AudioClassifier, state: dict[str, torch.Tensor]) -> None:
    """Put published weights into the front end and encoder of one of `MODELS`.

    An InputError if the weights are of another network.
    """
    encoder = {name: value for name, value in state.items() if not name.startswith(UNUSED)}
    try:
        model.encoder.load_state_dict(encoder)
        model.frontend.load_state_dict({"mel": state.get(MEL_KEY, model.frontend.mel)})
    except RuntimeError as error:
        reason = str(error).splitlines()[1].strip()
        raise InputError(f"PANNs weights: are of another network ({reason}); choose their model") from None


def first_convolutions(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """First convolution and normalisation of blocks 1 to 4, under the names of `multistft.PANNsFeatureExtractor`.

    Of Cnn6's 5x5 kernels the inner 3x3 is taken.
    """
    weights = {}
    for number in range(4):
        block = f"conv_block{number + 1}"
        kernel = state[f"{block}.conv1.weight"]
        edge = (kernel.shape[-1] - 3) // 2
        weights[f"blocks.{number}.0.weight"] = kernel[..., edge : edge + 3, edge : edge + 3]
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            weights[f"blocks.{number}.1.{part}"] = state.get(f"{block}.bn1.{part}", torch.tensor(0))
    return weights


def _panns(channels: Sequence[int], n_classes: int, kernel: int = 3, convolutions: int = 2) -> AudioClassifier:
    """`channels` of the blocks, the last of which is the size of the embedding, and `convolutions` of each block."""
    encoder = Panns(channels, kernel, convolutions)
    return AudioClassifier(PannsFrontend(), encoder, linear_head(encoder.width, n_classes))


MODELS = {
    "panns_cnn6": partial(_panns, (64, 128, 256, 512), kernel=5, convolutions=1),
    "panns_cnn10": partial(_panns, (64, 128, 256, 512)),
    "panns_cnn14": partial(_panns, (64, 128, 256, 512, 1024, 2048)),
}
