"""What happens in a training step (augment, forward, loss) and after each epoch (a line, the history, the best)."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import EarlyStopping
from torch import nn
from torchmetrics import MeanMetric
from tqdm import tqdm

from helpers.config import InputError, TrainConfig
from helpers.training.recipes import LOSSES, optimizer, schedule

TIMED = (3, 13)  # batches of the first epoch between which the clock runs
WORTH_SAYING_S = 60.0
COUNTERS = ("train_loss", "train_score", "valid_loss", "valid_score")


def score(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """How good logits are, in 0..1.

    For [B, classes]: mean target mass on the highest-scoring class: accuracy for single-label clips, hit@1 for
    multi-label ones. For frames [B, frames, classes]: micro F1 of logits > 0 over what is known.
    """
    if logits.ndim == 2:
        return targets.gather(1, logits.argmax(dim=1, keepdim=True)).mean()
    known = ~torch.isnan(targets)
    predicted, true = (logits > 0) & known, (targets > 0.5) & known
    return 2 * (predicted & true).sum() / (predicted.sum() + true.sum()).clamp_min(1)


class TrainingModule(L.LightningModule):
    """A classifier under training; see `training.fit.fit` for the arguments."""

    def __init__(
        self, model: nn.Module, config: TrainConfig, batch_augment: Callable | None, power_augment: Callable | None,
        spec_augment: Callable | None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.model, self.config = model, config
        self.batch_augment, self.power_augment, self.spec_augment = batch_augment, power_augment, spec_augment
        # one NaN makes the mean NaN
        self.counters = nn.ModuleDict({name: MeanMetric(nan_strategy=math.nan) for name in COUNTERS})

    @property
    def frozen(self) -> bool:
        """Whether the encoder stays as it is in this epoch."""
        return self.current_epoch < self.config.freeze_epochs

    def configure_optimizers(self) -> dict:
        """Optimiser and step-wise schedule of the recipe."""
        chosen = optimizer(self.model, self.config)
        factor = schedule(chosen, self.config.schedule, int(self.trainer.estimated_stepping_batches))
        return {"optimizer": chosen, "lr_scheduler": {"scheduler": factor, "interval": "step"}}

    def on_train_epoch_start(self) -> None:
        """Seed what is drawn in the steps by (seed, epoch, rank), so that a resumed run draws the same."""
        torch.manual_seed(hash((self.config.seed, self.current_epoch, self.global_rank)) % 2**31)
        self.model.encoder.train(not self.frozen)
        if self.config.freeze_epochs and self.current_epoch == self.config.freeze_epochs:
            self.print(f"epoch {self.current_epoch + 1}: encoder unfrozen for fine-tuning")

    def training_step(self, batch: tuple, index: int) -> torch.Tensor:
        """Loss of one augmented batch."""
        waveforms, targets = batch
        if self.batch_augment is not None:
            waveforms, targets = self.batch_augment(waveforms, targets)
        frontend = self.model.frontend
        augmented = self.power_augment is not None
        features = frontend.augmented(waveforms, self.power_augment) if augmented else frontend(waveforms)
        if self.spec_augment is not None:
            features = self.spec_augment(features)
        with torch.set_grad_enabled(not self.frozen):
            embedding = self.model.encoder(features)
        share = self.config.label_smoothing
        learned = targets * (1 - share) + share / targets.shape[-1]
        return self._judge("train", self.model.head(embedding), learned, targets)

    def validation_step(self, batch: tuple, index: int) -> None:
        """Count loss and score of one validation batch."""
        waveforms, targets = batch
        self._judge("valid", self.model(waveforms), targets, targets)

    def on_validation_epoch_end(self) -> None:
        """Log the epoch's four numbers and start counting again; an InputError if a loss is not finite."""
        for name, counter in self.counters.items():
            if not counter.update_called:
                continue
            value = counter.compute()
            if not torch.isfinite(value):
                reason = f"{name} is {float(value)} in epoch {self.current_epoch + 1}"
                rate = self.config.learning_rate
                raise InputError(f"training: {reason}; lower the learning rate, which is {rate:g}")
            self.log(name, value, rank_zero_only=False)
            counter.reset()

    def _judge(self, side: str, logits: torch.Tensor, learned: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Count and return the loss against the targets that are learned; the score is against the given ones."""
        loss = LOSSES[self.config.loss](logits.float(), learned)
        self.counters[f"{side}_loss"].update(loss.detach(), len(targets))
        self.counters[f"{side}_score"].update(score(logits.detach().float(), targets), len(targets))
        return loss


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


class Epochs(L.Callback):
    """Prints `[003/030] train loss/score | val loss/score | time`; keeps history and chosen weights through a resume.

    `on_epoch` is called with the history so far after each epoch.
    """

    def __init__(self, config: TrainConfig, on_epoch: Callable[[History], None] | None = None) -> None:
        self.config, self.on_epoch = config, on_epoch
        self.history, self.weights = History(), {}
        self.started, self.clock = 0.0, 0.0

    def on_train_epoch_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Start the clock."""
        self.started = time.perf_counter()

    def on_train_batch_end(
        self, trainer: L.Trainer, module: L.LightningModule, outputs: object, batch: tuple, index: int
    ) -> None:
        """Say after a few batches how long all will take, if it is long."""
        if self.history.epochs or index not in TIMED:
            return
        before, self.clock = self.clock, time.perf_counter()
        batches = trainer.num_training_batches * trainer.max_epochs
        seconds = (self.clock - before) / (TIMED[1] - TIMED[0]) * batches
        if index == TIMED[1] and trainer.is_global_zero and seconds > WORTH_SAYING_S:
            tqdm.write(f"about {seconds / 60:.0f} min for {trainer.max_epochs} epochs, {batches} batches in all")

    def on_validation_end(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """Training and validation of the epoch are over."""
        numbers = {name: float(trainer.callback_metrics[name]) for name in COUNTERS}
        epoch = Epoch(**numbers, seconds=time.perf_counter() - self.started)
        self.history.epochs.append(epoch)
        curve = self.history.curve(f"valid_{self.config.monitor}")
        best = int(np.argmax(curve) if self.config.monitor == "score" else np.argmin(curve))
        self.history.best = len(curve) - 1 if self.config.select == "last" else best
        if self.history.best == len(curve) - 1:
            self.weights = {name: value.cpu().clone() for name, value in module.model.state_dict().items()}
        if trainer.is_global_zero:
            tqdm.write(
                f"[{trainer.current_epoch + 1:03d}/{trainer.max_epochs:03d}] "
                f"train {epoch.train_loss:.4f}/{epoch.train_score:.4f} | "
                f"val {epoch.valid_loss:.4f}/{epoch.valid_score:.4f} | time {epoch.seconds:.1f}s"
            )
            if self.on_epoch is not None:
                self.on_epoch(self.history)

    def state_dict(self) -> dict:
        """For the state that a run resumes from."""
        return {"history": asdict(self.history), "weights": self.weights}

    def load_state_dict(self, state: dict) -> None:
        """From the state that a run resumes from."""
        epochs = [Epoch(**numbers) for numbers in state["history"]["epochs"]]
        self.history, self.weights = History(epochs, state["history"]["best"]), state["weights"]


class StaysStopped(EarlyStopping):
    """Early stopping that does not train on when a stopped run is started again."""

    def on_train_start(self, trainer: L.Trainer, module: L.LightningModule) -> None:
        """The state of a resumed run has been read."""
        trainer.should_stop = self.wait_count >= self.patience
