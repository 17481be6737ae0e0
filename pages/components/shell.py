"""What surrounds every page: its style sheet, its heading and its closing line."""

import re
import runpy
from collections.abc import Callable
from pathlib import Path

import streamlit as st
from PIL import Image, ImageDraw
from streamlit.navigation.page import StreamlitPage

APP = Path(__file__).resolve().parents[2] / "app.py"
_ROUTED = "routed"
PRIVACY = (
    "Your pictures stay in this server's memory for as long as this tab is open. Nothing is written to disk, "
    "logged, or sent on to anyone, and no other visitor can see them."
)


def icon() -> Image.Image:
    """Return the browser tab's icon: a photograph's blue beside an AI image's orange.

    Drawn here because Streamlit fetches its named icons and emoji for the tab from another site.
    """
    picture = Image.new("RGBA", (64, 64))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((4, 4, 60, 60), 12, fill="#E07B1A")
    draw.rounded_rectangle((4, 4, 38, 60), 12, fill="#2F86C1")
    draw.rectangle((26, 4, 31, 60), fill="#2F86C1")
    draw.rectangle((31, 0, 34, 63), fill="#FFFFFF")
    draw.rectangle((35, 4, 38, 60), fill="#E07B1A")
    return picture


def style() -> None:
    """Add the app's style sheet."""
    st.html(Path(__file__).with_name("style.css"))


def top_bar(pages: list[StreamlitPage]) -> None:
    """Show the product's name and a link to each page, in one row that also fits a phone.

    Streamlit's own navigation hides in a drawer on phones, and the drawer stays open over the page.
    """
    st.session_state[_ROUTED] = True
    with st.container(key="top_bar", horizontal=True, vertical_alignment="center", gap="small"):
        st.html('<span class="gl-brand">GenImage Lab</span>', width="content")
        for page in pages:
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
        runpy.run_path(str(APP))


def heading(title: str, lead: str) -> None:
    """Show a page's title and the one sentence that says what it is for."""
    st.title(title, anchor=False)
    st.html(f'<p class="gl-lead">{lead}</p>')


def footer() -> None:
    """Show the closing line."""
    st.html(f'<p class="gl-foot">GenImage Lab · {PRIVACY}</p>')


def plain(text: str) -> str:
    """Return text from outside (a file's name, say) so that Markdown shows it letter by letter."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~$:])", r"\\\1", text)
