"""Colour and size of evidence: the app's blue for photograph, orange for AI-generated, everywhere."""

from __future__ import annotations

import cv2
import numpy as np

PHOTO, NEUTRAL, FAKE = (47, 134, 193), (240, 238, 232), (224, 123, 26)
"""RGB of the two sides and of the middle; the pair stays apart in every common colour blindness."""

PREVIEW_SIDE = 1024
OPACITY = 0.55


def hex_colour(rgb: tuple[int, int, int]) -> str:
    """(r, g, b) of 0..255 -> "#rrggbb"."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def preview(image: np.ndarray, side: int = PREVIEW_SIDE) -> np.ndarray:
    """(H, W, 3) uint8 -> the same picture with a longer side of at most `side` px."""
    scale = side / max(image.shape[:2])
    if scale >= 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def two_sided(values: np.ndarray, opacity: float = OPACITY) -> np.ndarray:
    """(H, W) in [-1, 1] -> (H, W, 4) uint8 RGBA: blue at -1, orange at 1; NaN is transparent.

    Args:
        values: below 0 is on the photograph's side.
        opacity: of every place that has a value, in [0, 1].
    """
    known = np.isfinite(values)
    share = np.clip(np.where(known, values, 0.0), -1.0, 1.0)[..., None]
    ends = np.where(share < 0, np.array(PHOTO, float), np.array(FAKE, float))
    rgb = np.array(NEUTRAL, float) * (1 - np.abs(share)) + ends * np.abs(share)
    alpha = np.where(known, 255.0 * opacity, 0.0)[..., None]
    return np.concatenate([rgb, alpha], 2).round().astype(np.uint8)


def lay_over(picture: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    """Lay an RGBA (H, W, 4) over the grey version of an RGB (H, W, 3) picture of the same size."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    alpha = rgba[..., 3:].astype(np.float32) / 255.0
    return (grey * (1 - alpha) + rgba[..., :3] * alpha).round().astype(np.uint8)


def grow(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (h, w) float values to (height, width), linearly between the centres of the cells."""
    return cv2.resize(values.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
