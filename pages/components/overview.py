"""Many pictures at once: a table with each one's verdict, in which one is chosen for a closer look."""

import base64

import pandas as pd
import streamlit as st

from pages.components import details, rows, scoring
from pages.components.pictures import Picture
from pages.components.shell import plain


def overview(pictures: list[Picture]) -> Picture | None:
    """Score all pictures, list them, and return the one that the visitor chose."""
    good = [picture for picture in pictures if picture.error is None]
    _score_all(good)
    chosen = st.dataframe(
        _table(good),
        key="overview",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row-required",
        row_height=52,
        column_config={
            "picture": st.column_config.ImageColumn("", width=64),
            "name": st.column_config.TextColumn("Picture", width="medium"),
            "verdict": st.column_config.TextColumn("Verdict", width="medium"),
            "score": st.column_config.ProgressColumn(
                "0 photograph … 1 AI-generated", min_value=0.0, max_value=1.0, format="%.2f", width="medium"
            ),
        },
        alt="Each picture with its verdict and combined score",
    )
    selected = chosen.selection.rows
    return good[selected[0]] if selected and selected[0] < len(good) else (good[0] if good else None)


def _score_all(pictures: list[Picture]) -> None:
    """Score what has no report yet, saying how far it is."""
    chosen = scoring.protocol()
    waiting = [picture for picture in pictures if chosen not in picture.reports]
    if not waiting:
        return
    place = st.empty()
    for done, picture in enumerate(waiting):
        place.progress(
            done / len(waiting), f"Looking at picture {done + 1} of {len(waiting)}: {plain(picture.name)}"
        )
        details.answer(picture, lambda _: None)
    place.empty()


def _table(pictures: list[Picture]) -> pd.DataFrame:
    chosen = scoring.protocol()
    records = []
    for picture in pictures:
        report = picture.reports.get(chosen)
        records.append(
            {
                "picture": "data:image/jpeg;base64," + base64.b64encode(picture.thumbnail).decode(),
                "name": picture.name,
                "verdict": rows.verdict_words(report.verdict) if report else "No answer",
                "score": report.p_fake if report else None,
            }
        )
    return pd.DataFrame(records, columns=["picture", "name", "verdict", "score"])
