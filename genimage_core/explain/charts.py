"""Charts as pixels: one place that talks to matplotlib, the same look for all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INK, PAPER, FAINT = "#22262b", "#ffffff", "#8a8f94"
DPI = 120
# matplotlib's text layout is shared by all threads.
_DRAWING = threading.Lock()


def chart(width: float, height: float, draw: Callable[[Figure], None]) -> np.ndarray:
    """Draw a figure of `width` x `height` inches: (H, W, 3) uint8 RGB, on white.

    Args:
        width, height: in inches of `DPI` px.
        draw: gets the empty figure.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    look: dict[Any, Any] = {
        "font.family": "DejaVu Sans", "font.size": 9, "text.color": INK, "axes.labelcolor": INK,
        "axes.edgecolor": FAINT, "xtick.color": INK, "ytick.color": INK,
        "axes.spines.top": False, "axes.spines.right": False,
    }  # fmt: skip
    with _DRAWING, matplotlib.rc_context(look):
        figure = Figure(figsize=(width, height), dpi=DPI, facecolor=PAPER, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        draw(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()
