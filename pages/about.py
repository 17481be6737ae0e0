"""About: what detectors can and cannot do, who they are, where everything comes from."""

import re
from pathlib import Path

import streamlit as st

from genimage_core.results.cards import bundled_entry, card_text
from pages.components.about.reliability import trust
from pages.components.shared.detectors import infos
from pages.components.shared.layout import PRIVACY, heading, serve

TEXTS = Path(__file__).with_name("texts")


def page() -> None:
    with st.container(width=800):
        _content()


def _content() -> None:
    heading(
        "What detectors can and cannot tell you",
        "Most tools give one confident number. This one shows what stands behind it, and where it stops.",
    )
    st.markdown(_text("can_and_cannot"))
    st.header("The detectors", anchor="detectors")
    st.markdown(
        "Each reads a picture differently. Its card says what it looks at, where it is known to fail, "
        "what it must not be used for, and what was measured with the weights in use."
    )
    st.subheader("GenImage's seven")
    _cards(in_benchmark=True)
    st.subheader("Not from the benchmark")
    _cards(in_benchmark=False)
    trust()
    st.header("Your pictures", anchor="privacy")
    st.markdown(
        f"{PRIVACY} Close or reload the tab, and they are "
        "forgotten within minutes. The page loads nothing from other sites and "
        "sends no usage statistics. Downloads are made for you alone, when you ask for them."
    )
    st.header("Sources and licence", anchor="sources")
    st.markdown(_text("sources"))


def _cards(*, in_benchmark: bool) -> None:
    for info in (i for i in infos().values() if i.in_benchmark == in_benchmark):
        with st.expander(f"**{info.title}** · {info.year} · {info.reads}"):
            st.markdown(f"[{info.paper}]({info.paper_url})")
            st.markdown(_lowered(card_text(info, *bundled_entry(info.name), title=False)))


def _text(name: str) -> str:
    return (TEXTS / f"{name}.md").read_text(encoding="utf-8")


def _lowered(card: str) -> str:
    """Return a card with headings made small enough to stand inside this page."""
    return re.sub(r"^#{1,3} ", "#### ", card, flags=re.MULTILINE)


serve(page)
