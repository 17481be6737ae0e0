"""One image file of a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, order=True)
class Record:
    """One image file of a data set.

    Attributes:
        path: the file.
        image_id: its path relative to the data set's root, with forward slashes.
        generator: the folder that names the generator.
        split: `train` or `val`.
        label: 1 for `ai` (fake), 0 for `nature` (real).
    """

    path: Path
    image_id: str
    generator: str
    split: Literal["train", "val"]
    label: int
