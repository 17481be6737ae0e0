"""The noise residual: what is left when a denoised copy is taken away."""

from __future__ import annotations

import math
from collections.abc import Iterator

import cv2
import numpy as np

from genimage_core.explain.draw import PREVIEW_SIDE
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind

WINDOW = 5
"""Side in px of the neighbourhood that the filter looks at."""

SHOWN = 12.0
"""Grey levels of residual that are drawn black or white."""

PARTS = 4


_BAND = 1 << 21  # pixels that are filtered at a time: the filter takes twenty times a picture's memory


def noise_residual(image: np.ndarray, noise: np.ndarray | None = None) -> np.ndarray:
    """The picture less its denoised copy.

    The denoiser is Wiener's adaptive filter (Lim 1990, eq. 9.26 to 9.29), channel by channel: flat
    neighbourhoods are averaged, those that vary more than the typical one are kept.

    Args:
        image: RGB uint8 (H, W, 3).
        noise: (3,) typical variance, where `image` is a part of a picture; the picture's own by default.

    Returns:
        (H, W, 3) float32, in grey levels around 0.
    """
    x = image.astype(np.float32)
    mean, variance = _moments(x)
    if noise is None:
        noise = variance.mean((0, 1))
    kept = np.maximum(variance - noise, 0.0) / np.maximum(np.maximum(variance, noise), 1e-6)
    return (x - mean) * (1.0 - kept)


def _moments(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(H, W, 3) float32 -> mean and variance of each neighbourhood, of the same shape."""
    mean = cv2.blur(x, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    square = cv2.sqrBoxFilter(x, -1, (WINDOW, WINDOW), borderType=cv2.BORDER_REFLECT)
    return mean, np.maximum(square - mean**2, 0.0)


def residual_bands(image: np.ndarray, rows: int = 0) -> Iterator[tuple[slice, np.ndarray]]:
    """`noise_residual` of a whole picture, band by band, so that a large one fits in memory.

    Args:
        image: RGB uint8 (H, W, 3).
        rows: of a band; 0 chooses.

    Yields:
        (rows of the picture, their residual as float32 (h, W, 3)).
    """
    height = image.shape[0]
    rows = rows or max(64, _BAND // image.shape[1])
    if rows >= height:
        yield slice(0, height), noise_residual(image)
        return
    halo = WINDOW // 2
    places = []
    for top in range(0, height, rows):
        above, bottom = max(0, top - halo), min(height, top + rows)
        inner = slice(top - above, bottom - above)
        places.append((slice(top, bottom), slice(above, min(height, bottom + halo)), inner))
    total = sum(
        _moments(image[around].astype(np.float32))[1][inner].sum((0, 1), np.float64)
        for _, around, inner in places
    )
    noise = (np.asarray(total) / (height * image.shape[1])).astype(np.float32)
    for place, around, inner in places:
        yield place, noise_residual(image[around], noise)[inner]


class _Spread:
    """Standard deviation of what comes in parts."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.0

    def add(self, values: np.ndarray) -> None:
        self.count += values.size
        self.total += float(values.sum(dtype=np.float64))
        self.squares += float(np.einsum("ijk,ijk->", values, values, dtype=np.float64))

    @property
    def value(self) -> float:
        mean = self.total / max(1, self.count)
        return math.sqrt(max(0.0, self.squares / max(1, self.count) - mean**2))


@evidence_kind(
    "noise",
    place=70,
    title="Forensics: the noise",
    means=(
        "What is left after the picture was smoothed and the smooth copy taken away, made stronger. A camera "
        "leaves fine grain over the whole frame, more of it in the dark; generators often leave grain that "
        "is too even, absent in places, or arranged in a grid."
    ),
    misleads=(
        "Edges always shine through. Phones and editing programs remove noise or add grain, JPEG compression "
        "replaces it by 8 px blocks, and resizing smears it: in a picture from the web most of what you see "
        "was made by the last save. Of a large picture only the middle is shown."
    ),
    weighs="Weighs little alone: smoothing and compression change it.",
)
def noise(subject: Subject) -> Findings:
    """The residual around middle grey."""
    height, width = subject.image.shape[:2]
    # Shrinking would average the noise away: of a large picture the middle is shown, pixel for pixel.
    top, left = (max(0, length - PREVIEW_SIDE) // 2 for length in (height, width))
    middle = np.zeros((min(height, PREVIEW_SIDE), min(width, PREVIEW_SIDE), 3), np.float32)
    row_edges, column_edges = (_edges(length) for length in (height, width))
    whole = _Spread()
    spreads = [[_Spread() for _ in column_edges[1:]] for _ in row_edges[1:]]
    for rows, residual in residual_bands(subject.image):
        whole.add(residual)
        first, last = max(rows.start, top), min(rows.stop, top + middle.shape[0])
        if first < last:
            part = residual[first - rows.start : last - rows.start, left : left + middle.shape[1]]
            middle[first - top : last - top] = part
        for number, line in enumerate(spreads):
            inside = slice(max(0, row_edges[number] - rows.start), max(0, row_edges[number + 1] - rows.start))
            for column, spread in enumerate(line):
                spread.add(residual[inside, column_edges[column] : column_edges[column + 1]])
    picture = np.clip(127.5 + middle * (127.5 / SHOWN), 0, 255).round().astype(np.uint8)
    parts = [spread.value for line in spreads for spread in line]
    strength = whole.value
    alt = (
        f"The noise of the picture, made stronger: {strength:.1f} grey levels on average, "
        f"from {min(parts):.1f} in the quietest to {max(parts):.1f} in the noisiest of {len(parts)} parts."
    )
    data = {
        "strength": round(strength, 3),
        "quietest": round(min(parts), 3),
        "noisiest": round(max(parts), 3),
    }
    return Findings({"noise": picture}, {"noise": alt}, data, finding=alt)


def _edges(length: int) -> list[int]:
    """Where `PARTS` even parts of a length start, and its end; as numpy's array_split has them."""
    parts = np.array_split(np.arange(length), min(PARTS, length))
    return [int(part[0]) for part in parts] + [length]
