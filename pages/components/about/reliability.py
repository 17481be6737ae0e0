"""How far a verdict can be trusted: the reliability diagram and the figures behind the unsure band."""

import pandas as pd
import streamlit as st

from genimage_core.verdict.reliability import reliability_diagram, verdict_figures


def trust() -> bool:
    """Show what the verdict was measured to be worth; return False where nothing was measured."""
    figures = verdict_figures()
    if figures is None:
        return False
    st.header("How far to trust a verdict", anchor="verdict")
    st.markdown(
        "Scores are calibrated on images that no detector was trained on: on the dotted line, a combined "
        "score of .8 means that 80 of 100 such images are AI images. The bars are 95 % intervals. Of a "
        "generator that is really new expect less."
    )
    st.plotly_chart(
        reliability_diagram(figures),
        config={"displayModeBar": False},
        alt="Reliability diagram: share of AI images against the combined score",
    )
    st.dataframe(pd.DataFrame(figures.rows()), hide_index=True)
    if words := figures.stability_words():
        st.markdown(words)
    with st.expander("Each detector's calibration error, before and after"):
        st.dataframe(pd.DataFrame(figures.detector_rows()), hide_index=True)
    return True
