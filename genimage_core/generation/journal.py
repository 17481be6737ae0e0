"""What is done so far, one line of JSON an image, safe from a kill; and the manifest made of all lines."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from filelock import FileLock, Timeout

from genimage_core.generation.plan import FOLDER
from genimage_core.utils.atomic_write import write_whole
from genimage_core.utils.errors import GenerationError

MANIFEST = "manifest.csv"


@dataclass(frozen=True)
class Row:
    """One image of the data set, a row of its manifest.

    Attributes:
        path: below the data set's folder, with forward slashes.
        label: `ai` or `nature`.
        generator, split: as in the path.
        class_id, class_name: column `class`, and its name in words; "" where none can be told.
        prompt, seed, attempt: what it was made of; a photograph has none.
        model, revision, scheduler, steps, guidance, dtype, device: what made it.
        width, height: px.
        versions: of the packages that made it.
        sha256: of the file.
        source: of an import or a photograph: its path below the folder it comes from.
        key: what tells it from the others of its plan; not in the manifest.
    """

    path: str
    label: str
    generator: str
    split: str
    class_id: str = ""
    class_name: str = ""
    prompt: str = ""
    seed: int | None = None
    attempt: int | None = None
    model: str = ""
    revision: str = ""
    scheduler: str = ""
    steps: int | None = None
    guidance: float | None = None
    dtype: str = ""
    device: str = ""
    width: int = 0
    height: int = 0
    versions: str = ""
    sha256: str = ""
    source: str = ""
    key: str = ""


class Journal:
    """A file of rows that grows line by line.

    A kill can tear the last line: it is cut off when the file is opened the next time.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
        self._file = path.open("ab")

    def append(self, row: Row) -> None:
        """Add a row; it is on the disk when this returns."""
        self._file.write(json.dumps(asdict(row), ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def open_journal(path: Path) -> Iterator[Journal]:
    """Open a journal, for one process at a time.

    Raises:
        GenerationError: another process has it open.
    """
    with only_one(path.with_suffix(".lock")):
        journal = Journal(path)
        try:
            yield journal
        finally:
            journal.close()


@contextmanager
def only_one(lock: Path) -> Iterator[None]:
    """Hold a lock file, which goes with the process.

    Raises:
        GenerationError: another process holds it.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = FileLock(lock).acquire(timeout=0)
    except Timeout:
        raise GenerationError(
            "another process is at work on this.", hint="Wait for it, or stop it.", source=str(lock)
        ) from None
    with held:
        yield


def read_rows(folder: Path, pattern: str) -> list[Row]:
    """The rows of all journals in a folder whose files are still there; a torn last line is passed over.

    Args:
        folder: the generator's folder `build`.
        pattern: of the journals' names.
    """
    found: dict[str, Row] = {}
    for path in sorted(folder.glob(pattern)):
        for line in path.read_bytes().split(b"\n")[:-1]:
            row = Row(**json.loads(line))
            found[row.path] = row
    root = folder.parent.parent
    return [row for row in found.values() if (root / row.path).exists()]


def every_row(out: Path) -> list[Row]:
    """The rows of every generator in a data set's folder, sorted by path."""
    folders = sorted(out.glob(f"*/{FOLDER}"))
    return sorted((row for folder in folders for row in read_rows(folder, "*.jsonl")), key=lambda r: r.path)


def write_manifest(out: Path, rows: Iterable[Row]) -> Path:
    """Write manifest.csv; a reader finds the old one or the new one, whole."""
    names = [f.name for f in fields(Row) if f.name != "key"]
    header = ["class" if name == "class_id" else name for name in names]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [*header, "group"]
    )  # `group` is what other commands read: images of a class belong together
    writer.writerows([*(getattr(row, name) for name in names), row.class_id] for row in rows)
    write_whole(out / MANIFEST, text.getvalue().encode())
    return out / MANIFEST


def keys_of(rows: Sequence[Row]) -> set[str]:
    """The keys of some rows."""
    return {row.key for row in rows}
