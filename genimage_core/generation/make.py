"""The loop that makes images: resumable at any image, bad ones made again, the disk never full unseen."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from genimage_core.generation.journal import Journal, Row, keys_of, open_journal, read_rows
from genimage_core.generation.makers import Checked, Maker, check_image
from genimage_core.generation.plan import FOLDER, Plan, Shot
from genimage_core.utils.atomic_write import fill_whole
from genimage_core.utils.errors import GenerationError

ATTEMPTS = 6
"""How often an image is tried, each time under another seed."""
HOPELESS = 5
"""After so many images in a row that failed in every attempt, something is wrong for good."""

Progress = Callable[[int, int], None]
"""Called with images done, and of how many."""
Report = Callable[[str], None]
"""Called with a line for a person."""


@dataclass(frozen=True)
class Run:
    """One process's part of a data set.

    Attributes:
        plan: of the data set.
        out: its folder.
        shard: (i, n): every n-th image from the i-th on.
        batch: images at once.
        least_side: px that an image must have on either side.
    """

    plan: Plan
    out: Path
    shard: tuple[int, int] = (1, 1)
    batch: int = 1
    least_side: int = 0

    @property
    def folder(self) -> Path:
        """The generator's folder `build`."""
        return self.out / self.plan.name / FOLDER

    def part(self, shots: Sequence[Shot]) -> Sequence[Shot]:
        """The shard's share of all shots."""
        return shots[self.shard[0] - 1 :: self.shard[1]]


def make_images(
    run: Run,
    shots: Sequence[Shot],
    maker: Callable[[], Maker],
    *,
    progress: Progress = lambda done, total: None,
    report: Report = lambda line: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Make what a shard still lacks.

    Args:
        run: which part of which data set.
        shots: all of the data set.
        maker: called once, and only if there is something to do.
        progress: told at the start and after each batch.
        report: told of each image that had to be made again, and why.
        should_stop: asked between batches.

    Returns:
        Whether it went through to the end; images that failed in every attempt are then left out.

    Raises:
        GenerationError: the disk is full, another process makes this shard, or nothing usable comes out.
    """
    mine = run.part(shots)
    name = f"shard-{run.shard[0]}-of-{run.shard[1]}.jsonl"
    with open_journal(run.folder / name) as journal, disk_full_told(run.out):
        done = keys_of(read_rows(run.folder, "shard-*.jsonl"))
        todo = [shot for shot in mine if shot.key not in done]
        progress(len(mine) - len(todo), len(mine))
        if not todo:
            return True
        made = len(mine) - len(todo)
        batches = _Batches(run, maker(), journal, report)
        for start in range(0, len(todo), run.batch):
            if should_stop():
                return False
            made += batches.make(todo[start : start + run.batch])
            progress(made, len(mine))
        if made < len(mine):
            log = run.folder / "problems.log"
            report(f"{len(mine) - made} images failed in all {ATTEMPTS} attempts; see {log}")
        return True


class _Batches:
    """Makes batch after batch."""

    def __init__(self, run: Run, maker: Maker, journal: Journal, report: Report) -> None:
        self.run, self.maker, self.journal, self.report = run, maker, journal, report
        self.lost = 0  # images in a row that failed in every attempt

    def make(self, shots: Sequence[Shot]) -> int:
        """Make the images of a batch, and keep each as soon as it is good; returns how many are."""
        good = 0
        for shot, made in zip(shots, self.maker.make(shots), strict=True):
            if self._keep_or_retry(shot, made):
                good += 1
                self.lost = 0
                continue
            self.lost += 1
            if self.lost >= HOPELESS:
                raise GenerationError(
                    f"{HOPELESS} images in a row failed in all {ATTEMPTS} attempts.",
                    hint="The reasons are in this file; black pictures often mean the wrong --dtype.",
                    source=str(self.run.folder / "problems.log"),
                )
        return good

    def _keep_or_retry(self, shot: Shot, made: bytes | str) -> bool:
        while True:
            checked = check_image(made, self.run.least_side) if isinstance(made, bytes) else made
            if isinstance(checked, Checked) and isinstance(made, bytes):
                self._keep(shot, made, checked)
                return True
            self._log(shot, str(checked))
            if shot.source or shot.attempt + 1 >= ATTEMPTS:  # a picture that exists stays as it is
                return False
            shot = shot.again(self.run.plan.seed)
            (made,) = self.maker.make([shot])

    def _keep(self, shot: Shot, data: bytes, checked: Checked) -> None:
        plan, facts = self.run.plan, self.maker.facts
        path = f"{plan.name}/{shot.split}/ai/{shot.stem}{checked.suffix}"
        target = self.run.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        fill_whole(target, lambda part: part.write_bytes(data))
        self.journal.append(
            Row(
                path=path, label="ai", generator=plan.name, split=shot.split, class_id=shot.class_id,
                class_name=shot.class_name, prompt=shot.prompt, seed=shot.seed, attempt=shot.attempt,
                model=shot.model or ("" if plan.kind == "folder" else plan.model), revision=plan.revision,
                scheduler=facts.scheduler, steps=plan.steps, guidance=plan.guidance, dtype=plan.dtype,
                device=facts.device, width=checked.width, height=checked.height, versions=facts.versions,
                sha256=hashlib.sha256(data).hexdigest(), source=shot.source, key=shot.key,
            )
        )  # fmt: skip

    def _log(self, shot: Shot, reason: str) -> None:
        log_problem(self.run.folder, f"{shot.source or shot.key} (attempt {shot.attempt + 1}): {reason}")
        self.report(f"{shot.source or shot.key}: {reason}")


def log_problem(folder: Path, line: str) -> None:
    """Add a line to problems.log."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "problems.log").open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}\n")


@contextmanager
def disk_full_told(out: Path) -> Iterator[None]:
    """Turn the system's error for a full disk, or one that cannot be written, into one that says what to do.

    Raises:
        GenerationError: the disk is full or cannot be written.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise GenerationError(
                "the disk is full; every finished image is safe.",
                hint="Free some space and run the same command again.",
                source=str(out),
            ) from None
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise GenerationError(
                f"cannot write here ({os.strerror(error.errno)}).",
                hint="Choose another --out.",
                source=str(out),
            ) from None
        raise
