"""Models 1.0, 2.0 and 2.3 on the same clips, what transfer and the methods of the slides change, and detectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from helpers.config import TrainConfig
from helpers.datasets import irmas, nsynth
from helpers.datasets.base import Clip, ClipDataset, clips_fingerprint, groups, multi_hot
from helpers.datasets.mixtures import PhraseDataset
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.multilabel import choose_thresholds, hit_at_1, per_class
from helpers.evaluation.results import Result
from helpers.experiments import irmas as study
from helpers.experiments import stft_models as stft
from helpers.experiments.common import curves
from helpers.experiments.irmas_report import result
from helpers.models import build, multistft
from helpers.models.base import AudioClassifier, parameter_count
from helpers.training.fit import fit
from helpers.training.module import History


@dataclass(frozen=True)
class Scale:
    """How large the comparison is. On a processor the published width (64 to 512 channels) takes hours, so the
    branches are narrower here, all in proportion; with a GPU the full budget has the published width."""

    epochs: int
    clips: int  # of training and of validation, at most
    channels: tuple[int, ...]  # of models 2.x; 1.0 has those of its first three blocks
    phrases: int  # of NSynth notes, which stand in for PANNs weights where there are none
    excerpts: int  # test excerpts, at most
    detectors: int  # instruments that get one of their own
    methods: int  # variants of model 2.0 that are tried
    workers: int  # processes that read; starting one takes longer than a smoke run


def scale_of(budget: str) -> Scale:
    """The scale of a budget on this machine."""
    wide = multistft.CHANNELS if torch.cuda.is_available() else (16, 32, 64, 128)
    return {
        "smoke": Scale(2, 48, (4, 8, 8, 16), 24, 6, 1, 2, 0),
        "quick": Scale(4, 200, (8, 16, 32, 64), 200, 30, 1, 5, 1),
        "full": Scale(25, 10**9, wide, 3_000, 10**9, 11, 5, 1),
    }[budget]


def compare(
    root: Path, notes_root: Path, budget: str, seed: int, weights: Path | None, command: str
) -> tuple[Result, dict]:
    """Train the three models on the same recordings and score them on the test excerpts.

    Args:
        root, notes_root: hold IRMAS and NSynth.
        weights: published PANNs file for model 2.3; without one its branches learn from NSynth phrases instead.

    Returns:
        The result, and the learning curves by model.
    """
    scale = scale_of(budget)
    clips, valid = study.recordings(root, scale.clips, seed)
    test = study.thinned(irmas.clips(root, "test"), scale.excerpts)
    config = replace(stft.RECIPE, epochs=scale.epochs, seed=seed, workers=scale.workers)
    source = "PANNs" if weights else "NSynth"
    wide = {"channels": list(scale.channels if not weights else multistft.CHANNELS)}
    plans = {
        "1.0: nine spectrograms": ("nine_branch", {"channels": list(scale.channels[:3])}, False),
        "2.0: three spectrograms": ("three_band", wide, False),
        f"2.3: three, from {source}": ("three_band", wide, True),
    }
    scores, histories, sizes = {}, {}, {}
    for name, (model, arguments, moved) in plans.items():
        network = _network(model, arguments, seed)
        if moved:
            _transfer(network, arguments, notes_root, weights, config, scale)
        recipe = _frozen_at_first(config) if moved else config
        history = stft.fit_predominant(network, multistft.SAMPLE_RATE, clips, valid, recipe, stft.Methods())
        histories[name] = curves(history)
        scores[name] = _hits(network, model, arguments, root, clips, test, seed)
        sizes[name] = parameter_count(network)
    report = result(
        "IRMAS: predominant instrument, models 1.0 to 2.3", root, test, scores, seed=seed, budget=budget,
        command=command, training=clips_fingerprint(clips),
        details={"chosen": list(plans)[-1], "parameters": sizes, "epochs": scale.epochs, "transfer from": source,
                 "frozen epochs": _frozen_at_first(config).freeze_epochs},
    )  # fmt: skip
    return report, histories


def compare_methods(root: Path, budget: str, seed: int) -> dict[str, float]:
    """Validation hit@1 of model 2.0 with each of the slides' methods switched off or on."""
    scale = scale_of(budget)
    clips, valid = study.recordings(root, scale.clips, seed)
    variants = {
        "as in 2.0": stft.Methods(),
        "without normalisation": stft.Methods(normalise=False),
        "without noise": stft.Methods(noise=False),
        "with data mixing": stft.Methods(mixing=True),
        "with additive samples": stft.Methods(additive=True),
    }
    reached = {}
    for name, methods in list(variants.items())[: scale.methods]:
        network = _network("three_band", {"channels": list(scale.channels), "normalise": methods.normalise}, seed)
        config = replace(stft.RECIPE, epochs=scale.epochs, seed=seed, workers=scale.workers)
        history = stft.fit_predominant(network, multistft.SAMPLE_RATE, clips, valid, config, methods)
        reached[name] = history.epochs[history.best].valid_score
    return reached


def compare_detectors(root: Path, budget: str, seed: int) -> tuple[dict[str, float], dict[str, float]]:
    """F1 on test excerpts by instrument: of one network for all, and of one detector for each of some instruments."""
    scale = scale_of(budget)
    clips, valid = study.recordings(root, scale.clips, seed)
    test = study.thinned(irmas.clips(root, "test"), scale.excerpts)
    config = study.recipe(scale.epochs, seed)
    shared = study.train(clips, valid, config)
    decided = study.score_excerpts(study.checkpoint_of(shared, root, ""), test) > np.array(shared.thresholds)
    targets = multi_hot(test, len(irmas.CODES))
    together = dict(zip(irmas.CODES, per_class(targets, decided)["f1"].tolist(), strict=True))
    chosen = np.argsort(-targets.sum(axis=0), kind="stable")[: scale.detectors]
    alone = {irmas.CODES[label]: _detector_f1(root, clips, valid, test, config, int(label)) for label in chosen}
    return {code: together[code] for code in alone}, alone


def _detector_f1(
    root: Path, clips: Sequence[Clip], valid: Sequence[Clip], test: Sequence[Clip], config: TrainConfig, label: int
) -> float:
    """F1 of a network that knows one instrument only; trained and thresholded like the network for all."""
    sets = [ClipDataset(part, len(irmas.CODES), study.MEL.sample_rate, irmas.SECONDS) for part in (clips, valid)]
    for data in sets:
        data.targets = data.targets[:, [label]]
    mixtures = study.validation_mixtures(sets[1])
    network = build(study.MODEL, 1, seed=config.seed, **study.ARGUMENTS)
    fit(network, sets[0], mixtures, config, augment=study.augmentation(),
        batch_augment=study.MixAndUnite(study.VOICES), spec_augment=study.SpecAugment())
    threshold = choose_thresholds(mixtures.targets, study.dataset_scores(network, mixtures, config.batch_size))
    trained = study.Trained(network, threshold.tolist(), History(), config, list(clips), {})
    checkpoint = replace(study.checkpoint_of(trained, root, ""), classes=[irmas.CODES[label]])
    decided = study.score_excerpts(checkpoint, test) > threshold
    return float(per_class(multi_hot(test, len(irmas.CODES))[:, [label]], decided)["f1"][0])


def _network(model: str, arguments: dict, seed: int) -> AudioClassifier:
    return build(model, len(irmas.CODES), seed=seed, **arguments)


def _frozen_at_first(config: TrainConfig) -> TrainConfig:
    """Transfer with at least half of the epochs left for fine-tuning."""
    recipe = stft.transferred(config)
    return replace(recipe, freeze_epochs=min(recipe.freeze_epochs, config.epochs // 2))


def _transfer(
    network: AudioClassifier, arguments: dict, notes_root: Path, weights: Path | None, config: TrainConfig, scale: Scale
) -> None:
    """Give the branches weights from elsewhere: a PANNs file, or phrases of NSynth notes."""
    if weights:
        stft.load_weights(network, "three_band", weights)
        return
    notes = {split: nsynth.clips(notes_root, split) for split in ("train", "valid")}
    source = build("three_band", len(nsynth.FAMILIES), seed=config.seed, **arguments)
    sets = (PhraseDataset(notes[split], len(nsynth.FAMILIES), multistft.SAMPLE_RATE, irmas.SECONDS, n, config.seed)
            for split, n in (("train", scale.phrases), ("valid", scale.phrases // 4)))
    fit(source, *sets, config)
    network.encoder.load_state_dict(source.encoder.state_dict())


def _hits(
    network: AudioClassifier, model: str, arguments: dict, root: Path, clips: Sequence[Clip], test: Sequence[Clip],
    seed: int,
) -> dict:
    """hit@1 on test excerpts with its interval over tracks."""
    checkpoint = stft.checkpoint_of(network, model, arguments, clips, root, seed, "", {})
    scores = study.score_excerpts(checkpoint, test)
    return {"hit_at_1": bootstrap(hit_at_1, groups(test), multi_hot(test, len(irmas.CODES)), scores, seed=seed)}
