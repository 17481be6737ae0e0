"""From a folder in GenImage's layout to records.

Both published forms are read, and mixtures of them:
`<generator>/{train,val}/{ai,nature}/*` and `<generator>/<archive>/{train,val}/{ai,nature}/*`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from genimage_core.datasets.manifest import read_manifest
from genimage_core.datasets.record import Record
from genimage_core.datasets.storage import data_place, walk
from genimage_core.utils.errors import DatasetError

if TYPE_CHECKING:
    import pandas as pd

LABELS = {"ai": 1, "nature": 0}
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif"}


def scan_dataset(root: Path | str) -> list[Record]:
    """Find all images below `root`, a folder or an address that fsspec reads, sorted by id.

    A CSV file is taken for a manifest (see `manifest`), which says of each image what it is.

    Raises:
        DatasetError: `root` is no folder, or holds no `{train,val}/{ai,nature}` folder; or no manifest.
    """
    root = data_place(root)
    if root.suffix.lower() == ".csv":
        return list(read_manifest(root))
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


def counts(records: Sequence[Record]) -> pd.DataFrame:
    """Images of each generator, split and class.

    Returns:
        A row for each generator and split, sorted; columns generator, split, ai, nature.
    """
    import pandas as pd

    rows = {(r.generator, r.split): {"ai": 0, "nature": 0} for r in sorted(records)}
    words = {number: word for word, number in LABELS.items()}
    for record in records:
        rows[record.generator, record.split][words[record.label]] += 1
    found = [{"generator": g, "split": s, **n} for (g, s), n in sorted(rows.items())]
    return pd.DataFrame(found, columns=["generator", "split", "ai", "nature"])


def select(
    records: Sequence[Record],
    *,
    generators: Sequence[str] = (),
    splits: Sequence[str] = (),
    labels: Sequence[int] = (),
) -> list[Record]:
    """Records of the named generators, splits and labels, sorted; what is left empty lets all through."""
    return sorted(
        r
        for r in records
        if (not generators or r.generator in generators)
        and (not splits or r.split in splits)
        and (not labels or r.label in labels)
    )


def leaf(records: Sequence[Record], page: int, size: int) -> Sequence[Record]:
    """The records on one page, the first page being 0; empty beyond the last."""
    return records[page * size : (page + 1) * size]


def pages(n: int, size: int) -> int:
    """Number of pages that `n` records fill, at least 1."""
    return max(1, -(-n // size))
