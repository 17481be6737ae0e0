"""How far GramNet's texture numbers lie from those of photographs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genimage_core.errors import ExplainError
from genimage_core.explain.charts import FAINT, INK, chart
from genimage_core.explain.colours import FAKE, PHOTO, hex_colour
from genimage_core.explain.gram_features import TAPS, deviations, distance, gram_numbers
from genimage_core.explain.model import Findings, Subject
from genimage_core.explain.references import QUANTILES, GramReference, gram_reference
from genimage_core.explain.registry import evidence_kind

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
    title="Trace: texture, as GramNet measures it",
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
            hint="Run `python -m scripts.make_traces --data DIR --only gram`.",
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
    return Findings({"gram_distance": picture}, {"gram_distance": alt}, data)
