"""Why the detectors say so: one kind of evidence at a time, made when the visitor asks for it."""

from typing import TYPE_CHECKING, Any

import streamlit as st

from genimage_core.utils.errors import GenImageError
from pages.components.detect import charts
from pages.components.shared import detectors as models
from pages.components.shared import scoring
from pages.components.shared.layout import plain
from pages.components.shared.pictures import Picture, n_pixels, pixels
from pages.components.shared.turns import turn

if TYPE_CHECKING:
    from genimage_core.detectors import Detector
    from genimage_core.explain import Evidence, Kind

_KEPT = "evidence"
MOST_KEPT = 12
OPACITY = 0.55


def evidence(picture: Picture) -> None:
    """Offer the evidence for a picture whose verdict stands; nothing is computed before it is asked for."""
    if scoring.preprocessing() in picture.reports:
        _section(picture)


@st.fragment
def _section(picture: Picture) -> None:
    from genimage_core.explain import kind_info, list_kinds

    st.subheader("Evidence", anchor="evidence")
    st.caption(
        "Where does it show, how firm is it, and compared with what? Each kind opens with what it found and "
        "how much that weighs."
    )
    titles = {name: kind_info(name).title for name in list_kinds()}
    chosen = st.pills(
        "Kind of evidence",
        list(titles),
        format_func=titles.__getitem__,
        key="evidence_kind",
        label_visibility="collapsed",
    )
    if chosen is None:
        return
    info = kind_info(chosen)
    detectors = _asked(info)
    with st.spinner("Looking closer…", show_time=True):
        found = _made(picture, chosen, detectors)
    if isinstance(found, GenImageError):
        st.info(f"{found.source}: {found.message} {found.hint}", icon=":material/block:")
        return
    _show(picture, found)


def _asked(info: "Kind") -> "dict[str, Detector]":
    """Return the detectors that this kind runs; where it runs one, the visitor chooses it."""
    from genimage_core.explain.report.select import weightiest

    ready = {name: found for name, found in models.each() if not isinstance(found, GenImageError)}
    if info.asks == "nobody":
        return {}
    if info.asks != "each":
        return ready
    titles, first = models.titles(), weightiest(ready, 1)
    name = st.selectbox(
        "Which detector",
        list(ready),
        index=list(ready).index(first[0]) if first else 0,
        format_func=titles.__getitem__,
        key="evidence_detector",
    )
    return {name: ready[name]}


def _made(picture: Picture, kind: str, detectors: "dict[str, Detector]") -> "Evidence | GenImageError":
    """Return the evidence, from this visit's memory where it was made before."""
    from genimage_core.explain import explain

    owner, kept = st.session_state.get(_KEPT, ("", {}))
    if owner != picture.key:
        kept = {}
    key = (kind, *detectors)
    if key not in kept:
        scores = picture.scored("tiles")
        try:
            with turn(n_pixels(picture), "evidence"):
                kept[key] = explain(pixels(picture), detectors, kind, scores=scores)
        except GenImageError as error:
            kept[key] = error
    while len(kept) > MOST_KEPT:
        del kept[next(iter(kept))]
    st.session_state[_KEPT] = (picture.key, kept)
    return kept[key]


def _show(picture: Picture, found: "Evidence") -> None:
    st.markdown(f"**{plain(found.finding)}**  \n{plain(found.weighs)}")
    drawn = charts.figures(found, models.titles())
    if found.kind == "tile_map":
        _tile_map(picture, found)
    else:
        _pictures(found, None if drawn is None else charts.KEPT.get(found.kind, ()))
    with st.container(key="evidence_charts"):
        for alt, figure in (drawn or {}).items():
            st.plotly_chart(figure, config={"displayModeBar": False}, alt=alt)
    with st.expander("How to read it", icon=":material/help:"):
        st.markdown(f"**What it shows.** {plain(found.means)}")
        st.markdown(f"**When it misleads.** {plain(found.misleads)}")
        st.caption("  \n".join(plain(text) for text in dict.fromkeys(found.alts.values())))


def _tile_map(picture: Picture, found: "Evidence") -> None:
    from genimage_core.explain.draw import tile_figure

    (name, places) = next(iter(found.arrays.items()))
    place = st.empty()
    opacity = st.slider("Strength of the colours", 0.0, 1.0, OPACITY, 0.05, key="evidence_opacity")
    config: dict[str, Any] = {"displayModeBar": False}
    place.plotly_chart(tile_figure(pixels(picture), places, opacity), config=config, alt=found.alts[name])


def _pictures(found: "Evidence", only: tuple[str, ...] | None = None) -> None:
    """Show wide pictures below each other, small ones side by side; `only` those, None for all."""
    shown = {key: image for key, image in found.images.items() if only is None or key in only}
    small = {key: image for key, image in shown.items() if max(image.shape[:2]) < 400}
    if len(small) > 1:
        for column, (key, image) in zip(st.columns(len(small)), small.items(), strict=True):
            column.image(image, caption=plain(key), alt=found.alts[key])
    with st.container(key="evidence_pictures"):
        for key, image in shown.items():
            if len(small) <= 1 or key not in small:
                st.image(image, alt=found.alts[key])
