"""What surrounds every page: its style sheet, its heading and its closing line."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from PIL import Image, ImageDraw
from streamlit.navigation.page import StreamlitPage

from genimage_core.verdict.labels import LABEL_STYLES, colours_css

APP = Path(__file__).resolve().parents[3] / "app.py"
_ROUTED = "routed"
PRIVACY = (
    "Your pictures stay in this server's memory for as long as this tab is open. Nothing is written to disk "
    "(but a data set dropped on Evaluate: into a folder that goes when you leave), logged, or sent on to "
    "anyone, and no other visitor can see them."
)


def icon() -> Image.Image:
    """Return the browser tab's icon: a photograph's blue beside an AI image's orange.

    Drawn here because Streamlit fetches its named icons and emoji for the tab from another site.
    """
    picture = Image.new("RGBA", (64, 64))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((4, 4, 60, 60), 12, fill=LABEL_STYLES["fake"].colour)
    draw.rounded_rectangle((4, 4, 38, 60), 12, fill=LABEL_STYLES["real"].colour)
    draw.rectangle((26, 4, 31, 60), fill=LABEL_STYLES["real"].colour)
    draw.rectangle((31, 0, 34, 63), fill="#FFFFFF")
    draw.rectangle((35, 4, 38, 60), fill=LABEL_STYLES["fake"].colour)
    return picture


def style() -> None:
    """Add the app's style sheet, and the colours that verdicts have everywhere."""
    sheet = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
    st.html(f"<style>{colours_css()}{sheet}</style>")


def top_bar(pages: list[StreamlitPage]) -> None:
    """Show the product's name and a link to each page, in one row that also fits a phone.

    Streamlit's own navigation hides in a drawer on phones, and the drawer stays open over the page.
    """
    st.session_state[_ROUTED] = True
    home, *others = pages
    with st.container(key="top_bar", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="brand", width="content"):
            st.page_link(home, label="GenImage Lab", width="content", icon=None)
        for page in others:
            st.page_link(page, width="content")


def serve(page: Callable[[], None]) -> None:
    """Show a page inside the app.

    Until the first `st.navigation` of a fresh server Streamlit serves `pages/NAME.py` bare at `/NAME`.
    Whoever follows a link to a page as the first visitor would see it without the app around it, so the
    app is run first.
    """
    if _ROUTED in st.session_state:
        page()
    else:
        runpy.run_path(str(APP), run_name="__main__")


def heading(title: str, lead: str) -> None:
    """Show a page's title and the one sentence that says what it is for."""
    st.title(title, anchor=False)
    st.html(f'<p class="gl-lead">{lead}</p>')


def note(text: str) -> None:
    """Show a quiet sentence or two; the text is the page's own."""
    st.html(f'<p class="gl-note">{text}</p>')


def footer() -> None:
    """Show the closing line."""
    st.html(f'<p class="gl-foot">GenImage Lab · {PRIVACY}</p>')


def plain(text: str) -> str:
    """Return text from outside (a file's name, say) so that Markdown shows it letter by letter."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:])", r"\\\1", text)
