"""Metrics of P(fake) against labels, each with its 95 % interval."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm
from sklearn.metrics import roc_auc_score


@dataclass(frozen=True)
class Estimate:
    """A measured figure: value, 95 % interval, and the number of images behind it."""

    value: float
    low: float
    high: float
    n: int

    def as_dict(self, digits: int = 4) -> dict[str, float | int]:
        """JSON-ready, rounded."""
        return {
            "value": round(self.value, digits),
            "low": round(self.low, digits),
            "high": round(self.high, digits),
            "n": self.n,
        }


def wilson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a proportion (Wilson 1927), as fractions.

    >>> tuple(round(x, 3) for x in wilson(5, 10))
    (0.237, 0.763)
    """
    z = float(norm.ppf(0.5 + level / 2))
    p, z2 = hits / n, z * z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = z / (1 + z2 / n) * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return centre - half, centre + half


def accuracy(labels: np.ndarray, scores: np.ndarray, threshold: float = 0.5) -> Estimate:
    """Share of (N,) scores on the right side of `threshold`; Wilson interval."""
    hits, n = int(((scores > threshold) == (labels == 1)).sum()), len(labels)
    low, high = wilson(hits, n)
    return Estimate(hits / n, low, high, n)


def auroc(labels: np.ndarray, scores: np.ndarray, level: float = 0.95) -> Estimate:
    """Area under the ROC curve of (N,) scores against (N,) labels in {0, 1}.

    The interval is DeLong's (DeLong et al. 1988), from the placements of each score among those of
    the other class; it is exact enough for a few dozen images a class and needs no resampling.

    Raises:
        ValueError: only one class is present.
    """
    value = float(roc_auc_score(labels, scores))
    fake, real = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    below = (np.searchsorted(real, fake, "left") + np.searchsorted(real, fake, "right")) / (2 * len(real))
    above = 1 - (np.searchsorted(fake, real, "left") + np.searchsorted(fake, real, "right")) / (2 * len(fake))
    variance = below.var(ddof=1) / len(fake) + above.var(ddof=1) / len(real)
    half = float(norm.ppf(0.5 + level / 2)) * math.sqrt(max(0.0, variance))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), len(labels))


def expected_calibration_error(labels: np.ndarray, scores: np.ndarray, bins: int = 15) -> float:
    """ECE (Guo et al. 2017): mean gap between P(fake) and the share of fakes, over equal-width bins."""
    place = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [
        abs(scores[place == b].mean() - labels[place == b].mean()) * (place == b).mean()
        for b in range(bins)
        if (place == b).any()
    ]
    return float(sum(gaps))
