"""The quality setting behind a JPEG, estimated from its quantisation tables.

The reference tables and the scaling rule are those of the Independent JPEG Group's encoder (`jcparam.c`:
`jpeg_quality_scaling` and `jpeg_add_quant_table`; the tables are ITU-T T.81, annex K.1), which libjpeg-turbo,
Pillow and OpenCV share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)


@dataclass(frozen=True)
class JpegQuality:
    """An estimated quality.

    Attributes:
        quality: 1..100 on the IJG scale.
        exact: True if the file's tables are the IJG tables of that quality, value for value.
    """

    quality: int
    exact: bool


@cache
def _ijg_tables() -> NDArray[np.int64]:
    """Return the tables of qualities 1..100: int64 100x2x64 (luminance, chrominance), row order, 1..255."""
    base = np.array([_LUMINANCE, _CHROMINANCE], dtype=np.int64).reshape(2, 64)
    quality = np.arange(1, 101)
    scale = np.where(quality < 50, 5000 // quality, 200 - 2 * quality)
    return np.clip((base[None] * scale[:, None, None] + 50) // 100, 1, 255)


def estimate_quality(tables: Mapping[int, Sequence[int]]) -> JpegQuality | None:
    """Find the IJG quality whose tables lie nearest to a file's.

    For files of the libjpeg family (Pillow, OpenCV, most cameras' and sites' software) the answer is the
    setting itself. Others (Photoshop, mozjpeg, some phones) use tables of their own: the answer is then the
    quality that loses about as much, usually right within a few points, and `exact` is False.

    Args:
        tables: quantisation tables by number, 64 values each in row order, as Pillow's `image.quantization`.
            The lowest number is taken as luminance, the next, if any, as chrominance.

    Returns:
        The estimate, or None if there is no table of 64 values.
    """
    used = [np.asarray(tables[key], dtype=np.int64) for key in sorted(tables)[:2]]
    if not used or any(table.shape != (64,) for table in used):
        return None
    # Relative differences: an error of one step weighs more in a fine table than in a coarse one.
    reference = _ijg_tables()[:, : len(used)]
    found = np.stack(used)
    distance = (np.abs(reference - found) / reference).sum(axis=(1, 2))
    best = int(distance.argmin())
    return JpegQuality(quality=best + 1, exact=bool(distance[best] == 0))
