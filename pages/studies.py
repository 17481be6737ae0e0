"""Studies: what scale, classes and content change, the data sets there are, generators told apart."""

import streamlit as st

from genimage_core.results.measured import Study, list_studies
from genimage_core.results.plots_paper import study_figure, study_frame, table_figure
from genimage_core.results.published import PublishedTable, load_table
from genimage_core.utils.errors import GenImageError
from pages.components.benchmark import tables
from pages.components.shared.layout import heading, serve
from pages.components.studies.attribution import attribution

STUDIES = {
    "scale": "Scale",
    "class_subset": "Classes",
    "content": "Content",
    "datasets_compared": "Data sets compared",
}


def page() -> None:
    heading(
        "What a detector needs to see",
        "How many images and classes it learns from, what it makes of faces and art, and how the data sets "
        "that people train on compare; and how often the generator that is named on Detect is the right one.",
    )
    *tabs, last = st.tabs([*STUDIES.values(), "Which generator?"])
    for tab, name in zip(tabs, STUDIES, strict=True):
        with tab:
            _study(load_table(name))
    with last:
        attribution()


def _study(table: PublishedTable) -> None:
    st.subheader(table.title, anchor=False)
    st.markdown(table.description)
    st.plotly_chart(
        table_figure(table),
        config={"displayModeBar": False},
        key=f"published_{table.id}",
        alt=f"Chart of “{table.title}”; the same figures stand in the table below.",
    )
    st.table(tables.text_frame(table))
    st.caption(f"**Published figures, not measured here.** {table.source}.")
    if table.notes:
        st.markdown("\n".join(f"- {note}" for note in table.notes))
    if table.id != "datasets_compared":
        _measured(table)


def _measured(table: PublishedTable) -> None:
    st.markdown("##### Measured here")
    try:
        found = list_studies(table.id)
    except GenImageError as error:
        st.warning(f"{error.message} {error.hint}")
        return
    if not found:
        st.markdown("Nothing has been measured for this study with this software yet, so nothing is shown.")
    for number, study in enumerate(found):
        _one(study, f"measured_{table.id}_{number}")


def _one(study: Study, key: str) -> None:
    st.markdown(f"**{study.title}**  \n{study.description}")
    st.plotly_chart(
        study_figure(study),
        config={"displayModeBar": False},
        key=key,
        alt=f"Chart of “{study.title}”; the same figures stand in the table below.",
    )
    st.table(study_frame(study))
    st.caption("Repeat it on a data set in `DIR`:")
    st.code("\n".join(study.commands), language="bash", wrap_lines=True)


serve(page)
