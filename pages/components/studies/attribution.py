"""Which generator? How often the names that the app gives were right, in pictures of known origin."""

import streamlit as st

from genimage_core.explain.attribution_model import confusion_frame, in_short, load_attribution
from genimage_core.utils.errors import GenImageError


def attribution() -> None:
    """Show the confusion matrix of what names generators, measured with the shipped model."""
    st.subheader("Which generator made it?", anchor=False)
    try:
        facts = load_attribution().facts
    except GenImageError as error:
        st.warning(f"{error.message} {error.hint}")
        return
    st.markdown(in_short(facts))
    st.table(confusion_frame(facts))
    st.caption(
        "Each row holds test pictures of one origin, each column what they were called. A name is given only "
        f"from a probability of {facts.threshold:.3g} on: {facts.manifest['rule']}; the figures are from the "
        "other half. Below the known generators stand others, which can only be named wrongly, and pictures "
        "made by people, of which the Detect page names nothing once its verdict is *photograph*."
    )
    st.caption("Repeat it on a data set in `DIR`:")
    st.code(facts.manifest["command"], language="bash", wrap_lines=True)
