"""Nearest relatives: where a score lies among those of pictures whose origin is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from genimage_core.detectors import Detector
from genimage_core.explain.draw import FAKE, INK, PHOTO, chart, hex_colour
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind
from genimage_core.results.image_scores import NOT_PHOTO_WORDS, PHOTOGRAPHS, group_order, measured_scores
from genimage_core.utils.errors import ExplainError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEWEST = 20
"""Groups with fewer images are drawn, but no share is given for them in words."""


@dataclass(frozen=True)
class Relatives:
    """One detector's score among its scores of known pictures.

    Attributes:
        score: P(fake) of this picture.
        groups: group -> P(fake) of its images, sorted; photographs first.
    """

    score: float
    groups: dict[str, np.ndarray]

    def share_at_least(self, group: str) -> float:
        """Share of a group's images, in [0, 1], that score as high as this picture or higher."""
        return float((self.groups[group] >= self.score).mean())

    def share_at_most(self, group: str) -> float:
        """Share of a group's images, in [0, 1], that score as low as this picture or lower."""
        return float((self.groups[group] <= self.score).mean())


def relatives(detector: Detector, score: float) -> Relatives | None:
    """Compare a detector's score with the measured ones; None where these weights were not measured."""
    rows = measured_scores(detector.info.name, detector.weights_id)
    if rows.empty:
        return None
    groups = {
        g: np.sort(rows.loc[rows["group"] == g, "p_fake"].to_numpy()) for g in group_order(rows["group"])
    }
    return Relatives(score, groups)


def in_words(title: str, found: Relatives) -> str:
    """One sentence for one detector."""
    photographs = found.groups.get(PHOTOGRAPHS, np.zeros(0))
    fakes = [v for g, v in found.groups.items() if g not in (PHOTOGRAPHS, NOT_PHOTO_WORDS)]
    pooled = np.concatenate(fakes) if fakes else np.zeros(0)
    if len(photographs) < FEWEST or len(pooled) < FEWEST:
        return f"{title}: {found.score:.2f}; too few known pictures to compare with."
    real, fake = float((photographs >= found.score).mean()), float((pooled >= found.score).mean())
    return f"{title}: {real:.0%} of photographs and {fake:.0%} of AI images score {found.score:.2f} or more."


def _draw(figure: Figure, found: Relatives, title: str) -> None:
    axes = figure.subplots()
    rng = np.random.default_rng(0)
    names = list(found.groups)
    for y, (group, scores) in enumerate(found.groups.items()):
        colour = hex_colour(FAKE if group not in (PHOTOGRAPHS, NOT_PHOTO_WORDS) else PHOTO)
        height = y + rng.uniform(-0.28, 0.28, len(scores))
        axes.plot(scores, height, ".", color=colour, markersize=2.5, alpha=0.5, markeredgewidth=0)
        axes.plot(np.median(scores), y, "|", color=INK, markersize=14, markeredgewidth=1.5)
    axes.axvline(found.score, color=INK, linewidth=2)
    axes.set_yticks(range(len(names)), [f"{g} ({len(found.groups[g])})" for g in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(-0.02, 1.02)
    axes.set_xlabel(f"{title}: score of each known picture (dot), median (tick), this picture (line)")


@evidence_kind(
    "score_context",
    place=30,
    title="Compared with what: known pictures",
    means=(
        "Each dot is a picture whose origin is known and which the detector was not trained on: blue "
        "photographs and other pictures made by people, orange AI images by generator. The line is this "
        "picture's score. Where many blue dots lie right of the line, photographs often score this high."
    ),
    misleads=(
        "The known pictures are crops of at most 256 px from this project's own data; yours may be unlike "
        "all of them. Some generators were in the training data, others not, and near a generator's dots "
        "does not mean made by that generator."
    ),
    asks="each",
    weighs="Weighs much: it says how often photographs score like this.",
)
def nearest_relatives(subject: Subject) -> Findings:
    """A strip plot for each detector, under its name; the arrays hold the known scores under `NAME/GROUP`.

    Raises:
        ExplainError: none of the detectors was measured with its present weights.
    """
    images, alts = {}, {}
    arrays: dict[str, np.ndarray] = {}
    data: dict[str, object] = {}
    scores = subject.all_scores()
    for name, detector in subject.detectors.items():
        found = relatives(detector, scores[name])
        if found is None:
            continue
        title = detector.info.title
        alts[name] = in_words(title, found)
        height = 0.8 + 0.3 * len(found.groups)
        images[name] = chart(7.5, height, partial(_draw, found=found, title=title))
        arrays |= {f"{name}/{group}": values for group, values in found.groups.items()}
        data[name] = {
            "p_fake": round(found.score, 4),
            "share_at_least": {g: round(found.share_at_least(g), 4) for g in found.groups},
            "share_at_most": {g: round(found.share_at_most(g), 4) for g in found.groups},
            "n": {g: len(v) for g, v in found.groups.items()},
        }
    if not images:
        raise ExplainError(
            "no scores of known pictures were measured with these weights.",
            hint="Run `python -m genimage_core evaluate` and export its scores.",
            source=", ".join(subject.detectors),
        )
    return Findings(images, alts, data, arrays, " ".join(alts.values()))
