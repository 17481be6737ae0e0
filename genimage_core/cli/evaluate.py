"""The benchmark's commands: run an evaluation, print its report, export its scores."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from genimage_core.cli.options import (
    STOPPED,
    AsJson,
    DataProtocol,
    Detectors,
    Device,
    Generators,
    Limit,
    PreprocessingOption,
    RunFolder,
    Seed,
    Split,
    Threads,
    Title,
    Weights,
    command_line,
    names_of,
    use_threads,
)


def evaluate(
    out: Annotated[Path, typer.Option(help="Folder of the run; one that is there goes on.")],
    data: Annotated[str | None, typer.Option(help="Data set in GenImage's layout.")] = None,
    ai: Annotated[Path | None, typer.Option(help="Instead of a data set: folder of AI images.")] = None,
    nature: Annotated[Path | None, typer.Option(help="Instead of a data set: folder of real ones.")] = None,
    detectors: Detectors = "all",
    weights: Weights = "default",
    degrade: Annotated[str, typer.Option(help="`none`, `paper` or chains, with commas.")] = "none",
    data_protocol: DataProtocol = "raw",
    generators: Generators = "all",
    split: Split = "val",
    preprocessing: PreprocessingOption = "tiles",
    limit: Limit = None,
    seed: Seed = 42,
    device: Device = "auto",
    precision: Annotated[
        Literal["fp32", "bf16", "int8"],
        typer.Option(help="`bf16` for GPUs; `int8` for CPUs, as the app: 8 bits where they cost little."),
    ] = "fp32",
    workers: Annotated[
        int, typer.Option(min=0, help="Threads that decode, with ray: actors; 0: automatic.")
    ] = 0,
    batch: Annotated[int, typer.Option(min=0, help="Images between two saves; 0: automatic.")] = 0,
    threads: Threads = 0,
    engine: Annotated[Literal["local", "ray"], typer.Option(help="`ray`: on a cluster.")] = "local",
) -> None:
    """Score images with detectors under degradations, then report; stop with Ctrl-C, start again to go on."""
    from genimage_core.evaluation.config import Wanted, set_up
    from genimage_core.evaluation.engine.run import run
    from genimage_core.evaluation.report import report_text, write_report
    from genimage_core.utils.stop import Stop

    if bool(data) == bool(ai and nature) or bool(ai) != bool(nature):
        raise typer.BadParameter("name either --data, or --ai and --nature")
    use_threads(threads)
    wanted = Wanted(
        data=data, ai=ai, nature=nature, detectors=detectors, weights=weights, degrade=degrade,
        data_protocol=data_protocol, generators=generators, split=split, preprocessing=preprocessing,
        limit=limit, seed=seed, device=device, precision=precision, command=command_line(data),
    )  # fmt: skip
    if engine == "ray":
        from genimage_core.evaluation.ray import run_on_ray, set_up_for_ray

        work, load = set_up_for_ray(wanted)
    else:
        work = set_up(wanted)
    for note in work.notes:
        print(f"note: {note}", file=sys.stderr)
    for name in work.left_out:
        print(f"{name}: no weights, left out", file=sys.stderr)
    plan = work.plan
    print(
        f"{len(work.records)} images x {plan.rows_per_image} scores; Ctrl-C stops after a batch",
        file=sys.stderr,
    )
    options: dict[str, Any] = {
        "workers": workers,
        "batch": batch,
        "progress": rate_printer(plan.rows_per_image),
    }
    with Stop() as stop:
        options["should_stop"] = lambda: stop.asked
        if engine == "ray":
            specs = [detector.net.spec for detector in work.detectors.values()]
            finished = run_on_ray(work.records, load, specs, plan, out, **options)
        else:
            finished = run(work.records, work.detectors, plan, out, **options)
    if not finished:
        print(f"stopped; the same command goes on from {out}", file=sys.stderr)
        raise typer.Exit(STOPPED)
    print(report_text(write_report(out)))


def report(
    run: RunFolder,
    as_json: AsJson = False,
) -> None:
    """Print the figures of a run, computed from its rows."""
    from genimage_core.evaluation.report import make_report, report_text

    found = make_report(run)
    print(json.dumps(found, indent=1, allow_nan=False) if as_json else report_text(found))


def export_scores(
    run: RunFolder,
    out: Annotated[
        Path, typer.Argument(help="Folder for a table of scores and the figures of each detector.")
    ],
    degradation: Annotated[str, typer.Option(help="Whose scores.")] = "none",
    generators: Annotated[str, typer.Option(help="Only images of these, names with commas.")] = "",
    title: Annotated[str, typer.Option(help="Also write OUT.json, a table that the app shows.")] = "",
) -> None:
    """Write a run's scores as CSV and its figures as JSON, to keep with a project or to calibrate on."""
    from genimage_core.evaluation.export import export_scores as export
    from genimage_core.images.degradations import parse

    chain = str(parse(degradation))
    rows = export(
        run, out, degradation=chain, generators=names_of(generators), title=title, command=command_line()
    )
    print(f"{out}: {len(rows)} scores of {rows['detector'].nunique()} detectors")


def export_table(
    run: RunFolder,
    out: Annotated[Path, typer.Argument(help="JSON file; rows of an existing one are kept or replaced.")],
    table: Annotated[str, typer.Option(help="Published table to stand beside.")],
    row: Annotated[str, typer.Option(help="Name of the one row, such as the training generator.")] = "",
    title: Title = "",
) -> None:
    """Write a run's figures in the shape of a published table, for the app to show beside it."""
    from genimage_core.evaluation.export import export_table as export

    found = export(run, out, table, title=title, row=row, command=command_line())
    print(f"{out}: {len(found.cells)} figures in {len(found.weights)} rows")


def rate_printer(
    rows_per_image: int, clock: Callable[[], float] = time.monotonic
) -> Callable[[int, int], None]:
    """Print images done, rate and time left on stderr, at most every two seconds."""
    start, before, shown = clock(), -1, float("-inf")

    def show(done: int, total: int) -> None:
        nonlocal before, shown
        before = done if before < 0 else before
        now = clock()
        if done < total and now - shown < 2:
            return
        shown = now
        line = f"{done} / {total} images"
        if done > before:
            rate = (done - before) / max(1e-9, now - start)
            left = (total - done) / rate
            line += f", {rate:.2f} images/s ({rate * rows_per_image:.1f} scores/s), {_duration(left)} left"
        print(line, file=sys.stderr, flush=True)

    return show


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
    )
