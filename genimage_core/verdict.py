"""From seven scores to one answer: fake, real, or unsure.

The combination is a logistic regression on the detectors' log-odds with weights that cannot be
negative, and the unsure band comes from held-out data; both stand in
`assets/weights/combination.json`, written by `python -m genimage_core calibrate`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel

from genimage_core.errors import WeightsError
from genimage_core.paths import asset

Label = Literal["fake", "real", "unsure"]
PATH = asset("weights", "combination.json")
EDGE = 1e-6


class Combination(BaseModel):
    """How scores become one probability.

    Attributes:
        weights: detector -> weight of its log-odds, 0 or more.
        bias: added to the weighted sum.
        single: detector -> (slope, intercept) that calibrate its log-odds alone.
        low, high: P(fake) below `low` is "real", above `high` "fake", between "unsure".
        fitted_on: what data, in words.
        figures: what was measured on the half that the fit never saw.
    """

    weights: dict[str, float]
    bias: float
    single: dict[str, tuple[float, float]]
    low: float
    high: float
    fitted_on: str
    figures: dict[str, Any] = {}


class Verdict(BaseModel):
    """One answer.

    Attributes:
        p_fake: combined, calibrated P(fake) in [0, 1].
        label: `fake`, `real` or `unsure`.
        low, high: the unsure band that was applied.
        agreement: share of the detectors whose own score is on the side of `p_fake`, in [0, 1].
        partial: whether only some of the calibrated detectors were asked.
    """

    p_fake: float
    label: Label
    low: float
    high: float
    agreement: float
    partial: bool


def log_odds(p: float) -> float:
    """log(p / (1 - p)) of a probability, finite also at 0 and 1."""
    p = min(1.0 - EDGE, max(EDGE, p))
    return math.log(p / (1.0 - p))


def sigmoid(x: float) -> float:
    """1 / (1 + exp(-x)), without overflow."""
    return 1.0 / (1.0 + math.exp(-x)) if x >= 0 else math.exp(x) / (1.0 + math.exp(x))


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
            hint="Restore assets/weights or run `python -m genimage_core calibrate`.",
            source=path.name,
        ) from None


def combine(scores: Mapping[str, float], how: Combination | None = None) -> Verdict:
    """Combine detectors' P(fake).

    With all calibrated detectors the logistic regression answers. With some of them, the mean of
    their own calibrated log-odds does: fewer witnesses, no bonus for agreeing. A detector without
    calibration (one added later) is shown but has no say.

    Args:
        scores: detector -> P(fake) in [0, 1], at least one of them calibrated.
        how: the combination; None takes the bundled one.

    Raises:
        ValueError: none of `scores` is calibrated.
    """
    how = how or load_combination()
    known = {name: log_odds(p) for name, p in scores.items() if name in how.weights}
    if not known:
        raise ValueError("no score of a calibrated detector")
    calibrated = {n: how.single[n][0] * z + how.single[n][1] for n, z in known.items()}
    partial = len(known) < len(how.weights)
    if partial:
        total = sum(calibrated.values()) / len(calibrated)
    else:
        total = sum(how.weights[n] * z for n, z in known.items()) + how.bias
    p_fake = sigmoid(total)
    label: Label = "fake" if p_fake > how.high else "real" if p_fake < how.low else "unsure"
    # By the scores as they are shown: a reader who counts the bars must come to the same number.
    same_side = [(z > 0) == (total > 0) for z in known.values()]
    return Verdict(
        p_fake=p_fake,
        label=label,
        low=how.low,
        high=how.high,
        agreement=sum(same_side) / len(same_side),
        partial=partial,
    )


def unsure_band() -> tuple[float, float]:
    """(low, high): P(fake) between them is answered "unsure"."""
    how = load_combination()
    return how.low, how.high
