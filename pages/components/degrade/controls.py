"""The knobs of the Degrade page: a slider for each kind of damage, and the paper's presets that set them."""

from typing import Any

import streamlit as st

from genimage_core.images.degradations import (
    PAPER_SUITE,
    Chain,
    Crop,
    Degradation,
    GaussianBlur,
    Jpeg,
    LowRes,
    Resize,
    Screen,
    chain,
)
from pages.components.shared.url_state import linked_steps, name_degradation

OFF = "off"
QUALITIES: tuple[Any, ...] = (OFF, *range(95, 5, -5))
SIGMAS: tuple[Any, ...] = (OFF, *(step / 2 for step in range(1, 13)))
SIZES: tuple[Any, ...] = (OFF, 512, 384, 256, 224, 192, 160, 128, 112, 96, 80, 64, 48, 32)
CROPS: tuple[Any, ...] = (OFF, *range(95, 25, -5))
SCALES: tuple[Any, ...] = (200, 175, 150, 125, 110, OFF, 90, 80, 75, 67, 60, 50, 40, 33, 25)
MODES = {"down-up": "Shrink, then enlarge", "down": "Shrink only"}
_OFF_STATE = {"jpeg": OFF, "blur": OFF, "lowres": OFF, "crop": OFF, "resize": OFF, "screen": False}
_CURVES = ("jpeg", "blur", "lowres")
"""Kinds that have a curve of scores against severity."""


def controls() -> Degradation | None:
    """Show the knobs; return what they ask for, or None where all are off. The address names it, too."""
    _from_address()
    st.pills(
        "The paper's six conditions",
        list(PAPER_SUITE),
        key="preset",
        on_change=_apply_preset,
        wrap=True,
        help="GenImage's second task: each detector is trained on clean pictures and tested on these.",
    )
    jpeg, blur, lowres = st.columns(3, gap="medium")
    with jpeg:
        _slider("JPEG quality", QUALITIES, "jpeg")
    with blur:
        _slider("Blur (sigma in px)", SIGMAS, "blur")
    with lowres:
        _slider("Low resolution (shorter side in px)", SIZES, "lowres")
        if st.session_state["lowres"] != OFF:
            _mode()
    _more()
    chosen = _degradation()
    name_degradation(chosen)
    return chosen


def _mode() -> None:
    st.session_state.setdefault("mode", "down-up")
    st.segmented_control(
        "After shrinking",
        list(MODES),
        key="mode",
        format_func=MODES.__getitem__,
        required=True,
        label_visibility="collapsed",
        help="The paper does not say which it did; public code does either.",
    )


def _more() -> None:
    """Show the knobs that the paper has not."""
    state = st.session_state
    used = any(state.get(kind, off) != off for kind, off in _OFF_STATE.items() if kind not in _CURVES)
    with st.expander("Crop, resize, screenshot", icon=":material/crop:", expanded=used):
        crop, resize, screen = st.columns(3, gap="medium", vertical_alignment="center")
        with crop:
            _slider("Crop (percent of each side kept)", CROPS, "crop")
        with resize:
            _slider("Resize (percent of each side)", SCALES, "resize")
        screen.toggle(
            "Screenshot",
            key="screen",
            on_change=_forget_preset,
            args=("screen",),
            help="Shown on a screen (scaled to fit, or to 125 %) and trimmed at the edges, as a screenshot "
            "keeps it.",
        )
        st.caption(
            "Whatever is on, it is done in this order: crop, resize, screenshot, low resolution, blur, JPEG."
        )


def _slider(label: str, stops: tuple[Any, ...], kind: str) -> None:
    st.session_state.setdefault(kind, OFF)
    st.select_slider(label, stops, key=kind, on_change=_forget_preset, args=(kind,))


def _from_address() -> None:
    """Set the sliders to what the address names; a value between two stops goes to the nearer one."""
    linked = linked_steps()
    if linked is None:
        return
    st.session_state.update(_OFF_STATE | {"preset": None})
    for kind, step in linked.items():
        if isinstance(step, Jpeg):
            _turn(kind, _nearest(QUALITIES, step.quality))
        elif isinstance(step, GaussianBlur):
            _turn(kind, _nearest(SIGMAS, step.sigma))
        elif isinstance(step, LowRes):
            _turn(kind, _nearest(SIZES, step.size))
            st.session_state["mode"] = step.mode
        elif isinstance(step, Crop):
            _turn(kind, _nearest(CROPS, step.percent))
        elif isinstance(step, Resize):
            _turn(kind, _nearest(SCALES, step.percent))
        elif isinstance(step, Screen):
            st.session_state[kind] = True


def _nearest(stops: tuple[Any, ...], value: float) -> Any:
    return min((stop for stop in stops if stop != OFF), key=lambda stop: abs(stop - value))


def words(degradation: Degradation | None) -> str:
    """Return what was done to a picture as a visitor reads it."""
    if degradation is None:
        return "Unchanged"
    steps = degradation.steps if isinstance(degradation, Chain) else (degradation,)
    return "After " + ", ".join(_step_words(step) for step in steps)


def setting(kind: str) -> float | None:
    """Return where the slider of a kind stands, None for off."""
    value = st.session_state.get(kind, OFF)
    return None if value == OFF else float(value)


def _step_words(step: Degradation) -> str:
    if isinstance(step, Jpeg):
        return f"JPEG {step.quality}"
    if isinstance(step, GaussianBlur):
        return f"blur {step.sigma:g}"
    if isinstance(step, LowRes):
        return f"low-res {step.size}"
    if isinstance(step, Crop):
        return f"a crop to {step.percent} %"
    if isinstance(step, Resize):
        return f"resizing to {step.percent} %"
    return "a screenshot" if isinstance(step, Screen) else str(step)


def _degradation() -> Chain | None:
    state = st.session_state
    steps: list[Degradation] = []
    if state["crop"] != OFF:
        steps.append(Crop(int(state["crop"])))
    if state["resize"] != OFF:
        steps.append(Resize(int(state["resize"])))
    if state["screen"]:
        steps.append(Screen())
    if state["lowres"] != OFF:
        steps.append(LowRes(int(state["lowres"]), mode=state.get("mode") or "down-up"))
    if state["blur"] != OFF:
        steps.append(GaussianBlur(float(state["blur"])))
    if state["jpeg"] != OFF:
        steps.append(Jpeg(int(state["jpeg"])))
    return chain(*steps) if steps else None


def _apply_preset() -> None:
    st.session_state.update(_OFF_STATE)
    preset = PAPER_SUITE.get(st.session_state["preset"] or "")
    if isinstance(preset, Jpeg):
        _turn("jpeg", preset.quality)
    elif isinstance(preset, GaussianBlur):
        _turn("blur", float(preset.sigma))  # 3 and 3.0 are different options to Streamlit
    elif isinstance(preset, LowRes):
        _turn("lowres", preset.size)


def _turn(kind: str, value: float) -> None:
    st.session_state[kind] = value
    _show_curve(kind)


def _forget_preset(kind: str) -> None:
    st.session_state["preset"] = None
    _show_curve(kind)


def _show_curve(kind: str) -> None:
    if kind in _CURVES:
        st.session_state["curve"] = kind
