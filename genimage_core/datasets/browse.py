"""A data set's records counted, and cut into pages to leaf through."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from genimage_core.datasets.scan import LABELS, Record


def counts(records: Sequence[Record]) -> pd.DataFrame:
    """Images of each generator, split and class.

    Returns:
        A row for each generator and split, sorted; columns generator, split, ai, nature.
    """
    rows = {(r.generator, r.split): {"ai": 0, "nature": 0} for r in sorted(records)}
    words = {number: word for word, number in LABELS.items()}
    for record in records:
        rows[record.generator, record.split][words[record.label]] += 1
    found = [{"generator": g, "split": s, **n} for (g, s), n in sorted(rows.items())]
    return pd.DataFrame(found, columns=["generator", "split", "ai", "nature"])


def select(
    records: Sequence[Record],
    *,
    generators: Sequence[str] = (),
    splits: Sequence[str] = (),
    labels: Sequence[int] = (),
) -> list[Record]:
    """Records of the named generators, splits and labels, sorted; what is left empty lets all through."""
    return sorted(
        r
        for r in records
        if (not generators or r.generator in generators)
        and (not splits or r.split in splits)
        and (not labels or r.label in labels)
    )


def leaf(records: Sequence[Record], page: int, size: int) -> Sequence[Record]:
    """The records on one page, the first page being 0; empty beyond the last."""
    return records[page * size : (page + 1) * size]


def pages(n: int, size: int) -> int:
    """Number of pages that `n` records fill, at least 1."""
    return max(1, -(-n // size))
