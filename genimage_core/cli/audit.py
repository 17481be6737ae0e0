"""The command `audit`: what a data set gives away, what is broken in it, what is in it twice."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from genimage_core.cli.options import AsJson, Limit, Seed, command_line
from genimage_core.utils.atomic_write import write_whole
from genimage_core.utils.errors import DatasetError

_STEP = 500


def audit(
    data: Annotated[Path, typer.Argument(help="Data set in GenImage's layout.")],
    as_json: AsJson = False,
    out: Annotated[Path | None, typer.Option(help="Also write the result as JSON to this file.")] = None,
    data_protocol: Annotated[
        Literal["raw", "unbiased", "both"],
        typer.Option(help="Files as they are, through one crop and encoder, or each in turn."),
    ] = "both",
    split: Annotated[
        Literal["val", "train", "all"], typer.Option(help="`all` probes each split and finds copies across.")
    ] = "val",
    limit: Limit = None,
    seed: Seed = 42,
) -> None:
    """Measure what the files of a data set give away unseen; list broken files and copies."""
    from genimage_core.datasets.audit.markdown import as_markdown
    from genimage_core.datasets.audit.run import audit_dataset
    from genimage_core.datasets.protocols import list_data_protocols

    if out is not None and (out.is_dir() or not os.access(out.parent, os.W_OK)):
        raise DatasetError(
            "the result cannot be written there.",
            hint="Name a file in a folder that exists and can be written to.",
            source=str(out),
        )
    names = list_data_protocols() if data_protocol == "both" else [data_protocol]
    found = audit_dataset(
        data, names, split=split, limit=limit, seed=seed, command=command_line(data), progress=_show
    )
    text = found.model_dump_json(indent=1) + "\n"
    if out is not None:
        write_whole(out, text.encode())
    print(text if as_json else as_markdown(found), end="" if as_json else "\n")


def _show(task: str, done: int, total: int) -> None:
    if done % _STEP == 0 or done == total or total < _STEP:
        print(f"{task}: {done} / {total}" if total > 1 else f"{task} ...", file=sys.stderr, flush=True)
