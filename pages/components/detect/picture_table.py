"""Many pictures at once: a table that sorts and filters, in which one is chosen for a closer look."""

import base64
import time
from collections import Counter

import pandas as pd
import streamlit as st

from genimage_core.verdict.answer import AnswerName
from genimage_core.verdict.labels import ANSWER_STYLES
from pages.components.detect import result
from pages.components.shared import scoring
from pages.components.shared.glossary import meaning
from pages.components.shared.layout import plain
from pages.components.shared.pictures import Picture

COLUMNS = ["answer", "picture", "name", "odds", "score", "agreement", "file", "size", "kind"]
NO_ORDER, BY_ANSWER = "As they came", "AI first"
_SUMMARY: dict[AnswerName, str] = {
    "file_says_ai": "AI by the file's own word",
    "ai": "AI-generated",
    "leans_ai": "lean AI",
    "cannot_tell": "can't tell",
    "leans_photo": "lean photograph",
    "photo": "photographs",
    "graphic": "graphics",
}
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
            # First of all: a phone shows no more than the first columns.
            "answer": st.column_config.TextColumn("Answer", width=165),
            "picture": st.column_config.ImageColumn("", width=64),
            "name": st.column_config.TextColumn("Picture", width="medium"),
            "odds": st.column_config.NumberColumn(
                "Odds of AI", format="percent", width="small", help=meaning("odds")
            ),
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
        alt="Each picture with its answer and combined score",
    )
    selected = chosen.selection.rows
    return shown[selected[0]] if selected and selected[0] < len(shown) else shown[0]


def _filtered(pictures: list[Picture]) -> list[Picture]:
    """Let the visitor narrow the table by answer and by name, and sort it; the order is kept for exports."""
    labels = {picture.key: _answer(picture) for picture in pictures}
    counts = Counter(labels.values())
    summary = ", ".join(f"{counts[name]} {words}" for name, words in _SUMMARY.items() if counts[name])
    if summary:
        st.markdown(f"**{plain(summary)}**")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kept = st.pills(
            "Show only",
            [name for name in ANSWER_STYLES if counts[name]],
            selection_mode="multi",
            format_func=lambda name: (
                f"{ANSWER_STYLES[name].shape} {ANSWER_STYLES[name].short} · {counts[name]}"
            ),
            key="overview_verdicts",
        )
        words = st.text_input("Name contains", key="overview_name", width=220).strip().lower()
        order = st.segmented_control(
            "Order", [NO_ORDER, BY_ANSWER], default=NO_ORDER, required=True, key="overview_order"
        )
    shown = [p for p in pictures if (not kept or labels[p.key] in kept) and words in p.name.lower()]
    return in_order(shown) if order == BY_ANSWER else shown


def in_order(pictures: list[Picture]) -> list[Picture]:
    """Return the pictures by answer, AI first, within an answer the highest score first."""
    names = [*ANSWER_STYLES, ""]

    def place(picture: Picture) -> tuple[int, float]:
        report = picture.reports.get(scoring.preprocessing())
        return names.index(_answer(picture)), -report.p_fake if report else 0.0

    return sorted(pictures, key=place)


def exported(pictures: list[Picture]) -> list[Picture]:
    """Return the pictures in the order in which the table shows them."""
    return in_order(pictures) if st.session_state.get("overview_order") == BY_ANSWER else pictures


def _answer(picture: Picture) -> str:
    report = picture.reports.get(scoring.preprocessing())
    return report.answer if report else ""


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
                "answer": _words(report.answer) if report else _without(picture),
                "odds": scoring.answered(picture, report, scoring.prior()).odds if report else None,
                "score": report.p_fake if report else None,
                "agreement": round(report.agreement, 2) if report else None,
                "file": _SAYS[picture.provenance.ai],
                "size": f"{picture.facts.width} × {picture.facts.height}" if picture.facts else "",
                "kind": picture.facts.format if picture.facts else "",
            }
        )
    return pd.DataFrame(records, columns=COLUMNS)


def _without(picture: Picture) -> str:
    return "No answer" if scoring.preprocessing() in picture.tried else "Waiting"


def _words(answer: AnswerName) -> str:
    return f"{ANSWER_STYLES[answer].shape} {ANSWER_STYLES[answer].short}"
