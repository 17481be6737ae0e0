"""The laboratory's commands: train, teach, reconstruct, pack."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer


def command_line(data: Path | str | None = None) -> str:
    """The command as it can be repeated elsewhere: the data set's folder is called DIR."""
    words = ["DIR" if data is not None and word == str(data) else word for word in sys.argv[1:]]
    return shlex.join(["python", "-m", "genimage_core", *words])


def use_threads(threads: int) -> None:
    """Set the CPU threads of torch, and of the prepared networks with it; 0 leaves them as they are."""
    import torch

    if threads:
        torch.set_num_threads(threads)


def lab_commands(app: typer.Typer) -> None:
    """Enter the laboratory's commands in the command line."""
    for command in (train, teach, reconstruct, pack):
        app.command()(command)


def train(
    detector: Annotated[str, typer.Option(help="Which detector.")],
    data: Annotated[Path, typer.Option(help="Data set in GenImage's layout.")],
    train_on: Annotated[
        str,
        typer.Option(help="Generators, separated by commas, `all`, or `none`: real images and a teacher."),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the run.")],
    only: Annotated[Path | None, typer.Option(help="Text file: ids of the images to train on.")] = None,
    reals: Annotated[str, typer.Option(help="`pool`: all real images; `own`: the generators' own.")] = "pool",
    steps: Annotated[int | None, typer.Option(help="Optimiser steps (default: the recipe's).")] = None,
    lr: Annotated[float | None, typer.Option(help="Peak learning rate (default: the recipe's).")] = None,
    cutmix: Annotated[float | None, typer.Option(min=0, max=1, help="Share of steps with CutMix.")] = None,
    seed: int = 0,
    backbone: Annotated[str, typer.Option(help="Another timm vision transformer than the detector's.")] = "",
    init: Annotated[Path | None, typer.Option(help="safetensors file or weight set to start from.")] = None,
    init_note: Annotated[str, typer.Option(help="Where that file comes from, for the manifest.")] = "",
    teacher: Annotated[Path | None, typer.Option(help="Folder written by `teach`, to learn from.")] = None,
    aligned: Annotated[Path | None, typer.Option(help="Folder written by `reconstruct`: more fakes.")] = None,
    balance: Annotated[bool, typer.Option(help="Draw images of small generators more often.")] = False,
    favour: Annotated[str, typer.Option(help="Folders drawn more often: NAME=TIMES, with commas.")] = "",
    device: str = "auto",
    workers: int = 1,
    threads: Annotated[int, typer.Option(help="CPU threads; 0: torch's default.")] = 0,
    validate_every: Annotated[int, typer.Option(help="Steps between validations; 0: none.")] = 250,
) -> None:
    """Train a detector; stop it with Ctrl-C, start it again to go on."""
    from genimage_core.training.loop import Trainer
    from genimage_core.training.plan import TrainingPlan

    plan = TrainingPlan(
        detector=detector, data=data, train_on=train_on, out=out, only=only, reals=reals, steps=steps,
        lr=lr, cutmix=cutmix, seed=seed, backbone=backbone, init=init, init_note=init_note,
        teacher=teacher, aligned=aligned, balance=balance, favour=_times(favour), device=device,
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
    data: Annotated[Path, typer.Option(help="Data set in GenImage's layout.")],
    out: Annotated[Path, typer.Option(help="Folder for the views and what the teacher sees in them.")],
    train_on: Annotated[str, typer.Option(help="Generators, separated by commas, or `all`.")] = "all",
    teacher: Annotated[str, typer.Option(help="A vision transformer with 16 px patches.")] = "deit_s",
    weights: Annotated[str, typer.Option(help="`default`, `sd_v1`, or a folder of weights.")] = "default",
    trunk: Annotated[
        Path | None,
        typer.Option(help="Instead of --weights: a trunk that learned without labels (safetensors)."),
    ] = None,
    views: Annotated[int, typer.Option(min=1, help="Augmented views an image (1 GB for 3,300 views).")] = 3,
    seed: int = 0,
    threads: Annotated[int, typer.Option(help="CPU threads; 0: torch's default.")] = 0,
) -> None:
    """Let a trained transformer look at the training images, for others to learn from; resumes."""
    from genimage_core.datasets import scan_dataset
    from genimage_core.training.data import select_training
    from genimage_core.training.teacher import make_teacher_views

    use_threads(threads)
    records = select_training(scan_dataset(data), train_on)
    options: dict[str, Any] = {
        "teacher": teacher,
        "weights": weights,
        "views": views,
        "seed": seed,
        "trunk": trunk,
    }
    make_teacher_views(records, out, **options, report=_progress(f"{teacher} looks at views"))
    print(f"views: {out}")


def reconstruct(
    data: Annotated[Path, typer.Option(help="Data set whose real training images are reconstructed.")],
    out: Annotated[Path, typer.Option(help="Root of the new data set.")],
    autoencoder: Annotated[Path | None, typer.Option(help="TAEF2's safetensors file.")] = None,
    design: Annotated[str, typer.Option(help="Or: train a small decoder with this upsampling first.")] = "",
    limit: Annotated[int | None, typer.Option(help="At most so many images.")] = None,
    seed: int = 0,
    threads: Annotated[int, typer.Option(help="CPU threads; 0: torch's default.")] = 0,
) -> None:
    """Make aligned fakes: real training images run through an autoencoder; resumes."""
    import torch

    from genimage_core.datasets import scan_dataset
    from genimage_core.errors import TrainingError
    from genimage_core.training.autoencoder import GENERATOR, TinyAutoencoder, write_aligned
    from genimage_core.training.simulators import DESIGNS, train_simulator

    use_threads(threads)
    records = scan_dataset(data)
    if autoencoder:
        net: torch.nn.Module = TinyAutoencoder.load(autoencoder)
        name = GENERATOR
    elif design in DESIGNS:
        net = train_simulator(records, design, seed=seed, report=_progress(f"training {design}"))
        name = f"aligned_{design}"
    else:
        hint = f"Give --autoencoder FILE, or --design with one of: {', '.join(DESIGNS)}."
        raise TrainingError("no such design.", hint=hint, source=design)
    write_aligned(records, net, name, out, limit=limit, seed=seed, report=_progress("reconstructed"))
    print(f"aligned fakes: {out}")


def _progress(name: str) -> Any:
    def show(done: int, total: int) -> None:
        if done % 160 == 0 or done == total:
            print(f"{name}: {done} / {total}", file=sys.stderr, flush=True)

    return show


def pack(
    runs: Annotated[Path, typer.Option(help="Folder with one run of `train` for each detector.")],
    data: Annotated[Path, typer.Option(help="Data set whose validation images measure the loss.")],
    out: Annotated[Path, typer.Option(help="Folder of the weight set.")],
    detectors: Annotated[str, typer.Option(help="`all`, or names separated by commas.")] = "all",
    bits: Annotated[int, typer.Option(min=2, max=8, help="Bits a weight.")] = 6,
    group: Annotated[int, typer.Option(min=8, help="Weights a scale.")] = 64,
    fine: Annotated[str, typer.Option(help="Modules kept in 8 bits, with commas: body.conv1,...")] = "",
    limit: Annotated[int | None, typer.Option(help="Images a class and generator.")] = None,
) -> None:
    """Pack trained weights into few bits, measure what that costs, enter both in the manifest."""
    from genimage_core.datasets import data_protocol, scan_dataset
    from genimage_core.detectors.registry import chosen_detectors
    from genimage_core.detectors.weights import load_state, save_packed, weights_entry
    from genimage_core.evaluation.packing_loss import packing_loss
    from genimage_core.evaluation.plan_images import select_images

    records = select_images(
        scan_dataset(data), split="val", generators="train", protocol=data_protocol("raw"), limit=limit
    )
    how: dict[str, Any] = {"bits": bits, "group": group, "fine": [w for w in fine.split(",") if w]}
    for name in chosen_detectors(detectors):
        state, digest = load_state(name, runs / name)
        facts = {"float_sha256": digest, "training": weights_entry(name, runs / name)["training"]}
        save_packed(name, state, out, facts=facts, **how)
        loss = packing_loss(name, runs / name, out, records, _progress(name))
        loss["command"] = command_line(data)
        entry = save_packed(name, state, out, facts=facts | {"packing_loss": loss}, **how)
        size = sum(file["bytes"] for file in entry["files"]) / 1e6
        print(f"{name}: {size:.1f} MB at {bits} bits, {loss['points']:+.2f} points of accuracy lost")
