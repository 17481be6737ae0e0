"""Evaluate: run the benchmark on a data set, watch its table fill, stop, go on, compare."""

import streamlit as st

from pages.components.evaluate import form
from pages.components.evaluate import run as evaluate_run
from pages.components.evaluate import source as evaluate_data
from pages.components.shared.layout import heading, serve


def page() -> None:
    heading(
        "Run the benchmark yourself",
        "Choose images whose truth is known, detectors and what is done to the images. The table fills while "
        "you watch; you can stop and go on later.",
    )
    run = evaluate_run.current()
    if run is not None and run.active:
        evaluate_run.watch()
        return
    if run is not None:
        evaluate_run.show(run)
        st.divider()
    source = evaluate_data.choose()
    wanted = form.choose(source)
    if wanted is not None and source is not None:
        evaluate_run.start(wanted, source)
        st.rerun()


serve(page)
