"""From a run to small files that are kept with the project: scores and figures of each detector."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genimage_core.detectors.registry import list_detectors
from genimage_core.evaluation.plan import RUN_FILE, Plan, read_plan
from genimage_core.evaluation.report import make_report
from genimage_core.evaluation.store import read_rows
from genimage_core.metrics.classification import Estimate, accuracy, auroc
from genimage_core.results.image_scores import read_score_table
from genimage_core.results.measured import MeasuredTable, merged, table_of_report
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.errors import EvaluationError


def export_scores(
    run: Path,
    out: Path,
    *,
    degradation: str = "none",
    generators: Sequence[str] = (),
    title: str = "",
    command: str = "",
) -> pd.DataFrame:
    """Write `OUT/<detector>.csv` and `OUT/<detector>.json`, and `OUT.json` where there is a title.

    Args:
        run: folder of a finished run.
        out: folder to write, made where absent.
        degradation: whose rows; the text form in the plan.
        generators: only the images of these; empty: all.
        title: of the table that the app shows, on all detectors of the folder; empty: none is written.
        command: how it was exported, added to the run's own.

    Returns:
        The rows written, with the columns of `scores.COLUMNS`.

    Raises:
        EvaluationError: no run there, not finished, or without this degradation.
    """
    plan = read_plan(run)
    rows = scores_of_run(run, degradation)
    if rows["image_id"].nunique() != plan.data.images:
        raise EvaluationError("the run is not finished.", hint="Let it go on first.", source=str(run))
    if generators:
        rows = rows[rows["generator"].isin(generators)].reset_index(drop=True)
    if rows.empty:
        raise EvaluationError(
            "the run has no images of these generators.", hint="See its report.", source=", ".join(generators)
        )
    out.mkdir(parents=True, exist_ok=True)
    facts = _facts(plan, degradation) | {"command": "\n".join(filter(None, (plan.command, command)))}
    for name, part in rows.groupby("detector", sort=False, observed=True):
        part.to_csv(out / f"{name}.csv", index=False, float_format="%.5f")
        manifest = {"detector": name, "weights_sha256": plan.detectors[str(name)], **facts}
        _write(out / f"{name}.json", {"manifest": manifest, **summarise(part)})
    if title:
        every = read_scores(out, list_detectors())
        table = {
            "title": title,
            "description": f"{every['image_id'].nunique()} images of the split `{plan.data.split}`, "
            f"data protocol {plan.data_protocol}, preprocessing {plan.preprocessing}, "
            f"degradation: {degradation}. "
            "AUROC: 1 tells all apart, .5 is a coin toss.",
            "command": facts["command"],
            "data_sha256": plan.data.fingerprint,
            # From the files, whose scores are rounded: whoever recomputes the table gets the same.
            "rows": figures_table(every),
        }
        _write(out.with_name(f"{out.name}.json"), table)
    return rows


def enter_table(found: MeasuredTable, out: Path) -> MeasuredTable:
    """Write a table to a file, the rows of one that is there kept or replaced; returns what stands there now.

    Raises:
        EvaluationError: the file holds another table, data protocol or preprocessing.
    """
    if out.exists():
        found = merged(MeasuredTable.model_validate_json(out.read_bytes()), found)
    out.parent.mkdir(parents=True, exist_ok=True)
    text = found.model_dump_json(indent=1) + "\n"
    fill_text(out, text)
    return found


def export_table(
    run: Path, out: Path, table: str, *, row: str = "", title: str = "", command: str = ""
) -> MeasuredTable:
    """Enter a run's figures in a file that has the shape of a published table.

    Args:
        run: folder of a finished run.
        out: the file; rows of an existing one are kept or replaced.
        table: id of the published table to stand beside.
        row: name of the one row, such as the training generator; "": one row a detector.
        title: for people; "": the published table's.
        command: how it was exported.

    Raises:
        EvaluationError: the run is not finished, or the file holds another table.
    """
    found = make_report(run)
    if not found["images"]["complete"]:
        raise EvaluationError("the run is not finished.", hint="Let it go on first.", source=str(run))
    return enter_table(table_of_report(found, table, title=title, row=row, command=command), out)


def scores_of_run(run: Path, degradation: str = "none") -> pd.DataFrame:
    """A run's rows in one degradation, detector by detector, with the columns of `scores.COLUMNS`.

    Raises:
        EvaluationError: no run there, damaged, or without this degradation.
    """
    plan = read_plan(run)
    if degradation not in plan.degradations:
        raise EvaluationError(
            "the run has no such degradation.",
            hint=f"Choose from: {', '.join(plan.degradations)}.",
            source=degradation,
        )
    rows = read_rows(run)
    rows = rows[rows["degradation"] == degradation]
    rows = rows.assign(
        preprocessing=rows["preprocessing"].astype(str),
        weights=rows["weights"].astype(str).str[:16],
        p_fake=rows["p_fake"].astype(float),
    )
    order = {name: place for place, name in enumerate(plan.detectors)}
    rows = rows.assign(place=rows["detector"].astype(str).map(order)).sort_values(["place", "image_id"])
    text = ["generator", "split", "detector", "degradation"]
    return rows[COLUMNS].astype(dict.fromkeys(text, str)).reset_index(drop=True)


def _facts(plan: Plan, degradation: str) -> dict[str, Any]:
    return {
        "data_sha256": plan.data.fingerprint,
        "preprocessing": plan.preprocessing,
        "data_protocol": plan.data_protocol,
        "degradation": degradation,
        "device": plan.device,
        "precision": plan.precision,
        "versions": plan.versions,
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


COLUMNS = [
    "image_id",
    "generator",
    "split",
    "label",
    "detector",
    "weights",
    "preprocessing",
    "degradation",
    "p_fake",
]


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


MEAN = "mean of the detectors"


def read_scores(folder: Path, names: list[str]) -> pd.DataFrame:
    """The rows of the named detectors, those that are there, as `export-scores` writes them.

    Args:
        folder: written by `export-scores`, or a run; of a run, the rows without degradation.
        names: of detectors.

    Raises:
        EvaluationError: neither is there.
    """
    if (folder / RUN_FILE).exists():
        rows = scores_of_run(folder)
        return rows[rows["detector"].isin(names)].reset_index(drop=True)
    found = [folder / f"{name}.csv" for name in names if (folder / f"{name}.csv").exists()]
    if not found:
        raise EvaluationError(
            "no scores here.", hint="Name a run, or a folder written by export-scores.", source=str(folder)
        )
    return pd.concat([read_score_table(path) for path in found], ignore_index=True)


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
