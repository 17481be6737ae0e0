"""Published and measured figures of one table side by side, and their difference."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from genimage_core.detectors import detector_info, list_detectors
from genimage_core.results.measured import MeasuredTable, generator_column
from genimage_core.results.published import PublishedTable


@dataclass(frozen=True)
class Comparison:
    """Three tables of the same rows and columns, in percent, NaN where there is no figure.

    Attributes:
        published: as printed; empty for any metric but accuracy, which is the only one that was published.
        measured: here.
        difference: measured less published, percentage points.
        details: interval and number of images of each measured cell, as text; "" where there is none.
        apart: rows that are not in the benchmark; they stand last.
    """

    published: pd.DataFrame
    measured: pd.DataFrame
    difference: pd.DataFrame
    details: pd.DataFrame
    apart: tuple[str, ...]


def compare(table: PublishedTable, measured: MeasuredTable, metric: str = "accuracy") -> Comparison:
    """Put a measured table beside the published one.

    Rows and columns come in the published order; those that were only measured follow.

    Args:
        table: a published heatmap.
        measured: of the same table.
        metric: one of `measured.METRICS`.
    """
    printed = table.frame()[list(table.value_columns)]
    cells = [cell for cell in measured.cells if cell.metric == metric]
    _, outside = _rows()
    names = [row_title(cell.row) for cell in cells]
    rows = list(dict.fromkeys([*printed.index, *names]))
    apart = tuple(row for row in rows if row in outside)
    rows = [row for row in rows if row not in outside] + list(apart)
    columns = list(dict.fromkeys([*printed.columns, *(cell.column for cell in cells)]))
    values = pd.DataFrame(float("nan"), index=rows, columns=columns)
    details = pd.DataFrame("", index=rows, columns=columns)
    for name, cell in zip(names, cells, strict=True):
        values.loc[name, cell.column] = round(100 * cell.value, 2)
        details.loc[name, cell.column] = (
            f"<br>{100 * cell.low:.1f} to {100 * cell.high:.1f} %<br>n = {cell.n}"
        )
    if metric != "accuracy":
        printed = printed.iloc[:0]
    published = printed.reindex(index=rows, columns=columns)
    return Comparison(published, values, values - published, details, apart)


def row_title(row: str) -> str:
    """How a row of a measured table is shown: a detector's title, a training generator's published name."""
    return _rows()[0].get(row, generator_column(row))


def _rows() -> tuple[dict[str, str], set[str]]:
    """Detector's name -> title, and the titles of those that are not in the benchmark."""
    infos = [detector_info(name) for name in list_detectors()]
    return {i.name: i.title for i in infos}, {i.title for i in infos if not i.in_benchmark}
