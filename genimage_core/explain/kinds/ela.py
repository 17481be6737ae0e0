"""Error-level analysis: what changes when the picture is saved as a JPEG once more."""

from __future__ import annotations

import math

import cv2
import numpy as np

from genimage_core.explain.draw import preview
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind
from genimage_core.images.degradations import Jpeg

QUALITY = 90
BRIGHT = 99.5
"""The percentile of the differences that is drawn white."""


_BLOCK = 16  # rows of a JPEG's largest coding unit
_BAND = 1 << 22  # pixels that are saved at a time


def error_levels(image: np.ndarray, quality: int = QUALITY) -> np.ndarray:
    """Absolute change after one JPEG save, band by band, so that a large picture fits in memory.

    Bands start where coding units do and overlap by one, so that each pixel is as in one save of the whole.

    Args:
        image: RGB uint8 (H, W, 3).
        quality: of the save.

    Returns:
        uint8 (H, W, 3), in grey levels.
    """
    height = image.shape[0]
    rows = max(4, _BAND // max(1, image.shape[1]) // _BLOCK) * _BLOCK
    levels = np.empty_like(image)
    for top in range(0, height, rows):
        above, bottom = max(0, top - _BLOCK), min(height, top + rows)
        part = image[above : min(height, bottom + _BLOCK)]
        saved = Jpeg(quality)(np.ascontiguousarray(part))
        levels[top:bottom] = cv2.absdiff(part, saved)[top - above : bottom - above]
    return levels


def percentile(counts: np.ndarray, percent: float) -> float:
    """The percentile of whole numbers, between two of them in proportion, as numpy's.

    Args:
        counts: how often 0, 1, 2, ... occur.
        percent: 0..100.
    """
    place = (counts.sum() - 1) * percent / 100
    low, high = np.searchsorted(np.cumsum(counts), [math.floor(place), math.ceil(place)], side="right")
    return float(low + (high - low) * (place - math.floor(place)))


@evidence_kind(
    "ela",
    place=80,
    title="Forensics: error levels",
    means=(
        "The picture was saved once more as a JPEG; bright is what that changed most. In a picture saved as "
        "a whole, similar surfaces are similarly bright; a pasted or repainted part may stand out."
    ),
    misleads=(
        "Edges, text and strong colours are always brighter. An AI image is made in one piece and looks "
        "even, like a photograph; re-saving, resizing or a screenshot wipes differences out. On its own this "
        "proves nothing."
    ),
    weighs="Weighs very little: it tells of compression more than of AI.",
)
def ela(subject: Subject) -> Findings:
    """Error levels, brightened so that the strongest half per cent is white."""
    levels = error_levels(subject.image)
    counts = _histogram(levels)
    top = max(1.0, percentile(counts, BRIGHT))
    brighter = np.clip(np.arange(256) * (255.0 / top), 0, 255).astype(np.uint8)
    picture = preview(cv2.LUT(levels, brighter))
    mean = float(counts @ np.arange(256) / counts.sum())
    alt = f"Error levels after a save at quality {QUALITY}: on average {mean:.1f} of 255 grey levels change."
    data = {"jpeg_quality": QUALITY, "mean_change": round(mean, 3), "white_at": round(top, 2)}
    return Findings({"ela": picture}, {"ela": alt}, data, finding=alt)


def _histogram(levels: np.ndarray) -> np.ndarray:
    """(256,) counts; row by row, since numpy counts in numbers of eight bytes."""
    return np.asarray(sum(np.bincount(row.ravel(), minlength=256) for row in levels))
