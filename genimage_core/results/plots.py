"""Plotly figures of results. Data in, figure out: no page, no model and no file is touched here.

Every accuracy heatmap shares one colour scale (`ACCURACY_RANGE`, `ACCURACY_COLOURS`), so that the same
colour means the same accuracy in every table. It starts at 40 %, a little under the 50 % of a coin toss.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.colors
import plotly.graph_objects as go

if TYPE_CHECKING:
    import pandas as pd

ACCURACY_RANGE = (40.0, 100.0)
ACCURACY_COLOURS = "cividis"
DIFFERENCE_RANGE = (-50.0, 50.0)
DIFFERENCE_COLOURS = "PuOr"
AVERAGE_GAP = 0.4  # between the last column and the averages, in columns
UNDEGRADED = "as is"

# Okabe and Ito's colours, each with its own dash and marker: lines stay apart without colour too.
LINE_STYLES: tuple[tuple[str, str, str], ...] = (
    ("#0072B2", "solid", "circle"),
    ("#D55E00", "solid", "square"),
    ("#009E73", "dash", "diamond"),
    ("#CC79A7", "dash", "triangle-up"),
    ("#B58900", "dot", "cross"),
    ("#56B4E9", "dot", "x"),
    ("#7F7F7F", "dashdot", "star"),
    ("#8C6BB1", "longdash", "hexagon"),
)


def accuracy_heatmap(
    values: pd.DataFrame,
    averages: pd.DataFrame | None = None,
    *,
    details: pd.DataFrame | None = None,
    difference: bool = False,
    clickable: bool = False,
) -> go.Figure:
    """Heatmap of accuracies in percent, its averages set apart by a gap; cells that are NaN stay empty.

    Args:
        values: rows x columns, percent; the index names the rows.
        averages: the same rows, one column for each kind of average; may be None.
        details: texts in the shape of `values`, added to what a cell says when pointed at.
        difference: the values are differences in percentage points, on the scale of `DIFFERENCE_RANGE`.
        clickable: lay a point over each cell that can be selected; its `customdata` are column and details.
    """
    figure = go.Figure()
    starts = {0.0: values}
    if averages is not None and len(averages.columns):
        starts[len(values.columns) + AVERAGE_GAP] = averages
    low, high, colours = (
        (*DIFFERENCE_RANGE, DIFFERENCE_COLOURS) if difference else (*ACCURACY_RANGE, ACCURACY_COLOURS)
    )
    ticks: dict[float, str] = {}
    for start, block in starts.items():
        positions = [start + i for i in range(len(block.columns))]
        ticks |= dict(zip(positions, map(str, block.columns), strict=True))
        unit = " points" if difference else " %"
        more = details if block is values else None
        figure.add_trace(_cells(block, positions, more, unit))
        if clickable:
            # The points speak for the cells, however far from a cell's middle the pointer is.
            figure.update_traces(hoverinfo="skip", hovertemplate=None, selector={"type": "heatmap"})
            figure.update_layout(hovermode="closest", hoverdistance=-1)
            _annotate(figure, _cell_texts(block, positions, difference))
            figure.add_trace(_cell_targets(block, positions, more, unit))
        else:
            figure.add_trace(_cell_texts(block, positions, difference))
    figure.update_xaxes(
        tickvals=list(ticks), ticktext=list(ticks.values()), side="top", tickangle=-55, ticks="",
        showgrid=False, zeroline=False, fixedrange=True, ticklabeloverflow="allow",
        range=[-0.5, max(ticks) + 0.5],
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False, fixedrange=True, ticks="", ticksuffix=" ")
    figure.update_layout(
        height=130 + 40 * len(values),
        margin={"l": 0, "r": 24, "t": 84, "b": 0},
        showlegend=False,
        coloraxis={
            "cmin": low,
            "cmax": high,
            "colorscale": colours,
            "colorbar": {
                "orientation": "h", "thickness": 8, "len": 0.6, "y": -0.02, "yanchor": "top",
                "ticksuffix": "" if difference else " %",
            },
        },
    )  # fmt: skip
    return figure


def cell_colour(value: float, *, difference: bool = False) -> tuple[int, int, int]:
    """Return the colour of an accuracy in percent on the shared scale, red, green and blue 0..255."""
    low, high = DIFFERENCE_RANGE if difference else ACCURACY_RANGE
    share = min(1.0, max(0.0, (value - low) / (high - low)))
    scale = DIFFERENCE_COLOURS if difference else ACCURACY_COLOURS
    red, green, blue = plotly.colors.sample_colorscale(scale, [share], colortype="tuple")[0]
    return round(255 * red), round(255 * green), round(255 * blue)


def ink_on(colour: tuple[int, int, int]) -> str:
    """Return white or near-black, whichever has the higher contrast on a colour (WCAG 2.1)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#FFFFFF" if 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 else "#14171A"


def _cells(
    block: pd.DataFrame, positions: Sequence[float], details: pd.DataFrame | None, unit: str
) -> go.Heatmap:
    more = [[""] * len(block.columns)] * len(block) if details is None else details.to_numpy(str)
    names = [list(map(str, block.columns))] * len(block)
    return go.Heatmap(
        z=block.to_numpy(float),
        x=list(positions),
        y=[str(name) for name in block.index],
        customdata=np.stack([np.array(names, object), np.array(more, object)], axis=-1),
        coloraxis="coloraxis",
        xgap=2,
        ygap=2,
        hoverongaps=False,
        hovertemplate="<b>%{y}</b><br>%{customdata[0]}: %{z}" + unit + "%{customdata[1]}<extra></extra>",
    )


def _cell_texts(block: pd.DataFrame, positions: Sequence[float], difference: bool) -> go.Scatter:
    # A heatmap's own texts take one of two greys, too faint on the middle of the scale.
    cells = [(x, str(name), float(v)) for name, row in zip(block.index, block.to_numpy(float), strict=True)
             for x, v in zip(positions, row, strict=True) if not np.isnan(v)]  # fmt: skip
    return go.Scatter(
        x=[x for x, _, _ in cells],
        y=[name for _, name, _ in cells],
        text=[f"{value:+.1f}" if difference else f"{value:.1f}" for _, _, value in cells],
        mode="text",
        textfont={
            "size": 11,
            "color": [ink_on(cell_colour(value, difference=difference)) for _, _, value in cells],
        },
        hoverinfo="skip",
    )


def _annotate(figure: go.Figure, texts: go.Scatter) -> None:
    """Write texts as annotations: those of a trace would fade as soon as a cell is selected."""
    for x, y, text, colour in zip(texts.x, texts.y, texts.text, texts.textfont.color, strict=True):
        figure.add_annotation(
            x=x, y=y, text=text, showarrow=False, captureevents=False, font={"size": 11, "color": colour}
        )


def _cell_targets(
    block: pd.DataFrame, positions: Sequence[float], details: pd.DataFrame | None, unit: str
) -> go.Scatter:
    # A heatmap's cells cannot be selected; unseen points over them can.
    cells = [
        (x, str(name), str(column), float(value), "" if details is None else str(details.loc[name, column]))
        for name in block.index
        for x, column, value in zip(positions, block.columns, block.loc[name].to_numpy(float), strict=True)
        if not np.isnan(value)
    ]
    return go.Scatter(
        x=[cell[0] for cell in cells],
        y=[cell[1] for cell in cells],
        customdata=[[column, more, value] for _, _, column, value, more in cells],
        mode="markers",
        marker={"size": 30, "opacity": 0, "symbol": "square", "color": "#FFFFFF"},
        selected={"marker": {"opacity": 0.35}},
        unselected={"marker": {"opacity": 0}},
        hovertemplate="<b>%{y}</b><br>%{customdata[0]}: %{customdata[2]}"
        + unit
        + "%{customdata[1]}<extra></extra>",
    )


def severity_curves(
    curves: Mapping[str, Sequence[float | None]],
    severities: Sequence[str],
    *,
    combined: Sequence[float | None] = (),
    band: tuple[float, float] | None = None,
    current: float | None = None,
) -> go.Figure:
    """Each detector's P(fake) against severity, evenly spaced.

    Args:
        curves: detector title -> one score for each severity; None where not computed yet.
        severities: tick labels from mild to severe, the first being the picture as it is.
        combined: the combined score for each severity, a thick line behind the others.
        band: edges of the unsure band of the combined score.
        current: position of the slider on the axis (0 = first label), drawn as a line.
    """
    figure = go.Figure()
    positions = list(range(len(severities)))
    if combined:
        figure.add_scatter(
            x=positions,
            y=list(combined),
            name="All together",
            mode="lines",
            line={"color": "#8A8F94", "width": 9},
            opacity=0.55,
            hovertemplate="%{y:.2f}",
        )
    for i, (title, scores) in enumerate(curves.items()):
        figure.add_scatter(
            x=positions,
            y=list(scores),
            name=title,
            mode="lines+markers",
            hovertemplate="%{y:.2f}",
            **_line(i),
        )
    if band is not None:
        figure.add_hrect(y0=band[0], y1=band[1], fillcolor="gray", opacity=0.13, line_width=0, layer="below")
    if current is not None:
        figure.add_vline(x=current, line={"color": "gray", "width": 1, "dash": "dot"})
    figure.update_xaxes(
        tickvals=positions,
        ticktext=list(severities),
        range=[-0.2, len(severities) - 0.8],
        fixedrange=True,
        showgrid=False,
    )
    figure.update_yaxes(range=[-0.03, 1.03], tickformat=".1f", fixedrange=True)
    figure.update_layout(
        height=400,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        hovermode="x unified",
        legend={"orientation": "h", "y": -0.12, "yanchor": "top", "x": 0},
    )
    return figure


def ranked_bars(labels: Sequence[str], values: Sequence[float], *, name: str = "") -> go.Figure:
    """Horizontal bars, best on top, on the shared accuracy scale; values in percent."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    figure = go.Figure(
        go.Bar(
            x=[values[i] for i in order],
            y=[labels[i] for i in order],
            orientation="h",
            text=[f"{values[i]:.1f}" for i in order],
            textposition="inside",
            insidetextanchor="end",
            hovertemplate="<b>%{y}</b>: %{x:.1f} %<extra>" + name + "</extra>",
            marker=_shared_colours([values[i] for i in order]),
        )
    )
    figure.add_vline(x=50, line={"color": "gray", "width": 1, "dash": "dot"})
    figure.update_xaxes(range=[0, 101], tickvals=[0, 25, 50, 75, 100], ticksuffix=" %", fixedrange=True)
    figure.update_yaxes(fixedrange=True, ticksuffix="  ")
    figure.update_layout(
        height=70 + 30 * len(labels), margin={"l": 0, "r": 0, "t": 10, "b": 0}, showlegend=False, bargap=0.25
    )
    return figure


def grouped_lines(x: Sequence[str], series: Mapping[str, Sequence[float]]) -> go.Figure:
    """Lines over named steps, percent on the y axis (training-set size against accuracy, say)."""
    figure = go.Figure()
    for i, (name, values) in enumerate(series.items()):
        figure.add_scatter(
            x=list(x),
            y=list(values),
            name=name,
            mode="lines+markers+text",
            text=[f"{v:.1f}" for v in values],
            textposition="top center",
            hovertemplate="%{y:.1f} %",
            **_line(i),
        )
    figure.update_yaxes(
        range=[ACCURACY_RANGE[0], 107], tickvals=list(range(40, 101, 10)), ticksuffix=" %", fixedrange=True
    )
    figure.update_xaxes(fixedrange=True, type="category")
    figure.update_layout(
        height=360,
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        hovermode="x unified",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def counts(labels: Sequence[str], series: Mapping[str, Sequence[float]]) -> go.Figure:
    """Dots on a logarithmic axis: numbers of images from hundreds to millions."""
    figure = go.Figure()
    for i, (name, values) in enumerate(series.items()):
        colour, _, symbol = LINE_STYLES[i % len(LINE_STYLES)]
        figure.add_scatter(
            x=list(values),
            y=list(labels),
            name=name,
            mode="markers",
            marker={"symbol": symbol, "size": 11, "color": colour, "opacity": 0.85},
            hovertemplate="<b>%{y}</b>: %{x:,} " + name + "<extra></extra>",
        )
    figure.update_xaxes(type="log", fixedrange=True, dtick=1, title=None)
    figure.update_yaxes(autorange="reversed", fixedrange=True, ticksuffix="  ", showgrid=True)
    figure.update_layout(
        height=90 + 32 * len(labels),
        margin={"l": 0, "r": 0, "t": 10, "b": 0},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
    )
    return figure


def _line(number: int) -> dict[str, Any]:
    colour, dash, symbol = LINE_STYLES[number % len(LINE_STYLES)]
    return {
        "line": {"color": colour, "dash": dash, "width": 2},
        "marker": {"symbol": symbol, "size": 8, "color": colour},
    }


def _shared_colours(values: Sequence[float]) -> dict[str, Any]:
    return {
        "color": list(values),
        "colorscale": ACCURACY_COLOURS,
        "cmin": ACCURACY_RANGE[0],
        "cmax": ACCURACY_RANGE[1],
    }
