"""The plain way to test on NSynth, to compare with: one file after the other, librosa's mel, a short-chunk CNN.

    python tests/benchmarks/plain_way.py FOLDER_OF_WAV_FILES
"""

from __future__ import annotations

import sys
from pathlib import Path

import librosa
import torch

from helpers.models import build

MEL = {"sample_rate": 16_000, "n_fft": 512, "hop_length": 256, "n_mels": 128, "f_min": 0.0}  # of the short-chunk CNN


def main(folder: Path) -> None:
    """Print the family index of every note."""
    model = build("short_chunk_cnn", 11, mel=MEL).eval()
    for path in sorted(folder.glob("*.wav")):
        waveform, rate = librosa.load(path, sr=16_000)
        mel = librosa.feature.melspectrogram(y=waveform, sr=rate, n_fft=512, hop_length=256, n_mels=128)
        features = torch.from_numpy(librosa.power_to_db(mel)).float()[None, None]
        with torch.no_grad():
            print(path.name, int(model.head(model.encoder(features)).argmax()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
