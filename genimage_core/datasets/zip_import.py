"""Unpack a ZIP that a stranger made: in GenImage's layout, images only, within limits, or not at all."""

from __future__ import annotations

import shutil
import stat
import zipfile
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from genimage_core.datasets.scan import LABELS, SUFFIXES
from genimage_core.images.integrity import sniff
from genimage_core.utils.errors import DatasetError, GenImageError

_LAYOUT = "Expected <generator>/{train,val}/{ai,nature}/<images>, with at most one folder between."
_CHUNK = 1 << 20
_HEAD = 4096
# What computers add to archives on their own.
_DEBRIS = {".ds_store", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class UnpackLimits:
    """Most that an archive may hold.

    Attributes:
        images: files.
        total_bytes: of all files, unpacked.
        file_bytes: of one file, unpacked.
    """

    images: int = 5000
    total_bytes: int = 1 << 30
    file_bytes: int = 30 << 20


DEFAULT_LIMITS = UnpackLimits()


def unpack_dataset(archive: BinaryIO | Path, into: Path, limits: UnpackLimits = DEFAULT_LIMITS) -> int:
    """Unpack a data set; nothing stays behind where it is refused.

    Sizes are counted while unpacking: what an archive says of itself is not believed.

    Args:
        archive: a ZIP.
        into: an empty folder, or one to be made.
        limits: most that it may hold.

    Returns:
        The number of images.

    Raises:
        DatasetError: no ZIP, damaged or encrypted; a path that leaves the folder, a link, a file that is no
            image or lies outside the layout, a name twice; above a limit; the disk is full.
    """
    into.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [m for m in opened.infolist() if not m.is_dir() and not _is_debris(m.filename)]
            places = _places(members, limits)
            total = 0
            for member, place in zip(members, places, strict=True):
                total += _write(opened, member, into / place, limits, total)
        return len(members)
    except BaseException as error:
        shutil.rmtree(into, ignore_errors=True)
        if isinstance(error, GenImageError) or not isinstance(error, Exception):
            raise
        raise _readable(error) from error


def _places(members: list[zipfile.ZipInfo], limits: UnpackLimits) -> list[PurePosixPath]:
    """Where each member goes, all checked before anything is written."""
    if not members:
        raise DatasetError("there is nothing in this archive.", hint=_LAYOUT)
    if len(members) > limits.images:
        raise DatasetError(
            f"{len(members)} files; at most {limits.images} are taken.", hint="Leave some images out."
        )
    if (said := sum(m.file_size for m in members)) > limits.total_bytes:
        raise _too_much(said, limits)
    places = [_place(member) for member in members]
    seen: set[str] = set()
    for place in places:
        name = str(place).casefold()  # one file on systems that do not tell cases apart
        if name in seen:
            raise DatasetError("this name is there twice.", hint="Make the archive anew.", source=str(place))
        seen.add(name)
    return places


def _place(member: zipfile.ZipInfo) -> PurePosixPath:
    name = member.filename
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or not name.isprintable():
        raise DatasetError("this path leaves the folder.", hint="Make the archive anew.", source=name)
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DatasetError("a link is no image.", hint="Put the files themselves in.", source=name)
    if member.flag_bits & 1:
        raise DatasetError(
            "this file is encrypted.", hint="Make the archive without a password.", source=name
        )
    if path.suffix.lower() not in SUFFIXES:
        raise DatasetError("this file is no image.", hint="Leave it out of the archive.", source=name)
    parts = path.parts
    if not any(
        parts[i] in ("train", "val") and parts[i + 1] in LABELS and i + 3 == len(parts)
        for i in range(1, len(parts) - 2)
    ):
        raise DatasetError("this image lies outside of GenImage's layout.", hint=_LAYOUT, source=name)
    return path


def _write(
    opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path, limits: UnpackLimits, before: int
) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with opened.open(member) as source, path.open("xb") as out:
        while part := source.read(_CHUNK):
            # An empty or a damaged image may be part of a data set; something else may not.
            if not size and sniff(part[:_HEAD]) is None:
                raise DatasetError(
                    "this file is no image.", hint="Leave it out of the archive.", source=member.filename
                )
            size += len(part)
            if size > limits.file_bytes:
                raise DatasetError(
                    f"this file has more than {limits.file_bytes >> 20} MB.",
                    hint="Leave it out of the archive.",
                    source=member.filename,
                )
            if before + size > limits.total_bytes:
                raise _too_much(before + size, limits)
            out.write(part)
    return size


def _is_debris(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts[:1] == ("__MACOSX",) or path.name.lower() in _DEBRIS


def _too_much(size: int, limits: UnpackLimits) -> DatasetError:
    return DatasetError(
        f"it unpacks to {size / 2**20:,.0f} MB or more; at most {limits.total_bytes >> 20:,} MB are taken.",
        hint="Leave some images out.",
    )


def _readable(error: Exception) -> DatasetError:
    if isinstance(error, OSError) and error.errno is not None:
        return DatasetError(f"it cannot be unpacked ({error.strerror}).", hint="Try a smaller archive.")
    return DatasetError(
        "this is no ZIP archive that can be read.", hint="Make it anew, as a plain ZIP without a password."
    )
