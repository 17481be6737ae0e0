"""The tile map: what a detector answers to each part of the picture, read at native resolution."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from genimage_core.detectors import Detector
from genimage_core.detectors.tiling import pad_to
from genimage_core.explain.draw import lay_over, preview, two_sided
from genimage_core.explain.evidence import Findings, Subject
from genimage_core.explain.registry import evidence_kind

PIXEL_BUDGET = 1_600_000
"""At most so many pixels of tiles are scored: about two seconds of any detector on two CPU cores."""

MAP_SIDE = 128
# Large batches are no faster on a CPU, and a runtime keeps the memory of its largest one.
BATCH = 8


@dataclass(frozen=True)
class TileMap:
    """One detector's answers over a grid of tiles.

    Attributes:
        scores: (rows, columns) P(fake) of each tile, in [0, 1].
        tops, lefts: where the rows and columns start, in px of the picture (below 0 where it was padded).
        side: of a tile, in px.
        places: (h, w) P(fake) over the picture, longer side at most `MAP_SIDE`: the mean log-odds of the
            tiles that cover a place; NaN where none does.
    """

    scores: np.ndarray
    tops: list[int]
    lefts: list[int]
    side: int
    places: np.ndarray


def tile_starts(height: int, width: int, side: int, most: int) -> tuple[list[int], list[int]]:
    """(tops, lefts) of evenly spread tiles that overlap by half, further apart where `most` asks for it."""
    stride = side / 2

    def count(length: int) -> int:
        return math.ceil((length - side) / stride) + 1

    while count(height) * count(width) > most:
        stride *= 1.05

    def starts(length: int) -> list[int]:
        if count(length) == 1:
            return [(length - side) // 2]
        return [round(i * (length - side) / (count(length) - 1)) for i in range(count(length))]

    return starts(height), starts(width)


def tile_map(image: np.ndarray, detector: Detector, pixel_budget: int = PIXEL_BUDGET) -> TileMap:
    """Score overlapping native-resolution tiles of a picture.

    Args:
        image: RGB uint8 (H, W, 3); smaller ones are mirrored at their edges up to one tile.
        detector: who is asked.
        pixel_budget: at most so many pixels of tiles; larger pictures get tiles that are further apart.
    """
    side = detector.net.spec.tile
    padded = pad_to(image, side)
    above, before = (max(0, side - length) // 2 for length in image.shape[:2])
    tops, lefts = tile_starts(padded.shape[0], padded.shape[1], side, max(1, pixel_budget // side**2))
    views = [padded[t : t + side, x : x + side] for t in tops for x in lefts]
    log_odds = detector.log_odds(views, BATCH).astype(np.float64).reshape(len(tops), len(lefts))
    tops, lefts = [t - above for t in tops], [x - before for x in lefts]
    return TileMap(expit(log_odds), tops, lefts, side, _places(image.shape, log_odds, tops, lefts, side))


def _places(
    shape: tuple[int, ...], log_odds: np.ndarray, tops: list[int], lefts: list[int], side: int
) -> np.ndarray:
    scale = min(1.0, MAP_SIDE / max(shape[:2]))
    height, width = (max(1, round(length * scale)) for length in shape[:2])
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for row, top in enumerate(tops):
        for column, left in enumerate(lefts):
            rows = slice(max(0, round(top * scale)), max(1, round((top + side) * scale)))
            columns = slice(max(0, round(left * scale)), max(1, round((left + side) * scale)))
            total[rows, columns] += log_odds[row, column]
            count[rows, columns] += 1
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, expit(total / np.where(count > 0, count, 1)), np.nan)


def draw(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Lay P(fake) (h, w) over a picture: (H, W, 3) uint8, longer side at most 1024 px."""
    import cv2

    small = preview(image)
    size = (small.shape[1], small.shape[0])
    grown = cv2.resize(places.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    return lay_over(small, two_sided(2.0 * grown - 1.0))


@evidence_kind(
    "tile_map",
    place=10,
    title="Where: the score part by part",
    means=(
        "The detector read overlapping parts of the picture, each at full resolution. Orange parts look "
        "AI-generated to it, blue ones like a photograph, pale ones tell it little."
    ),
    misleads=(
        "A single part is much weaker evidence than the whole picture: sky, blur and other smooth parts get "
        "scores of little meaning, and a few wrong parts are normal in any picture. A coloured spot is a "
        "place to look at, not proof that this spot was edited."
    ),
    asks="each",
    weighs="Weighs little alone: it shows where to look.",
)
def tile_maps(subject: Subject) -> Findings:
    """A map for each detector, laid over the picture, under its name.

    The arrays hold P(fake) under `NAME`, and under `NAME/layer` the colours alone, (h, w, 4) uint8 RGBA.
    """
    images, alts, arrays = {}, {}, {}
    data: dict[str, object] = {}
    for name, detector in subject.detectors.items():
        found = tile_map(subject.image, detector)
        title = detector.info.title
        high = float((found.scores > 0.5).mean())
        words = (
            f"{title}: of {found.scores.size} parts {high:.0%} score above .5; "
            f"they range from {found.scores.min():.2f} to {found.scores.max():.2f}."
        )
        images[name] = draw(subject.image, found.places)
        alts[name] = f"The picture with the score of each part as a colour. {words}"
        arrays[name] = found.places
        arrays[f"{name}/layer"] = two_sided(2.0 * found.places - 1.0, opacity=1.0)
        data[name] = {
            "tile_px": found.side,
            "tops": found.tops,
            "lefts": found.lefts,
            "p_fake": found.scores.round(4).tolist(),
            "share_above_half": round(high, 4),
        }
    finding = " ".join(alt.split(". ", 1)[1].rstrip() for alt in alts.values())
    return Findings(images, alts, data, arrays, finding)
