"""From per-image scores to the combination and its unsure band, and what both are worth.

Every figure is measured on images that the fit had not seen: known generators in folds by group, each
generator of the second set with all its images left out. What ships is then fitted on all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.special import expit

from genimage_core.evaluation.calibration.figures import band_without_own_group, measured, set_figures
from genimage_core.evaluation.calibration.fit import (
    COMBINATIONS,
    LINES,
    Line,
    fit_logistic,
    isotonic_log_odds,
    log_losses,
    with_agreement,
)
from genimage_core.evaluation.calibration.samples import Samples, at, same_images, samples
from genimage_core.evaluation.calibration.unsure_band import Limits, choose_band
from genimage_core.evaluation.calibration.zones import held_out, lean_borders, measure_zones
from genimage_core.verdict.combine import Combination, Subset, subset_key

MOST_FOR_SUBSETS = 9
"""With more detectors the subsets are too many to fit each (2 to the power of their number)."""
FitOn = Literal["scores", "both"]


def calibrate(
    rows: pd.DataFrame,
    groups: Mapping[str, str],
    fitted_on: str,
    *,
    band_rows: pd.DataFrame | None = None,
    fit_on: FitOn = "scores",
    limits: Limits | None = None,
    also: Mapping[str, pd.DataFrame] | None = None,
) -> tuple[Combination, dict[str, Any]]:
    """Choose and fit the calibration of each detector, their combination, and the unsure band.

    Args:
        rows: scores of several detectors on the same images.
        groups: image id -> group; images of a group show the same thing.
        fitted_on: the data in words.
        band_rows: scores on generators that were not trained on; the band keeps to its limits on them, too.
        fit_on: `both` lets these have a say in the weights; their figures leave out one generator at a time.
        limits: what the band keeps to.
        also: name -> other scores of the same images, under another protocol say: figures of what was fitted
            without them.

    Returns:
        What ships, and all figures, JSON-ready.

    Raises:
        EvaluationError: the sets do not belong together, or a class is missing.
    """
    limits = limits or Limits()
    data = samples(rows, band_rows, groups)
    fit = ~data.second if fit_on == "scores" else np.ones(len(data.y), bool)
    lines_by_name, line_losses = _choose_lines(data, fit)
    method, losses = _choose_combination(data, fit, lines_by_name)
    p_single, p = _held_out(data, fit, lines_by_name, method)
    lines = _lines(data, fit, lines_by_name)
    c = _calibrated(data.z, lines)
    weights, bias = COMBINATIONS[method](c[fit], data.y[fit], data.weight[fit])
    low, high = _band(data, p, limits)
    bands = band_without_own_group(data, p, limits)
    lean_low, lean_high = _leans(data, p, low, high)
    zones = measure_zones(data, p, bands)
    figures = measured(data, p_single, p, bands, (low, high), limits)
    figures["band"] |= {"lean_low": lean_low, "lean_high": lean_high}
    figures["zones"] = {name: share.model_dump() for name, share in zones.items()}
    figures |= {
        "method": method,
        "fit_on": fit_on,
        "fitted_on": fitted_on,
        "n_fitted": int(fit.sum()),
        "log_loss": losses,
        "log_loss_single": line_losses,
        "calibration": dict(zip(data.names, lines_by_name, strict=True)),
    }
    for name, other_rows in (also or {}).items():
        here, z = same_images(data, other_rows)
        others = _held_out(data, fit, lines_by_name, method, asked=(here, z))
        found_there = set_figures(replace(at(data, here), z=z), *others, (bands[0][here], bands[1][here]))
        figures.setdefault("also", {})[name] = found_there
    found = Combination(
        weights=_named(data.names, weights),
        bias=round(float(bias), 5),
        single={n: (round(s, 5), round(i, 5)) for n, (s, i) in zip(data.names, lines, strict=True)},
        low=low,
        high=high,
        lean_low=lean_low,
        lean_high=lean_high,
        zones=zones,
        subsets=_subsets(data, fit, c, method, limits),
        fitted_on=fitted_on,
        figures={"method": method, "n_fitted": int(fit.sum())} | figures["sets"],
    )
    return found, figures


def _named(names: Sequence[str], weights: np.ndarray) -> dict[str, float]:
    return {n: round(float(w), 5) for n, w in zip(names, weights, strict=True)}


def _calibrated(z: np.ndarray, lines: Sequence[Line]) -> np.ndarray:
    return np.column_stack([slope * z[:, i] + shift for i, (slope, shift) in enumerate(lines)])


def _lines(data: Samples, rows: np.ndarray, kinds: Sequence[str]) -> list[Line]:
    """Each detector's calibration, of the kind chosen for it, fitted on `rows`."""
    return [LINES[kind](data.z[rows, i], data.y[rows], data.weight[rows]) for i, kind in enumerate(kinds)]


def _splits(data: Samples, fit: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """(rows to fit on, rows to predict) for each fold."""
    return [(fit & (data.fold != k), data.fold == k) for k in np.unique(data.fold)]


def _choose_lines(data: Samples, fit: np.ndarray) -> tuple[list[str], dict[str, dict[str, float]]]:
    """For each detector the calibration with the lower log-loss on held-out images of the fitted set."""
    chosen, losses = [], {}
    for i, name in enumerate(data.names):
        z, each = data.z[:, i], {}
        for kind in ("none", *LINES, "isotonic"):
            loss = np.zeros(len(z))
            for train, test in _splits(data, fit):
                if kind == "none":
                    new = z[test]
                elif kind == "isotonic":
                    new = isotonic_log_odds(z[train], data.y[train], data.weight[train], z[test])
                else:
                    slope, shift = LINES[kind](z[train], data.y[train], data.weight[train])
                    new = slope * z[test] + shift
                loss[test] = log_losses(data.y[test], new)
            each[kind] = round(float(np.average(loss[fit], weights=data.weight[fit])), 4)
        chosen.append(min(LINES, key=each.__getitem__))
        losses[name] = each
    return chosen, losses


def _choose_combination(
    data: Samples, fit: np.ndarray, kinds: Sequence[str]
) -> tuple[str, dict[str, dict[str, float]]]:
    """The combination to ship, and the log-loss of each on held-out images of the fitted set.

    Of those within one standard error of the lowest loss the one that rests on most detectors is taken: a
    single witness can be wrong in ways that images of known generators do not show.
    """
    loss = {name: np.zeros(len(data.y)) for name in (*COMBINATIONS, "logistic with agreement")}
    for train, test in _splits(data, fit):
        lines = _lines(data, train, kinds)
        c_train, c_test = _calibrated(data.z[train], lines), _calibrated(data.z[test], lines)
        for name, make in COMBINATIONS.items():
            weights, bias = make(c_train, data.y[train], data.weight[train])
            loss[name][test] = log_losses(data.y[test], c_test @ weights + bias)
        weights, bias = fit_logistic(
            with_agreement(c_train), data.y[train], data.weight[train], nonnegative=True
        )
        loss["logistic with agreement"][test] = log_losses(
            data.y[test], with_agreement(c_test) @ weights + bias
        )
    means = {name: float(np.average(values[fit], weights=data.weight[fit])) for name, values in loss.items()}
    best = min(COMBINATIONS, key=means.__getitem__)
    table = {}
    for name, values in loss.items():
        gap = values[fit] - loss[best][fit]
        error = float(gap.std(ddof=1) / np.sqrt(len(gap)))
        table[name] = {"mean": round(means[name], 4), "behind": round(means[name] - means[best], 4)}
        table[name]["standard_error"] = round(error, 4)
    lines = _lines(data, fit, kinds)
    c, y, w = _calibrated(data.z[fit], lines), data.y[fit], data.weight[fit]
    near = [name for name in COMBINATIONS if table[name]["behind"] <= table[name]["standard_error"]]
    return max(near, key=lambda name: _spread(COMBINATIONS[name](c, y, w)[0])), table


def _spread(weights: np.ndarray) -> float:
    """How many detectors (D,) weights amount to: 1 where one has all, D where all have the same."""
    return float(weights.sum() ** 2 / max((weights**2).sum(), 1e-12))


def _held_out(
    data: Samples,
    fit: np.ndarray,
    kinds: Sequence[str],
    method: str,
    asked: tuple[np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Calibrated P(fake) of each detector (M, D) and of the combination (M,), by fits without that fold.

    Args:
        data: what is fitted on.
        fit: (N,) the rows that have a say.
        kinds: of each detector's calibration.
        method: of the combination.
        asked: which of the N rows are predicted, and their (M, D) log-odds; None: all, those of `data`.
    """
    here, z = asked or (np.ones(len(data.y), bool), data.z)
    single, p = np.zeros_like(z), np.zeros(len(z))
    for train, test in _splits(data, fit):
        lines = _lines(data, train, kinds)
        weights, bias = COMBINATIONS[method](
            _calibrated(data.z[train], lines), data.y[train], data.weight[train]
        )
        out = test[here]
        c = _calibrated(z[out], lines)
        single[out], p[out] = expit(c), expit(c @ weights + bias)
    return single, p


def _band(data: Samples, p: np.ndarray, limits: Limits) -> tuple[float, float]:
    """The band that keeps to its limits on each set, and on what is no photograph."""
    sets = [~data.second, data.second]
    reals = [p[s & data.photo & (data.y == 0)] for s in sets]
    fakes = [p[s & (data.y == 1)] for s in sets]
    return choose_band(reals, fakes, p[~data.photo & (data.y == 0)], limits)


def _leans(data: Samples, p: np.ndarray, low: float, high: float) -> tuple[float, float]:
    main = held_out(data)
    return lean_borders(data.y[main], p[main], low, high)


def _subsets(data: Samples, fit: np.ndarray, c: np.ndarray, method: str, limits: Limits) -> dict[str, Subset]:
    """A combination with a band of its own for every choice of some detectors.

    Each has its band from the images it was fitted on; so few numbers cannot learn them by heart.
    """
    found: dict[str, Subset] = {}
    if len(data.names) > MOST_FOR_SUBSETS:
        return found
    for size in range(1, len(data.names)):
        for some in combinations(range(len(data.names)), size):
            columns = list(some)
            weights, bias = COMBINATIONS[method](c[fit][:, columns], data.y[fit], data.weight[fit])
            p = expit(c[:, columns] @ weights + bias)
            low, high = _band(data, p, limits)
            lean_low, lean_high = _leans(data, p, low, high)
            names = [data.names[i] for i in columns]
            found[subset_key(names)] = Subset(
                weights=_named(names, weights),
                bias=round(float(bias), 5),
                low=low,
                high=high,
                lean_low=lean_low,
                lean_high=lean_high,
            )
    return found
