"""What is known of an image file besides its pixels: limits, facts, and the notes a person is shown."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from genimage_core.images.color import RGBImage

SUFFIXES = frozenset(
    {".png", ".apng", ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".webp", ".gif", ".bmp", ".dib"}
    | {".tif", ".tiff", ".avif", ".avifs", ".heic", ".heif", ".hif"}
)
"""File name endings, in lower case, that a folder is searched for."""

_KIND_OF_SUFFIX = {
    ".apng": "PNG", ".jpg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "JPEG", ".dib": "BMP",
    ".tif": "TIFF", ".avifs": "AVIF", ".heic": "HEIF", ".hif": "HEIF",
}  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What is refused before it is decoded.

    Attributes:
        max_pixels: most pixels (width times height) of an image.
        max_bytes: most bytes of a file.
    """

    max_pixels: int = 64_000_000
    max_bytes: int = 30 * 2**20


@dataclass(frozen=True)
class ImageFacts:
    """What the file says about itself, and what was done to it.

    Attributes:
        name: the file's name without folders, or "image".
        format: "PNG", "JPEG", "MPO", "WEBP", "GIF", "BMP", "TIFF", "AVIF" or "HEIF": by content, not by name.
        width, height: pixels, after the EXIF orientation was applied.
        mode: Pillow's mode of the file itself, such as "RGB", "P", "CMYK" or "I;16".
        n_bytes: size of the file.
        sha256: of the file, hexadecimal.
        exif_orientation: 1..8 as in the file; 1 where it says nothing.
        jpeg_quality: for JPEG and MPO the quality, 1..100 on the IJG scale, estimated from the quantisation
            tables: the very setting for files of the libjpeg family (Pillow, OpenCV, most software), the
            nearest match, and a note that says so, for tables of another make. Else None.
        n_frames: frames of an animation, pages or pictures in the file; only the first is examined.
        has_transparency: True if some pixel was not opaque.
        bit_depth: bits per channel in the file (a palette counts as 8).
        progressive: True for a progressive JPEG.
        notes: plain sentences about what was done or is odd, to be shown to a person.
    """

    name: str
    format: str
    width: int
    height: int
    mode: str
    n_bytes: int
    sha256: str
    exif_orientation: int
    jpeg_quality: int | None
    n_frames: int
    has_transparency: bool
    bit_depth: int
    progressive: bool
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the facts as plain values that `json` can write."""
        return asdict(self) | {"notes": list(self.notes)}


@dataclass(frozen=True, eq=False)
class LoadedImage:
    """An image and its facts.

    Attributes:
        pixels: uint8, height x width x 3, RGB, contiguous and writable.
        facts: what the file says about itself.
    """

    pixels: RGBImage
    facts: ImageFacts


def name_notes(name: str, kind: str) -> list[str]:
    """Say so if a file's name claims another image format than its content (`kind`, as sniffed)."""
    suffix = Path(name).suffix.lower()
    named = _KIND_OF_SUFFIX.get(suffix, suffix[1:].upper())
    return [f"Named {suffix} but holds {kind} data."] if suffix in SUFFIXES and named != kind else []


def frame_notes(own_format: str, n_frames: int) -> list[str]:
    """Say so if a file holds more than the frame that is examined."""
    if n_frames <= 1:
        return []
    if own_format == "TIFF":
        return [f"{n_frames} pages: only the first is examined."]
    if own_format in ("MPO", "HEIF"):
        return [f"{n_frames} pictures in one file: only the first is examined."]
    return [f"Animation with {n_frames} frames: only the first is examined."]
