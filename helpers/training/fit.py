"""The one way to train a network: `fit(model, train, valid, TrainConfig) -> History`."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import lightning as L
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.strategies import DDPStrategy
from torch import nn

from helpers.config import TrainConfig, seed_everything
from helpers.models.base import channels_last
from helpers.training.loaders import Labelled, train_loader, valid_loader
from helpers.training.module import EpochLine, History, StaysStopped, TrainingModule


def fit(
    model: nn.Module,
    train: Labelled,
    valid: Labelled,
    config: TrainConfig,
    *,
    augment: Callable | None = None,
    batch_augment: Callable | None = None,
    spec_augment: Callable | None = None,
    run_dir: Path | None = None,
) -> History:
    """Train a recogniser; afterwards it holds the weights of its best validation epoch, on the CPU.

    Args:
        model: has `frontend`, `encoder` and `head`; maps [B, samples] to logits of the targets' shape.
        train: data set of (waveform, target) that also has `targets`.
        valid: the same, of other groups; decides when to stop and which epoch is best.
        config: the recipe.
        augment: (waveform [samples], numpy generator) -> waveform, in the workers, on training items.
        batch_augment: (waveforms [B, samples], targets) -> the same, on training batches, on the device.
        spec_augment: features -> features, behind the front end, on training batches.
        run_dir: where the state after each epoch is kept; a run that was killed goes on from there to the same
            weights as one that was not. None: nothing is kept.

    Started by `torchrun` with several processes it trains data-parallel (DDP).
    """
    if run_dir is None:
        with tempfile.TemporaryDirectory() as scratch:
            return fit(
                model,
                train,
                valid,
                config,
                augment=augment,
                batch_augment=batch_augment,
                spec_augment=spec_augment,
                run_dir=Path(scratch),
            )
    _quiet()
    channels_last(model).train()
    seed_everything(config.seed)
    torch.manual_seed(config.seed)
    module = TrainingModule(model, config, batch_augment, spec_augment)
    line, best, last = EpochLine(), _best(run_dir, config), Path(run_dir) / "last.ckpt"
    trainer = _trainer(run_dir, config, [line, *best])
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    loaders = train_loader(train, augment, config, rank, world), valid_loader(valid, config)
    loaders[0].sampler.set_epoch(_finished_epochs(last))  # workers read ahead before Lightning says the epoch
    trainer.fit(module, *loaders, ckpt_path=last if last.is_file() else None, weights_only=True)
    keeper = best[1]
    state = torch.load(keeper.best_model_path, map_location="cpu", weights_only=True)
    trainer.strategy.barrier()  # all have read it, before the process that owns a scratch folder removes it
    module.load_state_dict(state["state_dict"])
    model.cpu().eval()
    return History(line.epochs, state["epoch"])


def _finished_epochs(last: Path) -> int:
    return torch.load(last, map_location="cpu", weights_only=True)["epoch"] + 1 if last.is_file() else 0


def _best(run_dir: Path, config: TrainConfig) -> list[L.Callback]:
    """Early stopping, the best epoch's weights, and the state to resume from."""
    what = {"monitor": f"valid_{config.monitor}", "mode": "max" if config.monitor == "score" else "min"}
    return [
        StaysStopped(**what, patience=config.patience),
        ModelCheckpoint(run_dir, "best", **what, save_weights_only=True, enable_version_counter=False),
        ModelCheckpoint(run_dir, "last", save_top_k=1, monitor=None, enable_version_counter=False),
    ]


def _trainer(run_dir: Path, config: TrainConfig, callbacks: list[L.Callback]) -> L.Trainer:
    processes = int(os.environ.get("WORLD_SIZE", 1))
    local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    return L.Trainer(
        max_epochs=config.epochs,
        accelerator="auto",
        devices=local if processes > 1 else 1,
        num_nodes=processes // local,
        strategy=DDPStrategy(find_unused_parameters=config.freeze_epochs > 0) if processes > 1 else "auto",
        precision=trainer_precision(config),
        callbacks=callbacks,
        default_root_dir=run_dir,
        logger=False,
        num_sanity_val_steps=0,
        use_distributed_sampler=False,
        enable_model_summary=False,
        enable_progress_bar=sys.stdout.isatty(),
        deterministic="warn",
        gradient_clip_val=5.0,
    )


def trainer_precision(config: TrainConfig) -> str:
    """What Lightning calls the arithmetic of a recipe on this machine."""
    if config.precision == "32":
        return "32-true"
    if torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    able = torch.cpu.get_capabilities()
    return "bf16-mixed" if able.get("avx512_bf16") or able.get("amx_bf16") else "32-true"


def _quiet() -> None:
    """Silence Lightning's advice, which is not for the one who trains."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    for message in (
        ".*does not have many workers.*",
        ".*Checkpoint directory.*",
        ".*deterministic.*",
        ".*log_every.*",
        ".*LeafSpec.*",
        ".*persistent_workers.*",
        ".*isinstance.treespec.*",
    ):
        warnings.filterwarnings("ignore", message)
