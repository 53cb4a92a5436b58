"""`python -m helpers augment`: ten versions of every training track of GTZAN on disk, and a figure of what was done."""

from __future__ import annotations

import argparse
from pathlib import Path

from helpers.config import DATA

EXAMPLES = """examples:
  python -m helpers augment                                  data/gtzan -> data/gtzan_augmented
  python -m helpers augment --split track --seed 1 --out data/gtzan_augmented_track
  python -m helpers genre train --model cnn_2d_4l --augmented data/gtzan_augmented
"""


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `augment`."""
    parser = subparsers.add_parser(
        "augment", help="GTZAN: ten versions of every training track on disk", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Split GTZAN first, then write ten versions of each training track (as it is, noise, shift, speed, "
        "pitch, both, level, percussive), a train_list.txt that names them, and a figure. What is there "
        "already is left as it is, so that the same command goes on after a kill.",
    )
    parser.add_argument("--data-root", type=Path, default=DATA, metavar="DIR", help="folder that holds gtzan/genres")
    parser.add_argument("--split", choices=("filtered", "track"), default="filtered", help="whose training tracks")
    parser.add_argument("--out", type=Path, default=DATA / "gtzan_augmented", metavar="DIR")
    parser.add_argument("--seed", type=int, default=0, help="of the split and of the augmentations")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the versions and the figure."""
    from helpers.experiments import genre_augment
    from helpers.plotting.style import save_figure
    from helpers.plotting.tasks import augmentation_figure

    count, first = genre_augment.write(options.data_root, options.split, options.out, options.seed)
    waveforms = genre_augment.examples(first, options.seed)
    figure = augmentation_figure(waveforms, genre_augment.spectrograms(waveforms), genre_augment.SHOWN_S)
    save_figure(figure, options.out / "augmentation.png")
    print(f"{options.out}: {count} files, train_list.txt, augmentation.png; next: python -m helpers genre train "
          f"--augmented {options.out}")
