"""One image in, every detector's score and a verdict out: what `detect` and the pages call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
from pydantic import BaseModel

from genimage_core.detectors import Detector, Protocol
from genimage_core.images import ImageFacts, LoadedImage
from genimage_core.verdict import Label, Verdict, combine

SMALL_SIDE = 128
LOW_QUALITY = 50
FLAT_TEXTURE = 1.5
CLEAR_LEAN = 0.2
"""How far from .5 an unsure answer counts as leaning to one side."""


class Report(BaseModel):
    """What is said of one image.

    Attributes:
        verdict: `fake`, `real` or `unsure`.
        p_fake: combined P(fake) in [0, 1].
        detectors: detector -> P(fake).
        agreement: share of the detectors on the verdict's side.
        notes: what the reader must know about this image.
        explanation: the verdict in one plain sentence.
    """

    verdict: Label
    p_fake: float
    detectors: dict[str, float]
    agreement: float
    notes: list[str]
    explanation: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return self.model_dump(mode="json")


def score_image(
    image: np.ndarray, detectors: Mapping[str, Detector], protocol: Protocol = "native"
) -> Iterator[tuple[str, float]]:
    """Yield (detector, P(fake)) one by one, each as soon as it is known.

    Args:
        image: RGB uint8 (H, W, 3).
        detectors: name -> loaded detector.
        protocol: how the image reaches the networks.
    """
    for name, detector in detectors.items():
        yield name, float(detector.predict([image], protocol)[0])


def conditions(image: np.ndarray, facts: ImageFacts | None = None) -> list[str]:
    """Notes on what puts an image outside of what the detectors were trained and tested on."""
    notes = list(facts.notes) if facts else []
    short = min(image.shape[:2])
    if short < SMALL_SIDE:
        notes.append(
            f"The shorter side is {short} px: too small to hold reliable traces. Look for a larger copy."
        )
    if facts and facts.jpeg_quality is not None and facts.jpeg_quality < LOW_QUALITY:
        notes.append(
            f"Heavily compressed (JPEG quality about {facts.jpeg_quality}): traces may be gone. "
            "Look for the original file."
        )
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    if float(np.abs(cv2.Laplacian(grey, cv2.CV_32F)).mean()) < FLAT_TEXTURE:
        notes.append("Very smooth or blurred: little is left of the fine detail that detectors read.")
    return notes


def explain(verdict: Verdict, count: int) -> str:
    """The verdict in one sentence for a reader who knows nothing of probabilities."""
    agree = round(verdict.agreement * count)
    side = "AI-generated" if verdict.p_fake >= 0.5 else "a real image"
    voices = (
        f"{agree} of {count} detectors lean towards {side}"
        if count > 1
        else f"the one detector asked leans towards {side}"
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


def analyse(loaded: LoadedImage, scores: Mapping[str, float]) -> Report:
    """Combine the scores of one image and say what must be known about it.

    Raises:
        ValueError: none of the scores belongs to a calibrated detector.
    """
    verdict = combine(scores)
    notes = conditions(loaded.pixels, loaded.facts)
    if verdict.partial:
        notes.append("Only some of the detectors were asked: the verdict rests on fewer witnesses.")
    return Report(
        verdict=verdict.label,
        p_fake=verdict.p_fake,
        detectors=dict(scores),
        agreement=verdict.agreement,
        notes=notes,
        explanation=explain(verdict, len(scores)),
    )
