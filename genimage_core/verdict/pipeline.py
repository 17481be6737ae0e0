"""The one way from an image to its report; Python, command line, pages and demo all take it.

`analyse_file` is the whole of it, for one file at once. A page that shows each score as it comes, and keeps
what it has when its visitor moves on, takes the steps one by one: `open_image`, `score_image`, `analyse`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from pydantic import BaseModel

from genimage_core.detectors import Detector, Preprocessing
from genimage_core.detectors.onnx.detector import OnnxDetector
from genimage_core.images.load import LoadedImage, load_image
from genimage_core.provenance import Provenance, read_provenance
from genimage_core.utils.errors import WeightsError
from genimage_core.verdict.answer import EVEN, Answer, AnswerName, Basis, check_prior, find_answer
from genimage_core.verdict.combine import Combination, Label, Verdict, combine, combine_early, withhold
from genimage_core.verdict.image_type import ImageType, Kind, classify_image_type
from genimage_core.verdict.image_warnings import find_image_warnings

CLEAR_LEAN = 0.2
"""How far from .5 an unsure answer counts as leaning to one side."""

OTHER_WEIGHTS = (
    "Calibration and unsure band were measured with the bundled weights. With others, read the detectors' "
    "scores, not the verdict."
)


class Report(BaseModel):
    """What is said of one image.

    Attributes:
        answer: one of the seven of `verdict.answer`, from all that is known.
        basis: what it rests on: the `file`'s own word, the `pixels`, or `none`.
        odds: P(AI-generated) in [0, 1] for the given prior; None where no measured share is behind it.
        headline: the answer in a few words.
        sentence: how often such an answer was right.
        facts: one or two facts that carry it.
        verdict: `fake`, `real` or `unsure`: what the pixels say.
        p_fake: combined P(fake) in [0, 1], of the pixels.
        detectors: detector -> P(fake).
        calibrated: detector -> its calibrated P(fake), of those that are calibrated.
        agreement: share of the calibrated scores on the side of `p_fake`.
        image_type: what the image looks like, where that is safe to say, else None.
        image_warnings: names of what puts it outside of what was tested.
        notes: what the reader must know about this image.
        explanation: the verdict in one plain sentence.
    """

    answer: AnswerName
    basis: Basis
    odds: float | None
    headline: str
    sentence: str
    facts: list[str] = []
    verdict: Label
    p_fake: float
    detectors: dict[str, float]
    calibrated: dict[str, float] = {}
    agreement: float
    image_type: Kind | None = None
    image_warnings: list[str] = []
    notes: list[str]
    explanation: str

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return self.model_dump(mode="json")

    def answered(self, answer: Answer) -> Report:
        """The same report with another answer, such as one for another prior."""
        return self.model_copy(update=answer.model_dump())


OnScore = Callable[[dict[str, float]], None]
"""Told of all scores so far (detector -> P(fake)), each time that another one has come."""


class Opened(NamedTuple):
    """A picture that has been read, and what its file says of its own origin."""

    image: LoadedImage
    provenance: Provenance


class Analysis(NamedTuple):
    """One picture's way from the file to its report.

    Attributes:
        image: as it was scored.
        provenance: of the file as it came.
        report: the answer; what the file says of itself stands among its notes.
    """

    image: LoadedImage
    provenance: Provenance
    report: Report


def open_image(source: bytes | str | Path, name: str = "") -> Opened:
    """Read a picture, and what its file says of its own origin.

    Args:
        source: a path, or a file's bytes.
        name: of the file, where bytes come without one.

    Raises:
        ImageReadError: the picture cannot be read.
    """
    image = load_image(source, name=name) if name else load_image(source)
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    return Opened(image, read_provenance(data, image.facts.name, pixels=image.pixels))


def analyse_file(
    source: bytes | str | Path,
    detectors: Mapping[str, Detector],
    *,
    degradation: Callable[[np.ndarray], np.ndarray] | None = None,
    preprocessing: Preprocessing = "tiles",
    bundled: bool = True,
    prior: float = EVEN,
    on_score: OnScore | None = None,
) -> Analysis:
    """The whole way: read, degrade, score, combine, say what must be known.

    Args:
        source: a path, or a file's bytes.
        detectors: name -> loaded detector.
        degradation: what is done to the pixels before they are scored.
        preprocessing: how the picture reaches the networks.
        bundled: whether the detectors have the bundled weights.
        prior: how likely AI was before anybody looked, strictly between 0 and 1.
        on_score: told of the scores as they come.

    Raises:
        ImageReadError: the picture cannot be read.
        NoVerdictError: none of the detectors is calibrated.
        PriorError: `prior` isn't strictly between 0 and 1.
    """
    check_prior(prior)
    image, provenance = open_image(source)
    if degradation is not None:
        image = replace(image, pixels=degradation(image.pixels))
    scores = score_image(image.pixels, detectors, preprocessing, on_score)
    report = analyse(image, scores, provenance=provenance, bundled=bundled, prior=prior)
    if provenance.note:
        report = report.model_copy(update={"notes": [*report.notes, provenance.note]})
    return Analysis(image, provenance, report)


def score_image(
    image: np.ndarray,
    detectors: Mapping[str, Detector],
    preprocessing: Preprocessing = "tiles",
    on_score: OnScore | None = None,
) -> dict[str, float]:
    """Detector -> P(fake), in the order of `detectors`.

    Prepared networks look at the image at the same time and share the cores; torch, which spreads each
    network over all cores by itself, takes one after the other.

    Args:
        image: RGB uint8 (H, W, 3).
        detectors: name -> loaded detector.
        preprocessing: how the image reaches the networks.
        on_score: told of the scores as they come, in this thread.
    """

    def ask(name: str) -> tuple[str, float]:
        return name, float(detectors[name].predict([image], preprocessing)[0])

    shared = preprocessing == "tiles" and all(isinstance(d, OnnxDetector) for d in detectors.values())
    scores: dict[str, float] = {}
    # These threads only wait: what computes is `side_by_side`.
    at_once = len(detectors) if shared else 1
    with ThreadPoolExecutor(max(1, at_once), thread_name_prefix="ask") as pool:
        for answer in as_completed([pool.submit(ask, name) for name in detectors]):
            name, p_fake = answer.result()
            scores[name] = p_fake
            if on_score:
                on_score(dict(scores))
    return {name: scores[name] for name in detectors}


def judge(scores: Mapping[str, float], kind: Kind | None, how: Combination | None = None) -> Verdict:
    """The verdict of some scores on a picture that looks like `kind`.

    Raises:
        NoVerdictError: none of the scores is a calibrated detector's.
    """
    return withhold(combine(scores, how), kind)


def find_image_type(image: np.ndarray) -> ImageType | None:
    """What the image looks like; None where what tells it is missing: a verdict can do without."""
    try:
        return classify_image_type(image)
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
    scores: Mapping[str, float], *, says_ai: bool = False, image_type: ImageType | None = None
) -> Verdict | None:
    """The verdict that `analyse` will give, as soon as the detectors that decide it have answered.

    Args:
        scores: detector -> P(fake) in [0, 1], of those that have answered.
        says_ai: as in `analyse`.
        image_type: from `find_image_type`.
    """
    verdict = combine_early(scores)
    if verdict is None or says_ai:
        return verdict
    return withhold(verdict, image_type.kind if image_type else None)


def analyse(
    loaded: LoadedImage,
    scores: Mapping[str, float],
    *,
    provenance: Provenance | None = None,
    image_type: ImageType | Literal["ask"] | None = "ask",
    bundled: bool = True,
    prior: float = EVEN,
) -> Report:
    """Combine the scores of one image and say what must be known about it.

    Args:
        loaded: the image.
        scores: detector -> P(fake) in [0, 1].
        provenance: what its file says; where that is AI, what it looks like withholds no verdict.
        image_type: from `find_image_type`, where that was asked already.
        bundled: whether the scores come from the bundled weights, which the verdict was measured with.
        prior: how likely AI was before anybody looked, strictly between 0 and 1.

    Raises:
        NoVerdictError: none of the scores belongs to a calibrated detector.
        PriorError: `prior` isn't strictly between 0 and 1.
    """
    provenance = provenance or Provenance()
    found_type = find_image_type(loaded.pixels) if image_type == "ask" else image_type
    kind = found_type.kind if found_type else None
    verdict = judge(scores, None if provenance.ai else kind)
    answer = find_answer(provenance, kind, verdict, prior=prior, measured=bundled)
    found = find_image_warnings(loaded.pixels, loaded.facts, found_type)
    notes = [*loaded.facts.notes, *(warning.note for warning in found)]
    if verdict.partial:
        notes.append("Only some of the detectors were asked: the verdict rests on fewer witnesses.")
    if not bundled:
        notes.append(OTHER_WEIGHTS)
    return Report(
        **answer.model_dump(),
        verdict=verdict.label,
        p_fake=verdict.p_fake,
        detectors=dict(scores),
        calibrated=verdict.calibrated,
        agreement=verdict.agreement,
        image_type=kind,
        image_warnings=[warning.name for warning in found],
        notes=notes,
        explanation=explain(verdict, len(verdict.calibrated), found_type.words if found_type else ""),
    )
