"""The same seed gives the same weights in fresh processes: what is trained stands on no hidden state."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from film_files import source, tone, write_sources

from helpers import audio
from helpers.config import ROOT
from helpers.datasets.chmusic import CLASSES

FILMS = """
from pathlib import Path
import hashlib, sys
from helpers.datasets import film_builder, films
from helpers.experiments import films as study
folder = Path(sys.argv[1])
built = films.load(folder / "built")
state = study.train(built, study.recipe(1, 0), context_s=1.0).network.state_dict()
"""
CHMUSIC = """
from pathlib import Path
import hashlib, sys
from helpers.datasets import chmusic
from helpers.experiments import chmusic as study
root = Path(sys.argv[1])
state = {"logits": study.network(chmusic.clips(root, "train"), chmusic.clips(root, "test"), "smoke", 0)}
"""
DIGEST = """
import numpy as np
content = b"".join(np.ascontiguousarray(np.asarray(value)).tobytes() for _, value in sorted(state.items()))
print("digest", hashlib.sha256(content).hexdigest())
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two films of two tones, built."""
    from helpers.datasets import film_builder

    folder, listed = tmp_path_factory.mktemp("films"), []
    for split, pitch in (("train", 300), ("valid", 320)):
        audio.write(folder / f"{split}.wav", np.concatenate([tone(pitch, 3.0), tone(4 * pitch, 3.0)]), 48_000)
        claims = [{"start": 0, "end": 3, "instruments": ["erhu"]}, {"start": 3, "end": 6, "instruments": ["dizi"]}]
        listed.append(source(split, file=f"{split}.wav", split=split, segments=claims))
    film_builder.build(write_sources(folder / "sources.json", *listed), folder, folder / "built")
    return folder


@pytest.fixture(scope="module")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ChMusic's layout with a tone for each of three instruments."""
    folder = tmp_path_factory.mktemp("chmusic")
    for number in range(1, 4):
        for piece in range(1, 6):
            audio.write(folder / "chmusic" / f"{number}.{piece}.wav", tone(200 * number + piece, 5.0), 44_100)
    assert len(CLASSES) == 11
    return folder


@pytest.mark.parametrize(("script", "data"), [(FILMS, "built"), (CHMUSIC, "pieces")], ids=["films", "chmusic"])
def test_two_processes_with_one_seed_agree(script: str, data: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(data)
    digests = set()
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", script + DIGEST, str(folder)], cwd=ROOT, capture_output=True,
                              text=True, check=True)  # fmt: skip
        digests |= {line for line in done.stdout.splitlines() if line.startswith("digest")}
    assert len(digests) == 1
