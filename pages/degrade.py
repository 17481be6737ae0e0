"""Degrade: damage a picture as the web does, and see which answers hold."""

from collections.abc import Mapping

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genimage_core.degradations import Degradation
from genimage_core.errors import GenImageError
from pages.components import models, pictures, rows, scoring
from pages.components.compare import compare
from pages.components.controls import controls, words
from pages.components.curves import curves
from pages.components.picker import picker
from pages.components.pictures import Picture, pixels
from pages.components.shell import heading, note, serve


def page() -> None:
    heading(
        "Does the answer survive?",
        "Every site shrinks and re-saves what you upload. Damage a picture the same way and watch which "
        "detectors change their mind.",
    )
    models.warm_up()
    picture = _choose()
    if picture is None:
        note(
            "Choose a picture or take a sample, then pull the sliders: many a sure answer changes after one "
            "re-save."
        )
        return
    _workbench(picture)
    scoring.show_problems()
    scoring.protocol_choice()
    st.divider()
    curves(picture)


def _choose() -> Picture | None:
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
    left, right = st.columns([3, 2], gap="large")
    with right:
        degradation = controls()
        score_rows = st.empty()
    before = pixels(picture)
    try:
        after = degradation(before) if degradation else before
    except GenImageError as error:
        st.warning(f"{error.message} {error.hint}")
        return
    with left:
        _show(picture, before, after, degradation)
    _answers(picture, after, degradation, score_rows)


def _show(picture: Picture, before: np.ndarray, after: np.ndarray, degradation: Degradation | None) -> None:
    place = st.container()
    view = st.segmented_control(
        "View",
        ["Whole picture", "Detail, pixel for pixel"],
        default="Whole picture",
        required=True,
        label_visibility="collapsed",
        key="view",
    )
    with place:
        compare(
            before,
            after,
            label=words(degradation),
            name=picture.name,
            detail=view != "Whole picture",
        )
    if degradation:
        st.caption(f"The same on the command line: `--degrade {degradation}`")


def _answers(
    picture: Picture, after: np.ndarray, degradation: Degradation | None, place: DeltaGenerator
) -> None:
    titles = models.titles()
    before = picture.scored(scoring.protocol())

    def show(scores: Mapping[str, float]) -> None:
        place.html(_change(titles, before, scores))

    show({})
    scoring.ask(picture, lambda: pixels(picture), show)
    if degradation is None:
        show(before)
    else:
        show(scoring.ask(picture, lambda: after, show, degradation=str(degradation)))


def _change(titles: Mapping[str, str], before: Mapping[str, float], after: Mapping[str, float]) -> str:
    was, now = scoring.combined(before), scoring.combined(after)
    head = rows.verdict_change(was.label, now.label) if was and now else ""
    return head + rows.change_rows(titles, before, after, (scoring.p_fake(was), scoring.p_fake(now)))


serve(page)
