"""One readable line an epoch, and the history behind it."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field

import lightning as L
from lightning.pytorch.callbacks import EarlyStopping
from tqdm import tqdm

from helpers.training.module import COUNTERS


@dataclass(frozen=True)
class Epoch:
    """The numbers of one epoch; scores are in 0..1."""

    train_loss: float
    train_score: float
    valid_loss: float
    valid_score: float
    seconds: float


@dataclass
class History:
    """What `fit` returns: every epoch, and which one (from 0) the weights are of."""

    epochs: list[Epoch] = field(default_factory=list)
    best: int = 0

    def curve(self, name: str) -> list[float]:
        """One of the numbers of `Epoch` over all epochs."""
        return [getattr(epoch, name) for epoch in self.epochs]


class EpochLine(L.Callback):
    """Prints `[003/030] train loss/score | val loss/score | time` and keeps the history through a resume."""

    def __init__(self) -> None:
        self.epochs: list[Epoch] = []
        self.started = 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Training and validation of the epoch are over."""
        numbers = {name: float(trainer.callback_metrics[name]) for name in COUNTERS}
        epoch = Epoch(**numbers, seconds=time.perf_counter() - self.started)
        self.epochs.append(epoch)
        if trainer.is_global_zero:
            tqdm.write(
                f"[{trainer.current_epoch + 1:03d}/{trainer.max_epochs:03d}] "
                f"train {epoch.train_loss:.4f}/{epoch.train_score:.4f} | "
                f"val {epoch.valid_loss:.4f}/{epoch.valid_score:.4f} | time {epoch.seconds:.1f}s"
            )

    def state_dict(self) -> dict:
        """For the checkpoint that a run resumes from."""
        return {"epochs": [asdict(epoch) for epoch in self.epochs]}

    def load_state_dict(self, state: dict) -> None:
        """From the checkpoint that a run resumes from."""
        self.epochs = [Epoch(**numbers) for numbers in state["epochs"]]


class StaysStopped(EarlyStopping):
    """Early stopping that does not train on when a stopped run is started again."""

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """The state of a resumed run has been read."""
        trainer.should_stop = self.wait_count >= self.patience
