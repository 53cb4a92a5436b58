"""NSynth families: the notes, the recipe of the networks, one training, averages, and scores weighted by kinds.

The rules of the homework: no pretrained model, no extra data, test notes only to report. Notebooks 01 to 03.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from helpers.augmentation.mixing import Mixup
from helpers.augmentation.spectral import SpecAugment, SpectralAugmentation
from helpers.config import DataLabel, InputError, MelConfig, TrainConfig
from helpers.datasets import nsynth
from helpers.datasets.archives import is_archive
from helpers.datasets.base import Clip, ClipDataset, grouped_folds, groups, subset
from helpers.evaluation.results import Result
from helpers.evaluation.single import kind_weighted_accuracy, predictions, top_k_hits
from helpers.experiments import common
from helpers.experiments.common import Trained, labels_of
from helpers.models.notes import Ensemble, add_priors
from helpers.prediction.clips import predict_clips

MODEL = "compact_cnn"
MEL = MelConfig(n_fft=2048, hop_length=1024, n_mels=160, f_min=30.0, f_max=8_000.0)
DRAWN = 51_000  # notes that a training draws, but at least LEAST_EPOCHS and at most MOST_EPOCHS times each
LEAST_EPOCHS, MOST_EPOCHS = 2, 26
Scores = dict[str, dict[str, float]]  # metric -> "value", "low", "high"; or what is scored -> metric
RECIPE = TrainConfig(
    epochs=MOST_EPOCHS, batch_size=32, weight_decay=0.05, label_smoothing=0.1, balanced=True, select="last",
    monitor="loss", learning_rate=1.5e-3,  # that of all trials of the recipe on the pool; no other was tried so long
)  # fmt: skip


@dataclass(frozen=True)
class Notes:
    """The three splits."""

    root: Path
    train: list[Clip]
    valid: list[Clip]
    test: list[Clip]
    twins: int = 0  # training notes that are left out because they are in another split too

    def splits(self) -> dict[str, list[Clip]]:
        """The notes by the name of their split."""
        return {"train": self.train, "valid": self.valid, "test": self.test}

    def label(self, split: str) -> DataLabel:
        """What numbers on a split stand on: 'official', also where only its twins are left out, 'subset' or 'demo'."""
        count = len(self.splits()[split]) + (self.twins if split == "train" else 0)
        return nsynth.CORPUS.label(self.root, split, count)


def load_notes(root: Path, most: int = 10**9, seed: int = 0) -> Notes:
    """The splits below `root`: at most so many training and validation notes, no training note that is a twin."""
    train, valid, test = (nsynth.clips(root, split) for split in nsynth.OFFICIAL)
    kept = nsynth.without_twins(train, [*valid, *test])
    return Notes(root, subset(kept, most, seed), subset(valid, most, seed), test, len(train) - len(kept))


def about(notes: Notes) -> dict[str, dict]:
    """Notes by family and number of instruments of every split, and official sizes, as the report prints them."""
    return {
        "counts": {split: nsynth.family_counts(clips) for split, clips in notes.splits().items()},
        "instruments": {split: len(set(groups(clips))) for split, clips in notes.splits().items()},
        "official": dict(nsynth.OFFICIAL),
    }


def recipe(epochs: int | None, seed: int, notes: int, workers: int = RECIPE.workers) -> TrainConfig:
    """The training recipe; epochs by the number of notes, if not given."""
    epochs = epochs or min(MOST_EPOCHS, max(LEAST_EPOCHS, ceil(DRAWN / notes)))
    return replace(RECIPE, epochs=epochs, seed=seed, workers=workers)


def dataset(clips: Sequence[Clip]) -> ClipDataset:
    """Notes as waveforms of four seconds and one-hot families; an InputError if they lie in an archive."""
    if is_archive(clips[0].path):
        raise InputError(f"{clips[0].path}: notes are read in any order here; unpack it with `tar -xzf` first")
    return ClipDataset(clips, len(nsynth.FAMILIES), nsynth.SAMPLE_RATE, nsynth.SECONDS)


def train(
    train_clips: Sequence[Clip], valid_clips: Sequence[Clip], config: TrainConfig, compression: str = "log",
    model: str = MODEL, run_dir: Path | None = None, mixup: bool = False, augmented: bool = True, **more: Any,
) -> Trained:  # fmt: skip
    """Train a model (its builder is given `more`), and move it from the shares of families it saw to official ones."""
    arguments = {"mel": asdict(replace(MEL, compression=compression)), **more}
    trained = common.train(
        model, arguments, dataset(train_clips), dataset(valid_clips), config, batch_augment=Mixup() if mixup else None,
        power_augment=SpectralAugmentation(MEL) if augmented else None, spec_augment=SpecAugment(), run_dir=run_dir,
    )
    drawn = np.bincount(labels_of(train_clips), minlength=len(nsynth.FAMILIES)) / len(train_clips)
    drawn = np.full(len(drawn), 1 / len(drawn)) if config.balanced else np.maximum(drawn, 1 / len(train_clips))
    add_priors(trained.network.head, family_shares(train_clips).tolist(), drawn.tolist())
    return trained


def train_seeds(notes: Notes, config: TrainConfig, members: int, run_dir: Path, **how: Any) -> list[Trained]:
    """The same model from several seeds, counted up from the recipe's; `how` goes to `train`."""
    return [train(notes.train, notes.valid, replace(config, seed=seed), run_dir=run_dir / f"seed{seed}", **how)
            for seed in range(config.seed, config.seed + members)]  # fmt: skip


def ensemble(trained: Sequence[Trained], weights: Sequence[float] = ()) -> Trained:
    """One network that averages the log-probabilities of several, all alike without weights; one stays itself."""
    if len(trained) == 1:
        return trained[0]
    weights = list(weights) or [1.0] * len(trained)
    arguments = {"members": [{"name": one.model, **one.arguments} for one in trained], "weights": weights}
    network = Ensemble([one.network for one in trained], weights).eval()
    return replace(trained[0], network=network, model="ensemble", arguments=arguments,
                   histories=[history for one in trained for history in one.histories])  # fmt: skip


def members_of(network: nn.Module) -> list[nn.Module]:
    """The single networks of an ensemble, or the network itself."""
    return list(network.members) if isinstance(network, Ensemble) else [network]


def logits_of(network: nn.Module, clips: Sequence[Clip]) -> np.ndarray:
    """Logits [clips, 11] of notes that must all be readable."""
    return predict_clips(network, clips, nsynth.SAMPLE_RATE, nsynth.SECONDS)


def out_of_fold(
    clips: Sequence[Clip], folds: int, seed: int, predict: Callable[[int, np.ndarray, np.ndarray], np.ndarray]
) -> np.ndarray:
    """Scores [clips, …] of notes by models that were not given their instrument.

    `predict(fold, inside, outside)` fits to the notes of the mask `inside` [clips] and gives the scores of those
    `outside`. Folds keep instruments whole and spread the kinds.
    """
    fold_of = grouped_folds(kinds_of(clips)[0], groups(clips), folds, seed)
    found = np.concatenate([predict(fold, fold_of != fold, fold_of == fold) for fold in range(folds)])
    return found[np.argsort(np.argsort(fold_of, kind="stable"))]  # from the order of the folds to that of the notes


def kinds_of(clips: Sequence[Clip]) -> tuple[np.ndarray, dict[str, int]]:
    """Kind (family_source) of every note [clips], and how frequent each kind is in all of NSynth."""
    kinds = np.array([nsynth.kind_of(clip) or "unknown" for clip in clips])
    known = any(nsynth.KIND_COUNTS.get(kind) for kind in kinds)
    return kinds, {kind: n for kind, n in nsynth.KIND_COUNTS.items() if n} if known else dict.fromkeys(kinds, 1)


def family_shares(clips: Sequence[Clip]) -> np.ndarray:
    """Share [11] of each family in all of NSynth; of these notes, where their kinds are not known."""
    if set(kinds_of(clips)[0]) <= set(nsynth.KIND_COUNTS):
        amounts = [sum(n for kind, n in nsynth.KIND_COUNTS.items() if kind.rpartition("_")[0] == family)
                   for family in nsynth.FAMILIES]  # fmt: skip
    else:
        amounts = np.maximum(np.bincount(labels_of(clips), minlength=len(nsynth.FAMILIES)), 1)
    return np.array(amounts) / sum(amounts)


def weighted_scores(logits: np.ndarray, clips: Sequence[Clip], future: Mapping[str, int] | None = None) -> Scores:
    """Top-1 and top-3 accuracy as all of NSynth would weight the kinds of notes, with intervals over instruments.

    What chooses networks, recipes and models, because the notes at hand are spread over other kinds than the test.
    """
    return {f"top{k}": by_kind(top_k_hits(logits, labels_of(clips), k), clips, future) for k in (1, 3)}


def by_kind(hits: np.ndarray, clips: Sequence[Clip], future: Mapping[str, int] | None = None) -> dict[str, float]:
    """`kind_weighted_accuracy` of hits (or losses) [clips] by official kinds; notes without an official name alike."""
    kinds, shares = kinds_of(clips)
    return kind_weighted_accuracy(hits, kinds, groups(clips), shares, future=future)


def result(title: str, notes: Notes, logits: Mapping[str, np.ndarray], details: Mapping, **more: Any) -> Result:
    """The metrics file of systems that are scored on the test notes, by their logits [notes, 11]."""
    return common.single_label_result(
        title, "NSynth", notes.label("test"), notes.test, logits, nsynth.FAMILIES, notes.train,
        group_kind="instrument", used=(notes.train, notes.valid), details=about(notes) | details, **more,
    )  # fmt: skip


def accuracies(logits: np.ndarray, clips: Sequence[Clip], keys: np.ndarray | None = None) -> Scores:
    """Top-1 accuracy and number of the notes of each key (instrument, ...) [clips], or of each kind; sorted by key."""
    keys = kinds_of(clips)[0] if keys is None else keys
    hits = top_k_hits(logits, labels_of(clips), 1)
    return {str(key): {"top1": float(hits[keys == key].mean()), "n": int(sum(keys == key))} for key in np.unique(keys)}


def hardest(logits: np.ndarray, clips: Sequence[Clip], most: int = 3) -> list[tuple[str, str, int]]:
    """The commonest confusions as (true family, predicted family, notes)."""
    pairs = zip(labels_of(clips).tolist(), predictions(logits).tolist(), strict=True)
    wrong = Counter((nsynth.FAMILIES[true], nsynth.FAMILIES[found]) for true, found in pairs if true != found)
    return [(*pair, n) for pair, n in wrong.most_common(most)]


def choose(clips: Sequence[Clip], instruments: str, pitches: str) -> tuple[list[Clip], list[str]]:
    """Notes of instruments (names, or families) at MIDI pitches, row by row, and messages about replaced ones.

    A family stands for its instrument that has most of the pitches; a pitch that an instrument lacks is replaced by
    the nearest that it has, a name that does not exist by the first instrument that is left.
    """
    wanted, notes, messages, pitched = [int(pitch) for pitch in pitches.split(",")], [], [], defaultdict(dict)
    for clip in sorted(clips, key=lambda clip: clip.name, reverse=True):  # of several velocities the first counts
        if (pitch := nsynth.pitch_of(clip)) is not None:
            pitched[clip.group][pitch] = clip
    for entry in map(str.strip, instruments.split(",")):
        if not pitched:
            raise InputError(f"{entry}: no instrument with pitches is left; give fewer instruments")
        matching = [name for name in sorted(pitched) if f"{name}_".startswith(f"{entry}_")]
        name = max(matching or sorted(pitched), key=lambda name: len(pitched[name].keys() & set(wanted)))
        messages += [] if matching else [f"{entry}: no such instrument or family here, {name} takes its place"]
        has = pitched.pop(name)
        for pitch in wanted:
            nearest = min(has, key=lambda other: (abs(other - pitch), other))
            notes.append(has[nearest])
            messages += [] if nearest == pitch else [f"{name}: has no pitch {pitch}, {nearest} is nearest"]
    return notes, messages
