"""The command `build`: a data set for a generator, after GenImage's recipe."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from genimage_core.cli.options import STOPPED, Seed

_EVERY = 2.0  # seconds between two lines of progress


def build(
    out: Annotated[Path, typer.Option(help="Folder of the data set.")],
    generator: Annotated[
        str, typer.Option(help="A preset, a hub repository, a folder with a pipeline or with pictures.")
    ],
    real: Annotated[Path, typer.Option(help="Photographs: flat, or one folder a class as in ImageNet.")],
    classes: Annotated[
        str, typer.Option(help="`imagenet1k`, or a file with one class a line.")
    ] = "imagenet1k",
    per_class: Annotated[int, typer.Option(min=1, help="Images of a class.")] = 168,
    val_per_class: Annotated[
        int | None, typer.Option(min=0, help="How many of them go to val; default: 6 of 168.")
    ] = None,
    prompts: Annotated[Path | None, typer.Option(help="File of templates with {class}, one a line.")] = None,
    size: Annotated[int | None, typer.Option(min=8, help="px of a side.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Of the sampler.")] = None,
    guidance: Annotated[float | None, typer.Option(min=0, help="Scale of the guidance.")] = None,
    scheduler: Annotated[str, typer.Option(help="Class name in diffusers.")] = "",
    revision: Annotated[str, typer.Option(help="Commit, branch or tag of a hub repository.")] = "",
    seed: Seed = 42,
    device: Annotated[str, typer.Option(help="`auto`, `cpu`, `cuda` or `cuda:1`.")] = "auto",
    dtype: Annotated[str, typer.Option(help="`auto`, `float16`, `bfloat16` or `float32`.")] = "auto",
    batch: Annotated[int, typer.Option(min=1, help="Images at once; a kill loses at most these.")] = 1,
    shard: Annotated[str, typer.Option(help="i/n: this process makes every n-th image.")] = "1/1",
    align: Annotated[
        bool, typer.Option("--align", help="Also write both classes through one crop and encoder.")
    ] = False,
    align_side: Annotated[int, typer.Option(min=8, help="px of a side of these.")] = 224,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the photographs instead of linking them.")
    ] = False,
    command: Annotated[
        str, typer.Option(help='A program for each image: "PROGRAM {prompt} {path} {seed}".')
    ] = "",
    name: Annotated[str, typer.Option(help="Of the generator's folder.")] = "",
    engine: Annotated[
        Literal["local", "ray"], typer.Option(help="This process, or a Ray cluster.")
    ] = "local",
    workers: Annotated[int, typer.Option(min=0, help="With ray; 0: one a GPU.")] = 0,
) -> None:
    """Make a data set for a generator; stop it with Ctrl-C or a kill, the same command resumes."""
    from genimage_core.generation.build import Request, Watcher
    from genimage_core.generation.build import build as make
    from genimage_core.utils.stop import Stop

    request = Request(
        out=out, generator=generator, real=real, classes=classes, per_class=per_class,
        val_per_class=val_per_class, prompts=prompts, size=size, steps=steps, guidance=guidance,
        scheduler=scheduler, revision=revision, seed=seed, device=device, dtype=dtype, batch=batch,
        shard=shard, align=align, align_side=align_side, copy=copy, command=command, name=name,
    )  # fmt: skip
    with Stop() as stop:
        watcher = Watcher(_Printer().show, _say, lambda: stop.asked)
        if engine == "ray":
            from genimage_core.generation.ray import build_on_ray

            verdict = build_on_ray(request, workers, watcher)
        else:
            verdict = make(request, watcher)
    if stop.asked and verdict is None:
        _say("stopped; the same command resumes")
        raise typer.Exit(STOPPED)
    if verdict is None:
        _say("run the other shards, or this command without --shard, to finish")
    else:
        print(verdict)


class _Printer:
    """Prints progress now and then, with the time that is left at the pace so far."""

    def __init__(self) -> None:
        self.task, self.start, self.last = "", 0, 0.0
        self.began, self.at_start = 0.0, 0

    def show(self, task: str, done: int, total: int) -> None:
        now = time.monotonic()
        if task != self.task:
            self.task, self.start, self.last = task, done, 0.0
        if done <= self.start + 1:  # the first one pays for loading the model: it says nothing of the pace
            self.began, self.at_start = now, done
        if now - self.last < _EVERY and done != total:
            return
        self.last = now
        new = done - self.at_start
        pace = (now - self.began) / new if new else 0.0
        left = f", {pace:.2f} s each, {_duration(pace * (total - done))} left" if new and done < total else ""
        _say(f"{task}: {done} / {total}{left}")


def _duration(seconds: float) -> str:
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    return f"{days} d {h} h" if days else f"{h} h {m} min" if h else f"{m} min {s} s"


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
