"""Metrics of P(fake) against labels, each with its 95 % interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logit

# sklearn and scipy.stats take most of a second to import: a verdict does without them.


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


EDGE = 1e-6
"""Probabilities count as at least this far from 0 and 1 where their logit is taken."""


def finite_logit(p: np.ndarray | float) -> np.ndarray:
    """Probabilities in [0, 1] -> log(p / (1 - p)), finite also at the ends."""
    return logit(np.clip(p, EDGE, 1 - EDGE))


def wilson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a proportion (Wilson 1927), as fractions.

    >>> tuple(round(x, 3) for x in wilson(5, 10))
    (0.237, 0.763)
    """
    from scipy.stats import binomtest

    interval = binomtest(hits, n).proportion_ci(level, method="wilson")
    return float(interval.low), float(interval.high)


def accuracy(labels: np.ndarray, scores: np.ndarray, threshold: float = 0.5) -> Estimate:
    """Share of (N,) scores on the right side of `threshold`; Wilson interval."""
    hits, n = int(((scores > threshold) == (labels == 1)).sum()), len(labels)
    low, high = wilson(hits, n)
    return Estimate(hits / n, low, high, n)


def auroc(labels: np.ndarray, scores: np.ndarray, level: float = 0.95) -> Estimate:
    """Area under the ROC curve of (N,) scores against (N,) labels in {0, 1}.

    The interval is DeLong's (DeLong et al. 1988), from the placements of each score among those of
    the other class; it is exact enough for a few dozen images a class and needs no resampling. One image of
    a class says nothing of its spread: the interval is [0, 1] then.

    Raises:
        ValueError: only one class is present.
    """
    from scipy.stats import norm
    from sklearn.metrics import roc_auc_score

    value = float(roc_auc_score(labels, scores))
    fake, real = np.sort(scores[labels == 1]), np.sort(scores[labels == 0])
    below = (np.searchsorted(real, fake, "left") + np.searchsorted(real, fake, "right")) / (2 * len(real))
    above = 1 - (np.searchsorted(fake, real, "left") + np.searchsorted(fake, real, "right")) / (2 * len(fake))
    if min(len(fake), len(real)) < 2:
        return Estimate(value, 0.0, 1.0, len(labels))
    variance = below.var(ddof=1) / len(fake) + above.var(ddof=1) / len(real)
    half = float(norm.ppf(0.5 + level / 2)) * math.sqrt(max(0.0, variance))
    return Estimate(value, max(0.0, value - half), min(1.0, value + half), len(labels))


def share(hits: np.ndarray) -> Estimate:
    """Share of true values among (N,) booleans, N of 1 or more; Wilson interval."""
    count, n = int(np.count_nonzero(hits)), len(hits)
    low, high = wilson(count, n)
    return Estimate(count / n, low, high, n)


def mean_of(estimates: Sequence[Estimate], weights: Sequence[float] | None = None) -> Estimate:
    """Mean of independent figures, plain or weighted, such as one metric on several generators.

    The interval is put together from their own (MOVER: Zou and Donner 2008): each end lies as far off
    as the root of the summed squares of the weighted distances to that end.

    Args:
        estimates: at least one.
        weights: one each, summing to more than 0; None: all alike.

    Returns:
        The mean; its `n` is the sum of theirs.
    """
    shares = np.ones(len(estimates)) if weights is None else np.asarray(weights, np.float64)
    shares = shares / shares.sum()
    value, low, high = (np.array([getattr(e, end) for e in estimates]) for end in ("value", "low", "high"))
    mean = float(shares @ value)
    below = float(np.sqrt(((shares * (value - low)) ** 2).sum()))
    above = float(np.sqrt(((shares * (high - value)) ** 2).sum()))
    return Estimate(mean, mean - below, mean + above, sum(e.n for e in estimates))


@dataclass(frozen=True)
class Comparison:
    """Two detectors on the same images.

    Attributes:
        only_first, only_second: images on which only that one is right.
        difference: accuracy of the first less that of the second, with its interval.
        p_value: of McNemar's exact test that both are right equally often.
    """

    only_first: int
    only_second: int
    difference: Estimate
    p_value: float


def mcnemar(first: np.ndarray, second: np.ndarray, level: float = 0.95) -> Comparison:
    """Compare two detectors by which of (N,) images each gets right (booleans), N of 1 or more.

    The p-value is the exact two-sided binomial one on the images where they differ; the interval of the
    difference is Bonett and Price's (2012) adjusted Wald interval for paired shares.
    """
    from scipy.stats import binomtest, norm

    b, c, n = int((first & ~second).sum()), int((second & ~first).sum()), len(first)
    p_b, p_c = (b + 1) / (n + 2), (c + 1) / (n + 2)
    half = float(norm.ppf(0.5 + level / 2)) * math.sqrt((p_b + p_c - (p_b - p_c) ** 2) / (n + 2))
    centre = p_b - p_c
    difference = Estimate((b - c) / n, max(-1.0, centre - half), min(1.0, centre + half), n)
    return Comparison(b, c, difference, float(binomtest(b, b + c).pvalue) if b + c else 1.0)
