"""In the wild: detectors against pictures as the web has them, by family of generators, in order of time.

Each image's scores are kept under a hash; no picture is. The figures resample sources.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel

from genimage_core.metrics.by_source import auroc_by_source, share_by_source
from genimage_core.utils.paths import asset

FILE = asset("measured", "wild.json")
SCORES = asset("measured", "wild", "scores")
"""Folder of `<detector>.csv` with `COLUMNS`."""
COLUMNS = ("image_id", "group", "year", "source", "label", "degradation", "p_fake")
PHOTOGRAPHS, NEITHER = "photographs", "not_photo"
PASS_PHOTOGRAPHS, PASS_NEITHER = 0.02, 0.05
"""Shares of either that may lie above the threshold at which a fake counts as caught."""


class Figure(BaseModel):
    """A share or an AUROC with its 95 % interval over resampled sources, and the images behind it."""

    value: float
    low: float
    high: float
    n: int


class WildRow(BaseModel):
    """What one detector did under one degradation.

    Attributes:
        detector: registry name, or `combination`.
        degradation: text form.
        auroc: all fakes against photographs.
        auroc_neither: all fakes against what is neither.
        caught: share of fakes above a threshold that 2 % of the photographs pass.
        caught_both: the same where also at most 5 % of what is neither passes.
        neither_passing: share of what is neither above the first threshold.
        families: family -> AUROC against photographs.
        caught_families: family -> share above the first threshold.
    """

    detector: str
    degradation: str
    auroc: Figure
    auroc_neither: Figure
    caught: Figure
    caught_both: Figure
    neither_passing: Figure
    families: dict[str, Figure]
    caught_families: dict[str, Figure]


class Wild(BaseModel):
    """The whole study.

    Attributes:
        commands: that repeat it.
        description: for people.
        families: name -> (year, images, sources), in order of time.
        images: `ai`, `photographs`, `not_photo` -> how many.
        sources: the same, of sources.
        rows: one a detector and degradation.
    """

    commands: list[str]
    description: str
    families: dict[str, tuple[int, int, int]]
    images: dict[str, int]
    sources: dict[str, int]
    rows: list[WildRow]

    @property
    def degradations(self) -> list[str]:
        """Those that were measured, `none` first."""
        return list(dict.fromkeys(row.degradation for row in self.rows))


@cache
def load_wild(path: Path = FILE) -> Wild | None:
    """The bundled study; None where there is none."""
    return Wild.model_validate_json(path.read_bytes()) if path.is_file() else None


def threshold(scores: np.ndarray, passing: float) -> float:
    """The lowest value that at most a share `passing` of (N,) scores exceeds."""
    ordered = np.sort(scores)[::-1]
    return float(ordered[int(len(ordered) * passing)])


def wild_row(detector: str, degradation: str, rows: pd.DataFrame, families: Sequence[str]) -> WildRow:
    """The figures of one detector's scores under one degradation.

    Args:
        detector: whose.
        degradation: text form.
        rows: with `COLUMNS`; fakes, photographs and what is neither.
        families: in order of time.
    """
    fake, photo, other = (rows[rows["group"].isin(g)] for g in (families, [PHOTOGRAPHS], [NEITHER]))
    limit = threshold(photo["p_fake"].to_numpy(), PASS_PHOTOGRAPHS)
    both = max(limit, threshold(other["p_fake"].to_numpy(), PASS_NEITHER))
    present = [name for name in families if (fake["group"] == name).any()]
    parts = {name: fake[fake["group"] == name] for name in present}
    return WildRow(
        detector=detector,
        degradation=degradation,
        auroc=_auroc(fake, photo),
        auroc_neither=_auroc(fake, other),
        caught=_above(fake, limit),
        caught_both=_above(fake, both),
        neither_passing=_above(other, limit),
        families={name: _auroc(part, photo) for name, part in parts.items()},
        caught_families={name: _above(part, limit) for name, part in parts.items()},
    )


def _auroc(fakes: pd.DataFrame, reals: pd.DataFrame) -> Figure:
    both = pd.concat([fakes, reals])
    found = auroc_by_source(both["label"].to_numpy(), both["p_fake"].to_numpy(), both["source"].to_numpy())
    return Figure.model_validate(found.as_dict())


def _above(rows: pd.DataFrame, limit: float) -> Figure:
    found = share_by_source((rows["p_fake"] > limit).to_numpy(), rows["source"].to_numpy())
    return Figure.model_validate(found.as_dict())
