"""Figures of one detector in one degradation: for each generator, over all of them, and on reals alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from genimage_core.metrics.classification import Estimate, mean_of, share
from genimage_core.metrics.registry import Calibration, Scored, called_fake, figures

Figures = dict[str, Estimate]


def degradation_figures(rows: pd.DataFrame, calibration: Calibration | None, seed: int) -> dict[str, Any]:
    """JSON-ready figures of one detector's rows in one degradation.

    Args:
        rows: with `generator`, `label` and `p_fake`; rows without a score are only counted.
        calibration: (slope, intercept) of the log-odds; None: its figures are left out.
        seed: of the bootstraps.

    Returns:
        - `pooled`: all generators that have fakes, every image alike;
        - `mean`, `weighted_mean`: over the generators that have both classes, plain and by number of images;
        - `generators`: each one;
        - `real_only`: share called fake in groups without fakes.
    """
    scored = rows[rows["p_fake"].notna()]
    arrays = {
        str(name): (part["label"].to_numpy(np.int64), part["p_fake"].to_numpy(np.float64))
        for name, part in scored.groupby("generator", observed=True, sort=True)
    }
    with_fakes = {name: pair for name, pair in arrays.items() if pair[0].any()}
    real_only = {name: pair for name, pair in arrays.items() if not pair[0].any()}
    each = {name: figures(Scored(*pair, calibration, seed)) for name, pair in with_fakes.items()}
    result: dict[str, Any] = {"without_score": len(rows) - len(scored)}
    if with_fakes:
        labels, scores = (np.concatenate(part) for part in zip(*with_fakes.values(), strict=True))
        pooled = (
            each[next(iter(each))] if len(each) == 1 else figures(Scored(labels, scores, calibration, seed))
        )
        result["pooled"] = _json(pooled, labels)
    both = {name: found for name, found in each.items() if "auroc" in found}
    if both:
        sizes = [len(with_fakes[name][0]) for name in both]
        result["averaged_over"] = list(both)
        for key, weights in (("mean", None), ("weighted_mean", sizes)):
            metrics = next(iter(both.values()))
            means = {m: mean_of([found[m] for found in both.values()], weights) for m in metrics}
            result[key] = {name: estimate.as_dict() for name, estimate in means.items()}
    result["generators"] = {name: _json(found, with_fakes[name][0]) for name, found in each.items()}
    result["real_only"] = {name: _called(scores, calibration) for name, (_, scores) in real_only.items()}
    return result


def _json(found: Figures, labels: np.ndarray) -> dict[str, Any]:
    n_fake = int(labels.sum())
    counts = {"n": len(labels), "n_fake": n_fake, "n_real": len(labels) - n_fake}
    return counts | {name: estimate.as_dict() for name, estimate in found.items()}


def _called(scores: np.ndarray, calibration: Calibration | None) -> dict[str, Any]:
    found = {"called_fake": share(called_fake(scores)).as_dict()}
    if calibration:
        found["called_fake_calibrated"] = share(called_fake(scores, calibration)).as_dict()
    return found
