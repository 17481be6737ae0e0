"""The unsure band: how high a score must be to be called fake, how low to be called real."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from genimage_core.metrics.by_source import share_by_source
from genimage_core.metrics.classification import share, wilson

MARGIN = 0.9
"""Level at which the share of wrong answers, one-sided, is held under its limit."""
NO_MARGIN = 0.5
"""Level at which the measured share itself has to keep to the limit."""
NARROWEST = (0.45, 0.55)
"""The band always holds this: with good detectors it is narrow, and never absent."""


@dataclass(frozen=True)
class Limits:
    """What the unsure band has to keep to.

    Attributes:
        reals: most real photographs called fake, a share.
        fakes: most fakes called real, a share.
        others: most drawings, renders, screenshots and pages called fake, a share.
    """

    reals: float = 0.02
    fakes: float = 0.1
    others: float = 0.05


def allowed(n: int, limit: float, level: float = MARGIN) -> int | None:
    """Most wrong ones among `n` that keep Wilson's upper bound at or under `limit`; None: too few images.

    >>> allowed(448, 0.02), allowed(60, 0.02)
    (5, None)
    """
    # Wilson's interval has two sides: its upper end at 2 * level - 1 is the one-sided bound at `level`.
    two_sided = 2 * level - 1
    fitting = bisect_right(range(int(n * limit) + 1), limit, key=lambda hits: wilson(hits, n, two_sided)[1])
    return fitting - 1 if fitting else None


def choose_high(reals: np.ndarray, limit: float = 0.02, level: float = MARGIN) -> float:
    """The least P(fake) above which so few of the (N,) reals lie that new ones keep to `limit`.

    With too few reals to promise anything, the highest of them and half the way on to 1.
    """
    hits = allowed(len(reals), limit, level)
    ordered = np.sort(reals)[::-1]
    if hits is None:
        return max(NARROWEST[1], float(ordered[0] + 1) / 2)
    return max(NARROWEST[1], float(ordered[min(hits, len(ordered) - 1)]))


def choose_low(fakes: np.ndarray, limit: float, level: float = MARGIN) -> float:
    """The greatest P(fake) below which so few of the (N,) fakes lie that new ones keep to `limit`."""
    return 1 - choose_high(1 - fakes, limit, level)


def choose_band(
    reals: Sequence[np.ndarray], fakes: Sequence[np.ndarray], others: np.ndarray, limits: Limits
) -> tuple[float, float]:
    """(low, high) that keeps to the limits on each of the sets of P(fake), rounded outwards to 3 digits.

    Args:
        reals, fakes: one array a set of scores; empty ones are passed over.
        others: scores of what is neither a photograph nor generated; may be empty.
        limits: to keep to.
    """
    high = max(choose_high(p, limits.reals) for p in reals if len(p))
    if len(others):
        # Without the margin: so few of them are there that it alone would silence every verdict.
        high = max(high, choose_high(others, limits.others, NO_MARGIN))
    low = min(choose_low(p, limits.fakes) for p in fakes if len(p))
    return float(np.floor(low * 1000 + 1e-6) / 1000), float(min(0.999, np.ceil(high * 1000 - 1e-6) / 1000))


def answer_figures(
    y: np.ndarray,
    p: np.ndarray,
    low: np.ndarray | float,
    high: np.ndarray | float,
    groups: np.ndarray | None = None,
) -> Any:
    """Shares of each kind of answer, with n and 95 % interval; those without images are left out.

    Args:
        y: (N,) labels in {0, 1}. p: (N,) P(fake).
        low, high: the band, one for all or one for each image.
        groups: (N,) sources, which the intervals resample; None: Wilson intervals, image by image.
    """
    said_fake, said_real = p > high, p < low
    answered, fake = said_fake | said_real, y == 1
    wanted = {
        "reals_called_fake": (said_fake, ~fake),
        "reals_unsure": (~answered, ~fake),
        "reals_called_real": (said_real, ~fake),
        "fakes_called_real": (said_real, fake),
        "fakes_unsure": (~answered, fake),
        "fakes_called_fake": (said_fake, fake),
        "answered": (answered, np.ones(len(y), bool)),
        "accuracy_on_answered": (said_fake == fake, answered),
    }
    return {
        name: (share(hits[of]) if groups is None else share_by_source(hits[of], groups[of])).as_dict()
        for name, (hits, of) in wanted.items()
        if of.any()
    }


def halves(
    p: np.ndarray, groups: np.ndarray, limit: float = 0.02, repeats: int = 200, seed: int = 0
) -> dict[str, float | int]:
    """Does the margin hold? Choose `high` on one half of the reals by group, count on the other, many times.

    Args:
        p: (N,) P(fake) of reals. groups: (N,) their groups.

    Returns:
        `mean`: share called fake on the other half, over all repeats; `kept`: share of the repeats in
        which it is at most `limit`; `repeats`; `n`.
    """
    rng = np.random.default_rng(seed)
    names, place = np.unique(groups, return_inverse=True)
    found = []
    for _ in range(repeats):
        first = (rng.random(len(names)) < 0.5)[place]
        if first.any() and not first.all():
            found.append(float((p[~first] > choose_high(p[first], limit)).mean()))
    if not found:
        return {"repeats": 0, "n": len(p)}
    shares = np.array(found)
    kept = float((shares <= limit).mean())
    return {
        "mean": round(float(shares.mean()), 4),
        "kept": round(kept, 3),
        "repeats": len(found),
        "n": len(p),
    }
