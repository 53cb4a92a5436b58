"""The one way to train a network: `fit(model, train, valid, TrainConfig) -> History`."""

from __future__ import annotations

import logging
import os
import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.strategies import DDPStrategy
from torch import nn

from helpers.config import InputError, TrainConfig, seed_everything
from helpers.models.base import channels_last
from helpers.training.module import Epochs, History, StaysStopped, TrainingModule
from helpers.training.recipes import Labelled, loader, train_loader
from helpers.training.state import LAST, WholeFiles, finished_epochs, run_parts, state_folder


def fit(
    model: nn.Module, train: Labelled, valid: Labelled, config: TrainConfig, *, augment: Callable | None = None,
    batch_augment: Callable | None = None, power_augment: Callable | None = None,
    spec_augment: Callable | None = None, run_dir: Path | None = None,
    on_epoch: Callable[[History], None] | None = None,
) -> History:  # fmt: skip
    """Train a classifier; afterwards it holds the weights of its best epoch, or its last, on the CPU.

    Args:
        model: has `frontend`, `encoder` and `head`; maps [B, samples] to logits of the targets' shape.
        train: data set of (waveform, target) that also has `targets`.
        valid: the same, of other groups; decides when to stop and which epoch is best.
        config: the recipe.
        augment: (waveform [samples], numpy generator) -> waveform, in the workers, on training items.
        batch_augment: (waveforms [B, samples], targets) -> the same, on training batches, on the device.
        power_augment: power spectrograms [B, bins, frames] -> mel power [B, M, F], within the front end, on training
            batches.
        spec_augment: features -> features, behind the front end, on training batches.
        run_dir: where the state after each epoch is kept; a run that was killed goes on from there to the same
            weights as one that was not. A run that differs in recipe, model, data, augmentation or code begins anew
            in a folder of its own. None: nothing is kept.
        on_epoch: called with the history so far after each epoch, to draw it while training goes on.

    Started by `torchrun` with several processes it trains data-parallel (DDP). An InputError if there are too few
    clips, epochs or clips in a batch; a loss is not finite; a clip cannot be read; the state cannot be written.
    """
    for count, least, what in (
        (len(train), 2, "training clips"), (len(valid), 1, "validation clips"), (config.epochs, 1, "epochs"),
        (config.batch_size, 2, "clips in a batch"),
    ):  # fmt: skip
        if count < least:
            raise InputError(f"training: {count} {what}; give at least {least}")
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)  # its advice is not for the one who trains
    topics = "many workers|Checkpoint directory|deterministic|log_every|LeafSpec|persistent_workers|treespec|sync_dist"
    warnings.filterwarnings("ignore", f".*({topics})")
    channels_last(model).train()
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    folder, done = None, 0
    if run_dir is not None:
        augmentations = augment, batch_augment, power_augment, spec_augment
        parts = run_parts(model, (train, valid), config, augmentations, world)
        folder = state_folder(run_dir, parts, speaks=rank == 0)
        done = finished_epochs(folder / LAST)
    seed_everything(config.seed)
    module = TrainingModule(model, config, batch_augment, power_augment, spec_augment)
    epochs = Epochs(config, on_epoch)
    trainer = _trainer(folder, config, epochs, world)
    loaders = train_loader(train, augment, config, rank, world), loader(valid, config, config.batch_size)
    loaders[0].sampler.set_epoch(done)  # workers read ahead before Lightning says the epoch
    _run(trainer, module, loaders, folder / LAST if done else None)
    model.load_state_dict(trainer.strategy.broadcast(epochs.weights))
    model.cpu().eval()
    return epochs.history


def _run(trainer: L.Trainer, module: TrainingModule, loaders: tuple, kept: Path | None) -> None:
    """Lightning's loop; what goes wrong in it comes out as it would without Lightning and worker processes."""
    try:
        trainer.fit(module, *loaders, ckpt_path=kept, weights_only=True)
    except SystemExit as stop:
        if not isinstance(stop.__context__, KeyboardInterrupt):
            raise
        signal.signal(signal.SIGINT, signal.default_int_handler)  # Lightning ignores Ctrl-C from the first one on
        raise KeyboardInterrupt from None
    except InputError as error:
        message = str(error).rpartition(f"{InputError.__module__}.InputError: ")[2]  # a worker adds its traceback
        raise InputError(message.removesuffix("\\n")) from None


def _trainer(folder: Path | None, config: TrainConfig, epochs: Epochs, world: int) -> L.Trainer:
    local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    callbacks: list[L.Callback] = [epochs]
    if config.select == "best":
        mode = "max" if config.monitor == "score" else "min"
        callbacks.append(StaysStopped(f"valid_{config.monitor}", mode=mode, patience=config.patience))
    if folder:
        name = Path(LAST).stem
        callbacks.append(ModelCheckpoint(folder, name, save_top_k=1, monitor=None, enable_version_counter=False))
    return L.Trainer(
        max_epochs=config.epochs, gradient_clip_val=5.0, deterministic="warn", precision=trainer_precision(),
        accelerator="auto", devices=local if world > 1 else 1, num_nodes=world // local,
        strategy=DDPStrategy(find_unused_parameters=config.freeze_epochs > 0) if world > 1 else "auto",
        callbacks=callbacks, plugins=[WholeFiles()], enable_checkpointing=folder is not None, logger=False,
        num_sanity_val_steps=0, use_distributed_sampler=False, enable_model_summary=False,
        enable_progress_bar=sys.stdout.isatty(),
    )  # fmt: skip


def trainer_precision() -> str:
    """What Lightning calls the arithmetic of this machine: mixed where the GPU or the processor computes in it."""
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    able = torch.cpu.get_capabilities()
    return "bf16-mixed" if able.get("avx512_bf16") or able.get("amx_bf16") else "32-true"
