"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that nobody ever reads a part of it; several processes may write the same one at once.

    Its folder is made.

    Raises:
        OSError: it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{uuid4().hex}.part")  # short, whatever the name's own length
    try:
        part.write_bytes(data)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def fill_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a file beside `path`, then put it in place at once, safe from a loss of power.

    For files with one writer: what a kill leaves, `NAME.part`, is overwritten the next time.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(path.name + ".part")
    write(part)
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    part.replace(path)
    if os.name == "posix":  # elsewhere folders cannot be opened
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def fill_text(path: Path, text: str) -> None:
    """`fill_whole` with a text, in UTF-8."""
    fill_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
