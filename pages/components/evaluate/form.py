"""What is to be evaluated: detectors, degradations, data protocol, number of images, device."""

import streamlit as st

from genimage_core.evaluation.config import Wanted
from genimage_core.evaluation.plan import Precision
from genimage_core.images.degradations import PAPER_SUITE
from pages.components.evaluate.source import Source
from pages.components.shared import detectors

DEGRADATIONS = {"none": "As they are", **{str(step): name for name, step in PAPER_SUITE.items()}}
_PROTOCOLS = {"raw": "Files as they are", "unbiased": "Same crop and JPEG for both classes"}


def choose(source: Source | None) -> Wanted | None:
    """Show the form; return what is asked for once it is sent."""
    covered, titles = _covered(), detectors.titles()
    with st.form("evaluate_form", border=False):
        names = st.multiselect(
            "Detectors",
            covered,
            default=covered[:3],
            format_func=titles.__getitem__,
            key="evaluate_detectors",
            persist_state="session",
        )
        degradations = st.multiselect(
            "What is done to the images",
            list(DEGRADATIONS),
            default=["none", "jpeg:65"],
            format_func=DEGRADATIONS.__getitem__,
            key="evaluate_conditions",
            persist_state="session",
        )
        left, middle, right = st.columns(3)
        protocol = left.selectbox(
            "Data protocol",
            list(_PROTOCOLS),
            format_func=_PROTOCOLS.__getitem__,
            key="evaluate_protocol",
            persist_state="session",
            help="Format, size and compression alone often give AI images away; the second takes that out.",
        )
        limit = middle.number_input(
            "Images of each class and generator",
            min_value=1,
            value=20,
            key="evaluate_limit",
            persist_state="session",
            help="Drawn at random, always the same ones.",
        )
        device = right.selectbox("Device", _devices(), key="evaluate_device", persist_state="session")
        sent = st.form_submit_button("Start", type="primary", disabled=source is None)
    if not sent or source is None:
        return None
    if not names or not degradations:
        st.warning("Choose at least one detector and one degradation.")
        return None
    # On a CPU the app's own detectors, which are loaded already.
    precision: Precision = "int8" if device == "CPU" else "fp32"
    return Wanted(
        data=source.folder,
        detectors=",".join(names),
        degrade=",".join(degradations),
        data_protocol=protocol,
        limit=int(limit),
        device="cuda" if device != "CPU" else "cpu",
        precision=precision,
        command=_command(names, degradations, protocol, int(limit), precision),
    )


def _command(
    names: list[str], degradations: list[str], protocol: str, limit: int, precision: Precision
) -> str:
    return (
        f"python -m genimage_core evaluate --data DIR --out RUN --detectors {','.join(names)} "
        f"--degrade {','.join(degradations)} --data-protocol {protocol} --limit {limit} "
        f"--precision {precision}"
    )


@st.cache_data(show_spinner=False)
def _devices() -> list[str]:
    import torch

    if not torch.cuda.is_available():
        return ["CPU"]
    return [torch.cuda.get_device_name(), "CPU"]


def _covered() -> list[str]:
    from genimage_core.evaluation.devices import with_weights

    return with_weights("default")
