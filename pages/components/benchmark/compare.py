"""Published, measured and their difference side by side."""

from pathlib import Path

import pandas as pd
import streamlit as st

from genimage_core.results.comparison import Comparison, compare
from genimage_core.results.measured import METRICS, MeasuredTable, list_measured_tables, table_of_report
from genimage_core.results.plots import accuracy_heatmap
from genimage_core.results.published import PublishedTable
from genimage_core.utils.errors import GenImageError
from pages.components.benchmark import cell_images, own_run
from pages.components.shared.layout import plain

HERE, OWN = "Measured here", "A run of my own"
_BESIDE = 9
"""Most columns of tables that stand side by side; on a phone those with more keep a width and scroll."""


def show(table: PublishedTable) -> None:
    """Show a published heatmap beside what was measured here, or beside the visitor's own run."""
    try:
        here = list_measured_tables(table.id)
    except GenImageError as error:
        st.warning(f"{error.message} {error.hint}")
        here = []
    kinds = [HERE, OWN] if here else [OWN, HERE]
    own = "own_run" in st.session_state
    kind = st.segmented_control(
        "Beside the published figures",
        kinds,
        default=OWN if own else kinds[0],
        required=True,
        key="compare_with",
        bind="query-params",
    )
    if kind == HERE:
        measured, run = _here(here), None
    else:
        measured, run = _own(table)
    if measured is not None:
        both = _compare(table, measured)
        cell_images.show(measured, both, run, by_degradation=table.id == "task2_degradations")
        _notes(measured, both)


def _here(found: list[MeasuredTable]) -> MeasuredTable | None:
    if not found:
        st.info("Nothing has been measured for this table with this software yet, so nothing is shown.")
        return None
    protocols = list(dict.fromkeys(entry.data_protocol for entry in found))
    protocol = protocols[0]
    if len(protocols) > 1:
        protocol = st.segmented_control(
            "Data protocol",
            protocols,
            default=protocol,
            required=True,
            key="compare_protocol",
            bind="query-params",
            help=_PROTOCOL_HELP,
        )
    some = [entry for entry in found if entry.data_protocol == protocol]
    names = [f"{entry.title} (preprocessing: {entry.preprocessing})" for entry in some]
    place = 0
    if len(some) > 1:
        place = st.selectbox("Measured", range(len(some)), format_func=names.__getitem__, key="compare_which")
    return some[place]


def _own(table: PublishedTable) -> tuple[MeasuredTable | None, Path | None]:
    chosen = own_run.choose()
    if chosen is None:
        return None, None
    report, folder = chosen
    try:
        return table_of_report(report, table.id), folder
    except GenImageError as error:
        st.warning(f"{error.message} {error.hint}")
        return None, None


def _compare(table: PublishedTable, measured: MeasuredTable) -> Comparison:
    there = [m for m in METRICS if any(cell.metric == m for cell in measured.cells)]
    metric = st.selectbox(
        "Figure", there, format_func=METRICS.__getitem__, key="compare_metric", bind="query-params"
    )
    both = compare(table, measured, metric)
    shared = both.difference.dropna(how="all").dropna(axis=1, how="all")
    if metric == "accuracy":
        count, wide = 3 if len(shared) else 2, both.measured.shape[1] > _BESIDE
        # Wide tables one below the other: numbers must fit into their cells.
        columns = [st.container() for _ in range(count)] if wide else st.columns(count)
        _heatmap(columns[0], "Published", both.published, both, "published")
        _heatmap(columns[1], "Measured", both.measured, both, "measured", details=True)
        if len(shared):
            _heatmap(columns[2], "Measured less published", shared, both, "difference", difference=True)
        else:
            st.caption(
                "No row and column were both published and measured, so there is no difference to show."
            )
    else:
        st.caption("Only accuracy was published: there is nothing to stand beside this figure.")
        _heatmap(st.container(), METRICS[metric], both.measured, both, "measured", details=True)
    with st.expander("The same as text"):
        st.dataframe(_text(both))
    return both


def _heatmap(
    place: "st.delta_generator.DeltaGenerator",
    title: str,
    values: pd.DataFrame,
    both: Comparison,
    key: str,
    *,
    details: bool = False,
    difference: bool = False,
) -> None:
    values = values.dropna(how="all").dropna(axis=1, how="all")
    with place:
        st.markdown(f"**{title}**")
        if values.empty:
            st.caption("Not published.")
            return
        values = values.astype(float).round(1)
        marked = {row: f"{row} *" for row in both.apart}
        more = both.details.loc[values.index, values.columns].rename(index=marked) if details else None
        with st.container(key=f"{'wide' if values.shape[1] > _BESIDE else 'narrow'}_{key}"):
            cell_images.chart(
                accuracy_heatmap(
                    values.rename(index=marked), details=more, difference=difference, clickable=details
                ),
                key=f"compare_{key}",
                alt=f"Heatmap: {title}; the same figures stand as text below.",
                clickable=details,
            )


def _text(both: Comparison) -> pd.DataFrame:
    """Return one line a row and column: published, measured with its interval, difference."""
    lines = []
    for row in both.measured.index:
        for column in both.measured.columns:
            published, measured = both.published.loc[row, column], both.measured.loc[row, column]
            if pd.isna(published) and pd.isna(measured):
                continue
            low_high = both.details.loc[row, column].replace("<br>", " ").strip()
            lines.append([row, column, published, measured, low_high, both.difference.loc[row, column]])
    names = ["row", "column", "published", "measured", "95 % interval", "difference"]
    return pd.DataFrame(lines, columns=names).set_index(["row", "column"])


def _notes(measured: MeasuredTable, both: Comparison) -> None:
    st.caption(
        "Percent; 50 is a coin toss. The measured images are not GenImage's own unless its data were scored: "
        "a column of the same name holds other images of that generator. Training data and their amount "
        f"differ as well. {measured.description} Data protocol {measured.data_protocol}, "
        f"preprocessing {measured.preprocessing}. "
        "Point at a measured cell for its 95 % interval."
    )
    if both.apart:
        st.caption(f"\\* {', '.join(map(plain, both.apart))}: not one of the benchmark's seven.")
    if measured.command:
        # A table of many rows has many commands: whoever wants them opens them.
        with st.expander("Repeat it on a data set in `DIR`"):
            st.code(measured.command, language="bash", wrap_lines=True)


_PROTOCOL_HELP = (
    "raw: the files as they are, whose format and size can give the answer away. unbiased: both classes "
    "cropped and encoded alike."
)
