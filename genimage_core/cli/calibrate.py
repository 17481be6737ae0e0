"""The commands behind a verdict: calibrate, fit-image-type, warning-rates, stability."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from genimage_core.cli.options import (
    STOPPED,
    Data,
    Detectors,
    Generators,
    Limit,
    Manifest,
    Threads,
    Weights,
    command_line,
    groups_of,
    progress_printer,
    use_threads,
)

MEASURED = Path("assets/measured")
COMBINATION = Path("assets/weights/combination.json")


def calibrate(
    scores: Annotated[Path, typer.Option(help="Folder of a run, or written by `export-scores`.")],
    fitted_on: Annotated[str, typer.Option(help="The data in words.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = COMBINATION,
    manifest: Manifest = None,
    band_scores: Annotated[
        Path | None,
        typer.Option(help="The same of generators not trained on: the band keeps to its limits there."),
    ] = None,
    fit_on: Annotated[
        Literal["scores", "both"], typer.Option(help="`both`: --band-scores have a say in the weights, too.")
    ] = "scores",
    figures: Annotated[
        Path | None,
        typer.Option(help="Figures (default: assets/measured/SCORES_calibration.json, or by --out)."),
    ] = None,
    also: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FOLDER,FOLDER: other scores of the same images, by another protocol say, "
            "to measure on what was fitted without them."
        ),
    ] = None,
    detectors: Detectors = "all",
    reals_called_fake: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Most of the photographs.")
    ] = 0.02,
    fakes_called_real: Annotated[float, typer.Option(min=0.001, max=0.5, help="Most of the fakes.")] = 0.1,
    others_called_fake: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Most of the drawings, renders, screens and pages.")
    ] = 0.05,
) -> None:
    """Fit each detector's calibration, their combination and its unsure band; measure all of it."""
    import pandas as pd

    from genimage_core.detectors.registry import chosen_detectors
    from genimage_core.evaluation.calibration.calibrate import calibrate as fit
    from genimage_core.evaluation.calibration.unsure_band import Limits
    from genimage_core.evaluation.export import read_scores

    names = chosen_detectors(detectors)
    rows = read_scores(scores, names)
    band_rows = read_scores(band_scores, names) if band_scores else None
    limits = Limits(reals_called_fake, fakes_called_real, others_called_fake)
    others = {}
    for entry in also or ():
        title, _, folders = entry.partition("=")
        if not title or not folders:
            raise typer.BadParameter("write NAME=FOLDER, or NAME=FOLDER,FOLDER.", param_hint="--also")
        others[title] = pd.concat([read_scores(Path(f), names) for f in folders.split(",")])
    found, measured = fit(
        rows, groups_of(manifest), fitted_on, band_rows=band_rows, fit_on=fit_on, limits=limits, also=others
    )
    command = command_line(manifest).replace("--manifest DIR", "--manifest DIR/manifest.csv")
    measured = {"command": command, "scores": scores.name} | measured
    if band_scores:
        measured["band_scores"] = band_scores.name
    folder = MEASURED if out == COMBINATION else out.parent
    target = figures or folder / f"{scores.name}_calibration.json"
    found.figures["file"] = target.name
    out.write_text(found.model_dump_json(indent=1) + "\n")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(measured, indent=1, allow_nan=False) + "\n")
    _print_sets("", measured["sets"])
    for title, part in measured.get("also", {}).items():
        _print_sets(f"{title}, ", part["sets"])
    print(f"{measured['method']}; unsure from {found.low} to {found.high}")
    print(f"combination: {out}; all figures: {target}")


def _print_sets(title: str, sets: dict[str, Any]) -> None:
    for name, part in sets.items():
        for key in ("auroc", "ece"):
            print(f"{title}{name}: {key} {_figure(part['combination'][key])}")
        for kind, figure in part["answers"].items():
            print(f"    {kind.replace('_', ' ')}: {_figure(figure)}")


def _figure(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}, n = {figure['n']})"


def fit_image_type(
    data: Data,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("assets/looks_like.json"),
    every: Annotated[int, typer.Option(min=1, help="Use every Nth generated training image.")] = 3,
) -> None:
    """Fit what tells drawings, screens and pages from photographs; measure it on validation images."""
    from genimage_core.datasets import scan_dataset
    from genimage_core.training.fit_image_type import fit_image_type as fit
    from genimage_core.training.fit_image_type import gather

    records = scan_dataset(data)
    train = [r for r in records if r.split == "train" and r.label == 0]
    train += [r for r in records if r.split == "train" and r.label == 1][::every]
    val = [r for r in records if r.split == "val"]
    train_seen = gather(train, damage=True, progress=progress_printer("training images"))
    model = fit(train_seen, gather(val, damage=False, progress=progress_printer("validation images")))
    model.figures["command"] = command_line(data)
    out.write_text(json.dumps(model.model_dump(), indent=1) + "\n", encoding="utf-8")
    for kind, figure in model.figures["precision"].items():
        print(f"{kind}: right {_figure(figure)}, found {_figure(model.figures['recall'][kind])}")
    print(out)


def warning_rates(
    data: Data,
    out: Annotated[Path, typer.Option(help="JSON file of figures.")] = MEASURED / "warning_rates.json",
    every: Annotated[int, typer.Option(min=1, help="Use every Nth image.")] = 6,
) -> None:
    """How often the notes on blurred and enlarged pictures come, and how often they come wrongly."""
    from genimage_core.datasets import list_generators, scan_dataset
    from genimage_core.evaluation.warning_rates import warning_figures

    records = scan_dataset(data)
    with_fakes = list_generators(records, "val")
    chosen = [r for r in records if r.split == "val" and r.generator in with_fakes][::every]
    found = {"command": command_line(data)} | warning_figures(chosen, progress_printer("images"))
    out.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    for part in ("photographs", "fakes"):
        for change, notes in found.get(part, {}).items():
            print(part, change, *(f"{note} {_figure(figure)}" for note, figure in notes.items()), sep="  ")


def stability(
    data: Data,
    out: Annotated[Path, typer.Option(help="JSON file of figures; the run is kept beside it.")],
    detectors: Detectors = "all",
    weights: Weights = "default",
    generators: Generators = "all",
    degrade: Annotated[str, typer.Option(help="Chains with commas; default: what the web does.")] = "",
    limit: Limit = None,
    combination: Annotated[Path | None, typer.Option(help="Combination to judge by.")] = None,
    threads: Threads = 0,
) -> None:
    """How many verdicts flip between fake and real when a file is re-saved, resized or cropped; resumes."""
    from genimage_core.detectors.registry import on_cpu
    from genimage_core.evaluation.config import Wanted, set_up
    from genimage_core.evaluation.engine.run import run
    from genimage_core.evaluation.verdict_stability import DEGRADATIONS, stability_figures, verdicts_of_run
    from genimage_core.utils.stop import Stop
    from genimage_core.verdict.combine import load_combination

    use_threads(threads)
    chosen = ("none", *(c for c in degrade.split(",") if c and c != "none")) if degrade else DEGRADATIONS
    wanted = Wanted(
        data=data, detectors=detectors, weights=weights, degrade=",".join(chosen), generators=generators,
        limit=limit, precision="int8" if on_cpu("auto") else "fp32", command=command_line(data),
    )  # fmt: skip
    work = set_up(wanted)
    for name in work.left_out:
        print(f"{name}: no weights, left out", file=sys.stderr)
    folder = out.with_suffix(".run")
    with Stop() as stop:
        finished = run(
            work.records, work.detectors, work.plan, folder, progress=progress_printer("images"),
            should_stop=lambda: stop.asked,
        )  # fmt: skip
    if not finished:
        print(f"stopped; the same command goes on from {folder}", file=sys.stderr)
        raise typer.Exit(STOPPED)
    how = load_combination(combination) if combination else None
    verdicts = verdicts_of_run(folder, work.records, how, progress_printer("verdicts"))
    figures = stability_figures(verdicts)
    facts: dict[str, Any] = {
        "command": command_line(data), "detectors": list(work.detectors), "n": len(verdicts),
    }  # fmt: skip
    figures = facts | figures
    out.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    print(f"flips under any change: {_figure(figures['any'])}")
    for text, figure in figures["each"].items():
        print(f"    {text}: {_figure(figure)}")
