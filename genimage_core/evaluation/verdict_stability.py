"""Does a verdict survive what the web does to a file? How many verdicts flip under each change.

The scores are those of an ordinary evaluation with these degradations; a new combination is judged on the
same rows without asking the detectors again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from genimage_core.datasets import Record
from genimage_core.evaluation.plan import read_plan
from genimage_core.evaluation.store import read_rows
from genimage_core.images.degradations import parse
from genimage_core.images.load import load_image
from genimage_core.metrics.classification import share
from genimage_core.utils.errors import EvaluationError
from genimage_core.verdict.combine import Combination, Label, combine
from genimage_core.verdict.image_type import classify_image_type
from genimage_core.verdict.pipeline import judge

DEGRADATIONS = ("none", "jpeg:90", "jpeg:75", "jpeg:50", "resize:75", "resize:50", "crop:80", "screen")
"""What the web does to files, and the file as it is."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Verdicts:
    """The verdicts on one image: `labels` has degradation -> label."""

    image_id: str
    generator: str
    label: int
    labels: dict[str, Label]


def verdicts_of_run(
    run: Path,
    records: Sequence[Record],
    how: Combination | None = None,
    progress: Progress | None = None,
) -> list[Verdicts]:
    """The verdicts that the rows of a finished run stand for, what each image looks like taken into account.

    Args:
        run: folder of an evaluation, its degradations among them `none`.
        records: its images.
        how: the combination; None takes the bundled one.
        progress: called with (images done, their number).

    Returns:
        One entry an image that could be scored under all degradations.
    """
    degradations = read_plan(run).degradations
    rows = read_rows(run).dropna(subset="p_fake")
    scores: dict[str, dict[str, dict[str, float]]] = {}
    for image_id, text, detector, p_fake in zip(
        rows["image_id"], rows["degradation"], rows["detector"], rows["p_fake"], strict=True
    ):
        scores.setdefault(image_id, {}).setdefault(text, {})[detector] = float(p_fake)
    found = []
    for done, record in enumerate(records, start=1):
        by_degradation = scores.get(record.image_id, {})
        if set(by_degradation) == set(degradations):
            labels = dict(_labels(record, by_degradation, how))
            found.append(Verdicts(record.image_id, record.generator, record.label, labels))
        if progress:
            progress(done, len(records))
    return found


def _labels(
    record: Record, scores: Mapping[str, Mapping[str, float]], how: Combination | None
) -> Iterator[tuple[str, Label]]:
    pixels = None
    for text, of_detectors in scores.items():
        kind = None
        if combine(of_detectors, how).label == "fake":  # only then does it matter what the image looks like
            pixels = load_image(record.path).pixels if pixels is None else pixels
            kind = classify_image_type(parse(text)(pixels)).kind
        yield text, judge(of_detectors, kind, how).label


def stability_figures(found: Sequence[Verdicts]) -> dict[str, Any]:
    """Shares of images whose verdict flips between fake and real; an unsure one on either side never counts.

    Args:
        found: of `verdicts_of_run`, all with the same degradations, one of which is `none`.

    Returns:
        `any`: some two conditions contradict each other; `each`: condition -> contradicts the unchanged
        image; `by_class` and `not_photo`: `any` for some of the images; `answers`: condition -> verdict ->
        share. Each figure with n and 95 % interval.

    Raises:
        EvaluationError: none.
    """
    if not found:
        raise EvaluationError("no image could be read.", hint="Check the data set's files.")
    said = [one.labels for one in found]
    degradations = list(said[0])
    any_flip = np.array([any(_contradict(a, b) for a, b in combinations(v.values(), 2)) for v in said])
    labels = np.array([one.label for one in found])
    with_fakes = {one.generator for one in found if one.label == 1}
    photo = np.array([one.generator in with_fakes for one in found])
    parts = {"photographs": photo & (labels == 0), "fakes": labels == 1, "no_photographs": ~photo}
    return {
        "any": share(any_flip).as_dict(),
        "each": {
            text: share(np.array([_contradict(v["none"], v[text]) for v in said])).as_dict()
            for text in degradations
            if text != "none"
        },
        "by_class": {name: share(any_flip[rows]).as_dict() for name, rows in parts.items() if rows.any()},
        "answers": {
            text: {
                label: share(np.array([v[text] == label for v in said])).as_dict()
                for label in ("fake", "unsure", "real")
            }
            for text in degradations
        },
    }


def _contradict(a: Label, b: Label) -> bool:
    return {a, b} == {"fake", "real"}
