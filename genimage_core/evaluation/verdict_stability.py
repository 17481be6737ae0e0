"""Does a verdict survive what the web does to a file? Scores under each change, and how many verdicts flip.

What is kept is each detector's score, one line an image, so that a run goes on after any kill and a new
combination is judged without asking the detectors again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from genimage_core.datasets import Record
from genimage_core.detectors import Detector
from genimage_core.images.degradations import parse
from genimage_core.images.load import load_image
from genimage_core.metrics.classification import share
from genimage_core.utils.errors import EvaluationError, GenImageError
from genimage_core.verdict.combine import Combination, Label, combine, withhold
from genimage_core.verdict.image_type import looks_like

CONDITIONS = ("none", "jpeg:90", "jpeg:75", "jpeg:50", "resize:75", "resize:50", "crop:80", "screen")
Progress = Callable[[int, int], None]


def measure(
    records: Sequence[Record],
    detectors: Mapping[str, Detector],
    rows_file: Path,
    *,
    conditions: Sequence[str] = CONDITIONS,
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Score every image under every condition; lines already in `rows_file` are kept.

    Args:
        records: the images.
        detectors: name -> loaded detector.
        rows_file: one JSON line an image, after a first line that names weights and conditions.
        conditions: text forms of degradations.
        progress: called with images done and their number.

    Returns:
        One entry an image: `image_id`, `generator`, `label`, `scores` (condition -> detector -> P(fake)),
        `looks` (condition -> kind or None); images that cannot be read are left out.

    Raises:
        EvaluationError: the file belongs to other weights or conditions.
    """
    weights = {name: detector.weights_id[:16] for name, detector in detectors.items()}
    head = {"weights": weights, "conditions": list(conditions)}
    rows_file.parent.mkdir(parents=True, exist_ok=True)
    done = {row["image_id"]: row for row in _read(rows_file, head)}
    steps = {text: parse(text) for text in conditions}
    with rows_file.open("a", encoding="utf-8") as out:
        for i, record in enumerate(records):
            if record.image_id not in done:
                row = _row(record, detectors, steps)
                done[record.image_id] = row
                out.write(json.dumps(row) + "\n")
                out.flush()
            if progress:
                progress(i + 1, len(records))
    return [row for r in records if "error" not in (row := done[r.image_id])]


def _read(path: Path, head: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Lines of an earlier run; begins the file, or cuts off a line that a kill left unfinished."""
    if not path.exists() or not path.read_bytes().strip():
        path.write_text(json.dumps(head) + "\n", encoding="utf-8")
        return
    data = path.read_bytes()
    whole = data[: data.rfind(b"\n") + 1]
    if len(whole) < len(data):
        with path.open("r+b") as file:
            file.truncate(len(whole))
    try:
        lines = [json.loads(line) for line in whole.splitlines()]
    except ValueError:
        lines = []
    if not lines or lines[0] != head:
        raise EvaluationError(
            "these rows belong to other weights or conditions.", hint="Name another --out.", source=path.name
        )
    yield from lines[1:]


def _row(record: Record, detectors: Mapping[str, Detector], steps: Mapping[str, Any]) -> dict[str, Any]:
    facts = {"image_id": record.image_id, "generator": record.generator, "label": record.label}
    try:
        image = load_image(record.path).pixels
    except GenImageError as error:
        return facts | {"error": error.message}
    changed = {text: step(image) for text, step in steps.items()}
    scores: dict[str, dict[str, float]] = {text: {} for text in steps}
    for name, detector in detectors.items():
        answers = detector.predict(list(changed.values()), "native")
        for text, p in zip(changed, answers, strict=True):
            scores[text][name] = round(float(p), 5)
    looks = {text: looks_like(pixels).kind for text, pixels in changed.items()}
    return facts | {"scores": scores, "looks": looks}


def verdicts(row: Mapping[str, Any], how: Combination | None = None) -> dict[str, Label]:
    """Condition -> the verdict on one image's row, what it looks like taken into account."""
    return {
        text: withhold(combine(scores, how), row["looks"][text]).label
        for text, scores in row["scores"].items()
    }


def stability_figures(rows: Sequence[Mapping[str, Any]], how: Combination | None = None) -> dict[str, Any]:
    """Shares of images whose verdict flips between fake and real; an unsure one on either side never counts.

    Args:
        rows: of `measure`, all with the same conditions, one of which is `none`.
        how: the combination; None takes the bundled one.

    Returns:
        `any`: some two conditions contradict each other; `each`: condition -> contradicts the unchanged
        image; `by_class` and `not_photo`: `any` for some of the images; `answers`: condition -> verdict ->
        share. Each figure with n and 95 % interval.

    Raises:
        EvaluationError: no rows.
    """
    if not rows:
        raise EvaluationError("no image could be read.", hint="Check the data set's files.")
    said = [verdicts(row, how) for row in rows]
    conditions = list(said[0])
    any_flip = np.array([any(_contradict(a, b) for a, b in combinations(v.values(), 2)) for v in said])
    labels = np.array([row["label"] for row in rows])
    with_fakes = {row["generator"] for row in rows if row["label"] == 1}
    photo = np.array([row["generator"] in with_fakes for row in rows])
    parts = {"photographs": photo & (labels == 0), "fakes": labels == 1, "no_photographs": ~photo}
    return {
        "any": share(any_flip).as_dict(),
        "each": {
            text: share(np.array([_contradict(v["none"], v[text]) for v in said])).as_dict()
            for text in conditions
            if text != "none"
        },
        "by_class": {name: share(any_flip[rows]).as_dict() for name, rows in parts.items() if rows.any()},
        "answers": {
            text: {
                label: share(np.array([v[text] == label for v in said])).as_dict()
                for label in ("fake", "unsure", "real")
            }
            for text in conditions
        },
    }


def _contradict(a: Label, b: Label) -> bool:
    return {a, b} == {"fake", "real"}
