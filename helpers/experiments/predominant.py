"""The predominant instrument from few clips (notebook 05): a linear classifier of statistics, with help from notes.

A dozen clips a class train no network. A logistic regression weighs statistics of every clip, as it is, in other rooms,
at other pitches and behind other music; a second one learned the same instruments from phrases of NSynth notes. Their
sum is one layer. What is chosen is chosen inside of the cross-validation that reports.

Axis letters: n clips, K copies of each (the first is the clip itself), D statistics, C classes, m phrases.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from helpers.augmentation.mixing import Background
from helpers.augmentation.waveform import Augmentation, Compose, Equalise, Resample, Reverberate, Sometimes
from helpers.config import InputError
from helpers.datasets import gtzan, irmas
from helpers.datasets.base import Clip
from helpers.datasets.mixtures import PhraseDataset, playing
from helpers.evaluation import bootstrap
from helpers.experiments import irmas as study
from helpers.experiments.common import Trained, block_folds, labels_of
from helpers.experiments.irmas import TASK, checkpoint_of
from helpers.experiments.nsynth import load_notes
from helpers.features.timbre import SAMPLE_RATE, InstrumentStatistics, columns_of
from helpers.models import build
from helpers.models.base import AudioClassifier
from helpers.models.checkpoint import Checkpoint, load_checkpoint
from helpers.models.linear import Layer, logistic
from helpers.prediction.clips import CORES, batches, infer

MODEL = "instrument_statistics"
FOLDS = 4  # blocks of neighbours
SNR_DB = (0.0, 14.0)  # of a clip over other music
CROPPED = 2 / 3  # share of a clip that is left
OPTIMISTIC = "a little optimistic, since the candidates were proposed after scores of such clips had been seen"
NOTES_C = 0.16  # of the regression on phrases, over their number
CONSTANT_VOICE = irmas.OFFICIAL_TEST_LABELS["voi"] / irmas.OFFICIAL["test"]  # share correct of always saying voice


@dataclass(frozen=True)
class Recipe:
    """How large the training is, and what is chosen: which statistics count, how freely, and the share of the notes."""

    seed: int = 0
    copies: int = 6  # of every clip and kind
    phrases: int = 1_600
    blocks: tuple[str, ...] = ("",)  # beginnings of the names of blocks
    C: float = 0.5  # of the regression, where a clip and its copies weigh 1
    notes: float = 1.0


LASTING = ("cepstrum mean", "cepstrum spread", "cepstrum loud", "cepstrum speed", "loudness", "flux", "contrast",
           "harmonics", "between", "pitch", "movement", "vibrato", "texture")  # fmt: skip
CANDIDATES = {"blocks": (("",), LASTING), "C": (0.15, 0.5, 1.5), "notes": (0.0, 0.5, 1.0)}


@dataclass(frozen=True)
class Table:
    """Statistics of clips and their altered copies, and of phrases."""

    statistics: np.ndarray  # [n, K, D]
    stressed: slice  # of the K: copies in other rooms and keys, or behind other music
    labels: np.ndarray  # [n]
    fold_of: np.ndarray  # [n]
    phrases: np.ndarray  # [m, D]
    families: np.ndarray  # class that a phrase stands for [m]
    n_classes: int

    def where(self, chosen: np.ndarray) -> Table:
        """Some of the clips, all phrases."""
        return replace(self, statistics=self.statistics[chosen], labels=self.labels[chosen],
                       fold_of=self.fold_of[chosen])  # fmt: skip

    @property
    def stretch(self) -> np.ndarray:
        """Neighbours [n] of one class in one fold, which may be of one recording where its id is lost: the groups."""
        return self.labels * FOLDS + self.fold_of


def measure(root: Path, clips: Sequence[Clip], recipe: Recipe, notes_root: Path) -> Table:
    """Statistics of clips in altered copies, over GTZAN where it is below `root`, and of phrases of NSynth notes."""
    behind = gtzan.tracks(root).clips if gtzan.CORPUS.found(root) else []
    data, kinds = study.dataset(clips), alterations(behind)
    waves = [data.waveform(number) for number in range(len(clips))]
    columns = [statistics(waves)]
    for name, number in product(kinds, range(recipe.copies)):
        rngs = (np.random.default_rng((recipe.seed, number, index, *name.encode())) for index in range(len(waves)))
        columns.append(statistics(map(kinds[name], waves, rngs)))
    classes, labels = np.unique(labels_of(clips), return_inverse=True)
    notes, codes = load_notes(notes_root), [irmas.CODES[label] for label in classes]
    phrases = PhraseDataset(playing(notes.train + notes.valid, codes), len(codes), SAMPLE_RATE, irmas.SECONDS,
                            recipe.phrases, recipe.seed)  # fmt: skip
    mixed = (Sometimes(0.5, Background(behind, SAMPLE_RATE, SNR_DB)),) if behind else ()
    alter = Compose((Sometimes(0.6, Reverberate((0.1, 0.6))), Equalise(4.0), *mixed))
    played = (alter(phrases[n][0], np.random.default_rng((recipe.seed, n, 1))) for n in range(len(phrases)))
    return Table(np.stack(columns, axis=1), slice(1, 1 + (len(kinds) - 1) * recipe.copies), labels,
                 block_folds(clips, FOLDS), statistics(played), phrases.targets.argmax(axis=1), len(codes))  # fmt: skip


def alterations(behind: Sequence[Clip]) -> dict[str, Augmentation]:
    """Ways to alter a clip by name; the last is a crop, which the scores of altered copies leave out."""
    other, room = Equalise(4.0), Sometimes(0.5, Reverberate((0.1, 0.6)))
    mixed = {"mix": Compose((other, Background(behind, SAMPLE_RATE, SNR_DB)))} if behind else {}
    return {"tone": Compose((Resample(3.0, repeat=True), other, room)), **mixed, "crop": Compose((crop, other))}


def crop(wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A stretch of a clip."""
    length = round(CROPPED * len(wave))
    start = int(rng.integers(len(wave) - length + 1))
    return wave[start : start + length]


def statistics(waves: Iterable[np.ndarray]) -> np.ndarray:
    """[waves, D] of equally long waveforms."""
    return np.concatenate(list(infer(InstrumentStatistics(), batches(waves, 8), np.stack, workers=CORES)))


def layer_of_notes(table: Table) -> Layer:
    """What phrases of notes tell."""
    return logistic(table.phrases, table.families, table.n_classes, NOTES_C / len(table.phrases))


def layer_of_clips(table: Table, recipe: Recipe) -> Layer:
    """What clips and their altered copies tell; a clip weighs as much as all of its copies, both together 1."""
    n, copies, width = table.statistics.shape
    weight = np.tile([0.5, *[0.5 / (copies - 1)] * (copies - 1)], n)
    return logistic(table.statistics.reshape(-1, width), table.labels.repeat(copies), table.n_classes, recipe.C,
                    columns_of(*recipe.blocks), weight)  # fmt: skip


def loss(logits: np.ndarray, labels: np.ndarray, stressed: slice) -> float:
    """Mean log loss of logits [n, K, C], half of it that of the clips, half that of their stressed copies."""
    each = -np.take_along_axis(log_softmax(logits, axis=2), labels[:, None, None], axis=2)[:, :, 0]  # [n, K]
    return float(each[:, 0].mean() + each[:, stressed].mean()) / 2


def choose(table: Table, notes: Layer, recipe: Recipe) -> Recipe:
    """The recipe with those `CANDIDATES` that have the lowest loss in a cross-validation over the folds of `table`.

    With a single fold nothing can be chosen: the recipe as it is.
    """
    folds, found = np.unique(table.fold_of), {}
    for blocks, C in product(CANDIDATES["blocks"], CANDIDATES["C"]) if len(folds) > 1 else ():
        one, layers = replace(recipe, blocks=blocks, C=C), []
        for fold in folds:
            inside, out = table.where(table.fold_of != fold), table.where(table.fold_of == fold)
            layers.append((layer_of_clips(inside, one), out))
        for share in CANDIDATES["notes"]:
            losses = [loss(clips.plus(notes, share)(out.statistics), out.labels, out.stressed) for clips, out in layers]
            mean = np.average(losses, weights=[len(out.labels) for _, out in layers])
            found[replace(one, notes=share)] = mean
    return min(found, key=found.get, default=recipe)


def nested(table: Table, recipe: Recipe) -> np.ndarray:
    """Logits [n, K, C] of every clip and its copies, of layers chosen and fitted on the other folds."""
    notes, logits = layer_of_notes(table), np.zeros((*table.statistics.shape[:2], table.n_classes))
    for fold in np.unique(table.fold_of):
        inside, out = table.where(table.fold_of != fold), table.fold_of == fold
        chosen = choose(inside, notes, recipe)
        logits[out] = layer_of_clips(inside, chosen).plus(notes, chosen.notes)(table.statistics[out])
    return logits


def network_of(table: Table, recipe: Recipe) -> tuple[AudioClassifier, Recipe]:
    """The network of all clips, and what was chosen for it by cross-validation over their folds."""
    notes = layer_of_notes(table)
    chosen = choose(table, notes, recipe)
    network = build(MODEL, table.n_classes)
    network.head.fill(layer_of_clips(table, chosen).plus(notes, chosen.notes))
    return network, chosen


def nested_scores(table: Table, logits: np.ndarray) -> dict[str, dict[str, float]]:
    """Top-1 accuracy of clips and of stressed copies, with intervals over stretches of neighbours; the majority."""
    hits = logits.argmax(axis=2) == table.labels[:, None]  # [n, K]
    plain, stressed = hits[:, 0].astype(float), hits[:, table.stressed].mean(axis=1)
    return {
        f"top1, nested over {FOLDS} blocks of neighbours ({OPTIMISTIC})": bootstrap(np.mean, table.stretch, plain),
        "top1 in other rooms, keys and behind music": bootstrap(np.mean, table.stretch, stressed),
        "majority class": {"value": float(np.bincount(table.labels).max() / len(table.labels))},
    }


def train(root: Path, seed: int, command: str) -> Checkpoint:
    """`predominant train`: cross-validate on the IRMAS clips below `root`, fit to all, with the NSynth notes there."""
    clips, recipe = irmas.clips(root, "train"), Recipe(seed)
    table = measure(root, clips, recipe, root)
    network, chosen = network_of(table, recipe)
    codes = [irmas.CODES[label] for label in np.unique(labels_of(clips))]
    return checkpoint_of(Trained(network, MODEL, {}, [], chosen, clips), root, command, codes,
                         scores=nested_scores(table, nested(table, recipe)))  # fmt: skip


def spoken_predictions(audio: Path, checkpoint_path: Path) -> Iterator[str]:
    """`predominant`: ground truth and top prediction of each file, the running accuracy and the summary, as lines."""
    paths = list(irmas.audio_files(audio)) if audio.is_dir() else [audio]
    if not paths:
        raise InputError(f"{audio}: holds no .wav or .flac file")
    checkpoint = load_checkpoint(checkpoint_path, TASK)
    network, truths, correct = checkpoint.network(), [], 0
    for number, path in enumerate(paths, start=1):
        scores, truth = study.excerpt_scores(checkpoint, network, path), irmas.ground_truth(path)
        top = irmas.CODES.index(checkpoint.classes[int(scores.argmax())]) if scores.any() else None
        silent = "none (silence has no predominant instrument)"
        yield f"🎵 {number}/{len(paths)} {path.name}"
        yield f"🎯 Ground truth: {', '.join(irmas.NAMES[label] for label in truth or ()) or 'unknown'}"
        yield f"🏆 Top prediction: {silent if top is None else f'{irmas.NAMES[top]} ({scores.max():.4f})'}"
        if truth:
            truths.append(truth)
            correct += top in truth
            accuracy = f"{correct}/{len(truths)} = {correct / len(truths):.1%}"
            yield f"📊 Evaluation: {'✅ CORRECT' if top in truth else '❌ INCORRECT'}"
            yield f"📈 Running accuracy: {accuracy}"
        yield ""
    yield "✅ Inference completed!\n" + (f"\n📊 Final accuracy: {accuracy}\n" if truths else "")
    yield f"🎯 FINAL SUMMARY\nTotal files processed: {len(paths)}\nFiles with ground truth: {len(truths)}"
    if truths:
        [(label, count)] = Counter(label for truth in truths for label in truth).most_common(1)
        yield f"Correct predictions: {correct} (the prediction is among the labels)"
        yield f"Overall accuracy: {correct / len(truths):.1%}"
        yield f"Best constant answer on these files: {irmas.NAMES[label]}, {count / len(truths):.1%}"
        yield f"Constant answer voice on the official test excerpts: {CONSTANT_VOICE:.1%}"
