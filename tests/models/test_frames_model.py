"""The frame-level network: one answer a window, weights taken over from NSynth, any length with the same answers."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch

from helpers.config import InputError, MelConfig
from helpers.models import build
from helpers.models.checkpoint import Checkpoint
from helpers.models.frames import GRID, SAMPLES, arguments_of, initialise
from helpers.prediction.clips import WINDOW, predict_frames

MEL = asdict(MelConfig(n_mels=32, n_fft=512))
SMALL = {"mel": MEL, "channels": (4, 8, 8), "size": 8}


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return build("film_crnn", 3, **SMALL).eval()


@pytest.mark.parametrize("windows", [GRID, 2 * GRID, 7 * GRID])
@pytest.mark.parametrize("hop", [256, 512])
def test_one_answer_for_every_window(windows: int, hop: int) -> None:
    model = build("film_crnn", 3, **{**SMALL, "mel": {**MEL, "hop_length": hop}}).eval()
    assert model(torch.randn(2, windows * WINDOW)).shape == (2, windows, 3)


def test_an_answer_hears_what_is_around_its_window_but_first_of_all_the_window() -> None:
    model = network()
    sound = torch.randn(1, 128 * WINDOW) * 0.1
    softer = sound.clone()
    softer[:, 64 * WINDOW : 66 * WINDOW] *= 0.1
    change = (model(softer) - model(sound)).abs().sum(dim=2)[0]
    assert abs(int(change.argmax()) - 65) <= 10
    assert change[0] < change[65] / 10


def notes_checkpoint(model: str, **more) -> Checkpoint:
    """An NSynth checkpoint with random weights and a front end that can be told from others."""
    torch.manual_seed(1)
    arguments = {"mel": MEL, **more}
    if model == "ensemble":
        first = {"name": "short_chunk_cnn", "mel": MEL, "channels": 4}
        arguments = {"members": [first, {"name": "compact_cnn", **arguments}]}
    notes = build(model, 11, **arguments)
    for name, value in notes.named_buffers():
        if name.endswith("standardise.running_mean"):
            value.fill_(3.0)
    return Checkpoint("nsynth-family", model, arguments, [""] * 11, 16_000, 4.0, notes.state_dict())


@pytest.mark.parametrize(("name", "more", "prefix"), [
    ("compact_cnn", {}, ""), ("ensemble", {}, "members.1.")
])
def test_nsynth_weights_are_taken_over_and_the_head_is_not(name: str, more: dict, prefix: str) -> None:
    notes = notes_checkpoint(name, channels=(4, 8, 8), **more)
    model = build("film_crnn", 3, size=8, **arguments_of(notes))
    head = {name: value.clone() for name, value in model.head.state_dict().items()}
    initialise(model, notes)
    for key, value in notes.state.items():
        if key.startswith(tuple(prefix + part for part in ("frontend.", "encoder.stem.", "encoder.blocks."))):
            assert torch.equal(model.state_dict()[key.removeprefix(prefix)], value), key
    assert all(torch.equal(value, head[name]) for name, value in model.head.state_dict().items())
    assert float(model.frontend.standardise.running_mean[0]) == 3.0


def test_another_model_is_refused() -> None:
    with pytest.raises(InputError, match="train compact_cnn"):
        arguments_of(notes_checkpoint("short_chunk_cnn", channels=4))


def test_listening_does_not_depend_on_the_blocks() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, 7 * 16_000 + 123).astype(np.float32)
    model = network()
    whole = predict_frames(model, [sound], context=64)
    assert whole.shape == (len(sound) // WINDOW, 3) and (whole > 0).all() and (whole < 1).all()
    for size in (999, 16_000, 50_000):
        blocks = [sound[first : first + size] for first in range(0, len(sound), size)]
        np.testing.assert_allclose(predict_frames(model, blocks, context=64), whole, atol=1e-6)


def test_listening_keeps_time() -> None:
    """Windows get the same answers as in an excerpt around them that the network is given directly."""
    sound = np.random.default_rng(0).normal(0, 0.1, 128 * WINDOW).astype(np.float32)
    model = network()
    with torch.inference_mode():
        excerpt = torch.sigmoid(model(torch.from_numpy(sound[None, 16 * WINDOW : 80 * WINDOW])))[0]
    np.testing.assert_allclose(predict_frames(model, [sound], context=64)[32:64], excerpt[16:48], atol=1e-5)


@pytest.mark.parametrize("samples", [0, 100, WINDOW, 40 * WINDOW])
def test_listening_to_very_short_sounds(samples: int) -> None:
    assert len(predict_frames(network(), [np.zeros(samples, np.float32)], context=64)) == samples // WINDOW


def test_statistics_answer_for_the_middle_and_every_window_alike() -> None:
    torch.manual_seed(0)
    model = build("film_statistics", 4)
    model.classifier.head.A.normal_()
    sound = torch.randn(1, 128 * WINDOW)
    found = model(sound)
    assert found.shape == (1, 128, 4) and torch.equal(found[:, 0], found[:, 100])
    sound[:, : SAMPLES // 8] = 0.0
    assert torch.equal(model(sound), found), "what lies before the middle three seconds is not heard"
    sound[:, 64 * WINDOW :] = 0.0
    assert not torch.equal(model(sound), found)


def test_the_ensemble_averages_log_odds() -> None:
    members = [{"name": "film_crnn", **SMALL}, {"name": "film_statistics"}]
    model = build("film_ensemble", 3, members=members, weights=[1.0, 3.0]).eval()
    model.members[1].classifier.head.b.fill_(2.0)
    sound = torch.randn(2, 64 * WINDOW)
    assert torch.allclose(model(sound), 0.25 * model.members[0](sound) + 0.75 * 2.0, atol=1e-5)
