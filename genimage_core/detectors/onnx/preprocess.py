"""Transforms in front of a network that ONNX has no operator for, in numpy; a test holds them to torch's."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def spectrum(views: np.ndarray) -> np.ndarray:
    """What `Spec.prepare` computes: (N, S, S, 3) uint8 -> (N, 3, S/4, S/4) float32 in [-1, 1].

    The spectrum of a real signal is point-symmetric, so half of it is computed; see `spec.log_spectrum` for
    the formula.
    """
    x = np.ascontiguousarray(views.transpose(0, 3, 1, 2)).astype(np.float32) / np.float32(255)
    side = x.shape[-1]
    magnitude = np.abs(np.fft.fft2(x)).astype(np.float32)
    logs = np.log(magnitude + np.float32(1e-3))
    half = logs[..., : side // 2 + 1, :].reshape(*logs.shape[:2], -1)
    low, high = (round(share * (half.shape[-1] - 1)) for share in (0.05, 0.95))
    ordered = np.partition(half, (low, high), axis=-1)
    floor, ceiling = ordered[..., low, None, None], ordered[..., high, None, None]
    scaled = (logs - floor) / np.maximum(ceiling - floor, np.float32(1e-6)) * 2 - 1
    cells = side // 4
    blocks = np.clip(scaled, -1, 1)[..., : cells * 4, : cells * 4]
    return blocks.reshape(*blocks.shape[:2], cells, 4, cells, 4).mean((3, 5), dtype=np.float32)


STEPS: dict[str, Callable[[np.ndarray], np.ndarray]] = {"spectrum": spectrum}
"""Name (`DetectorNet.host_step`) -> (N, S, S, 3) uint8 views to what `classify` reads."""
