"""The images behind one cell of a measured table, the most wrong first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from genimage_core.errors import EvaluationError
from genimage_core.evaluation.mistakes import read_scores
from genimage_core.measured import MeasuredTable, condition_column, generator_column
from genimage_core.paths import asset

COLUMNS = ["image_id", "generator", "label", "p_fake", "wrong"]
_DIGITS = 16
"""Hex digits of the weights' sha256 that a table of scores holds."""


def images_behind(rows: pd.DataFrame, column: str, *, by_condition: bool = False) -> pd.DataFrame:
    """One detector's images in one column of a table.

    Args:
        rows: of that detector, with image_id, generator, label, condition and p_fake.
        column: as in the table.
        by_condition: whether the columns are what was done to the images, as in `task2_degradations`; else
            they are generators, of undegraded images.

    Returns:
        `COLUMNS`, the most wrong first; `wrong` is the distance of P(fake) from the truth, in [0, 1].
        Unreadable images are left out.
    """
    rows = rows.dropna(subset="p_fake")
    conditions, generators = rows["condition"].astype(str), rows["generator"].astype(str)
    if by_condition:
        chosen = rows[conditions.map(condition_column) == column]
    else:
        chosen = rows[(conditions == "none") & (generators.map(generator_column) == column)]
    found = chosen.assign(wrong=(chosen["label"] - chosen["p_fake"]).abs())
    # Ties must not make the list depend on the order of the rows.
    return found.sort_values(["wrong", "image_id"], ascending=[False, True])[COLUMNS].reset_index(drop=True)


def bundled_rows(table: MeasuredTable, row: str, folder: Path | None = None) -> pd.DataFrame | None:
    """The bundled scores of the network behind a row, given with the same weights and the same reading.

    Args:
        table: measured here.
        row: of the table: a detector's name, or a training generator's where each row is a network.
        folder: holds `<set>/<detector>.csv` and `sets/<set>/<detector>.csv`; None: the bundled one.

    Returns:
        Rows as `images_behind` takes them, None where there are none.
    """
    weights, found = table.weights.get(row, "")[:_DIGITS], []
    root = folder or asset("measured")
    for path in sorted([*root.glob("*/*.csv"), *root.glob("sets/*/*.csv")]):
        if not weights or weights not in _first_weights(path):
            continue
        try:
            rows = read_scores(str(path.parent.relative_to(root)), path.stem, root)
        except EvaluationError:
            continue
        if {"weights", "condition", "protocol"} <= set(rows):
            same = (rows["weights"].astype(str) == weights) & (rows["protocol"] == table.reading)
            found.append(rows[same])
    found = [rows for rows in found if len(rows)]
    if not found:
        return None
    return pd.concat(found).drop_duplicates(["image_id", "condition"])


def _first_weights(path: Path) -> str:
    """The first line of a table of scores: one network's, so that others need not be read."""
    try:
        with path.open(encoding="utf-8") as lines:
            next(lines, "")
            return next(lines, "")
    except (OSError, UnicodeDecodeError):
        return ""


def known_row(table: MeasuredTable, names: Iterable[str]) -> dict[str, str]:
    """Shown row -> name in the table's cells, for rows that are shown under a title.

    Args:
        table: measured.
        names: shown rows.
    """
    from genimage_core.comparison import row_title

    shown = {row_title(row): row for row in table.weights}
    return {name: shown[name] for name in names if name in shown}
