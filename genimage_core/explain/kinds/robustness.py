"""Robustness: does the answer survive what the web does to pictures?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genimage_core.explain.draw import FAINT, FAKE, INK, NEUTRAL, PHOTO, chart, hex_colour, preview, two_sided
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind
from genimage_core.images.degradations import PAPER_SUITE
from genimage_core.utils.errors import NoVerdictError
from genimage_core.verdict.combine import Verdict
from genimage_core.verdict.image_type import Kind
from genimage_core.verdict.pipeline import find_image_type, judge, score_image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

AS_IS = "as is"
THUMBNAIL = 192
LABELS = {"fake": "AI-generated", "real": "photograph", "unsure": "unsure"}


@dataclass(frozen=True)
class Degraded:
    """The answers to one version of the picture.

    Attributes:
        name: `as is`, or the paper's name of the damage.
        thumbnail: what it looks like, longer side at most 192 px.
        scores: detector -> P(fake) in [0, 1].
        verdict: all together; None where none of the detectors is calibrated.
        flips: detectors that changed sides against the picture as it is.
    """

    name: str
    thumbnail: np.ndarray
    scores: dict[str, float]
    verdict: Verdict | None
    flips: list[str]


def robustness(subject: Subject) -> list[Degraded]:
    """The picture as it is, then under each of the paper's six kinds of damage."""
    found: list[Degraded] = []
    image_type = find_image_type(subject.image)
    kind = image_type.kind if image_type else None
    for name, degradation in {AS_IS: None, **PAPER_SUITE}.items():
        if degradation is None:
            image, scores = subject.image, subject.all_scores()
        else:
            image = degradation(subject.image)
            scores = score_image(image, subject.detectors)
        before = found[0].scores if found else scores
        flips = [n for n, p in scores.items() if (p > 0.5) != (before[n] > 0.5)]
        found.append(Degraded(name, preview(image, THUMBNAIL), scores, _verdict(scores, kind), flips))
    return found


def _verdict(scores: dict[str, float], kind: Kind | None) -> Verdict | None:
    try:
        return judge(scores, kind)
    except NoVerdictError:
        return None


def _changed(degraded: Degraded, first: Degraded) -> bool:
    a, b = degraded.verdict, first.verdict
    return a is not None and b is not None and a.label != b.label


def _thumbnails(axes: list[Axes], found: list[Degraded]) -> None:
    colours = {"fake": FAKE, "real": PHOTO, "unsure": (138, 143, 148)}
    for place, degraded in zip(axes, found, strict=True):
        place.imshow(degraded.thumbnail)
        place.set_xticks([])
        place.set_yticks([])
        verdict = degraded.verdict
        changed = _changed(degraded, found[0])
        place.set_title(degraded.name, fontsize=9)
        if verdict is None:
            continue
        place.set_xlabel(
            f"{LABELS[verdict.label]}{' ⚠' if changed else ''}",
            fontsize=8, fontweight="bold" if changed else "normal",
        )  # fmt: skip
        for spine in place.spines.values():
            spine.set(visible=True, color=hex_colour(colours[verdict.label]), linewidth=4)


def _table(axes: Axes, found: list[Degraded], titles: dict[str, str]) -> None:
    rows = [(title, [c.scores[name] for c in found], name) for name, title in titles.items()]
    if all(c.verdict is not None for c in found):
        rows.insert(0, ("All together", [c.verdict.p_fake for c in found if c.verdict], ""))
    values = np.array([scores for _, scores, _ in rows])
    axes.imshow(two_sided(2 * values - 1, 1.0), aspect="auto")
    for y, (_, scores, name) in enumerate(rows):
        for x, (score, degraded) in enumerate(zip(scores, found, strict=True)):
            flipped = name in degraded.flips if name else _changed(degraded, found[0])
            axes.text(
                x, y, f"{score:.2f}{' ⚠' if flipped else ''}", ha="center", va="center", color=INK,
                fontweight="bold" if flipped else "normal", fontsize=8,
            )  # fmt: skip
    axes.set_xticks(range(len(found)), [c.name for c in found])
    axes.set_yticks(range(len(rows)), [title for title, _, _ in rows])
    axes.tick_params(length=0)
    axes.set_xlabel(
        "0 (blue) like a photograph, 1 (orange) AI-generated; ⚠: not the side taken as is",
        fontsize=8, color=FAINT,
    )  # fmt: skip
    axes.set_facecolor(hex_colour(NEUTRAL))


def _draw(figure: Figure, found: list[Degraded], titles: dict[str, str]) -> None:
    ratios = (1.5, 0.5 + 0.28 * (len(titles) + 1))
    grid = figure.add_gridspec(2, len(found), height_ratios=ratios)
    _thumbnails([figure.add_subplot(grid[0, i]) for i in range(len(found))], found)
    _table(figure.add_subplot(grid[1, :]), found, titles)


@evidence_kind(
    "robustness",
    place=20,
    title="How firm: the verdict under damage",
    means=(
        "The picture as it is, and damaged in the six ways that the benchmark tests: shrunk (LR), compressed "
        "(JPEG) and blurred. The frame's colour is the verdict, the table each detector's score; ⚠ marks "
        "an answer that changed sides."
    ),
    misleads=(
        "Damage destroys the traces that detectors read, so an answer that drifts to the middle is normal. A "
        "verdict that holds is firmer, but it can be firmly wrong: several detectors give the same "
        "answer to every badly damaged picture, whatever it shows."
    ),
    asks="together",
    weighs="Weighs something: an answer that survives damage is firmer.",
)
def robustness_evidence(subject: Subject) -> Findings:
    """One small multiple: thumbnails with their verdicts above a table of scores."""
    found = robustness(subject)
    titles = {name: d.info.title for name, d in subject.detectors.items()}
    changed = [c.name for c in found if _changed(c, found[0])]
    first = found[0].verdict
    if first is None:
        words = "None of these detectors has a calibrated verdict."
    elif changed:
        words = f"As is: {LABELS[first.label]}. The verdict changes under {', '.join(changed)}."
    else:
        words = f"As is: {LABELS[first.label]}. The verdict holds under all {len(found) - 1} kinds of damage."
    data = {
        "verdict_changes": changed,
        "degradations": {
            c.name: {
                "verdict": c.verdict.label if c.verdict else None,
                "p_fake": round(c.verdict.p_fake, 4) if c.verdict else None,
                "detectors": {name: round(p, 4) for name, p in c.scores.items()},
                "flips": c.flips,
            }
            for c in found
        },
    }
    height = 2.2 + 0.3 * (len(titles) + 1)
    picture = chart(8.5, height, lambda figure: _draw(figure, found, titles))
    return Findings({"robustness": picture}, {"robustness": words}, data, finding=words)
