"""One image in, every detector's score and a verdict out: what `detect` and the pages call."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel

from genimage_core.detectors import Detector, Protocol
from genimage_core.detectors.onnx.detector import PreparedDetector
from genimage_core.images.load import ImageFacts, LoadedImage
from genimage_core.utils.errors import WeightsError
from genimage_core.verdict.combine import Label, Verdict, combine, combine_early, withhold
from genimage_core.verdict.image_type import Kind, LooksLike, looks_like
from genimage_core.verdict.image_warnings import find_conditions

CLEAR_LEAN = 0.2
"""How far from .5 an unsure answer counts as leaning to one side."""

OTHER_WEIGHTS = (
    "Calibration and unsure band were measured with the bundled weights. With others, read the detectors' "
    "scores, not the verdict."
)


class Report(BaseModel):
    """What is said of one image.

    Attributes:
        verdict: `fake`, `real` or `unsure`.
        p_fake: combined P(fake) in [0, 1].
        detectors: detector -> P(fake).
        calibrated: detector -> its calibrated P(fake), of those that are calibrated.
        agreement: share of the calibrated scores on the side of `p_fake`.
        looks_like: what the image looks like, where that is safe to say, else None.
        conditions: names of what puts it outside of what was tested.
        notes: what the reader must know about this image.
        explanation: the verdict in one plain sentence.
    """

    verdict: Label
    p_fake: float
    detectors: dict[str, float]
    calibrated: dict[str, float] = {}
    agreement: float
    looks_like: Kind | None = None
    conditions: list[str] = []
    notes: list[str]
    explanation: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return self.model_dump(mode="json")


def score_image(
    image: np.ndarray, detectors: Mapping[str, Detector], protocol: Protocol = "native"
) -> dict[str, float]:
    """Detector -> P(fake), in the order of `detectors`.

    Prepared networks look at the image at the same time and share the cores; torch, which spreads each
    network over all cores by itself, takes one after the other.

    Args:
        image: RGB uint8 (H, W, 3).
        detectors: name -> loaded detector.
        protocol: how the image reaches the networks.
    """

    def ask(detector: Detector) -> float:
        return float(detector.predict([image], protocol)[0])

    shared = protocol == "native" and all(isinstance(d, PreparedDetector) for d in detectors.values())
    if not shared or len(detectors) < 2:
        return {name: ask(detector) for name, detector in detectors.items()}
    # These threads only wait: what computes is `side_by_side`.
    with ThreadPoolExecutor(len(detectors), thread_name_prefix="ask") as asking:
        return dict(zip(detectors, asking.map(ask, detectors.values()), strict=True))


def conditions(image: np.ndarray, facts: ImageFacts | None = None) -> list[str]:
    """Notes on the file, and on what puts an image outside of what the detectors were tested on."""
    found = find_conditions(image, facts, find_looks(image))
    return [*(facts.notes if facts else ()), *(condition.note for condition in found)]


def find_looks(image: np.ndarray) -> LooksLike | None:
    """What the image looks like; None where what tells it is missing: a verdict can do without."""
    try:
        return looks_like(image)
    except WeightsError:
        return None


def explain(verdict: Verdict, count: int, looks: str = "") -> str:
    """The verdict in one sentence for a reader who knows nothing of probabilities.

    Args:
        verdict: what is explained.
        count: calibrated detectors that were asked.
        looks: what the picture looks like, in words, for a verdict withheld because of it.
    """
    agree = round(verdict.agreement * count)
    side = "AI-generated" if verdict.p_fake >= 0.5 else "a real image"
    voices = (
        f"by their calibrated scores {agree} of {count} detectors lean towards {side}"
        if count > 1
        else f"the one detector asked leans towards {side}"
    )
    if verdict.withheld:
        return (
            f"This looks like {looks or 'no photograph'}, which detectors often take for AI: {voices}, but "
            "that is no evidence here."
        )
    if verdict.label == "unsure":
        if abs(verdict.p_fake - 0.5) < CLEAR_LEAN:
            return f"The detectors cannot tell: {voices}, and the combined evidence lies near the middle."
        high = verdict.p_fake > 0.5
        others = "photographs score this high" if high else "AI-generated images score this low"
        return f"Not clear enough for a verdict: {voices}, but some {others}, too."
    what = (
        "The traces look like those of AI-generated images"
        if verdict.label == "fake"
        else "No traces of AI generation that these detectors know were found"
    )
    return f"{what}: {voices}. This is evidence, not proof."


def analyse_early(
    scores: Mapping[str, float], *, says_ai: bool = False, looks: LooksLike | None = None
) -> Verdict | None:
    """The verdict that `analyse` will give, as soon as the detectors that decide it have answered.

    Args:
        scores: detector -> P(fake) in [0, 1], of those that have answered.
        says_ai: as in `analyse`.
        looks: from `find_looks`.
    """
    verdict = combine_early(scores)
    if verdict is None or says_ai:
        return verdict
    return withhold(verdict, looks.kind if looks else None)


def analyse(
    loaded: LoadedImage,
    scores: Mapping[str, float],
    *,
    says_ai: bool = False,
    looks: LooksLike | Literal["ask"] | None = "ask",
    bundled: bool = True,
) -> Report:
    """Combine the scores of one image and say what must be known about it.

    Args:
        loaded: the image.
        scores: detector -> P(fake) in [0, 1].
        says_ai: whether the file itself says that AI made it; then what it looks like withholds nothing.
        looks: from `find_looks`, where that was asked already.
        bundled: whether the scores come from the bundled weights, which the verdict was measured with.

    Raises:
        ValueError: none of the scores belongs to a calibrated detector.
    """
    looks = find_looks(loaded.pixels) if looks == "ask" else looks
    kind = looks.kind if looks else None
    verdict = combine(scores)
    if not says_ai:
        verdict = withhold(verdict, kind)
    found = find_conditions(loaded.pixels, loaded.facts, looks)
    notes = [*loaded.facts.notes, *(condition.note for condition in found)]
    if verdict.partial:
        notes.append("Only some of the detectors were asked: the verdict rests on fewer witnesses.")
    if not bundled:
        notes.append(OTHER_WEIGHTS)
    return Report(
        verdict=verdict.label,
        p_fake=verdict.p_fake,
        detectors=dict(scores),
        calibrated=verdict.calibrated,
        agreement=verdict.agreement,
        looks_like=kind,
        conditions=[condition.name for condition in found],
        notes=notes,
        explanation=explain(verdict, len(verdict.calibrated), looks.words if looks else ""),
    )
