"""The Streamlit entry: it routes to pages, nothing else. Start it with `make app`."""

from typing import NamedTuple

import streamlit as st

from pages.components.shared.layout import footer, icon, style, top_bar


class Entry(NamedTuple):
    """A page: its file, its title, its icon, and what Home says of it."""

    file: str
    title: str
    icon: str
    says: str = ""


# Home first; Home and the accessibility test read this list, too.
PAGES = (
    Entry("pages/home.py", "Home", "home"),
    Entry(
        "pages/detect.py", "Detect", "image_search",
        "Drop in a picture of your own: one answer, how sure it is, and why.",
    ),
    Entry(
        "pages/degrade.py", "Degrade", "blur_on",
        "Compress or shrink a picture as the web does. Does the answer survive?",
    ),
    Entry(
        "pages/quiz.py", "Can you tell?", "quiz",
        "Twelve pictures, one guess each. Are you better than the detectors?",
    ),
    Entry(
        "pages/benchmark.py", "Benchmark", "grid_on",
        "How good detectors are on generators that they know, and on others.",
    ),
    Entry(
        "pages/evaluate.py", "Evaluate", "play_circle",
        "Run the benchmark on images whose truth you know.",
    ),
    Entry(
        "pages/studies.py", "Studies", "query_stats",
        "What more images, other classes and other content change.",
    ),
    Entry(
        "pages/dataset.py", "Data set", "photo_library",
        "The pictures behind the figures: what gives them away, and the worst mistakes.",
    ),
    Entry("pages/about.py", "About", "info", "What detectors can and cannot tell, and who they are."),
)  # fmt: skip


def main() -> None:
    """Run the page that the address names, with the app around it."""
    st.set_page_config(page_title="GenImage Lab", page_icon=icon(), layout="wide")
    style()
    pages = [
        st.Page(e.file, title=e.title, icon=f":material/{e.icon}:", default=e is PAGES[0]) for e in PAGES
    ]
    page = st.navigation(pages, position="hidden")
    top_bar(pages)
    page.run()
    footer()


if __name__ == "__main__":
    main()
