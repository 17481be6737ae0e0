"""Do the notes on blurred and enlarged pictures come when they should, and only then?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from genimage_core.datasets import Record
from genimage_core.images.degradations import parse
from genimage_core.images.load import load_image
from genimage_core.metrics.classification import share
from genimage_core.utils.errors import EvaluationError, GenImageError
from genimage_core.verdict.image_warnings import find_image_warnings

CHANGES = (
    "none", "jpeg:50", "resize:50", "blur:1", "blur:2", "blur:3", "crop:67+resize:150", "crop:50+resize:200",
)  # fmt: skip
"""What is done to each image: what leaves its detail, blur, and enlarging its middle to the old size."""
NOTES = ("blurred", "upscaled")


def warning_figures(
    records: Sequence[Record], progress: Callable[[int, int], None] | None = None
) -> dict[str, Any]:
    """Change -> note -> share of images that get it, photographs and generated images apart.

    Returns:
        `photographs` and `fakes`: change -> note -> share with n and 95 % interval.

    Raises:
        EvaluationError: no image can be read.
    """
    steps = {text: parse(text) for text in CHANGES}
    seen: dict[str, dict[str, list[set[str]]]] = {}
    for i, record in enumerate(records):
        try:
            image = load_image(record.path).pixels
        except GenImageError:
            continue
        part = seen.setdefault("fakes" if record.label else "photographs", {text: [] for text in CHANGES})
        for text, step in steps.items():
            part[text].append({warning.name for warning in find_image_warnings(step(image))})
        if progress:
            progress(i + 1, len(records))
    if not seen:
        raise EvaluationError("no image could be read.", hint="Check the data set's files.")
    return {
        part: {
            text: {note: share(np.array([note in names for names in found])).as_dict() for note in NOTES}
            for text, found in by_change.items()
        }
        for part, by_change in seen.items()
    }
