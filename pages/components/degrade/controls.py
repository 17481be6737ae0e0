"""The knobs of the Degrade page: one for each degradation, and the paper's presets that set them."""

from collections.abc import Sequence
from typing import Any, Literal

import streamlit as st

from genimage_core.images.degradations import (
    PAPER_SUITE,
    Chain,
    Degradation,
    chain,
    degradation_types,
)
from pages.components.shared.url_state import linked_steps, name_degradation

OFF = "off"
Kind = type[Degradation]


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
    kinds = list(degradation_types().values())
    _columns([kind for kind in reversed(kinds) if kind.curve])
    _more([kind for kind in kinds if not kind.curve])
    chosen = _degradation()
    name_degradation(chosen)
    return chosen


def _columns(kinds: Sequence[Kind], alignment: Literal["top", "center"] = "top") -> None:
    columns = st.columns(len(kinds), gap="medium", vertical_alignment=alignment)
    for column, kind in zip(columns, kinds, strict=True):
        with column:
            _knob(kind)


def _more(kinds: Sequence[Kind]) -> None:
    """Show the knobs that the paper has not."""
    used = any(_value(kind) is not None for kind in kinds)
    with st.expander("More changes", icon=":material/crop:", expanded=used):
        _columns(kinds, "center")
        st.caption(f"Whatever is on is done in this order: {', '.join(degradation_types())}.")


def _knob(kind: Kind) -> None:
    control, name = kind.control, kind.name
    if not kind.parameter:
        st.toggle(
            control.label, key=name, on_change=_forget_preset, args=(name,), help=getattr(control, "help", "")
        )
        return
    st.session_state.setdefault(name, OFF)
    stops = [OFF if stop is None else stop for stop in getattr(control, "stops", ())]
    st.select_slider(control.label, stops, key=name, on_change=_forget_preset, args=(name,))
    if kind.choice and st.session_state[name] != OFF:
        choice = kind.choice
        st.session_state.setdefault(choice.field, next(iter(choice.labels)))
        st.segmented_control(
            control.label,
            list(choice.labels),
            key=choice.field,
            format_func=choice.labels.__getitem__,
            required=True,
            label_visibility="collapsed",
            help=choice.help,
        )


def _value(kind: Kind) -> float | bool | None:
    """Where a knob stands; None for off."""
    value = st.session_state.get(kind.name, OFF)
    return None if value == OFF or value is False else value


def _from_address() -> None:
    """Set the knobs to what the address names; a value between two stops goes to the nearer one."""
    linked = linked_steps()
    if linked is None:
        return
    _all_off()
    st.session_state["preset"] = None
    for step in linked:
        _set(step)
        if step.choice:
            st.session_state[step.choice.field] = getattr(step, step.choice.field)


def _all_off() -> None:
    for kind in degradation_types().values():
        st.session_state[kind.name] = OFF if kind.parameter else False


def _set(step: Degradation) -> None:
    """Turn a degradation's knob to the stop nearest to it."""
    value: float | bool = True
    if step.parameter:
        wanted = getattr(step, step.parameter)
        stops = [stop for stop in getattr(step.control, "stops", ()) if stop is not None]
        value = min(stops, key=lambda stop: abs(stop - wanted))
    st.session_state[step.name] = value
    _show_curve(step.name)


def words(degradation: Degradation | None) -> str:
    """Return what was done to a picture as a visitor reads it."""
    if degradation is None:
        return "Unchanged"
    steps = degradation.steps if isinstance(degradation, Chain) else (degradation,)
    return "After " + ", ".join(step.words for step in steps)


def setting(name: str) -> float | None:
    """Return where the slider of a kind stands, None for off."""
    value = _value(degradation_types()[name])
    return None if value is None else float(value)


def _degradation() -> Chain | None:
    steps: list[Degradation] = []
    for kind in degradation_types().values():
        value = _value(kind)
        if value is None:
            continue
        options: dict[str, Any] = {kind.parameter: value} if kind.parameter else {}
        if kind.choice:
            options[kind.choice.field] = st.session_state.get(kind.choice.field) or next(
                iter(kind.choice.labels)
            )
        steps.append(kind(**options))
    return chain(*steps) if steps else None


def _apply_preset() -> None:
    _all_off()
    preset = PAPER_SUITE.get(st.session_state["preset"] or "")
    if preset is not None:
        _set(preset)


def _forget_preset(name: str) -> None:
    st.session_state["preset"] = None
    _show_curve(name)


def _show_curve(name: str) -> None:
    if degradation_types()[name].curve:
        st.session_state["curve"] = name
