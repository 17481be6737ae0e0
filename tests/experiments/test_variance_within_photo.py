"""How much of a score belongs to the photograph: the script's figures, from made-up scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from experiments.variance_within_photo import within_photo


def scores(between: float, within: float, shift: float = -1.0) -> tuple[pd.DataFrame, pd.Series]:
    """400 photographs with three crops each, log-odds of known variances, and one without a group."""
    rng = np.random.default_rng(0)
    photo = np.repeat(np.arange(400), 3)
    z = shift + rng.normal(0, between, 400)[photo] + rng.normal(0, within, 1200)
    ids = [f"g/{i}" for i in range(1200)]
    rows = pd.DataFrame({"image_id": ids, "label": 0, "detector": "d", "p_fake": 1 / (1 + np.exp(-z))})
    other = pd.DataFrame({"image_id": ["x"], "label": [0], "detector": ["d"], "p_fake": [1.0]})
    return pd.concat([rows, other]), pd.Series([str(p) for p in photo], index=ids)


@pytest.mark.parametrize(("between", "within"), [(1.0, 1.0), (2.0, 1.0), (0.1, 1.0)])
def test_the_share_of_variance_within_is_found(between: float, within: float) -> None:
    (line,) = within_photo(*scores(between, within)).to_dict("records")
    assert line["photographs"] == 400
    assert line["crops"] == 1200
    assert line["variance within"] == pytest.approx(within**2 / (between**2 + within**2), abs=0.07)


def test_the_mean_of_crops_is_called_fake_less_often() -> None:
    (line,) = within_photo(*scores(0.1, 1.0)).to_dict("records")
    assert 0.1 < line["crops above .5"] < 0.22
    assert line["photographs above .5"] < 0.08


def test_fakes_and_single_crops_have_no_say() -> None:
    rows, groups = scores(1.0, 1.0)
    fakes = rows.assign(label=1, p_fake=0.99, image_id="f" + rows["image_id"])
    more = pd.concat([groups, pd.Series(groups.to_numpy(), index="f" + groups.index)])
    more["x"] = "alone"
    pd.testing.assert_frame_equal(within_photo(pd.concat([rows, fakes]), more), within_photo(rows, groups))
