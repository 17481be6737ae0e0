"""Before and after with one divider to drag, by mouse, finger or arrow keys."""

import base64
from pathlib import Path

import numpy as np
import streamlit as st

from pages.components.shared.pictures import PREVIEW_SIDE, Picture, encode, pixels

_HERE = Path(__file__).parent
_HTML = """
<div class="frame">
  <img class="before"><img class="after">
  <input type="range" min="0" max="100" step="0.5" value="50" aria-label="Divider between before and after">
  <div class="line"><span class="grip" aria-hidden="true">⇄</span></div>
  <span class="tag left">Before</span><span class="tag right"></span>
</div>
"""
_compare = st.components.v2.component(
    "genimage_compare",
    html=_HTML,
    css=(_HERE / "before_after.css").read_text(encoding="utf-8"),
    js=(_HERE / "before_after.js").read_text(encoding="utf-8"),
)
DETAIL_SIDE = 480


def compare(picture: Picture, after: np.ndarray, *, label: str, detail: bool) -> None:
    """Show a picture as it is and as it has become under one divider.

    Args:
        picture: as it is.
        after: the degraded version, RGB uint8 (H, W, 3), of any size.
        label: what was done, shown on the right side.
        detail: show the middle of the picture pixel for pixel instead of the whole.
    """
    uri, width, height = _before(picture, detail=detail)
    shown = encode(centre(after, DETAIL_SIDE), None) if detail else encode(after, PREVIEW_SIDE)
    _compare(
        key="compare",
        data={
            "before": uri,
            "after": _data_uri(shown),
            "label": label,
            "alt": picture.name,
            "width": width,
            "height": height,
        },
    )


def _before(picture: Picture, *, detail: bool) -> tuple[str, int, int]:
    """Return the picture as it is, with its width and height; encoded once for all moves of a slider."""
    key, kept = st.session_state.get("compare_before", (None, None))
    if key != (picture.key, detail):
        image = pixels(picture)
        if detail:
            image = centre(image, DETAIL_SIDE)
        data = encode(image, None) if detail else picture.preview
        kept = (_data_uri(data), image.shape[1], image.shape[0])
        st.session_state["compare_before"] = ((picture.key, detail), kept)
    return kept


def centre(image: np.ndarray, side: int) -> np.ndarray:
    """Cut at most `side` x `side` px out of an image's middle, without resizing."""
    height, width = image.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    return image[top : top + side, left : left + side]


def _data_uri(data: bytes) -> str:
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
