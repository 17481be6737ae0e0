"""What the file itself says of its origin, as a section under the verdict.

Every word from the file is escaped: a file may hold markup.
"""

from html import escape

import streamlit as st

from genimage_core.provenance import Provenance, Source
from genimage_core.verdict.labels import LABEL_STYLES, truth_style
from pages.components.shared.score_bars import shape

TITLE = "What the file itself says"
KINDS = {
    "c2pa": "Content Credential",
    "iptc": "IPTC",
    "exif": "EXIF",
    "xmp": "XMP",
    "png_text": "Text in the PNG",
    "comment": "Comment in the file",
    "jpeg_tables": "JPEG tables",
    "watermark": "Watermark in the pixels",
    "file": "The file",
}
OUTRANKS = "This outranks what the detectors make of the pixels."
OPEN = 5  # more sources than these are folded away


def origin(provenance: Provenance) -> None:
    """Show what a picture's file says of itself, what that is worth, and where it stands."""
    st.html(origin_html(provenance))


def origin_html(provenance: Provenance) -> str:
    """Return the section as HTML."""
    css, words = _head(provenance.ai)
    head = f'<p class="gl-origin-words">{words}</p>' if words else ""
    outranks = f"<p><b>{OUTRANKS}</b></p>" if provenance.ai is not None else ""
    return (
        f'<section class="gl-origin {css}" aria-label="{TITLE}"><h4>{TITLE}</h4>{head}'
        f"<p>{escape(provenance.explanation)}</p>{outranks}{_sources(provenance.sources)}</section>"
    )


def _head(ai: bool | None) -> tuple[str, str]:
    if ai is None:
        return LABEL_STYLES["unsure"].css, ""
    return truth_style(ai).css, shape(truth_style(ai)) + (
        "AI took part in it" if ai else "Captured by a camera"
    )


def _sources(sources: list[Source]) -> str:
    if not sources:
        return ""
    shown, folded = sources[:OPEN], sources[OPEN:]
    more = f"<details><summary>{len(folded)} more</summary>{_list(folded)}</details>" if folded else ""
    return _list(shown) + more


def _list(sources: list[Source]) -> str:
    items = "".join(
        f"<div><dt>{escape(KINDS[s.kind])} · {escape(s.claim)}{' · verified' if s.trusted else ''}</dt>"
        f"<dd>{escape(s.value)}</dd></div>"
        for s in sources
    )
    return f'<dl class="gl-facts">{items}</dl>'
