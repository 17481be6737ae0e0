"""The report on a bundled sample, computed once and kept on disk under a key of all that it depends on.

A page can show it before any detector is loaded.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from genimage_core.datasets.file_hashes import cache_folder
from genimage_core.detectors.weights.store import trained_detectors, weights_id
from genimage_core.utils.atomic_write import write_whole
from genimage_core.utils.errors import WeightsError
from genimage_core.verdict.combine import PATH as COMBINATION
from genimage_core.verdict.image_type import PATH as LOOKS_LIKE
from genimage_core.verdict.pipeline import Report, analyse_file

if TYPE_CHECKING:
    from genimage_core.datasets.samples import Sample
    from genimage_core.detectors import Detector

FORMAT = "3"
"""Goes into every key: another one where a report says something else of the same scores."""


def find_report(sample: Sample) -> Report | None:
    """The report on a sample, if it was kept for these very weights and this combination."""
    try:
        return Report.model_validate_json(_place(sample).read_bytes())
    except (OSError, ValidationError, WeightsError):
        return None


def make_report(sample: Sample, detectors: Mapping[str, Detector]) -> Report:
    """Ask detectors about a sample; keep the report where they are all that have bundled weights.

    Args:
        sample: a bundled picture.
        detectors: name -> loaded detector.

    Raises:
        ImageReadError: the sample is damaged.
        NoVerdictError: none of the detectors is calibrated.
    """
    report = analyse_file(sample.path, detectors).report
    if _are_bundled(detectors):
        _keep(_place(sample), report)
    return report


def _are_bundled(detectors: Mapping[str, Detector]) -> bool:
    """Whether these are all detectors of the bundled set, each with the weights that its manifest names."""
    try:
        wanted = {name: weights_id(name) for name in trained_detectors()}
    except WeightsError:
        return False
    return bool(wanted) and wanted == {name: getattr(d, "weights_id", "") for name, d in detectors.items()}


def _place(sample: Sample) -> Path:
    parts = [FORMAT, sample.file]
    parts += [f"{name} {weights_id(name)}" for name in trained_detectors()]
    parts += [
        hashlib.sha256(path.read_bytes()).hexdigest() for path in (sample.path, COMBINATION, LOOKS_LIKE)
    ]
    key = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    return cache_folder() / "samples" / f"{key}.json"


def _keep(place: Path, report: Report) -> None:
    # A cache that cannot be written costs time, not the answer.
    with contextlib.suppress(OSError):
        write_whole(place, report.model_dump_json().encode())
