"""Places of data: folders of this machine, and addresses such as `s3://bucket/folder` that fsspec reads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from genimage_core.utils.errors import DatasetError


def data_place(text: str | Path) -> Path:
    """A path, or for an address with `://` something that behaves like one.

    Raises:
        DatasetError: addresses cannot be read here, or not of this kind.
    """
    if "://" not in str(text):
        return Path(text)
    try:
        from upath import UPath

        place: Any = UPath(str(text))
        _ = place.fs  # the file system's own package is asked for here
    except ImportError as error:
        raise DatasetError(
            f"this address needs a package that is not installed ({error.name or error}).",
            hint="Install requirements-ray.txt and the fsspec package of the storage (s3fs, gcsfs, ...).",
            source=str(text),
        ) from None
    except ValueError as error:
        raise DatasetError(f"no such kind of storage ({error}).", source=str(text)) from None
    return place


def is_remote(path: Any) -> bool:
    """Whether `data_place` made it of an address."""
    return not isinstance(path, Path)


def walk(root: Path) -> Iterator[tuple[Path, list[str]]]:
    """Every folder at or below `root`, links followed, with the names of its files."""
    if not is_remote(root):
        for folder, _, names in os.walk(root, followlinks=True):
            yield Path(folder), names
        return
    place: Any = root
    top = place.path.rstrip("/")
    for folder, _, files in place.fs.walk(place.path):
        inside = str(folder).rstrip("/")[len(top) :].strip("/")
        yield (place / inside if inside else place), list(files)
