"""How far GramNet's texture numbers lie from those of photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from genimage_core.detectors import Detector
from genimage_core.explain.draw import FAINT, FAKE, INK, PHOTO, chart, hex_colour
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.reference_stats import QUANTILES, GramReference, gram_reference
from genimage_core.explain.registry import evidence_kind
from genimage_core.utils.errors import ExplainError

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def share_below(value: float, quantiles: np.ndarray) -> float:
    """The share of a group, in [0, 1], whose distance is smaller, read between its quantiles."""
    return float(np.interp(value, quantiles, np.array(QUANTILES) / 100.0))


def _draw(figure: Figure, taps: np.ndarray, total: float, reference: GramReference) -> None:
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    left.barh(np.arange(len(TAPS)), taps, color=FAINT, height=0.6)
    left.axvline(1, color=hex_colour(PHOTO), linewidth=1.5)
    left.set_yticks(np.arange(len(TAPS)), TAPS)
    left.invert_yaxis()
    left.set_xlabel("distance by depth\n(1 is usual for photographs)")
    middle = QUANTILES.index(50)
    low, high = QUANTILES.index(5), QUANTILES.index(95)
    for row, (_, q) in enumerate(zip(reference.groups, reference.quantiles, strict=True)):
        colour = hex_colour(PHOTO if row == 0 else FAKE)
        right.plot([q[low], q[high]], [row, row], color=colour, linewidth=6, alpha=0.35)
        right.plot(q[middle], row, "o", color=colour, markersize=6)
    right.axvline(total, color=INK, linewidth=2)
    right.set_yticks(np.arange(len(reference.groups)), reference.groups)
    right.set_ylim(len(reference.groups) - 0.5, -0.5)
    right.set_xlabel("distance of this picture (line) and of groups\n(dot: median; bar: 9 in 10)")


@evidence_kind(
    "gram_distance",
    place=100,
    title="Forensics: texture, as GramNet measures it",
    means=(
        "GramNet describes texture by 192 numbers, at six depths. The line shows how far this picture's lie "
        "from the mean of photographs, in standard deviations; the dots and bars show validation images of "
        "photographs and of each known generator."
    ),
    misleads=(
        "Unusual is not the same as fake: graphics, night shots and heavy compression are far off, too. "
        "Where the line falls inside several bars, it tells nothing."
    ),
    asks="gramnet",
    weighs="Weighs little alone: many photographs lie as far off.",
)
def gram_distance(subject: Subject) -> Findings:
    """The distance at each depth, and where the whole lies among groups.

    Raises:
        ExplainError: the shipped statistics belong to other weights.
    """
    detector, reference = subject.detectors["gramnet"], gram_reference()
    if detector.weights_id != reference.weights_sha256:
        raise ExplainError(
            "the statistics to compare with belong to other weights.",
            hint="Run `python -m experiments.reference_stats --data DIR --only gram`.",
            source="GramNet's texture",
        )
    numbers = gram_numbers(subject.image, detector)
    taps = deviations(numbers, reference.mean, reference.spread)
    total = distance(numbers, reference.mean, reference.spread)
    shares = {
        group: round(share_below(total, q), 4)
        for group, q in zip(reference.groups, reference.quantiles, strict=True)
    }
    photographs = shares[reference.groups[0]]
    alt = (
        f"GramNet's texture: {total:.1f} standard deviations from photographs, "
        f"further than {photographs:.0%} of the photographs compared."
    )
    data = {
        "distance": round(total, 4),
        "by_depth": {tap: round(float(d), 4) for tap, d in zip(TAPS, taps, strict=True)},
        "further_than": shares,
    }
    picture = chart(7.5, 3.4, lambda f: _draw(f, taps, total, reference))
    return Findings({"gram_distance": picture}, {"gram_distance": alt}, data, finding=alt)


WIDTH = 32
TAPS = ("pixels", "first filters", "pooled", "stage 1", "stage 2", "stage 3")


@torch.inference_mode()
def gram_numbers(image: np.ndarray, detector: Detector) -> np.ndarray:
    """What GramNet's Gram blocks read from an image, the mean over its tiles.

    Args:
        image: RGB uint8 (H, W, 3).
        detector: GramNet.

    Returns:
        (6, 32) float32, the taps from the pixels to the third stage.
    """
    views = np.stack(detector.views(image))
    x = torch.from_numpy(views).to(detector.device).permute(0, 3, 1, 2).float() / 255.0
    features = detector.net.embed(detector.net.prepare(x))
    return features[:, -len(TAPS) * WIDTH :].mean(0).reshape(len(TAPS), WIDTH).float().cpu().numpy()


def deviations(numbers: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """(6, 32) numbers -> (6,) their distances from photographs at each depth, in standard deviations."""
    return np.sqrt((((numbers - mean) / spread) ** 2).mean(1))


def distance(numbers: np.ndarray, mean: np.ndarray, spread: np.ndarray) -> float:
    """(6, 32) numbers -> one distance from photographs, in standard deviations; 1 is usual."""
    return float(np.sqrt((deviations(numbers, mean, spread) ** 2).mean()))
