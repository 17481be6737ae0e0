"""The paper's tables: Task 1, the matrix of training and test generators, its mean, Task 2."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from genimage_core.detectors import detector_info
from genimage_core.evaluation.export import enter_table
from genimage_core.images.degradations import LowRes, paper_suite
from genimage_core.results.measured import Cell, MeasuredTable
from genimage_core.studies.runner import Lab

TASK1_GENERATOR = "sd_v1"
"""What the paper's Stable Diffusion 1.4 is in the data set."""


def task1(lab: Lab, detectors: Sequence[str], protocols: Sequence[str] = ("raw",)) -> None:
    """Each detector trained on `TASK1_GENERATOR`, tested on all generators."""
    for detector in detectors:
        run = task1_run(lab, detector)
        for protocol in protocols:
            scores = lab.score(detector, run, f"task1_{protocol}", data_protocol=protocol)
            title = f"Trained on Stable Diffusion 1.x, {protocol} files"
            lab.export(scores, f"task1_{protocol}", "task1_sd14", title=title)


def task1_run(lab: Lab, detector: str) -> Path:
    """Where a network trained on `TASK1_GENERATOR` lies: the lab's `trained` one, or one that it trains."""
    if lab.trained and (lab.trained / detector / "manifest.json").exists():
        return lab.trained / detector
    return lab.train(detector, TASK1_GENERATOR, TASK1_GENERATOR)


def matrix(lab: Lab, detectors: Sequence[str]) -> None:
    """For each detector: one network a training generator, each tested on all generators."""
    for detector in detectors:
        for generator in lab.generators():
            run = lab.train(detector, generator, generator)
            scores = lab.score(detector, run, f"matrix_{generator}")
            title = f"{detector_info(detector).title}: trained on one generator (rows), tested on each"
            lab.export(scores, f"matrix_{detector}", "resnet50_matrix", row=generator, title=title)
        _mean_row(lab, detector)


def task2(lab: Lab, detectors: Sequence[str]) -> None:
    """Task 1's networks under the paper's degradations, low resolution read both ways."""
    down = [str(step) for step in paper_suite("down").values() if isinstance(step, LowRes)]
    degradations = ",".join(["paper", *down])
    for detector in detectors:
        run = task1_run(lab, detector)
        scores = lab.score(detector, run, "task2", degrade=degradations, generators=TASK1_GENERATOR)
        title = "Trained and tested on Stable Diffusion 1.x, degraded images"
        lab.export(scores, "task2", "task2_degradations", title=title)


def _mean_row(lab: Lab, detector: str) -> None:
    """The mean over the matrix's rows, as a row of the published table of means."""
    folder = lab.out / "tables"
    source = MeasuredTable.model_validate_json((folder / f"matrix_{detector}.json").read_bytes())
    enter_table(mean_over_rows(source, detector), folder / "task1_mean.json")


def mean_over_rows(table: MeasuredTable, detector: str) -> MeasuredTable:
    """The mean of a matrix's rows: how a detector does on each generator, whatever it was trained on.

    Args:
        table: of `resnet50_matrix`' kind.
        detector: name of the new table's one row.

    Returns:
        A table of `task1_mean`'s kind; each cell the plain mean of a column, as published. The networks of a
        column answer on the same images, so the ends of their intervals are averaged, too, and n stays.
    """
    columns: dict[tuple[str, str], list[Cell]] = defaultdict(list)
    for cell in table.cells:
        columns[cell.column, cell.metric].append(cell)
    cells = [
        Cell(
            row=detector,
            column=column,
            metric=metric,
            value=fmean(c.value for c in some),
            low=fmean(c.low for c in some),
            high=fmean(c.high for c in some),
            n=max(c.n for c in some),
        )
        for (column, metric), some in columns.items()
    ]
    return table.model_copy(
        update={
            "table": "task1_mean",
            "title": "Mean over the training generators",
            "description": f"Plain means over {len(table.weights)} networks, one a training generator.",
            "weights": {detector: ",".join(table.weights.values())},
            "cells": tuple(cells),
        }
    )
