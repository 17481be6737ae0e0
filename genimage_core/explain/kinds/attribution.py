"""Which generator? A name, where it is safe enough to give one, beside how often such names were right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from genimage_core.explain.attribution_model import Attribution, Facts, attribute, load_attribution
from genimage_core.explain.draw import FAINT, INK, chart
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind
from genimage_core.utils.errors import ExplainError, NoVerdictError, WeightsError
from genimage_core.verdict.pipeline import find_image_type, judge

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DETECTOR = "dinov2"
WRONG = "#a8459a"
"""Neither the photograph's blue nor the AI's orange: right and wrong are another question."""


def why_silent(subject: Subject) -> str:
    """Why no generator may be named for this picture, whatever the model says; "" where one may be."""
    image_type = find_image_type(subject.image)
    try:
        verdict = judge(subject.all_scores(), image_type.kind if image_type else None)
    except NoVerdictError:
        return "There is no verdict on this picture"
    if verdict.withheld and image_type:
        return f"This looks like {image_type.words}, for which the detectors were not made"
    return "The verdict is not that AI made it" if verdict.label == "real" else ""


def in_words(named: str | None, probability: float, facts: Facts) -> str:
    """What may be said of one picture, and what it is worth."""
    if named is None:
        return f"No generator is named: none of the {len(facts.generators)} known ones stands out enough."
    origins = facts.origins_of(named)
    return (
        f"Most like {named}, of the {len(facts.generators)} generators compared (probability "
        f"{probability:.2f}). In the test {sum(origins.values())} pictures were given this name; "
        f"{named} made {origins.get(named, 0)} of them."
    )


def _draw(figure: Figure, facts: Facts, named: str | None) -> None:
    axes = figure.subplots()
    rows = facts.confusion
    for y, row in enumerate(rows):
        right, wrong = row.right / row.n, row.wrong / row.n
        axes.barh(y, right, color=INK, height=0.65)
        axes.barh(y, wrong, left=right, color=WRONG, height=0.65)
        axes.barh(y, 1 - right - wrong, left=right + wrong, color=FAINT, alpha=0.25, height=0.65)
        axes.text(
            1.01, y, f"{row.right} · {row.wrong} · {row.n - row.right - row.wrong}", va="center", fontsize=8
        )
    axes.set_yticks(range(len(rows)), [f"{row.origin} ({row.n})" for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        label.set_fontweight("bold" if row.origin == named else "normal")
    axes.axhline(sum(row.known for row in rows) - 0.5, color=INK, linewidth=0.8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(0, 1)
    axes.set_xlabel(
        "Test pictures of each origin: named rightly (dark), wrongly (violet), not named (pale).\n"
        "Above the line the generators that can be named, below it everything else."
    )


def attribution_chart(facts: Facts, named: str | None = None) -> np.ndarray:
    """The measured confusion matrix in three shares a row: (H, W, 3) uint8."""
    height = 1.1 + 0.28 * len(facts.confusion)
    return chart(8.5, height, lambda figure: _draw(figure, facts, named))


@evidence_kind(
    "attribution",
    place=50,
    title="Which generator?",
    means=(
        "If AI made this picture: does it look like the work of one of the generators that the project knows "
        "well? DINOv2-S's features are compared, and a name is given only above a threshold that was chosen "
        "so that few names are wrong. The chart is the test of such names, on pictures of known origin."
    ),
    misleads=(
        "There are far more generators than those compared. Relatives of one of them, and whoever imitates "
        "its style, may be given its name, and the known pictures of each come from few sources: subject and "
        "style, size and compression speak as well as the generator. A name is a lead, never proof; no name "
        "tells nothing."
    ),
    asks="dinov2",
    weighs="A lead, not evidence of AI: it is asked only where AI is likely.",
)
def which_generator(subject: Subject) -> Findings:
    """A name or none, beside the confusion matrix.

    Raises:
        ExplainError: the shipped model is missing, or was fitted on another network.
    """
    try:
        model = load_attribution()
        p = attribute(subject.image, subject.detectors[DETECTOR], model)
    except WeightsError as error:
        raise ExplainError(error.message, hint=error.hint, source="Which generator?") from None
    silent = why_silent(subject)
    named = None if silent else model.name(p)
    words = f"{silent}, so no generator is named." if silent else in_words(named, float(p.max()), model.facts)
    picture = attribution_chart(model.facts, named)
    return Findings(
        {"attribution": picture}, {"attribution": words}, _data(model, p, named, silent), finding=words
    )


def _data(model: Attribution, p: np.ndarray, named: str | None, silent: str) -> dict[str, object]:
    facts = model.facts
    data: dict[str, object] = {"named": named, "threshold": facts.threshold, "compared": facts.generators}
    if named is not None:
        data |= {"probability": round(float(p.max()), 4), "test": facts.origins_of(named)}
    if silent:
        data["why_not"] = silent
    return data | {"figures": facts.figures}
