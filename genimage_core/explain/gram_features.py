"""GramNet's texture numbers of an image, and how far they are from those of photographs."""

from __future__ import annotations

import numpy as np
import torch

from genimage_core.detectors import Detector

WIDTH = 32
TAPS = ("pixels", "first filters", "pooled", "stage 1", "stage 2", "stage 3")


@torch.inference_mode()
def gram_numbers(image: np.ndarray, detector: Detector) -> np.ndarray:
    """What GramNet's Gram blocks read from an image, the mean over its tiles.

    Args:
        image: RGB uint8 (H, W, 3).
        detector: GramNet.

    Returns:
        (6, 32) float32, the taps from the pixels to the third stage.
    """
    views = np.stack(detector.views(image))
    x = torch.from_numpy(views).to(detector.device).permute(0, 3, 1, 2).float() / 255.0
    features = detector.net.embed(detector.net.prepare(x))
    return features[:, -len(TAPS) * WIDTH :].mean(0).reshape(len(TAPS), WIDTH).float().cpu().numpy()


def deviations(numbers: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(6, 32) numbers -> (6,) their distances from photographs at each depth, in standard deviations."""
    return np.sqrt((((numbers - mean) / spread) ** 2).mean(1))


def distance(numbers: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> float:
    """(6, 32) numbers -> one distance from photographs, in standard deviations; 1 is usual."""
    return float(np.sqrt((deviations(numbers, mean, spread) ** 2).mean()))
