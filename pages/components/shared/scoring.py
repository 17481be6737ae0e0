"""Asking the detectors, and keeping their answers with the picture."""

import os
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from genimage_core.utils.errors import GenImageError
from pages.components.shared import detectors
from pages.components.shared.pictures import Picture, n_pixels
from pages.components.shared.turns import turn

if TYPE_CHECKING:
    from genimage_core.detectors import Preprocessing
    from genimage_core.verdict.combine import Verdict
    from genimage_core.verdict.pipeline import Report

PREPROCESSINGS: "dict[Preprocessing, tuple[str, str]]" = {
    "tiles": (
        "Full resolution (recommended)",
        "Parts of the picture are read at their own resolution and the answers averaged: resizing would wipe "
        "out the fine traces that the detectors look for.",
    ),
    "resize": (
        "As in the benchmark",
        "The picture is shrunk and its middle read, as the benchmark's own code does. Take this to compare "
        "with published figures.",
    ),
}
OnScore = Callable[[Mapping[str, float]], None]
AT_ONCE = max(2, min(4, (os.cpu_count() or 2) // 2))
"""Detectors that look at one picture at the same time: none keeps the processor busy all along."""
HEARTBEAT = 0.1
"""Seconds after which a visitor's next move is noticed, however long a detector takes."""


def preprocessing() -> "Preprocessing":
    """Return the way of reading large pictures that the visitor chose."""
    return st.session_state.get("preprocessing", "tiles")


def prior() -> float:
    """Return how likely AI was beforehand, as the visitor put it, in (0, 1)."""
    return float(st.session_state.get("prior", 50)) / 100


def answered(picture: Picture, report: "Report", prior: float) -> "Report":
    """Return a report with the answer that another prior gives; the scores stay."""
    from genimage_core.verdict.answer import find_answer
    from genimage_core.verdict.combine import combine

    verdict = combine(report.detectors)
    return report.answered(find_answer(picture.provenance, report.image_type, verdict, prior=prior))


def advanced(*, with_prior: bool = False) -> None:
    """Let the visitor say how likely AI was beforehand, and how a large picture reaches the detectors."""
    with st.expander("Advanced", icon=":material/tune:"):
        if with_prior:
            st.slider(
                "How likely was AI before you looked? (%)",
                1,
                99,
                50,
                key="prior",
                persist_state="session",
                help="The odds follow it by Bayes' rule: in a feed with little AI, a false alarm is more "
                "likely. The detectors' scores stay as they are.",
            )
        st.radio(
            "How a large picture is read",
            list(PREPROCESSINGS),
            key="preprocessing",
            format_func=lambda name: PREPROCESSINGS[name][0],
            captions=[text for _, text in PREPROCESSINGS.values()],
            persist_state="session",
        )


def ask(
    picture: Picture,
    image: Callable[[], np.ndarray],
    on_score: OnScore,
    *,
    degradation: str = "",
    first: str = "",
    at_once: int = AT_ONCE,
) -> dict[str, float]:
    """Ask every detector that has not answered yet; call `on_score` while answers come in.

    Args:
        picture: where answers are kept.
        image: makes the pixels to look at; called only if some detector has not answered.
        on_score: gets all answers so far, after each one and now and then between: every Streamlit call in
            it is a point where a visitor's next move can end this run. Answers on their way are kept then.
        degradation: the text form of what was done to the pixels, empty for the picture as it is.
        first: a detector that is to answer before all others, with the whole machine for itself.
        at_once: how many of the others look at the same time.
    """
    chosen, store = preprocessing(), detectors.store()
    scores = picture.scored(chosen, degradation)
    missing = [
        name
        for name in detectors.asking_order(first)
        if name not in scores and not isinstance(store.at_hand(name), GenImageError)
    ]
    if not missing:
        return scores
    with turn(n_pixels(picture)):
        _ask_all(image(), missing, chosen, scores, on_score, first, at_once)
    return scores


def _ask_all(
    pixels: np.ndarray,
    missing: list[str],
    chosen: "Preprocessing",
    scores: dict[str, float],
    on_score: OnScore,
    first: str,
    at_once: int,
) -> None:
    from genimage_core.verdict.pipeline import score_image

    store = detectors.store()

    def answer(name: str) -> None:
        detector = store.get(name)
        if not isinstance(detector, GenImageError):
            scores.update(score_image(pixels, {name: detector}, chosen))

    if missing[0] == first:
        answer(missing.pop(0))
        on_score(dict(scores))
    pool = ThreadPoolExecutor(at_once, thread_name_prefix="ask")
    try:
        _follow([pool.submit(answer, name) for name in missing], lambda: on_score(dict(scores)))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _follow(answers: list[Future[None]], tell: Callable[[], None]) -> None:
    """Call `tell` after each answer and at least every `HEARTBEAT` seconds, until all are in."""
    waiting = set(answers)
    while waiting:
        done, waiting = wait(waiting, HEARTBEAT, FIRST_COMPLETED)
        for answer in done:
            answer.result()  # what went wrong in the thread goes wrong here
        tell()


def band() -> "tuple[float, float] | None":
    """Return the edges of the unsure band, or None where the file that holds them is missing."""
    from genimage_core.verdict.combine import unsure_band

    try:
        return unsure_band()
    except GenImageError:
        return None


def combined(scores: Mapping[str, float]) -> "Verdict | None":
    """Return the verdict, once every detector has answered that can be used and has a say in it."""
    from genimage_core.verdict.combine import combine, combine_early

    if not scores:
        return None
    try:
        return combine(scores) if detectors.complete(scores) else combine_early(scores)
    except (GenImageError, ValueError):
        return None


def p_fake(verdict: "Verdict | None") -> float | None:
    """Return a verdict's combined score, None where there is no verdict."""
    return None if verdict is None else verdict.p_fake


def problems() -> dict[str, GenImageError]:
    """Return the detectors that cannot be used, and why."""
    return {name: found for name, found in detectors.each() if isinstance(found, GenImageError)}


def show_problems() -> None:
    """Say which detectors cannot answer, where there are any."""
    titles = detectors.titles()
    for name, error in problems().items():
        st.info(f"{titles[name]} does not answer: {error.message} {error.hint}", icon=":material/block:")
