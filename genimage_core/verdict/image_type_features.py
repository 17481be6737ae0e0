"""Classic measures of a picture that tell screens, pages, drawings and photographs apart.

None of them looks for traces of a generator: they count colours, flat areas, straight edges and noise.
"""

from __future__ import annotations

import cv2
import numpy as np

TILE = 256
GRID = 3
"""At most GRID x GRID tiles are looked at, spread over the picture."""
FEATURES = (
    "colours", "top_colour", "top_4_colours", "top_16_colours", "colour_entropy",
    "flat_1", "flat_3", "flat_8", "same_right", "same_below", "same_both",
    "saturation", "saturation_spread", "grey_share", "vivid_share", "white_share", "black_share",
    "edge_share", "upright_edges", "edge_entropy", "gradient", "gradient_spread", "gradient_top",
    "noise", "quiet_block", "quarter_block", "median_block", "fine_detail", "middle_detail", "coarse_detail",
    "fine_to_middle", "middle_to_coarse", "two_tones", "brightness", "contrast", "grey_entropy",
    "colour_edges", "channel_likeness",
)  # fmt: skip
"""Names of the features of a tile, in order."""


def tile_corners(height: int, width: int) -> list[tuple[int, int]]:
    """Upper left corners of at most GRID x GRID tiles, from edge to edge; one where a tile holds it all."""

    def starts(side: int) -> list[int]:
        count = min(GRID, max(1, -(-side // TILE)))
        return sorted({round(i * max(0, side - TILE) / max(1, count - 1)) for i in range(count)})

    return [(top, left) for top in starts(height) for left in starts(width)]


def image_type_features(image: np.ndarray) -> np.ndarray:
    """Mean over the tiles of `tile_features`, one number for each of `FEATURES`.

    Args:
        image: RGB uint8 (H, W, 3), any size.
    """
    return tiles_features(image).mean(0)


def tiles_features(image: np.ndarray) -> np.ndarray:
    """(T, F) features of T tiles at native resolution."""
    tiles = [image[y : y + TILE, x : x + TILE] for y, x in tile_corners(*image.shape[:2])]
    return np.array([tile_features(tile) for tile in tiles])


def tile_features(tile: np.ndarray) -> np.ndarray:
    """(F,) float64 of one RGB uint8 tile, at least 3 px a side; smaller ones are mirrored outwards."""
    if min(tile.shape[:2]) < 16:
        pad = [(0, max(0, 16 - side)) for side in tile.shape[:2]]
        tile = np.pad(tile, [*pad, (0, 0)], mode="symmetric")
    tile = np.ascontiguousarray(tile)
    grey = cv2.cvtColor(tile, cv2.COLOR_RGB2GRAY)
    values = [
        *_colours(tile), *_flatness(tile), *_saturation(tile), *_edges(grey), *_detail(grey),
        *_tones(grey), *_chroma(tile),
    ]  # fmt: skip
    return np.array(values, np.float64)


def _entropy(counts: np.ndarray) -> float:
    p = counts[counts > 0] / counts.sum()
    return float(-(p * np.log2(p)).sum())


def _colours(tile: np.ndarray) -> list[float]:
    """How many colours at 4 bits a channel, so that JPEG makes few, and how much the first few cover."""
    coarse = (tile >> 4).astype(np.uint16)
    counts = np.bincount((coarse[..., 0] << 8 | coarse[..., 1] << 4 | coarse[..., 2]).ravel(), minlength=4096)
    ordered = np.sort(counts)[::-1] / counts.sum()
    many = float(np.log2((counts > 0).sum()))
    return [many, float(ordered[0]), float(ordered[:4].sum()), float(ordered[:16].sum()), _entropy(counts)]


def _extremes(tile: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest channel of each pixel; many times as fast as `min(2)` and `max(2)`."""
    red, green, blue = cv2.split(tile)
    return cv2.min(cv2.min(red, green), blue), cv2.max(cv2.max(red, green), blue)


def _flatness(tile: np.ndarray) -> list[float]:
    """Shares of pixels that hardly differ from, or equal, their neighbours."""
    right = _extremes(cv2.absdiff(tile[:-1, 1:], tile[:-1, :-1]))[1]
    below = _extremes(cv2.absdiff(tile[1:, :-1], tile[:-1, :-1]))[1]
    most = cv2.max(right, below)
    shares = [float((most <= limit).mean()) for limit in (1, 3, 8)]
    same = [right == 0, below == 0, most == 0]
    return [*shares, *(float(s.mean()) for s in same)]


def _saturation(tile: np.ndarray) -> list[float]:
    low, high = _extremes(tile)
    chroma = high - low
    mean, spread = cv2.meanStdDev(chroma)
    return [
        float(mean[0, 0]) / 255,
        float(spread[0, 0]) / 255,
        float((chroma < 12).mean()),
        float((chroma > 120).mean()),
        float((low > 235).mean()),
        float((high < 24).mean()),
    ]


def _edges(grey: np.ndarray) -> list[float]:
    """Strength and direction of edges; those of windows, tables and letters stand upright."""
    dx, dy = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    strength, angle = cv2.cartToPolar(dx, dy)
    # An angle and its opposite are one direction: the half turn is cut into 16.
    sectors = (angle.ravel() * (16 / np.pi)).astype(np.uint8) & 15
    weight = np.bincount(sectors, strength.ravel(), minlength=16)
    total = float(weight.sum()) + 1e-6
    # Bins of 11.25 degrees; those on either side of each axis are upright.
    upright = float(weight[[0, 15, 7, 8]].sum()) / total
    mean = float(strength.mean())
    some = strength.ravel()[::4]
    strongest = np.partition(some, -max(1, some.size // 20))[-max(1, some.size // 20) :]
    top = 4 * float(strongest.sum())
    return [
        float((strength > 120).mean()),
        upright,
        _entropy(weight) if total > 1 else 0.0,
        float(np.log1p(mean)),
        float(np.log1p(strength.std())) - float(np.log1p(mean)),
        top / total,
    ]


def _detail(grey: np.ndarray) -> list[float]:
    """Noise in quiet places, and how detail is spread over scales."""
    values = grey.astype(np.float32)
    # Immerkaer 1996: this kernel answers to noise and not to edges and slopes.
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    noise = float(np.abs(cv2.filter2D(values, -1, kernel)).mean()) * np.sqrt(np.pi / 2) / 6
    mean, square = cv2.blur(values, (8, 8))[4::8, 4::8], cv2.blur(values * values, (8, 8))[4::8, 4::8]
    spread = np.log1p(np.sqrt(np.maximum(square - mean * mean, 0)))
    blocks = [float(q) for q in np.quantile(spread, (0.05, 0.25, 0.5))]
    scales: list[float] = []
    here: np.ndarray = values
    for _ in range(3):
        scales.append(float(np.log1p(np.abs(cv2.Laplacian(here, cv2.CV_32F)).mean())))
        here = cv2.resize(here, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return [float(np.log1p(noise)), *blocks, *scales, scales[0] - scales[1], scales[1] - scales[2]]


def _tones(grey: np.ndarray) -> list[float]:
    """Brightness, and how well two tones (ink and paper) describe the tile: Otsu's criterion."""
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    p = counts / counts.sum()
    levels = np.arange(256)
    below, mean = np.cumsum(p), np.cumsum(p * levels)
    variance = float((p * levels**2).sum() - mean[-1] ** 2)
    split = below * (1 - below)
    between = np.divide((mean[-1] * below - mean) ** 2, split, out=np.zeros(256), where=split > 1e-9)
    two = float(between.max()) / variance if variance > 1 else 1.0
    return [two, float(mean[-1]) / 255, float(np.sqrt(max(0.0, variance))) / 255, _entropy(counts)]


def _chroma(tile: np.ndarray) -> list[float]:
    """Colour edges relative to those of brightness, and how alike the channels are."""
    small = cv2.cvtColor(
        cv2.resize(tile, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2YCrCb
    )
    luma, red, blue = (np.abs(cv2.Laplacian(small[..., i], cv2.CV_32F)).mean() for i in range(3))
    flat = tile[::4, ::4].reshape(-1, 3).astype(np.float32)
    centred = flat - flat.mean(0)
    scale = np.sqrt((centred**2).sum(0)) + 1e-6
    likeness = float((centred[:, 0] @ centred[:, 2]) / (scale[0] * scale[2]))
    return [float(np.log1p(red + blue) - np.log1p(luma)), likeness]
