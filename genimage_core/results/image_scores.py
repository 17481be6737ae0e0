"""The images behind one cell of a measured table, the most wrong first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pandas as pd

from genimage_core.results.measured import MeasuredTable, degradation_column, generator_column
from genimage_core.utils.errors import EvaluationError
from genimage_core.utils.old_names import of_scores
from genimage_core.utils.paths import asset

RANKED_COLUMNS = ["image_id", "generator", "label", "p_fake", "wrong"]
_DIGITS = 16
"""Hex digits of the weights' sha256 that a table of scores holds."""


def cell_images(rows: pd.DataFrame, column: str, *, by_degradation: bool = False) -> pd.DataFrame:
    """One detector's images in one column of a table.

    Args:
        rows: of that detector, with image_id, generator, label, degradation and p_fake.
        column: as in the table.
        by_degradation: whether the columns are what was done to the images, as in `task2_degradations`; else
            they are generators, of undegraded images.

    Returns:
        `RANKED_COLUMNS`, the most wrong first; `wrong` is the distance of P(fake) from the truth, in [0, 1].
        Unreadable images are left out.
    """
    rows = rows.dropna(subset="p_fake")
    degradations, generators = rows["degradation"].astype(str), rows["generator"].astype(str)
    if by_degradation:
        chosen = rows[degradations.map(degradation_column) == column]
    else:
        chosen = rows[(degradations == "none") & (generators.map(generator_column) == column)]
    found = chosen.assign(wrong=(chosen["label"] - chosen["p_fake"]).abs())
    # Ties must not make the list depend on the order of the rows.
    return found.sort_values(["wrong", "image_id"], ascending=[False, True])[RANKED_COLUMNS].reset_index(
        drop=True
    )


def bundled_rows(table: MeasuredTable, row: str, folder: Path | None = None) -> pd.DataFrame | None:
    """The bundled scores of the network behind a row, given with the same weights and the same preprocessing.

    Args:
        table: measured here.
        row: of the table: a detector's name, or a training generator's where each row is a network.
        folder: holds `<set>/<detector>.csv` and `sets/<set>/<detector>.csv`; None: the bundled one.

    Returns:
        Rows as `cell_images` takes them, None where there are none.
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
        if {"weights", "degradation", "preprocessing"} <= set(rows):
            same = (rows["weights"].astype(str) == weights) & (rows["preprocessing"] == table.preprocessing)
            found.append(rows[same])
    found = [rows for rows in found if len(rows)]
    if not found:
        return None
    return pd.concat(found).drop_duplicates(["image_id", "degradation"])


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
    from genimage_core.results.comparison import row_title

    shown = {row_title(row): row for row in table.weights}
    return {name: shown[name] for name in names if name in shown}


COLUMNS = ("image_id", "generator", "label", "p_fake")


def scored_sets(folder: Path | None = None) -> dict[str, list[str]]:
    """Sets of measured scores: name -> the detectors that have a table of scores in it, both sorted.

    Args:
        folder: holds `<set>/<detector>.csv`; None: the bundled one.
    """
    found: dict[str, list[str]] = {}
    for path in sorted((folder or asset("measured")).glob("*/*.csv")):
        found.setdefault(path.parent.name, []).append(path.stem)
    return found


def set_title(name: str, folder: Path | None = None) -> str:
    """What a set of `scored_sets` is called for people: the title of the table beside it, else its name."""
    try:
        table = json.loads(((folder or asset("measured")) / f"{name}.json").read_text(encoding="utf-8"))
        return str(table["title"])
    except (OSError, ValueError, KeyError, TypeError):
        return name


def read_score_table(path: Path) -> pd.DataFrame:
    """A CSV of scores as `export-scores` writes it, also one of before, under today's names."""
    return of_scores(pd.read_csv(path))


def read_scores(name: str, detector: str, folder: Path | None = None) -> pd.DataFrame:
    """One detector's scores of one set, a row an image.

    Returns:
        At least `COLUMNS`; unreadable images are left out.

    Raises:
        EvaluationError: there is no such table, or it lacks a column.
    """
    path = (folder or asset("measured")) / name / f"{detector}.csv"
    try:
        rows = read_score_table(path)
    except (OSError, ValueError):
        raise EvaluationError(
            "no such table of scores.", hint="Choose one that was measured.", source=f"{name}/{detector}"
        ) from None
    if missing := set(COLUMNS) - set(rows):
        raise EvaluationError(
            f"the table of scores lacks {', '.join(sorted(missing))}.",
            hint="Write it with `python -m genimage_core evaluate`.",
            source=f"{name}/{detector}",
        )
    return rows.dropna(subset="p_fake")


def worst_mistakes(rows: pd.DataFrame, count: int = 8) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The images farthest on the wrong side of .5.

    Args:
        rows: with `COLUMNS`.
        count: most of each kind.

    Returns:
        False alarms (photographs, highest score first) and misses (AI images, lowest score first).
    """
    alarms = rows[(rows["label"] == 0) & (rows["p_fake"] > 0.5)]
    misses = rows[(rows["label"] == 1) & (rows["p_fake"] <= 0.5)]
    # Ties in the scores must not make the list depend on the order of the rows.
    by = ["p_fake", "image_id"]
    return (
        alarms.sort_values(by, ascending=[False, True]).head(count),
        misses.sort_values(by, ascending=[True, True]).head(count),
    )


FOLDER = asset("measured")
PHOTOGRAPHS = "photographs"
NOT_PHOTO = "not_photo"
NOT_PHOTO_WORDS = "art and graphics by people"
KEY_LENGTH = 16
"""Characters of the weights' sha256 that the rows carry."""


@cache
def measured_scores(detector: str, weights_id: str, folder: Path = FOLDER) -> pd.DataFrame:
    """The scores that a detector, with these very weights, gave to validation images as they are.

    Every table `FOLDER/*/<detector>.csv` is read, whatever it is called; an image that stands in several
    counts once.

    Args:
        detector: its name.
        weights_id: sha256 of its weights; rows of other weights are left out.
        folder: where the tables are.

    Returns:
        Columns image_id, group (`photographs`, a generator, or art by people) and p_fake in [0, 1]; no row
        where nothing was measured with these weights.
    """
    columns = ["image_id", "generator", "split", "label", "weights", "preprocessing", "degradation", "p_fake"]
    tables = [read_score_table(path)[columns] for path in sorted(folder.glob(f"*/{detector}.csv"))]
    if not tables:
        return pd.DataFrame(columns=["image_id", "group", "p_fake"])
    rows = pd.concat(tables, ignore_index=True)
    fits = (
        (rows["split"] == "val")
        & (rows["weights"] == weights_id[:KEY_LENGTH])
        & (rows["preprocessing"] == "tiles")
        & (rows["degradation"] == "none")
        & rows["p_fake"].notna()
    )
    rows = rows[fits].drop_duplicates("image_id")
    group = rows["generator"].where(rows["label"] == 1, PHOTOGRAPHS)
    group = group.mask((rows["label"] == 0) & (rows["generator"] == NOT_PHOTO), NOT_PHOTO_WORDS)
    return rows.assign(group=group)[["image_id", "group", "p_fake"]].reset_index(drop=True)


def group_order(groups: pd.Series) -> list[str]:
    """Photographs, then art by people, then the generators by name."""
    present = set(groups)
    first = [name for name in (PHOTOGRAPHS, NOT_PHOTO_WORDS) if name in present]
    return first + sorted(present - set(first))
