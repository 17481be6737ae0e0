"""Fit the combination and its unsure band on half of the held-out scores, measure on the other half."""

from __future__ import annotations

import hashlib
import math

import numpy as np
import pandas as pd
from scipy.optimize import minimize

from genimage_core.evaluation.metrics import Estimate, accuracy, auroc, expected_calibration_error, wilson
from genimage_core.verdict import EDGE, Combination

RIDGE = 1e-3


def to_log_odds(p: np.ndarray) -> np.ndarray:
    """P in [0, 1] -> log(p / (1 - p)), finite at the ends."""
    p = np.clip(p, EDGE, 1 - EDGE)
    return np.log(p / (1 - p))


def half_of(group: str) -> int:
    """0 or 1 by a hash of the group's name, so that a group never lies in both halves."""
    return hashlib.sha256(group.encode()).digest()[0] % 2


def wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of scores -> one row an image, one column a detector; images lacking a score are left out."""
    table = rows.pivot_table(index=["image_id", "generator", "label"], columns="detector", values="p_fake")
    return table.dropna().reset_index()


def fit_logistic(x: np.ndarray, y: np.ndarray, *, nonnegative: bool) -> tuple[np.ndarray, float]:
    """Logistic regression with a small ridge; weights bounded at 0 when `nonnegative`.

    Args:
        x: (N, D) features. y: (N,) in {0, 1}.

    Returns:
        (D,) weights and the intercept.
    """

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ theta[:-1] + theta[-1]
        loss = np.logaddexp(0, z).mean() - (y * z).mean() + RIDGE * (theta[:-1] ** 2).sum()
        error = (1 / (1 + np.exp(-z)) - y) / len(y)
        gradient = np.append(x.T @ error + 2 * RIDGE * theta[:-1], error.sum())
        return float(loss), gradient

    bounds = [(0.0 if nonnegative else None, None)] * x.shape[1] + [(None, None)]
    found = minimize(objective, np.full(x.shape[1] + 1, 0.1), jac=True, bounds=bounds, method="L-BFGS-B")
    return found.x[:-1], float(found.x[-1])


def choose_band(p: np.ndarray, labels: np.ndarray, share: float = 0.02) -> tuple[float, float]:
    """(low, high) such that at most `share` of each class lies beyond the wrong end.

    The band always holds .5: with good detectors it is narrow, and never absent.
    """
    high = float(np.quantile(p[labels == 0], 1 - share))
    low = float(np.quantile(p[labels == 1], share))
    return min(low, 0.45), max(high, 0.55)


def _rate(hits: np.ndarray) -> dict[str, float | int]:
    low, high = wilson(int(hits.sum()), len(hits))
    return Estimate(float(hits.mean()), low, high, len(hits)).as_dict()


def calibrate(rows: pd.DataFrame, groups: dict[str, str], fitted_on: str) -> Combination:
    """Fit on the images whose group falls in half 0, measure on half 1.

    Args:
        rows: scores of several detectors on the same images.
        groups: image id -> group; images of a group show the same thing.
        fitted_on: the data in words.
    """
    table = wide(rows)
    names = [c for c in table.columns if c not in ("image_id", "generator", "label")]
    half = np.array([half_of(groups.get(i, i)) for i in table["image_id"]])
    z = to_log_odds(table[names].to_numpy(float))
    y = table["label"].to_numpy(int)
    fit, held = half == 0, half == 1
    weights, bias = fit_logistic(z[fit], y[fit], nonnegative=True)
    single = {}
    for i, name in enumerate(names):
        slope, intercept = fit_logistic(z[fit][:, i : i + 1], y[fit], nonnegative=True)
        single[name] = (round(float(slope[0]), 5), round(intercept, 5))
    p = 1 / (1 + np.exp(-(z @ weights + bias)))
    low, high = choose_band(p[fit], y[fit])
    real, fake = held & (y == 0), held & (y == 1)
    figures = {
        "n_fitted": int(fit.sum()),
        "n_held_out": int(held.sum()),
        "held_out": {
            "auroc": auroc(y[held], p[held]).as_dict(),
            "accuracy": accuracy(y[held], p[held]).as_dict(),
            "ece": round(expected_calibration_error(y[held], p[held]), 4),
            "reals_called_fake": _rate(p[real] > high),
            "reals_unsure": _rate((p[real] >= low) & (p[real] <= high)),
            "fakes_called_real": _rate(p[fake] < low),
            "fakes_unsure": _rate((p[fake] >= low) & (p[fake] <= high)),
            "mean_log_odds_auroc": auroc(y[held], z[held].mean(1)).as_dict(),
        },
    }
    return Combination(
        weights={n: round(float(w), 5) for n, w in zip(names, weights, strict=True)},
        bias=round(bias, 5),
        single=single,
        low=math.floor(low * 1000) / 1000,
        high=math.ceil(high * 1000) / 1000,
        fitted_on=fitted_on,
        figures=figures,
    )
