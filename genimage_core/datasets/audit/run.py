"""The audit of a data set: what it gives away for free, what is broken, what is in it twice."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Literal

import numpy as np

from genimage_core.datasets.audit.duplicates import find_copies, group_names, too_flat
from genimage_core.datasets.audit.file_facts import ReadFile, read_bytes, read_file
from genimage_core.datasets.audit.probe import probe_split
from genimage_core.datasets.audit.result import Audit, Copies, Makeup, Manifest, Probe, Unreadable
from genimage_core.datasets.protocols import SEED, DataProtocol, data_protocol
from genimage_core.datasets.scan import LABELS, Record, scan
from genimage_core.utils.errors import DatasetError, ImageReadError
from genimage_core.utils.versions import versions

Split = Literal["train", "val", "all"]
Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""

_WORDS = {number: word for word, number in LABELS.items()}
_MORE_VERSIONS = ("scikit-learn", "scipy", "pandas", "imagehash")


def audit_dataset(
    root: Path | str,
    protocols: Sequence[str] = ("raw", "unbiased"),
    *,
    split: Split = "val",
    limit: int | None = None,
    seed: int = SEED,
    command: str = "",
    progress: Progress = lambda task, done, total: None,
) -> Audit:
    """Audit a data set in GenImage's layout.

    Every file is read once. Copies across splits can be found only where both splits are looked at.

    Args:
        root: the data set's folder.
        protocols: names of data protocols to probe under.
        split: which files to look at; `all` probes each split for itself.
        limit: most files of each class, generator and split, drawn at random; None: all.
        seed: of this draw, of the protocols' and of the probes' folds.
        command: how to repeat it, for the manifest.
        progress: is told how far it is.

    Raises:
        DatasetError: no such layout or protocol, or no file of that split.
    """
    chosen_protocols = [data_protocol(name) for name in protocols]
    found = scan(root)
    records = [r for r in found.records if split in ("all", r.split)]
    if not records:
        raise DatasetError(
            f"no images in a folder named {split}.", hint="Choose another --split.", source=str(root)
        )
    records = _limited(records, limit, seed)
    selected = {p.name: {r.image_id for r in p.select(records, seed)} for p in chosen_protocols}
    files, unreadable, digest = _read_all(records, chosen_protocols, selected, progress)
    progress("looking for copies", 0, 1)
    groups = find_copies(files)
    manifest = Manifest(
        command=command,
        data_sha256=digest,
        n_files=len(records),
        split=split,
        limit=limit,
        seed=seed,
        protocols={protocol.name: protocol.description for protocol in chosen_protocols},
        versions=versions() | {name: metadata.version(name) for name in _MORE_VERSIONS},
    )
    return Audit(
        manifest=manifest,
        makeup=makeup(files),
        probes=_probe_all(
            files, group_names([file.record for file in files], groups), selected, seed, progress
        ),
        unreadable=unreadable,
        copies=[_copies([files[place] for place in group]) for group in groups],
        n_flat=int(too_flat(files).sum()),
        notes=found.notes,
    )


def _limited(records: Sequence[Record], limit: int | None, seed: int) -> list[Record]:
    """At most `limit` records of each class, generator and split, sorted."""
    if limit is None:
        return sorted(records)
    by_kind: dict[tuple[str, str, int], list[Record]] = defaultdict(list)
    for record in sorted(records):
        by_kind[record.generator, record.split, record.label].append(record)
    rng = np.random.default_rng(seed)
    return sorted(r for kind in sorted(by_kind) for r in _some(by_kind[kind], limit, rng))


def _some(records: list[Record], limit: int, rng: np.random.Generator) -> list[Record]:
    return [records[place] for place in rng.permutation(len(records))[:limit]]


def _read_all(
    records: Sequence[Record],
    protocols: Sequence[DataProtocol],
    selected: dict[str, set[str]],
    progress: Progress,
) -> tuple[list[ReadFile], list[Unreadable], str]:
    """Read every file once: those that can be read, those that cannot, and the hash of the data.

    The hash is that of `training.data.data_hash`; a file that cannot be opened counts as empty.
    """
    files: list[ReadFile] = []
    unreadable: list[Unreadable] = []
    digest = hashlib.sha256()
    for done, record in enumerate(records, start=1):
        data = b""
        try:
            data = read_bytes(record)
            wanted = [p for p in protocols if record.image_id in selected[p.name]]
            files.append(read_file(record, data, wanted))
        except ImageReadError as error:
            kind = type(error).__name__
            unreadable.append(Unreadable(image_id=record.image_id, error=kind, message=error.message))
        digest.update(record.image_id.encode())
        digest.update(hashlib.sha256(data).digest())
        progress("reading", done, len(records))
    return files, unreadable, digest.hexdigest()


def _probe_all(
    files: Sequence[ReadFile],
    groups: Sequence[str],
    selected: dict[str, set[str]],
    seed: int,
    progress: Progress,
) -> list[Probe]:
    """Probes under every protocol, of every split that holds both classes."""
    probes: list[Probe] = []
    splits = sorted({file.record.split for file in files})
    jobs = [(protocol, split) for protocol in selected for split in splits]
    for done, (protocol, split) in enumerate(jobs):
        progress("probing", done, len(jobs))
        places = [i for i, file in enumerate(files) if protocol in file.facts and file.record.split == split]
        records = [files[i].record for i in places]
        if {record.label for record in records} == {0, 1}:
            facts = [files[i].facts[protocol] for i in places]
            probes += probe_split(records, facts, [groups[i] for i in places], protocol, split, seed)
    progress("probing", len(jobs), len(jobs))
    return probes


def _copies(files: Sequence[ReadFile]) -> Copies:
    return Copies(
        image_ids=sorted(file.record.image_id for file in files),
        identical=len({file.sha256 for file in files}) == 1,
        across_splits=len({file.record.split for file in files}) > 1,
        across_labels=len({file.record.label for file in files}) > 1,
    )


def makeup(files: Sequence[ReadFile]) -> list[Makeup]:
    """Count what each class of each generator and split is made of."""
    by_kind: dict[tuple[str, str, int], list[ReadFile]] = defaultdict(list)
    for file in files:
        by_kind[file.record.generator, file.record.split, file.record.label].append(file)
    return [
        Makeup(
            generator=generator,
            split=split,
            label=_WORDS[label],
            n=len(members),
            formats=dict(Counter(file.kind for file in members).most_common()),
            sizes=dict(Counter(f"{file.width} x {file.height}" for file in members).most_common(5)),
            bytes_per_pixel=round(float(np.median([f.n_bytes / (f.width * f.height) for f in members])), 3),
        )
        for (generator, split, label), members in sorted(by_kind.items())
    ]
