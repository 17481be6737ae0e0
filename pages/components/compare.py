"""Before and after with one divider to drag, by mouse, finger or arrow keys."""

import base64
from pathlib import Path

import numpy as np
import streamlit as st

from pages.components.pictures import PREVIEW_SIDE, encode

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
    css=(_HERE / "compare.css").read_text(encoding="utf-8"),
    js=(_HERE / "compare.js").read_text(encoding="utf-8"),
)
DETAIL_SIDE = 480


def compare(before: np.ndarray, after: np.ndarray, *, label: str, name: str, detail: bool) -> None:
    """Show two versions of a picture under one divider.

    Args:
        before: RGB uint8, (H, W, 3).
        after: the degraded version; of another size where the degradation only shrinks.
        label: what was done, shown on the right side.
        name: the picture's name, for those who hear the page.
        detail: show the middle of the picture pixel for pixel instead of the whole.
    """
    side = None if detail else PREVIEW_SIDE
    if detail:
        before, after = centre(before, DETAIL_SIDE), centre(after, DETAIL_SIDE)
    _compare(
        key="compare",
        data={
            "before": _data_uri(encode(before, side)),
            "after": _data_uri(encode(after, side)),
            "label": label,
            "alt": name,
            "width": before.shape[1],
            "height": before.shape[0],
        },
    )


def centre(image: np.ndarray, side: int) -> np.ndarray:
    """Cut at most `side` x `side` px out of an image's middle, without resizing."""
    height, width = image.shape[:2]
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    return image[top : top + side, left : left + side]


def _data_uri(data: bytes) -> str:
    kind = "png" if data.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
