"""Published tables made ready for the screen and for files."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from genimage_core.figures import accuracy_heatmap, counts, grouped_lines, ranked_bars
from genimage_core.published import PublishedTable, recomputed_average
from pages.components import models
from pages.components.table_png import table_png

PRINTED, RECOMPUTED = "printed average", "recomputed average"

# How a list's rows are named on an axis; elsewhere the first column names them.
_ROW_NAMES: dict[str, Callable[[Mapping[Any, Any]], str]] = {
    "scale": lambda row: f"{row['images'] / 1000:g}k images<br>{row['classes']} cl.",
    "class_subset": lambda row: f"{row['classes']} classes × {row['fakes per class']}",
    "content": lambda row: f"{row['content']}: {row['real images']} v {row['fake images']}",
}


def figure(table: PublishedTable) -> go.Figure:
    """Return the chart that suits a table."""
    if table.kind == "heatmap":
        return accuracy_heatmap(*_parts(table))
    frame = table.frame()
    names = _row_names(table, frame)
    series = {column: frame[column].tolist() for column in table.value_columns}
    if not table.unit.startswith("accuracy"):
        return counts(names, series)
    if len(series) > 1:
        return grouped_lines(names, series)
    return ranked_bars(names, next(iter(series.values())))


def text_frame(table: PublishedTable) -> pd.DataFrame:
    """Return a table as text, one decimal as printed, the recomputed average with two."""
    frame = _full(table)
    for column in frame.columns:
        if pd.api.types.is_float_dtype(frame[column]):
            digits = 2 if column == RECOMPUTED else 1
            frame[column] = frame[column].map(f"{{:.{digits}f}}".format)
        elif pd.api.types.is_integer_dtype(frame[column]):
            frame[column] = frame[column].map("{:,}".format)
    return frame if table.kind == "heatmap" else frame.set_index(frame.columns[0])


def measured_frame(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a measured table as text: detectors by their titles, figures with three decimals."""
    titles = models.titles()
    shown = rows.map(lambda value: f"{value:.3f}" if isinstance(value, float) else str(value))
    if "detector" in shown:
        shown["detector"] = [titles.get(name, name) for name in shown["detector"]]
        shown = shown.set_index("detector")
    return shown


def csv(table: PublishedTable) -> str:
    """Return a table as CSV text, its averages printed and recomputed."""
    return _full(table).round(4).to_csv(index=table.kind == "heatmap")


def png(table: PublishedTable) -> bytes:
    """Return a table as a PNG file."""
    caption = f"Published figures, {table.unit}. {table.source}."
    if table.kind == "heatmap":
        return table_png(table.title, *_parts(table), caption)
    frame = table.frame()
    values = frame[list(table.value_columns)].astype(float)
    values.index = pd.Index([name.replace("<br>", ", ") for name in _row_names(table, frame)])
    nothing = pd.DataFrame(index=values.index)
    return table_png(table.title, values, nothing, caption, percent=table.unit.startswith("accuracy"))


def _parts(table: PublishedTable) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a heatmap's values, and its averages as printed and as recomputed."""
    frame = table.frame()
    averages = pd.DataFrame(index=frame.index)
    if table.average_column is not None:
        averages["printed"] = frame[table.average_column]
        averages["recomputed"] = recomputed_average(table).round(3)
    return frame[list(table.value_columns)], averages


def _full(table: PublishedTable) -> pd.DataFrame:
    frame = table.frame()
    if table.average_column is None:
        return frame
    frame = frame.rename(columns={table.average_column: PRINTED})
    frame[RECOMPUTED] = recomputed_average(table)
    return frame


def _row_names(table: PublishedTable, frame: pd.DataFrame) -> list[str]:
    """Return a name for each row; one that stands twice gets a number, or a chart would merge the two."""
    name = _ROW_NAMES.get(table.id, lambda row: str(next(iter(row.values()))))
    names: list[str] = []
    for row in frame.to_dict("records"):
        text = name(row)
        names.append(text if text not in names else f"{text} (2)")
    return names
