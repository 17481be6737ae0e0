"""Photographs beside the fakes: as many in each class and split, each used once."""

from __future__ import annotations

import hashlib
import heapq
import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from genimage_core.generation.classes import ImageClass, slug
from genimage_core.generation.journal import Journal, Row, keys_of, open_journal, read_rows
from genimage_core.generation.make import Progress, Run, log_problem
from genimage_core.generation.makers import Checked, check_image
from genimage_core.generation.plan import Shot, classes_of
from genimage_core.images.load import list_image_files
from genimage_core.utils.errors import GenerationError

REALS = "reals.jsonl"


class Photographs:
    """A folder of photographs: flat, or with one folder a class, perhaps below `train` and `val`.

    Args:
        folder: of the photographs.
        classes: whose folders are looked for, by id or name.
        seed: of the order in which they are taken.

    Raises:
        GenerationError: there is no photograph.
    """

    def __init__(self, folder: Path, classes: Sequence[ImageClass], seed: int) -> None:
        self.folder = folder
        ids = {one.id: one.id for one in classes} | {slug(one.name): one.id for one in classes}
        self._pools: dict[tuple[str, str], list[tuple[bytes, Path]]] = defaultdict(list)
        for path in list_image_files([folder]) if folder.is_dir() else []:
            parents = path.relative_to(folder).parts[:-1]
            class_id = next((ids[p] for part in reversed(parents) if (p := _id(part, ids))), "")
            split = next((part for part in parents if part in ("train", "val")), "")
            order = hashlib.sha256(f"{seed}/{self.name(path)}".encode()).digest()
            self._pools[split, class_id].append((order, path))
        if not self._pools:
            raise GenerationError(
                "no photographs in this folder.",
                hint="Name a folder of images with --real.",
                source=str(folder),
            )
        for pool in self._pools.values():
            pool.sort()
        self.by_class = any(class_id for _, class_id in self._pools)
        self.by_split = {split for split, _ in self._pools} >= {"train", "val"}

    def name(self, path: Path) -> str:
        """A photograph's path below the folder."""
        return path.relative_to(self.folder).as_posix()

    def candidates(self, split: str, class_id: str) -> Iterator[Path]:
        """Photographs for a class of a split, in the order in which they are taken.

        Without folders of classes, or for images whose class is not known, any photograph will do.
        """
        pools = [
            pool
            for (has_split, has_class), pool in self._pools.items()
            if (not self.by_split or has_split == split)
            and (not (self.by_class and class_id) or has_class == class_id)
        ]
        return (path for _, path in heapq.merge(*pools))

    def check_enough(self, shots: Sequence[Shot]) -> None:
        """See that there are as many as will be needed, before anything is made.

        Raises:
            GenerationError: a class has too few, or all together.
        """
        splits = {s.split if self.by_split else "" for s in shots}
        for split in sorted(splits):
            needed = Counter(s.class_id if self.by_class else "" for s in shots if split in ("", s.split))
            for class_id, n in needed.items():
                have = sum(1 for _ in self.candidates(split, class_id))
                if have < n:
                    raise GenerationError(
                        f"{n} photographs{f' of {class_id}' if class_id else ''} are needed"
                        f"{f' in {split}' if split else ''}, {have} are there.",
                        hint="Name a larger folder with --real, or make fewer with --per-class.",
                        source=str(self.folder),
                    )


def place_reals(run: Run, photographs: Photographs, *, copy: bool, progress: Progress) -> None:
    """Link or copy a photograph for every fake of the plan that has none yet.

    Broken, one-coloured and small ones are passed over and logged, and so is one with the bytes of another.

    Raises:
        GenerationError: a class has too few that can be used, or links cannot be made here.
    """
    fakes = read_rows(run.folder, "shard-*.jsonl")
    with open_journal(run.folder / REALS) as journal:
        rows = read_rows(run.folder, REALS)
        placing = _Placing(run, photographs, journal, copy, rows)
        wanted = Counter((row.split, row.class_id) for row in fakes)
        there = keys_of(rows)
        done = len(rows)
        for (split, class_id), n in sorted(wanted.items()):
            for index in range(n):
                if _key(split, class_id, index) not in there:
                    placing.one(split, class_id, index)
                    done += 1
                    progress(done, len(fakes))


class _Placing:
    """Takes photograph after photograph, none twice."""

    def __init__(
        self, run: Run, photographs: Photographs, journal: Journal, copy: bool, rows: Sequence[Row]
    ) -> None:
        self.run, self.photographs, self.journal, self.copy = run, photographs, journal, copy
        self.names = {one.id: one.name for one in classes_of(run.plan)}
        self.used = {row.source for row in rows}
        self.contents = {row.sha256 for row in rows}
        self.waiting: dict[tuple[str, str], Iterator[Path]] = {}

    def one(self, split: str, class_id: str, index: int) -> None:
        key = split, class_id
        candidates = self.waiting.setdefault(key, self.photographs.candidates(split, class_id))
        for path in candidates:
            name = self.photographs.name(path)
            if name in self.used:
                continue
            self.used.add(name)
            data = path.read_bytes()
            sha256 = hashlib.sha256(data).hexdigest()
            checked = check_image(data, self.run.least_side)
            if sha256 in self.contents:
                checked = "a copy of another photograph"
            if isinstance(checked, str):
                log_problem(self.run.folder, f"photograph {name}: {checked}")
                continue
            self.contents.add(sha256)
            self._put(path, split, class_id, index, checked, sha256)
            return
        raise GenerationError(
            f"too few photographs{f' of {class_id}' if class_id else ''} can be used.",
            hint="Add some and run the same command again; problems.log tells which were refused.",
            source=str(self.photographs.folder),
        )

    def _put(
        self, source: Path, split: str, class_id: str, index: int, checked: Checked, sha256: str
    ) -> None:
        name = self.run.plan.name
        path = f"{name}/{split}/nature/{class_id or 'photo'}_{index:05d}{checked.suffix}"
        target = self.run.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(target.name + ".part")
        part.unlink(missing_ok=True)
        if self.copy:
            shutil.copyfile(source, part)
        else:
            part.symlink_to(os.path.abspath(source))
        part.replace(target)
        self.journal.append(
            Row(
                path=path, label="nature", generator=name, split=split, class_id=class_id,
                class_name=self.names.get(class_id, ""), width=checked.width, height=checked.height,
                sha256=sha256, source=self.photographs.name(source), key=_key(split, class_id, index),
            )
        )  # fmt: skip


def _key(split: str, class_id: str, index: int) -> str:
    return f"{split}/{class_id}/{index}"


def _id(part: str, ids: dict[str, str]) -> str:
    return part if part in ids else slug(part) if slug(part) in ids else ""
