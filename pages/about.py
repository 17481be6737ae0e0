"""About: what detectors can and cannot do, who they are, where everything comes from."""

import re
from pathlib import Path

import streamlit as st

from pages.components.models import infos
from pages.components.shell import PRIVACY, heading, serve
from pages.components.trust import trust

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
        "Each reads a picture differently. Its card says what it looks at and where it is known to fail."
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
            if info.card_path.is_file():
                st.markdown(_lowered(info.card_path.read_text(encoding="utf-8")))
            else:
                st.caption("This detector's card has not been written yet.")


def _text(name: str) -> str:
    return (TEXTS / f"{name}.md").read_text(encoding="utf-8")


def _lowered(card: str) -> str:
    """Return a card without its title, its headings made small enough to stand inside this page."""
    body = re.sub(r"\A\s*# .*\n", "", card)
    return re.sub(r"^#{1,3} ", "#### ", body, flags=re.MULTILINE)


serve(page)
