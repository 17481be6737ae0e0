"""Published tables as charts: each table's kind decides which one suits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from genimage_core.figures import accuracy_heatmap, counts, grouped_lines, ranked_bars
from genimage_core.published import PublishedTable, recomputed_average

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

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
