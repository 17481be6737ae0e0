"""Figures of a run while it goes on: each file of rows is read once and counted."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from genimage_core.evaluation.store import list_shards, read_shard
from genimage_core.metrics.registry import called_fake

_KEYS = ["degradation", "detector", "generator"]


class LiveCounts:
    """Counts of right answers at .5, brought up to date by `update`.

    Args:
        folder: of the run; need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen: set[Path] = set()
        self._counts = pd.DataFrame(
            columns=["right", "n"], index=pd.MultiIndex.from_arrays([[]] * 3, names=_KEYS)
        )

    def update(self) -> pd.DataFrame:
        """Count what is new; returns `right` and `n` by degradation, detector and generator."""
        for path in list_shards(self.folder):
            if path in self._seen:
                continue
            self._seen.add(path)
            rows = read_shard(path, [*_KEYS, "label", "p_fake"]).to_pandas().dropna(subset="p_fake")
            rows = rows.astype(dict.fromkeys(_KEYS, str))
            rows["right"] = called_fake(rows["p_fake"].to_numpy()) == (rows["label"].to_numpy() == 1)
            new = rows.groupby(_KEYS)["right"].agg(right="sum", n="count")
            self._counts = (
                pd.concat([self._counts, new]).groupby(level=_KEYS).sum() if len(self._counts) else new
            )
        return self._counts.copy()

    def accuracy(self, degradation: str, detectors: list[str], generators: list[str]) -> pd.DataFrame:
        """Accuracy in percent, detectors x generators; NaN where nothing is scored yet."""
        counts = self.update()
        wide = pd.DataFrame(index=detectors, columns=generators, dtype=float)
        for (where, detector, generator), right, n in zip(
            counts.index, counts["right"], counts["n"], strict=True
        ):
            if where == degradation and detector in wide.index and generator in wide.columns:
                wide.loc[detector, generator] = 100 * right / n
        return wide
