"""NSynth families by neural networks: notes, recipe, one training, several seeds, scores by kind.

The rules of the homework: no pretrained model, no extra data, test notes only to report. Notebooks 01 and 03.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from helpers.augmentation.mixing import Mixup
from helpers.augmentation.spectral import SpecAugment, SpectralAugmentation
from helpers.config import BUDGETS, Budget, InputError, MelConfig, TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.archives import is_archive
from helpers.datasets.base import Clip, ClipDataset, groups, subset
from helpers.evaluation.single import accuracy_by, kind_weighted_accuracy, predictions, top_k_hits
from helpers.experiments.common import Trained, checkpoint, curves, labels_of
from helpers.models import build
from helpers.models.checkpoint import Checkpoint
from helpers.models.notes import Ensemble, add_priors
from helpers.prediction.clips import predict_clips
from helpers.training.fit import fit

MODEL = "compact_cnn"
MEL = MelConfig(n_fft=2048, hop_length=1024, n_mels=160, f_min=30.0, f_max=8_000.0)
PLANS = BUDGETS | {  # many networks are compared; those that ship are trained longer, by `nsynth train`
    "quick": Budget("quick", epochs=4, seeds=1, max_clips=200),
    "full": Budget("full", epochs=6, seeds=3, max_clips=10**9),
}
RATES = (5e-4, 1.5e-3, 4e-3)  # learning rates that are tried, the same for both inputs; least validation loss counts
LEARNING_RATES = {"log": 1.5e-3, "linear": 1.5e-3}  # what was chosen of them
DRAWN = 51_000  # notes that a training draws, but at least LEAST_EPOCHS and at most MOST_EPOCHS times each
LEAST_EPOCHS, MOST_EPOCHS = 2, 26
RECIPE = TrainConfig(
    epochs=MOST_EPOCHS, batch_size=32, weight_decay=0.05, label_smoothing=0.1, balanced=True, select="last",
    monitor="loss",
)  # fmt: skip


@dataclass(frozen=True)
class Notes:
    """The three splits."""

    root: Path
    train: list[Clip]
    valid: list[Clip]
    test: list[Clip]

    @property
    def data(self) -> str:
        """'official', 'subset' or 'demo': what scores on the test notes stand on."""
        return nsynth.CORPUS.label(self.root, "test", len(self.test))

    def splits(self) -> dict[str, list[Clip]]:
        """The notes by the name of their split."""
        return {"train": self.train, "valid": self.valid, "test": self.test}


def load_notes(root: Path, budget: Budget, seed: int = 0) -> Notes:
    """The splits below `root`, training and validation notes as many as the budget allows, no twins of the others."""
    limits = {"train": budget.max_clips, "valid": budget.max_clips, "test": 10**9}
    splits = {split: nsynth.clips(root, split) for split in limits}
    splits["train"] = nsynth.without_twins(splits["train"], [*splits["valid"], *splits["test"]])
    return Notes(root, *(subset(splits[split], most, seed) for split, most in limits.items()))


def all_notes(root: Path) -> Notes:
    """The same without a limit."""
    return load_notes(root, Budget("full", epochs=0, seeds=0, max_clips=10**9))


def about(notes: Notes) -> dict[str, dict]:
    """Notes by family and number of instruments of every split, and official sizes, as the report prints them."""
    return {
        "counts": {split: nsynth.family_counts(clips) for split, clips in notes.splits().items()},
        "instruments": {split: len(set(groups(clips))) for split, clips in notes.splits().items()},
        "official": dict(nsynth.OFFICIAL),
    }


def recipe(compression: str, epochs: int | None, seed: int, notes: int, workers: int = RECIPE.workers) -> TrainConfig:
    """The training recipe for a compression; epochs by the number of notes, if not given."""
    epochs = epochs or min(MOST_EPOCHS, max(LEAST_EPOCHS, math.ceil(DRAWN / notes)))
    return replace(RECIPE, learning_rate=LEARNING_RATES[compression], epochs=epochs, seed=seed, workers=workers)


def augmentation() -> SpectralAugmentation:
    """What is done to the power spectrogram of every training note, drawn anew each time."""
    return SpectralAugmentation(MEL)


def family_shares(clips: Sequence[Clip]) -> np.ndarray:
    """Share [11] of each family in all of NSynth; of these notes, where their kinds are not known."""
    if all(nsynth.kind_of(clip) in nsynth.KIND_COUNTS for clip in clips):
        amounts = [sum(n for kind, n in nsynth.KIND_COUNTS.items() if kind.rpartition("_")[0] == family)
                   for family in nsynth.FAMILIES]  # fmt: skip
    else:
        amounts = np.maximum(np.bincount(labels_of(clips), minlength=len(nsynth.FAMILIES)), 1)
    return np.array(amounts) / sum(amounts)


def dataset(clips: Sequence[Clip]) -> ClipDataset:
    """Notes as waveforms of four seconds and one-hot families.

    Raises:
        InputError: they lie in an archive, which can only be read from front to back.
    """
    if is_archive(clips[0].path):
        raise InputError(f"{clips[0].path}: training reads notes in random order; unpack it with `tar -xzf` first")
    return ClipDataset(clips, len(nsynth.FAMILIES), nsynth.SAMPLE_RATE, nsynth.SECONDS)


def train(
    train_clips: Sequence[Clip], valid_clips: Sequence[Clip], config: TrainConfig, compression: str = "log",
    model: str = MODEL, run_dir: Path | None = None, mixup: bool = False, augmented: bool = True, **more: Any,
) -> Trained:  # fmt: skip
    """Train a model of `models.notes` on notes and move it from the families' shares that it saw to the official ones.

    `more` goes to the model's builder.
    """
    arguments = {"mel": asdict(replace(MEL, compression=compression)), **more}
    network = build(model, len(nsynth.FAMILIES), seed=config.seed, **arguments)
    history = fit(
        network, dataset(train_clips), dataset(valid_clips), config,
        batch_augment=Mixup() if mixup else None, power_augment=augmentation() if augmented else None,
        spec_augment=SpecAugment(), run_dir=run_dir,
    )  # fmt: skip
    drawn = np.bincount(labels_of(train_clips), minlength=len(nsynth.FAMILIES)) / len(train_clips)
    drawn = np.full(len(drawn), 1 / len(drawn)) if config.balanced else np.maximum(drawn, 1 / len(train_clips))
    add_priors(network.head, family_shares(train_clips).tolist(), drawn.tolist())
    return Trained(network, model, arguments, [curves(history)], config, list(train_clips))


def train_seeds(
    train_clips: Sequence[Clip], valid_clips: Sequence[Clip], config: TrainConfig, members: int,
    compression: str = "log", model: str = MODEL, run_dir: Path | None = None, mixup: bool = False,
) -> list[Trained]:  # fmt: skip
    """The same model from several seeds, counted up from the recipe's."""
    return [
        train(train_clips, valid_clips, replace(config, seed=seed), compression, model,
              run_dir / f"seed{seed}" if run_dir else None, mixup)
        for seed in range(config.seed, config.seed + members)
    ]  # fmt: skip


def ensemble(trained: Sequence[Trained], weights: Sequence[float] = ()) -> Trained:
    """One network that averages the log-probabilities of several, all alike without weights; one stays itself."""
    first = trained[0]
    if len(trained) == 1:
        return first
    members = [{"name": member.model, **member.arguments} for member in trained]
    weights = list(weights) or [1.0] * len(trained)
    histories = [history for member in trained for history in member.histories]
    network = Ensemble([member.network for member in trained], weights).eval()
    return replace(first, network=network, model="ensemble", arguments={"members": members, "weights": weights},
                   histories=histories)  # fmt: skip


def members_of(network: nn.Module) -> list[nn.Module]:
    """The single networks of an ensemble, or the network itself."""
    return list(network.members) if isinstance(network, Ensemble) else [network]


def logits_of(network: nn.Module, clips: Sequence[Clip]) -> np.ndarray:
    """Logits [clips, 11] of notes that must all be readable."""
    return predict_clips(network, clips, nsynth.SAMPLE_RATE, nsynth.SECONDS)


def checkpoint_of(trained: Trained, root: Path, command: str) -> Checkpoint:
    """The self-describing checkpoint, without scores as yet."""
    return checkpoint(
        nsynth.TASK, trained, nsynth.FAMILIES, nsynth.SAMPLE_RATE, nsynth.SECONDS, corpus="NSynth",
        label=nsynth.CORPUS.label(root, "train", len(trained.train)), scores={}, command=command,
    )  # fmt: skip


def weighted_scores(logits: np.ndarray, clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Top-1 and top-3 accuracy as all of NSynth would weight the kinds of notes, with intervals over instruments.

    What chooses networks, recipes and models, because the notes at hand are spread over other kinds than the test.
    Notes without an official name are weighted alike.
    """
    labels, (kinds, shares) = labels_of(clips), kinds_of(clips)
    return {
        f"top{k}": kind_weighted_accuracy(top_k_hits(logits, labels, k), kinds, groups(clips), shares) for k in (1, 3)
    }


def kinds_of(clips: Sequence[Clip]) -> tuple[np.ndarray, dict[str, int]]:
    """Kind (family_source) of every note [clips], and how frequent each kind is in all of NSynth."""
    kinds = np.array([nsynth.kind_of(clip) or "unknown" for clip in clips])
    known = any(nsynth.KIND_COUNTS.get(kind) for kind in kinds)
    return kinds, {kind: n for kind, n in nsynth.KIND_COUNTS.items() if n} if known else dict.fromkeys(kinds, 1)


def by_instrument(logits: np.ndarray, clips: Sequence[Clip]) -> tuple[dict[str, float], dict[str, int], float]:
    """Top-1 accuracy and number of notes of each instrument, and the overall accuracy."""
    hits, instruments = top_k_hits(logits, labels_of(clips), 1), groups(clips)
    return accuracy_by(instruments, hits), dict(Counter(instruments.tolist())), float(hits.mean())


def hardest(logits: np.ndarray, clips: Sequence[Clip], most: int = 3) -> list[tuple[str, str, int]]:
    """The commonest confusions as (true family, predicted family, notes)."""
    pairs = Counter(
        (nsynth.FAMILIES[true], nsynth.FAMILIES[predicted])
        for true, predicted in zip(labels_of(clips), predictions(logits), strict=True)
        if true != predicted
    )
    return [(true, predicted, n) for (true, predicted), n in pairs.most_common(most)]


def choose(clips: Sequence[Clip], instruments: str, pitches: str) -> tuple[list[Clip], list[str]]:
    """Notes of instruments (names, or families) at MIDI pitches, row by row, and messages about replaced ones.

    A family stands for its instrument that has most of the pitches; a pitch that an instrument lacks is replaced by
    the nearest that it has, a name that does not exist by the first instrument that is left.
    """
    wanted = [int(pitch) for pitch in pitches.split(",")]
    pitched: dict[str, list[Clip]] = {}
    for clip in clips:
        if nsynth.pitch_of(clip) is not None:
            pitched.setdefault(clip.group, []).append(clip)
    notes, messages = [], []
    for entry in (name.strip() for name in instruments.split(",")):
        free = sorted(pitched.keys() - {note.group for note in notes})
        matching = [name for name in free if name == entry or name.startswith(f"{entry}_")] or free
        if not matching:
            raise InputError(f"{entry}: no instrument with pitches is left; give fewer instruments")
        has = {name: len({nsynth.pitch_of(note) for note in pitched[name]} & set(wanted)) for name in matching}
        name = max(matching, key=has.get)  # of equals the first
        if not name.startswith(entry):
            messages.append(f"{entry}: no such instrument or family here, {name} takes its place")
        for pitch in wanted:
            notes.append(min(pitched[name], key=lambda note: (abs(nsynth.pitch_of(note) - pitch), note.name)))
            if (nearest := nsynth.pitch_of(notes[-1])) != pitch:
                messages.append(f"{name}: has no pitch {pitch}, {nearest} is nearest")
    return notes, messages


def fundamental(note: Clip) -> float:
    """Frequency in Hz of a note's pitch in equal temperament, A4 = 440 Hz."""
    return 440.0 * 2 ** ((nsynth.pitch_of(note) - 69) / 12)
