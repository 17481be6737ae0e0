"""Results measured with this software, in the shape of the published tables and studies.

Files lie in `assets/measured`: `tables/*.json` (`MeasuredTable`, written by `export-table`) and
`studies/*.json` (`Study`). docs/evaluation.md describes both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from genimage_core.detectors import detector_info, list_detectors
from genimage_core.images.degradations import LowRes, paper_suite
from genimage_core.metrics.registry import metrics
from genimage_core.utils import old_names
from genimage_core.utils.errors import EvaluationError
from genimage_core.utils.paths import asset

if TYPE_CHECKING:
    import pandas as pd

FOLDER = asset("measured")
METRICS = {name: metric.title for name, metric in metrics().items() if metric.title} | {
    "called_fake": "Called fake in groups without fakes"
}
"""What a table can show, all as shares of 1; only the last one is better when it is small."""

# Published column -> folders that hold images of the same generator, lower case: those of GenImage's own
# archives first (`sd_v1` holds versions 1.4 and 1.5). A folder not named here is a column of its own.
GENERATORS: Mapping[str, tuple[str, ...]] = {
    "Midjourney": ("midjourney",),
    "SD V1.4": ("stable_diffusion_v_1_4", "sdv4", "sd14", "sd_v1"),
    "SD V1.5": ("stable_diffusion_v_1_5", "sdv5", "sd15"),
    "ADM": ("adm",),
    "GLIDE": ("glide",),
    "Wukong": ("wukong",),
    "VQDM": ("vqdm",),
    "BigGAN": ("biggan",),
}
_COLUMNS = {folder: column for column, folders in GENERATORS.items() for folder in folders}
Model = TypeVar("Model", bound=BaseModel)


class Cell(BaseModel):
    """One figure: a share with its 95 % interval and the number of images behind it.

    Attributes:
        row: detector's name, or training generator.
        column: as published where it is the same, else the folder's name or the degradation.
        metric: one of `METRICS`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    row: str
    column: str
    metric: str
    value: float
    low: float
    high: float
    n: int


class MeasuredTable(BaseModel):
    """A table measured here, to stand beside a published one.

    Attributes:
        table: id of the published table.
        title, description: for people.
        command: how to repeat it.
        data_protocol: `raw` or `unbiased`.
        preprocessing: how an image reached the networks.
        data_sha256: fingerprint of the data, of each run with commas.
        weights: row -> sha256 of the weights.
        cells: the figures.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    table: str
    title: str
    description: str = ""
    command: str = ""
    data_protocol: str
    preprocessing: str
    data_sha256: str
    weights: dict[str, str]
    cells: tuple[Cell, ...]

    @model_validator(mode="before")
    @classmethod
    def _old_names(cls, data: Any) -> Any:
        return old_names.of_run(data)


class Point(BaseModel):
    """One figure of a study.

    Attributes:
        series: which line or kind of bar.
        label: of the step, as on the axis.
        value: in percent.
        low, high: 95 % interval, percent.
        n: images behind it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    series: str
    label: str
    value: float
    low: float
    high: float
    n: int


class Study(BaseModel):
    """A study measured here: scale, classes or content.

    Attributes:
        study: id of the published table beside which it stands: `scale`, `class_subset`, `content`.
        title, description: for people; the description says what differs from the paper.
        command: how to repeat it.
        manifest: what the figures depend on: data, weights, versions.
        points: the figures, in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = 1
    study: str
    title: str
    description: str
    command: str
    manifest: dict[str, Any] = {}
    points: tuple[Point, ...]

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that measured the points, the latest first."""
        return (self.command, *self.manifest.get("kept", {}))


def list_measured_tables(table: str, folder: Path = FOLDER) -> list[MeasuredTable]:
    """The tables measured beside a published one, by file name, those of the benchmark's detectors first.

    Raises:
        EvaluationError: a file is damaged.
    """
    files = sorted((folder / "tables").glob("*.json"), key=lambda path: (_set_apart(path.stem), path.stem))
    found = [_read(path, MeasuredTable) for path in files]
    return [entry for entry in found if entry.table == table]


def _set_apart(stem: str) -> bool:
    """Whether a file is named after a detector that is not one of the benchmark's seven."""
    apart = {name for name in list_detectors() if not detector_info(name).in_benchmark}
    return stem.rpartition("_")[2] in apart


def list_studies(study: str, folder: Path = FOLDER) -> list[Study]:
    """The studies measured beside a published table, by file name.

    Raises:
        EvaluationError: a file is damaged.
    """
    found = [_read(path, Study) for path in sorted((folder / "studies").glob("*.json"))]
    return [entry for entry in found if entry.study == study]


def table_of_report(
    report: Mapping[str, Any], table: str, *, title: str = "", row: str = "", command: str = ""
) -> MeasuredTable:
    """A run's report in the shape of a published table.

    Args:
        report: of `make_report`.
        table: id of the published table; the columns of `task2_degradations` are degradations, those of the
            others generators (of the undegraded images).
        title: for people; empty: the published table's.
        row: name of the row where the run is one of many (a training generator, say); its detector must then
            be the only one. Empty: the detectors are the rows.
        command: added to the run's own.

    Raises:
        EvaluationError: the run has no such figures, or several detectors for one row.
        DatasetError: there is no such table.
    """
    from genimage_core.results.published import load_table

    published, plan = load_table(table), report["plan"]
    if row and len(plan["detectors"]) != 1:
        raise EvaluationError("one row is one detector.", hint="Run the others into tables of their own.")
    cells = tuple(_cells(report, row, by_degradation=table == "task2_degradations"))
    if not cells:
        raise EvaluationError(
            "the run has no figures for this table.", hint="It needs images of both classes.", source=table
        )
    return MeasuredTable(
        table=table,
        title=title or published.title,
        description=f"{report['images']['done']} images of the split `{plan['data']['split']}`.",
        command="\n".join(filter(None, (plan["command"], command))),
        data_protocol=plan["data_protocol"],
        preprocessing=plan["preprocessing"],
        data_sha256=plan["data"]["fingerprint"],
        weights={row or name: digest for name, digest in plan["detectors"].items()},
        cells=cells,
    )


def merged(old: MeasuredTable, new: MeasuredTable) -> MeasuredTable:
    """A table with another run's rows added, or put in place of rows of the same names.

    Raises:
        EvaluationError: they are of different tables, data protocols or preprocessings.
    """
    for key in ("table", "data_protocol", "preprocessing"):
        if getattr(old, key) != getattr(new, key):
            raise EvaluationError(
                f"the file has another {key.replace('_', ' ')} ({getattr(old, key)}).",
                hint="Write to another file.",
            )
    kept = tuple(cell for cell in old.cells if cell.row not in new.weights)
    data = dict.fromkeys([*old.data_sha256.split(","), new.data_sha256])
    commands = dict.fromkeys([*old.command.splitlines(), *new.command.splitlines()])
    described = old.description
    if new.description not in described:
        described += f" Rows added later: {new.description}"
    return new.model_copy(
        update={
            "description": described,
            "cells": kept + new.cells,
            "weights": old.weights | new.weights,
            "data_sha256": ",".join(data),
            "command": "\n".join(commands),
        }
    )


def _cells(report: Mapping[str, Any], row: str, *, by_degradation: bool) -> list[Cell]:
    found = []
    for result in report["results"]:
        name = row or result["detector"]
        if by_degradation:
            figures = result.get("mean", result.get("pooled", {}))
            parts = {degradation_column(result["degradation"]): figures}
        elif result["degradation"] == "none":
            parts = {generator_column(g): figures for g, figures in result["generators"].items()}
            for group, figures in result["real_only"].items():
                found.append(Cell(row=name, column=group, metric="called_fake", **figures["called_fake"]))
        else:
            continue
        found += [
            Cell(row=name, column=column, metric=metric, **figures[metric])
            for column, figures in parts.items()
            for metric in METRICS
            if metric in figures
        ]
    return found


def generator_column(folder: str) -> str:
    """The published column of a generator's folder, or the folder's own name."""
    return _COLUMNS.get(folder.lower(), folder)


def degradation_column(degradation: str) -> str:
    """The published column of a degradation, low resolution read as "down" marked; else its text form."""
    published = {str(step): name for name, step in paper_suite().items()}
    published |= {
        str(step): f"{name} down" for name, step in paper_suite("down").items() if isinstance(step, LowRes)
    }
    return published.get(degradation, "as is" if degradation == "none" else degradation)


def _read(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        raise EvaluationError(
            "this file of measured results is damaged.", hint="Restore it.", source=path.name
        ) from None


@dataclass(frozen=True)
class Measured:
    """One measured table."""

    title: str
    description: str
    command: str
    rows: pd.DataFrame


def list_measured() -> list[Measured]:
    """Return the measured tables; files of another shape are passed over."""
    import pandas as pd

    found = []
    for path in [*sorted(FOLDER.glob("*.json")), *sorted(FOLDER.glob("sets/*.json"))]:
        data = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(data, dict) and isinstance(data.get("rows"), list) and data["rows"]:
            found.append(
                Measured(
                    str(data.get("title", path.stem)),
                    str(data.get("description", "")),
                    str(data.get("command", "")),
                    pd.DataFrame(data["rows"]),
                )
            )
    return found
