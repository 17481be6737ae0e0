"""What follows when all images are there: the evened-out set beside the raw one, and what each gives away."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from genimage_core.datasets.audit.markdown import as_markdown, figure
from genimage_core.datasets.audit.result import EVERY_FACT, POOLED, Audit, Probe
from genimage_core.datasets.audit.run import audit_dataset
from genimage_core.datasets.protocols import data_protocol
from genimage_core.generation.journal import Row, every_row, write_manifest
from genimage_core.generation.make import Progress
from genimage_core.images.load import load_image
from genimage_core.utils.atomic_write import write_whole
from genimage_core.utils.errors import GenerationError

SIDE = 224
"""px of the evened-out images, the unbiased protocol's own."""
AUDITED = 2000
"""Most files of each class, generator and split that the audit at the end looks at."""
_COMMAND = (
    f"python -m genimage_core audit DIR --data-protocol raw --split all --limit {AUDITED} --seed {{seed}}"
)


def aligned_folder(out: Path, side: int) -> Path:
    """Where the evened-out set lies: beside the raw one."""
    out = out.absolute()
    return out.with_name(f"{out.name}-aligned{side}")


def align(out: Path, side: int, progress: Progress) -> Path:
    """Write every image through one crop and one encoder, the `unbiased` protocol's; those there stay.

    Args:
        out: the raw set.
        side: px of the crop's side; no image may be smaller.
        progress: told of each image.

    Returns:
        The folder of the evened-out set, a data set with a manifest of its own.

    Raises:
        GenerationError: an image is smaller than the crop.
    """
    protocol = replace(data_protocol("unbiased"), side=side)
    target, rows = aligned_folder(out, side), every_row(out)
    aligned: list[Row] = []
    for done, row in enumerate(rows, start=1):
        path = Path(row.path).with_suffix(".jpg").as_posix()
        if not (target / path).is_file():
            pixels = load_image(out / row.path).pixels
            if min(pixels.shape[:2]) < side:
                raise GenerationError(
                    f"this image has less than {side} px on a side.",
                    hint="Use a smaller --align-side.",
                    source=row.path,
                )
            data = protocol.encode(pixels)
            assert data is not None  # this protocol has an encoder
            write_whole(target / path, data)
        sha256 = hashlib.sha256((target / path).read_bytes()).hexdigest()
        aligned.append(replace(row, path=path, width=side, height=side, sha256=sha256))
        progress(done, len(rows))
    write_manifest(target, aligned)
    return target


@dataclass(frozen=True)
class Audited:
    """A set and its audit."""

    title: str
    audit: Audit


def audit_sets(
    folders: dict[str, Path], seed: int, progress: Callable[[str, int, int], None]
) -> list[Audited]:
    """Audit sets, such as the raw and the evened-out one; each keeps its result as audit.json and audit.md.

    Args:
        folders: title -> data set.
        seed: of the audit's draws.
        progress: is told how far it is.
    """
    results = []
    for title, folder in folders.items():
        audit = audit_dataset(
            folder,
            ["raw"],
            split="all",
            limit=AUDITED,
            seed=seed,
            command=_COMMAND.format(seed=seed),
            progress=progress,
        )
        write_whole(folder / "audit.json", (audit.model_dump_json(indent=1) + "\n").encode())
        write_whole(folder / "audit.md", (as_markdown(audit) + "\n").encode())
        results.append(Audited(title, audit))
    return results


def audit_verdict(results: Sequence[Audited]) -> str:
    """The audits' figures side by side, and what follows from them."""
    splits = sorted({p.split for one in results for p in one.audit.probes})
    families = list(dict.fromkeys(p.family for one in results for p in one.audit.probes))
    lines = ["How well facts of the files alone tell fakes from photographs (AUROC, .5 is chance):"]
    for split in splits:
        lines += ["", f"{split:<12}" + "".join(f"{one.title:<26}" for one in results)]
        for family in families:
            cells = (figure(_probe(one.audit, split, family)) for one in results)
            lines.append(f"{family:<12}" + "".join(f"{cell:<26}" for cell in cells).rstrip())
    return "\n".join([*lines, "", *(f"{one.title}: {_words(one.audit)}" for one in results)])


def _probe(audit: Audit, split: str, family: str) -> Probe | None:
    return next(
        (p for p in audit.probes if (p.split, p.family, p.generator) == (split, family, POOLED)), None
    )


def _words(audit: Audit) -> str:
    probes = [
        p for p in audit.probes if p.family == EVERY_FACT and p.generator == POOLED and p.auroc is not None
    ]
    if not probes:
        return "too few images to tell."
    worst = max(probes, key=lambda p: p.auroc or 0.0)
    broken = f" {len(audit.unreadable)} files cannot be read." if audit.unreadable else ""
    if (worst.low or 0.0) > 0.5:
        return f"the files give the label away (AUROC {worst.auroc:.3f} in {worst.split}).{broken}"
    return f"nothing measured in the files gives the label away.{broken}"
