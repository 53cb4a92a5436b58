"""Fixtures for all tests: generated corpora, and real audio where there is some."""

from __future__ import annotations

from pathlib import Path

import pytest

from helpers import demo
from helpers.config import ROOT


@pytest.fixture(scope="session")
def demo_root(request: pytest.FixtureRequest) -> Path:
    """Tiny generated corpora (nsynth irmas chmusic gtzan films), to be read only; kept until their code changes."""
    return demo.ensure("tiny", Path(request.config.cache.mkdir("demo")) / "corpora")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real audio beside the project (nsynth irmas gtzan chinese); the test is skipped where it is absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the folder of real audio beside the project")
    return folder
