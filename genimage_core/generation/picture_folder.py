"""Pictures that exist, as a generator: what they say of themselves, and which are taken."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from genimage_core.datasets.audit.duplicates import find_copies
from genimage_core.datasets.audit.file_facts import ReadFile, read_file
from genimage_core.datasets.scan import Record
from genimage_core.generation.classes import ImageClass, class_in
from genimage_core.generation.make import Progress, Report, Run, log_problem
from genimage_core.generation.makers import check_image
from genimage_core.generation.plan import PICTURES, Plan, Shot, classes_of
from genimage_core.images.load import list_image_files
from genimage_core.provenance.generation_settings import read_generation_settings
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.errors import GenerationError


def imported_shots(run: Run, folder: Path, progress: Progress, report: Report) -> list[Shot]:
    """The pictures of a folder that join the data set; looked through once, then read from `pictures.json`.

    Refused, and logged with the reason: what is no whole image, is of one colour or too small; all but one of
    the copies of a picture; and beside pictures whose class can be told those whose class cannot.

    Args:
        run: whose plan says how many images of a class are taken at most.
        folder: of the pictures, at any depth.
        progress: told of each file that was read.
        report: told how many were refused.

    Raises:
        GenerationError: no picture is left.
    """
    kept = run.folder / PICTURES
    if kept.is_file():
        return [Shot(**one) for one in json.loads(kept.read_text(encoding="utf-8"))]
    shots, files = _read_all(run, folder, progress)
    shots = _without_copies(run, shots, files)
    told = [shot for shot in shots if shot.class_id]
    if told:
        for shot in shots:
            if not shot.class_id:
                log_problem(run.folder, f"{shot.source}: no class can be told")
        shots = told
    chosen = _balanced(run.plan, shots)
    if not chosen:
        raise GenerationError(
            "no picture in this folder can be used.",
            hint="The reasons are in problems.log beside the plan.",
            source=str(folder),
        )
    counts = Counter(shot.class_id for shot in chosen)
    short = sum(n < run.plan.per_class for class_id, n in counts.items() if class_id)
    words = f" of {len(counts)} classes, {short} of them with fewer than {run.plan.per_class}" if told else ""
    report(f"{len(chosen)} pictures taken{words}; why others were not is in {run.folder / 'problems.log'}")
    run.folder.mkdir(parents=True, exist_ok=True)
    fill_text(kept, json.dumps([asdict(shot) for shot in chosen], ensure_ascii=False, indent=0))
    return chosen


def _read_all(run: Run, folder: Path, progress: Progress) -> tuple[list[Shot], list[ReadFile]]:
    paths, classes = list_image_files([folder]), classes_of(run.plan)
    shots: list[Shot] = []
    files: list[ReadFile] = []
    for done, path in enumerate(paths, start=1):
        name = path.relative_to(folder).as_posix()
        try:
            data = path.read_bytes()
        except OSError as error:
            log_problem(run.folder, f"{name}: cannot be read ({error.strerror})")
            continue
        checked = check_image(data, run.least_side)
        if isinstance(checked, str):
            log_problem(run.folder, f"{name}: {checked}")
        else:
            shots.append(_shot(name, data, classes))
            files.append(read_file(Record(path, name, run.plan.name, "train", 1), data, []))
        progress(done, len(paths))
    return shots, files


def _shot(name: str, data: bytes, classes: Sequence[ImageClass]) -> Shot:
    settings = read_generation_settings(data)
    parents = reversed(Path(name).parts[:-1])
    one = class_in([*parents, Path(name).stem, settings.prompt], classes) or ImageClass("", "")
    model = settings.model or settings.tool
    return Shot(one.id, one.name, 0, "train", settings.prompt, settings.seed, source=name, model=model)


def _without_copies(run: Run, shots: list[Shot], files: Sequence[ReadFile]) -> list[Shot]:
    """One of each group of copies: the first that tells its prompt, else the first."""
    out: set[int] = set()
    for group in find_copies(files):
        stays = next((place for place in group if shots[place].prompt), group[0])
        for place in set(group) - {stays}:
            log_problem(run.folder, f"{shots[place].source}: a copy of {shots[stays].source}")
            out.add(place)
    return [shot for place, shot in enumerate(shots) if place not in out]


def _balanced(plan: Plan, shots: Sequence[Shot]) -> list[Shot]:
    """At most the plan's number of each class, drawn by its seed; all where no class can be told."""
    by_class: dict[str, list[Shot]] = defaultdict(list)
    for shot in shots:
        by_class[shot.class_id].append(shot)
    chosen: list[Shot] = []
    for class_id, members in sorted(by_class.items()):
        members.sort(key=lambda shot: hashlib.sha256(f"{plan.seed}/{shot.source}".encode()).digest())
        taken = members[: plan.per_class] if class_id else members
        n_val = (
            min(plan.val_per_class, len(taken)) if len(taken) == plan.per_class else _share(plan, len(taken))
        )
        chosen += [
            replace(shot, index=i, split="val" if i < n_val else "train") for i, shot in enumerate(taken)
        ]
    return chosen


def _share(plan: Plan, n: int) -> int:
    """Of `n` images as large a share for val as the plan has."""
    share = round(n * plan.val_per_class / plan.per_class)
    return max(share, 1) if plan.val_per_class and n > 1 else share
