"""Scores of many images as arrays, ready to calibrate on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from genimage_core.datasets.manifest import PHOTOGRAPHS
from genimage_core.evaluation.calibration.fit import fold_of
from genimage_core.metrics.classification import finite_logit
from genimage_core.utils.errors import EvaluationError


@dataclass
class Samples:
    """Scores as arrays; rows of the first set come first.

    Attributes:
        names: the D detectors.
        z: (N, D) log-odds as the detectors gave them.
        y: (N,) labels in {0, 1}.
        second: (N,) True for the set that the band is chosen on.
        photo: (N,) False for real images of groups without fakes, such as drawings.
        generator: (N,) names.
        group: (N,) images of a group show the same thing.
        fold: (N,) rows with the same number are predicted by a fit without them.
        image: (N,) their ids.
        weight: (N,) both sets count the same in sum, however many images they hold.
    """

    names: list[str]
    z: np.ndarray
    y: np.ndarray
    second: np.ndarray
    photo: np.ndarray
    generator: np.ndarray
    group: np.ndarray
    fold: np.ndarray
    image: np.ndarray
    weight: np.ndarray


def wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of scores -> one row an image, one column a detector; images lacking a score are left out."""
    table = rows.pivot_table(index=["image_id", "generator", "label"], columns="detector", values="p_fake")
    return table.dropna().reset_index()


def samples(rows: pd.DataFrame, band_rows: pd.DataFrame | None, groups: Mapping[str, str]) -> Samples:
    """Join both sets of scores; a detector has to be in both, an image of both counts in the second.

    Raises:
        EvaluationError: no detector scored both sets, or a class is missing.
    """
    first = wide(rows)
    second = wide(band_rows) if band_rows is not None else first.iloc[:0]
    first = first[~first["image_id"].isin(second["image_id"])]
    keys = ["image_id", "generator", "label"]
    shared = [c for c in first.columns if c not in keys and (band_rows is None or c in second.columns)]
    table = pd.concat(
        [first[keys + shared], second[keys + shared]] if len(second) else [first[keys + shared]]
    )
    if not shared or set(first["label"]) != {0, 1} or (len(second) and set(second["label"]) != {0, 1}):
        raise EvaluationError(
            "these scores cannot be calibrated.", hint="Both sets need the same detectors, and both classes."
        )
    is_second = np.arange(len(table)) >= len(first)
    generator = table["generator"].to_numpy(str)
    group = np.array([groups.get(i, i) for i in table["image_id"]])
    with_fakes = set(table.loc[table["label"] == 1, "generator"])
    places = {name: 1000 + i for i, name in enumerate(sorted(set(generator)))}
    fold = [places[g] if s else fold_of(name) for g, s, name in zip(generator, is_second, group, strict=True)]
    return Samples(
        names=shared,
        z=finite_logit(table[shared].to_numpy(float)),
        y=table["label"].to_numpy(int),
        second=is_second,
        photo=np.array([g in with_fakes or g == PHOTOGRAPHS for g in generator]),
        generator=generator,
        group=group,
        fold=np.array(fold),
        image=table["image_id"].to_numpy(str),
        weight=np.where(is_second, 1 / max(len(second), 1), 1 / len(first)),
    )


def same_images(data: Samples, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Other scores of the images of `data`: which of the N images have them all, and their (M, D) log-odds.

    Raises:
        EvaluationError: a detector or every image is missing.
    """
    table = wide(rows).set_index("image_id")
    if missing := sorted(set(data.names) - set(table.columns)):
        raise EvaluationError(
            "these scores lack a detector.", hint="Score the same images with every detector.",
            source=", ".join(missing),
        )  # fmt: skip
    here = np.isin(data.image, table.index.to_numpy(str))
    if len(set(data.y[here])) < 2:
        raise EvaluationError(
            "these are scores of other images, or of one class.", hint="Score the images of --scores."
        )
    return here, finite_logit(table.loc[data.image[here], data.names].to_numpy(float))


def at(data: Samples, rows: np.ndarray) -> Samples:
    """The samples at some rows (a mask or numbers)."""
    parts = {f.name: getattr(data, f.name)[rows] for f in fields(data) if f.name != "names"}
    return Samples(names=data.names, **parts)
