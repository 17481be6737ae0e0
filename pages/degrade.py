"""Degrade: damage a picture as the web does, and see which answers hold."""

from collections.abc import Callable, Mapping

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genimage_core.images.degradations import Degradation
from genimage_core.utils.errors import GenImageError
from pages.components.degrade.before_after import compare
from pages.components.degrade.controls import controls, words
from pages.components.degrade.curves import curves
from pages.components.shared import detectors, pictures, score_bars, scoring
from pages.components.shared.layout import heading, note, serve
from pages.components.shared.pictures import Picture, pixels
from pages.components.shared.upload import picker
from pages.components.shared.url_state import take_sample

WHOLE = "Whole picture"


def page() -> None:
    heading(
        "Does the answer survive?",
        "Every site shrinks and re-saves what you upload. Damage a picture the same way and watch which "
        "detectors change their mind.",
    )
    detectors.warm_up()
    picture = _choose()
    if picture is None:
        note(
            "Choose a picture or take a sample, then pull the sliders: many a sure answer changes after one "
            "re-save."
        )
        return
    _workbench(picture)
    scoring.show_problems()
    scoring.advanced()
    st.divider()
    curves(picture)


def _choose() -> Picture | None:
    take_sample()  # before the picker is folded away for a picture that is there
    good = pictures.readable()
    with st.expander("Choose a picture" if not good else "Choose another picture", expanded=not good):
        picker("degrade")
    pictures.show_errors()
    good = pictures.readable()
    if len(good) < 2:
        return good[0] if good else None
    keys = [picture.key for picture in good]
    before = st.session_state.get("chosen")
    index = keys.index(before) if before in keys else 0
    names = {picture.key: picture.name for picture in good}
    key = st.selectbox("Picture", keys, index=index, format_func=names.__getitem__)
    st.session_state["chosen"] = key
    return good[keys.index(key)]


def _workbench(picture: Picture) -> None:
    # The scores stand beside the picture and the sliders close below: all of it fits one screen.
    left, right = st.columns([3, 2], gap="large")
    with right:
        score_rows = st.empty()
    degradation = controls()
    first = _first()
    before = pixels(picture)
    try:
        after = degradation(before) if degradation else before
    except GenImageError as error:
        st.warning(f"{error.message} {error.hint}")
        return
    with left:
        place = st.container()  # keeps the last picture until there is a new one
        view = _view()
        if degradation:
            st.caption(f"The same on the command line: `--degrade {degradation}`")

    def picture_too() -> None:
        with place:
            compare(picture, after, label=words(degradation), detail=view != WHOLE)

    _answers(picture, after, degradation, score_rows, first=first, meanwhile=picture_too)


def _first() -> str:
    """Let the visitor choose who answers first after each move of a slider."""
    titles, order = detectors.titles(), detectors.asking_order()
    return st.selectbox(
        "Answers first",
        list(titles),
        index=list(titles).index(order[0]),
        format_func=titles.__getitem__,
        key="answers_first",
        persist_state="session",
        width=240,
        help="After each move of a slider this detector answers at once; the others follow.",
    )


def _view() -> str:
    return st.segmented_control(
        "View",
        [WHOLE, "Detail, pixel for pixel"],
        default=WHOLE,
        required=True,
        label_visibility="collapsed",
        key="view",
    )


def _answers(
    picture: Picture,
    after: np.ndarray,
    degradation: Degradation | None,
    place: DeltaGenerator,
    *,
    first: str,
    meanwhile: Callable[[], None],
) -> None:
    """Show the answers as they come; `meanwhile` is called once, after the first of them."""
    titles = detectors.titles()
    before = picture.scored(scoring.preprocessing())
    called = False

    def show(scores: Mapping[str, float]) -> None:
        nonlocal called
        place.html(_change(titles, before, scores))
        if not called:
            called = True
            meanwhile()

    place.html(_change(titles, before, {}))
    if not detectors.complete(before):
        scoring.ask(picture, lambda: pixels(picture), show)
    if degradation is None:
        show(dict(before))
    else:
        show(dict(scoring.ask(picture, lambda: after, show, degradation=str(degradation), first=first)))


def _change(titles: Mapping[str, str], before: Mapping[str, float], after: Mapping[str, float]) -> str:
    was, now = scoring.combined(before), scoring.combined(after)
    head = score_bars.verdict_change(was.label, now.label) if was and now else ""
    return head + score_bars.change_rows(titles, before, after, (scoring.p_fake(was), scoring.p_fake(now)))


serve(page)
