"""Curve metrics, intervals and averages against scikit-learn, simulation and hand-made cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import interp1d
from scipy.optimize import brentq
from scipy.stats import norm
from sklearn.metrics import average_precision_score, roc_curve

from genimage_core.metrics.bootstrap import curve_estimates, curve_metrics, resample_counts
from genimage_core.metrics.classification import Estimate, mcnemar, mean_of, share
from genimage_core.metrics.registry import called_fake
from tests.helpers.calibration_error import expected_calibration_error


def some_scores(seed: int, n: int = 80, digits: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Labels and overlapping scores, with ties."""
    rng = np.random.default_rng(seed)
    labels = np.append(rng.integers(0, 2, n - 2), [0, 1])
    scores = 1 / (1 + np.exp(-rng.normal(labels * 2.0 - 1.0, 1.5)))
    return labels, scores.round(digits)


def sklearn_metrics(labels: np.ndarray, scores: np.ndarray) -> dict[str, float]:
    """The same metrics from scikit-learn's curves."""
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    return {
        "average_precision": average_precision_score(labels, scores),
        "eer": brentq(lambda x: 1.0 - x - interp1d(fpr, tpr)(x), 0.0, 1.0),
        "tpr_at_fpr_1": tpr[fpr <= 0.01].max(),
        "tpr_at_fpr_5": tpr[fpr <= 0.05].max(),
        "ece": expected_calibration_error(labels, scores),
    }


def test_curve_metrics_by_hand() -> None:
    # From the top: fake, real, fake, real.
    labels, scores = np.array([1, 0, 1, 0]), np.array([0.9, 0.8, 0.7, 0.1])
    found = {name: float(value[0]) for name, value in curve_metrics(labels, scores).items()}
    assert found["average_precision"] == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert found["eer"] == pytest.approx(0.5)
    assert found["tpr_at_fpr_1"] == found["tpr_at_fpr_5"] == 0.5
    assert found["ece"] == pytest.approx((0.1 + 0.8 + 0.3 + 0.1) / 4)
    perfect = curve_metrics(labels, labels.astype(float))
    assert {name: float(v[0]) for name, v in perfect.items()} == {
        "average_precision": 1, "eer": 0, "tpr_at_fpr_1": 1, "tpr_at_fpr_5": 1, "ece": 0,
    }  # fmt: skip
    reversed_ = curve_metrics(labels, 1 - labels.astype(float))
    assert float(reversed_["eer"][0]) == float(reversed_["ece"][0]) == 1.0
    tied = curve_metrics(labels, np.full(4, 0.5))
    assert float(tied["eer"][0]) == float(tied["average_precision"][0]) == 0.5


@pytest.mark.parametrize("seed", range(8))
def test_curve_metrics_are_scikit_learns(seed: int) -> None:
    labels, scores = some_scores(seed, digits=1 + seed % 4)
    found = curve_metrics(labels, scores)
    for name, expected in sklearn_metrics(labels, scores).items():
        assert found[name].shape == (1,)
        assert float(found[name][0]) == pytest.approx(expected, abs=1e-9), name


def test_resampled_curves_are_those_of_repeated_images() -> None:
    labels, scores = some_scores(0)
    counts = resample_counts(labels, 20, np.random.default_rng(0))
    found = curve_metrics(labels, scores, counts)
    for i, row in enumerate(counts):
        for name, expected in sklearn_metrics(np.repeat(labels, row), np.repeat(scores, row)).items():
            assert found[name][i] == pytest.approx(expected, abs=1e-9), name


def test_resampling_keeps_the_size_of_each_class() -> None:
    labels = np.array([0] * 5 + [1] * 30)
    counts = resample_counts(labels, 400, np.random.default_rng(0))
    assert (counts[:, labels == 0].sum(1) == 5).all()
    assert (counts[:, labels == 1].sum(1) == 30).all()
    np.testing.assert_allclose(counts.mean(0), 1, atol=0.25)
    assert counts[:, 0].std() > 0.5


def test_bootstrap_depends_on_its_seed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    labels, scores = some_scores(1)
    assert curve_estimates(labels, scores, seed=3) == curve_estimates(labels, scores, seed=3)
    assert curve_estimates(labels, scores, seed=3) != curve_estimates(labels, scores, seed=4)
    for estimate in curve_estimates(labels, scores).values():
        assert 0 <= estimate.low <= estimate.value <= estimate.high <= 1
        assert estimate.n == 80
    with pytest.raises(ValueError, match="both classes"):
        curve_estimates(np.ones(4, int), scores[:4])


def test_bootstrap_interval_covers_the_truth() -> None:
    """Of two normal classes two deviations apart the EER is the normal share beyond one deviation."""
    rng, hits = np.random.default_rng(0), 0
    for i in range(150):
        labels = np.repeat([0, 1], 100)
        scores = norm.cdf(rng.normal(labels * 2.0 - 1.0, 1.0))
        found = curve_estimates(labels, scores, seed=i, replicates=200)["eer"]
        hits += found.low <= norm.cdf(-1) <= found.high
    assert 0.88 <= hits / 150 <= 0.99


def test_mean_of_by_hand() -> None:
    one, two = Estimate(0.5, 0.4, 0.7, 10), Estimate(0.9, 0.8, 0.9, 30)
    plain = mean_of([one, two])
    assert plain.value == pytest.approx(0.7)
    assert plain.low == pytest.approx(0.7 - 0.5 * np.hypot(0.1, 0.1))
    assert plain.high == pytest.approx(0.7 + 0.5 * 0.2)
    assert plain.n == 40
    assert mean_of([one, two], [10, 30]).value == pytest.approx(0.8)
    alone = mean_of([one], [7])
    assert (alone.value, alone.low, alone.high) == pytest.approx((0.5, 0.4, 0.7))


def test_mean_of_covers_the_truth() -> None:
    rng, truth, hits = np.random.default_rng(0), np.array([0.99, 0.8, 0.6]), 0
    for _ in range(400):
        shares = [share(rng.random(50) < p) for p in truth]
        found = mean_of(shares)
        hits += found.low <= truth.mean() <= found.high
    assert 0.92 <= hits / 400 <= 0.985


def test_mcnemar_by_hand() -> None:
    # 1 image that only the first gets right, 5 that only the second does: p = 2 * (1 + 6) / 2 ** 6.
    first = np.array([True] * 1 + [False] * 5 + [True] * 10)
    second = np.array([False] * 1 + [True] * 5 + [True] * 10)
    found = mcnemar(first, second)
    assert (found.only_first, found.only_second) == (1, 5)
    assert found.p_value == pytest.approx(0.21875)
    assert found.difference.value == pytest.approx(-4 / 16)
    assert found.difference.low < -0.25 < found.difference.high
    other = mcnemar(second, first)
    assert other.p_value == found.p_value
    assert other.difference.low == pytest.approx(-found.difference.high)
    assert mcnemar(first, first).p_value == 1.0


def test_difference_covers_the_truth() -> None:
    """Both right .65, only the first .2, only the second .05, none .1: a difference of .15."""
    rng, hits = np.random.default_rng(0), 0
    for _ in range(400):
        kind = rng.choice(4, 80, p=(0.65, 0.2, 0.05, 0.1))
        found = mcnemar(kind <= 1, kind % 2 == 0).difference
        hits += found.low <= 0.15 <= found.high
    assert 0.92 <= hits / 400 <= 0.985


def test_calibrated_side_is_that_of_the_calibrated_log_odds() -> None:
    scores = np.array([0.0, 0.2, 0.5, 0.8, 1.0])
    assert called_fake(scores).tolist() == [False, False, False, True, True]
    # 1 * log(p / (1 - p)) + log(4) > 0 from p = .2 on (above it).
    assert called_fake(scores, (1.0, np.log(4.0) - 1e-9)).tolist() == [False, False, True, True, True]
    assert called_fake(scores, (0.0, 0.1)).tolist() == [True] * 5
