"""Power spectra of pictures of any size on one grid, so that they can be averaged and compared."""

from __future__ import annotations

import cv2
import numpy as np

from genimage_core.detectors.tiling import pad_to, tile_origins

SIDE = 128
"""Side of a tile in px: the smallest picture of the data that the averages come from still holds one."""

MAX_TILES = 64


def log_spectrum(image: np.ndarray) -> np.ndarray:
    """Log power spectrum of a picture's brightness, averaged over its tiles (Welch's method).

    Tiles of `SIDE` px at native resolution, mean removed, Hann window. The power is divided by its sum, so
    that contrast and brightness do not count.

    Args:
        image: RGB uint8 (H, W, 3); smaller ones are mirrored at their edges.

    Returns:
        (SIDE, SIDE) float32, log10 of each frequency's share of the power; zero frequency in the middle.
    """
    grey = cv2.cvtColor(pad_to(image, SIDE), cv2.COLOR_RGB2GRAY).astype(np.float32)
    origins = tile_origins(grey.shape[0], grey.shape[1], SIDE)
    keep = np.unique(np.linspace(0, len(origins) - 1, min(len(origins), MAX_TILES)).round().astype(int))
    window = np.outer(np.hanning(SIDE), np.hanning(SIDE)).astype(np.float32)
    tiles = np.stack([grey[t : t + SIDE, x : x + SIDE] for t, x in (origins[i] for i in keep)])
    tiles = (tiles - tiles.mean((1, 2), keepdims=True)) * window
    power = (np.abs(np.fft.fft2(tiles)) ** 2).mean(0)
    share = power / max(float(power.sum()), 1e-12)
    return np.fft.fftshift(np.log10(share + 1e-10)).astype(np.float32)


def radial_profile(spectrum: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE) centred spectrum -> (SIDE // 2,), mean over rings of 1 .. SIDE / 2 cycles a tile."""
    half = SIDE // 2
    y, x = np.indices((SIDE, SIDE)) - half
    ring = np.hypot(x, y).round().astype(int)
    total = np.bincount(ring.ravel(), spectrum.ravel())
    return (total / np.bincount(ring.ravel()))[1 : half + 1].astype(np.float32)
