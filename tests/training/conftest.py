"""Training in full precision on every machine, so that scores can be checked outside of training."""

import pytest


@pytest.fixture(autouse=True)
def full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("helpers.training.fit.trainer_precision", lambda: "32-true")
