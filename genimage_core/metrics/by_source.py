"""Figures whose intervals resample sources: images of one site, artist or generator run resemble one another.

A bootstrap of images would call a thousand pictures of one source a thousand witnesses. Here sources are
drawn with replacement, separately within each class, and each brings all of its images along (the cluster
bootstrap; Field and Welsh 2007).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genimage_core.metrics.classification import Estimate

REPLICATES = 1000


def source_counts(
    sources: Sequence[str] | np.ndarray,
    strata: Sequence[int] | np.ndarray,
    replicates: int = REPLICATES,
    seed: int = 0,
) -> np.ndarray:
    """How often each image counts in each resample.

    Args:
        sources: (N,) names.
        strata: (N,) classes; sources are drawn within each, so that none is lost.
        replicates: resamples R.
        seed: of the draws.

    Returns:
        (R, N) whole numbers.
    """
    rng = np.random.default_rng(seed)
    names, strata = np.asarray(sources), np.asarray(strata)
    counts = np.zeros((replicates, len(names)), np.int32)
    for stratum in np.unique(strata):
        rows = np.flatnonzero(strata == stratum)
        found, place = np.unique(names[rows], return_inverse=True)
        drawn = rng.multinomial(len(found), np.full(len(found), 1 / len(found)), size=replicates)
        counts[:, rows] = drawn[:, place]
    return counts


def weighted_auroc(labels: np.ndarray, scores: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """(R,) areas under the ROC curve of (N,) scores, images counting as (R, N) `counts` say."""
    order = np.argsort(scores, kind="stable")
    ranked, fake = scores[order], labels[order] == 1
    weights = counts[:, order].astype(np.float64)
    ends = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    fakes = np.diff(np.cumsum(weights * fake, axis=1)[:, ends], axis=1, prepend=0.0)
    reals = np.diff(np.cumsum(weights * ~fake, axis=1)[:, ends], axis=1, prepend=0.0)
    below = np.cumsum(reals, axis=1) - reals
    won = (fakes * (below + reals / 2)).sum(1)
    return won / (fakes.sum(1) * reals.sum(1))


def auroc_by_source(
    labels: np.ndarray,
    scores: np.ndarray,
    sources: Sequence[str] | np.ndarray,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """AUROC of (N,) scores against (N,) labels in {0, 1}; percentile interval over resampled sources.

    Raises:
        ValueError: only one class is present.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if len(np.unique(labels)) != 2:
        raise ValueError("an AUROC needs both classes")
    value = weighted_auroc(labels, scores, np.ones((1, len(labels))))[0]
    found = weighted_auroc(labels, scores, source_counts(sources, labels, seed=seed))
    return _estimate(float(value), found, level, len(labels))


def share_by_source(
    hits: np.ndarray, sources: Sequence[str] | np.ndarray, level: float = 0.95, seed: int = 0
) -> Estimate:
    """Share of true values among (N,) booleans; percentile interval over resampled sources.

    A single source says nothing of the spread between sources: the interval is [0, 1] then.
    """
    hits = np.asarray(hits, bool)
    if len(np.unique(np.asarray(sources))) < 2:
        return Estimate(float(hits.mean()), 0.0, 1.0, len(hits))
    counts = source_counts(sources, np.zeros(len(hits), int), seed=seed)
    found = (counts @ hits) / np.maximum(counts.sum(1), 1)
    return _estimate(float(hits.mean()), found, level, len(hits))


def _estimate(value: float, found: np.ndarray, level: float, n: int) -> Estimate:
    low, high = np.nanquantile(found, [(1 - level) / 2, (1 + level) / 2])
    return Estimate(value, min(value, float(low)), max(value, float(high)), n)
