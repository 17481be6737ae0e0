"""From a folder in GenImage's layout to records.

Both published forms are read, and mixtures of them:
`<generator>/{train,val}/{ai,nature}/*` and `<generator>/<archive>/{train,val}/{ai,nature}/*`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from genimage_core.datasets.places import data_place, walk
from genimage_core.errors import DatasetError

LABELS = {"ai": 1, "nature": 0}
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif"}


@dataclass(frozen=True, order=True)
class Record:
    """One image file of a data set.

    Attributes:
        path: the file.
        image_id: its path relative to the data set's root, with forward slashes.
        generator: the folder that names the generator.
        split: `train` or `val`.
        label: 1 for `ai` (fake), 0 for `nature` (real).
    """

    path: Path
    image_id: str
    generator: str
    split: Literal["train", "val"]
    label: int


def scan_dataset(root: Path | str) -> list[Record]:
    """Find all images below `root`, a folder or an address that fsspec reads, sorted by id.

    Raises:
        DatasetError: `root` is no folder, or holds no `{train,val}/{ai,nature}` folder.
    """
    root = data_place(root)
    if not root.is_dir():
        raise DatasetError("not a folder.", hint="Name the folder of the data set.", source=str(root))
    records: list[Record] = []
    for place, names in walk(root):
        if place.name not in LABELS or place.parent.name not in ("train", "val"):
            continue
        above = place.parent.parent
        relative = above.relative_to(root) if above != root else Path(root.name)
        generator = relative.parts[0]
        for name in names:
            if Path(name).suffix.lower() in SUFFIXES:
                path = place / name
                records.append(
                    Record(
                        path=path,
                        image_id=path.relative_to(root).as_posix(),
                        generator=generator,
                        split="train" if place.parent.name == "train" else "val",
                        label=LABELS[place.name],
                    )
                )
    if not records:
        raise DatasetError(
            "no images found in GenImage's layout.",
            hint="Expected <generator>/{train,val}/{ai,nature}/<images>, with at most one folder between.",
            source=str(root),
        )
    return sorted(records)


def list_generators(records: Iterable[Record], split: str) -> list[str]:
    """Generators that have fake images in `split`, sorted."""
    return sorted({r.generator for r in records if r.split == split and r.label == 1})
