"""What is known of a detector without its network: importable without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Preprocessing = Literal["tiles", "resize"]

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class DetectorInfo:
    """Who a detector is.

    Attributes:
        name: the registry's name, lower case.
        title: the name that papers use.
        year: of the paper.
        paper: citation.
        paper_url: where to read it.
        reads: one sentence, what the network looks at.
        card_path: the markdown card beside the detector's file.
        in_benchmark: whether it is one of GenImage's seven.
    """

    name: str
    title: str
    year: int
    paper: str
    paper_url: str
    reads: str
    card_path: Path
    in_benchmark: bool = True


@dataclass(frozen=True)
class InputSpec:
    """How an image of any size reaches the network.

    Attributes:
        tile: side in px of a native-resolution tile (preprocessing `tiles`).
        max_tiles: at most so many tiles of one image are scored and averaged.
        whole: two views instead of tiles: the picture with its shorter side resized to `tile`, and its
            middle at full size.
        paper_resize: shorter side after the paper's own resize (None: no resize, preprocessing `resize`).
        paper_crop: side of the paper's centre crop.
        mean, std: of the normalisation applied to values in [0, 1].
    """

    tile: int = 224
    max_tiles: int = 1
    whole: bool = False
    paper_resize: int | None = 256
    paper_crop: int = 224
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
