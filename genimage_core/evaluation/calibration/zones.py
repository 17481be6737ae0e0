"""The five zones of P(fake): where an answer begins to lean, and what each is worth on held-out images."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import IsotonicRegression

from genimage_core.evaluation.calibration.fit import fold_of
from genimage_core.evaluation.calibration.samples import Samples
from genimage_core.verdict.combine import Band, Zone, ZoneShare, zone_share

LEANING = (0.25, 0.75)
"""Shares of AI images at which an answer begins to lean to one side, if both classes weigh the same."""


def lean_borders(y: np.ndarray, p: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Where, within the unsure band, the share of fakes passes 1/4 and 3/4.

    The share as a function of P(fake) is an isotonic regression in which both classes weigh the same.

    Args:
        y: (N,) labels in {0, 1}. p: (N,) P(fake) in [0, 1].
        low, high: the unsure band.

    Returns:
        The two borders, rounded to 3 digits; an end of the band where the share passes outside of it, or
        where a class is missing.
    """
    counts = np.bincount(y, minlength=2)
    if not counts.all():
        return low, high
    steps = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p, y, 1 / counts[y])
    grid = np.round(np.arange(low, high + 5e-4, 1e-3), 3)
    shares = np.asarray(steps.predict(grid))
    first = grid[np.searchsorted(shares, LEANING[0])] if shares[-1] >= LEANING[0] else high
    last = grid[np.searchsorted(shares, LEANING[1], "right") - 1] if shares[0] <= LEANING[1] else low
    return round(float(first), 3), round(float(max(first, last)), 3)


def held_out(data: Samples) -> np.ndarray:
    """(N,) which images tell what an answer is worth: photographs and fakes of the second set.

    Where there is no such set, or a class of it is missing, those of both sets.
    """
    second = data.second & data.photo
    return second if len(set(data.y[second])) == 2 else data.photo


def measure_zones(
    data: Samples, p: np.ndarray, bands: tuple[np.ndarray, np.ndarray]
) -> dict[Zone, ZoneShare]:
    """Share of fakes in each zone, every image judged by borders chosen on other groups.

    Args:
        data: labels and groups of N images.
        p: (N,) P(fake) from fits without the image.
        bands: (N,) low and high, chosen without the image's group.
    """
    main = held_out(data)
    if len(set(data.y[main])) < 2:
        return {}
    folds = np.array([fold_of(f"band {g}") for g in data.group])
    zones = np.full(len(p), "", dtype="<U12")
    for k in np.unique(folds[main]):
        here, others = main & (folds == k), main & (folds != k)
        low, high = float(bands[0][here][0]), float(bands[1][here][0])
        if len(set(data.y[others])) < 2:
            others = main  # a single fold: nothing else to choose the borders on
        lean_low, lean_high = lean_borders(data.y[others], p[others], low, high)
        band = Band(low=low, high=high, lean_low=lean_low, lean_high=lean_high)
        zones[here] = [band.zone_of(float(value)) for value in p[here]]
    fake, real = main & (data.y == 1), main & (data.y == 0)
    names: tuple[Zone, ...] = ("fake", "leans_fake", "unsure", "leans_real", "real")
    return {
        name: zone_share(
            int((zones[fake] == name).sum()),
            int(fake.sum()),
            int((zones[real] == name).sum()),
            int(real.sum()),
        )
        for name in names
        if (zones[main] == name).any()
    }
