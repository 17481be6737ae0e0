"""What stands in the page's address, so that a view can be shared. Never a visitor's own picture."""

import streamlit as st

from genimage_core.datasets.samples import list_samples
from genimage_core.images.degradations import Chain, Degradation, degradation_types, parse
from genimage_core.utils.errors import GenImageError
from pages.components.shared import pictures

_SEEN = "degrade_address"


def take_sample() -> None:
    """Take the sample that the address names, unless the visit has pictures already."""
    linked = st.query_params.get("sample")
    if linked and not pictures.current():
        found = next((sample for sample in list_samples() if sample.file == linked), None)
        if found is not None:
            pictures.replace_by_sample(found)


def name_sample() -> None:
    """Name the sample at hand in the address; anything else the visitor brought stays out of it."""
    chosen = pictures.current()
    sample = chosen[0].sample if len(chosen) == 1 else None
    put("sample", sample.file if sample else "")


def linked_steps() -> tuple[Degradation, ...] | None:
    """What the sliders are to show, in their order; None unless the address names a degradation that is new.

    Says so where the sliders cannot show it.
    """
    text = st.query_params.get("degrade", "")
    if not text or text == st.session_state.get(_SEEN):
        return None
    st.session_state[_SEEN] = text
    try:
        found = parse(text, keep_order=True)
    except GenImageError as error:
        st.toast(f"The address names no degradation: {error.message}", icon=":material/link_off:")
        return None
    steps = found.steps if isinstance(found, Chain) else (found,)
    names = [step.name for step in steps]
    if names != [name for name in degradation_types() if name in names]:
        st.toast(f"The sliders cannot show “{found}” from the address.", icon=":material/link_off:")
        return None
    return steps


def name_degradation(degradation: Degradation | None) -> None:
    """Name what the sliders show in the address."""
    text = str(degradation) if degradation else ""
    st.session_state[_SEEN] = text
    put("degrade", text)


def put(key: str, value: str) -> None:
    """Set a part of the address, or take it out where the value is empty."""
    if value:
        st.query_params[key] = value
    else:
        st.query_params.pop(key, None)
