"""Files of a run, written so that a kill never leaves half of one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def save_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Write beside `path`, then rename: a kill leaves the old file or the new one, never half."""
    part = path.with_name(path.name + ".part")
    write(part)
    part.replace(path)
