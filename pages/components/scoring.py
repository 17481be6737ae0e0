"""Asking the detectors, and keeping their answers with the picture."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from genimage_core.errors import GenImageError
from pages.components import models
from pages.components.pictures import Picture

if TYPE_CHECKING:
    from genimage_core.detectors import Protocol
    from genimage_core.verdict import Verdict

PROTOCOLS: "dict[Protocol, tuple[str, str]]" = {
    "native": (
        "Full resolution (recommended)",
        "Parts of the picture are read at their own resolution and the answers averaged: resizing would wipe "
        "out the fine traces that the detectors look for.",
    ),
    "paper": (
        "As in the benchmark",
        "The picture is shrunk and its middle read, as the benchmark's own code does. Take this to compare "
        "with published figures.",
    ),
}
OnScore = Callable[[Mapping[str, float]], None]


def protocol() -> "Protocol":
    """Return the way of reading large pictures that the visitor chose."""
    return st.session_state.get("protocol", "native")


def protocol_choice() -> None:
    """Let the visitor choose how a large picture reaches the detectors."""
    with st.expander("How a large picture is read", icon=":material/crop:"):
        st.radio(
            "How a large picture is read",
            list(PROTOCOLS),
            key="protocol",
            format_func=lambda name: PROTOCOLS[name][0],
            captions=[text for _, text in PROTOCOLS.values()],
            label_visibility="collapsed",
            persist_state="session",
        )


def ask(
    picture: Picture, image: Callable[[], np.ndarray], on_score: OnScore, *, degradation: str = ""
) -> dict[str, float]:
    """Ask every detector that has not answered yet; call `on_score` after each answer.

    Args:
        picture: where answers are kept.
        image: makes the pixels to look at; called only if some detector has not answered.
        on_score: gets all answers so far.
        degradation: the text form of what was done to the pixels, empty for the picture as it is.
    """
    from genimage_core.analysis import score_image

    chosen = protocol()
    scores = picture.scored(chosen, degradation)
    pixels: np.ndarray | None = None
    for name, detector in models.each():
        if name in scores or isinstance(detector, GenImageError):
            continue
        pixels = image() if pixels is None else pixels
        for answered, p in score_image(pixels, {name: detector}, chosen):
            scores[answered] = float(p)
            on_score(scores)
    return scores


def band() -> "tuple[float, float] | None":
    """Return the edges of the unsure band, or None where the file that holds them is missing."""
    from genimage_core.verdict import unsure_band

    try:
        return unsure_band()
    except GenImageError:
        return None


def combined(scores: Mapping[str, float]) -> "Verdict | None":
    """Return the verdict on all scores, once every detector that can be used has answered."""
    from genimage_core.verdict import combine

    if not scores or not models.complete(scores):
        return None
    try:
        return combine(scores)
    except (GenImageError, ValueError):
        return None


def p_fake(verdict: "Verdict | None") -> float | None:
    """Return a verdict's combined score, None where there is no verdict."""
    return None if verdict is None else verdict.p_fake


def problems() -> dict[str, GenImageError]:
    """Return the detectors that cannot be used, and why."""
    return {name: found for name, found in models.each() if isinstance(found, GenImageError)}


def show_problems() -> None:
    """Say which detectors cannot answer, where there are any."""
    titles = models.titles()
    for name, error in problems().items():
        st.info(f"{titles[name]} does not answer: {error.message} {error.hint}", icon=":material/block:")
