"""Score the images of a data set: one row an image and detector."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from genimage_core.datasets import Record
from genimage_core.degradations import Degradation
from genimage_core.detectors import Detector, Protocol
from genimage_core.errors import ImageReadError
from genimage_core.evaluation.metrics import accuracy, auroc
from genimage_core.images import load_image

COLUMNS = [
    "image_id",
    "generator",
    "split",
    "label",
    "detector",
    "weights",
    "protocol",
    "condition",
    "p_fake",
]


def score_records(
    records: Sequence[Record],
    detector: Detector,
    *,
    protocol: Protocol = "native",
    degradation: Degradation | None = None,
    progress: Callable[[int, int], None] | None = None,
    batch: int = 16,
) -> pd.DataFrame:
    """Score `records` with one detector; an unreadable file has NaN as its score.

    Returns:
        One row a record, with `COLUMNS`.
    """
    rows: list[dict[str, object]] = []
    for start in range(0, len(records), batch):
        part = records[start : start + batch]
        images: list[np.ndarray] = []
        readable: list[bool] = []
        for record in part:
            try:
                pixels = load_image(record.path).pixels
            except ImageReadError:
                readable.append(False)
                continue
            images.append(degradation(pixels) if degradation else pixels)
            readable.append(True)
        scores = iter(detector.predict(images, protocol))
        for record, ok in zip(part, readable, strict=True):
            rows.append(
                {
                    "image_id": record.image_id,
                    "generator": record.generator,
                    "split": record.split,
                    "label": record.label,
                    "detector": detector.info.name,
                    "weights": detector.weights_id[:16],
                    "protocol": protocol,
                    "condition": str(degradation) if degradation else "none",
                    "p_fake": float(next(scores)) if ok else float("nan"),
                }
            )
        if progress:
            progress(min(start + batch, len(records)), len(records))
    return pd.DataFrame(rows, columns=COLUMNS)


def summarise(rows: pd.DataFrame) -> dict[str, object]:
    """Metrics of one detector's rows: pooled, and for each generator that has both classes."""
    good = rows.dropna(subset="p_fake")

    def figures(part: pd.DataFrame) -> dict[str, object]:
        labels, scores = part["label"].to_numpy(), part["p_fake"].to_numpy()
        out: dict[str, object] = {"accuracy": accuracy(labels, scores).as_dict()}
        if len(set(labels)) == 2:
            out["auroc"] = auroc(labels, scores).as_dict()
        return out

    return {
        "pooled": figures(good),
        "generators": {str(name): figures(part) for name, part in good.groupby("generator")},
        "unreadable": int(rows["p_fake"].isna().sum()),
    }
