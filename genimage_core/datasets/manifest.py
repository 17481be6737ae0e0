"""Any folder of files as a data set: a CSV file says of each image what it is and where it comes from.

Columns: `path` (relative to the CSV file, or absolute), `label` (`ai`, `nature`, or `not_photo` for what
people or classic software made and is no photograph), `source` (who published it: a site, an artist, a
repository; folds and intervals go by it). Optional: `generator` (of a fake; default: the source), `split`
(`train` or `val`; default `val`), `fold` (a whole number; default: from a hash of the source). Other
columns are left alone.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from genimage_core.datasets.record import Record
from genimage_core.utils.errors import DatasetError

LABELS = {"ai": 1, "nature": 0, "not_photo": 0}
PHOTOGRAPHS, NOT_PHOTO = "photographs", "not_photo"
"""What `Record.generator` says of images without a generator."""
FOLDS = 10


@dataclass(frozen=True, order=True)
class SourcedRecord(Record):
    """An image of a manifest.

    Attributes:
        source: who published it.
        fold: the same for all images of a source.
    """

    source: str = ""
    fold: int = 0


def read_manifest(path: Path | str) -> list[SourcedRecord]:
    """The images of a manifest, sorted by path.

    Raises:
        DatasetError: the file is missing or no such table, a row is wrong, or an image is not there; the
            first wrong line is named.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(
            f"the manifest cannot be read ({error}).", hint="Name a CSV file in UTF-8.", source=str(path)
        ) from None
    missing = {"path", "label", "source"} - set(rows[0] if rows else ())
    if missing:
        raise DatasetError(
            f"the manifest lacks the columns {', '.join(sorted(missing))} or has no rows.",
            hint="A manifest has the columns path, label and source.",
            source=str(path),
        )
    records = [_record(row, path, line) for line, row in enumerate(rows, 2)]
    seen: set[str] = set()
    for record in records:
        if record.image_id in seen:
            raise DatasetError(
                "this image is listed twice.", hint="Keep one of its rows.", source=record.image_id
            )
        seen.add(record.image_id)
    return sorted(records)


def source_fold(source: str) -> int:
    """The fold of a source, 0 to `FOLDS` - 1: the same on every machine, whatever else is in the set."""
    return int(hashlib.sha256(source.encode()).hexdigest(), 16) % FOLDS


def _record(row: Mapping[str, str | None], manifest: Path, line: int) -> SourcedRecord:
    def wrong(what: str, hint: str) -> DatasetError:
        return DatasetError(f"line {line}: {what}", hint=hint, source=str(manifest))

    name, label = (row.get("path") or "").strip(), (row.get("label") or "").strip()
    source, split = (row.get("source") or "").strip(), (row.get("split") or "val").strip()
    if not name or not source:
        raise wrong("path or source is empty.", "Fill both in.")
    if label not in LABELS:
        raise wrong(f"unknown label {label!r}.", f"Use one of {', '.join(LABELS)}.")
    if split not in ("train", "val"):
        raise wrong(f"unknown split {split!r}.", "Use train or val, or leave the column out.")
    path = manifest.parent / name
    if not path.is_file():
        raise wrong(f"no such file: {name}.", "Correct the path, or take the row out.")
    generator = {"nature": PHOTOGRAPHS, "not_photo": NOT_PHOTO}.get(label)
    fold = row.get("fold") or ""
    if not re.fullmatch(r"\d*", fold):
        raise wrong(f"the fold {fold!r} is no whole number.", "Use 0, 1, 2, ...")
    return SourcedRecord(
        path=path,
        image_id=Path(name).as_posix(),
        generator=generator or (row.get("generator") or "").strip() or source,
        split=split,  # type: ignore[arg-type]
        label=LABELS[label],
        source=source,
        fold=int(fold) if fold else source_fold(source),
    )
