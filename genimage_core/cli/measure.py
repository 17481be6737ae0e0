"""Commands that measure the paper's tables and studies anew."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from genimage_core.cli.evaluate import STOPPED
from genimage_core.cli.train import command_line, use_threads


def measure_commands(app: typer.Typer) -> None:
    """Enter these commands in the command line."""
    app.command("measure")(measure)
    app.command("score-head")(score_head)


def measure(
    what: Annotated[
        Literal["task1", "matrix", "task2", "scale", "classes", "content"],
        typer.Argument(help="Which of the paper's tables and studies."),
    ],
    data: Annotated[Path, typer.Option(help="Data set in GenImage's layout.")],
    runs: Annotated[Path, typer.Option(help="Folder for networks and scores on the way.")],
    out: Annotated[Path, typer.Option(help="Folder of measured results.")],
    detectors: Annotated[str, typer.Option(help="Names separated by commas, or `all`.")] = "resnet50",
    manifest: Annotated[Path | None, typer.Option(help="The data set's csv (classes, content).")] = None,
    scores: Annotated[
        list[Path] | None, typer.Option(help="Folder written by export-scores (content); repeatable.")
    ] = None,
    protocols: Annotated[str, typer.Option(help="Data protocols, with commas (task1).")] = "raw",
    init: Annotated[Path | None, typer.Option(help="The trunk of a detector with a fitted head.")] = None,
    features: Annotated[Path | None, typer.Option(help="Folder of its feature cache.")] = None,
    start: Annotated[Path | None, typer.Option(help="Weights that each network starts from.")] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="Written by `teach --trunk`: networks learn from it.")
    ] = None,
    trained: Annotated[Path | None, typer.Option(help="Finished runs, by detector (task1, task2).")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Of every training run.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Images a class and generator.")] = None,
    seed: int = 0,
    threads: Annotated[int, typer.Option(help="CPU threads; 0: torch's default.")] = 0,
) -> None:
    """Measure one of the paper's tables or studies anew; stop it with Ctrl-C, start it again to go on."""
    from genimage_core.detectors.registry import chosen_detectors
    from genimage_core.studies import classes as class_study
    from genimage_core.studies import content as content_study
    from genimage_core.studies import scale as scale_study
    from genimage_core.studies import tables
    from genimage_core.studies.runner import Lab, StudyStoppedError

    use_threads(threads)
    names = chosen_detectors(detectors)
    lab = Lab(
        data=data, runs=runs, out=out, init=init, features=features, start=start, teacher=teacher,
        trained=trained, steps=steps, limit=limit, seed=seed, threads=threads,
        command=command_line(data).replace(f"{data}/", "DIR/"),
        report=lambda line: print(line, file=sys.stderr, flush=True),
    )  # fmt: skip
    try:
        if what == "task1":
            tables.task1(lab, names, protocols.split(","))
        elif what == "matrix":
            tables.matrix(lab, names)
        elif what == "task2":
            tables.task2(lab, names)
        elif what == "scale":
            scale_study.scale(lab, names)
        elif what == "classes":
            class_study.classes(lab, names, _column(manifest, "group"))
        else:
            content_study.content(lab, scores or [], _column(manifest, "source"))
    except (StudyStoppedError, KeyboardInterrupt):
        print("stopped; the same command goes on", file=sys.stderr)
        raise typer.Exit(STOPPED) from None


def _column(manifest: Path | None, name: str) -> dict[str, str]:
    """A column of the data set's csv by image id (its column `path`)."""
    import pandas as pd

    from genimage_core.utils.errors import DatasetError

    if manifest is None:
        raise typer.BadParameter("this study needs --manifest")
    try:
        table = pd.read_csv(manifest, dtype=str)
        return dict(zip(table["path"], table[name].fillna(""), strict=True))
    except (OSError, ValueError, KeyError):
        raise DatasetError(
            f"no csv with the columns path and {name}.",
            hint="Name the data set's manifest.",
            source=str(manifest),
        ) from None


def score_head(
    data: Annotated[Path, typer.Option(help="Data set in GenImage's layout.")],
    weights: Annotated[Path, typer.Option(help="Folder of a run of `fit-head`.")],
    features: Annotated[Path, typer.Option(help="Folder of the feature cache.")],
    out: Annotated[Path, typer.Option(help="Folder of the evaluation.")],
    detector: Annotated[str, typer.Option(help="The head's detector.")] = "dinov2",
    generators: Annotated[str, typer.Option(help="`all`, `train`, or names with commas.")] = "all",
    split: Annotated[Literal["val", "train"], typer.Option(help="Which images.")] = "val",
    limit: Annotated[int | None, typer.Option(min=1, help="Images a class and generator.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the draw.")] = 42,
) -> None:
    """Score images with a head on cached features; the run is one like those of `evaluate`."""
    from genimage_core.datasets import data_protocol, scan_dataset
    from genimage_core.evaluation.report import report_text, write_report
    from genimage_core.evaluation.select import select_images
    from genimage_core.training.heads.score import score_head as score

    records = select_images(
        scan_dataset(data),
        split=split,
        generators=generators,
        protocol=data_protocol("raw"),
        limit=limit,
        seed=seed,
    )
    score(records, detector, weights, features, out, limit=limit, seed=seed, command=command_line(data))
    print(report_text(write_report(out)))
