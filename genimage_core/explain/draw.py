"""Colour and size of evidence: the app's blue for photograph, orange for AI-generated, everywhere."""

from __future__ import annotations

import base64
import io
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import plotly.graph_objects as go
from PIL import Image

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PHOTO, NEUTRAL, FAKE = (47, 134, 193), (240, 238, 232), (224, 123, 26)
"""RGB of the two sides and of the middle; the pair stays apart in every common colour blindness."""

PREVIEW_SIDE = 1024
OPACITY = 0.55


def hex_colour(rgb: tuple[int, int, int]) -> str:
    """(r, g, b) of 0..255 -> "#rrggbb"."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def preview(image: np.ndarray, side: int = PREVIEW_SIDE) -> np.ndarray:
    """(H, W, 3) uint8 -> the same picture with a longer side of at most `side` px."""
    scale = side / max(image.shape[:2])
    if scale >= 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def two_sided(values: np.ndarray, opacity: float = OPACITY) -> np.ndarray:
    """(H, W) in [-1, 1] -> (H, W, 4) uint8 RGBA: blue at -1, orange at 1; NaN is transparent.

    Args:
        values: below 0 is on the photograph's side.
        opacity: of every place that has a value, in [0, 1].
    """
    known = np.isfinite(values)
    share = np.clip(np.where(known, values, 0.0), -1.0, 1.0)[..., None]
    ends = np.where(share < 0, np.array(PHOTO, float), np.array(FAKE, float))
    rgb = np.array(NEUTRAL, float) * (1 - np.abs(share)) + ends * np.abs(share)
    alpha = np.where(known, 255.0 * opacity, 0.0)[..., None]
    return np.concatenate([rgb, alpha], 2).round().astype(np.uint8)


def lay_over(picture: np.ndarray, rgba: np.ndarray) -> np.ndarray:
    """Lay an RGBA (H, W, 4) over the grey version of an RGB (H, W, 3) picture of the same size."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
    alpha = rgba[..., 3:].astype(np.float32) / 255.0
    return (grey * (1 - alpha) + rgba[..., :3] * alpha).round().astype(np.uint8)


def grow(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Resize (h, w) float values to (height, width), linearly between the centres of the cells."""
    return cv2.resize(values.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)


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


COLOURS = [[0.0, hex_colour(PHOTO)], [0.5, hex_colour(NEUTRAL)], [1.0, hex_colour(FAKE)]]


def tile_figure(image: np.ndarray, places: np.ndarray, opacity: float) -> go.Figure:
    """The tile map over the picture; pointing at a place tells its score.

    Args:
        image: RGB uint8 (H, W, 3).
        places: (h, w) P(fake) in [0, 1], NaN where no tile was read.
        opacity: of the colours, in [0, 1].
    """
    height, width = image.shape[:2]
    rows, columns = places.shape
    dx, dy = width / columns, height / rows
    figure = go.Figure(
        go.Heatmap(
            z=np.where(np.isfinite(places), places.round(3), np.nan),
            x0=dx / 2, dx=dx, y0=dy / 2, dy=dy, zmin=0, zmax=1, colorscale=COLOURS, opacity=opacity,
            hoverongaps=False,
            hovertemplate="%{x:.0f}, %{y:.0f} px: P(fake) %{z:.2f}<extra></extra>",
            colorbar={"thickness": 10, "tickvals": [0, 0.5, 1], "ticktext": ["0 photograph", ".5", "1 AI"]},
        )
    )  # fmt: skip
    figure.add_layout_image(
        source=_as_uri(preview(image)), xref="x", yref="y", x=0, y=0, sizex=width, sizey=height,
        sizing="stretch", layer="below",
    )  # fmt: skip
    hidden = {"visible": False, "fixedrange": True}
    figure.update_xaxes(range=[0, width], constrain="domain", **hidden)
    figure.update_yaxes(range=[height, 0], scaleanchor="x", constrain="domain", **hidden)
    figure.update_layout(
        height=480, margin={"l": 0, "r": 0, "t": 0, "b": 0}, paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )  # fmt: skip
    return figure


def _as_uri(image: np.ndarray) -> str:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()
