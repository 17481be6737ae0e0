"""Published tables made ready for the screen and for files."""

import pandas as pd

from genimage_core.results.published import PublishedTable, recomputed_average
from pages.components.shared import detectors

PRINTED, RECOMPUTED = "printed average", "recomputed average"


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
    titles = detectors.titles()
    shown = rows.map(lambda value: f"{value:.3f}" if isinstance(value, float) else str(value))
    if "detector" in shown:
        shown["detector"] = [titles.get(name, name) for name in shown["detector"]]
        shown = shown.set_index("detector")
    return shown


def csv(table: PublishedTable) -> str:
    """Return a table as CSV text, its averages printed and recomputed."""
    return _full(table).round(4).to_csv(index=table.kind == "heatmap")


def _full(table: PublishedTable) -> pd.DataFrame:
    frame = table.frame()
    if table.average_column is None:
        return frame
    frame = frame.rename(columns={table.average_column: PRINTED})
    frame[RECOMPUTED] = recomputed_average(table)
    return frame
