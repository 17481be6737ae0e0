"""The images behind a cell of a measured table: choose the cell on the chart or by name."""

from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from genimage_core.datasets import Record, scan_dataset
from genimage_core.datasets.samples import EVALUATION_SET
from genimage_core.evaluation.store import list_shards, read_rows
from genimage_core.results.comparison import Comparison
from genimage_core.results.image_scores import bundled_rows, cell_images, known_row
from genimage_core.results.measured import MeasuredTable
from genimage_core.utils.errors import GenImageError
from genimage_core.verdict.labels import truth_style
from pages.components.dataset.browse import thumbnail
from pages.components.shared.dataset_folder import folder_records
from pages.components.shared.layout import plain

PICTURES = 12
_CLICKED, _SEEN = "behind_clicked", "behind_seen"


def chart(figure: go.Figure, *, key: str, alt: str, clickable: bool) -> None:
    """Show a heatmap; a cell that the visitor clicks is the one whose images are shown."""
    config = {"displayModeBar": False}
    if not clickable:
        st.plotly_chart(figure, config=config, key=key, alt=alt)
        return
    event = st.plotly_chart(
        figure, config=config, key=key, alt=alt, on_select="rerun", selection_mode="points"
    )
    points = event["selection"]["points"]
    if points and points != st.session_state.get(_SEEN):
        st.session_state[_CLICKED] = (str(points[0]["y"]).removesuffix(" *"), str(points[0]["customdata"][0]))
    st.session_state[_SEEN] = points


def show(measured: MeasuredTable, both: Comparison, run: Path | None, *, by_degradation: bool) -> None:
    """Show the images behind a cell of a table that was measured here or by the visitor's run.

    Args:
        measured: the table.
        both: the same beside the published one.
        run: folder of the visitor's run; None: the bundled scores are looked through.
        by_degradation: whether the columns are what was done to the images.
    """
    known = known_row(measured, both.measured.index)
    shown = both.measured.loc[list(known)].dropna(how="all").dropna(axis=1, how="all")
    if shown.empty:
        return
    st.subheader("The images behind a cell", anchor=False)
    if any("," in weights for weights in measured.weights.values()):
        st.caption("A cell of this table is a mean over several networks: see the table of each of them.")
        return
    clicked = st.session_state.pop(_CLICKED, ("", ""))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        row = _choice("Row", list(shown.index), f"behind_row_{measured.table}", clicked[0])
        column = _choice("Column", list(shown.columns), f"behind_column_{measured.table}", clicked[1])
    st.caption("Or click a cell of the measured table. The most wrong come first.")
    try:
        rows = (
            _run_rows(str(run), len(list_shards(run)), known[row])
            if run
            else bundled_rows(measured, known[row])
        )
    except GenImageError as error:
        st.warning(f"{plain(error.message)} {error.hint}")
        return
    found = None if rows is None else cell_images(rows, column, by_degradation=by_degradation)
    if found is None or found.empty:
        st.info("The scores of single images behind this cell do not come with this copy.")
        return
    _list(found)


def _choice(label: str, options: list[str], key: str, clicked: str) -> str:
    # A key for each table: under one key the browser would go on showing the last table's choice.
    if clicked in options:
        st.session_state[key] = clicked
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    return st.selectbox(label, options, key=key, width=240)


@st.cache_data(show_spinner=False, max_entries=16)
def _run_rows(folder: str, files: int, detector: str) -> pd.DataFrame:
    """Return a run's rows of one detector; `files` of rows stand for how far it has come."""
    rows = read_rows(Path(folder))
    return rows[rows["detector"].astype(str) == detector]


def _list(found: pd.DataFrame) -> None:
    records = {record.image_id: str(record.path) for record in _at_hand()}
    rows = found.to_dict("records")
    at_hand = [row for row in rows if row["image_id"] in records][:PICTURES]
    with st.container(horizontal=True, key="grid_behind"):
        for row in at_hand:
            with st.container(width=120, gap="xxsmall"):
                try:
                    st.image(thumbnail(records[row["image_id"]]), width="stretch", alt=str(row["image_id"]))
                except GenImageError:
                    continue
                side = truth_style(bool(row["label"]))
                st.caption(f"{side.shape} {side.short}, scored {row['p_fake']:.2f}")
    if not at_hand:
        st.caption("The pictures themselves are not at hand; their names and scores are.")
    table = pd.DataFrame(
        {
            "image": found["image_id"],
            "truth": [truth_style(bool(label)).short for label in found["label"]],
            "score": found["p_fake"].round(3),
            "off by": found["wrong"].round(3),
        }
    )
    st.dataframe(table, hide_index=True, alt="The images with their truth and their scores", height=300)


def _at_hand() -> list[Record]:
    """Return the images on this machine: the visitor's last data set, a named folder, the bundled set."""
    folders = [EVALUATION_SET]
    source = st.session_state.get("evaluate_source")
    if source is not None:
        folders.append(source.folder)  # last: of two images of one name it is this one
    found = folder_records()
    for folder in folders:
        try:
            found = [*found, *_scanned(str(folder))]
        except GenImageError:
            continue  # a folder that has gone holds no pictures
    return found


@st.cache_data(show_spinner=False, ttl=600, max_entries=8)
def _scanned(folder: str) -> list[Record]:
    return scan_dataset(folder)
