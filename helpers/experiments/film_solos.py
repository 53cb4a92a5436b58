"""Real solos of Chinese instruments under a film network: what it says of sounds that it was never trained on."""

from __future__ import annotations

from pathlib import Path

from helpers.experiments.film_tags import decide, hear
from helpers.models.checkpoint import Checkpoint


def answers(folder: Path, checkpoint: Checkpoint) -> dict[str, dict[str, float]]:
    """For each audio file of a folder: the share of its time in which each instrument is said to be heard."""
    network = checkpoint.network()
    rows = {}
    for path in sorted(Path(folder).glob("*.mp3")):
        said = decide(hear(network, path, checkpoint), checkpoint.thresholds)
        rows[path.stem] = dict(zip(checkpoint.classes, said.mean(axis=0).round(3).tolist(), strict=True))
    return rows


def right(rows: dict[str, dict[str, float]]) -> tuple[int, int]:
    """Of the files that are named after an instrument the network knows: how many it says most of all; and how many."""
    known = {name: row for name, row in rows.items() if name in row}
    hits = [name for name, row in known.items() if max(row.values()) > 0 and max(row, key=row.get) == name]
    return len(hits), len(known)
