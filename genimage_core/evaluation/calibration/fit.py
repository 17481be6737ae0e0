"""The small models behind a verdict: calibration of one detector, combination of several.

All are logistic regressions on log-odds, so that each can be read off its few numbers. Which one is
taken is decided by log-loss on images of groups that the fit has not seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.isotonic import IsotonicRegression

from genimage_core.metrics.classification import finite_logit

RIDGE = 1e-3
FOLDS = 5
Line = tuple[float, float]
"""Slope and intercept of calibrated log-odds over a detector's own."""


def fold_of(group: str, folds: int = FOLDS) -> int:
    """0 to `folds` - 1 by a hash of the group's name, so that a group never lies in two folds."""
    return hashlib.sha256(group.encode()).digest()[0] % folds


def log_losses(y: np.ndarray, log_odds: np.ndarray) -> np.ndarray:
    """(N,) log-loss of each image, in nats."""
    return np.logaddexp(0, log_odds) - y * log_odds


def fit_logistic(
    x: np.ndarray,
    y: np.ndarray,
    w: np.ndarray,
    *,
    nonnegative: bool,
    ridge: float = RIDGE,
    intercept: bool = True,
) -> tuple[np.ndarray, float]:
    """Logistic regression with a ridge; weights bounded at 0 when `nonnegative`.

    Args:
        x: (N, D) features. y: (N,) in {0, 1}. w: (N,) weights of the images.
        nonnegative: no detector may count against its own answer.
        ridge: weight of the squared weights; the intercept goes free.
        intercept: False holds it at 0.

    Returns:
        (D,) weights and the intercept.
    """
    share = w / w.sum()

    def objective(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = x @ theta[:-1] + theta[-1]
        loss = share @ log_losses(y, z) + ridge * (theta[:-1] ** 2).sum()
        error = share * (expit(z) - y)
        return float(loss), np.append(x.T @ error + 2 * ridge * theta[:-1], error.sum())

    bounds: list[tuple[float | None, float | None]] = [(0.0 if nonnegative else None, None)] * x.shape[1]
    bounds.append((None, None) if intercept else (0.0, 0.0))
    start = np.append(np.full(x.shape[1], 0.1), 0.1 if intercept else 0.0)
    found = minimize(objective, start, jac=True, bounds=bounds, method="L-BFGS-B")
    return found.x[:-1], float(found.x[-1])


def temperature(z: np.ndarray, y: np.ndarray, w: np.ndarray) -> Line:
    """Scale (N,) log-odds so that they fit the labels (Guo et al. 2017)."""
    slope, _ = fit_logistic(z[:, None], y, w, nonnegative=True, intercept=False)
    return float(slope[0]), 0.0


def platt(z: np.ndarray, y: np.ndarray, w: np.ndarray) -> Line:
    """Scale and shift (N,) log-odds so that they fit the labels (Platt 1999)."""
    slope, shift = fit_logistic(z[:, None], y, w, nonnegative=True)
    return float(slope[0]), shift


LINES: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], Line]] = {
    "temperature": temperature,
    "platt": platt,
}


def isotonic_log_odds(z: np.ndarray, y: np.ndarray, w: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Log-odds of `new` by isotonic regression, to compare with; its steps have no log-odds to combine."""
    steps = IsotonicRegression(y_min=0.005, y_max=0.995, out_of_bounds="clip").fit(z, y, w)
    return finite_logit(np.asarray(steps.predict(new)))


Linear = tuple[np.ndarray, float]
Combine = Callable[[np.ndarray, np.ndarray, np.ndarray], Linear]


def _mean(c: np.ndarray, y: np.ndarray, w: np.ndarray) -> Linear:
    slope, shift = fit_logistic(c.mean(1, keepdims=True), y, w, nonnegative=True)
    return np.full(c.shape[1], slope[0] / c.shape[1]), shift


def _plain_mean(c: np.ndarray, y: np.ndarray, w: np.ndarray) -> Linear:
    return np.full(c.shape[1], 1 / c.shape[1]), 0.0


def _best_alone(c: np.ndarray, y: np.ndarray, w: np.ndarray) -> Linear:
    losses = [w @ log_losses(y, c[:, i]) for i in range(c.shape[1])]
    return np.eye(c.shape[1])[int(np.argmin(losses))], 0.0


def _logistic(ridge: float) -> Combine:
    return lambda c, y, w: fit_logistic(c, y, w, nonnegative=True, ridge=ridge)


COMBINATIONS: dict[str, Combine] = {
    "plain mean": _plain_mean,
    "mean, scaled": _mean,
    "best detector alone": _best_alone,
    "logistic, ridge .001": _logistic(0.001),
    "logistic, ridge .01": _logistic(0.01),
    "logistic, ridge .1": _logistic(0.1),
}
"""Name -> (calibrated log-odds (N, D), labels, the images' weights) -> weights and intercept."""


def with_agreement(c: np.ndarray) -> np.ndarray:
    """Calibrated log-odds and one more column: their mean times how far their signs agree."""
    agreement = np.abs(np.sign(c).mean(1))
    return np.column_stack([c, c.mean(1) * agreement])
