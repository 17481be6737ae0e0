"""What a calibration is worth: reliability, ECE, AUROC and the answers that the unsure band leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from genimage_core.datasets.manifest import PHOTOGRAPHS
from genimage_core.evaluation.calibration.fit import fold_of
from genimage_core.evaluation.calibration.unsure_band import Limits, answer_figures, choose_band, halves
from genimage_core.metrics.bootstrap import ece_estimate
from genimage_core.metrics.by_source import auroc_by_source, share_by_source
from genimage_core.metrics.classification import share

if TYPE_CHECKING:
    from genimage_core.evaluation.calibration.samples import Samples

BINS = 10
MISSED = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
"""Shares of fakes called real that are tried out, to show what each choice would cost."""


def reliability(y: np.ndarray, p: np.ndarray, bins: int = BINS) -> list[dict[str, float | int]]:
    """Points of a reliability diagram: in each equal-width bin the mean P(fake) and the share of fakes.

    Args:
        y: (N,) labels in {0, 1}. p: (N,) P(fake) in [0, 1].

    Returns:
        One entry for each bin that holds images: `p`, `share`, its 95 % interval `low`, `high`, and `n`.
    """
    place = np.minimum((p * bins).astype(int), bins - 1)
    points = []
    for b in np.unique(place):
        found = share(y[place == b] == 1)
        points.append({"p": round(float(p[place == b].mean()), 4), "share": found.as_dict()["value"]})
        points[-1] |= {key: found.as_dict()[key] for key in ("low", "high", "n")}
    return points


def quality(y: np.ndarray, p: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """AUROC, accuracy at .5, ECE (each with n and 95 % interval) and reliability of one set of P(fake).

    The first two intervals resample the (N,) groups.
    """
    return {
        "auroc": auroc_by_source(y, p, groups).as_dict(),
        "accuracy": share_by_source((p > 0.5) == (y == 1), groups).as_dict(),
        "ece": ece_estimate(y, p).as_dict(),
        "reliability": reliability(y, p),
    }


def measured(
    data: Samples,
    p_single: np.ndarray,
    p: np.ndarray,
    bands: tuple[np.ndarray, np.ndarray],
    band: tuple[float, float],
    limits: Limits,
) -> dict[str, Any]:
    """All figures, from P(fake) that fits without the image gave.

    Args:
        data: labels and sets of N images.
        p_single: (N, D) of each detector, calibrated.
        p: (N,) of the combination.
        bands: (N,) low and high, chosen without the image's group.
        band: (low, high) that ships.
        limits: that the band keeps to.

    Returns:
        `sets` and `detectors` of `set_figures`; `band`: what other choices cost.
    """
    main = data.second if data.second.any() else ~data.second
    reals = main & data.photo & (data.y == 0)
    return set_figures(data, p_single, p, bands) | {
        "band": {
            "low": band[0],
            "high": band[1],
            "limit_reals": limits.reals,
            "limit_fakes": limits.fakes,
            "limit_others": limits.others,
            "halves": halves(p[reals], data.group[reals], limits.reals),
            "choices": _choices(data, p, main & data.photo, band[1]),
        },
    }


def set_figures(
    data: Samples, p_single: np.ndarray, p: np.ndarray, bands: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    """`sets`: for each set the combination's quality and answers; `detectors`: each one's, before and after.

    Arguments as in `measured`.
    """
    held_low, held_high = bands
    sets: dict[str, Any] = {}
    detectors: dict[str, Any] = {name: {} for name in data.names}
    for title, member in (("scores", ~data.second), ("band_scores", data.second)):
        if not member.any():
            continue
        here = member & data.photo
        y = data.y[here]
        groups = data.group[here]
        answers = answer_figures(y, p[here], held_low[here], held_high[here], groups)
        sets[title] = {"combination": quality(y, p[here], groups), "answers": answers}
        sets[title]["plain_mean_auroc"] = auroc_by_source(y, data.z[here].mean(1), groups).as_dict()
        sets[title]["generators"] = _by_generator(data, p, here, held_low, held_high)
        if others := sorted(set(data.generator[member & ~data.photo])):
            sets[title]["no_photographs"] = {
                str(g): answer_figures(data.y[o], p[o], held_low[o], held_high[o], data.group[o])
                for g in others
                if (o := member & (data.generator == g)).any()
            }
        for i, name in enumerate(data.names):
            before = quality(y, expit(data.z[here, i]), groups)
            detectors[name][title] = {"before": before, "after": quality(y, p_single[here, i], groups)}
    return {"sets": sets, "detectors": detectors}


def band_without_own_group(data: Samples, p: np.ndarray, limits: Limits) -> tuple[np.ndarray, np.ndarray]:
    """(N,) low and high for each image, chosen on images of other groups."""
    low, high = np.zeros(len(p)), np.zeros(len(p))
    folds = np.array([fold_of(f"band {g}") for g in data.group])
    sets = [~data.second, data.second]
    for k in np.unique(folds):
        others = folds != k
        reals = [p[others & s & data.photo & (data.y == 0)] for s in sets]
        fakes = [p[others & s & (data.y == 1)] for s in sets]
        drawn = p[others & ~data.photo & (data.y == 0)]
        low[folds == k], high[folds == k] = choose_band(reals, fakes, drawn, limits)
    return low, high


def _by_generator(
    data: Samples, p: np.ndarray, here: np.ndarray, low: np.ndarray, high: np.ndarray
) -> dict[str, Any]:
    """Of each generator's images; where they came without photographs of their own, beside those of all."""
    found: dict[str, Any] = {}
    pool = here & (data.generator == PHOTOGRAPHS)
    for name in sorted(set(data.generator[here])):
        rows = here & (data.generator == name)
        found[str(name)] = answer_figures(data.y[rows], p[rows], low[rows], high[rows], data.group[rows])
        if name != PHOTOGRAPHS and set(data.y[rows]) == {1} and pool.any():
            rows |= pool
        if min(np.bincount(data.y[rows], minlength=2)) >= 2:
            found[str(name)]["auroc"] = auroc_by_source(data.y[rows], p[rows], data.group[rows]).as_dict()
    return found


def _choices(data: Samples, p: np.ndarray, here: np.ndarray, high: float) -> list[dict[str, Any]]:
    """What other lower ends of the band would give, `high` kept."""
    y, rows = data.y[here], []
    for missed in MISSED:
        low = min(0.45, float(np.quantile(p[here & (data.y == 1)], missed)))
        rows.append({"fakes_called_real_at_most": missed, "low": round(low, 3)})
        rows[-1] |= answer_figures(y, p[here], low, high)
    return rows
