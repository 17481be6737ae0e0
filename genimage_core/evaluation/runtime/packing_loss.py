"""What packing weights into few bits costs, measured on the same images before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from genimage_core.datasets import Record
from genimage_core.detectors import load_detector
from genimage_core.evaluation.engine.run import score_in_memory
from genimage_core.metrics.classification import accuracy, auroc


def packing_loss(
    name: str,
    unpacked: Path,
    packed: Path,
    records: Sequence[Record],
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Any]:
    """Accuracy and AUROC with the float weights and with the packed ones.

    Args:
        name: the detector.
        unpacked: folder of the training run.
        packed: folder of the weight set.
        records: images of both classes.
        progress: called with (done, total).

    Returns:
        JSON-ready: both figures with intervals, `points` (accuracy lost, in percentage points; below
        zero where packing gained), and the largest and mean change of P(fake).
    """
    both = {"before": load_detector(name, weights=unpacked), "after": load_detector(name, weights=packed)}
    scores = score_in_memory(records, both, progress=progress)
    good = ~np.isnan(scores["before"]) & ~np.isnan(scores["after"])
    labels = np.array([record.label for record in records])[good]
    p, q = scores["before"][good], scores["after"][good]
    hits_before, hits_after = accuracy(labels, p), accuracy(labels, q)
    return {
        "points": round(100 * (hits_before.value - hits_after.value), 3),
        "accuracy_float": hits_before.as_dict(),
        "accuracy_packed": hits_after.as_dict(),
        "auroc_float": auroc(labels, p).as_dict(),
        "auroc_packed": auroc(labels, q).as_dict(),
        "p_fake_mean_change": round(float(np.abs(p - q).mean()), 5),
        "p_fake_max_change": round(float(np.abs(p - q).max()), 4),
    }
