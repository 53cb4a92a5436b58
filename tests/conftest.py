"""Fixtures for all tests: generated corpora, and real audio where there is some."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:  # each worker has a core to itself; before torch is imported
    os.environ.setdefault("OMP_NUM_THREADS", "1")

from helpers.config import ROOT
from helpers.demo import build


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """No other worker beside a benchmark."""
    return 0 if any("benchmarks" in argument for argument in config.args) else None


@pytest.fixture(scope="session")
def demo_root(request: pytest.FixtureRequest) -> Path:
    """Tiny generated corpora (nsynth irmas chmusic gtzan films), to be read only; kept until their code changes."""
    return build.ensure("tiny", Path(request.config.cache.mkdir("demo")) / "corpora")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real audio beside the project (nsynth irmas gtzan chinese); the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the folder of real audio beside the project")
    return folder
