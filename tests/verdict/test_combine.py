"""Combination, unsure band, calibration and the words around them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from genimage_core.images.load import ImageFacts, LoadedImage, load_image
from genimage_core.utils.errors import WeightsError
from genimage_core.verdict.combine import (
    Combination,
    Subset,
    combine,
    combine_early,
    decisive,
    load_combination,
)
from genimage_core.verdict.image_warnings import find_image_warnings
from genimage_core.verdict.pipeline import analyse, explain
from tests.conftest import make_image

HOW = Combination(
    weights={"a": 1.0, "b": 0.5}, bias=0.0, single={"a": (1.0, 0.0), "b": (1.0, 0.0)}, low=0.3, high=0.7,
    fitted_on="test",
)  # fmt: skip


def test_high_scores_are_fake_and_low_ones_real() -> None:
    assert combine({"a": 0.95, "b": 0.9}, HOW).label == "fake"
    assert combine({"a": 0.05, "b": 0.1}, HOW).label == "real"
    middle = combine({"a": 0.5, "b": 0.5}, HOW)
    assert middle.label == "unsure"
    assert middle.p_fake == pytest.approx(0.5)


def test_combination_is_the_logistic_regression() -> None:
    # log-odds of .8 and .6 are ln 4 and ln 1.5: 1 * ln 4 + .5 * ln 1.5 = ln (4 * sqrt 1.5)
    odds = 4 * 1.5**0.5
    assert combine({"a": 0.8, "b": 0.6}, HOW).p_fake == pytest.approx(odds / (1 + odds))


def test_fewer_witnesses_get_no_bonus_and_strangers_no_say() -> None:
    alone = combine({"a": 0.8, "stranger": 0.01}, HOW)
    assert alone.partial
    assert alone.p_fake == pytest.approx(0.8)
    with pytest.raises(ValueError, match="no score"):
        combine({"stranger": 0.5}, HOW)


def test_agreement_counts_the_winning_side() -> None:
    assert combine({"a": 0.9, "b": 0.4}, HOW).agreement == 0.5
    assert combine({"a": 0.9, "b": 0.8}, HOW).agreement == 1.0


def test_the_verdict_stands_before_those_who_have_no_say_in_it() -> None:
    how = HOW.model_copy(update={"weights": {"a": 1.0, "b": 0.0}})
    assert decisive(how) == {"a"}
    assert combine_early({"b": 0.1}, how) is None
    early, whole = combine_early({"a": 0.9}, how), combine({"a": 0.9, "b": 0.1}, how)
    assert early is not None
    assert (early.p_fake, early.label, early.low, early.high) == (
        whole.p_fake,
        whole.label,
        whole.low,
        whole.high,
    )
    assert early.agreement == 1.0  # of the one that has answered
    assert set(early.calibrated) == {"a"}


def test_agreement_is_of_calibrated_scores() -> None:
    # b's own .6 counts as real: on held-out images it said so of photographs.
    how = HOW.model_copy(update={"single": {"a": (1.0, 0.0), "b": (1.0, -1.0)}})
    verdict = combine({"a": 0.9, "b": 0.6}, how)
    assert verdict.agreement == 0.5
    assert verdict.calibrated["a"] == pytest.approx(0.9)
    assert verdict.calibrated["b"] == pytest.approx(1.5 / (1.5 + 2.71828), abs=1e-3)


def test_a_choice_of_detectors_has_its_own_combination() -> None:
    some = Subset(weights={"a": 2.0}, bias=0.0, low=0.1, high=0.99)
    how = HOW.model_copy(update={"subsets": {"a": some}})
    verdict = combine({"a": 0.8, "stranger": 0.5}, how)
    assert verdict.p_fake == pytest.approx(16 / 17)
    assert (verdict.label, verdict.high) == ("unsure", 0.99)


def test_certain_scores_stay_finite() -> None:
    assert combine({"a": 1.0, "b": 1.0}, HOW).p_fake <= 1.0
    assert combine({"a": 0.0, "b": 0.0}, HOW).p_fake >= 0.0


def test_missing_combination_is_clear(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="calibrate"):
        load_combination(tmp_path / "absent.json")


def facts(**changes: object) -> ImageFacts:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(make_image(0)).save(buffer, "JPEG", quality=int(changes.get("quality", 90)))  # type: ignore[call-overload]
    return load_image(buffer.getvalue(), name="a.jpg").facts


def test_conditions_name_what_is_out_of_range() -> None:
    assert [c.name for c in find_image_warnings(make_image(0, 64))][:1] == ["too_small"]
    assert [c.name for c in find_image_warnings(np.full((200, 200, 3), 90, np.uint8))] == ["blurred"]
    assert [c.name for c in find_image_warnings(make_image(0), facts(quality=30))] == ["heavy_compression"]
    assert find_image_warnings(make_image(0, 200)) == []


def test_explanations_never_promise_proof() -> None:
    text = explain(combine({"a": 0.99, "b": 0.98}, HOW), 2)
    assert "2 of 2" in text
    assert "not proof" in text
    assert "cannot tell" in explain(combine({"a": 0.5, "b": 0.5}, HOW), 2)


@pytest.mark.parametrize(
    ("p", "others"), [(0.1, "images score this low"), (0.9, "photographs score this high")]
)
def test_an_unsure_answer_that_leans_says_why_it_is_unsure(p: float, others: str) -> None:
    verdict = combine({"a": 0.5, "b": 0.5}, HOW).model_copy(update={"p_fake": p, "label": "unsure"})
    assert others in explain(verdict, 2)


def test_report_is_json_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("genimage_core.verdict.combine.load_combination", lambda: HOW)
    report = analyse(LoadedImage(make_image(0), facts()), {"a": 0.9, "b": 0.9})
    assert json.loads(json.dumps(report.as_dict()))["verdict"] == "fake"
