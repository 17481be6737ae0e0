"""The bundled sample pictures, as listed in assets/samples/samples.json."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from genimage_core.utils.paths import asset

FOLDER = asset("samples")
# It shows the point: made by a generator that the detectors have not learned from.
SHOWN = "fake_temple.png"


@dataclass(frozen=True)
class Sample:
    """One bundled picture, whose truth is known."""

    file: str
    truth: str
    title: str
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
        return "AI-generated" if self.truth == "fake" else "a photograph"


@cache
def list_samples() -> tuple[Sample, ...]:
    """Return the bundled samples; none where the list or a file is missing."""
    listing = FOLDER / "samples.json"
    if not listing.is_file():
        return ()
    fields = Sample.__dataclass_fields__
    entries = json.loads(listing.read_text(encoding="utf-8"))
    samples = (Sample(**{name: str(entry.get(name, "")) for name in fields}) for entry in entries)
    return tuple(sorted((s for s in samples if s.path.is_file()), key=_shuffled))


def shown_sample() -> Sample | None:
    """Return the sample that Home shows with its report; None where there is no sample at all."""
    samples = list_samples()
    return next((s for s in samples if s.file == SHOWN), samples[0] if samples else None)


def _shuffled(sample: Sample) -> str:
    # Always the same order, but photographs and AI images mixed: their place should not tell them apart.
    return hashlib.sha256(sample.file.encode()).hexdigest()
