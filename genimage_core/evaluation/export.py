"""From a run to small files that are kept with the project: scores and figures of each detector."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from genimage_core.detectors.registry import list_detectors
from genimage_core.errors import EvaluationError
from genimage_core.evaluation.plan import Plan, read_plan
from genimage_core.evaluation.scores import COLUMNS, summarise
from genimage_core.evaluation.store import read_rows
from genimage_core.evaluation.table import figures_table, read_scores
from genimage_core.measured import MeasuredTable, merged
from genimage_core.whole_files import fill_text


def export_scores(
    run: Path,
    out: Path,
    *,
    condition: str = "none",
    generators: Sequence[str] = (),
    title: str = "",
    command: str = "",
) -> pd.DataFrame:
    """Write `OUT/<detector>.csv` and `OUT/<detector>.json`, and `OUT.json` where there is a title.

    Args:
        run: folder of a finished run.
        out: folder to write, made where absent.
        condition: whose rows; the text form in the plan.
        generators: only the images of these; empty: all.
        title: of the table that the app shows, on all detectors of the folder; empty: none is written.
        command: how it was exported, added to the run's own.

    Returns:
        The rows written, with the columns of `scores.COLUMNS`.

    Raises:
        EvaluationError: no run there, not finished, or without this condition.
    """
    plan = read_plan(run)
    rows = scores_of_run(run, condition)
    if rows["image_id"].nunique() != plan.data.images:
        raise EvaluationError("the run is not finished.", hint="Let it go on first.", source=str(run))
    if generators:
        rows = rows[rows["generator"].isin(generators)].reset_index(drop=True)
    if rows.empty:
        raise EvaluationError(
            "the run has no images of these generators.", hint="See its report.", source=", ".join(generators)
        )
    out.mkdir(parents=True, exist_ok=True)
    facts = _facts(plan, condition) | {"command": "\n".join(filter(None, (plan.command, command)))}
    for name, part in rows.groupby("detector", sort=False, observed=True):
        part.to_csv(out / f"{name}.csv", index=False, float_format="%.5f")
        manifest = {"detector": name, "weights_sha256": plan.detectors[str(name)], **facts}
        _write(out / f"{name}.json", {"manifest": manifest, **summarise(part)})
    if title:
        every = read_scores(out, list_detectors())
        table = {
            "title": title,
            "description": f"{every['image_id'].nunique()} images of the split `{plan.data.split}`, data "
            f"protocol {plan.protocol}, reading {plan.reading}, degradation: {condition}. "
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
        EvaluationError: the file holds another table, protocol or reading.
    """
    if out.exists():
        found = merged(MeasuredTable.model_validate_json(out.read_bytes()), found)
    out.parent.mkdir(parents=True, exist_ok=True)
    text = found.model_dump_json(indent=1) + "\n"
    fill_text(out, text)
    return found


def scores_of_run(run: Path, condition: str = "none") -> pd.DataFrame:
    """A run's rows in one condition, detector by detector, with the columns of `scores.COLUMNS`.

    Raises:
        EvaluationError: no run there, damaged, or without this condition.
    """
    plan = read_plan(run)
    if condition not in plan.conditions:
        raise EvaluationError(
            "the run has no such condition.",
            hint=f"Choose from: {', '.join(plan.conditions)}.",
            source=condition,
        )
    rows = read_rows(run)
    rows = rows[rows["condition"] == condition]
    rows = rows.assign(
        protocol=rows["reading"].astype(str),  # what the older tables call so
        weights=rows["weights"].astype(str).str[:16],
        p_fake=rows["p_fake"].astype(float),
    )
    order = {name: place for place, name in enumerate(plan.detectors)}
    rows = rows.assign(place=rows["detector"].astype(str).map(order)).sort_values(["place", "image_id"])
    text = ["generator", "split", "detector", "condition"]
    return rows[COLUMNS].astype(dict.fromkeys(text, str)).reset_index(drop=True)


def _facts(plan: Plan, condition: str) -> dict[str, Any]:
    return {
        "data_sha256": plan.data.fingerprint,
        "protocol": plan.reading,
        "data_protocol": plan.protocol,
        "condition": condition,
        "device": plan.device,
        "precision": plan.precision,
        "versions": plan.versions,
    }


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
