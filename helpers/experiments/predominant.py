"""The predominant instrument from few clips (notebook 05): transfer from phrases of NSynth notes.

An encoder that learned the NSynth families from phrases, mixed with each other and with other music, stays as it is; a
linear layer is solved on its embeddings of the clips, beside fixed statistics of their timbre. What is chosen for it is
chosen inside of the cross-validation that reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from helpers.augmentation.mixing import Background, MixAndUnite
from helpers.augmentation.spectral import SpecAugment
from helpers.augmentation.waveform import Compose, Equalise, Noise, Reverberate, Sometimes
from helpers.config import InputError, TrainConfig
from helpers.datasets import gtzan, irmas, nsynth
from helpers.datasets.base import Clip, groups
from helpers.datasets.mixtures import PhraseDataset
from helpers.evaluation.intervals import bootstrap
from helpers.experiments import irmas as study
from helpers.experiments.common import Trained, block_folds, labels_of
from helpers.experiments.irmas import ARGUMENTS, MEL, MODEL, TASK, checkpoint_of
from helpers.models import build
from helpers.models.base import AudioClassifier
from helpers.models.checkpoint import Checkpoint, load_checkpoint
from helpers.models.pooled import Standardise, discriminant
from helpers.training.fit import fit

TIMBRE_CNN = "timbre_cnn"
PHRASES = 5_000  # drawn once; altered anew in every epoch
NOTE_RECIPE = TrainConfig(
    epochs=6, batch_size=64, learning_rate=3e-3, loss="bce", balanced=False, monitor="loss", workers=1
)
SHRINKAGES = (0.2, 0.4, 0.6, 0.8)  # of the covariance of embeddings; chosen inside of the cross-validation
BLOCKS = 4  # folds, of neighbours
CONSTANT_VOICE = irmas.OFFICIAL_TEST_LABELS["voi"] / irmas.OFFICIAL["test"]  # share correct of always saying voice


def learn_from_notes(
    notes: Sequence[Clip], others: Sequence[Clip], background: Sequence[Clip], config: TrainConfig,
    phrases: int = PHRASES, run_dir: Path | None = None,
) -> AudioClassifier:  # fmt: skip
    """Train CNNVarTime to name the NSynth families in phrases; the best epoch is that on notes of `others`."""
    network = build(MODEL, len(nsynth.FAMILIES), seed=config.seed, **ARGUMENTS)
    train, valid = (
        PhraseDataset(part, len(nsynth.FAMILIES), MEL.sample_rate, irmas.SECONDS, n, seed)
        for part, n, seed in ((notes, phrases, config.seed), (others, max(8, phrases // 20), config.seed + 1))
    )
    behind = (Sometimes(0.6, Background(background, MEL.sample_rate)),) if background else ()
    augment = Compose((Sometimes(0.5, Reverberate()), Equalise(5.0), *behind, Sometimes(0.3, Noise())))
    fit(
        network, train, valid, config, augment=augment, spec_augment=SpecAugment(), run_dir=run_dir,
        batch_augment=MixAndUnite(voices=2, probability=0.5, level_db=(-12.0, 0.0)),
    )  # fmt: skip
    return network


def transfer(network: AudioClassifier, clips: Sequence[Clip], classes: Sequence[int]) -> tuple[AudioClassifier, float]:
    """A `timbre_cnn` with the encoder as it is, a layer solved for `classes` (indices of codes); and the shrinkage."""
    taken = build(TIMBRE_CNN, len(classes), **ARGUMENTS).eval()
    taken.encoder.mel.load_state_dict(network.frontend.state_dict())
    taken.encoder.cnn.load_state_dict(network.encoder.state_dict())
    embedding, labels = embeddings(taken, clips), torch.tensor([list(classes).index(clip.labels[0]) for clip in clips])
    shrinkage = choose_shrinkage(embedding, labels, block_folds(clips, BLOCKS), taken.encoder.widths)
    taken.head[-1] = solved(embedding, labels, taken.encoder.widths, shrinkage, len(classes))
    return taken, shrinkage


def embeddings(network: AudioClassifier, clips: Sequence[Clip]) -> torch.Tensor:
    """Embeddings [clips, D]; a clip is cut or padded to three seconds."""
    return torch.from_numpy(study.outputs(network.embed, study.dataset(clips)))


def solved(
    embedding: torch.Tensor, labels: torch.Tensor, widths: Sequence[int], shrinkage: float, n_classes: int
) -> nn.Linear:
    """Shrunken linear discriminant of embeddings [N, D], with their standardisation folded into its weights.

    `widths` are the sizes of the parts of an embedding, which count alike.
    """
    scale = Standardise(list(widths))
    scale.estimate(embedding)
    head = discriminant(scale(embedding), labels, n_classes, shrinkage)
    with torch.no_grad():
        head.weight.mul_(scale.weight / scale.spread)
        head.bias.sub_(head.weight @ scale.mean)
    return head


def fold_hits(
    embedding: torch.Tensor, labels: torch.Tensor, fold_of: np.ndarray, widths: Sequence[int], shrinkage: float | None
) -> np.ndarray:
    """For every clip whether the layer solved on the other folds names it, as floats [clips].

    Without a `shrinkage` it is chosen anew for each fold, by cross-validation inside of the others: what is reported.
    """
    hits, n_classes = np.zeros(len(labels)), int(labels.max()) + 1
    for fold in np.unique(fold_of):
        out = fold_of == fold
        chosen = shrinkage or choose_shrinkage(embedding[~out], labels[~out], fold_of[~out], widths)
        head = solved(embedding[~out], labels[~out], widths, chosen, n_classes)
        hits[out] = (head(embedding[out]).argmax(dim=1) == labels[out]).numpy()
    return hits


def choose_shrinkage(
    embedding: torch.Tensor, labels: torch.Tensor, fold_of: np.ndarray, widths: Sequence[int]
) -> float:
    """The value of SHRINKAGES with most hits in a cross-validation over the folds; of equals the smallest.

    With a single fold nothing can be chosen: the middle one.
    """
    if len(np.unique(fold_of)) < 2:
        return SHRINKAGES[len(SHRINKAGES) // 2]
    return max(SHRINKAGES, key=lambda value: fold_hits(embedding, labels, fold_of, widths, value).sum())


def validation_scores(taken: AudioClassifier, clips: Sequence[Clip]) -> dict[str, dict]:
    """Top-1 accuracy by nested cross-validation over blocks of neighbours, beside the majority."""
    _, labels = np.unique(labels_of(clips), return_inverse=True)
    folds = block_folds(clips, BLOCKS)
    hits = fold_hits(embeddings(taken, clips), torch.tensor(labels), folds, taken.encoder.widths, None)
    return {
        f"top1, nested over {BLOCKS} blocks of neighbours": bootstrap(np.mean, groups(clips), hits),
        "majority class": {"value": float(np.bincount(labels).max() / len(labels))},
    }


def train(root: Path, epochs: int, seed: int, run_dir: Path, command: str) -> Checkpoint:
    """`predominant train`: learn from the NSynth notes below `root`, transfer to the IRMAS clips there, cross-validate.

    Raises:
        InputError: `root` holds no NSynth or no IRMAS.
    """
    clips, notes = irmas.clips(root, "train"), nsynth.clips(root, "train")
    background = gtzan.tracks(root).clips if gtzan.CORPUS.found(root) else []
    config = replace(NOTE_RECIPE, seed=seed, epochs=epochs or NOTE_RECIPE.epochs)
    network = learn_from_notes(notes, nsynth.clips(root, "valid"), background, config, run_dir=run_dir)
    classes = sorted({clip.labels[0] for clip in clips})
    taken, shrinkage = transfer(network, clips, classes)
    return checkpoint_of(
        Trained(taken, TIMBRE_CNN, ARGUMENTS, [], config, clips), root, command, [irmas.CODES[c] for c in classes],
        scores=validation_scores(taken, clips), notes=len(notes), background=len(background), shrinkage=shrinkage,
    )  # fmt: skip


def spoken_predictions(audio: Path, checkpoint_path: Path) -> Iterator[str]:
    """`predominant`: ground truth and top prediction of each file, the running accuracy and the summary, as lines.

    Raises:
        InputError: nothing is there, or a file cannot be used.
    """
    paths = list(irmas.audio_files(audio)) if audio.is_dir() else [audio]
    if not paths:
        raise InputError(f"{audio}: holds no .wav or .flac file")
    checkpoint = load_checkpoint(checkpoint_path, TASK)
    network, truths, correct = checkpoint.network(), [], 0
    for number, path in enumerate(paths, start=1):
        scores, truth = study.excerpt_scores(checkpoint, network, path), irmas.ground_truth(path)
        top = irmas.CODES.index(checkpoint.classes[int(scores.argmax())]) if scores.any() else None
        yield f"🎵 {number}/{len(paths)} {path.name}"
        yield f"🎯 Ground truth: {', '.join(irmas.NAMES[label] for label in truth or ()) or 'unknown'}"
        silent = "none (silence has no predominant instrument)"
        yield f"🏆 Top prediction: {silent if top is None else f'{irmas.NAMES[top]} ({scores.max():.4f})'}"
        if truth:
            truths.append(truth)
            correct += top in truth
            yield f"📊 Evaluation: {'✅ CORRECT' if top in truth else '❌ INCORRECT'}"
            yield f"📈 Running accuracy: {correct}/{len(truths)} = {correct / len(truths):.1%}"
        yield ""
    yield "✅ Inference completed!\n"
    if truths:
        yield f"📊 Final accuracy: {correct}/{len(truths)} = {correct / len(truths):.1%}\n"
    yield f"🎯 FINAL SUMMARY\nTotal files processed: {len(paths)}\nFiles with ground truth: {len(truths)}"
    if truths:
        [(label, count)] = Counter(label for truth in truths for label in truth).most_common(1)
        yield f"Correct predictions: {correct} (the prediction is among the labels)"
        yield f"Overall accuracy: {correct / len(truths):.1%}"
        yield f"Best constant answer on these files: {irmas.NAMES[label]}, {count / len(truths):.1%}"
        yield f"Constant answer voice on the official test excerpts: {CONSTANT_VOICE:.1%}"
