"""Metrics against hand-computed cases, scikit-learn and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from genimage_core.metrics.classification import (
    accuracy,
    auroc,
    finite_logit,
    wilson,
)
from tests.helpers.calibration_error import expected_calibration_error


def test_wilson_by_hand() -> None:
    low, high = wilson(5, 10)
    assert (low, high) == (pytest.approx(0.2366, abs=1e-4), pytest.approx(0.7634, abs=1e-4))
    assert wilson(0, 20)[0] == pytest.approx(0.0, abs=1e-12)


def test_accuracy_by_hand() -> None:
    found = accuracy(np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.1, 0.6]))
    assert found.value == 0.5
    assert found.n == 4


def test_auroc_by_hand() -> None:
    # Of the four (fake, real) pairs three are in order: .75.
    found = auroc(np.array([1, 1, 0, 0]), np.array([0.9, 0.4, 0.1, 0.6]))
    assert found.value == 0.75


@pytest.mark.filterwarnings("error")
def test_auroc_of_one_image_of_a_class_is_uncertain() -> None:
    found = auroc(np.array([1, 0, 0]), np.array([0.9, 0.1, 0.2]))
    assert (found.value, found.low, found.high) == (1.0, 0.0, 1.0)


def test_auroc_interval_covers_the_truth() -> None:
    """DeLong's 95 % interval holds the true value in about 95 % of simulated experiments."""
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    truth = norm.cdf(1.0 / np.sqrt(2))
    hits = 0
    for _ in range(300):
        labels = np.repeat([0, 1], 60)
        scores = rng.normal(labels * 1.0, 1.0)
        found = auroc(labels, scores)
        assert found.value == pytest.approx(roc_auc_score(labels, scores))
        hits += found.low <= truth <= found.high
    assert 0.90 <= hits / 300 <= 0.985


def test_ece_by_hand() -> None:
    labels = np.array([1, 0, 1, 1])
    assert expected_calibration_error(labels, np.full(4, 0.75)) == pytest.approx(0.0)
    assert expected_calibration_error(labels, np.full(4, 0.25)) == pytest.approx(0.5)
    assert expected_calibration_error(np.array([1]), np.array([1.0])) == 0.0


def test_the_logit_is_finite_at_the_ends() -> None:
    low, middle, high = finite_logit(np.array([0.0, 0.5, 1.0]))
    assert middle == 0
    assert -low == pytest.approx(high) and np.isfinite(high)  # noqa: PT018
