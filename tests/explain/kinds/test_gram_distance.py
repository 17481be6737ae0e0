"""GramNet's texture against photographs: the shipped statistics, and the script that makes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.reference_stats import make_gram, make_spectra, thinned, write
from genimage_core.datasets import scan_dataset
from genimage_core.detectors import load_detector
from genimage_core.detectors.weights.store import load_state
from genimage_core.explain import explain, reference_stats
from genimage_core.explain.kinds.gram_distance import deviations, distance, gram_numbers, share_below
from genimage_core.explain.reference_stats import QUANTILES, REAL, gram_reference
from genimage_core.utils.errors import ExplainError
from tests.conftest import make_image

needs_statistics = pytest.mark.skipif(
    not (reference_stats.FOLDER / "gram.npz").is_file(),
    reason="made by `python -m experiments.reference_stats --data DIR --only gram`",
)


@needs_statistics
def test_the_statistics_belong_to_the_weights_shipped() -> None:
    assert gram_reference().weights_sha256 == load_state("gramnet")[1]


@needs_statistics
def test_the_shipped_distances_are_plausible() -> None:
    reference = gram_reference()
    assert reference.groups[0] == REAL
    assert (np.diff(reference.quantiles, axis=1) >= 0).all()
    assert 0.5 < reference.quantiles[0, QUANTILES.index(50)] < 1.5  # 1 is usual for photographs


def test_one_standard_deviation_everywhere_is_a_distance_of_one() -> None:
    mean, spread = np.full((6, 32), 2.0), np.full((6, 32), 0.5)
    np.testing.assert_allclose(deviations(mean + spread, mean, spread), 1)
    assert distance(mean - 3 * spread, mean, spread) == pytest.approx(3)
    assert distance(mean, mean, spread) == 0


def test_shares_are_read_between_quantiles() -> None:
    quantiles = np.linspace(1, 3, len(QUANTILES))
    assert [share_below(v, quantiles) for v in (0, 1.5, 9)] == pytest.approx([0, 0.25, 1])


@needs_statistics
def test_statistics_of_other_weights_are_refused() -> None:
    detector = load_detector("gramnet", runtime="torch")
    found = explain(make_image(1), {"gramnet": detector}, "gram_distance")
    assert found.data["distance"] > 0
    assert found.images["gram_distance"].shape[2] == 3
    detector.weights_id = "other"
    with pytest.raises(ExplainError, match="other weights"):
        explain(make_image(1), {"gramnet": detector}, "gram_distance")


def test_the_script_measures_a_data_set(
    toy_dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = scan_dataset(toy_dataset)
    detector = load_detector("gramnet", runtime="torch")
    arrays, facts = make_gram(records, detector, most=4)
    assert facts["groups"] == [REAL, "alpha", "beta"]
    assert facts["counts"] == [4, 4, 4]
    photographs = thinned([r for r in records if r.split == "train" and r.label == 0], 4)
    from genimage_core.images.load import load_image

    numbers = np.stack([gram_numbers(load_image(r.path).pixels, detector) for r in photographs])
    np.testing.assert_allclose(arrays["mean"], numbers.mean(0), rtol=1e-4, atol=1e-6)
    spectra, facts = make_spectra(records)
    write(tmp_path / "out", "spectra", spectra, facts)
    monkeypatch.setattr(reference_stats, "FOLDER", tmp_path / "out")
    reference_stats.spectrum_reference.cache_clear()
    again = reference_stats.spectrum_reference()
    reference_stats.spectrum_reference.cache_clear()
    assert again.groups == [REAL, "alpha", "beta"]
    assert again.means.shape == (3, 128, 128)
    # The toy fakes carry a checkerboard, the highest frequency in both directions.
    excess = again.means[1] - again.means[0]
    assert np.unravel_index(np.argmax(excess), excess.shape) == (0, 0)
