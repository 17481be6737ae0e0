"""The knobs of the Degrade page: three sliders, and the paper's presets that set them."""

from typing import Any

import streamlit as st

from genimage_core.degradations import PAPER_SUITE, Chain, Degradation, GaussianBlur, Jpeg, LowRes, chain
from pages.components.address import linked_steps, name_degradation

OFF = "off"
QUALITIES: tuple[Any, ...] = (OFF, *range(95, 5, -5))
SIGMAS: tuple[Any, ...] = (OFF, *(step / 2 for step in range(1, 13)))
SIZES: tuple[Any, ...] = (OFF, 512, 384, 256, 224, 192, 160, 128, 112, 96, 80, 64, 48, 32)
MODES = {"down-up": "Shrink, then enlarge", "down": "Shrink only"}
_OFF_STATE = {"jpeg": OFF, "blur": OFF, "lowres": OFF}


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
    st.select_slider("JPEG quality", QUALITIES, key="jpeg", on_change=_forget_preset, args=("jpeg",))
    st.select_slider("Blur (sigma in px)", SIGMAS, key="blur", on_change=_forget_preset, args=("blur",))
    st.select_slider(
        "Low resolution (shorter side in px)", SIZES, key="lowres", on_change=_forget_preset, args=("lowres",)
    )
    if st.session_state["lowres"] != OFF:
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
    chosen = _degradation()
    name_degradation(chosen)
    return chosen


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
    return f"low-res {step.size}" if isinstance(step, LowRes) else str(step)


def _degradation() -> Chain | None:
    state = st.session_state
    steps: list[Degradation] = []
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
    st.session_state["curve"] = kind


def _forget_preset(kind: str) -> None:
    st.session_state["preset"] = None
    st.session_state["curve"] = kind
