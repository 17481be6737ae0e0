"""Each detector's score against severity, drawn point by point."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genimage_core.images.degradations import Degradation, degradation_types, sweep
from genimage_core.results.plots import UNDEGRADED, severity_curves
from pages.components.degrade.controls import setting
from pages.components.shared import detectors, scoring
from pages.components.shared.pictures import Picture, pixels

CURVES = {name: kind.curve for name, kind in degradation_types().items() if kind.curve}


def curves(picture: Picture) -> None:
    """Show the curves of one kind of damage; severities not yet scored are added one by one.

    The page computes them in its own run and not in a fragment: Streamlit stops a page's run when the
    visitor moves a slider, but lets a fragment's finish first. So a moved slider never waits for curves.
    """
    st.session_state.setdefault("curve", "jpeg")
    kind = (
        st.segmented_control(
            "Each detector's score as the damage grows",
            list(reversed(CURVES)),
            key="curve",
            format_func=lambda name: CURVES[name].title,
            required=True,
        )
        or "jpeg"
    )
    st.caption(
        f"{CURVES[kind].axis}. The thick line is the combined score, the grey band is “unsure”, "
        "the dotted line is your slider."
    )
    steps = [step for step in sweep(kind) if _severity(step) > 0]
    place, progress = st.empty(), st.empty()
    _draw(place, picture, kind, steps)
    for number, step in enumerate(steps, start=1):
        if detectors.complete(picture.scored(scoring.preprocessing(), str(step))):
            continue
        message = f"Computing step {number} of {len(steps)}"
        _ask_step(picture, step, progress, message)
        _draw(place, picture, kind, steps)
    progress.empty()


def _ask_step(picture: Picture, step: Degradation, progress: DeltaGenerator, message: str) -> None:
    # One detector at a time: whatever still looks when a slider moves keeps the new answers waiting.
    def tell(scores: Mapping[str, float]) -> None:
        progress.caption(f"{message}: {len(scores)} detectors have answered")

    scoring.ask(picture, lambda: step(pixels(picture)), tell, degradation=str(step), at_once=1)


def _draw(place: DeltaGenerator, picture: Picture, kind: str, steps: Sequence[Degradation]) -> None:
    points = [picture.scored(scoring.preprocessing())]
    points += [picture.scored(scoring.preprocessing(), str(step)) for step in steps]
    lines = {title: [point.get(name) for point in points] for name, title in detectors.titles().items()}
    figure = severity_curves(
        lines,
        [UNDEGRADED, *(f"{_severity(step):g}" for step in steps)],
        combined=[scoring.p_fake(scoring.combined(point)) for point in points],
        band=scoring.band(),
        current=_position(kind, steps),
    )
    place.plotly_chart(
        figure,
        config={"displayModeBar": False},
        alt=f"Line chart: the score of each of {len(lines)} detectors against {CURVES[kind].axis}",
    )


def _severity(step: Degradation) -> float:
    return float(getattr(step, step.parameter))


def _position(kind: str, steps: Sequence[Degradation]) -> float | None:
    """Return where the slider stands between the axis' ticks (1 = the first step), None for off."""
    value = setting(kind)
    if value is None:
        return None
    severities = [_severity(step) for step in steps]
    ticks = list(range(1, len(steps) + 1))
    if severities[0] > severities[-1]:
        severities, ticks = severities[::-1], ticks[::-1]
    return float(np.interp(value, severities, ticks))
