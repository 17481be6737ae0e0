"""Benchmark: every published table as a picture, as text, and as files; measured results beside them."""

import streamlit as st

from genimage_core.results.measured import list_measured
from genimage_core.results.plots_paper import table_figure
from genimage_core.results.published import PublishedTable, list_tables, load_table
from pages.components.benchmark import compare, tables, wild
from pages.components.shared.glossary import meaning
from pages.components.shared.layout import heading, serve

PUBLISHED, WILD = "GenImage's tables", "In the wild"


def page() -> None:
    heading(
        "What the benchmark found",
        "The tables published with GenImage, and what later papers reported on it. The figures "
        "are their authors' own.",
    )
    part = st.segmented_control(
        "Which results", [PUBLISHED, WILD], default=PUBLISHED, required=True, key="part",
        bind="query-params", label_visibility="collapsed",
    )  # fmt: skip
    if part == WILD:
        wild.show()
    else:
        _published()


def _published() -> None:
    table = _choose()
    st.subheader(table.title, anchor=False)
    st.markdown(table.description)
    rows = _rows(table)
    chart, text, compared, measured = st.tabs(
        ["Chart", "As text", "Compared", "Measured here"], key="view", bind="query-params"
    )
    with chart:
        _chart(table, rows)
    with text:
        frame = tables.text_frame(table)
        st.table(frame.loc[frame.index.isin(rows)] if rows else frame)
    with compared:
        if table.kind == "heatmap":
            compare.show(table)
        else:
            st.page_link("pages/studies.py", label="Compared on Studies", icon=":material/query_stats:")
    with measured:
        _measured()
    _downloads(table)
    _origin(table)


def _choose() -> PublishedTable:
    """Let the visitor choose; the choice stands in the address, so that a table can be linked to."""
    ids = list_tables()
    linked = st.query_params.get("table")
    chosen = st.selectbox(
        "Table",
        ids,
        index=ids.index(linked) if linked in ids else 0,
        format_func=lambda name: load_table(name).title,
    )
    st.query_params["table"] = chosen
    return load_table(chosen)


def _rows(table: PublishedTable) -> list[str]:
    """Let the visitor pick rows of a heatmap; none picked stands for all. The address names them."""
    if table.kind != "heatmap":
        return []
    detectors = table.row_meaning == "detector"
    return st.multiselect(
        "Detectors" if detectors else "Trained on",
        list(table.frame().index),
        key="detectors" if detectors else "trained_on",
        placeholder="All",
        bind="query-params",
        width=560,
    )


def _chart(table: PublishedTable, rows: list[str]) -> None:
    st.plotly_chart(
        table_figure(table, rows),
        config={"displayModeBar": False},
        alt=f"Chart of “{table.title}”; the same figures stand under “As text”.",
    )
    if table.unit.startswith("accuracy"):
        st.caption(
            "Accuracy in percent, one colour scale for every table: 40 dark, 100 bright. 50 is a coin toss.",
            help=meaning("accuracy"),
        )


def _measured() -> None:
    found = list_measured()
    if not found:
        st.markdown(
            "Nothing has been measured with this software on these test sets yet, so nothing is shown."
        )
        return
    st.caption("All that was measured with this software, set by set, whichever table is chosen above.")
    chosen = st.selectbox("Measured set", range(len(found)), format_func=lambda i: found[i].title)
    result = found[chosen]
    st.markdown(result.description)
    st.table(tables.measured_frame(result.rows))
    if result.command:
        st.caption("Repeat it on a data set in `DIR`:")
        st.code(result.command, language="bash", wrap_lines=True)


def _downloads(table: PublishedTable) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "Table as CSV",
            tables.csv(table),
            f"genimage-{table.id}.csv",
            "text/csv",
            icon=":material/download:",
            on_click="ignore",
        )


def _origin(table: PublishedTable) -> None:
    st.caption(f"**Published figures, not measured here.** {table.source}.")
    if table.notes:
        st.markdown("\n".join(f"- {note}" for note in table.notes))


serve(page)
