"""Many pictures at once: a table that sorts and filters, in which one is chosen for a closer look."""

import base64
import time
from collections import Counter

import pandas as pd
import streamlit as st

from genimage_core.verdict.labels import LABEL_STYLES
from pages.components.detect import result
from pages.components.shared import score_bars as rows
from pages.components.shared import scoring
from pages.components.shared.glossary import meaning
from pages.components.shared.layout import plain
from pages.components.shared.pictures import Picture

COLUMNS = ["picture", "verdict", "name", "score", "agreement", "file", "size", "kind"]
SLICE = 5.0
"""Seconds of scoring between two showings of the table."""
_SAYS = {True: "AI", False: "Camera", None: "Nothing"}


def overview(pictures: list[Picture]) -> Picture | None:
    """List the pictures, score what has not been, and return the one that the visitor chose.

    Scoring goes on for some seconds at a time and the table shows what there is: see `go_on`.
    """
    good = [picture for picture in pictures if picture.error is None]
    _score_some(good)
    shown = _filtered(good)
    if not shown:
        st.info("No picture is left under these filters.", icon=":material/filter_alt:")
        return None
    chosen = st.dataframe(
        _table(shown),
        key="overview",
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row-required",
        row_height=52,
        column_config={
            "picture": st.column_config.ImageColumn("", width=64),
            # Before the name: a phone shows no more than the first columns.
            "verdict": st.column_config.TextColumn("Verdict", width=170),
            "name": st.column_config.TextColumn("Picture", width="medium"),
            "score": st.column_config.ProgressColumn(
                "0 photograph … 1 AI-generated", min_value=0.0, max_value=1.0, format="%.2f", width="medium"
            ),
            "agreement": st.column_config.NumberColumn(
                "Agree", format="percent", width="small", help=meaning("agreement")
            ),
            "file": st.column_config.TextColumn("The file says", width=105, help=meaning("provenance")),
            "size": st.column_config.TextColumn("Size, px", width=105),
            "kind": st.column_config.TextColumn("Format", width="small"),
        },
        alt="Each picture with its verdict and combined score",
    )
    selected = chosen.selection.rows
    return shown[selected[0]] if selected and selected[0] < len(shown) else shown[0]


def _filtered(pictures: list[Picture]) -> list[Picture]:
    """Let the visitor narrow the table by verdict and by name."""
    labels = {picture.key: _label(picture) for picture in pictures}
    counts = Counter(labels.values())
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kept = st.pills(
            "Show only",
            [label for label in LABEL_STYLES if counts[label]],
            selection_mode="multi",
            format_func=lambda label: (
                f"{LABEL_STYLES[label].shape} {LABEL_STYLES[label].short} · {counts[label]}"
            ),
            key="overview_verdicts",
        )
        words = st.text_input("Name contains", key="overview_name", width=220).strip().lower()
    return [p for p in pictures if (not kept or labels[p.key] in kept) and words in p.name.lower()]


def _label(picture: Picture) -> str:
    report = picture.reports.get(scoring.preprocessing())
    return report.verdict if report else ""


def unscored(pictures: list[Picture]) -> list[Picture]:
    """Return those that nobody has tried to score."""
    return [picture for picture in pictures if scoring.preprocessing() not in picture.tried]


def go_on(pictures: list[Picture]) -> None:
    """Run the page once more while pictures are left to score; called when all else has been shown."""
    if len(pictures) > 1 and unscored(pictures):
        st.rerun()


def _score_some(pictures: list[Picture]) -> None:
    """Score for `SLICE` seconds, saying how far it is; a visitor's next move ends this early."""
    waiting, place = unscored(pictures), st.empty()
    end = time.monotonic() + SLICE
    for picture in waiting:
        number = len(pictures) - len(unscored(pictures)) + 1
        share = (number - 1) / len(pictures)
        words = f"Looking at picture {number} of {len(pictures)}: {plain(picture.name)}"

        def tell(_: object, share: float = share, words: str = words) -> None:
            place.progress(share, words)

        tell(None)
        result.answer(picture, tell)
        picture.tried.add(scoring.preprocessing())
        if time.monotonic() > end and number < len(pictures):
            return  # the page runs once more (`go_on`), and what it says stands until then
    place.empty()


def _table(pictures: list[Picture]) -> pd.DataFrame:
    chosen = scoring.preprocessing()
    records = []
    for picture in pictures:
        report = picture.reports.get(chosen)
        records.append(
            {
                "picture": "data:image/jpeg;base64," + base64.b64encode(picture.thumbnail).decode(),
                "name": picture.name,
                "verdict": _verdict(report.verdict) if report else _without(picture),
                "score": report.p_fake if report else None,
                "agreement": round(report.agreement, 2) if report else None,
                "file": _SAYS[picture.provenance.ai],
                "size": f"{picture.facts.width} × {picture.facts.height}" if picture.facts else "",
                "kind": picture.facts.format if picture.facts else "",
            }
        )
    return pd.DataFrame(records, columns=COLUMNS)


def _without(picture: Picture) -> str:
    return "No verdict" if scoring.preprocessing() in picture.tried else "Waiting"


def _verdict(label: str) -> str:
    return f"{rows.side(label).shape} {rows.verdict_words(label)}"
