"""Folds that keep neighbours together, the solved layer, and what a frozen backbone means."""

import numpy as np
import pytest
import torch

from helpers import audio
from helpers.config import TrainConfig
from helpers.datasets import irmas
from helpers.datasets.base import Clip
from helpers.experiments import predominant, stft_models
from helpers.experiments.irmas import ARGUMENTS, MODEL
from helpers.models import build


def clips_of(counts):
    """Clips without recording ids: each is its own group, numbered within its class."""
    return [Clip(None, (label,), f"{label}/{number:02d}") for label, count in counts.items() for number in range(count)]


def test_blocks_are_neighbours_and_hold_every_class():
    clips = clips_of({0: 12, 1: 11})
    fold_of = predominant.folds_of(clips, 4)
    assert fold_of[:12].tolist() == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3
    assert np.bincount(fold_of[12:]).tolist() == [3, 3, 3, 2]
    shuffled = predominant.folds_of(clips, 4, seed=1)
    assert np.bincount(shuffled[:12]).tolist() == [3, 3, 3, 3]
    assert shuffled[:12].tolist() != fold_of[:12].tolist()


def test_clips_of_one_recording_are_in_one_fold():
    clips = [Clip(None, (0,), f"{number // 3:04d}") for number in range(30)]
    fold_of = predominant.folds_of(clips, 4, seed=0)
    assert all(len(set(fold_of[start : start + 3])) == 1 for start in range(0, 30, 3))


def test_solved_layer_separates_and_ignores_scale_and_offset():
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(60) % 3
    centres = 4.0 * torch.randn(3, 20, generator=generator)
    embedding = centres[labels] + torch.randn(60, 20, generator=generator)
    head = predominant.solved(embedding, labels, 3, [12, 8])
    assert (head(embedding).argmax(dim=1) == labels).all()
    stretched = predominant.solved(1000.0 * embedding + 7.0, labels, 3, [12, 8])
    torch.testing.assert_close(stretched(1000.0 * embedding + 7.0), head(embedding), atol=1e-2, rtol=1e-3)


def test_cross_validation_is_chance_on_noise_and_perfect_on_labels():
    labels = np.arange(200) % 2
    fold_of = np.arange(200) // 50
    noise = torch.randn(200, 5, generator=torch.Generator().manual_seed(0))
    assert predominant.cross_validate(noise, labels, fold_of, 2, [5]).mean() == pytest.approx(0.5, abs=0.12)
    told = torch.cat([noise, torch.tensor(labels)[:, None] * 9.0], dim=1)
    assert predominant.cross_validate(told, labels, fold_of, 2, [6]).mean() == 1.0


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


def test_taking_over_keeps_the_encoder_and_fits_the_clips(noises):
    torch.manual_seed(0)
    network = build(MODEL, 11, **ARGUMENTS).eval()
    taken = predominant.take_over(network, noises, [0, 1])
    of_the_network = predominant.embeddings(taken, noises)[:, : network.encoder.width]
    torch.testing.assert_close(of_the_network, predominant.embeddings(network, noises))
    said = taken.head(predominant.embeddings(taken, noises)).argmax(dim=1)
    assert said.tolist() == [0, 1, 0, 1, 0, 1]


def test_a_frozen_backbone_stays_and_thaws_with_a_line(noises, capsys):
    torch.manual_seed(0)
    network = build("three_band", len(irmas.CODES), channels=[2, 2, 4, 4])
    before = {name: value.clone() for name, value in network.encoder.state_dict().items()}
    config = TrainConfig(epochs=1, batch_size=3, workers=0, balanced=False, freeze_epochs=1)
    stft_models.fit_predominant(network, 22_050, noises, noises, config, stft_models.Methods())
    assert all(torch.equal(value, before[name]) for name, value in network.encoder.state_dict().items())
    config = TrainConfig(epochs=2, batch_size=3, workers=0, balanced=False, freeze_epochs=1, patience=9)
    stft_models.fit_predominant(network, 22_050, noises, noises, config, stft_models.Methods())
    assert "epoch 2: encoder unfrozen" in capsys.readouterr().out


def test_the_recipe_for_transfer_is_that_of_the_slides():
    recipe = stft_models.transferred(stft_models.RECIPE)
    assert recipe.freeze_epochs == 3
    assert recipe.encoder_lr_scale < 1
    assert (recipe.batch_size, recipe.optimizer) == (16, "adam")
