"""The predominant instrument from few clips: a network that learnt from phrases of NSynth notes is taken over.

First the encoder learns the eleven NSynth families from phrases, mixed with each other and with a background of
other music. Then a linear layer for the instruments at hand is solved on its embeddings of the clips, beside fixed
statistics of their timbre.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from helpers.augmentation.batch import SpecAugment
from helpers.augmentation.mixing import Background, MixAndUnite
from helpers.augmentation.waveform import Compose, Equalise, Noise, Reverberate, Sometimes
from helpers.config import TrainConfig
from helpers.datasets import gtzan, irmas, nsynth
from helpers.datasets.base import Clip, ClipDataset, groups, split_by_group
from helpers.datasets.mixtures import PhraseDataset
from helpers.evaluation.intervals import bootstrap
from helpers.evaluation.results import versions
from helpers.experiments.common import places
from helpers.experiments.irmas import ARGUMENTS, MEL, MODEL, TASK, data_of
from helpers.models import build
from helpers.models.base import AudioClassifier
from helpers.models.checkpoint import Checkpoint
from helpers.models.pooled import Standardise, discriminant
from helpers.training.fit import fit

LISTENER = "timbre_cnn"
PHRASES = 5_000  # drawn once; altered anew in every epoch
NOTE_RECIPE = TrainConfig(
    epochs=6, batch_size=64, learning_rate=3e-3, loss="bce", balanced=False, monitor="loss", workers=1
)
SHRINKAGE = 0.6  # of the covariance of the embeddings; clips are far fewer than its dimensions
BLOCKS, SHUFFLES = 4, 10  # folds of the cross-validation; how often they are shuffled
BATCH = 32  # clips at a time
HELD_OUT = 0.12  # of the NSynth instruments, which choose the best epoch


def room_and_company(background: Sequence[Clip]) -> Compose:
    """Another room, another spectral balance, and other music behind."""
    steps = [Sometimes(0.5, Reverberate()), Equalise(5.0), Sometimes(0.3, Noise())]
    if background:
        steps.insert(2, Sometimes(0.6, Background(background, MEL.sample_rate)))
    return Compose(tuple(steps))


def learn_from_notes(
    notes: Sequence[Clip], background: Sequence[Clip], config: TrainConfig, phrases: int = PHRASES,
    run_dir: Path | None = None,
) -> AudioClassifier:
    """Train CNNVarTime to name the NSynth families in phrases; the best epoch is that on unheard instruments."""
    torch.manual_seed(config.seed)
    network = build(MODEL, len(nsynth.FAMILIES), **ARGUMENTS)
    known, unknown = split_by_group(notes, (1 - HELD_OUT, HELD_OUT), config.seed)
    train, valid = (
        PhraseDataset(part, len(nsynth.FAMILIES), MEL.sample_rate, irmas.SECONDS, n, seed)
        for part, n, seed in ((known, phrases, config.seed), (unknown, phrases // 20, config.seed + 1))
    )
    fit(
        network, train, valid, config, augment=room_and_company(background),
        batch_augment=MixAndUnite(voices=2, probability=0.5, level_db=(-12.0, 0.0)), spec_augment=SpecAugment(),
        run_dir=run_dir,
    )  # fmt: skip
    return network


def take_over(network: AudioClassifier, clips: Sequence[Clip], classes: Sequence[int]) -> AudioClassifier:
    """The encoder as it is beside statistics of timbre, and a linear layer for `classes` (indices of codes)."""
    taken = listener(network, len(classes))
    labels = torch.tensor([list(classes).index(clip.labels[0]) for clip in clips])
    taken.head[-1] = solved(embeddings(taken, clips), labels, len(classes), taken.encoder.widths)
    return taken.eval()


def listener(network: AudioClassifier, n_classes: int) -> AudioClassifier:
    """A `timbre_cnn` with front end and encoder of a CNNVarTime; its head knows nothing yet."""
    taken = build(LISTENER, n_classes, **ARGUMENTS)
    taken.encoder.mel.load_state_dict(network.frontend.state_dict())
    taken.encoder.cnn.load_state_dict(network.encoder.state_dict())
    return taken.eval()


def solved(embedding: torch.Tensor, labels: torch.Tensor, n_classes: int, widths: Sequence[int]) -> nn.Linear:
    """Shrunken linear discriminant of embeddings [N, D], with their standardisation folded into its weights.

    `widths` are the sizes of the parts of an embedding, which count alike.
    """
    scale = Standardise(list(widths))
    scale.estimate(embedding)
    head = discriminant(scale(embedding), labels, n_classes, SHRINKAGE)
    with torch.no_grad():
        head.weight.mul_(scale.weight / scale.spread)
        head.bias.sub_(head.weight @ scale.mean)
    return head


def embeddings(network: AudioClassifier, clips: Sequence[Clip]) -> torch.Tensor:
    """Embeddings [clips, D]; a clip is cut or padded to three seconds."""
    data, rows = ClipDataset(clips, len(irmas.CODES), MEL.sample_rate, irmas.SECONDS), []
    with torch.inference_mode():
        for start in tqdm(range(0, len(data), BATCH), desc="embeddings", disable=None):
            batch = [data.waveform(index) for index in range(start, min(start + BATCH, len(data)))]
            rows.append(network.embed(torch.from_numpy(np.stack(batch))))
    return torch.cat(rows).clone()


def folds_of(clips: Sequence[Clip], folds: int, seed: int | None = None) -> np.ndarray:
    """Fold [clips] of every clip: the groups of each class, cut to `folds` stretches of about the same size.

    In the order of their names if there is no seed: where recording ids are lost, neighbours, which may be of one
    recording, then mostly stay together. With a seed the groups are shuffled first.
    """
    fold_of: dict[str, int] = {}
    for label in sorted({clip.labels[0] for clip in clips}):
        members = sorted({clip.group for clip in clips if clip.labels[0] == label})
        if seed is not None:
            members = [str(group) for group in np.random.default_rng((seed, label)).permutation(members)]
        fold_of |= {group: number * folds // len(members) for number, group in enumerate(members)}
    return np.array([fold_of[clip.group] for clip in clips])


def cross_validate(
    embedding: torch.Tensor, labels: np.ndarray, fold_of: np.ndarray, n_classes: int, widths: Sequence[int]
) -> np.ndarray:
    """For every clip whether the layer solved on the other folds names it correctly, as floats [clips]."""
    hits = np.zeros(len(labels))
    for fold in np.unique(fold_of):
        out = fold_of == fold
        head = solved(embedding[~out], torch.tensor(labels[~out]), n_classes, widths)
        hits[out] = head(embedding[out]).argmax(dim=1).numpy() == labels[out]
    return hits


def validation_scores(taken: AudioClassifier, clips: Sequence[Clip], classes: Sequence[int]) -> dict[str, dict]:
    """Top-1 accuracy by cross-validation, in blocks of neighbours and in shuffled folds, beside the majority."""
    labels = np.array([list(classes).index(clip.labels[0]) for clip in clips])
    embedding = embeddings(taken, clips)

    def hits(seed: int | None) -> np.ndarray:
        fold_of = folds_of(clips, BLOCKS, seed)
        return cross_validate(embedding, labels, fold_of, len(classes), taken.encoder.widths)

    shuffled = np.mean([hits(seed) for seed in range(SHUFFLES)], axis=0)
    return {
        f"top1, {BLOCKS} blocks of neighbours": bootstrap(np.mean, groups(clips), hits(None)),
        f"top1, {BLOCKS} shuffled folds, mean of {SHUFFLES}": bootstrap(np.mean, groups(clips), shuffled),
        "majority class": {"value": float(np.bincount(labels).max() / len(labels))},
    }


def train(root: Path, epochs: int, seed: int, run_dir: Path, command: str) -> Checkpoint:
    """All of it: learn from the NSynth notes below `root`, take over to the IRMAS clips there, cross-validate.

    Raises:
        InputError: `root` holds no NSynth or no IRMAS.
    """
    clips = irmas.clips(root, "train")
    notes = nsynth.clips(root, "train") + nsynth.clips(root, "valid")
    background = gtzan.tracks(root).clips if places(root, "gtzan") else []
    config = replace(NOTE_RECIPE, seed=seed, epochs=epochs or NOTE_RECIPE.epochs)
    network = learn_from_notes(notes, background, config, run_dir=run_dir)
    classes = sorted({clip.labels[0] for clip in clips})
    taken = take_over(network, clips, classes)
    return Checkpoint(
        task=TASK, model=LISTENER, arguments=ARGUMENTS, classes=[irmas.CODES[label] for label in classes],
        sample_rate=MEL.sample_rate, seconds=irmas.SECONDS, state=taken.state_dict(),
        seed=seed, data=data_of(root, clips) | {"notes": len(notes), "background": len(background)},
        scores=validation_scores(taken, clips, classes), command=command, versions=versions(),
    )  # fmt: skip
