"""Data set: the pictures behind the figures, what their files give away, and the worst mistakes."""

import streamlit as st

from genimage_core.datasets import Record
from pages.components.dataset import audit as audit_charts
from pages.components.dataset import browse
from pages.components.dataset import mistakes as worst
from pages.components.shared.dataset_folder import folder_records
from pages.components.shared.layout import heading, serve

TABS = ["Pictures", "What gives them away", "Worst mistakes"]


def page() -> None:
    heading(
        "The pictures behind the figures",
        "A detector is only as good as the pictures that it learned from. Look through them, see what their "
        "files give away unseen, and where the detectors go wrong.",
    )
    records = folder_records()
    pictures, audit, mistakes = st.tabs(TABS, key="show", on_change="rerun", bind="query-params")
    if pictures.open:
        with pictures:
            _browse(records)
    if audit.open:
        with audit:
            audit_charts.show(records)
    if mistakes.open:
        with mistakes:
            worst.show(records)


def _browse(records: list[Record]) -> None:
    if records:
        browse.records(records)
    else:
        browse.samples()


serve(page)
