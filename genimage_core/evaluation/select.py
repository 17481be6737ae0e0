"""Which images an evaluation scores: from a data set or a pair of folders to records."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from genimage_core.datasets import DataProtocol, Record, list_generators
from genimage_core.datasets.file_hashes import content_hashes
from genimage_core.evaluation.plan import DataFacts
from genimage_core.images.load import list_image_files
from genimage_core.utils.errors import DatasetError
from genimage_core.utils.paths import printable

COVERS = "ids, generators, labels and contents (sha256) of the files, in order"
PAIR = "folders"
"""Name of the generator that a pair of folders is entered as."""


def folder_pair(ai: Path, nature: Path, split: Literal["train", "val"] = "val") -> list[Record]:
    """Records of two folders that the user names, one a class.

    Ids are `ai/...` and `nature/...`, relative to the folders; the generator is `PAIR`.

    Raises:
        DatasetError: one of them is no folder, or holds no image.
    """
    records: list[Record] = []
    for folder, name, label in ((ai, "ai", 1), (nature, "nature", 0)):
        if not folder.is_dir():
            raise DatasetError("not a folder.", hint="Name a folder of images.", source=str(folder))
        paths = list_image_files([folder])
        if not paths:
            raise DatasetError(
                "no images in this folder.", hint="Name a folder of images.", source=str(folder)
            )
        for path in paths:
            image_id = printable(f"{name}/{path.relative_to(folder).as_posix()}")
            records.append(Record(path, image_id, PAIR, split, label))
    return records


def select_images(
    records: Sequence[Record],
    *,
    split: str,
    generators: str,
    protocol: DataProtocol,
    limit: int | None = None,
    seed: int = 0,
) -> list[Record]:
    """The records to score, sorted by id.

    Args:
        records: of `scan_dataset` or `folder_pair`.
        split: `val` or `train`.
        generators: `all` that the split holds, `train` for those with training fakes, or names
            separated by commas.
        protocol: of the data; its draw comes before the limit.
        limit: at most so many of a class and generator, drawn by `seed` and id: adding images to the
            data set replaces few of those drawn.
        seed: of both draws.

    Raises:
        DatasetError: a named generator has no images in this split, or nothing is left.
    """
    some = [r for r in records if r.split == split]
    known = sorted({r.generator for r in some})
    if generators == "all":
        names = known
    elif generators == "train":
        names = list_generators(records, "train")
    else:
        names = [n.strip() for n in generators.split(",") if n.strip()]
    unknown = sorted(set(names) - set(known))
    if unknown or not names:
        raise DatasetError(
            f"no images in the split `{split}`.",
            hint=f"Choose from: {', '.join(known) or 'none'}, or another split.",
            source=", ".join(unknown) or generators,
        )
    chosen = protocol.select([r for r in some if r.generator in names], seed)
    return sorted(_limited(chosen, limit, seed), key=lambda r: r.image_id)


def data_facts(records: Sequence[Record], *, split: str, limit: int | None, seed: int) -> DataFacts:
    """What the plan says of the chosen images.

    Raises:
        DatasetError: a file is gone.
    """
    return DataFacts(
        fingerprint=fingerprint(records),
        covers=COVERS,
        images=len(records),
        generators=tuple(sorted({r.generator for r in records})),
        split=split,
        limit=limit,
        seed=seed,
    )


def _limited(records: Iterable[Record], limit: int | None, seed: int) -> list[Record]:
    if limit is None:
        return list(records)
    groups: dict[tuple[str, int], list[Record]] = defaultdict(list)
    for record in records:
        groups[record.generator, record.label].append(record)
    rank = {r: hashlib.sha256(f"{seed}/{r.image_id}".encode()).digest() for g in groups.values() for r in g}
    return [r for group in groups.values() for r in sorted(group, key=rank.__getitem__)[:limit]]


def fingerprint(records: Sequence[Record]) -> str:
    """sha256 over what `COVERS` names: the same on every machine that holds the same files.

    Contents are read once; a file of the same path, size and modification time is remembered.

    Raises:
        DatasetError: a file is gone.
    """
    digest = hashlib.sha256()
    for record, content in zip(records, content_hashes([r.path for r in records]), strict=True):
        line = (record.image_id, record.generator, str(record.label), content)
        digest.update("\0".join(line).encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()
