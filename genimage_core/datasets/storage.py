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


def walk(root: Path) -> Iterator[tuple[Path, list[str], list[tuple[str, str]]]]:
    """Every folder at or below `root`, links followed, but none that leads back to a folder it stands in.

    Args:
        root: of `data_place`.

    Yields:
        (folder, names of its files, (why, name) of what in it was left out).
    """
    if not is_remote(root):
        yield from _walk_local(root)
        return
    place: Any = root
    top = place.path.rstrip("/")
    for folder, _, files in place.fs.walk(place.path):
        inside = str(folder).rstrip("/")[len(top) :].strip("/")
        yield (place / inside if inside else place), list(files), []


def _walk_local(root: Path) -> Iterator[tuple[Path, list[str], list[tuple[str, str]]]]:
    waiting: list[tuple[Path, tuple[tuple[int, int], ...]]] = [(root, (_identity(root),))]
    while waiting:
        folder, around = waiting.pop()
        files, folders, others = _contents(folder)
        inside = [(folder / name, (*around, _identity(folder / name))) for name in reversed(folders)]
        loops = {place for place, (*outer, own) in inside if own in outer and place.is_symlink()}
        others += [("links that lead back to a folder around them", place.name) for place in loops]
        yield folder, files, others
        waiting += [(place, chain) for place, chain in inside if place not in loops]


def _contents(folder: Path) -> tuple[list[str], list[str], list[tuple[str, str]]]:
    """(files, folders, (why, name) of what is neither), sorted."""
    files: list[str] = []
    folders: list[str] = []
    others: list[tuple[str, str]] = []
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return [], [], [("folders that cannot be opened", ".")]
    for entry in entries:
        if entry.is_dir():
            folders.append(entry.name)
        elif entry.is_file():
            files.append(entry.name)
        else:
            why = "links that lead nowhere" if entry.is_symlink() else "pipes, sockets or devices"
            others.append((why, entry.name))
    return files, folders, others


def _identity(folder: Path) -> tuple[int, int]:
    found = folder.stat()
    return found.st_dev, found.st_ino
