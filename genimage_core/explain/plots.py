"""Evidence as plotly figures, for what is worth pointing at."""

from __future__ import annotations

import base64
import io

import numpy as np
import plotly.graph_objects as go
from PIL import Image

from genimage_core.explain.colours import FAKE, NEUTRAL, PHOTO, hex_colour, preview

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
