"""Commands for pictures as the web has them: heads by source, and the study in the wild."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from genimage_core.cli.options import (
    Features,
    HeadDetector,
    Init,
    InitNote,
    Penalty,
    Threads,
    command_line,
    names_of,
    use_threads,
)

SourcedData = Annotated[Path, typer.Option(help="Manifest (csv): path, label and source of each image.")]


def fit_by_source(
    data: SourcedData,
    out: Annotated[Path, typer.Option(help="Folder of the run, as `train` writes it.")],
    init: Init,
    features: Features,
    detector: HeadDetector = "clip_b",
    web: Annotated[int, typer.Option(min=0, help="Random ways through the web a picture.")] = 1,
    inverse_penalty: Penalty = 3e-3,
    degrade: Annotated[str, typer.Option(help="Degradations to judge under, with commas.")] = "",
    degrade_most: Annotated[int, typer.Option(min=1, help="Of a kind and source, at most so many.")] = 5,
    cached_only: Annotated[bool, typer.Option(help="Leave out what the cache does not hold.")] = False,
    init_note: InitNote = "",
    threads: Threads = 0,
) -> None:
    """Fit a head on a manifest, and for each fold of sources one that judges it."""
    from genimage_core.training.heads.by_source import SourcedPlan
    from genimage_core.training.heads.by_source import fit_by_source as fit

    use_threads(threads)
    plan = SourcedPlan(
        data=data, init=init, features=features, detector=detector, web=web, inverse_penalty=inverse_penalty,
        degradations=tuple(names_of(degrade)), degrade=degrade_most, cached_only=cached_only,
        init_note=init_note, command=command_line(data),
    )  # fmt: skip

    def show(row: dict[str, Any]) -> None:
        print(json.dumps(row), file=sys.stderr, flush=True)

    print(f"weights: {fit(plan, out, show)}")


def in_the_wild(
    data: SourcedData,
    runs: Annotated[list[Path], typer.Option("--run", help="Folder of an evaluation on it; repeatable.")],
    out: Annotated[Path, typer.Option(help="Folder of scores; the figures go beside it, as json.")],
    held_out: Annotated[
        list[str] | None,
        typer.Option(help="DETECTOR=held_out.csv of `fit-by-source`, instead of its run; repeatable."),
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(help="Also write the scores as `calibrate` takes them: a folder.")
    ] = None,
) -> None:
    """Sum up scores on a manifest: families of generators in order of time, photographs, what is neither."""
    from genimage_core.evaluation.plan import read_plan
    from genimage_core.studies.wild import add_combination, same_images, scores_of, write_scores, write_wild

    rows = same_images(scores_of(runs, held_out or [], data))
    commands = [read_plan(run).command for run in runs] + [command_line(data)]
    if calibration:
        write_scores(rows, calibration)
    found = write_wild(add_combination(rows), out, commands)
    for row in found.rows:
        print(
            f"{row.detector} {row.degradation}: AUROC {row.auroc.value:.3f} "
            f"({row.auroc.low:.3f} to {row.auroc.high:.3f}), neither {row.auroc_neither.value:.3f}, "
            f"caught {row.caught.value:.2f}, both {row.caught_both.value:.2f}"
        )
