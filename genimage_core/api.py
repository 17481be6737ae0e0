"""The public calls, each one line for its user: what the command line and the pages do, from code.

`genimage_core` hands them out lazily: `import genimage_core` loads nothing else. On a CPU `detect` needs no
torch once the detectors have been prepared (`python -m genimage_core prepare`, or the first call).
"""

from __future__ import annotations

import tempfile
import threading
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from genimage_core.datasets.audit.run import audit_dataset as audit
from genimage_core.detectors import Detector, Preprocessing, load_detector
from genimage_core.evaluation.config import Wanted, covered_detectors, set_up
from genimage_core.evaluation.devices import weights_of
from genimage_core.images.degradations import parse
from genimage_core.images.load import load_image
from genimage_core.provenance import Provenance
from genimage_core.utils.errors import EvaluationError
from genimage_core.verdict.pipeline import Report, analyse_file

__all__ = ["audit", "degrade", "detect", "evaluate", "load_detector"]

Picture = bytes | str | Path | BinaryIO


def detect(
    image: Picture,
    *,
    detectors: str = "all",
    degrade: str = "none",
    preprocessing: Preprocessing = "tiles",
    weights: str = "default",
    device: str = "auto",
    prior: float = 0.5,
) -> Report:
    """Ask detectors about one image.

    Args:
        image: a path, a file's bytes, or an open binary file.
        detectors: `all` that have weights, or names separated by commas.
        degrade: what to do to the image first, such as `blur:3+jpeg:65`.
        preprocessing: `tiles` of full resolution, or the paper's own `resize` and crop.
        weights: `default`, `sd_v1`, a folder, or a hub repository (see `detectors/weights/hub.py`).
        device: `auto`, `cpu` or `cuda`.
        prior: how likely AI was before anybody looked; `odds` follow it, the scores don't.

    Returns:
        Answer and odds, verdict, combined P(fake) in [0, 1], each detector's P(fake), notes, explanation.

    Raises:
        ImageReadError: the image cannot be read.
        DegradationError: the degradation cannot be read.
        UnknownDetectorError: no such detector.
        WeightsError: weights are missing or damaged.
        NoVerdictError: none of the detectors is calibrated.
        PriorError: `prior` isn't strictly between 0 and 1.
    """
    report, _ = detect_with_origin(
        image,
        detectors=detectors,
        degrade=degrade,
        preprocessing=preprocessing,
        weights=weights,
        device=device,
        prior=prior,
    )
    return report


def detect_with_origin(
    image: Picture,
    *,
    detectors: str = "all",
    degrade: str = "none",
    preprocessing: Preprocessing = "tiles",
    weights: str = "default",
    device: str = "auto",
    prior: float = 0.5,
) -> tuple[Report, Provenance]:
    """As `detect`, and what the file says of its own origin; its note stands among the report's."""
    names, _ = covered_detectors(detectors, weights)
    degradation = parse(degrade)
    source = image if isinstance(image, bytes | str | Path) else image.read()
    found = analyse_file(
        source,
        {name: loaded_detector(name, weights, device) for name in names},
        degradation=degradation,
        preprocessing=preprocessing,
        bundled=weights == "default",
        prior=prior,
    )
    return found.report, found.provenance


def loaded_detector(name: str, weights: str, device: str) -> Detector:
    """A detector, kept for the next call: loading takes far longer than one answer.

    Threads wait for one another here, so that none of them loads the same again.
    """
    with _loading:
        return _load(name, weights, device)


_loading = threading.Lock()


@lru_cache(maxsize=32)
def _load(name: str, weights: str, device: str) -> Detector:
    return load_detector(name, weights=weights_of(name, weights), device=device)


def degrade(image: Picture | np.ndarray, how: str) -> np.ndarray:
    """Degrade an image as the benchmark does.

    Args:
        image: a path, a file's bytes, an open binary file, or RGB uint8 (H, W, 3).
        how: a chain such as `lowres:112` or `blur:3+jpeg:65`.

    Returns:
        RGB uint8 (H, W, 3); the same size unless the chain says `lowres:N:down`.

    Raises:
        ImageReadError: the image cannot be read.
        DegradationError: the chain cannot be read.
    """
    pixels = image if isinstance(image, np.ndarray) else load_image(image).pixels
    return parse(how)(pixels)


def evaluate(data: str | Path, *, out: str | Path | None = None, **options: Any) -> dict[str, Any]:
    """Score a data set with detectors and return the figures with their intervals.

    Args:
        data: data set in GenImage's layout.
        out: folder of the run, which goes on where it stopped; None keeps nothing.
        options: the fields of `genimage_core.evaluation.config.Wanted`: `detectors`, `weights`, `degrade`,
            `data_protocol`, `generators`, `split`, `preprocessing`, `limit`, `seed`, `device`, `precision`.

    Returns:
        The report, as `python -m genimage_core report RUN --json` prints it.

    Raises:
        GenImageError: data, detectors or weights are not there or cannot be read; which, says the error.
    """
    from genimage_core.evaluation.engine.run import run
    from genimage_core.evaluation.report import make_report, write_report

    if unknown := sorted(set(options) - set(Wanted.__dataclass_fields__)):
        known = ", ".join(sorted(Wanted.__dataclass_fields__))
        raise EvaluationError("no such option.", hint=f"Known: {known}.", source=", ".join(unknown))
    work = set_up(Wanted(data=data, **options))
    if out is not None:
        run(work.records, work.detectors, work.plan, Path(out))
        return write_report(Path(out))
    with tempfile.TemporaryDirectory(prefix="genimage-") as folder:
        run(work.records, work.detectors, work.plan, Path(folder) / "run")
        return make_report(Path(folder) / "run")
