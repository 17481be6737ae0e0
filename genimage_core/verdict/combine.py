"""From several scores to one answer: fake, real, or unsure.

The combination is a weighted sum of the detectors' calibrated log-odds with weights that cannot be
negative, and the unsure band comes from held-out data; both stand in
`assets/weights/combination.json`, written by `python -m genimage_core dev calibrate`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel
from scipy.special import expit

from genimage_core.metrics.classification import finite_logit, wilson
from genimage_core.utils.errors import NoVerdictError, WeightsError
from genimage_core.utils.paths import asset
from genimage_core.verdict.image_type import WITHHOLDS, Kind

Label = Literal["fake", "real", "unsure"]
Zone = Literal["real", "leans_real", "unsure", "leans_fake", "fake"]
PATH = asset("weights", "combination.json")


LEANS = (0.35, 0.65)
"""Where an answer begins to lean, as long as no file says what was measured."""


class ZoneShare(BaseModel):
    """Share of AI images among held-out pictures in one zone, if both classes weigh the same.

    Attributes:
        value: the share in [0, 1], with half an image added to each class, so that none is 0 or 1.
        low, high: its interval of at least 95 %; None where it was not measured.
        n: images in the zone.
    """

    value: float
    low: float | None = None
    high: float | None = None
    n: int


class Band(BaseModel):
    """The borders of the five zones of P(fake).

    Attributes:
        low, high: below `low` is "real", above `high` "fake", between "unsure".
        lean_low, lean_high: within the unsure band, below `lean_low` it leans towards "real", above
            `lean_high` towards "fake"; None where a file doesn't say.
    """

    low: float
    high: float
    lean_low: float | None = None
    lean_high: float | None = None

    @property
    def borders(self) -> tuple[float, float, float, float]:
        """The four borders in ascending order."""
        low, high = LEANS
        first = self.low if self.lean_low is None and low < self.low else self.lean_low
        last = self.high if self.lean_high is None and high > self.high else self.lean_high
        return self.low, low if first is None else first, high if last is None else last, self.high

    def zone_of(self, p_fake: float) -> Zone:
        """The zone in which a P(fake) lies."""
        low, lean_low, lean_high, high = self.borders
        if p_fake < low:
            return "real"
        if p_fake > high:
            return "fake"
        return "leans_real" if p_fake < lean_low else "leans_fake" if p_fake > lean_high else "unsure"


class Subset(Band):
    """How the scores of some of the detectors become one probability; attributes as in `Combination`."""

    weights: dict[str, float]
    bias: float


class Combination(Band):
    """How scores become one probability.

    Attributes:
        weights: detector -> weight of its calibrated log-odds, 0 or more.
        bias: added to the weighted sum.
        single: detector -> (slope, intercept) that calibrate its log-odds alone.
        zones: zone -> what was measured on held-out sources; older files lack it.
        subsets: `subset_key` of some of the detectors -> the same for them alone.
        fitted_on: what data, in words.
        figures: what was measured on images that the fit had not seen.
    """

    weights: dict[str, float]
    bias: float
    single: dict[str, tuple[float, float]]
    zones: dict[Zone, ZoneShare] = {}
    subsets: dict[str, Subset] = {}
    fitted_on: str
    figures: dict[str, Any] = {}

    def zone_shares(self) -> dict[Zone, ZoneShare]:
        """What each zone was measured to be worth; of an older file the two outer zones alone."""
        if self.zones:
            return self.zones
        answers = (self.figures.get("band_scores") or self.figures.get("scores") or {}).get("answers", {})
        pairs: dict[Zone, tuple[str, str]] = {
            "fake": ("fakes_called_fake", "reals_called_fake"),
            "real": ("fakes_called_real", "reals_called_real"),
        }
        answers = {"reals_called_real": _called_real(answers), **answers}
        return {
            zone: zone_share(
                _hits(answers[fake]), answers[fake]["n"], _hits(answers[real]), answers[real]["n"]
            )
            for zone, (fake, real) in pairs.items()
            if answers.get(fake) and answers.get(real)
        }


def _called_real(answers: dict[str, Any]) -> dict[str, Any]:
    """The share of reals called real, which older files leave to be worked out."""
    if not {"reals_called_fake", "reals_unsure"} <= set(answers):
        return {}
    others = answers["reals_called_fake"]["value"] + answers["reals_unsure"]["value"]
    return {"value": 1 - others, "n": answers["reals_unsure"]["n"]}


def _hits(share: dict[str, Any]) -> int:
    return round(share["value"] * share["n"])


def zone_share(fakes: int, all_fakes: int, reals: int, all_reals: int) -> ZoneShare:
    """Share of AI images in a zone that holds `fakes` of `all_fakes` and `reals` of `all_reals`.

    Both classes weigh the same, however many images they hold. The interval joins the ends of both classes'
    Wilson intervals, each at the square root of .95, so it holds at least as often as it says.

    >>> share = zone_share(90, 100, 10, 100)
    >>> (round(share.value, 3), round(share.low, 2), round(share.high, 2), share.n)
    (0.896, 0.8, 0.95, 100)
    """
    fake, real = (fakes + 0.5) / (all_fakes + 1), (reals + 0.5) / (all_reals + 1)
    fake_low, fake_high = wilson(fakes, all_fakes, 0.95**0.5)
    real_low, real_high = wilson(reals, all_reals, 0.95**0.5)
    low = fake_low / (fake_low + real_high) if fake_low + real_high else 0.0
    high = fake_high / (fake_high + real_low) if fake_high + real_low else 1.0
    return ZoneShare(
        value=round(fake / (fake + real), 4), low=round(low, 4), high=round(high, 4), n=fakes + reals
    )


class Verdict(Band):
    """One answer.

    Attributes:
        p_fake: combined, calibrated P(fake) in [0, 1].
        label: `fake`, `real` or `unsure`.
        low, high, lean_low, lean_high: the borders that were applied.
        agreement: share of the detectors whose own calibrated score is on the side of `p_fake`, in [0, 1].
        calibrated: detector -> its own calibrated P(fake): of held-out images with .8, 80 % were fake.
        partial: whether only some of the calibrated detectors were asked.
        withheld: whether it would have been "fake", were it not for what the picture looks like.
    """

    p_fake: float
    label: Label
    agreement: float
    calibrated: dict[str, float] = {}
    partial: bool
    withheld: bool = False

    @property
    def zone(self) -> Zone:
        """Where P(fake) lies among the five zones."""
        return self.zone_of(self.p_fake)


@cache
def load_combination(path: Path = PATH) -> Combination:
    """The bundled combination.

    Raises:
        WeightsError: the file is missing or damaged.
    """
    try:
        return Combination.model_validate(json.loads(path.read_text()))
    except (OSError, ValueError):
        raise WeightsError(
            "the combination of the detectors is missing or damaged.",
            hint="Restore assets/weights or run `python -m genimage_core dev calibrate`.",
            source=path.name,
        ) from None


def subset_key(names: Iterable[str]) -> str:
    """The name under which a choice of detectors stands in `Combination.subsets`."""
    return "+".join(sorted(names))


def calibrated_log_odds(scores: Mapping[str, float], how: Combination | None = None) -> dict[str, float]:
    """Calibrated log-odds of each detector's P(fake); detectors without calibration are left out."""
    how = how or load_combination()
    lines = {name: how.single[name] for name in scores if name in how.weights}
    return {name: slope * float(finite_logit(scores[name])) + shift for name, (slope, shift) in lines.items()}


def combine(scores: Mapping[str, float], how: Combination | None = None) -> Verdict:
    """Combine detectors' P(fake).

    All calibrated detectors together, and every choice of some of them, have weights and an unsure band of
    their own. Where there are none for just these, the mean of their calibrated log-odds answers: fewer
    witnesses, no bonus for agreeing. A detector without calibration (one added later) is shown but has no
    say.

    Args:
        scores: detector -> P(fake) in [0, 1], at least one of them calibrated.
        how: the combination; None takes the bundled one.

    Raises:
        NoVerdictError: none of `scores` is calibrated.
    """
    how = how or load_combination()
    known = calibrated_log_odds(scores, how)
    if not known:
        raise NoVerdictError(
            "no score of a calibrated detector: none of those asked has a say in the verdict.",
            hint="Ask a calibrated one, too, or run `genimage dev calibrate` with their scores.",
            source=", ".join(scores),
        )
    partial = len(known) < len(how.weights)
    fit: Combination | Subset | None = how.subsets.get(subset_key(known)) if partial else how
    if fit is None:
        total = sum(known.values()) / len(known)
    else:
        total = sum(fit.weights[n] * c for n, c in known.items()) + fit.bias
    p_fake, band = float(expit(total)), fit or how
    label: Label = "fake" if p_fake > band.high else "real" if p_fake < band.low else "unsure"
    same_side = [(c > 0) == (total > 0) for c in known.values()]
    return Verdict(
        p_fake=p_fake,
        label=label,
        low=band.low,
        high=band.high,
        lean_low=band.lean_low,
        lean_high=band.lean_high,
        agreement=sum(same_side) / len(same_side),
        calibrated={name: float(expit(c)) for name, c in known.items()},
        partial=partial,
    )


def decisive(how: Combination | None = None) -> frozenset[str]:
    """The detectors that weigh anything in the verdict of all; the others' scores are shown beside it.

    Raises:
        WeightsError: the bundled combination is missing or damaged.
    """
    return frozenset(name for name, weight in (how or load_combination()).weights.items() if weight > 0)


def combine_early(scores: Mapping[str, float], how: Combination | None = None) -> Verdict | None:
    """The verdict of all detectors as soon as those that decide it have answered; None before.

    P(fake), label and band are already those of `combine` on all scores; only `agreement` and `calibrated`
    are of those that have answered.
    """
    how = how or load_combination()
    deciding = decisive(how)
    if not deciding or not deciding <= set(scores):
        return None
    silent = dict.fromkeys(set(how.weights) - set(scores), 0.5)  # of no weight, so any score does
    verdict = combine({**silent, **scores}, how)
    calibrated = {name: p for name, p in verdict.calibrated.items() if name not in silent}
    same_side = [(p > 0.5) == (verdict.p_fake > 0.5) for p in calibrated.values()]
    agreement = sum(same_side) / len(same_side)
    return verdict.model_copy(update={"calibrated": calibrated, "agreement": agreement})


def withhold(verdict: Verdict, kind: Kind | None) -> Verdict:
    """Turn "fake" into "unsure" for kinds of picture that the detectors were not made for.

    Args:
        verdict: what the detectors say.
        kind: what the picture looks like, None for nothing in particular.
    """
    if verdict.label == "fake" and kind in WITHHOLDS:
        return verdict.model_copy(update={"label": "unsure", "withheld": True})
    return verdict


def unsure_band() -> tuple[float, float]:
    """(low, high): P(fake) between them is answered "unsure"."""
    how = load_combination()
    return how.low, how.high
