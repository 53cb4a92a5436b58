"""The same seed gives the same weights in every fresh process, for each task that trains a network here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.config import ROOT

TRAIN = """
import json, sys
from dataclasses import replace
from pathlib import Path
from helpers.config import TrainConfig
from helpers.datasets import irmas, nsynth
from helpers.datasets.base import subset
from helpers.experiments import irmas as multi, nsynth as notes
from helpers.files import fingerprint

root, other = Path(sys.argv[1]), int(sys.argv[2])
config = TrainConfig(epochs=1, batch_size=4, workers=0, seed=3 + other)
tones, clips = (subset(corpus.clips(root, "train"), 12) for corpus in (nsynth, irmas))
plan = multi.Plan("three_band", {"channels": [2, 2, 4, 4]})
trained = {
    "nsynth": notes.train(tones, tones[:4], config).network,
    "irmas": multi.train(clips, clips[:4], replace(config, loss="bce")).network,
    "three_band": multi.train_design(plan, clips, clips[:4], config).network,
}
digest = lambda network: fingerprint(sorted((k, v.float().sum().item()) for k, v in network.state_dict().items()))
print(json.dumps({name: digest(network) for name, network in trained.items()}))
"""


def weights(root: Path, other: int) -> dict[str, str]:
    """Digest of the weights of every task, trained in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run([sys.executable, "-c", TRAIN, str(root), str(other)], env=environment, capture_output=True,
                         text=True, timeout=600)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout.splitlines()[-1])


@pytest.mark.slow
def test_every_task_gives_the_same_weights_in_two_processes_and_others_for_another_seed(demo_root: Path) -> None:
    first, second, other = (weights(demo_root, number) for number in (0, 0, 1))
    assert first == second
    assert not set(first.items()) & set(other.items())
