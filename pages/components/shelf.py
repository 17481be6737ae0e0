"""The bundled samples, read and scored once for all visitors: they are nobody's secret."""

import streamlit as st

from genimage_core.samples import Sample
from pages.components import pictures


@st.cache_resource(show_spinner=False)
def _shelf() -> dict[str, pictures.Picture]:
    return {}


def sample_picture(sample: Sample) -> pictures.Picture:
    """Return a sample with whatever has been found out about it so far."""
    shelf = _shelf()
    if sample.file not in shelf:
        shelf[sample.file] = pictures.read_sample(sample)
    return shelf[sample.file]
