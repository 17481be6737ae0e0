"""Published tables as charts: each table's kind decides which one suits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from genimage_core.results.plots import (
    ACCURACY_RANGE,
    LINE_STYLES,
    accuracy_heatmap,
    counts,
    grouped_lines,
    ranked_bars,
)
from genimage_core.results.published import PublishedTable, recomputed_average

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from genimage_core.results.measured import Study

# How a list's rows are named on an axis; elsewhere the first column names them.
_ROW_NAMES: dict[str, Callable[[Mapping[Any, Any]], str]] = {
    "scale": lambda row: f"{row['images'] / 1000:g}k images<br>{row['classes']} cl.",
    "class_subset": lambda row: f"{row['classes']} classes × {row['fakes per class']}",
    "content": lambda row: f"{row['content']}: {row['real images']} v {row['fake images']}",
}


def table_figure(table: PublishedTable, rows: Sequence[str] = ()) -> go.Figure:
    """Return the chart that suits a table.

    Args:
        table: any.
        rows: those of a heatmap that are wanted, in the table's order; none: all.
    """
    if table.kind == "heatmap":
        parts = heatmap_parts(table)
        wanted = [name for name in parts[0].index if not rows or name in rows]
        return accuracy_heatmap(*(part.loc[wanted] for part in parts))
    frame = table.frame()
    names = row_names(table, frame)
    series = {column: frame[column].tolist() for column in table.value_columns}
    if not table.unit.startswith("accuracy"):
        return counts(names, series)
    if len(series) > 1:
        return grouped_lines(names, series)
    return ranked_bars(names, next(iter(series.values())))


def heatmap_parts(table: PublishedTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a heatmap's values, and its averages as printed and as recomputed, in percent."""
    import pandas as pd

    frame = table.frame()
    averages = pd.DataFrame(index=frame.index)
    if table.average_column is not None:
        averages["printed"] = frame[table.average_column]
        averages["recomputed"] = recomputed_average(table).round(3)
    return frame[list(table.value_columns)], averages


def row_names(table: PublishedTable, frame: pd.DataFrame) -> list[str]:
    """Return a name for each row; one that stands twice gets a number, or a chart would merge the two."""
    name = _ROW_NAMES.get(table.id, lambda row: str(next(iter(row.values()))))
    names: list[str] = []
    for row in frame.to_dict("records"):
        text = name(row)
        names.append(text if text not in names else f"{text} (2)")
    return names


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
