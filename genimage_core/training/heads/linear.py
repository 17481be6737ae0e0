"""A linear head on frozen features: fitted in seconds once the features lie in the cache."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from genimage_core.utils.errors import TrainingError


@dataclass(frozen=True)
class LinearHead:
    """log-odds of "fake" = features @ weight + bias.

    Attributes:
        weight: (D,) float32.
        bias: of the log-odds.
        iterations: the solver took.
    """

    weight: np.ndarray
    bias: float
    iterations: int

    def log_odds(self, features: np.ndarray, batch: int = 1024) -> np.ndarray:
        """(N, D) features -> (N,) float32 log-odds of "fake"."""
        starts = range(0, len(features), batch)
        rows = [features[s : s + batch].astype(np.float32) @ self.weight + self.bias for s in starts]
        return np.concatenate(rows) if rows else np.zeros(0, np.float32)


def group_weights(groups: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Sample weights: both classes count the same, within a class each group by the root of its size.

    By size alone the largest generator would decide; with equal weights the smallest, of a few images,
    would be learned by heart.

    Args:
        groups: (N,) names, generators say.
        labels: (N,) in {0, 1}.

    Returns:
        (N,) float64 with mean 1.
    """
    _, inverse, counts = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    weights = 1.0 / np.sqrt(counts[inverse])
    for label in (0, 1):
        weights[labels == label] /= max(weights[labels == label].sum(), 1e-12)
    return weights * len(labels) / weights.sum()


def fit_linear(
    features: np.ndarray,
    labels: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    inverse_penalty: float = 1e-3,
    max_iter: int = 300,
) -> LinearHead:
    """Logistic regression on standardised features; the standardisation is folded into the head.

    Args:
        features: (N, D), float16 will do.
        labels: (N,) in {0, 1}.
        weights: (N,) of the samples, or None.
        inverse_penalty: scikit-learn's C.
        max_iter: of the solver.

    Raises:
        TrainingError: one class is missing.
    """
    if len(np.unique(labels)) != 2:
        raise TrainingError("a head needs both classes.", hint="Check the training folders.")
    x = features.astype(np.float32)
    mean = x.mean(0)
    scale = 1.0 / np.maximum(x.std(0), 1e-3)
    x -= mean
    x *= scale
    model = LogisticRegression(C=inverse_penalty, max_iter=max_iter)
    model.fit(x, labels, sample_weight=weights)
    weight = (model.coef_[0] * scale).astype(np.float32)
    bias = float(model.intercept_[0] - weight @ mean)
    return LinearHead(weight, bias, int(model.n_iter_[0]))
