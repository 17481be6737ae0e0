"""The options that several commands share, each declared once, and what goes with them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from genimage_core.utils.paths import printable

STOPPED = 130
"""Exit code of work that was stopped, as of any command ended by Ctrl-C."""

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Data = Annotated[Path, typer.Option(help="Data set in GenImage's layout.")]
DataProtocol = Annotated[Literal["raw", "unbiased"], typer.Option(help="Files as they are, or evened out.")]
Degrade = Annotated[str, typer.Option(help="Degrade first, e.g. blur:3+jpeg:65.")]
Detectors = Annotated[str, typer.Option(help="`all` that have weights, or names separated by commas.")]
Device = Annotated[str, typer.Option(help="`auto`, `cpu` or `cuda`.")]
Features = Annotated[Path, typer.Option(help="Folder of the feature cache.")]
Generators = Annotated[str, typer.Option(help="`all`, `train`, or names separated by commas.")]
HeadDetector = Annotated[str, typer.Option("--detector", help="A detector with a head on a frozen trunk.")]
Init = Annotated[Path, typer.Option(help="safetensors file with the frozen trunk.")]
InitNote = Annotated[str, typer.Option(help="Where that file comes from, for the manifest.")]
Backbone = Annotated[str, typer.Option(help="Another timm vision transformer than the detector's.")]
Limit = Annotated[int | None, typer.Option(min=1, help="At most so many images a class and generator.")]
Manifest = Annotated[Path | None, typer.Option(help="The data set's csv: path, group, source of each image.")]
OnlyImages = Annotated[Path | None, typer.Option("--only", help="Text file: ids of the images to use.")]
Penalty = Annotated[float, typer.Option(help="Inverse strength of the head's penalty.")]
PreprocessingOption = Annotated[
    Literal["tiles", "resize"], typer.Option(help="Full-resolution tiles, or the paper's resize.")
]
RunFolder = Annotated[Path, typer.Argument(help="Folder of a run.")]
Seed = Annotated[int, typer.Option(min=0, help="Of every draw.")]
Split = Annotated[Literal["val", "train"], typer.Option(help="Which images.")]
Threads = Annotated[int, typer.Option(min=0, help="CPU threads of the networks; 0: automatic.")]
Title = Annotated[str, typer.Option(help="For people.")]
TrainOn = Annotated[str, typer.Option(help="Generators, separated by commas, or `all`.")]
Views = Annotated[int, typer.Option(min=1, help="Augmented views of each image.")]
Weights = Annotated[str, typer.Option(help="`default`, `sd_v1`, a folder, or a hub repository.")]


def command_line(data: Path | str | None = None) -> str:
    """The command as it can be repeated elsewhere: the data set's folder is called DIR."""
    words = ["DIR" if data is not None and word == str(data) else word for word in sys.argv[1:]]
    return printable(shlex.join(["python", "-m", "genimage_core", *words]))


def use_threads(threads: int) -> None:
    """Set the CPU threads of torch, and of the exported networks with it; 0 leaves them as they are."""
    import torch

    if threads:
        torch.set_num_threads(threads)


def names_of(text: str) -> list[str]:
    """`a, b` -> ["a", "b"]."""
    return [name.strip() for name in text.split(",") if name.strip()]


def groups_of(manifest: Path | None) -> dict[str, str]:
    """Image id -> group of the data set's manifest; empty without one."""
    return manifest_column(manifest, "group") if manifest else {}


def manifest_column(manifest: Path | None, name: str) -> dict[str, str]:
    """A column of the data set's csv by image id (its column `path`).

    Raises:
        DatasetError: it cannot be read, or has no such column.
    """
    import pandas as pd

    from genimage_core.utils.errors import DatasetError

    if manifest is None:
        raise typer.BadParameter("this needs --manifest")
    try:
        table = pd.read_csv(manifest, dtype=str)
        return dict(zip(table["path"], table[name].fillna(""), strict=True))
    except (OSError, ValueError, KeyError):
        raise DatasetError(
            f"no csv with the columns path and {name}.",
            hint="Name the data set's manifest.",
            source=str(manifest),
        ) from None


def progress_printer(name: str, every: int = 200) -> Callable[[int, int], None]:
    """Print "NAME: done / total" on stderr now and then."""

    def show(done: int, total: int) -> None:
        if done % every == 0 or done == total:
            print(f"{name}: {done} / {total}", file=sys.stderr, flush=True)

    return show
