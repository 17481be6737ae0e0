"""Per-image scores of several detectors -> one table of figures that the app can show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from genimage_core.errors import EvaluationError
from genimage_core.evaluation.metrics import Estimate, accuracy, auroc
from genimage_core.evaluation.plan import RUN_FILE

MEAN = "mean of the detectors"


def read_scores(folder: Path, names: list[str]) -> pd.DataFrame:
    """The rows of the named detectors, those that are there, as `export-scores` writes them.

    Args:
        folder: written by `export-scores`, or a run; of a run, the rows without degradation.
        names: of detectors.

    Raises:
        EvaluationError: neither is there.
    """
    from genimage_core.evaluation.export import scores_of_run

    if (folder / RUN_FILE).exists():
        rows = scores_of_run(folder)
        return rows[rows["detector"].isin(names)].reset_index(drop=True)
    found = [folder / f"{name}.csv" for name in names if (folder / f"{name}.csv").exists()]
    if not found:
        raise EvaluationError(
            "no scores here.", hint="Name a run, or a folder written by export-scores.", source=str(folder)
        )
    return pd.concat([pd.read_csv(path) for path in found], ignore_index=True)


def with_mean(rows: pd.DataFrame) -> pd.DataFrame:
    """Add the plain mean of the detectors' P(fake), for images that all of them scored."""
    keys = ["image_id", "generator", "label"]
    wide = rows.pivot_table(index=keys, columns="detector", values="p_fake").dropna()
    mean = wide.mean(axis=1).rename("p_fake").reset_index().assign(detector=MEAN)
    return pd.concat([rows, mean], ignore_index=True)


def _figure(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


def figures_table(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """One row a detector: AUROC and accuracy with intervals, then AUROC on each generator."""
    table = []
    for name, part in with_mean(rows.dropna(subset="p_fake")).groupby("detector", sort=False):
        labels, scores = part["label"].to_numpy(), part["p_fake"].to_numpy()
        line: dict[str, Any] = {
            "detector": name,
            "AUROC (95 %)": _figure(auroc(labels, scores)),
            "accuracy at .5 (95 %)": _figure(accuracy(labels, scores)),
            "n": len(part),
        }
        for generator, some in part.groupby("generator"):
            if some["label"].nunique() == 2:
                value = auroc(some["label"].to_numpy(), some["p_fake"].to_numpy()).value
                line[f"AUROC {generator}"] = round(value, 3)
        table.append(line)
    return table
