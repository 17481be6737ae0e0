"""An audit's result as Markdown: the tables that the command prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from genimage_core.datasets.audit.file_facts import FAMILIES
from genimage_core.datasets.audit.result import EVERY_FACT, POOLED, Audit, Probe

LONGEST = 20
"""Most files or groups that a list names; the JSON names all."""


def as_markdown(audit: Audit) -> str:
    """Write the whole result as Markdown, one section a matter."""
    parts = [_head(audit), _makeup(audit)]
    jobs = list(dict.fromkeys((p.split, p.protocol) for p in audit.probes))
    parts += [_probes(audit, split, protocol) for split, protocol in sorted(jobs)]
    parts += [_unreadable(audit), _copies(audit)]
    return "\n\n".join(part for part in parts if part)


def figure(probe: Probe | None) -> str:
    """One cell: AUROC and its 95 % interval, or a dash."""
    if probe is None or probe.auroc is None:
        return "-"
    return f"{probe.auroc:.3f} ({probe.low:.3f} to {probe.high:.3f})"


def _table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table, its columns aligned for those who read it as text."""
    cells = [list(header), *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) + " |" for row in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def _head(audit: Audit) -> str:
    manifest = audit.manifest
    notes = "".join(f"- {note}\n" for note in audit.notes) + ("\n" if audit.notes else "")
    return (
        f"{notes}{manifest.n_files} files, split {manifest.split}, seed {manifest.seed},"
        f" data sha256 {manifest.data_sha256[:16]}; {len(audit.unreadable)} cannot be read."
    )


def _makeup(audit: Audit) -> str:
    rows = [
        (
            one.generator,
            one.split,
            one.label,
            one.n,
            _shares(one.formats, one.n),
            _shares(one.sizes, one.n),
            f"{one.bytes_per_pixel:.2f}",
        )
        for one in audit.makeup
    ]
    header = ("generator", "split", "class", "n", "formats", "sizes", "bytes/px")
    return "## What it is made of\n\n" + _table(header, rows)


def _shares(counts: dict[str, int], n: int) -> str:
    """The three most frequent with their shares."""
    shown = list(counts.items())[:3]
    return ", ".join(
        f"{name} {count / n:.0%}" if count / n >= 0.01 else f"{name} <1%" for name, count in shown
    )


def _probes(audit: Audit, split: str, protocol: str) -> str:
    found = {(p.generator, p.family): p for p in audit.probes if (p.split, p.protocol) == (split, protocol)}
    families = [EVERY_FACT, *FAMILIES]
    generators = sorted({generator for generator, _ in found} - {POOLED})
    rows = []
    for generator in [POOLED, *generators]:
        one = found[generator, EVERY_FACT]
        cells = [figure(found[generator, family]) for family in families]
        rows.append([generator, f"{one.n_fake} + {one.n_real}", *cells])
    title = f"## What the files give away: {split}, {protocol}"
    legend = (
        "AUROC (95 % interval) of a classifier that sees no picture, only facts of the file; .5 is chance.\n"
        "n is fake + real; a dash: too few images."
    )
    return f"{title}\n\n{legend}\n\n{_table(['generator', 'n', *families], rows)}"


def _unreadable(audit: Audit) -> str:
    if not audit.unreadable:
        return ""
    lines = [f"- {one.image_id}: {one.message} ({one.error})" for one in audit.unreadable[:LONGEST]]
    return "## Files that cannot be read\n\n" + "\n".join(lines + _rest(len(audit.unreadable)))


def _copies(audit: Audit) -> str:
    copies = audit.copies
    conflicts = [one for one in copies if one.across_labels]
    leaks = [one for one in copies if one.across_splits]
    n_files, same_bytes = sum(len(one.image_ids) for one in copies), sum(one.identical for one in copies)
    lines = [
        f"Groups of files that show the same picture: {len(copies)} ({n_files} files);"
        f" with the same bytes: {same_bytes}.",
        f"Groups in both splits: {len(leaks)}; with both labels: {len(conflicts)}.",
        f"Pictures too empty to be compared by their look: {audit.n_flat}.",
    ]
    for title, some in (("Both labels", conflicts), ("Both splits", leaks)):
        if some:
            lines += ["", f"{title}:", "", *["- " + " = ".join(one.image_ids) for one in some[:LONGEST]]]
            lines += _rest(len(some))
    return "## Copies\n\n" + "\n".join(lines)


def _rest(n: int) -> list[str]:
    return [f"- and {n - LONGEST} more; the JSON names all"] if n > LONGEST else []
