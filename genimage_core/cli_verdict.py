"""The commands behind a verdict: calibrate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

import typer

from genimage_core.cli_lab import command_line

MEASURED = Path("assets/measured")


def verdict_commands(app: typer.Typer) -> None:
    """Enter the commands in the command line."""
    app.command()(calibrate)


def calibrate(
    scores: Annotated[Path, typer.Option(help="Folder of a run, or written by `export-scores`.")],
    fitted_on: Annotated[str, typer.Option(help="The data in words.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("assets/weights/combination.json"),
    manifest: Annotated[Path | None, typer.Option(help="csv with path and group of each image.")] = None,
    band_scores: Annotated[
        Path | None,
        typer.Option(help="The same of generators not trained on: the band keeps to its limits there."),
    ] = None,
    fit_on: Annotated[
        Literal["scores", "both"], typer.Option(help="`both`: --band-scores have a say in the weights, too.")
    ] = "scores",
    figures: Annotated[
        Path | None, typer.Option(help="Figures to write (default: assets/measured/SCORES_calibration.json).")
    ] = None,
    detectors: Annotated[
        str, typer.Option(help="`all` that have scores, or names separated by commas.")
    ] = "all",
    reals_called_fake: Annotated[
        float, typer.Option(min=0.001, max=0.5, help="Most of the photographs.")
    ] = 0.02,
    fakes_called_real: Annotated[float, typer.Option(min=0.001, max=0.5, help="Most of the fakes.")] = 0.1,
) -> None:
    """Fit each detector's calibration, their combination and its unsure band; measure all of it."""
    import pandas as pd

    from genimage_core.detectors.registry import chosen_detectors
    from genimage_core.evaluation.calibration import Limits
    from genimage_core.evaluation.calibration import calibrate as fit
    from genimage_core.evaluation.table import read_scores

    names = chosen_detectors(detectors)
    rows = read_scores(scores, names)
    band_rows = read_scores(band_scores, names) if band_scores else None
    groups: dict[str, str] = {}
    if manifest:
        table = pd.read_csv(manifest)
        groups = dict(zip(table["path"], table["group"].astype(str), strict=True))
    limits = Limits(reals=reals_called_fake, fakes=fakes_called_real)
    found, measured = fit(rows, groups, fitted_on, band_rows=band_rows, fit_on=fit_on, limits=limits)
    command = command_line(manifest).replace("--manifest DIR", "--manifest DIR/manifest.csv")
    measured = {"command": command, "scores": scores.name} | measured
    if band_scores:
        measured["band_scores"] = band_scores.name
    out.write_text(found.model_dump_json(indent=1) + "\n")
    target = figures or MEASURED / f"{scores.name}_calibration.json"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(measured, indent=1, allow_nan=False) + "\n")
    for name, part in measured["sets"].items():
        for key in ("auroc", "ece"):
            print(f"{name}: {key} {_figure(part['combination'][key])}")
        for kind, figure in part["answers"].items():
            print(f"    {kind.replace('_', ' ')}: {_figure(figure)}")
    print(f"{measured['method']}; unsure from {found.low} to {found.high}")
    print(f"combination: {out}; all figures: {target}")


def _figure(figure: dict[str, float]) -> str:
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f}, n = {figure['n']})"
