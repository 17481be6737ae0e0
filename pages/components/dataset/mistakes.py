"""The worst mistakes of a detector, from the scores that come with the project."""

import pandas as pd
import streamlit as st

from genimage_core.datasets import Record
from genimage_core.results.image_scores import read_scores, scored_sets, set_title, worst_mistakes
from genimage_core.utils.errors import GenImageError
from pages.components.dataset.browse import thumbnail
from pages.components.shared import detectors
from pages.components.shared.glossary import meaning
from pages.components.shared.layout import plain

COUNT = 8


def show(records: list[Record]) -> None:
    """Show which images a detector gets most wrong, with the pictures where the data set is at hand."""
    sets = scored_sets()
    if not sets:
        st.info("No measured scores come with this copy. Make some with `python -m genimage_core evaluate`.")
        return
    titles = detectors.titles()
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Measured on", list(sets), key="scores", format_func=set_title, bind="query-params", width=560
        )
        detector = st.selectbox(
            "Detector",
            sets[name],
            key="detector",
            format_func=lambda d: titles.get(d, d),
            bind="query-params",
            width=240,
        )
    try:
        rows = read_scores(name, detector)
    except GenImageError as error:
        st.info(f"{error.message} {error.hint}")
        return
    alarms, misses = worst_mistakes(rows, COUNT)
    paths = {record.image_id: str(record.path) for record in records}
    where = (
        "Pictures are shown where the named folder holds them."
        if paths
        else "The pictures themselves are not bundled; with the data set's folder at hand they are shown."
    )
    st.caption(f"Of {len(rows):,} images. {where}", help=meaning("score"))
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("**● Real, but scored as AI-generated**")
        _list(alarms, paths)
    with right:
        st.markdown("**◆ AI-generated, but scored as real**")
        _list(misses, paths)


def _list(rows: pd.DataFrame, paths: dict[str, str]) -> None:
    if rows.empty:
        st.caption("None.")
        return
    at_hand = [(row, paths[row["image_id"]]) for row in rows.to_dict("records") if row["image_id"] in paths]
    with st.container(horizontal=True):
        for row, path in at_hand:
            with st.container(width=120, gap="xxsmall"):
                try:
                    st.image(thumbnail(path), width="stretch", alt=str(row["image_id"]))
                except GenImageError:
                    continue
                st.caption(f"{row['p_fake']:.2f} · {plain(str(row['generator']))}")
    table = rows[["p_fake", "generator", "image_id"]].rename(columns={"p_fake": "score", "image_id": "image"})
    table["score"] = table["score"].map("{:.2f}".format)
    st.dataframe(table, hide_index=True, alt="The images with their scores")
