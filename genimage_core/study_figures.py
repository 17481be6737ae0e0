"""Measured studies as charts and tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go

from genimage_core.figures import ACCURACY_RANGE, LINE_STYLES

if TYPE_CHECKING:
    import pandas as pd

    from genimage_core.measured import Study


def study_figure(study: Study) -> go.Figure:
    """Each series over the study's steps, percent, with 95 % intervals; a coin toss is the dotted line."""
    figure = go.Figure()
    for number, name in enumerate(dict.fromkeys(point.series for point in study.points)):
        some = [point for point in study.points if point.series == name]
        colour, dash, symbol = LINE_STYLES[number % len(LINE_STYLES)]
        figure.add_scatter(
            x=[point.label for point in some],
            y=[point.value for point in some],
            error_y={
                "array": [point.high - point.value for point in some],
                "arrayminus": [point.value - point.low for point in some],
            },
            customdata=[[point.low, point.high, point.n] for point in some],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 8, "color": colour},
            hovertemplate="%{y:.1f} % (%{customdata[0]:.1f} to %{customdata[1]:.1f}, n = %{customdata[2]})",
        )
    low = min([ACCURACY_RANGE[0], *(point.low for point in study.points)])
    figure.add_hline(y=50, line={"color": "gray", "width": 1, "dash": "dot"})
    figure.update_yaxes(range=[low, 102], ticksuffix=" %", fixedrange=True)
    figure.update_xaxes(fixedrange=True, type="category")
    figure.update_layout(
        height=360,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        showlegend=True,
    )
    return figure


def study_frame(study: Study) -> pd.DataFrame:
    """The same as text: a row for each step, a column for each series."""
    import pandas as pd

    labels = list(dict.fromkeys(point.label for point in study.points))
    series = list(dict.fromkeys(point.series for point in study.points))
    frame = pd.DataFrame("", index=labels, columns=series)
    for p in study.points:
        frame.loc[p.label, p.series] = f"{p.value:.1f} ({p.low:.1f} to {p.high:.1f}, n = {p.n})"
    return frame
