"""A fixed polyphonic data set made of clips of one instrument: what validates a model that will hear polyphony."""

from __future__ import annotations

import numpy as np

from helpers.datasets.base import ClipDataset

LEVEL_DB = (-9.0, 0.0)  # of an added clip relative to the first


class MixtureDataset:
    """`n` sums of one to `voices` clips of another data set, with the union of their labels.

    Mixture i depends on (seed, i) alone; its first clip is clip i modulo the number of clips. Sharing clips only
    with `data`, it stands on the side of a split that `data` stands on.
    """

    def __init__(self, data: ClipDataset, n: int, voices: int, seed: int) -> None:
        self.data, self.seed = data, seed
        self.members = [self._draw(index, voices) for index in range(n)]
        self.targets = np.stack([data.targets[members].max(axis=0) for members in self.members])

    def __len__(self) -> int:
        return len(self.members)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng((self.seed, index, 1))
        mixture = np.zeros(self.data.samples, np.float32)
        for number, member in enumerate(self.members[index]):
            waveform = self.data.waveform(member)
            level = 0.0 if number == 0 else rng.uniform(*LEVEL_DB)
            mixture += waveform * np.float32(10 ** (level / 20) / max(np.sqrt(np.mean(waveform**2)), 1e-6))
        return mixture / max(np.abs(mixture).max(), 1.0), self.targets[index]

    def _draw(self, index: int, voices: int) -> list[int]:
        rng = np.random.default_rng((self.seed, index))
        others = rng.choice(len(self.data), int(rng.integers(voices)))
        return [index % len(self.data), *others.tolist()]
