"""A data set of links in which test-only generators are split, too, so that training may see part of them.

The benchmark keeps some generators for testing. The weights that users get should know them, and still be
measured on images that they never saw: each group of related images (same prompt, photograph, series) goes
to one side as a whole.

    python -m experiments.regroup --data DIR --manifest DIR/manifest.csv --out runs/release_data
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from genimage_core.datasets.scan import LABELS, Record, scan_dataset

FOLDER_OF = {label: name for name, label in LABELS.items()}


def truth_style(group: str, share: float, seed: int = 0) -> str:
    """`train` for about `share` of all groups, drawn by the group's name, else `val`."""
    digest = hashlib.sha256(f"{seed}:{group}".encode()).digest()
    return "train" if int.from_bytes(digest[:8]) < share * 2**64 else "val"


def new_splits(
    records: Sequence[Record], groups: Mapping[str, str], share: float, seed: int = 0
) -> list[tuple[Record, str]]:
    """Each record with its new split.

    Training images stay where they are, and so do all images of generators that have some. For the others
    the group decides: with the training images if it has any there, else with the validation images of the
    generators that stay, else by the draw.

    Args:
        records: of `scan_dataset`.
        groups: image id -> group; an image without one is a group of its own.
        share: of the groups that move, in [0, 1].
        seed: of the draw.
    """
    known = {r.generator for r in records if r.split == "train"}
    fixed = {
        groups.get(r.image_id, r.image_id): r.split
        for split in ("val", "train")  # a group with images in both counts as trained on
        for r in records
        if r.split == split and r.generator in known
    }

    def split_of(record: Record) -> str:
        if record.generator in known:
            return record.split
        group = groups.get(record.image_id, record.image_id)
        return fixed.get(group) or truth_style(group, share, seed)

    return [(record, split_of(record)) for record in records]


def write_links(splits: Sequence[tuple[Record, str]], out: Path) -> None:
    """Link every image into `out`, in GenImage's layout, under its new split; existing links stay."""
    for record, split in splits:
        target = out / record.generator / split / FOLDER_OF[record.label] / record.path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_symlink():
            target.symlink_to(record.path.resolve())


def regroup(
    data: Annotated[Path, typer.Option(help="Data set in GenImage's layout.")],
    out: Annotated[Path, typer.Option(help="Root of the new data set, which holds links.")],
    manifest: Annotated[Path, typer.Option(help="csv with path and group of each image.")],
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of the groups that move.")] = 0.65,
    seed: int = 0,
) -> None:
    """Let training see part of the generators that are there for testing only, whole groups at a time."""
    table = pd.read_csv(manifest)
    groups = dict(zip(table["path"], table["group"].astype(str), strict=True))
    splits = new_splits(scan_dataset(data), groups, share, seed)
    write_links(splits, out)
    moved = sum(record.split != split for record, split in splits)
    print(f"{out}: {len(splits)} images, {moved} of them moved to training")


if __name__ == "__main__":
    typer.run(regroup)
