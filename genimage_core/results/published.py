"""The published tables of GenImage and of later work on it, with their averages recomputed.

The data are CSV files beside an `index.json` in `assets/published`; every cell is kept as it was printed,
also where a printed average does not follow from the cells: the table's notes then say so.
"""

from __future__ import annotations

import json
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from functools import cache
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, TypeAdapter

from genimage_core.utils.errors import DatasetError
from genimage_core.utils.paths import asset

FOLDER = asset("published")
"""Where the CSV files and `index.json` lie."""


class PublishedTable(BaseModel):
    """One published table.

    Attributes:
        id: short name; the data are in `<id>.csv`.
        title, description: for people.
        kind: "heatmap" for like numbers in rows and columns, the first CSV column naming the rows; "list" for
            records.
        row_meaning, column_meaning: what a row and a column stand for.
        unit: of the value columns.
        value_columns: the columns that hold results, in printed order, without the average.
        average_column: the column of printed averages, or None.
        average_rounding: how the printed averages were cut to one decimal, or None.
        source: citation.
        notes: remarks, among them every disagreement between printed and recomputed numbers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    title: str
    description: str
    kind: Literal["heatmap", "list"]
    row_meaning: str
    column_meaning: str
    unit: str
    value_columns: tuple[str, ...]
    average_column: str | None
    average_rounding: Literal["rounded", "truncated"] | None
    source: str
    notes: tuple[str, ...]

    def frame(self) -> pd.DataFrame:
        """Return the data as printed; a fresh copy each time.

        Heatmaps are indexed by their first column (name in `index.name`) and all float64; lists keep a plain
        index and mixed types, with "" in empty text cells.
        """
        path = FOLDER / f"{self.id}.csv"
        # arXiv numbers look like decimals and would lose a final zero.
        frame = pd.read_csv(path, dtype={"arXiv": str}, keep_default_na=False)
        return frame.set_index(frame.columns[0]).astype(float) if self.kind == "heatmap" else frame

    def flat(self) -> pd.DataFrame:
        """Return the data as printed, with the names of a heatmap's rows as a column, too."""
        frame = self.frame()
        return frame.reset_index() if self.kind == "heatmap" else frame

    def printed_average(self) -> pd.Series | None:
        """Return the averages as printed, indexed like the frame, or None if the table has none."""
        return self.frame()[self.average_column] if self.average_column else None


@cache
def _index() -> dict[str, PublishedTable]:
    entries = json.loads((FOLDER / "index.json").read_text(encoding="utf-8"))["tables"]
    return {table.id: table for table in TypeAdapter(list[PublishedTable]).validate_python(entries)}


def list_tables() -> list[str]:
    """Return the ids of all tables, in the order in which they are shown."""
    return list(_index())


def load_table(table_id: str) -> PublishedTable:
    """Return one table.

    Raises:
        DatasetError: there is no table of that id.
    """
    try:
        return _index()[table_id]
    except KeyError:
        known = ", ".join(list_tables())
        raise DatasetError("There is no such table.", hint=f"Known: {known}.", source=table_id) from None


def recomputed_average(table: PublishedTable) -> pd.Series:
    """Return the unweighted mean of the value columns, float64, not rounded, indexed like the frame.

    Raises:
        DatasetError: the table has no average column, so its columns are not meant to be averaged.
    """
    if table.average_column is None:
        raise DatasetError("The table has no average.", hint="Choose a heatmap.", source=table.id)
    mean = table.frame()[list(table.value_columns)].mean(axis=1)
    return mean.rename("recomputed average")


def as_printed(mean: float, rounding: Literal["rounded", "truncated"]) -> float:
    """Cut a mean to one decimal as a table does; halves are rounded up.

    >>> as_printed(70.667, "truncated"), as_printed(70.667, "rounded")
    (70.6, 70.7)
    """
    # Six decimals first: 60.25 computed in binary may come out a hair below.
    exact = Decimal(f"{mean:.6f}")
    return float(exact.quantize(Decimal("0.1"), ROUND_DOWN if rounding == "truncated" else ROUND_HALF_UP))
