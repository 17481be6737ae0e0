"""Metrics read off the ROC and precision-recall curves, and ECE, with bootstrap intervals.

scikit-learn defines them (`roc_curve`, `average_precision_score`; tests hold the values to it), but computes
one curve at a time. A bootstrap needs a thousand, so the curves of all resamples are drawn here at once: a
resample is a count for each image, and the images are sorted only once.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from genimage_core.metrics.classification import Estimate

REPLICATES = 1000
ECE_BINS = 15
_CELLS = 2_000_000
"""Most values of one array (resamples x images), 16 MB."""


def curve_metrics(
    labels: np.ndarray, scores: np.ndarray, counts: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Metrics of each of R weightings of the same images.

    - `average_precision`: sum of precision times the recall gained, from the highest threshold down,
      without interpolation (scikit-learn's definition).
    - `eer`: the equal error rate, where the straight lines between the points of the ROC curve meet
      false-positive rate = false-negative rate.
    - `tpr_at_fpr_1`, `tpr_at_fpr_5`: the highest true-positive rate among the thresholds whose
      false-positive rate is at most 1 % or 5 %; nothing is interpolated.
    - `ece`: expected calibration error in `ECE_BINS` bins of equal width (Guo et al. 2017).

    Args:
        labels: (N,) in {0, 1}, both present.
        scores: (N,) P(fake) in [0, 1].
        counts: (R, N), how often each image counts, each class at least once a row; None: once each.

    Returns:
        name -> (R,) float64.
    """
    order = np.argsort(-scores, kind="stable")
    scores, fake = scores[order].astype(np.float64), labels[order].astype(np.float64)
    counts = np.ones((1, len(fake))) if counts is None else counts[:, order].astype(np.float64)
    # Images of equal score pass a threshold together: points of the curve lie at the last of each.
    ends = np.flatnonzero(np.append(np.diff(scores) != 0, True))
    tp = np.cumsum(counts * fake, axis=1)[:, ends]
    fp = np.cumsum(counts * (1 - fake), axis=1)[:, ends]
    tpr, fpr = tp / tp[:, -1:], fp / fp[:, -1:]
    gained = np.diff(tpr, axis=1, prepend=0.0)
    # Where a resample holds none of the highest scores, nothing has passed yet and nothing is gained.
    precision = tp / np.maximum(tp + fp, 1.0)
    return {
        "average_precision": (gained * precision).sum(1),
        "eer": _equal_error_rate(fpr, tpr),
        "tpr_at_fpr_1": _tpr_at(fpr, tpr, 0.01),
        "tpr_at_fpr_5": _tpr_at(fpr, tpr, 0.05),
        "ece": _ece(fake, scores, counts),
    }


def _tpr_at(fpr: np.ndarray, tpr: np.ndarray, limit: float) -> np.ndarray:
    return np.where(fpr <= limit, tpr, 0.0).max(1)


def _equal_error_rate(fpr: np.ndarray, tpr: np.ndarray) -> np.ndarray:
    start = np.zeros((len(fpr), 1))
    fpr, fnr = np.hstack([start, fpr]), np.hstack([start + 1, 1 - tpr])
    # fpr - fnr climbs from -1 to 1: it crosses 0 between the last point below and the next.
    after = np.argmax(fpr >= fnr, axis=1)
    rows = np.arange(len(fpr))
    x0, x1 = fpr[rows, after - 1], fpr[rows, after]
    gap0, gap1 = x0 - fnr[rows, after - 1], x1 - fnr[rows, after]
    return x0 + (x1 - x0) * (-gap0) / (gap1 - gap0)


def _ece(fake: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    place = np.minimum((scores * ECE_BINS).astype(int), ECE_BINS - 1)
    member = (place[:, None] == np.arange(ECE_BINS)).astype(np.float64)
    # In each bin |sum of scores - number of fakes| is its gap times its size.
    return np.abs(counts @ (member * (scores - fake)[:, None])).sum(1) / counts.sum(1)


def resample_counts(labels: np.ndarray, replicates: int, rng: np.random.Generator) -> np.ndarray:
    """(R, N) counts: in each row every class is drawn anew, with replacement, in its own number."""
    counts = np.zeros((replicates, len(labels)), np.int32)
    for label in (0, 1):
        places = np.flatnonzero(labels == label)
        drawn = rng.integers(0, len(places), (replicates, len(places)))
        drawn += np.arange(replicates)[:, None] * len(places)
        flat = np.bincount(drawn.ravel(), minlength=replicates * len(places))
        counts[:, places] = flat.reshape(replicates, len(places))
    return counts


def curve_estimates(
    labels: np.ndarray, scores: np.ndarray, *, seed: int = 0, replicates: int = REPLICATES
) -> Mapping[str, Estimate]:
    """The metrics of `curve_metrics`, each with a 95 % interval from a bootstrap stratified by class.

    The interval holds the middle 95 % of the resamples' values and, where those are biased (as of ECE in
    small samples), is widened to hold the measured value.

    Args:
        labels: (N,) in {0, 1}, both present.
        scores: (N,) P(fake) in [0, 1].
        seed: of the resamples.
        replicates: number of resamples.

    Raises:
        ValueError: only one class is present.
    """
    if len(np.unique(labels)) != 2:
        raise ValueError("both classes are needed")
    rng = np.random.default_rng(seed)
    at_once = max(1, min(replicates, _CELLS // len(labels)))
    sizes = [min(at_once, replicates - start) for start in range(0, replicates, at_once)]
    parts = [curve_metrics(labels, scores, resample_counts(labels, size, rng)) for size in sizes]
    found = {}
    for name, value in curve_metrics(labels, scores).items():
        low, high = np.quantile(np.concatenate([part[name] for part in parts]), (0.025, 0.975))
        here = float(value[0])
        found[name] = Estimate(here, min(float(low), here), max(float(high), here), len(labels))
    return found


def ece_estimate(labels: np.ndarray, scores: np.ndarray, *, seed: int = 0, replicates: int = 500) -> Estimate:
    """ECE alone, with the interval of `curve_estimates`, in a fraction of the time.

    Args:
        labels: (N,) in {0, 1}, both present. scores: (N,) P(fake) in [0, 1].
    """
    fake, scores = labels.astype(np.float64), scores.astype(np.float64)
    counts = resample_counts(labels, replicates, np.random.default_rng(seed)).astype(np.float64)
    here = float(_ece(fake, scores, np.ones((1, len(fake))))[0])
    low, high = np.quantile(_ece(fake, scores, counts), (0.025, 0.975))
    return Estimate(here, min(float(low), here), max(float(high), here), len(labels))
