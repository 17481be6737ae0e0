"""From the folder of a data set to records, and in words what of it was left out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from genimage_core.datasets.layout import LABELS, LAYOUT, Place, name_generators, read_place
from genimage_core.datasets.manifest import read_manifest
from genimage_core.datasets.record import Record
from genimage_core.datasets.storage import data_place, is_remote, walk
from genimage_core.images.facts import SUFFIXES
from genimage_core.utils.errors import DatasetError
from genimage_core.utils.paths import printable

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LABELS", "SUFFIXES", "Record", "Scan", "counts", "leaf", "list_generators", "pages", "scan",
           "scan_dataset", "select"]  # fmt: skip


@dataclass(frozen=True)
class Scan:
    """What a data set holds.

    Attributes:
        records: its images, sorted by path.
        notes: sentences on what was left out, or read in a way that one should know.
    """

    records: list[Record]
    notes: list[str]


@dataclass
class _Found:
    """What the walk meets."""

    files: list[tuple[Path, Place, str]] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def scan_dataset(root: Path | str) -> list[Record]:
    """Find all images below `root`, a folder or an address that fsspec reads, sorted by path.

    Args:
        root: the data set, in one of the layouts that `datasets.layout` reads. A CSV file is taken for a
            manifest (see `manifest`), which says of each image what it is.

    Raises:
        DatasetError: `root` is no folder, or holds no image in such a layout; or no manifest.
    """
    return scan(root).records


def scan(root: Path | str) -> Scan:
    """Find all images below `root`, and say what was left out.

    A file counts once in each generator, split and class, however many links lead to it.

    Args:
        root: as in `scan_dataset`.

    Raises:
        DatasetError: `root` is no folder, or holds no image in a layout that is read; or no manifest.
    """
    root = data_place(root)
    if root.suffix.lower() == ".csv":
        return Scan(list(read_manifest(root)), [])
    if not root.is_dir():
        raise DatasetError("not a folder.", hint="Name the folder of the data set.", source=str(root))
    found = _walk(root)
    if not found.files:
        raise DatasetError(
            f"no images found in GenImage's layout. {' '.join(_left_out(found))}".strip(),
            hint=LAYOUT,
            source=printable(root),
        )
    names = name_generators((place.above for _, place, _ in found.files), root.name)
    records: list[Record] = []
    seen: set[tuple[Path, str, str, int]] = set()
    real_folders: dict[Path, Path] = {}
    for path, place, image_id in found.files:
        record = Record(path, image_id, printable(names[place.above]), place.split, place.label)
        key = (_real(path, real_folders), record.generator, record.split, record.label)
        if key in seen:
            found.left_out["files that a link shows a second time"].append(image_id)
        else:
            seen.add(key)
            records.append(record)
    records.sort()
    return Scan(records, [*_left_out(found), *_read_as(found, names), *_one_class(records)])


def _real(path: Path, real_folders: dict[Path, Path]) -> Path:
    """The file itself where links lead to it; folders are resolved once each."""
    if is_remote(path):
        return path
    if path.is_symlink():
        return path.resolve()
    if path.parent not in real_folders:
        real_folders[path.parent] = path.parent.resolve()
    return real_folders[path.parent] / path.name


def _walk(root: Path) -> _Found:
    found = _Found()
    for folder, names, others in walk(root):
        parts = folder.relative_to(root).parts if folder != root else ()
        for why, name in others:
            found.left_out[why].append(printable("/".join((*parts, name))))
        if "__MACOSX" in parts:
            continue
        place = read_place(parts)
        for name in names:
            if Path(name).suffix.lower() not in SUFFIXES:
                continue
            image_id = printable("/".join((*parts, name)))
            if name.startswith("."):
                found.left_out["hidden files"].append(image_id)
            elif place is None:
                found.left_out["images in no folder of a class"].append(image_id)
            else:
                found.files.append((folder / name, place, image_id))
    return found


def _left_out(found: _Found) -> list[str]:
    return [
        f"Left out: {why} ({len(files)}), such as {min(files)}."
        for why, files in sorted(found.left_out.items())
    ]


def _read_as(found: _Found, names: dict[tuple[str, ...], str]) -> list[str]:
    """What was read differently from the layout's own words."""
    notes = []
    folders_of = {place.split_folder for _, place, _ in found.files}
    others = {name for name in folders_of if name.lower() not in ("train", "val")}
    for name in sorted(others):
        split = "val" if not name else next(p.split for _, p, _ in found.files if p.split_folder == name)
        notes.append(
            f"Read as {split}: {f'folders called {name}' if name else 'what no folder calls train or val'}."
        )
    around = {above[: above.index(name)] for above, name in names.items() if name in above}
    for folders in sorted(folders for folders in around if folders):
        notes.append(
            f"Read through the folder {printable('/'.join(folders))}: generators are the folders in it."
        )
    return notes


def _one_class(records: Sequence[Record]) -> list[str]:
    """Generators that hold one class alone in a split: their figures tell nothing of the other."""
    held: dict[tuple[str, str], set[int]] = defaultdict(set)
    for record in records:
        held[record.generator, record.split].add(record.label)
    words = {number: word for word, number in LABELS.items()}
    notes = []
    for label, word in sorted(words.items()):
        some = sorted(
            f"{generator} ({split})" for (generator, split), found in held.items() if found == {label}
        )
        if some:
            notes.append(
                f"Only {word} images: {', '.join(some[:8])}{', …' if len(some) > 8 else ''}."
                " Figures there are of one class alone."
            )
    return notes


def list_generators(records: Iterable[Record], split: str) -> list[str]:
    """Generators that have fake images in `split`, sorted."""
    return sorted({r.generator for r in records if r.split == split and r.label == 1})


def counts(records: Sequence[Record]) -> pd.DataFrame:
    """Images of each generator, split and class.

    Returns:
        A row for each generator and split, sorted; columns generator, split, ai, nature.
    """
    import pandas as pd

    words = {number: word for word, number in LABELS.items()}
    found = Counter((r.generator, r.split, words[r.label]) for r in records)
    groups = sorted({(generator, split) for generator, split, _ in found})
    rows = [
        {"generator": g, "split": s, "ai": found[g, s, "ai"], "nature": found[g, s, "nature"]}
        for g, s in groups
    ]
    return pd.DataFrame(rows, columns=["generator", "split", "ai", "nature"])


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
