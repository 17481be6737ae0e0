"""The laboratory's commands: train, teach, pack, and the fits of heads."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from genimage_core.cli.options import (
    Backbone,
    Data,
    Detectors,
    Device,
    Features,
    HeadDetector,
    Init,
    InitNote,
    Limit,
    Manifest,
    OnlyImages,
    Penalty,
    Seed,
    Threads,
    TrainOn,
    Views,
    Weights,
    command_line,
    groups_of,
    names_of,
    progress_printer,
    use_threads,
)


def train(
    detector: Annotated[str, typer.Option(help="Which detector.")],
    data: Data,
    train_on: Annotated[
        str,
        typer.Option(help="Generators, separated by commas, `all`, or `none`: real images and a teacher."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    only: OnlyImages = None,
    reals: Annotated[str, typer.Option(help="`pool`: all real images; `own`: the generators' own.")] = "pool",
    steps: Annotated[int | None, typer.Option(help="Optimiser steps (default: the recipe's).")] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate (default: the recipe's).")] = None,
    cutmix: Annotated[float | None, typer.Option(min=0, max=1, help="Share of steps with CutMix.")] = None,
    seed: Seed = 0,
    backbone: Backbone = "",
    init: Annotated[Path | None, typer.Option(help="safetensors file or weight set to start from.")] = None,
    init_note: InitNote = "",
    teacher: Annotated[Path | None, typer.Option(help="Folder written by `teach`, to learn from.")] = None,
    balance: Annotated[bool, typer.Option(help="Draw images of small generators more often.")] = False,
    favour: Annotated[str, typer.Option(help="Folders drawn more often: NAME=TIMES, with commas.")] = "",
    device: Device = "auto",
    workers: int = 1,
    threads: Threads = 0,
    validate_every: Annotated[int, typer.Option(help="Steps between validations; 0: none.")] = 250,
) -> None:
    """Train a detector; stop it with Ctrl-C, start it again to go on."""
    from genimage_core.training.loop import Trainer
    from genimage_core.training.plan import TrainingPlan

    plan = TrainingPlan(
        detector=detector, data=data, train_on=train_on, out=out, only=only, reals=reals, steps=steps,
        lr=lr, cutmix=cutmix, seed=seed, backbone=backbone, init=init, init_note=init_note,
        teacher=teacher, balance=balance, favour=_times(favour), device=device,
        workers=workers, threads=threads, validate_every=validate_every, command=command_line(data),
    )  # fmt: skip

    def show(row: dict[str, Any]) -> None:
        print("  ".join(f"{k} {v}" for k, v in row.items()), file=sys.stderr, flush=True)

    weights = Trainer(plan, show).run()
    print(f"weights: {weights}" if weights else f"stopped; the same command goes on from {out}")


def _times(text: str) -> dict[str, int]:
    """`a=3,b=2` as a mapping."""
    try:
        pairs = [word.split("=") for word in text.split(",") if word.strip()]
        return {name.strip(): int(times) for name, times in pairs}
    except ValueError:
        raise typer.BadParameter(f"{text!r}: --favour takes NAME=TIMES, several with commas") from None


def teach(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder for the views and what the teacher sees in them.")],
    train_on: TrainOn = "all",
    teacher: Annotated[str, typer.Option(help="A vision transformer with 16 px patches.")] = "deit_s",
    weights: Weights = "default",
    trunk: Annotated[
        Path | None,
        typer.Option(help="Instead of --weights: a trunk that learned without labels (safetensors)."),
    ] = None,
    views: Annotated[int, typer.Option(min=1, help="Augmented views an image (1 GB for 3,300 views).")] = 3,
    seed: Seed = 0,
    threads: Threads = 0,
) -> None:
    """Let a trained transformer look at the training images, for others to learn from; resumes."""
    from genimage_core.datasets import scan_dataset
    from genimage_core.training.data import select_training
    from genimage_core.training.distillation.teacher import make_teacher_views

    use_threads(threads)
    records = select_training(scan_dataset(data), train_on)
    options: dict[str, Any] = {
        "teacher": teacher,
        "weights": weights,
        "views": views,
        "seed": seed,
        "trunk": trunk,
    }
    make_teacher_views(records, out, **options, report=progress_printer(f"{teacher} looks at views"))
    print(f"views: {out}")


def pack(
    runs: Annotated[Path, typer.Option(help="Folder with one run of `train` for each detector.")],
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the weight set.")],
    detectors: Detectors = "all",
    bits: Annotated[int, typer.Option(min=2, max=8, help="Bits a weight.")] = 6,
    group: Annotated[int, typer.Option(min=8, help="Weights a scale.")] = 64,
    fine: Annotated[str, typer.Option(help="Modules kept in 8 bits, with commas: body.conv1,...")] = "",
    limit: Limit = None,
) -> None:
    """Pack trained weights into few bits, measure what that costs, enter both in the manifest."""
    from genimage_core.datasets import data_protocol, list_generators, scan_dataset
    from genimage_core.detectors.registry import chosen_detectors
    from genimage_core.detectors.weights.store import load_state, save_packed, weights_entry
    from genimage_core.evaluation.runtime.packing_loss import packing_loss
    from genimage_core.evaluation.select import select_images

    every = scan_dataset(data)
    known = "train" if list_generators(every, "train") else "all"  # a manifest may hold one split alone
    records = select_images(every, split="val", generators=known, protocol=data_protocol("raw"), limit=limit)
    how: dict[str, Any] = {"bits": bits, "group": group, "fine": [w for w in fine.split(",") if w]}
    for name in chosen_detectors(detectors):
        state, digest = load_state(name, runs / name)
        facts = {"float_sha256": digest, "training": weights_entry(name, runs / name)["training"]}
        save_packed(name, state, out, facts=facts, **how)
        loss = packing_loss(name, runs / name, out, records, progress_printer(name))
        loss["command"] = command_line(data)
        entry = save_packed(name, state, out, facts=facts | {"packing_loss": loss}, **how)
        size = sum(file["bytes"] for file in entry["files"]) / 1e6
        print(f"{name}: {size:.1f} MB at {bits} bits, {loss['points']:+.2f} points of accuracy lost")


def fit_attribution(
    data: Data,
    init: Init,
    features: Features,
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("assets/attribution"),
    detector: HeadDetector = "dinov2",
    weights: Annotated[
        str, typer.Option(help="Weight set that will be asked; its trunk must fit.")
    ] = "default",
    classes: Annotated[
        str,
        typer.Option(help="Generators to tell apart, separated by commas; `all` that have training fakes."),
    ] = "all",
    manifest: Manifest = None,
    views: Views = 1,
    inverse_penalty: Penalty = 1e-3,
    threads: Threads = 0,
) -> None:
    """Fit what names generators, choose its threshold, and measure its confusion matrix."""
    from genimage_core.training.fit_attribution import fit_attribution_run
    from genimage_core.training.heads.fit import HeadPlan

    use_threads(threads)
    command = command_line(data).replace(str(manifest), "DIR/manifest.csv")
    plan = HeadPlan(
        data=data, init=init, features=features, detector=detector, views=views,
        inverse_penalty=inverse_penalty, command=command,
    )  # fmt: skip
    names = () if classes == "all" else tuple(names_of(classes))
    facts = fit_attribution_run(plan, out, groups_of(manifest), _show, classes=names, weights=weights)
    print(
        json.dumps(
            {"threshold": facts.threshold, **facts.figures, **facts.manifest["packed_trunk"]}, indent=1
        )
    )


def fit_head(
    data: Data,
    out: Annotated[Path, typer.Option(help="Folder of the run, as `train` writes it.")],
    init: Init,
    features: Features,
    detector: HeadDetector = "dinov2",
    backbone: Backbone = "",
    train_on: TrainOn = "all",
    only: OnlyImages = None,
    views: Views = 1,
    inverse_penalty: Penalty = 1e-3,
    init_note: InitNote = "",
    threads: Threads = 0,
) -> None:
    """Fit a linear head on a frozen trunk; features that were computed before are read from the cache."""
    from genimage_core.training.heads.fit import HeadPlan, fit_head_run

    use_threads(threads)
    plan = HeadPlan(
        data=data, init=init, features=features, detector=detector, backbone=backbone, train_on=train_on,
        only=only, views=views, inverse_penalty=inverse_penalty, init_note=init_note,
        command=command_line(data),
    )  # fmt: skip
    print(f"weights: {fit_head_run(plan, out, _show)}")


def leave_one_out(
    data: Data,
    out: Annotated[Path, typer.Option(help="File of figures (json) to write.")],
    init: Init,
    features: Features,
    detector: HeadDetector = "dinov2",
    backbone: Backbone = "",
    views: Views = 1,
    inverse_penalty: Penalty = 1e-3,
    threads: Threads = 0,
) -> None:
    """For each training generator: a head that never saw it, measured on its validation images."""
    from genimage_core.training.heads.fit import HeadPlan, leave_one_out_figures

    use_threads(threads)
    plan = HeadPlan(
        data=data, init=init, features=features, detector=detector, backbone=backbone,
        views=views, inverse_penalty=inverse_penalty, command=command_line(data),
    )  # fmt: skip
    figures = leave_one_out_figures(plan, _show)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps({k: v for k, v in figures.items() if k in ("mean_auroc", "generators")}, indent=1))


def _show(row: dict[str, Any]) -> None:
    print("  ".join(f"{k} {v}" for k, v in row.items()), file=sys.stderr, flush=True)
