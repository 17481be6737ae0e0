"""In the wild: what was trained on 2022 meets 2026."""

import streamlit as st

from genimage_core.detectors import detector_info, list_detectors
from genimage_core.images.degradations import parse
from genimage_core.results.plots_wild import METRICS, wild_figure, wild_frame
from genimage_core.results.wild import PHOTOGRAPHS, SCORES, Wild, load_wild
from pages.components.shared.glossary import meaning

AS_IS = "as they are"


def show() -> None:
    """Show the study, or say that there is none."""
    wild = load_wild()
    if wild is None:
        st.info("Nothing has been measured in the wild with this software yet, so nothing is shown.")
        return
    st.subheader("In the wild", anchor=False)
    st.markdown(_introduction(wild))
    metric, degradation = _choices(wild)
    titles = {name: detector_info(name).title for name in list_detectors()} | {"combination": "All together"}
    figure = wild_figure(wild, metric, degradation, titles)
    with st.container(key="wide_wild"):
        st.plotly_chart(
            figure,
            config={"displayModeBar": False},
            alt="Heatmap of detectors against families of generators; the same figures stand below as text.",
        )
    st.caption(_reading(metric), help=meaning("AUROC") if metric == "auroc" else None)
    with st.expander("As text, with 95 % intervals"):
        st.table(wild_frame(wild, metric, degradation, titles))
    _files(wild)


def _introduction(wild: Wild) -> str:
    fakes, photographs, neither = (f"{wild.images[key]:,}" for key in ("ai", PHOTOGRAPHS, "not_photo"))
    return (
        f"GenImage trained detectors on generators of 2022. Here they meet {fakes} generated pictures of "
        f"{len(wild.families)} families, from {wild.sources['ai']} public sources of 2020 to 2026, beside "
        f"{photographs} photographs ({wild.sources[PHOTOGRAPHS]} sources) and {neither} images that are "
        f"neither: paintings, renders, game screens, covers, charts, scans ({wild.sources['not_photo']} "
        "sources). " + wild.description
    )


def _choices(wild: Wild) -> tuple[str, str]:
    metric = st.segmented_control(
        "Figure", list(METRICS), format_func=METRICS.__getitem__, default="auroc", required=True,
        key="wild_metric", bind="query-params",
    )  # fmt: skip
    if len(wild.degradations) == 1:
        return metric, wild.degradations[0]
    degradation = st.segmented_control(
        "The files", wild.degradations, default=wild.degradations[0], required=True, key="wild_files",
        format_func=lambda text: AS_IS if text == "none" else parse(text).words, bind="query-params",
    )  # fmt: skip
    return metric, degradation


def _reading(metric: str) -> str:
    if metric == "auroc":
        return (
            "Percent; 50 is a coin toss. “Neither”: how well generated pictures are told from paintings, "
            "renders and screens. Intervals resample sources, so families from few sources have wide ones."
        )
    return (
        "Share of fakes that score above a threshold which 2 % of the photographs pass. “Neither”: the share "
        "of paintings, renders and screens that pass it, too; there less is better."
    )


def _files(wild: Wild) -> None:
    st.caption("Repeat it on pictures of your own, listed in a manifest:")
    st.code("\n".join(wild.commands), language="bash", wrap_lines=True)
    names = sorted(path.stem for path in SCORES.glob("*.csv"))
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Each image's scores, under a hash", names, width=260)
        st.download_button(
            "Scores as CSV", (SCORES / f"{name}.csv").read_bytes(), f"wild-{name}.csv", "text/csv",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
