"""The solved layer, its nested cross-validation, what a frozen backbone means, and equal recipes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from helpers import audio
from helpers.config import TrainConfig
from helpers.datasets import irmas
from helpers.datasets.base import Clip
from helpers.experiments import designs, predominant
from helpers.experiments.irmas import ARGUMENTS, MODEL
from helpers.models import build
from helpers.models.checkpoint import Checkpoint, save_checkpoint


def test_solved_layer_separates_and_ignores_scale_and_offset():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 3
    centres = 4.0 * torch.randn(3, 20, generator=generator)
    embedding = centres[labels] + torch.randn(60, 20, generator=generator)
    head = predominant.solved(embedding, labels, [12, 8], 0.6, 3)
    assert (head(embedding).argmax(dim=1) == labels).all()
    stretched = predominant.solved(1000.0 * embedding + 7.0, labels, [12, 8], 0.6, 3)
    torch.testing.assert_close(stretched(1000.0 * embedding + 7.0), head(embedding), atol=1e-2, rtol=1e-3)


def test_nested_cross_validation_is_chance_on_noise_and_perfect_on_labels():
    labels, fold_of = torch.arange(200) % 2, np.arange(200) // 50
    noise = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    assert predominant.fold_hits(noise, labels, fold_of, [5], None).mean() == pytest.approx(0.5, abs=0.12)
    known = torch.cat([noise, labels[:, None] * 9.0], dim=1)
    assert predominant.fold_hits(known, labels, fold_of, [6], None).mean() == 1.0


def test_the_block_that_reports_chooses_nothing(monkeypatch):
    labels, fold_of, inside = torch.arange(12) % 2, np.arange(12) // 4, []

    def choose(embedding, labels, folds, widths):
        inside.append(set(folds))
        return 0.6

    monkeypatch.setattr(predominant, "choose_shrinkage", choose)
    predominant.fold_hits(torch.randn(12, 3), labels, fold_of, [3], None)
    assert inside == [{1, 2}, {0, 2}, {0, 1}]


@pytest.fixture
def noises(tmp_path):
    """Six clips of three seconds, two classes: low and high noise."""
    rng, clips = np.random.default_rng(0), []
    for number in range(6):
        wave = rng.standard_normal(66_150).astype(np.float32)
        wave = np.cumsum(wave) / 300 if number % 2 else 0.2 * np.diff(wave, prepend=0)
        path = tmp_path / f"{number}.wav"
        audio.write(path, np.clip(wave, -0.9, 0.9), 22_050)
        clips.append(Clip(path, (number % 2,), str(number)))
    return clips


def test_transfer_keeps_the_encoder_and_fits_the_clips(noises, monkeypatch):
    torch.manual_seed(0)
    network = build(MODEL, 11, **ARGUMENTS).eval()
    monkeypatch.setattr(predominant, "BLOCKS", 3)
    taken, _ = predominant.transfer(network, noises, [0, 1])
    of_the_network = predominant.embeddings(taken, noises)[:, : network.encoder.width]
    torch.testing.assert_close(of_the_network, predominant.embeddings(network, noises))
    predicted = taken.head(predominant.embeddings(taken, noises)).argmax(dim=1)
    assert predicted.tolist() == [0, 1, 0, 1, 0, 1]


def test_a_frozen_backbone_stays_and_thaws_with_a_line(noises, capsys, monkeypatch):
    narrow = {"channels": [2, 2, 4, 4]}
    before = build("three_band", len(irmas.CODES), seed=7, **narrow).encoder.state_dict()
    config = TrainConfig(epochs=1, batch_size=3, workers=0, balanced=False, freeze_epochs=1)
    trained = designs.train_design("three_band", narrow, noises, noises, config, state=before)
    assert all(torch.equal(value, before[name]) for name, value in trained.network.encoder.state_dict().items())
    config = replace(config, epochs=2, patience=9)
    designs.train_design("three_band", narrow, noises, noises, config, state=before)
    assert "unfrozen" in capsys.readouterr().out


def test_the_recipe_is_that_of_the_slides_and_transfer_changes_nothing_but_the_freezing():
    plain, moved = (designs.recipe(designs.SCALES["full"], 0, moved) for moved in (False, True))
    assert (plain.batch_size, plain.optimizer, moved.freeze_epochs) == (16, "adam", 4)
    assert replace(moved, freeze_epochs=0) == plain


def test_model_one_is_larger_than_model_two():
    plans = designs.designs({}, "NSynth")
    first = list(plans.values())[:2]
    one, two = (build(model, 11, channels=[4, 8, 16, 32], **arguments) for model, arguments, _ in first)
    assert sum(p.numel() for p in one.encoder.parameters()) == 3 * sum(p.numel() for p in two.encoder.parameters())


def test_silence_is_one_line_without_an_instrument(tmp_path):
    audio.write(tmp_path / "a.wav", np.zeros(66_150, np.float32), 22_050)
    network = build(MODEL, 2, **ARGUMENTS)
    save_checkpoint(tmp_path / "c.pt", Checkpoint("irmas", MODEL, ARGUMENTS, ["flu", "voi"], 16_000, 3.0,
                                                  network.state_dict()))  # fmt: skip
    lines = list(predominant.spoken_predictions(tmp_path / "a.wav", tmp_path / "c.pt"))
    assert "🏆 Top prediction: none (silence has no predominant instrument)" in lines
