"""Prepare a server at build time: `python -m deploy.prepare`.

Loads each detector that has weights once and lets it answer. That checks every file's sha256 and fills the
caches that the runtime keeps, so that a start needs neither time nor network for it. The reports that Home
shows are made as well.
"""

from __future__ import annotations

import sys

import numpy as np

from genimage_core.api import loaded_detector
from genimage_core.datasets.samples import shown_samples
from genimage_core.evaluation.config import covered_detectors
from pages.components.home.example_report import make_report


def main(names: str = "all") -> None:
    """Load detectors and let each answer for one grey picture.

    Raises:
        WeightsError: weights are missing or damaged.
    """
    grey = np.full((256, 256, 3), 128, np.uint8)
    detectors = {}
    for name in covered_detectors(names, "default")[0]:
        detectors[name] = loaded_detector(name, "default", "auto")
        score = float(detectors[name].predict([grey])[0])
        if not 0 <= score <= 1:
            raise SystemExit(f"{name}: no score")
        print(f"{name}: ready", flush=True)
    for shown in shown_samples() if names == "all" else ():
        make_report(shown, detectors)
        print(f"{shown.file}: report ready", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:2])
