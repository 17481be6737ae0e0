"""Detect: one picture or many in, every detector's answer out."""

from functools import partial
from pathlib import Path

import streamlit as st

from pages.components.detect import downloads
from pages.components.detect.picture_table import exported, go_on, overview
from pages.components.detect.result import details
from pages.components.shared import detectors, pictures, scoring
from pages.components.shared.layout import heading, plain, serve
from pages.components.shared.upload import clear_button, picker


def page() -> None:
    heading(
        "Is this picture AI-generated?",
        "One answer from what the file says and what the detectors see, how often such answers are right, "
        "and why. If nobody can tell, we say so.",
    )
    picker("detect")
    detectors.warm_up()
    chosen = pictures.current()
    if not chosen:
        _introduction()
        return
    pictures.show_errors()
    good = pictures.readable()
    if good:
        _results(good)
    _downloads(chosen)
    go_on(good)


def _results(good: list[pictures.Picture]) -> None:
    picture = overview(good) if len(good) > 1 else good[0]
    if picture is not None:
        st.session_state["chosen"] = picture.key
        details(picture)
    scoring.show_problems()
    _how_to_read()
    scoring.advanced(with_prior=True)


def _downloads(chosen: list[pictures.Picture]) -> None:
    preprocessing, prior = scoring.preprocessing(), scoring.prior()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Results as JSON",
            partial(downloads.as_json, exported(chosen), preprocessing, prior),
            "genimage-lab.json",
            "application/json",
            icon=":material/download:",
            on_click="ignore",
        )
        st.download_button(
            "Results as CSV",
            partial(downloads.as_csv, exported(chosen), preprocessing, prior),
            "genimage-lab.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )
        picture = _chosen()
        if picture is not None and preprocessing in picture.reports:
            st.download_button(
                "Report as HTML",
                partial(downloads.as_html, picture, preprocessing, prior),
                f"{Path(picture.name).stem}-report.html",
                "text/html",
                icon=":material/description:",
                on_click="ignore",
                help=f"One file on {plain(picture.name)} to attach: picture, verdict, scores, evidence, "
                "origin, versions and hashes.",
            )
            st.download_button(
                "Report as PDF",
                partial(downloads.as_pdf, picture, preprocessing, prior),
                f"{Path(picture.name).stem}-report.pdf",
                "application/pdf",
                icon=":material/picture_as_pdf:",
                on_click="ignore",
                help="The same to print. Making it takes some seconds: all evidence is drawn.",
            )
        if pictures.readable():
            st.page_link(
                "pages/degrade.py",
                label="Does it survive a re-save? Degrade it",
                icon=":material/blur_on:",
            )
        clear_button()


def _chosen() -> pictures.Picture | None:
    """Return the picture that stands open on the page."""
    key = st.session_state.get("chosen")
    return next((picture for picture in pictures.readable() if picture.key == key), None)


def _introduction() -> None:
    st.html(
        '<p class="gl-note">A score says how much a picture resembles the AI images a detector has learned '
        "from: near 0 like a photograph, near 1 like an AI image. It is evidence, not proof. New generators, "
        "screenshots, heavy compression and retouching can all mislead it.</p>"
    )


def _how_to_read() -> None:
    low, high = scoring.band() or (0.0, 1.0)
    text = Path(__file__).with_name("texts") / "how_to_read.md"
    with st.expander("How to read this", icon=":material/help:"):
        words = text.read_text(encoding="utf-8")
        st.markdown(words.format(low=f"{low:.2f}", high=f"{high:.2f}"))


serve(page)
