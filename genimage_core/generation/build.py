"""From a request to a data set: resolve the generator, make or import, add photographs, audit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from genimage_core.generation.classes import IMAGENET, load_classes, load_prompts, slug
from genimage_core.generation.diffusion import INDEX, Diffusion, dtype_on, folder_revision, newest_commit
from genimage_core.generation.finish import SIDE, align, audit_sets, audit_verdict
from genimage_core.generation.journal import every_row, keys_of, only_one, read_rows, write_manifest
from genimage_core.generation.make import Progress, Report, Run, disk_full_told, make_images
from genimage_core.generation.makers import Maker, Pictures, Program
from genimage_core.generation.picture_folder import imported_shots
from genimage_core.generation.plan import (
    PER_CLASS,
    Plan,
    Shot,
    classes_of,
    list_shots,
    parse_shard,
    read_plan,
    val_share,
)
from genimage_core.generation.preset import Preset, list_presets, load_preset
from genimage_core.generation.reals import Photographs, place_reals
from genimage_core.utils.errors import GenerationError

T = TypeVar("T")
IMAGES = "images"
Kind = Literal["diffusers", "command", "folder"]


@dataclass(frozen=True)
class Request:
    """What a data set is asked to be.

    Attributes:
        out: its folder; several generators may share one.
        generator: a preset, a repository of the hub, a folder with a diffusers pipeline or with pictures;
            with `command` any name.
        real: folder of photographs.
        classes: `imagenet1k` or a file.
        per_class, val_per_class: images of a class, and how many of them go to val; None: the paper's share.
        prompts: file of templates; None: the preset's.
        size, steps, guidance, scheduler: None or "": the preset's.
        revision: of a repository; "": the preset's, or the newest.
        seed: of all draws.
        device, dtype, batch: how a pipeline runs.
        shard: `i/n`.
        align, align_side: whether an evened-out set is written beside the raw one, and its side in px.
        copy: copy photographs instead of linking them.
        command: a program to be called for each image; "" for none.
        name: of the generator's folder; "": follows from `generator`.
    """

    out: Path
    generator: str
    real: Path
    classes: str = IMAGENET
    per_class: int = PER_CLASS
    val_per_class: int | None = None
    prompts: Path | None = None
    size: int | None = None
    steps: int | None = None
    guidance: float | None = None
    scheduler: str = ""
    revision: str = ""
    seed: int = 42
    device: str = "auto"
    dtype: str = "auto"
    batch: int = 1
    shard: str = "1/1"
    align: bool = False
    align_side: int = SIDE
    copy: bool = False
    command: str = ""
    name: str = ""


class BuildStoppedError(Exception):
    """Raised where the work shall stop; what is done stays."""


@dataclass(frozen=True)
class Watcher:
    """Whom a build tells of its progress, and asks whether to stop."""

    progress: Callable[[str, int, int], None] = lambda task, done, total: None
    report: Report = lambda line: None
    should_stop: Callable[[], bool] = lambda: False

    def on(self, task: str) -> Progress:
        """The progress of one task."""
        return lambda done, total: self.told(task, done, total)

    def told(self, task: str, done: int, total: int) -> None:
        """Pass progress on; what is no image can be stopped here, for it is resumed as well.

        Raises:
            BuildStoppedError: it shall stop.
        """
        self.progress(task, done, total)
        if task != IMAGES and self.should_stop():
            raise BuildStoppedError


def build(request: Request, watcher: Watcher = Watcher(), *, only_images: bool = False) -> str | None:
    """Make a data set, or what it still lacks.

    Args:
        request: what it shall be.
        watcher: is told of progress and asked whether to stop.
        only_images: leave photographs, the aligned set and the audit to another call.

    Returns:
        The audit's verdict once everything is there; None where images are missing: it was stopped, or other
        shards are not done.

    Raises:
        GenerationError: wrong input, another plan in this folder, too few photographs, a full disk.
    """
    plan, preset = plan_of(request)
    run = Run(
        plan,
        request.out,
        parse_shard(request.shard),
        request.batch,
        request.align_side if request.align else 0,
    )
    _check(request, run)
    photographs = Photographs(request.real, classes_of(plan), plan.seed)
    with disk_full_told(request.out), suppress(BuildStoppedError):
        plan.keep(request.out)
        shots = _shots(request, run, photographs, watcher)
        whole = make_images(
            run, shots, lambda: _maker(request, plan, preset), progress=watcher.on(IMAGES),
            report=watcher.report, should_stop=watcher.should_stop,
        )  # fmt: skip
        write_manifest(request.out, every_row(request.out))
        missing = {shot.key for shot in shots} - keys_of(read_rows(run.folder, "shard-*.jsonl"))
        if missing:
            watcher.report(f"{len(missing)} of {len(shots)} images are missing")
        # Without a shard every image was tried: what failed again and again is left out of the set.
        if whole and not only_images and (not missing or run.shard == (1, 1)):
            with only_one(run.folder / "finish.lock"):
                return _finish(request, run, photographs, watcher)
    return None


def _finish(request: Request, run: Run, photographs: Photographs, watcher: Watcher) -> str:
    place_reals(run, photographs, copy=request.copy, progress=watcher.on("photographs"))
    write_manifest(request.out, every_row(request.out))
    folders = {"raw": request.out}
    if request.align:
        folders["aligned"] = align(request.out, request.align_side, watcher.on("aligning"))
    return audit_verdict(audit_sets(folders, request.seed, watcher.told))


def _shots(request: Request, run: Run, photographs: Photographs, watcher: Watcher) -> Sequence[Shot]:
    if run.plan.kind == "folder":
        folder = Path(request.generator)
        shots = imported_shots(run, folder, watcher.on("reading pictures"), watcher.report)
    else:
        shots = list_shots(run.plan)
    photographs.check_enough(shots)
    return shots


def _maker(request: Request, plan: Plan, preset: Preset) -> Maker:
    if plan.kind == "command":
        return Program(plan.model, plan.size)
    if plan.kind == "folder":
        return Pictures(Path(request.generator))
    return Diffusion(
        plan,
        request.generator if Path(request.generator).is_dir() else preset.model,
        request.device,
        preset.variant,
    )


def plan_of(request: Request) -> tuple[Plan, Preset]:
    """Resolve what was asked for: which generator, at which revision, under which settings.

    Raises:
        GenerationError: no such generator, file or setting.
    """
    kind, preset = resolve_generator(request)
    name = slug(request.name or (request.generator if kind == "command" else Path(request.generator).name))
    if not name:
        raise GenerationError(
            "this name has no letters.", hint="Choose one with --name.", source=request.generator
        )
    before = read_plan(request.out, name)
    diffusion = kind == "diffusers"
    n_val = val_share(request.per_class) if request.val_per_class is None else request.val_per_class
    return Plan(
        name=name,
        kind=kind,
        model=preset.model,
        revision=_revision(request, preset, before) if diffusion else "",
        scheduler=(request.scheduler or preset.scheduler) if diffusion else "",
        steps=_first(request.steps, preset.steps),
        guidance=_first(request.guidance, preset.guidance),
        size=_first(request.size, preset.size),
        call=preset.call,
        dtype=dtype_on(request.device, request.dtype, preset.dtype) if diffusion else "",
        prompts=load_prompts(request.prompts) if request.prompts else (preset.prompt,),
        classes=tuple((one.id, one.name) for one in load_classes(request.classes)),
        per_class=request.per_class,
        val_per_class=n_val,
        seed=request.seed,
    ), preset


def resolve_generator(request: Request) -> tuple[Kind, Preset]:
    """The kind of generator, and how it is called."""
    text = request.generator
    if request.command:
        return "command", Preset(model=request.command)
    if text in list_presets():
        return "diffusers", load_preset(text)
    folder = Path(text)
    if folder.is_dir():
        kind: Kind = "diffusers" if (folder / INDEX).is_file() else "folder"
        return kind, Preset(model=folder.resolve().name)  # where it lies does not matter
    if text.count("/") == 1 and not text.startswith((".", "/", "~")):
        return "diffusers", Preset(model=text)
    raise GenerationError(
        "no preset, no folder, and no repository of the hub.",
        hint=f"Presets: {', '.join(list_presets())}.",
        source=text or "(empty)",
    )


def _revision(request: Request, preset: Preset, before: Plan | None) -> str:
    if Path(request.generator).is_dir() and request.generator not in list_presets():
        return folder_revision(Path(request.generator))
    if len(request.revision or preset.revision) == 40:
        return request.revision or preset.revision
    # The first run asked the hub; those after it stay with the answer.
    if before is not None and before.model == preset.model and not request.revision:
        return before.revision
    return newest_commit(preset.model, request.revision)


def _check(request: Request, run: Run) -> None:
    plan = run.plan
    if not 0 <= plan.val_per_class <= plan.per_class:
        raise GenerationError(
            "more images of a class in val than there are.",
            source=f"{plan.val_per_class} of {plan.per_class}",
        )
    if request.align and plan.size is not None and plan.size < request.align_side:
        raise GenerationError(
            f"images of {plan.size} px are smaller than the aligned ones.",
            hint=f"Use --align-side {plan.size} or less.",
            source=str(request.align_side),
        )
    if plan.kind == "command":
        Program(plan.model, plan.size)


def _first(asked: T | None, preset: T | None) -> T | None:
    return preset if asked is None else asked
