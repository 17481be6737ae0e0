"""The command that fits what names generators."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from genimage_core.cli_lab import command_line, use_threads
from genimage_core.cli_linear import Data, Detector, Features, Init, Penalty, _show


def fit_attribution(
    data: Data,
    init: Init,
    features: Features,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("assets/attribution"),
    detector: Detector = "dinov2",
    weights: Annotated[
        str, typer.Option(help="Weight set that will be asked; its trunk must fit.")
    ] = "default",
    classes: Annotated[
        str,
        typer.Option(help="Generators to tell apart, separated by commas; `all` that have training fakes."),
    ] = "all",
    manifest: Annotated[Path | None, typer.Option(help="csv with path and group of each image.")] = None,
    views: Annotated[int, typer.Option(min=1, help="Augmented views of each training image.")] = 1,
    inverse_penalty: Penalty = 1e-3,
    threads: Annotated[int, typer.Option(help="CPU threads; 0: torch's default.")] = 0,
) -> None:
    """Fit what names generators, choose its threshold, and measure its confusion matrix."""
    import pandas as pd

    from genimage_core.training.attribution_fit import fit_attribution_run
    from genimage_core.training.heads import HeadPlan

    use_threads(threads)
    command = command_line(data).replace(str(manifest), "DIR/manifest.csv")
    plan = HeadPlan(
        data=data, init=init, features=features, detector=detector, views=views,
        inverse_penalty=inverse_penalty, command=command,
    )  # fmt: skip
    names = () if classes == "all" else tuple(n.strip() for n in classes.split(",") if n.strip())
    groups: dict[str, str] = {}
    if manifest:
        table = pd.read_csv(manifest)
        groups = dict(zip(table["path"], table["group"].astype(str), strict=True))
    facts = fit_attribution_run(plan, out, groups, _show, classes=names, weights=weights)
    print(
        json.dumps(
            {"threshold": facts.threshold, **facts.figures, **facts.manifest["packed_trunk"]}, indent=1
        )
    )
