"""One picture in full: the verdict, every detector's answer as it arrives, the facts, the notes."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genimage_core.utils.errors import GenImageError
from genimage_core.verdict.answer import Answer, file_answer, find_answer
from pages.components.detect.evidence import evidence
from pages.components.detect.provenance import origin
from pages.components.shared import detectors, score_bars, scoring
from pages.components.shared.layout import plain
from pages.components.shared.pictures import Picture, loaded, pixels

if TYPE_CHECKING:
    from genimage_core.verdict.combine import Verdict
    from genimage_core.verdict.image_type import ImageType

LOOKING = "The detectors are looking…"
NO_VERDICT = "No verdict: too little is known about these answers to combine them"
STILL_LOOKING = "The other detectors are still looking; their answers no longer change the verdict."
GETTING_READY = "The detectors are getting ready. On a new machine this takes a minute or two, once."
OTHERS_GETTING_READY = (
    "The other detectors are getting ready, once on a new machine; they no longer change the verdict."
)


def details(picture: Picture) -> None:
    """Show one readable picture and its result; ask the detectors that have not answered yet."""
    left, right = st.columns([2, 3], gap="medium")
    with left, st.container(key="picture"):
        st.image(picture.preview, caption=plain(picture.name), alt=f"Your picture {picture.name}")
    with right:
        verdict, score_rows = st.empty(), st.empty()
        after = st.container()
    answers(picture, verdict, score_rows)
    with after:
        origin(picture.provenance)
        _notes(picture)
    _facts(picture)
    evidence(picture)


def answer(picture: Picture, on_score: scoring.OnScore) -> None:
    """Get a picture's report for the chosen preprocessing, asking whoever has not answered."""
    from genimage_core.verdict.pipeline import analyse

    chosen = scoring.preprocessing()
    scores = scoring.ask(picture, lambda: pixels(picture), on_score)
    if scores and chosen not in picture.reports:
        try:
            picture.reports[chosen] = analyse(
                loaded(picture), scores, provenance=picture.provenance, image_type=_image_type(picture)
            )
        except (GenImageError, ValueError):
            return  # the scores stand without a verdict, and the page says so


def answers(picture: Picture, verdict: DeltaGenerator, score_rows: DeltaGenerator) -> None:
    """Show every detector's answer in one place and the verdict in another, each as soon as it is known.

    The verdict does not wait for detectors that have no say in it.
    """
    titles = detectors.titles()
    early = False

    def show(scores: Mapping[str, float]) -> None:
        nonlocal early
        score_rows.html(score_bars.score_rows(titles, scores))
        found = None if early or len(scores) == len(titles) else _early(picture, scores)
        if found is not None:
            early = True
            words = STILL_LOOKING if detectors.ready() else OTHERS_GETTING_READY
            answer = _answer(picture, found)
            answer.facts = [*answer.facts[1:], words]
            verdict.html(score_bars.answer_card(answer, found.p_fake, found.borders))

    known = picture.scored(scoring.preprocessing())
    if len(known) < len(titles):
        words = LOOKING if detectors.ready() else GETTING_READY
        said = file_answer(picture.provenance)  # needs no detector
        verdict.html(
            score_bars.answer_card(said.model_copy(update={"facts": [words]}), None, None)
            if said
            else score_bars.waiting_card(words)
        )
    show(dict(known))
    answer(picture, show)
    report = picture.reports.get(scoring.preprocessing())
    judged = scoring.combined(picture.scored(scoring.preprocessing()))
    if report is None or judged is None:
        verdict.html(score_bars.waiting_card(NO_VERDICT))
    else:
        shown = scoring.answered(picture, report, scoring.prior())
        verdict.html(score_bars.answer_card(shown, judged.p_fake, judged.borders))


def _answer(picture: Picture, verdict: "Verdict") -> Answer:
    """Return the answer before every detector has answered."""
    found = _image_type(picture)
    kind = found.kind if found else None
    return find_answer(picture.provenance, kind, verdict, prior=scoring.prior())


def _early(picture: Picture, scores: Mapping[str, float]) -> "Verdict | None":
    from genimage_core.verdict.pipeline import analyse_early

    try:
        if analyse_early(scores) is None:
            return None
        says_ai = picture.provenance.ai is True
        return analyse_early(scores, says_ai=says_ai, image_type=None if says_ai else _image_type(picture))
    except (GenImageError, ValueError):
        return None


def _image_type(picture: Picture) -> "ImageType | None":
    """Return what a picture looks like, asked once."""
    from genimage_core.verdict.pipeline import find_image_type

    if not picture.image_types:
        picture.image_types.append(find_image_type(pixels(picture)))
    return picture.image_types[0]


def _facts(picture: Picture) -> None:
    facts = picture.facts
    if facts is None:
        return
    shown = [
        ("Format", facts.format + (" (progressive)" if facts.progressive else "")),
        ("Size", f"{facts.width} × {facts.height} px"),
        ("File", _size(facts.n_bytes)),
        ("Colour", f"{facts.mode}, {facts.bit_depth} bit"),
    ]
    if facts.jpeg_quality is not None:
        shown.append(("JPEG quality", f"about {facts.jpeg_quality}"))
    if facts.n_frames > 1:
        shown.append(("Frames", f"{facts.n_frames}, the first was read"))
    st.html(score_bars.facts_list(shown))
    if picture.sample is not None:
        sample = picture.sample
        st.markdown(
            f"**The truth:** {sample.truth_words}.  \n{sample.title}. {sample.attribution} ({sample.licence})"
        )


def _notes(picture: Picture) -> None:
    report = picture.reports.get(scoring.preprocessing())
    if report is not None and report.notes:
        with st.container(border=True):
            st.markdown(
                "**Worth knowing about this picture**\n\n"
                + "\n".join(f"- {plain(note)}" for note in report.notes)
            )


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e6:.1f} MB" if n_bytes >= 1e6 else f"{n_bytes / 1e3:.0f} kB"
