"""The evidence that goes into a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from genimage_core.verdict.combine import load_combination

if TYPE_CHECKING:
    from genimage_core.detectors import Detector
    from genimage_core.explain import Evidence

VOICES = 2
"""Kinds of evidence that are drawn for each detector by itself are drawn for so many of them."""


def report_evidence(
    image: np.ndarray, detectors: Mapping[str, Detector], scores: Mapping[str, float]
) -> list[Evidence]:
    """Every kind of evidence that can be had for an image.

    What is drawn for one detector at a time is drawn for the two that weigh most in the verdict: fourteen
    maps would bury the reader.

    Args:
        image: RGB uint8 (H, W, 3), as it was scored.
        detectors: name -> loaded detector.
        scores: name -> P(fake) of the image.
    """
    from genimage_core.explain import Evidence, explain_all, kind_info, list_kinds

    loud = {name: detectors[name] for name in weightiest(detectors)}
    each = [kind for kind in list_kinds() if kind_info(kind).asks == "each"]
    found = {
        kind: item
        for some, only in ((loud, each), (detectors, [kind for kind in list_kinds() if kind not in each]))
        for kind, item in (explain_all(image, some, scores=scores, only=only) if only else ())
        if isinstance(item, Evidence)
    }
    return [found[kind] for kind in list_kinds() if kind in found]


def weightiest(names: Mapping[str, object], count: int = VOICES) -> list[str]:
    """The detectors that weigh most in the verdict, the weightiest first."""
    weights = load_combination().weights
    return sorted(names, key=lambda name: -weights.get(name, 0.0))[:count]
