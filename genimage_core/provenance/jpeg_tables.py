"""What a JPEG's quantisation tables tell of the program that saved it last: a fact, never a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from genimage_core.images.jpeg_quality import estimate_quality
from genimage_core.provenance.model import Finding, finding


def read_tables(tables: Mapping[int, Sequence[int]], segments: Set[str]) -> list[Finding]:
    """Say which family of encoders the tables belong to, and the quality.

    Args:
        tables: as Pillow's `image.quantization`; empty for other files.
        segments: names of the file's application segments. "Ducky" is written by Adobe's Save for Web alone;
            "Adobe" by Adobe's programs, but by other encoders too, so that it proves nothing.
    """
    quality = estimate_quality(tables) if tables else None
    if quality is None:
        return []
    if quality.exact:
        words = (
            f"standard (IJG) tables of quality {quality.quality}, as libjpeg, Pillow and most software write"
        )
    elif "Ducky" in segments:
        words = f"Adobe's Save for Web, near the standard quality {quality.quality}"
    else:
        words = (
            f"tables of its own, near the standard quality {quality.quality}: "
            "many cameras and phones, Photoshop and mozjpeg have such"
        )
    return [finding("jpeg_tables", "encoder", words)]
