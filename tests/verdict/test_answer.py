"""One answer: the file's word first, then the pixels; the odds follow the prior by Bayes' rule."""

from __future__ import annotations

import pytest

from genimage_core.provenance import Provenance, Source
from genimage_core.utils.errors import PriorError
from genimage_core.verdict.answer import bayes, find_answer
from genimage_core.verdict.combine import Combination, ZoneShare, combine, zone_share
from genimage_core.verdict.labels import ANSWER_STYLES

HOW = Combination(
    weights={"a": 1.0}, bias=0.0, single={"a": (1.0, 0.0)}, low=0.2, high=0.8, lean_low=0.4, lean_high=0.6,
    zones={"fake": ZoneShare(value=0.93, n=50), "real": ZoneShare(value=0.06, n=70)}, fitted_on="test",
)  # fmt: skip
SAYS_AI = Provenance(
    ai=True, made_by="OpenAI", explanation="It says so.",
    said_by=Source(kind="c2pa", claim="digital source type", value="made by generative AI", trusted=True),
)  # fmt: skip


@pytest.mark.parametrize(
    ("score", "answer"),
    [(0.9, "ai"), (0.7, "leans_ai"), (0.5, "cannot_tell"), (0.3, "leans_photo"), (0.1, "photo")],
)
def test_five_zones_give_five_answers(score: float, answer: str) -> None:
    found = find_answer(Provenance(), None, combine({"a": score}, HOW), how=HOW)
    assert (found.answer, found.basis) == (answer, "pixels")
    assert answer in ANSWER_STYLES


def test_without_measured_borders_an_answer_leans_from_35_and_65() -> None:
    older = HOW.model_copy(update={"lean_low": None, "lean_high": None})
    assert older.borders == (0.2, 0.35, 0.65, 0.8)
    narrow = older.model_copy(update={"low": 0.45, "high": 0.55})
    assert narrow.borders == (0.45, 0.45, 0.55, 0.55)
    assert combine({"a": 0.62}, older).zone == "unsure"


def test_the_file_comes_before_the_pixels() -> None:
    found = find_answer(SAYS_AI, "graphic", combine({"a": 0.1}, HOW), how=HOW)
    assert (found.answer, found.basis, found.odds) == ("file_says_ai", "file", None)
    assert found.headline.endswith("(OpenAI, Content Credentials, signature valid)")
    camera = SAYS_AI.model_copy(update={"ai": False, "made_by": ""})
    assert find_answer(camera, None, combine({"a": 0.9}, HOW), how=HOW).answer == "photo"
    edited = SAYS_AI.model_copy(update={"edited": True})
    assert find_answer(edited, None, combine({"a": 0.9}, HOW), how=HOW).headline.startswith("Edited with AI")


def test_a_graphic_is_not_judged() -> None:
    found = find_answer(Provenance(), "graphic", combine({"a": 0.99}, HOW), how=HOW)
    assert (found.answer, found.basis, found.odds) == ("graphic", "none", None)
    assert find_answer(Provenance(), "photograph", combine({"a": 0.99}, HOW), how=HOW).answer == "ai"


def test_odds_are_the_measured_share_and_follow_the_prior() -> None:
    verdict = combine({"a": 0.9}, HOW)
    even = find_answer(Provenance(), None, verdict, how=HOW)
    assert even.odds == pytest.approx(0.93)
    assert "93" in even.sentence
    rare = find_answer(Provenance(), None, verdict, prior=0.01, how=HOW)
    assert rare.odds == pytest.approx(0.93 * 0.01 / (0.93 * 0.01 + 0.07 * 0.99))
    assert rare.answer == even.answer
    assert bayes(0.5, 0.3) == pytest.approx(0.3)
    photograph = find_answer(Provenance(), None, combine({"a": 0.1}, HOW), how=HOW)
    assert "94 were photographs" in photograph.sentence


def test_without_a_measured_share_the_calibrated_score_speaks() -> None:
    found = find_answer(Provenance(), None, combine({"a": 0.7}, HOW), how=HOW)
    assert found.odds == pytest.approx(0.7)
    other_weights = find_answer(Provenance(), None, combine({"a": 0.9}, HOW), how=HOW, measured=False)
    assert other_weights.odds == pytest.approx(0.9)


@pytest.mark.parametrize("prior", [0.0, 1.0, -1.0, float("nan")])
def test_what_is_no_prior_is_refused(prior: float) -> None:
    with pytest.raises(PriorError):
        find_answer(Provenance(), None, combine({"a": 0.9}, HOW), prior=prior, how=HOW)


def test_a_zone_share_weighs_both_classes_the_same() -> None:
    assert zone_share(50, 100, 50, 100).value == pytest.approx(0.5)
    assert zone_share(50, 100, 500, 1000).value == pytest.approx(0.5, abs=0.001)
    none_wrong = zone_share(40, 100, 0, 100)
    assert 0.5 < none_wrong.low < none_wrong.value < 1  # type: ignore[operator]


def test_an_older_combination_tells_of_its_outer_zones() -> None:
    answers = {
        "fakes_called_fake": {"value": 0.4, "n": 100},
        "reals_called_fake": {"value": 0.02, "n": 100},
        "fakes_called_real": {"value": 0.1, "n": 100},
        "reals_unsure": {"value": 0.38, "n": 100},
    }
    older = HOW.model_copy(update={"zones": {}, "figures": {"scores": {"answers": answers}}})
    shares = older.zone_shares()
    assert set(shares) == {"fake", "real"}
    assert shares["fake"].value == pytest.approx(40.5 / 43, abs=1e-4)
    assert shares["real"].value == pytest.approx(10.5 / 71, abs=1e-4)
