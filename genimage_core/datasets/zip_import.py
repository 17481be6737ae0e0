"""Unpack a ZIP that a stranger made: in a layout that is read, images only, within limits, or not at all."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from genimage_core.datasets.layout import LAYOUT, read_place
from genimage_core.images.facts import SUFFIXES
from genimage_core.images.integrity import sniff
from genimage_core.utils.errors import DatasetError, GenImageError
from genimage_core.utils.paths import safe_name

_CHUNK = 1 << 20
_HEAD = 4096
# What computers add to archives on their own.
_DEBRIS = {".ds_store", "thumbs.db", "desktop.ini"}
_ABSOLUTE = re.compile(r"/|[A-Za-z]:(/|$)")
_UTF8 = 0x800  # flag of a name in UTF-8


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
            named = [(_name(member), member) for member in opened.infolist() if not member.is_dir()]
            members = [(name, m) for name, m in named if not name.endswith("/") and not _is_debris(name)]
            places = _places(members, limits)
            total = 0
            for (_, member), place in zip(members, places, strict=True):
                total += _write(opened, member, into / place, limits, total)
        return len(members)
    except BaseException as error:
        shutil.rmtree(into, ignore_errors=True)
        if isinstance(error, GenImageError) or not isinstance(error, Exception):
            raise
        raise _readable(error) from error


def _name(member: zipfile.ZipInfo) -> str:
    """A member's name with slashes between its folders, whoever wrote it.

    Windows PowerShell 5 and .NET wrote backslashes. Names without the mark for UTF-8 are in code page 437 by
    the standard; many programs write UTF-8 there, too.
    """
    name = member.filename
    if not member.flag_bits & _UTF8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode("utf-8")
    return name.replace("\\", "/")


def _places(members: list[tuple[str, zipfile.ZipInfo]], limits: UnpackLimits) -> list[PurePosixPath]:
    """Where each member goes, all checked before anything is written."""
    if not members:
        raise DatasetError("there is nothing in this archive.", hint=LAYOUT)
    if len(members) > limits.images:
        raise DatasetError(
            f"{len(members)} files; at most {limits.images} are taken.", hint="Leave some images out."
        )
    if (said := sum(m.file_size for _, m in members)) > limits.total_bytes:
        raise _too_much(said, limits)
    places = [_place(name, member) for name, member in members]
    seen: set[str] = set()
    for place in places:
        name = str(place).casefold()  # one file on systems that do not tell cases apart
        if name in seen:
            raise DatasetError("this name is there twice.", hint="Make the archive anew.", source=str(place))
        seen.add(name)
    return places


def _place(name: str, member: zipfile.ZipInfo) -> PurePosixPath:
    if _ABSOLUTE.match(name) or ".." in name.split("/"):
        raise DatasetError("this path leaves the folder.", hint="Make the archive anew.", source=name)
    # A colon, as in 10:00:00, and its like are no names of files on Windows.
    path = PurePosixPath(*(safe_name(part) for part in name.split("/") if part not in ("", ".")))
    if stat.S_ISLNK(member.external_attr >> 16):
        raise DatasetError("a link is no image.", hint="Put the files themselves in.", source=name)
    if member.flag_bits & 1:
        raise DatasetError(
            "this file is encrypted.", hint="Make the archive without a password.", source=name
        )
    if path.suffix.lower() not in SUFFIXES:
        raise DatasetError("this file is no image.", hint="Leave it out of the archive.", source=name)
    place = read_place(path.parts[:-1])
    if place is None or not place.above:
        raise DatasetError("this image lies outside of GenImage's layout.", hint=LAYOUT, source=name)
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
    # macOS puts what its files carry besides their bytes into "._" files, beside them or inside __MACOSX.
    return "__MACOSX" in path.parts or path.name.startswith("._") or path.name.lower() in _DEBRIS


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
