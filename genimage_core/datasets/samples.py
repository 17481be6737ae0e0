"""The bundled sample pictures, as listed in assets/samples/samples.json."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from genimage_core.utils.paths import asset

Truth = Literal["fake", "real", "neither"]
FOLDER = asset("samples")
EVALUATION_SET = asset("evaluation_set")
"""The bundled evaluation set, in GenImage's layout."""
SHOWN = ("picture_50.jpg", "picture_30.jpg", "picture_17.jpg")
"""What Home shows: pictures on which the detectors were measured to differ, a miss among them."""


@dataclass(frozen=True)
class Sample:
    """One bundled picture, whose truth is known.

    Attributes:
        file: its name, which tells nothing.
        truth: `fake`, `real` (a photograph) or `neither`.
        kind: what a picture is that is neither, such as "a render"; else "".
        title: what it shows.
        generator: the model that made a fake, else "".
        source: package and file that it comes from.
        licence: its licence.
        attribution: who made it.
    """

    file: str
    truth: Truth
    kind: str
    title: str
    generator: str
    source: str
    licence: str
    attribution: str

    @property
    def path(self) -> Path:
        """Return where the picture lies."""
        return FOLDER / self.file

    @property
    def truth_words(self) -> str:
        """Return what the picture really is, in words."""
        if self.truth == "fake":
            return f"AI-generated, by {self.generator}"
        return self.kind if self.truth == "neither" else "a photograph"


@cache
def list_samples() -> tuple[Sample, ...]:
    """Return the bundled samples, all kinds mixed; none where the list or a file is missing."""
    listing = FOLDER / "samples.json"
    if not listing.is_file():
        return ()
    fields = Sample.__dataclass_fields__
    entries = json.loads(listing.read_text(encoding="utf-8"))
    samples = (Sample(**{name: str(entry.get(name) or "") for name in fields}) for entry in entries)  # type: ignore[arg-type]
    return tuple(sample for sample in samples if sample.path.is_file())


def shown_samples() -> tuple[Sample, ...]:
    """Return the samples that Home shows with their reports; none where there is no sample at all."""
    chosen = {sample.file: sample for sample in list_samples()}
    return tuple(chosen[file] for file in SHOWN if file in chosen)


def is_right(answer: str, truth: str) -> bool | None:
    """Return whether one of the seven answers fits a truth; None where it takes no side.

    Args:
        answer: as in `verdict.answer.AnswerName`.
        truth: `fake`, `real` or `neither`.
    """
    sides = {"file_says_ai": "fake", "ai": "fake", "leans_ai": "fake", "leans_photo": "real", "photo": "real"}
    if answer == "graphic":
        return True if truth == "neither" else None
    side = sides.get(answer)
    return None if side is None or (truth == "neither" and side == "real") else side == truth
