"""Commands for heads on frozen features, leave-one-generator-out, and the regrouped data set."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from genimage_core.cli_lab import command_line, use_threads

Features = Annotated[Path, typer.Option(help="Folder of the feature cache.")]
Init = Annotated[Path, typer.Option(help="safetensors file with the frozen trunk.")]
Aligned = Annotated[Path | None, typer.Option(help="Folder written by `reconstruct`: more fakes.")]
Penalty = Annotated[float, typer.Option(help="Inverse strength of the head's penalty.")]
Detector = Annotated[str, typer.Option(help="A detector with a linear head on a frozen trunk.")]
Data = Annotated[Path, typer.Option(help="Data set in GenImage's layout.")]
Backbone = Annotated[str, typer.Option(help="Another timm vision transformer; default: the detector's.")]


def linear_commands(app: typer.Typer) -> None:
    """Enter these commands in the command line."""
    app.command("fit-head")(fit_head)
    app.command("leave-one-out")(leave_one_out)
    app.command("regroup")(regroup)


def fit_head(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the run, as `train` writes it.")],
    init: Init,
    features: Features,
    detector: Detector = "dinov2",
    backbone: Backbone = "",
    train_on: Annotated[str, typer.Option(help="Generators, separated by commas, or `all`.")] = "all",
    only: Annotated[Path | None, typer.Option(help="Text file: ids of the images to fit on.")] = None,
    aligned: Aligned = None,
    views: Annotated[int, typer.Option(min=1, help="Augmented views of each image.")] = 1,
    inverse_penalty: Penalty = 1e-3,
    init_note: Annotated[str, typer.Option(help="Where the trunk comes from, for the manifest.")] = "",
    threads: Annotated[int, typer.Option(help="CPU threads; 0: torch's default.")] = 0,
) -> None:
    """Fit a linear head on a frozen trunk; features that were computed before are read from the cache."""
    from genimage_core.training.heads import HeadPlan, fit_head_run

    use_threads(threads)
    plan = HeadPlan(
        data=data, init=init, features=features, detector=detector, backbone=backbone, train_on=train_on,
        only=only, aligned=aligned, views=views, inverse_penalty=inverse_penalty, init_note=init_note,
        command=command_line(data),
    )  # fmt: skip
    print(f"weights: {fit_head_run(plan, out, _show)}")


def leave_one_out(
    data: Data,
    out: Annotated[Path, typer.Option(help="File of figures (json) to write.")],
    init: Init,
    features: Features,
    detector: Detector = "dinov2",
    backbone: Backbone = "",
    aligned: Aligned = None,
    views: Annotated[int, typer.Option(min=1, help="Augmented views of each image.")] = 1,
    inverse_penalty: Penalty = 1e-3,
    threads: Annotated[int, typer.Option(help="CPU threads; 0: torch's default.")] = 0,
) -> None:
    """For each training generator: a head that never saw it, measured on its validation images."""
    from genimage_core.training.heads import HeadPlan, leave_one_out_figures

    use_threads(threads)
    plan = HeadPlan(
        data=data, init=init, features=features, detector=detector, backbone=backbone, aligned=aligned,
        views=views, inverse_penalty=inverse_penalty, command=command_line(data),
    )  # fmt: skip
    figures = leave_one_out_figures(plan, _show)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps({k: v for k, v in figures.items() if k in ("mean_auroc", "generators")}, indent=1))


def regroup(
    data: Data,
    out: Annotated[Path, typer.Option(help="Root of the new data set, which holds links.")],
    manifest: Annotated[Path, typer.Option(help="csv with path and group of each image.")],
    share: Annotated[float, typer.Option(min=0, max=1, help="Share of the groups that move.")] = 0.65,
    seed: int = 0,
) -> None:
    """Let training see part of the generators that are there for testing only, whole groups at a time."""
    import pandas as pd

    from genimage_core.datasets import scan_dataset
    from genimage_core.datasets.regroup import new_splits, write_links

    table = pd.read_csv(manifest)
    groups = dict(zip(table["path"], table["group"].astype(str), strict=True))
    splits = new_splits(scan_dataset(data), groups, share, seed)
    write_links(splits, out)
    moved = sum(record.split != split for record, split in splits)
    print(f"{out}: {len(splits)} images, {moved} of them moved to training")


def _show(row: dict[str, Any]) -> None:
    print("  ".join(f"{k} {v}" for k, v in row.items()), file=sys.stderr, flush=True)
