"""Shapes of a network's stages, as the drawing on the slide shows them."""

from helpers.models import build
from helpers.models.base import stages


def test_stages_of_the_compact_cnn():
    network = build("compact_cnn", 11, mel={"n_mels": 96, "hop_length": 512}, channels=(4, 8, 16)).train()
    found = {stage["layer"]: stage["shape"] for stage in stages(network, 64_000)}
    assert found == {
        "mel": [1, 96, 126], "stem": [4, 48, 63], "block 1": [8, 24, 31], "block 2": [16, 12, 15],
        "embedding": [256], "classes": [11],
    }  # fmt: skip
    assert network.training
    assert not network.head._forward_hooks
