"""Evidence of large pictures is made band by band, and is the same as of the whole."""

from __future__ import annotations

import numpy as np
import pytest

from genimage_core.explain.kinds import ela, noise
from genimage_core.images.degradations import Jpeg
from tests.conftest import make_image


def test_error_levels_do_not_depend_on_the_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.ascontiguousarray(make_image(5, 200)[:, :150])
    whole = np.abs(image.astype(int) - Jpeg(ela.QUALITY)(image))
    monkeypatch.setattr(ela, "_BAND", 150 * 32)
    np.testing.assert_array_equal(ela.error_levels(image), whole)


@pytest.mark.parametrize("percent", [0, 12.3, 50, 99.5, 100])
def test_the_percentile_of_counts_is_numpys(percent: float) -> None:
    values = np.random.default_rng(1).integers(0, 40, 1234)
    counts = np.bincount(values, minlength=256)
    assert ela.percentile(counts, percent) == pytest.approx(np.percentile(values, percent))


@pytest.mark.parametrize("rows", [1, 7, 64, 200])
def test_the_residual_does_not_depend_on_the_bands(rows: int) -> None:
    image = make_image(6, 130)
    whole = noise.noise_residual(image)
    parts = np.zeros_like(whole)
    for place, part in noise.residual_bands(image, rows):
        parts[place] = part
    np.testing.assert_allclose(parts, whole, atol=1e-3)
