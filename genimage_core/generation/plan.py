"""What a data set in the making depends on, and the list of its images, each with a seed of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from genimage_core.generation.classes import ImageClass, fill
from genimage_core.utils.atomic_write import fill_text
from genimage_core.utils.errors import GenerationError

PER_CLASS = 168
"""Images of a class in most of GenImage's generators: 162 in train, 6 in val."""
PICTURES = "pictures.json"
"""Which pictures of a folder were taken by the first run: later ones take the same."""
FOLDER = "build"
"""Below the generator's folder: the plan, what is done, and what went wrong."""


class Plan(BaseModel):
    """What the images depend on; one generator's folder has one plan.

    Attributes:
        name: of the generator's folder.
        kind: a diffusers pipeline, a program, or pictures that exist.
        model: repository or folder, or the program's command line.
        revision: commit of the repository, or a hash of the folder's files; "" for a program.
        scheduler, steps, guidance, size, call: as in a preset.
        dtype: of the weights.
        prompts: templates.
        classes: id and name of each.
        per_class, val_per_class: images of a class, and how many of these go to val.
        seed: all others follow from it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["diffusers", "command", "folder"]
    model: str
    revision: str = ""
    scheduler: str = ""
    steps: int | None = None
    guidance: float | None = None
    size: int | None = None
    call: dict[str, Any] = {}
    dtype: str = ""
    prompts: tuple[str, ...]
    classes: tuple[tuple[str, str], ...]
    per_class: int
    val_per_class: int
    seed: int

    def keep(self, out: Path) -> None:
        """Write the plan into its folder, or check that the one there is the same.

        A plan of which nothing was made yet is replaced.

        Raises:
            GenerationError: the folder was begun with another plan.
        """
        path, before = plan_path(out, self.name), read_plan(out, self.name)
        if before == self:
            return
        if before is None or not any(p.stat().st_size for p in path.parent.glob("shard-*.jsonl")):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.with_name(PICTURES).unlink(missing_ok=True)
            fill_text(path, self.model_dump_json(indent=1) + "\n")
            return
        changed = [f for f in type(self).model_fields if getattr(self, f) != getattr(before, f)]
        words = (f"{f} {_short(getattr(before, f))}, not {_short(getattr(self, f))}" for f in changed)
        raise GenerationError(
            f"this folder was begun with other settings: {'; '.join(words)}.",
            hint="Use the same settings to resume, or another --name or --out.",
            source=str(out / self.name),
        )


@dataclass(frozen=True)
class Shot:
    """One image to be made.

    Attributes:
        class_id, class_name: "" where no class can be told.
        index: within its class, from 0.
        split: `train` or `val`.
        prompt: "" where it is not known.
        seed: 32 bits, which every program takes; None where it is not known.
        attempt: 0 at first; each further one has another seed.
        source: the picture that is imported; "" for one that is made.
        model: that the picture's metadata name; "" for one that is made.
    """

    class_id: str
    class_name: str
    index: int
    split: str
    prompt: str
    seed: int | None
    attempt: int = 0
    source: str = ""
    model: str = ""

    @property
    def key(self) -> str:
        """What tells it from the others of its plan."""
        return f"{self.class_id}/{self.index}"

    @property
    def stem(self) -> str:
        """Its file's name without the ending."""
        return f"{self.class_id or 'image'}_{self.index:05d}"

    def again(self, plan_seed: int) -> Shot:
        """The next attempt at the same image, under the next seed."""
        attempt = self.attempt + 1
        return replace(self, attempt=attempt, seed=seed_of(plan_seed, self.class_id, self.index, attempt))


def seed_of(seed: int, class_id: str, index: int, attempt: int = 0) -> int:
    """The seed of one image, 0..2**32 - 1: it follows from these alone."""
    text = f"{seed}/{class_id}/{index}" + (f"/{attempt}" if attempt else "")
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def list_shots(plan: Plan) -> list[Shot]:
    """Every image of a plan, in an order in which what is done is balanced at any time."""
    return [
        Shot(
            class_id,
            name,
            index,
            "val" if index < plan.val_per_class else "train",
            fill(plan.prompts[index % len(plan.prompts)], name),
            seed_of(plan.seed, class_id, index),
        )
        for index in range(plan.per_class)
        for class_id, name in plan.classes
    ]


def val_share(per_class: int) -> int:
    """Images of a class that go to val: the paper's share, 6 of 168, but at least one of two."""
    return 0 if per_class < 2 else max(1, round(per_class * 6 / PER_CLASS))


def parse_shard(text: str) -> tuple[int, int]:
    """`i/n` -> (i, n), i from 1.

    Raises:
        GenerationError: it is no such text.
    """
    first, _, of = text.partition("/")
    if not (first.isdigit() and of.isdigit() and 1 <= int(first) <= int(of)):
        raise GenerationError("a shard is i/n, such as 1/4.", source=text or "(empty)")
    return int(first), int(of)


def plan_path(out: Path, name: str) -> Path:
    """Where a generator's plan is kept."""
    return out / name / FOLDER / "plan.json"


def read_plan(out: Path, name: str) -> Plan | None:
    """The plan of a generator's folder, None where there is none yet.

    Raises:
        GenerationError: its file is damaged.
    """
    path = plan_path(out, name)
    if not path.is_file():
        return None
    try:
        return Plan.model_validate_json(path.read_text(encoding="utf-8"))
    except ValidationError:
        raise GenerationError("this plan cannot be read.", source=str(path)) from None


def classes_of(plan: Plan) -> list[ImageClass]:
    """The plan's classes."""
    return [ImageClass(*one) for one in plan.classes]


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    if isinstance(value, Sequence) and not isinstance(value, str) and len(text) > 60:
        return f"{len(value)} entries"
    return text if len(text) <= 60 else text[:57] + "..."
