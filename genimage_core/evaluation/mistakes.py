"""The worst mistakes of a detector: photographs that it called fake, AI images that it took for real."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from genimage_core.errors import EvaluationError
from genimage_core.paths import asset

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


def read_scores(name: str, detector: str, folder: Path | None = None) -> pd.DataFrame:
    """One detector's scores of one set, a row an image.

    Returns:
        At least `COLUMNS`; unreadable images are left out.

    Raises:
        EvaluationError: there is no such table, or it lacks a column.
    """
    path = (folder or asset("measured")) / name / f"{detector}.csv"
    try:
        rows = pd.read_csv(path)
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
