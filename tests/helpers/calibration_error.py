"""The expected calibration error by its definition: a yardstick for the fast form."""

from __future__ import annotations

import numpy as np


def expected_calibration_error(labels: np.ndarray, scores: np.ndarray, bins: int = 15) -> float:
    """ECE (Guo et al. 2017): mean gap between P(fake) and the share of fakes, over equal-width bins."""
    place = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [
        abs(scores[place == b].mean() - labels[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))
