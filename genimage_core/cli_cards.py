"""The command that writes the detectors' cards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genimage_core.cards import FOLDER


def cards(
    out: Annotated[Path, typer.Option(help="Folder to write.")] = FOLDER,
    detectors: Annotated[str, typer.Option(help="`all`, or names separated by commas.")] = "all",
) -> None:
    """Write each detector's card: its words, its figures, and metadata that the hub reads."""
    from genimage_core.cards import write_cards
    from genimage_core.detectors.registry import chosen_detectors

    for path in write_cards(out, chosen_detectors(detectors)):
        print(path)
