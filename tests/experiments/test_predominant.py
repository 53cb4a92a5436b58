"""The fitted layer, its nested cross-validation, altered copies, what a frozen backbone means, and equal recipes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from helpers import audio
from helpers.config import InputError, TrainConfig
from helpers.datasets import irmas
from helpers.datasets.base import Clip
from helpers.datasets.mixtures import playing
from helpers.experiments import irmas as study
from helpers.experiments import predominant
from helpers.experiments.irmas import ARGUMENTS, MODEL
from helpers.models import build
from helpers.models.checkpoint import Checkpoint, save_checkpoint

WIDTH = 593


def table(informative: bool) -> predominant.Table:
    """Forty clips of two classes in four folds with one copy each; phrases that always tell the classes apart."""
    rng, labels = np.random.default_rng(0), np.arange(40) % 2
    statistics, phrases = rng.normal(size=(40, 2, WIDTH)), rng.normal(size=(20, WIDTH))
    families = np.arange(20) % 2
    phrases[:, 20:40] += 3.0 * families[:, None]
    if informative:
        statistics[:, :, :20] += 3.0 * labels[:, None, None]
    return predominant.Table(statistics, slice(1, 2), labels, np.arange(40) // 10, phrases, families, 2)


def test_nested_cross_validation_is_chance_on_noise_and_perfect_on_labels():
    recipe, hits = predominant.Recipe(), {}
    for informative in (False, True):
        found = table(informative)
        logits = predominant.nested(found, recipe)
        hits[informative] = predominant.nested_scores(found, logits)
    plain, stressed, majority = hits[False]
    assert hits[False][plain]["value"] == pytest.approx(0.5, abs=0.2)
    assert hits[False][majority]["value"] == 0.5
    assert hits[True][plain]["value"] == hits[True][stressed]["value"] == 1.0


def test_the_fold_that_reports_chooses_nothing(monkeypatch):
    inside = []

    def choose(known, notes, recipe):
        inside.append(set(known.fold_of))
        return recipe

    monkeypatch.setattr(predominant, "choose", choose)
    predominant.nested(table(True), predominant.Recipe())
    assert inside == [{1, 2, 3}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2}]


def test_with_one_fold_nothing_is_chosen():
    one = table(True)
    recipe = predominant.Recipe(C=0.3)
    assert predominant.choose(one.where(one.fold_of == 2), predominant.layer_of_notes(one), recipe) == recipe


def test_notes_are_listened_to_only_where_they_help():
    misled = table(True)
    misled.phrases[:, :20] -= 3.0 * misled.families[:, None]  # what tells clips apart, the wrong way round
    right = table(True)
    right.phrases[:, :20] += 3.0 * right.families[:, None]
    shares = [predominant.choose(one, predominant.layer_of_notes(one), predominant.Recipe()).notes
              for one in (misled, right)]  # fmt: skip
    assert shares == [0.0, 1.0]


def test_the_network_answers_as_the_layers_that_it_is_made_of():
    found = table(True)
    network, chosen = predominant.network_of(found, predominant.Recipe())
    layer = predominant.layer_of_clips(found, chosen).plus(predominant.layer_of_notes(found), chosen.notes)
    rows = found.statistics[:, 0]
    np.testing.assert_allclose(network.head(torch.from_numpy(rows).float()).numpy(), layer(rows), atol=1e-4)


def test_phrases_are_played_by_notes_in_reach_of_the_instrument():
    names = [("string_acoustic_001", 40), ("string_acoustic_001", 90), ("flute_acoustic_000", 70),
             ("flute_synthetic_000", 70)]  # fmt: skip
    notes = [Clip(Path(f"{name}-{pitch:03d}-100.wav"), (0,), name) for name, pitch in names]
    found = playing(notes, ["cel", "flu"])
    assert [(note.name[:6], note.labels) for note in found] == [("string", (0,)), ("flute_", (1,))]
    with pytest.raises(InputError, match="pia"):
        playing(notes, ["pia", "flu"])


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


def test_altered_copies_are_others_each_time_and_the_same_for_a_seed(noises):
    wave = predominant.study.dataset(noises).waveform(0)
    for name, alter in predominant.alterations(noises).items():
        first, again, other = (alter(wave, np.random.default_rng(seed)) for seed in (0, 0, 1))
        np.testing.assert_array_equal(first, again)
        assert not np.array_equal(first, other)
        assert len(first) == (32_000 if name == "crop" else 48_000)
    assert list(predominant.alterations([])) == ["tone", "crop"]


def test_a_frozen_backbone_stays_and_thaws_with_a_line(noises, capsys):
    arguments = {"channels": [2, 2, 4, 4]}
    before = build("three_band", len(irmas.CODES), seed=7, **arguments).encoder.state_dict()
    plan = study.Plan("three_band", arguments, before)
    config = TrainConfig(epochs=1, batch_size=3, workers=0, balanced=False, freeze_epochs=1)
    trained = study.train_design(plan, noises, noises, config)
    assert all(torch.equal(value, before[name]) for name, value in trained.network.encoder.state_dict().items())
    study.train_design(plan, noises, noises, replace(config, epochs=2, patience=9))
    assert "unfrozen" in capsys.readouterr().out


def test_the_recipe_is_that_of_the_slides_and_transfer_changes_nothing_but_the_freezing():
    plan = study.Plan("three_band")
    plain, moved = (study.plan_recipe(one, 8, 0) for one in (plan, replace(plan, state={"a": None})))
    assert (plain.batch_size, plain.optimizer, moved.freeze_epochs) == (16, "adam", 4)
    assert replace(moved, freeze_epochs=0) == plain
    assert study.plan_recipe(replace(plan, loss="bce"), 8, 0) == replace(plain, loss="bce")


def test_model_one_is_larger_than_model_two_and_both_have_full_size_if_not_told_otherwise():
    one, two = (build(name, 11) for name in ("nine_branch", "three_band"))
    assert sum(p.numel() for p in one.encoder.parameters()) == 3 * sum(p.numel() for p in two.encoder.parameters())
    assert sum(p.numel() for p in one.parameters()) > sum(p.numel() for p in two.parameters()) == 8_598_603


def test_panns_weights_for_a_network_without_a_place_for_them_are_refused():
    with pytest.raises(InputError, match="'cnn_var_time': cannot start from PANNs weights"):
        study.from_panns(Path("Cnn10.pth"), "cnn_var_time")


def test_silence_is_one_line_without_an_instrument(tmp_path):
    audio.write(tmp_path / "a.wav", np.zeros(66_150, np.float32), 22_050)
    network = build(MODEL, 2, **ARGUMENTS)
    save_checkpoint(tmp_path / "c.pt", Checkpoint("irmas", MODEL, ARGUMENTS, ["flu", "voi"], 16_000, 3.0,
                                                  network.state_dict()))  # fmt: skip
    lines = list(predominant.spoken_predictions(tmp_path / "a.wav", tmp_path / "c.pt"))
    assert "🏆 Top prediction: none (silence has no predominant instrument)" in lines
