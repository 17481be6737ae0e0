"""Commands that measure the paper's tables and studies anew."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from genimage_core.cli.options import (
    STOPPED,
    Data,
    Features,
    Generators,
    HeadDetector,
    Limit,
    Manifest,
    Seed,
    Split,
    Threads,
    command_line,
    manifest_column,
    use_threads,
)


def measure(
    what: Annotated[
        Literal["task1", "matrix", "task2", "scale", "classes", "content"],
        typer.Argument(help="Which of the paper's tables and studies."),
    ],
    data: Data,
    runs: Annotated[Path, typer.Option(help="Folder for networks and scores on the way.")],
    out: Annotated[Path, typer.Option(help="Folder of measured results.")],
    detectors: Annotated[str, typer.Option(help="Names separated by commas, or `all`.")] = "resnet50",
    manifest: Manifest = None,
    scores: Annotated[
        list[Path] | None, typer.Option(help="Folder written by export-scores (content); repeatable.")
    ] = None,
    data_protocols: Annotated[str, typer.Option(help="With commas (task1).")] = "raw",
    init: Annotated[Path | None, typer.Option(help="The trunk of a detector with a fitted head.")] = None,
    features: Annotated[Path | None, typer.Option(help="Folder of its feature cache.")] = None,
    start: Annotated[Path | None, typer.Option(help="Weights that each network starts from.")] = None,
    teacher: Annotated[
        Path | None, typer.Option(help="Written by `teach --trunk`: networks learn from it.")
    ] = None,
    trained: Annotated[Path | None, typer.Option(help="Finished runs, by detector (task1, task2).")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Of every training run.")] = None,
    limit: Limit = None,
    seed: Seed = 0,
    threads: Threads = 0,
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
            tables.task1(lab, names, data_protocols.split(","))
        elif what == "matrix":
            tables.matrix(lab, names)
        elif what == "task2":
            tables.task2(lab, names)
        elif what == "scale":
            scale_study.scale(lab, names)
        elif what == "classes":
            class_study.classes(lab, names, manifest_column(manifest, "group"))
        else:
            content_study.content(lab, scores or [], manifest_column(manifest, "source"))
    except (StudyStoppedError, KeyboardInterrupt):
        print("stopped; the same command goes on", file=sys.stderr)
        raise typer.Exit(STOPPED) from None


def score_head(
    data: Data,
    weights: Annotated[Path, typer.Option(help="Folder of a run of `fit-head`.")],
    features: Features,
    out: Annotated[Path, typer.Option(help="Folder of the evaluation.")],
    detector: HeadDetector = "dinov2",
    generators: Generators = "all",
    split: Split = "val",
    limit: Limit = None,
    seed: Seed = 42,
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
