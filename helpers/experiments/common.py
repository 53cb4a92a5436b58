"""What all experiments share: the data they stand on, the recorded command, scores, the result and the checkpoint."""

import os
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from helpers.config import DATA, ROOT, DataLabel, InputError, TrainConfig
from helpers.datasets import corpus
from helpers.datasets.base import Clip, clips_fingerprint, data_label, groups
from helpers.evaluation import bootstrap, score_text
from helpers.evaluation.results import Result, versions
from helpers.evaluation.single import confusion_matrix, majority_baseline, predictions, top_k_hits
from helpers.files import fingerprint
from helpers.models import build
from helpers.models.checkpoint import Checkpoint
from helpers.training.fit import fit
from helpers.training.module import History
from helpers.training.recipes import Labelled

CURVES = ("train_loss", "train_score", "valid_loss", "valid_score")
SLIDES = "Dahan and Hefetz, Instrument recognition in music, course slides"
PUBLISHED: dict[str, tuple[float, str]] = {  # figures of others: (value, where it stands)
    "NSynth top-1, best published": (0.75, "Wang et al., Learning universal audio representations, ICASSP 2022"),
    "NSynth top-1, other published": (0.70, "MULE, MERT and MusicCNN, as the homework cites them (NTU, Lee 2024)"),
    "IRMAS hit@1, model 1.0": (0.15, SLIDES),
    "IRMAS hit@1, model 2.3": (1463 / 2874, SLIDES),
}


@dataclass(frozen=True)
class Trained:
    """A network after training, and what it was trained with."""

    network: nn.Module
    model: str  # name and arguments build the network again
    arguments: dict[str, Any]
    histories: list[dict[str, list[float]]]  # of each network that is in it
    config: TrainConfig
    train: list[Clip]
    thresholds: tuple[float, ...] = ()  # multi-label tasks only
    validation: Mapping[str, float] | None = None  # scores on what chose epoch and thresholds


def train(
    model: str, arguments: dict[str, Any], train: Labelled, valid: Labelled, config: TrainConfig, *,
    encoder: Mapping | None = None, keep: Sequence[str] = CURVES, **how: Any,
) -> Trained:  # fmt: skip
    """Build a network, with weights of its `encoder` from elsewhere if given, and `fit` it; `how` goes to `fit`."""
    network = build(model, train.targets.shape[1], seed=config.seed, **arguments)
    if encoder:
        network.encoder.load_state_dict(encoder)
    history = fit(network, train, valid, config, **how)
    return Trained(network, model, arguments, [curves(history, keep)], config, getattr(train, "clips", []))


def data_root(name: str, root: str | Path = "", budget: str = "quick") -> Path:
    """`root`, or else `data/`, if the corpus and its test data are there; an InputError if `root` is no folder.

    Otherwise the generated corpora, as large as the budget wants, which are made when they are missing.
    """
    if root and not Path(root).is_dir():
        raise InputError(f"{root}: no such folder; --data-root is the folder that holds nsynth/, irmas/ and so on")
    if corpus(name).can_be_scored(real := Path(root or DATA)):
        return real
    from helpers.demo import build

    return build.ensure("tiny" if budget == "smoke" else "small")


def kind(root: Path) -> str:
    """How a data root is spoken of: generated or real."""
    return "generated (demo)" if data_label(root, n=0, official_n=1) == "demo" else "real"


def listing(root: Path, name: str) -> list[tuple[str, int]]:
    """Relative name and size in bytes of every file of a corpus, sorted: changes when the corpus does."""
    tops = corpus(name).found(root)
    files = (path for top in tops for path in ([top] if top.is_file() else top.rglob("*")) if path.is_file())
    return sorted((path.relative_to(root).as_posix(), path.stat().st_size) for path in files)


def command_line(*words: str, **options: Any) -> str:
    """The command that does again what ran, as it is typed in the project's folder: `words`, then every option.

    True is a flag; False, None and "" are left out; a list repeats its option.

    >>> command_line("nsynth", "train", data_root="my data", seed=0, mixup=True)
    "python -m helpers nsynth train --data-root 'my data' --seed 0 --mixup"
    """
    parts = ["python", "-m", "helpers", *words]
    for name, value in options.items():
        for one in value if isinstance(value, list | tuple) else [value]:
            if one is True:
                parts.append(f"--{name.replace('_', '-')}")
            elif one is not None and one is not False and one != "":
                parts += [f"--{name.replace('_', '-')}", seen_from_root(one) if isinstance(one, Path) else str(one)]
    return shlex.join(parts)


def seen_from_root(path: str | Path) -> str:
    """A path as it is typed in the project's folder."""
    try:
        return Path(os.path.relpath(path, ROOT)).as_posix()
    except ValueError:  # another drive of Windows
        return Path(path).resolve().as_posix()


def command(notebook: str, root: str | Path, budget: str) -> str:
    """The command that runs a notebook, by its number, on a data root again."""
    return command_line("run", only=notebook, data_root=Path(root) if root else "", budget=budget)


def labels_of(clips: Sequence[Clip]) -> np.ndarray:
    """Class index [clips] of clips with one label each."""
    return np.array([clip.labels[0] for clip in clips])


def scores_of(logits: np.ndarray, clips: Sequence[Clip]) -> dict[str, dict[str, float]]:
    """Top-1 and top-3 accuracy of scores [clips, classes] with intervals over the clips' groups."""
    hits = {f"top{k}": top_k_hits(logits, labels_of(clips), k).astype(float) for k in (1, 3)}
    return {name: bootstrap(np.mean, groups(clips), values) for name, values in hits.items()}


def sentence(what: str, scores: Mapping[str, Mapping[str, float]]) -> str:
    """Top-1 and top-3 with intervals as one line."""
    texts = (f"{name.replace('top', 'top-')} {score_text(score, percent=True)}" for name, score in scores.items())
    return f"{what}: {', '.join(texts)}"


def real_clips(name: str, root: str | Path) -> list[Clip]:
    """Training clips of a corpus below a given data root, if every class there has groups enough to leave some out."""
    if not root or not corpus(name).found(Path(root)):
        return []
    clips = corpus(name).clips(Path(root), "train")
    groups_of = Counter(label for label, _ in {(clip.labels[0], clip.group) for clip in clips})
    return clips if min(groups_of.values()) > 2 else []


def block_folds(clips: Sequence[Clip], folds: int) -> np.ndarray:
    """Fold [clips] of every clip: the groups of each class, in the order of their names, cut to `folds` stretches.

    Where recording ids are lost, neighbours, which may be of one recording, then mostly stay together.
    """
    fold_of: dict[str, int] = {}
    for label in sorted({clip.labels[0] for clip in clips}):
        members = sorted({clip.group for clip in clips if clip.labels[0] == label})
        fold_of |= {group: number * folds // len(members) for number, group in enumerate(members)}
    return np.array([fold_of[clip.group] for clip in clips])


def split_by_fold(
    clips: Sequence[Clip], fold_of: np.ndarray, fold: int
) -> tuple[list[Clip], list[Clip], list[Clip]]:
    """Clips that are trained on, those that choose (the fold after), and those of the fold that is left out."""
    place = (fold_of - fold) % (int(fold_of.max()) + 1)
    return tuple([clips[index] for index in np.flatnonzero(part)] for part in (place > 1, place == 1, place == 0))


def curves(history: History, names: Sequence[str] = CURVES) -> dict[str, list[float]]:
    """Loss and score of every epoch, as plain lists."""
    return {name: history.curve(name) for name in names}


def data_fingerprint(*parts: Sequence[Clip]) -> str:
    """Digest of the lists of clips that a result stands on: those used for it, then those that are scored."""
    return fingerprint(clips_fingerprint(part) for part in parts)


def result(
    title: str, corpus: str, data: DataLabel, clips: Sequence[Clip], scores: Mapping, *,
    used: Sequence[Sequence[Clip]] = (), budget: str = "full", **more: Any,
) -> Result:  # fmt: skip
    """The metrics file of an experiment: n, groups and part of the fingerprint are those of the scored `clips`.

    `used` are lists of clips that were trained on or chose something. `scores` map system -> metric -> {"value",
    "low", "high"}; `more` are the other fields of `Result`: group_kind, baselines, command, seed, details and so on.
    """
    return Result(title=title, corpus=corpus, data=data, n=len(clips), groups=len(set(groups(clips))), budget=budget,
                  fingerprint=data_fingerprint(*used, clips), scores=dict(scores), **more)  # fmt: skip


def single_label_result(
    title: str, corpus: str, data: DataLabel, clips: Sequence[Clip], logits: Mapping[str, np.ndarray],
    classes: Sequence[str], train: Sequence[Clip], **more: Any,
) -> Result:  # fmt: skip
    """`result` of systems that name one class: scores, majority baseline and confusion matrices from their logits."""
    labels, found = labels_of(clips), {name: scores_of(values, clips) for name, values in logits.items()}
    confusion = {name: confusion_matrix(labels, predictions(values), len(classes)).tolist()
                 for name, values in logits.items()}  # fmt: skip
    return result(title, corpus, data, clips, found, classes=list(classes), confusion=confusion,
                  baselines={"majority class": majority_baseline(labels_of(train), labels)}, **more)  # fmt: skip


def training_data(corpus: str, label: str, clips: Sequence[Clip]) -> dict[str, Any]:
    """What a model says of the clips that it was trained on."""
    return {"corpus": corpus, "label": label, "n": len(clips), "fingerprint": clips_fingerprint(clips)}


def checkpoint(
    task: str, trained: Trained, classes: Sequence[str], sample_rate: int, seconds: float, *, corpus: str,
    label: str, scores: Mapping, command: str, **data: Any,
) -> Checkpoint:  # fmt: skip
    """The self-describing checkpoint of a training, its recipe as it ran under `data["recipe"]`."""
    about = training_data(corpus, label, trained.train)
    return Checkpoint(
        task=task, model=trained.model, arguments=trained.arguments, classes=list(classes), sample_rate=sample_rate,
        seconds=seconds, state=trained.network.state_dict(), thresholds=list(trained.thresholds),
        seed=trained.config.seed, data=about | {"recipe": asdict(trained.config)} | data, scores=dict(scores),
        history=trained.histories, command=command, versions=versions(),
    )  # fmt: skip
