"""The scores of validation images that are kept with the project: what a score is compared with."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

from genimage_core.paths import asset

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
    columns = ["image_id", "generator", "split", "label", "weights", "protocol", "condition", "p_fake"]
    tables = [pd.read_csv(path)[columns] for path in sorted(folder.glob(f"*/{detector}.csv"))]
    if not tables:
        return pd.DataFrame(columns=["image_id", "group", "p_fake"])
    rows = pd.concat(tables, ignore_index=True)
    fits = (
        (rows["split"] == "val")
        & (rows["weights"] == weights_id[:KEY_LENGTH])
        & (rows["protocol"] == "native")
        & (rows["condition"] == "none")
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
