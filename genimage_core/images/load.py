"""Bytes or a path -> a checked RGB image with the facts of its file, or a typed error that says what to do.

Everything happens in memory: nothing is written to disk. Files that stop before their end are errors, never
half images.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, ImageFile, JpegImagePlugin

from genimage_core.images.color import RGBImage, stored_depth, to_rgb
from genimage_core.images.facts import SUFFIXES, ImageFacts, Limits, LoadedImage, frame_notes, name_notes
from genimage_core.images.integrity import check_complete, header_size, sniff
from genimage_core.images.jpeg_quality import estimate_quality
from genimage_core.images.pillow_gaps import forget_xmp, prepare
from genimage_core.utils.errors import (
    CorruptImageError,
    EmptyFileError,
    GenImageError,
    ImageReadError,
    ImageTooLargeError,
    UnsupportedFormatError,
)
from genimage_core.utils.paths import printable

__all__ = [
    "SUFFIXES",
    "ImageFacts",
    "Limits",
    "LoadedImage",
    "count_pixels",
    "list_image_files",
    "load_alpha",
    "load_image",
]

_TURNS: dict[int, Callable[[RGBImage], RGBImage]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, 3),
    7: lambda pixels: pixels.swapaxes(0, 1)[::-1, ::-1],
    8: lambda pixels: np.rot90(pixels),
}
"""EXIF orientation -> what sets it upright."""
_OTHER_FILES = (
    (b"%PDF", "a PDF document"),
    (b"<svg", "an SVG drawing"),
    (b"<?xml", "an XML text (perhaps an SVG drawing)"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"8BPS", "a Photoshop document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image"),
    (b"\x1aE\xdf\xa3", "a video"),
)
_DEFAULT_LIMITS = Limits()
_USE = "Use a PNG, JPEG, WebP, GIF, BMP, TIFF or AVIF image."


def load_image(
    source: bytes | str | Path | BinaryIO, *, name: str | None = None, limits: Limits = _DEFAULT_LIMITS
) -> LoadedImage:
    """Read an image from memory, a path or an open binary file.

    PNG, JPEG (CMYK, progressive, MPO too), WebP, GIF, BMP, TIFF; AVIF where Pillow carries its decoder; HEIC
    where the optional package pillow-heif is installed. The EXIF orientation is applied (one in XMP is not),
    transparency laid on white, more than 8 bits reduced to 8, only the first frame read; `facts.notes` says
    which of it happened. Colour profiles are not applied.

    Args:
        source: the file's bytes, its path, or an object whose `read` gives bytes.
        name: shown in facts and errors; by default the path's or the object's own name.
        limits: most pixels and bytes; `Limits()` by default.

    Returns:
        The decoded image with its facts.

    Raises:
        EmptyFileError: no bytes.
        UnsupportedFormatError: not an image, or one of a kind that cannot be read here.
        CorruptImageError: cut short or damaged.
        ImageTooLargeError: above a limit; known before anything is decoded.
        ImageReadError: the file cannot be opened or read. The base of the four above.
    """
    shown = name or _name_of(source)
    try:
        data = _read(source, limits.max_bytes)
        return _decode(data, shown, limits)
    except GenImageError as error:
        error.source = error.source or shown
        raise
    except (MemoryError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLargeError(
            "The image does not fit in memory.", hint="Scale it down first.", source=shown
        ) from error
    except Exception as error:
        # Decoders raise almost anything on hostile bytes; whoever calls should have to know one family only.
        raise CorruptImageError(
            "The file is damaged, or of an unusual kind that cannot be read.",
            hint="Open it in an image editor and save it as PNG or JPEG.",
            source=shown,
        ) from error


def count_pixels(data: bytes) -> int:
    """Pixels of an image by its header, without decoding it; 0 where that cannot be told.

    Args:
        data: the whole file.
    """
    kind = sniff(data)
    if kind is None:
        return 0
    try:
        if size := header_size(kind, data):
            return size[0] * size[1]
        with _open(kind, data) as image:
            return image.width * image.height
    except Exception:  # decoders raise almost anything; what reads the file says what is wrong with it
        return 0


def load_alpha(data: bytes) -> np.ndarray:
    """The alpha channel of a PNG or WebP as it is stored, which `load_image` lays on white.

    Args:
        data: the whole file, one that `load_image` reads.

    Returns:
        uint8 (H, W); (0, 0) where there is none.
    """
    kind = sniff(data)
    if kind not in ("PNG", "WEBP"):
        return np.empty((0, 0), np.uint8)
    with _open(kind, data) as image:
        decoded = prepare(image, data)
        return (
            np.asarray(decoded.getchannel("A")) if "A" in decoded.getbands() else np.empty((0, 0), np.uint8)
        )


def list_image_files(paths: Iterable[str | Path]) -> list[Path]:
    """Expand folders into the image files in them, at any depth.

    A file that is named itself is kept whatever its ending, and so is a path that does not exist: reading it
    gives the error. Files found in folders are sorted, must end in one of `SUFFIXES`, and hidden ones are
    left out. Symbolic links to folders are not followed. Each path is listed once.
    """
    found: dict[Path, None] = {}
    for path in map(Path, paths):
        if path.is_dir():
            inside = (Path(folder, file) for folder, _, files in os.walk(path) for file in files)
            images = [p for p in inside if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
            found.update(dict.fromkeys(sorted(images)))
        else:
            found[path] = None
    return list(found)


def _name_of(source: bytes | str | Path | BinaryIO) -> str:
    if not isinstance(source, str | Path):
        source = getattr(source, "name", "")  # bytes have none
    return printable(Path(source).name) if isinstance(source, str | Path) and str(source) else "image"


def _read(source: bytes | str | Path | BinaryIO, max_bytes: int) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source) if len(source) <= max_bytes else source
    else:
        try:
            if isinstance(source, str | Path):
                mode = os.stat(source).st_mode
                if stat.S_ISDIR(mode):
                    raise ImageReadError("It is a folder.", hint="Name the image files in it.")
                if not stat.S_ISREG(mode):  # reading a pipe may wait for ever
                    raise ImageReadError("It is a pipe, socket or device.", hint="Name a file.")
                with open(source, "rb") as file:
                    data = file.read(max_bytes + 1)
            else:
                data = source.read(max_bytes + 1)
        except FileNotFoundError as error:
            raise ImageReadError("There is no such file.", hint="Check the path.") from error
        except (OSError, ValueError) as error:
            raise ImageReadError("The file cannot be opened.", hint="Check its permissions.") from error
    if len(data) > max_bytes:
        raise ImageTooLargeError(
            f"The file has more than {max_bytes / 2**20:g} MB, the limit.",
            hint="Save it smaller, or raise the limit on bytes.",
        )
    if not data:
        raise EmptyFileError("The file is empty.", hint="Copy or download it again.")
    return bytes(data)


def _check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageTooLargeError(
            f"It has {width} x {height} = {width * height / 1e6:,.1f} megapixels;"
            f" the limit is {max_pixels / 1e6:,.4g}.",
            hint="Scale it down or crop it first, or raise the limit on pixels.",
        )


def _decode(data: bytes, name: str, limits: Limits) -> LoadedImage:
    kind = sniff(data)
    if kind is None:
        raise _unsupported(data)
    if size := header_size(kind, data):
        _check_pixels(size, limits.max_pixels)
    counted = check_complete(kind, data)
    with _open(kind, data) as image:
        _check_pixels(image.size, limits.max_pixels)
        own_format, mode = image.format or kind, image.mode
        depth = stored_depth(kind, data, image)
        n_frames = counted or int(getattr(image, "n_frames", 1))
        notes = [*name_notes(name, kind), *frame_notes(own_format, n_frames)]
        quality = estimate_quality(image.quantization) if kind == "JPEG" else None  # type: ignore[attr-defined]
        progressive = kind == "JPEG" and "progressive" in image.info
        prepared = prepare(image, data)
        if kind == "PNG":
            image.load()  # its EXIF and XMP may stand behind the pixels
        forget_xmp(image)
        orientation, readable = _orientation(image)
        prepared.load()
        pixels, transparent, conversions = to_rgb(prepared, depth)
    del image, prepared  # the decoder's copy goes before another is made
    if kind != "TIFF" and orientation in _TURNS:  # Pillow turns a TIFF while it loads
        pixels = _TURNS[orientation](pixels)
    if orientation != 1:
        notes.append("Rotated or mirrored as its EXIF orientation says.")
    if not readable:
        notes.append("Its EXIF data are damaged and were ignored.")
    if quality and not quality.exact:
        notes.append(
            "Its camera or program used JPEG tables of its own: "
            f"quality {quality.quality} is the nearest standard one."
        )
    facts = ImageFacts(
        name=name,
        format=own_format,
        width=pixels.shape[1],
        height=pixels.shape[0],
        mode=mode,
        n_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        exif_orientation=orientation,
        jpeg_quality=quality.quality if quality else None,
        n_frames=n_frames,
        has_transparency=transparent,
        bit_depth=depth,
        progressive=progressive,
        notes=(*notes, *conversions),
    )
    return LoadedImage(pixels=np.ascontiguousarray(pixels), facts=facts)


def _open(kind: str, data: bytes) -> ImageFile.ImageFile:
    """Open with the one plugin that fits.

    `Image.open` is passed by: its guard against huge images works by a process-wide setting and a warning,
    while the limit here is the caller's own.
    """
    Image.init()
    if kind == "HEIF" and "HEIF" not in Image.OPEN:
        try:
            import pillow_heif
        except ImportError:
            raise UnsupportedFormatError(
                "HEIC images cannot be read here.", hint="Convert it to JPEG or PNG first."
            ) from None
        pillow_heif.register_heif_opener()
    factory, accept = Image.OPEN.get(kind, (None, None))
    # A plugin without its decoder answers with a text instead of a truth value.
    if factory is None or (accept and isinstance(accept(data[:16]), str)):
        raise UnsupportedFormatError(
            f"{kind} images cannot be read here.", hint="Convert it to JPEG or PNG first."
        )
    try:
        return factory(io.BytesIO(data), "")
    except Exception:
        if kind != "JPEG":
            raise
        # A stale index of further pictures is no reason to refuse a whole JPEG.
        return JpegImagePlugin.JpegImageFile(io.BytesIO(data), "")


def _unsupported(data: bytes) -> UnsupportedFormatError:
    start = data[:64].lstrip()
    if data[4:8] == b"ftyp":
        return UnsupportedFormatError("The file is a video or an image of an unknown kind.", hint=_USE)
    for prefix, what in _OTHER_FILES:
        if data.startswith(prefix) or start.startswith(prefix):
            return UnsupportedFormatError(f"The file is {what}, which cannot be read here.", hint=_USE)
    return UnsupportedFormatError("The file is not an image of a known kind.", hint=_USE)


def _orientation(image: ImageFile.ImageFile) -> tuple[int, bool]:
    """Return (EXIF orientation 1..8, whether the EXIF data could be read)."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:
        return 1, False  # EXIF is written by everyone and often broken; the pixels do not depend on it
    return (value, True) if isinstance(value, int) and value in range(1, 9) else (1, True)
