"""What puts an image outside of what the detectors were trained and tested on, and the note that says so."""

from __future__ import annotations

from typing import Literal

import cv2
import numpy as np
from pydantic import BaseModel

from genimage_core.images.load import ImageFacts
from genimage_core.verdict.image_type import ImageType
from genimage_core.verdict.image_type_features import TILE, tile_corners

Name = Literal["too_small", "heavy_compression", "blurred", "upscaled", "image_type"]

SMALL_SIDE = 128
LOW_QUALITY = 50
FLAT = 1.0
"""Mean absolute Laplacian (grey levels) of the most detailed tile, below which there is nothing to read."""
NO_FINE = 0.43
"""Detail at full size over that at half size, below which the full size adds nothing."""
NO_MIDDLE = 0.42
"""The same one octave lower: where this, too, is missing, the picture is blurred rather than enlarged."""


class ImageWarning(BaseModel):
    """One thing that a reader must know.

    Attributes:
        name: for programs.
        note: for people, one or two sentences.
    """

    name: Name
    note: str


def detail(image: np.ndarray) -> tuple[float, float, float]:
    """Mean absolute Laplacian at full, half and quarter size of the tile that has most at half size.

    Args:
        image: RGB uint8 (H, W, 3), any size; read in tiles of its own resolution.

    Returns:
        Three numbers in grey levels.
    """
    found = []
    for top, left in tile_corners(*image.shape[:2]):
        here = cv2.cvtColor(image[top : top + TILE, left : left + TILE], cv2.COLOR_RGB2GRAY).astype(
            np.float32
        )
        scales = []
        for _ in range(3):
            scales.append(float(np.abs(cv2.Laplacian(here, cv2.CV_32F)).mean()))
            size = (max(1, here.shape[1] // 2), max(1, here.shape[0] // 2))
            here = np.asarray(cv2.resize(here, size, interpolation=cv2.INTER_AREA))
        found.append((scales[0], scales[1], scales[2]))
    return max(found, key=lambda scales: scales[1])


def find_image_warnings(
    image: np.ndarray, facts: ImageFacts | None = None, image_type: ImageType | None = None
) -> list[ImageWarning]:
    """Everything that puts an image outside of what was tested.

    Args:
        image: RGB uint8 (H, W, 3).
        facts: of its file, if there is one.
        image_type: what it looks like, if that was asked.
    """
    found: list[ImageWarning] = []
    short = min(image.shape[:2])
    if short < SMALL_SIDE:
        note = f"The shorter side is {short} px: too small to hold reliable traces. Look for a larger copy."
        found.append(ImageWarning(name="too_small", note=note))
    if facts and facts.jpeg_quality is not None and facts.jpeg_quality < LOW_QUALITY:
        note = (
            f"Heavily compressed (JPEG quality about {facts.jpeg_quality}): traces may be gone. "
            "Look for the original file."
        )
        found.append(ImageWarning(name="heavy_compression", note=note))
    if short >= 16 and (softness := _softness(image)):
        found.append(softness)
    if image_type is not None and image_type.kind not in (None, "photograph"):
        found.append(ImageWarning(name="image_type", note=_image_type_note(image_type)))
    return found


def _softness(image: np.ndarray) -> ImageWarning | None:
    fine, middle, coarse = detail(image)
    if fine < FLAT or middle < NO_MIDDLE * coarse:
        note = "Very smooth or blurred: little is left of the fine detail that detectors read."
        return ImageWarning(name="blurred", note=note)
    if fine < NO_FINE * middle:
        note = (
            "It seems to have been enlarged or softened: the fine detail of its size is missing, and with it "
            "the traces that detectors read. Look for the original."
        )
        return ImageWarning(name="upscaled", note=note)
    return None


def _image_type_note(image_type: ImageType) -> str:
    note = (
        f"This looks like {image_type.words}. The detectors were made for photographs and pictures like them"
    )
    if image_type.withholds:
        return f"{note}; on such an image their answer does not count as a sign of AI."
    return f"{note}; on such an image they are wrong more often."
